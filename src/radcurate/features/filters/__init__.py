"""IBSI-2: convolutional filters, a module for each way of computing them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from radcurate.features.filters.choices import (
    Filter,
    Gabor,
    LaplacianOfGaussian,
    Laws,
    Mean,
    Riesz,
    Simoncelli,
    Wavelet,
)
from radcurate.features.filters.fourier import riesz, simoncelli
from radcurate.features.filters.gabor import gabor, gabor_reach
from radcurate.features.filters.laws import laws, laws_reach
from radcurate.features.filters.separable import WHOLE, Box
from radcurate.features.filters.smooth import Spacing, laplacian_of_gaussian, log_reach, mean, mean_reach
from radcurate.features.filters.wavelet import wavelet, wavelet_reach
from radcurate.features.kernels.convolve import Floats

# More voxels than any image has.
EVERYWHERE = (1 << 40,) * 3


def respond(chosen: Filter, values: Floats, spacing: Spacing, box: Box = WHOLE) -> Iterator[tuple[str, Floats]]:
    """Label and response of every image that a filter makes, one after the other.

    Args:
        chosen: the filter.
        values: shape (plane, row, column); intensities of an image, or of as much of it as `margin` asks for.
        spacing: mm.
        box: the part in which responses are wanted; their shape.
    """
    if isinstance(chosen, Wavelet):
        yield from wavelet(chosen, values, box)
    else:
        yield chosen.labels[0], _respond(chosen, values, spacing, box)


def _respond(
    chosen: Mean | LaplacianOfGaussian | Laws | Gabor | Simoncelli | Riesz, values: Floats, spacing: Spacing, box: Box
) -> Floats:
    match chosen:
        case Mean():
            return mean(chosen, values, box)
        case LaplacianOfGaussian():
            return laplacian_of_gaussian(chosen, values, spacing, box)
        case Laws():
            return laws(chosen, values, box)
        case Gabor():
            return gabor(chosen, values, spacing, box)
        case Simoncelli():
            return simoncelli(chosen, values)[box]
        case Riesz():
            return riesz(chosen, _respond(chosen.of, values, spacing, WHOLE))[box]


def margin(chosen: Sequence[Filter], spacing: Spacing) -> tuple[int, int, int]:
    """How many voxels around a region, along each axis, the filters read; `EVERYWHERE` where that is the whole image."""
    reached = [(0, 0, 0), *(_reach(one, spacing) for one in chosen)]
    return max(one[0] for one in reached), max(one[1] for one in reached), max(one[2] for one in reached)


def _reach(chosen: Filter, spacing: Spacing) -> tuple[int, int, int]:
    if isinstance(chosen, (Simoncelli, Riesz)) or chosen.boundary == "periodic":
        return EVERYWHERE if chosen.dimension == "3D" else (0, *EVERYWHERE[1:])
    match chosen:
        case Mean():
            return mean_reach(chosen)
        case LaplacianOfGaussian():
            return log_reach(chosen, spacing)
        case Laws():
            return laws_reach(chosen)
        case Gabor():
            return gabor_reach(chosen, spacing)
        case Wavelet():
            return wavelet_reach(chosen)

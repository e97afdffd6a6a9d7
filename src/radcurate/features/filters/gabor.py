"""Gabor filter: a wave under a Gaussian, within planes."""

from __future__ import annotations

import math

import numpy as np
import scipy  # loads its parts when they are asked for; from scipy import fft would cost every start 0.1 s
from numpy.typing import NDArray

from radcurate.features.filters.choices import Gabor
from radcurate.features.filters.separable import WHOLE, Box
from radcurate.features.filters.smooth import Spacing
from radcurate.features.filters.waves import bell, wave
from radcurate.features.kernels.convolve import Floats
from radcurate.features.kernels.spectra import Spectrum, products

# Elements of a transformed stack of planes: bounds memory, and stays in the caches.
_BLOCK = 1 << 20


def gabor(chosen: Gabor, values: Floats, spacing: Spacing, box: Box = WHOLE) -> Floats:
    """Modulus of the response (IBSI Q88H), pooled over angles and families of planes.

    g(k) = exp(−(k̃₁² + γ² k̃₂²)/2σ² + 2πi k̃₁/λ), k̃ being (x, y) turned by the angle. The kernel is no product, so planes
    are convolved through their Fourier transforms.
    """
    pool = np.maximum if chosen.pooling == "max" else np.add
    result = np.zeros_like(values[box])
    responses = 0
    for axis in _families(chosen):
        first, second = (other for other in range(3) if other != axis)
        kernels = _kernels(chosen, spacing[first], spacing[second])
        planes = np.moveaxis(values, axis, 0)[box[axis]]
        pooled = _moduli(planes, kernels, chosen.boundary, (box[first], box[second]), pool)
        pool(result, np.moveaxis(pooled, 0, axis), out=result)
        responses += len(kernels)
    return result if chosen.pooling == "max" else np.asarray(result / responses)


def gabor_reach(chosen: Gabor, spacing: Spacing) -> tuple[int, int, int]:
    """Voxels along each axis."""
    plane, row, column = (
        _half(chosen, step) if axis > 0 or chosen.orthogonal_planes else 0 for axis, step in enumerate(spacing)
    )
    return plane, row, column


def _families(chosen: Gabor) -> tuple[int, ...]:
    """Axes across the planes."""
    return (0, 1, 2) if chosen.orthogonal_planes else (0,)


def _half(chosen: Gabor, step: float) -> int:
    return math.ceil(chosen.cutoff * chosen.sigma / step * max(1.0, 1 / chosen.aspect))


def _kernels(chosen: Gabor, first_step: float, second_step: float) -> list[Spectrum]:
    """One for each angle, the second axis being x, the first y."""
    step = chosen.angle_step
    count = 1 if step is None else round(180 / step)
    y, x = (
        np.arange(-half, half + 1) * edge
        for half, edge in ((_half(chosen, edge), edge) for edge in (first_step, second_step))
    )
    kernels = []
    for turn in range(count):
        cosine, sine = wave((chosen.angle + turn * (step or 0.0)) / 360)
        along = cosine * x[None, :] + sine * y[:, None]
        across = -sine * x[None, :] + cosine * y[:, None]
        fall = bell(np.square(along / chosen.sigma) + np.square(chosen.aspect * across / chosen.sigma))
        even, odd = wave(along / chosen.wavelength)
        kernels.append(fall * even + 1j * (fall * odd))
    return kernels


def _moduli(
    planes: Floats, kernels: list[Spectrum], boundary: str, window: tuple[slice, slice], pool: np.ufunc
) -> Floats:
    """Sum or largest, over the kernels, of |plane * kernel| in a window of every plane along the first axis."""
    halves = [size // 2 for size in kernels[0].shape]
    rows, columns = (
        _places(part, n, half, boundary) for part, n, half in zip(window, planes.shape[1:], halves, strict=True)
    )
    # No larger than the window with its margin: what the transforms wrap around falls on the margin.
    sizes = [scipy.fft.next_fast_len(len(rows)), scipy.fft.next_fast_len(len(columns))]
    transforms = [scipy.fft.fft2(kernel, s=sizes) for kernel in kernels]
    inside = slice(2 * halves[0], len(rows)), slice(2 * halves[1], len(columns))
    result = np.zeros((len(planes), len(rows) - 2 * halves[0], len(columns) - 2 * halves[1]))
    at_once = max(1, _BLOCK // (sizes[0] * sizes[1]))
    for start in range(0, len(planes), at_once):
        block = planes[start : start + at_once][:, rows[:, None], columns[None, :]]
        block[:, (rows[:, None] < 0) | (columns[None, :] < 0)] = 0.0
        spectrum = scipy.fft.fft2(block, s=sizes, axes=(1, 2))
        for transform in transforms:
            response = scipy.fft.ifft2(products(spectrum, transform), axes=(1, 2), overwrite_x=True)[:, *inside]
            modulus = np.sqrt(np.square(response.real) + np.square(response.imag))
            part = result[start : start + at_once]
            pool(part, modulus, out=part)
    return result


def _places(part: slice, n: int, half: int, boundary: str) -> NDArray[np.intp]:
    """Where the places of a part of an axis of n voxels, and `half` more on each side, are found in it; -1: nowhere."""
    start, stop, _ = part.indices(n)
    places = np.arange(start - half, stop + half)
    match boundary:
        case "zero":
            return np.where((places < 0) | (places >= n), -1, places)
        case "nearest":
            return np.clip(places, 0, n - 1)
        case "periodic":
            return places % n
    places = places % (2 * n)
    return np.minimum(places, 2 * n - 1 - places)

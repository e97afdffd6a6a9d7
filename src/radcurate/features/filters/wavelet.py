"""Separable wavelets, undecimated: low and high passes along the axes, stretched from level to level."""

from __future__ import annotations

from collections.abc import Iterator

from radcurate.features.filters.choices import Wavelet
from radcurate.features.filters.separable import (
    WHOLE,
    Box,
    Chain,
    Product,
    Taps,
    along_axes,
    convolution,
    invariant,
    reach,
    responses,
)
from radcurate.features.kernels.convolve import Floats


def wavelet(chosen: Wavelet, values: Floats, box: Box = WHOLE) -> Iterator[tuple[str, Floats]]:
    """Label and response of every subband (IBSI 25BO), computed as a tree of passes; not in the order of the labels."""
    chains = {_chain(chosen, subband): label for subband, label in zip(chosen.chosen, chosen.labels, strict=True)}
    if chosen.rotation_invariant:
        for chain, label in chains.items():
            yield label, invariant(values, chain, chosen.pooling, chosen.boundary, box)
        return
    for chain, response in responses(values, chains, chosen.boundary, box):
        yield chains[chain], response


def wavelet_reach(chosen: Wavelet) -> tuple[int, int, int]:
    """Voxels along each axis."""
    reached = [reach(_chain(chosen, subband)) for subband in chosen.chosen]
    longest = max(max(one) for one in reached)
    return (longest if chosen.dimension == "3D" else 0, longest, longest)


def _chain(chosen: Wavelet, subband: str) -> Chain:
    """The low passes of the levels before, then the subband's own."""
    lows = [_product(chosen, "L" * len(subband), level) for level in range(1, chosen.level)]
    return (*lows, _product(chosen, subband, chosen.level))


def _product(chosen: Wavelet, letters: str, level: int) -> Product:
    return along_axes([_taps(chosen.family, letter, level) for letter in letters])


def _taps(family: str, letter: str, level: int) -> Taps:
    """The decomposition kernel of a level: each weight followed by 2^(level − 1) − 1 zeros (à trous)."""
    import pywt  # takes a while to import, and most runs have no wavelets

    known = pywt.Wavelet(family)
    weights = known.dec_lo if letter == "L" else known.dec_hi
    gap = [0.0] * (2 ** (level - 1) - 1)
    return convolution([part for weight in weights for part in (weight, *gap)])

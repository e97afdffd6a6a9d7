"""Filters that are defined by what they do to frequencies: Simoncelli's wavelet and the Riesz transform.

Their kernels have no end and the image is taken to repeat itself, so every voxel of it counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import scipy  # loads its parts when they are asked for; from scipy import fft would cost every start 0.1 s
from numpy.typing import NDArray

from radcurate.features.filters.choices import Riesz, Simoncelli
from radcurate.features.filters.waves import wave
from radcurate.features.kernels.convolve import Floats
from radcurate.features.kernels.elementary import log2
from radcurate.features.kernels.spectra import products

Frequencies = Sequence[Floats]  # an array for each axis that broadcasts against the others; 1 is the highest
Transfer = Callable[[Frequencies], NDArray[np.complex128]]


def simoncelli(chosen: Simoncelli, values: Floats) -> Floats:
    """The band of a level (IBSI PRT7): cos(π/2 log₂(2r/m)) for m/4 < r ≤ m, r being |ν| and m = 2^(1 − level).

    The frequencies of n voxels are spread evenly from −1 to 1, both included, as in IBSI's reference response maps;
    that is where a discrete Fourier transform has them for odd n, and half a step off for even n.
    """
    most = 2.0 ** (1 - chosen.level)

    def band(frequencies: Frequencies) -> NDArray[np.complex128]:
        radius = np.sqrt(sum(np.square(axis) for axis in frequencies))
        inside = (radius > most / 4) & (radius <= most)
        result = np.zeros(radius.shape, dtype=np.complex128)
        result[inside] = wave(log2(2 / most * radius[inside]) / 4)[0]
        return result

    return _filtered(values, band, _axes(chosen.dimension), _spread)


def riesz(chosen: Riesz, values: Floats) -> Floats:
    """(−i)^L √(L!/(l₁! l₂! l₃!)) ν₁^l₁ ν₂^l₂ ν₃^l₃ / |ν|^L of a filter's response, 0 where ν is 0 (IBSI AYRS)."""
    axes = _axes(chosen.dimension)
    orders = [chosen.order[2 - axis] for axis in axes]  # from x, y, z to the order of the array's axes
    total = sum(orders)
    factor = (-1j) ** total * math.sqrt(math.factorial(total) / math.prod(math.factorial(order) for order in orders))

    def direction(frequencies: Frequencies) -> NDArray[np.complex128]:
        radius = np.sqrt(sum(np.square(axis) for axis in frequencies))
        radius[radius == 0] = np.inf
        result = np.full(radius.shape, factor)
        for axis, order in zip(frequencies, orders, strict=True):
            for _ in range(order):
                result *= axis / radius
        return result

    return _filtered(values, direction, axes, _exact)


def _axes(dimension: str) -> tuple[int, ...]:
    return (0, 1, 2) if dimension == "3D" else (1, 2)


def _filtered(values: Floats, transfer: Transfer, axes: tuple[int, ...], grid: Callable[[int], Floats]) -> Floats:
    """The real part of the inverse transform of transfer function times transform.

    A real image has half its transform twice, and the real part of the result is that of the transfer function's
    Hermitian part, (T(ν) + conj T(−ν))/2. It is made slab by slab: as large as the image it needs much memory.
    """
    spectrum = scipy.fft.rfftn(values, axes=axes)
    lines = [grid(values.shape[axis]) for axis in axes]
    last = lines[-1][: spectrum.shape[axes[-1]]], _opposite(lines[-1])[: spectrum.shape[axes[-1]]]
    rest = [(line, _opposite(line)) for line in lines[1:-1]]
    for place in range(len(lines[0])):
        first = lines[0][place : place + 1], _opposite(lines[0])[place : place + 1]
        here, there = (_spanned([part[side] for part in (first, *rest, last)]) for side in (0, 1))
        slab = (transfer(here) + np.conj(transfer(there))) / 2
        if len(axes) == 3:
            spectrum[place] = products(spectrum[place], slab[0])
        else:
            spectrum[:, place] = products(spectrum[:, place], slab[0])
    return np.asarray(scipy.fft.irfftn(spectrum, s=[values.shape[axis] for axis in axes], axes=axes))


def _spanned(lines: list[Floats]) -> list[Floats]:
    return list(np.meshgrid(*lines, indexing="ij", sparse=True))


def _opposite(line: Floats) -> Floats:
    """The frequencies where the transform has −k instead of k."""
    return np.roll(line[::-1], 1)


def _spread(n: int) -> Floats:
    return np.asarray(scipy.fft.ifftshift(np.linspace(-1, 1, n))) if n > 1 else np.zeros(1)


def _exact(n: int) -> Floats:
    return np.asarray(scipy.fft.fftfreq(n) * 2)

"""Gabor filter: a wave under a Gaussian, within planes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from radcurate.features.filters.choices import Gabor
from radcurate.features.filters.smooth import Spacing
from radcurate.features.filters.waves import bell, wave
from radcurate.features.kernels.convolve import Floats
from radcurate.features.kernels.spectra import products

_PADDING = {"zero": "constant", "nearest": "edge", "periodic": "wrap", "mirror": "symmetric"}
# Elements of a transformed stack of planes: bounds memory, and stays in the caches.
_BLOCK = 1 << 20


def gabor(chosen: Gabor, values: Floats, spacing: Spacing) -> Floats:
    """Modulus of the response (IBSI Q88H), averaged over angles and families of planes.

    g(k) = exp(−(k̃₁² + γ² k̃₂²)/2σ² + 2πi k̃₁/λ), k̃ being (x, y) turned by the angle. The kernel is no product, so planes
    are convolved through their Fourier transforms.
    """
    result = np.zeros_like(values)
    families = _families(chosen)
    for axis in families:
        first, second = (other for other in range(3) if other != axis)
        kernels = _kernels(chosen, spacing[first], spacing[second])
        result += np.moveaxis(_moduli(np.moveaxis(values, axis, 0), kernels, chosen.boundary), 0, axis)
    return np.asarray(result / len(families))


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


def _kernels(chosen: Gabor, first_step: float, second_step: float) -> list[NDArray[np.complex128]]:
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


def _moduli(planes: Floats, kernels: list[NDArray[np.complex128]], boundary: str) -> Floats:
    """Mean over the kernels of |plane * kernel|, for every plane along the first axis."""
    _, rows, columns = planes.shape
    halves = [size // 2 for size in kernels[0].shape]
    sizes = [fft.next_fast_len(n + 2 * half) for n, half in zip((rows, columns), halves, strict=True)]
    transforms = [fft.fft2(kernel, s=sizes) for kernel in kernels]
    result = np.zeros(planes.shape)
    at_once = max(1, _BLOCK // (sizes[0] * sizes[1]))
    for start in range(0, len(planes), at_once):
        block = _padded(planes[start : start + at_once], halves, boundary)
        spectrum = fft.fft2(block, s=sizes, axes=(1, 2))
        for transform in transforms:
            response = fft.ifft2(products(spectrum, transform), axes=(1, 2), overwrite_x=True)
            inside = response[:, 2 * halves[0] : 2 * halves[0] + rows, 2 * halves[1] : 2 * halves[1] + columns]
            result[start : start + at_once] += np.sqrt(np.square(inside.real) + np.square(inside.imag))
    return np.asarray(result / len(kernels))


def _padded(planes: Floats, halves: list[int], boundary: str) -> Floats:
    return np.pad(planes, [(0, 0), *((half, half) for half in halves)], mode=_PADDING[boundary])  # type: ignore[call-overload, no-any-return]

"""How noisy an image is around a region, and more noise of that size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from radcurate.features.resample import Floats

MOST_NUMBERS = 1 << 20

# Median of |x| of a normal distribution of deviation 1.
MEDIAN_DEVIATION = 0.6744897501960817


def noise_level(values: Floats) -> float:
    """Standard deviation of the noise, in the unit of `values` (plane, row, column).

    Median of the absolute diagonal details of the planes' first Haar wavelet step, over the median of a normal
    distribution (Donoho and Johnstone 1994): smooth structures and straight edges have no diagonal detail.
    """
    rows, columns = (n // 2 * 2 for n in values.shape[1:])
    if not rows or not columns:
        return 0.0
    even = values[:, :rows, :columns]
    details = (even[:, ::2, ::2] - even[:, 1::2, ::2] - even[:, ::2, 1::2] + even[:, 1::2, 1::2]) / 2
    details = np.abs(details[np.isfinite(details)])
    return float(np.median(details)) / MEDIAN_DEVIATION if details.size else 0.0


@dataclass(frozen=True)
class Noise:
    """Normal numbers, drawn once for a region, that every perturbation reads from another place on, round and round.

    So that noise costs an addition. At each voxel the perturbations have independent numbers.

    Attributes:
        bank: shape (number,), in the unit of the image.
        start: where this perturbation begins.
    """

    bank: NDArray[np.float32]
    start: int = 0

    def from_place(self, chance: np.random.Generator) -> Noise:
        """The same numbers from another place on."""
        return replace(self, start=int(chance.integers(len(self.bank))))

    def add_to(self, values: Floats) -> None:
        """In place; `values` are C-contiguous."""
        flat, place, start = values.reshape(-1), 0, self.start
        while place < flat.size:
            n = min(flat.size - place, len(self.bank) - start)
            flat[place : place + n] += self.bank[start : start + n]
            place, start = place + n, 0


def draw_noise(level: float, n: int, chance: np.random.Generator) -> Noise:
    """Noise of standard deviation `level`, `n` numbers of it but not more than `MOST_NUMBERS`."""
    bank = chance.standard_normal(min(max(n, 1), MOST_NUMBERS), dtype=np.float32)
    bank *= np.float32(level)
    return Noise(bank)

"""Chance that is the same in every run: generators that follow from what was measured, not from a clock or a key.

Everything that a generator depends on is in the release, so that whoever has image and mask gets the same ranges.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

ALL = -1


@dataclass(frozen=True)
class Chance:
    """Of one perturbation of one region.

    Attributes:
        image_digest, mask_digest: of what is perturbed, as in provenance.parquet.
        number: of the perturbation, from 0; `ALL`: for what they share.
    """

    image_digest: str
    mask_digest: str
    number: int

    def of(self, purpose: str) -> np.random.Generator:
        """Numbers for one purpose; other purposes don't change them."""
        text = f"ranges {self.image_digest} {self.mask_digest} {self.number} {purpose}"
        return np.random.Generator(np.random.SFC64(int.from_bytes(hashlib.sha256(text.encode()).digest())))

    def between(self, purpose: str, most: float) -> float:
        """Evenly spread over [-most, most]."""
        return float(self.of(purpose).uniform(-most, most)) if most else 0.0

"""From an image and a mask to the values of one region: the one way that extraction and re-extraction go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radcurate.features.catalogue import Column
from radcurate.features.engine import Engine, Outcome
from radcurate.features.normalise import Scale
from radcurate.features.prepare import prepare
from radcurate.features.profile import Profile
from radcurate.features.resample import Flags


@dataclass(frozen=True)
class Measured:
    """A region that was measured.

    Attributes:
        outcome: values and reasons.
        spacing: mm after interpolation, (plane, row, column).
        scale: mean and deviation that intensities were normalised with.
    """

    outcome: Outcome
    spacing: tuple[float, float, float]
    scale: Scale


def measure(
    values: NDArray[np.generic],
    mask: Flags,
    spacing: tuple[float, float, float],
    profile: Profile,
    scale: Scale,
    engine: Engine,
    columns: Iterable[Column],
) -> Measured:
    """Prepare a region of a whole image (arguments as in `prepare`) and compute `columns` on it.

    Raises:
        RegionError: empty_mask or empty_after_interpolation.
    """
    prepared = prepare(values, mask, spacing, profile, scale)
    return Measured(engine.compute(prepared, columns), prepared.spacing, scale)

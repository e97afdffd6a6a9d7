"""Where pyradiomics differs from the engine by definition: planes, columns and reasons, all in one place."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from radcurate.features.prepare import Prepared

# Directions to the later neighbours in a plane, (row, column).
DIRECTIONS = ((0, 1), (1, -1), (1, 0), (1, 1))


def pairs(levels: np.ndarray, step: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Levels of the first and of the second voxel of each pair of neighbours in a plane, 0 being outside."""
    down, across = step
    rows, columns = levels.shape
    left, right = max(-across, 0), columns - max(across, 0)
    first, second = levels[: rows - down, left:right], levels[down:, left + across : right + across]
    both = (first > 0) & (second > 0)
    return first[both], second[both]


def neighbours(levels: np.ndarray) -> np.ndarray:
    """Number of the 8 neighbours in the region, shape (row, column)."""
    inside = np.pad(levels > 0, 1).astype(int)
    return sum(np.roll(inside, (down, across), (0, 1)) for down in (-1, 0, 1) for across in (-1, 0, 1))[1:-1, 1:-1] - 1


def no_pair_in_a_direction(levels: np.ndarray) -> bool:
    """A direction in which no voxel of the plane has a neighbour."""
    return any(not pairs(levels, step)[0].size for step in DIRECTIONS)


def no_pair(levels: np.ndarray) -> bool:
    """No voxel of the plane has a neighbour."""
    return all(not pairs(levels, step)[0].size for step in DIRECTIONS)


def flat_direction(levels: np.ndarray) -> bool:
    """A direction in which all pairs of the plane have one and the same level."""
    found = [np.concatenate(pairs(levels, step)) for step in DIRECTIONS]
    return any(both.size and both.min() == both.max() for both in found)


def lonely_voxel(levels: np.ndarray) -> bool:
    """A voxel without a neighbour in its plane."""
    return bool((neighbours(levels)[levels > 0] == 0).any())


@dataclass(frozen=True)
class Definition:
    """A difference that is one of definition.

    Attributes:
        columns: pattern of the columns that it is about.
        plane: planes of levels that it is about, shape (row, column).
        reason: what either does.
    """

    columns: str
    plane: Callable[[np.ndarray], bool]
    reason: str


# In each the engine does what the reference manual says, and z-rad does so too where it takes the plane.
DEFINITIONS = (
    Definition(
        r"rlm_.*_2D_(avg|comb)",
        no_pair_in_a_direction,
        "every voxel is in a run in every direction, be it a run of one; pyradiomics drops directions with such runs only",
    ),
    Definition(
        r"cm_.*_2D_(avg|comb)",
        no_pair,
        "a plane without pairs has no matrix and doesn't count in the mean; pyradiomics counts it as 0",
    ),
    Definition(
        r"cm_.*_2D_avg",
        no_pair_in_a_direction,
        "the mean is over all matrices that hold a pair; pyradiomics takes the mean of each plane, then that of the planes",
    ),
    Definition(
        r"cm_(corr|info_corr1)_2D_(avg|comb)",
        flat_direction,
        "0/0 has no value and doesn't count in the mean; pyradiomics counts it as 1 (corr) or 0 (info_corr1)",
    ),
    Definition(
        r"ngt_.*_(2D|2_5D)",
        lonely_voxel,
        "a voxel without neighbours has no mean of them and isn't counted; pyradiomics counts it as without difference",
    ),
)


def special(levels: np.ndarray) -> bool:
    """A plane that one of the definitions is about."""
    return bool(levels.any()) and any(definition.plane(levels) for definition in DEFINITIONS)


def explained(name: str, region: Prepared) -> list[str]:
    """Reasons of the definitions that are about this column and about one of the planes of the region."""
    about = [definition for definition in DEFINITIONS if re.fullmatch(definition.columns, name)]
    planes = [plane for plane in region.levels if about and plane.any()]
    return [definition.reason for definition in about if any(definition.plane(plane) for plane in planes)]

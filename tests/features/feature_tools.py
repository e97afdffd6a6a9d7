"""Regions and images for the feature tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from radcurate.features.catalogue import Column, columns_for
from radcurate.features.engine import Outcome
from radcurate.features.prepare import Prepared, prepare
from radcurate.features.profile import Profile
from radcurate.features.pyradiomics import compute
from radcurate.features.pyradiomics_names import names

ISO = (1.0, 1.0, 1.0)


def native(**choices: Any) -> Profile:
    """No interpolation, bins of width 1, all texture aggregations."""
    return Profile.model_validate(
        {"discretisation": "fixed_bin_size", "bin_size": 1, "textures": ["2D", "2.5D", "3D"], **choices}
    )


def noise(shape: tuple[int, int, int], seed: int = 0, most: int = 6) -> NDArray[np.float64]:
    """Whole numbers from 1 to `most`."""
    return np.random.default_rng(seed).integers(1, most + 1, shape).astype(np.float64)


def ball(shape: tuple[int, int, int] = (9, 9, 9), radius: float = 3.5) -> NDArray[np.bool_]:
    """Voxels within `radius` of the centre."""
    axes = np.meshgrid(*[np.arange(n) - (n - 1) / 2 for n in shape], indexing="ij")
    return np.asarray(sum(axis**2 for axis in axes) <= radius**2)


def features(values: NDArray[Any], mask: NDArray[Any], profile: Profile, spacing: tuple[float, ...] = ISO) -> Outcome:
    """All features of the profile that pyradiomics has."""
    return compute(prepared(values, mask, profile, spacing), by_pyradiomics(profile))


def by_pyradiomics(*profiles: Profile) -> tuple[Column, ...]:
    """The columns of the profiles that pyradiomics has."""
    return tuple(column for column in columns_for(*profiles) if column.tag in names())


def prepared(values: NDArray[Any], mask: NDArray[Any], profile: Profile, spacing: tuple[float, ...] = ISO) -> Prepared:
    """`prepare` with less typing."""
    return prepare(values, mask.astype(bool), (spacing[0], spacing[1], spacing[2]), profile)


def level_volumes(most_levels: int = 3) -> st.SearchStrategy[NDArray[np.int32]]:
    """Small volumes of grey levels from 1 to `most_levels`, 0 outside the region, which may be empty."""

    def volume(shape: tuple[int, int, int], seed: int, empty: float) -> NDArray[np.int32]:
        random = np.random.default_rng(seed)
        return (random.integers(1, most_levels + 1, shape) * (random.random(shape) >= empty)).astype(np.int32)

    shapes = st.tuples(*[st.integers(1, 6)] * 3)
    return st.builds(volume, shapes, st.integers(0, 2**20), st.sampled_from([0.0, 0.3, 0.8]))


ALL = native()


def phantom() -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The region that the golden values are of: whole numbers from 1 to 6 in a ball, without level 4."""
    values = noise((9, 9, 9), seed=20)
    values[values == 4] = 5
    return values, ball()


def spots(*places: Any, shape: tuple[int, int, int] = (4, 5, 6)) -> NDArray[np.bool_]:
    """A mask of these places."""
    mask = np.zeros(shape, dtype=bool)
    for place in places:
        mask[place] = True
    return mask


# regions that are hard on an engine, with their profile; `edge_values` are their intensities
EDGES = {
    "one_voxel": (spots((1, 2, 3)), ALL),
    "one_voxel_in_a_corner": (spots((0, 0, 0)), ALL),
    "two_voxels": (spots((1, 2, 3), (1, 2, 4)), ALL),
    "two_voxels_apart": (spots((0, 0, 0), (3, 4, 5)), ALL),
    "one_slice": (spots((1, slice(None), slice(None))), ALL),
    "one_row": (spots((1, 2, slice(None))), ALL),
    "whole_image": (np.ones((4, 5, 6), dtype=bool), ALL),
    "many_components": (np.indices((4, 5, 6)).sum(axis=0) % 2 == 0, ALL),
    "empty_after_resegmentation": (ball((4, 5, 6), 2), native(range=[1000, 2000])),
    "one_left_after_resegmentation": (ball((4, 5, 6), 2.9), native(range=[99, 2000])),
    "interpolated": (spots((1, 2, 3), (1, 2, 4)), native(voxel_size=0.7)),
}


def edge_values() -> NDArray[np.float64]:
    """Whole numbers, one of them far from the others."""
    values = noise((4, 5, 6))
    values[1, 2, 2] = 99
    return values

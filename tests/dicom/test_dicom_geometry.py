"""Order and findings from positions alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.dicom.geometry import Stack, examine, slice_distance

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def stack(heights: list[float], drift: float = 0.0, thickness: float | None = 3.0) -> Stack:
    """Axial planes of 2 × 1.5 mm pixels; `drift` mm sideways (along y) per mm of height."""
    z = np.array(heights)
    position = np.stack([np.full_like(z, -10), -20 + drift * z, z], axis=1)
    n = len(heights)
    return Stack(position, np.tile(AXIAL, (n, 1)), np.tile([2.0, 1.5], (n, 1)), thickness)


def turned(plain: Stack, seed: int) -> Stack:
    """The same stack in a patient who lies askew."""
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    row, column = plain.orientation[:, :3] @ turn.T, plain.orientation[:, 3:] @ turn.T
    return Stack(plain.position @ turn.T, np.concatenate([row, column], axis=1), plain.spacing, plain.thickness)


def test_an_even_stack_is_ordered_and_has_no_findings() -> None:
    found = examine(stack([6.0, 0.0, 3.0]), 0.01)
    assert found.order == (1, 2, 0)
    assert found.spacing == (3.0, 2.0, 1.5)
    assert found.origin == (-10.0, -20.0, 0.0)
    assert found.findings == ()


@given(st.permutations(range(7)), st.integers(0, 1000), st.floats(0.5, 9.0))
def test_neither_order_nor_pose_changes_the_geometry(shuffle: list[int], seed: int, step: float) -> None:
    plain = turned(stack([step * k for k in range(7)]), seed)
    mixed = Stack(plain.position[shuffle], plain.orientation[shuffle], plain.spacing[shuffle], plain.thickness)
    found = examine(mixed, 0.01)
    assert [shuffle[k] for k in found.order] == list(range(7))
    assert found.spacing[0] == pytest.approx(step)
    assert found.origin == pytest.approx(tuple(plain.position[0]))
    assert not found.findings


@given(st.lists(st.integers(-5, 5), min_size=6, max_size=6))
def test_positions_written_with_two_decimals_are_even(noise: list[int]) -> None:
    assert not examine(stack([1.25 * k + 0.001 * e for k, e in enumerate(noise)]), 0.01).findings


PLANTED = {
    "slice_gap": stack([0, 3, 6, 12, 15]),
    "uneven_spacing": stack([0, 3, 6, 9.5, 12.5]),
    "gantry_tilt": stack([0, 3, 6, 9, 12], drift=0.2),
    "several_volumes": stack([0, 3, 6, 0, 3, 6]),
    "duplicate_instance": stack([0, 3, 3, 6]),
    "missing_geometry": stack([0], thickness=None),
}


@pytest.mark.parametrize("finding", PLANTED)
def test_what_is_wrong_with_a_stack_is_named(finding: str) -> None:
    assert examine(PLANTED[finding], 0.01).findings == (finding,)


def test_a_gap_and_unevenness_are_told_apart_in_one_stack() -> None:
    assert examine(stack([0, 3, 6, 9, 15, 18, 22]), 0.01).findings == ("slice_gap", "uneven_spacing")


@pytest.mark.parametrize("steps", [[3, 6], [6, 3], [6, 3, 6, 6], [3, 3, 3, 9]])
def test_the_slice_distance_is_the_one_that_all_others_are_multiples_of(steps: list[float]) -> None:
    assert slice_distance(np.array(steps, float), 0.01) == 3


def test_the_tolerance_decides_what_is_even() -> None:
    heights = [0, 3, 6.1, 9, 12]
    assert examine(stack(heights), 0.01).findings == ("uneven_spacing",)
    assert examine(stack(heights), 0.05).findings == ()


@pytest.mark.parametrize(
    ("column", "value", "finding"),
    [
        (slice(0, 6), (0, 1, 0, 0, 0, -1), "mixed_orientation"),
        (slice(0, 6), (2, 0, 0, 0, 1, 0), "invalid_orientation"),
        (slice(0, 6), (1, 0, 0, 1, 0, 0), "invalid_orientation"),
    ],
)
def test_a_plane_that_lies_otherwise_is_named(column: slice, value: tuple[float, ...], finding: str) -> None:
    plain = stack([0, 3, 6])
    plain.orientation[1, column] = value
    assert finding in examine(plain, 0.01).findings


@pytest.mark.parametrize(
    ("value", "finding"), [(3.0, "mixed_spacing"), (0.0, "missing_geometry"), (np.nan, "missing_geometry")]
)
def test_a_plane_with_other_pixels_is_named(value: float, finding: str) -> None:
    plain = stack([0, 3, 6])
    plain.spacing[1, 0] = value
    assert examine(plain, 0.01).findings == (finding,)


def test_a_single_plane_takes_its_thickness() -> None:
    found = examine(stack([5.0], thickness=4.0), 0.01)
    assert found.spacing == (4.0, 2.0, 1.5)
    assert not found.findings

"""A lesion has the same shape in every phase: another image of it finds the patient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attack.attack_tables import in_groups, people, table
from radcurate.attack.phases import another_series
from radcurate.attack.records import Records

NAMES = ["morph_a", "morph_b", "morph_c", "stat_mean"]


def two_phases(shape: np.ndarray, later: np.ndarray, labels: list[str] | None = None) -> Records:
    """Each patient in two series of different modality."""
    patients = len(shape)
    who = [f"P{row:03d}" for row in range(patients)]
    made = table(np.vstack([shape, later]), who + who, (labels or ["tumour"] * patients) * 2, names=NAMES)
    return replace(made, modality=("CT", "MR") * patients, series=tuple(f"S{row}" for row in range(2 * patients)))


def test_the_same_contour_in_another_image_finds_everybody() -> None:
    shape = people(30, 4)
    later = shape.copy()
    later[:, 3] = 99  # intensities of MR say nothing about those of CT
    found = another_series(both := two_phases(shape, later), both)
    assert found is not None
    assert (found.trials, found.rate) == (60, 1.0)
    assert found.chance == pytest.approx(1 / 30)


def test_unrelated_shapes_find_nobody() -> None:
    both = two_phases(people(60, 4, 1), people(60, 4, 2))
    found = another_series(both, both)
    assert found is not None and found.low <= found.chance <= found.high


def test_groups_hide_patients() -> None:
    shape = people(44, 4)
    grouped = in_groups(shape, 11)
    found = another_series(two_phases(grouped, grouped), two_phases(shape, shape))
    assert found is not None and found.rate <= 1 / 11 + 1e-12


def test_only_regions_with_the_same_label_are_compared() -> None:
    shape = people(6, 4)
    both = two_phases(shape, shape, ["a", "a", "b", "b", "c", "d"])
    found = another_series(both, both)
    assert found is not None
    assert (found.trials, found.chance) == (8, 0.5)  # nobody could be confused with the patients with c and d


@pytest.mark.parametrize("names", [["stat_a", "stat_b", "stat_c", "stat_d"], NAMES])
def test_nothing_to_compare(names: list[str]) -> None:
    """No feature of shape; or one series each."""
    one = table(people(10, 4), names=names)
    assert another_series(one, one) is None

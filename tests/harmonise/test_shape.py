"""What ComBat may touch: a feature of another shape would get an accent that it had not."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from radcurate.attack.site import Guess, guess_site
from radcurate.harmonise.combat import HARMONISED
from radcurate.harmonise.groups import Regions, apply_groups, fit_groups
from radcurate.harmonise.shape import SKEWED, STEPPED, unfit


def test_long_tails_and_steps_are_found_and_an_accent_is_none() -> None:
    chance = np.random.default_rng(3)
    site = ["A", "B"] * 100
    accent = np.array([0.0, 50.0] * 100)
    values = np.column_stack(
        [
            chance.normal(size=200) + accent,  # an accent is no reason
            np.exp(2 * chance.normal(size=200)),
            chance.integers(0, 9, 200).astype(float),
            np.full(200, 3.0) + accent,  # one value per site: a step
            np.where(np.arange(200) < 8, chance.normal(size=200), np.nan),
        ]
    )
    assert unfit(values, site, 2.0).tolist() == ["", SKEWED, STEPPED, STEPPED, ""]
    assert unfit(values, site, 1e3).tolist() == ["", "", STEPPED, STEPPED, ""]


def test_large_values_lose_no_digits() -> None:
    values = np.random.default_rng(1).normal(size=(100, 3)) * 1e-3 + 1e9
    assert unfit(values, ["A"] * 100, 2.0).tolist() == [""] * 3
    assert unfit(values * 1e200, ["A"] * 100, 2.0).tolist() == [""] * 3


def test_they_are_left_alone_and_the_others_are_harmonised() -> None:
    chance = np.random.default_rng(3)
    site = ["A", "B"] * 60
    values = chance.normal(size=(120, 4)) + np.array([0.0, 5.0] * 60)[:, None]
    values[:, 3] = np.exp(3 * chance.normal(size=120))
    found = Regions([f"P{n}" for n in range(120)], site, [("CT",)] * 120, {}, ("a", "b", "c", "d"), values)
    (group,) = fit_groups(found, True, 2.0)
    assert group.model is not None and group.model.outcome == (HARMONISED, HARMONISED, HARMONISED, SKEWED)
    np.testing.assert_array_equal(apply_groups(found, [group])[:, 3], values[:, 3])


def number(cell: str) -> float:
    """A cell of the cohort's table; a spreadsheet program spoilt some."""
    try:
        return float(cell)
    except ValueError:
        return float("nan")


@pytest.mark.slow
def test_a_real_cohort_gets_no_accent(real_data: Path) -> None:
    """Two hospitals, 206 patients, 102 features: ComBat of everything makes the hospital plain, the guard does not."""
    with (real_data / "generalized_combat" / "Example" / "Sandy-Captk.csv").open(encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    names = [name for name in rows[0] if name != "SubjectID"]
    patients = [row["SubjectID"] for row in rows]
    sites = [patient.split("-")[0] for patient in patients]
    values = np.array([[number(row[name]) for name in names] for row in rows])
    found = Regions(patients, sites, [("CT", "tumour")] * len(rows), {}, tuple(names), values)

    def rate(most_skewness: float) -> float:
        guess = guess_site(apply_groups(found, fit_groups(found, True, most_skewness)), names, patients, sites)
        assert isinstance(guess, Guess)
        return guess.share.rate

    assert rate(np.inf) > 0.9
    assert rate(2.0) < 0.7

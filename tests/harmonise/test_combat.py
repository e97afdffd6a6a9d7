"""ComBat against neuroCombat's numbers, against plain least squares, and against what must hold of it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from paths import ROOT
from radcurate.errors import CurationError
from radcurate.harmonise.combat import Model, apply, fit
from radcurate.harmonise.design import covariate, matrix
from radcurate.harmonise.federated import Moments, combine, moments

Reals = npt.NDArray[np.float64]
GOLDEN = ROOT / "tests" / "golden" / "neurocombat.json"


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(GOLDEN.read_text())
    return found


def fitted(site: npt.NDArray[Any], x: Reals, y: Reals, empirical_bayes: bool = True) -> Model:
    sites = {name: moments(x[site == name], y[site == name], int((site == name).sum())) for name in np.unique(site)}
    return fit(sites, empirical_bayes)


def placed(model: Model, site: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.searchsorted(np.array(model.sites), site)


@pytest.mark.parametrize("case", ["eb", "no_eb", "eb_covariates", "no_eb_covariates"])
def test_equal_to_neurocombat(golden: dict[str, Any], case: str) -> None:
    y, site = np.array(golden["values"]), np.array(golden["site"])
    columns = {name: golden[name] for name in ("sex", "age")}
    design = [covariate(name, columns[name]) for name in columns] if "covariates" in case else []
    x = matrix([one for one in design if one], columns, len(y))
    model = fitted(site, x, y, case.startswith("eb"))
    expected = np.array(golden["cases"][case])
    for place in range(y.shape[1]):
        found = apply(model, x, y, placed(model, site))[:, place]
        np.testing.assert_allclose(found, expected[:, place], rtol=1e-10, atol=1e-10 * np.abs(y[:, place]).max())
    assert np.abs(expected - y).max() > 1


def cohort(seed: int = 1, rows: int = 90, features: int = 12) -> tuple[npt.NDArray[Any], Reals, Reals]:
    """Three sites with an accent each; two covariates; site, x, y."""
    chance = np.random.default_rng(seed)
    place = chance.integers(0, 3, rows)
    x = np.column_stack([chance.normal(60, 9, rows), chance.integers(0, 2, rows)]).astype(float)
    y = chance.normal(size=(rows, features)) * np.array([1, 2, 0.5])[place][:, None]
    y += chance.normal(0, 2, (3, features))[place] + x @ chance.normal(0, 0.2, (2, features))
    return np.array(["A", "B", "C"])[place], x, y


def test_parts_of_sites_add_up_to_the_pooled_fit() -> None:
    site, x, y = cohort()
    y = y * 1e-3 + 5e4  # large values with little spread
    y[::7, 3] = np.nan
    pooled = fitted(site, x, y)
    parts: dict[str, list[Moments]] = {name: [] for name in "ABC"}
    for number in range(4):
        for name in "ABC":
            rows = (site == name) & (np.arange(site.size) % 4 == number)
            parts[name].append(moments(x[rows], y[rows], int(rows.sum())))
    federated = fit({name: combine(found) for name, found in parts.items()}, True)
    there = np.isfinite(y)
    one, two = (apply(model, x, y, placed(pooled, site)) for model in (pooled, federated))
    np.testing.assert_allclose(one[there], two[there], rtol=1e-10)
    assert np.isnan(one[~there]).all()


def test_beta_is_that_of_least_squares_with_an_intercept_per_site() -> None:
    site, x, y = cohort()
    full = np.hstack([np.eye(3)[np.searchsorted(["A", "B", "C"], site)], x])
    expected = np.linalg.lstsq(full, y, rcond=None)[0][3:].T
    np.testing.assert_allclose(fitted(site, x, y).beta, expected, rtol=1e-9, atol=1e-12)


def test_without_bayes_sites_get_one_mean_and_one_spread_of_what_covariates_leave() -> None:
    site, x, y = cohort()
    model = fitted(site, x, y, empirical_bayes=False)
    left = apply(model, x, y, placed(model, site)) - x @ model.beta.T - model.mean
    for name in "ABC":
        np.testing.assert_allclose(left[site == name].mean(axis=0), 0, atol=1e-10)
    spreads = [left[site == name].std(axis=0, ddof=1) for name in "ABC"]
    np.testing.assert_allclose(spreads[0], spreads[1], rtol=1e-9)


def test_rows_in_any_order_and_sites_of_any_name() -> None:
    site, x, y = cohort()
    model = fitted(site, x, y)
    out = apply(model, x, y, placed(model, site))
    order = np.random.default_rng(0).permutation(site.size)
    other = np.array([{"A": "z", "B": "m", "C": "k"}[name] for name in site])[order]
    again = fitted(other, x[order], y[order])
    np.testing.assert_allclose(apply(again, x[order], y[order], placed(again, other)), out[order], rtol=1e-9, atol=1e-9)


def test_a_site_with_one_patient_keeps_its_spread_and_moves_towards_the_others() -> None:
    site, x, y = cohort()
    site = np.append(site, "D")
    x, y = np.vstack([x, x[:1]]), np.vstack([y, y[:1] + np.linspace(-50, 50, 12)])
    model = fitted(site, x, y)
    out = apply(model, x, y, placed(model, site))
    assert np.isfinite(out).all()
    assert (model.stretch[3] == 1).all()
    assert np.abs(out[-1] - y[0]).mean() < np.abs(y[-1] - y[0]).mean() / 2
    with pytest.raises(CurationError, match="single patient"):
        fitted(site, x, y, empirical_bayes=False)


def test_several_regions_of_one_patient_are_no_spread_of_a_site() -> None:
    site, x, y = cohort()
    sites = {name: moments(x[site == name], y[site == name], 30) for name in "AB"}
    model = fit({**sites, "C": moments(x[site == "C"], y[site == "C"], 1)}, True)
    assert (model.stretch[2] == 1).all() and (model.stretch[0] != 1).all()


def test_features_that_cannot_be_harmonised_say_why_and_stay() -> None:
    site, x, y = cohort(features=8)
    y[:, 0] = 7.25  # constant
    y[:, 1] = np.where(site == "A", 1000.0, 1024.0)  # tells the site and nothing else
    y[:, 2] = np.where(site == "A", y[:, 2], np.nan)  # one site only
    y[:, 3] = np.where(np.arange(site.size) < 4, y[:, 3], np.nan)  # four rows
    y[site == "B", 4] = 3.0  # still at one site
    model = fitted(site, x, y)
    assert model.outcome[:5] == ("constant", "location_only", "one_site", "too_few", "harmonised")
    out = apply(model, x, y, placed(model, site))
    np.testing.assert_array_equal(out[:, [0, 2, 3]], y[:, [0, 2, 3]])
    assert np.ptp(out[:, 1]) < 1e-9
    assert np.isfinite(out[:, 4]).all()


@pytest.mark.parametrize("empirical_bayes", [True, False])
def test_a_single_feature(empirical_bayes: bool) -> None:
    site, x, y = cohort(features=1)
    model = fitted(site, x, y, empirical_bayes)
    assert np.isfinite(apply(model, x, y, placed(model, site))).all()


def test_a_value_of_a_site_without_parameters_is_refused() -> None:
    site, x, y = cohort()
    seen = y.copy()
    seen[site == "B", 0] = np.nan
    model = fitted(site, x, seen)
    with pytest.raises(CurationError, match="had not when the parameters were made"):
        apply(model, x, y, placed(model, site))


def test_fit_and_apply_are_apart() -> None:
    """Applied to other patients of the sites, the accent goes and nothing is learnt from them."""
    site, x, y = cohort(seed=1, rows=400)
    half = np.arange(400) < 200
    model = fitted(site[half], x[half], y[half])
    first = apply(model, x[~half], y[~half], placed(model, site[~half]))
    one = apply(model, x[~half][:1], y[~half][:1], placed(model, site[~half][:1]))
    np.testing.assert_allclose(one[0], first[0], rtol=1e-14)
    gaps = [np.ptp([table[site[~half] == name].mean(axis=0) for name in "ABC"], axis=0) for table in (y[~half], first)]
    assert gaps[1].mean() < gaps[0].mean() / 3


def test_words_numbers_and_missing_covariates() -> None:
    sex, age = covariate("sex", ["F", "M", None, "F"]), covariate("age", [50.0, None, 70.0, float("nan")])
    assert sex is not None and age is not None
    assert sex.terms == ["sex=M", "sex=missing"] and age.middle == 60
    x = matrix([sex, age], {"sex": ["M", None], "age": [None, 61.0]}, 2)
    assert x.tolist() == [[1, 0, 60], [0, 1, 61]]
    assert covariate("sex", ["F", "F"]) is None and covariate("age", [4, 4.0]) is None
    with pytest.raises(CurationError, match="covariate sex"):
        matrix([sex], {"sex": ["O"]}, 1)

"""How a region comes out when it is measured again: from its ranges, or simulated; and how that weighs the features."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from attack.attack_tables import people, table
from radcurate.attack import scores
from radcurate.attack.fingerprint import attack_fingerprint
from radcurate.attack.records import records
from radcurate.attack.reextraction import reextractions
from radcurate.attack.scores import absence, bounded, normal_scores, points_of, weighted
from radcurate.errors import CurationError

NAMES = ("f000", "f001")


def ranges(raw, spread: float, names: tuple[str, ...] = NAMES) -> pa.Table:
    content: dict[str, object] = {"roi": list(raw.region), "modality": list(raw.modality)}
    for name in names:
        column = raw.names.index(name)
        content[name + "_mean"] = raw.values[:, column].tolist()
        content[name + "_variance"] = [spread**2] * len(raw.region)
    return pa.table(content)


def test_normal_scores_by_hand() -> None:
    """Middle ranks less a half over n: 1/4 (twice: 0.5, 1 of 4 → 1/4), 5/8, 7/8."""
    found = normal_scores(np.array([[3.0], [1.0], [1.0], [9.0], [np.nan]]))[:, 0]
    expected = [0.31863936, -0.67448975, -0.67448975, 1.15034938]
    assert found[:4] == pytest.approx(expected) and math.isnan(found[4])


def test_scores_do_not_depend_on_the_unit() -> None:
    values = people(20, 3)
    assert np.array_equal(normal_scores(values), normal_scores(np.exp(values) * 1000 + 7))


def test_new_values_fall_between_known_ones() -> None:
    points, scores = points_of(np.array([2.0, 1.0, 3.0, np.nan]))
    assert np.interp([1.5, 99.0, -99.0], points, scores) == pytest.approx([scores[0] / 2, scores[2], scores[0]])


def test_weights_are_the_likelihood() -> None:
    """(q - ρr)² / (1 - ρ²) with q = 1, r = 0.5, ρ = 0.8: 0.36 / 0.36."""
    query, target, scale = weighted(np.array([[1.0]]), np.array([[0.5]]), np.array([0.8]))
    assert ((query - target) ** 2).item() == pytest.approx(1.0)
    assert scale.item() == pytest.approx(1 / 0.6)


def test_no_correlation_is_no_weight() -> None:
    _, target, _ = weighted(np.ones((1, 2)), np.array([[5.0, 5.0]]), np.array([0.0, np.nan]))
    assert np.array_equal(target, np.zeros((1, 2)))
    assert bounded(np.array([1.0]))[0] < 1


def test_a_pattern_of_missing_values_counts_once() -> None:
    rows = np.array([[1.0, np.nan, np.nan], [1.0, 2.0, 3.0]])
    query, target = absence(rows, rows)
    assert query.shape == (2, 1)
    assert ((query[0] - target[1]) ** 2).sum() == pytest.approx(2.0)


def test_simulated_values_agree_as_assumed() -> None:
    raw = table(people(4000, 2))
    again = reextractions(raw, assumed=0.7)
    drawn = again.drawn(np.random.default_rng(0))
    for column in range(2):
        assert np.corrcoef(drawn[:, column], again.scores[:, column])[0, 1] == pytest.approx(0.7, abs=0.03)
    assert again.measured == 0


def test_ranges_decide_where_there_are_any() -> None:
    raw = table(people(50, 4))
    exact = reextractions(raw, ranges(raw, 0.0), assumed=0.0)
    drawn = exact.drawn(np.random.default_rng(0))
    assert np.allclose(drawn[:, :2], exact.scores[:, :2])
    assert not np.allclose(drawn[:, 2:], exact.scores[:, 2:])
    assert exact.measured == pytest.approx(0.5)


def test_wide_ranges_hide_and_narrow_ones_do_not() -> None:
    raw = table(people(60, 2))
    rates = []
    for spread in (0.0, 0.2, 5.0):
        icc = [1 / (1 + spread**2)] * 2
        stability = pa.table({"feature": NAMES, "modality": ["CT"] * 2, "icc": icc})
        found = attack_fingerprint(raw, raw, reextractions(raw, ranges(raw, spread), stability))
        assert found.found is not None
        assert "measured ranges of 100 %" in found.detail
        rates.append(found.found.rate)
    assert rates[0] > 0.95 and rates[0] > rates[1] > rates[2]


def test_reliable_features_are_trusted() -> None:
    """Two features that repeat among many that don't: only an attacker who knows which finds patients."""
    raw = table(people(80, 40))
    spread = ranges(raw, 0.01)
    stability = pa.table({"feature": list(raw.names), "modality": ["CT"] * 40, "icc": [0.9999, 0.9999, *[0.01] * 38]})
    blind = attack_fingerprint(raw, raw, reextractions(raw, spread, None, assumed=0.01), draws=5)
    knowing = attack_fingerprint(raw, raw, reextractions(raw, spread, stability, assumed=0.01), draws=5)
    assert blind.found is not None and knowing.found is not None
    assert knowing.found.rate > blind.found.rate + 0.3
    assert knowing.columns[0][0] in NAMES


@pytest.mark.parametrize("icc", [-0.2, float("nan"), None, 1.0])
def test_odd_reliabilities(icc: float | None) -> None:
    raw = table(people(10, 2))
    stability = pa.table({"feature": ["f000"], "modality": ["CT"], "icc": pa.array([icc], pa.float64())})
    found = attack_fingerprint(raw, raw, reextractions(raw, None, stability))
    assert found.found is not None and 0 <= found.found.rate <= 1


@pytest.mark.parametrize("assumed", [-0.1, 1.1, float("nan")])
def test_a_correlation_has_bounds(assumed: float) -> None:
    with pytest.raises(CurationError, match="0 to 1"):
        reextractions(table(people(5, 2)), assumed=assumed)


def test_a_kind_of_region_that_one_patient_has() -> None:
    """His own regions are not further from him than those that nobody else has."""
    values = people(21, 30)
    who = [f"P{row:03d}" for row in range(20)] + ["P000"]
    one = replace(table(values, who, ["tumour"] * 20 + ["node"]), modality=("CT", "MR", *["CT"] * 19))
    found = attack_fingerprint(one, one, reextractions(one))
    assert found.found is not None and found.numbers["found_mostly"] == 20


def test_tables_are_joined_in_the_order_of_codes() -> None:
    features = pa.table(
        {
            "subject": ["P2", "P1", "P1"],
            "roi": ["R1", "R3", "R2"],
            "series": ["S2", "S1", "S9"],
            "modality": ["CT", "CT", None],
            "roi_label": ["a", "a", "b"],
            "stat_mean": [2.0, float("inf"), None],
            "age": ["*", "*", "*"],
        }
    )
    acquisition = pa.table({"series": ["S1", "S2"], "row_spacing": [0.5, float("nan")], "kernel": ["soft", None]})
    released = pa.table({"roi": ["R1"], "stat_mean_lo": [1.0], "stat_mean_hi": [3.0], "overlap": [0.9]})
    found = records(features, ["stat_mean"], acquisition, ["kernel", "row_spacing"], released)
    assert found.region == ("R2", "R3", "R1") and found.subject == ("P1", "P1", "P2")
    assert found.names == ("stat_mean", "stat_mean_hi", "stat_mean_lo")
    assert np.array_equal(found.values[2], [2.0, 3.0, 1.0]) and np.isfinite(found.values[1, 0])
    assert np.isnan(found.values[0]).all() and np.isnan(found.values[1, 1:]).all()
    assert found.protocol[0] == found.protocol[2] != found.protocol[1]
    assert found.extra_names == ("kernel", "row_spacing") and found.modality == ("", "CT", "CT")


def test_words_among_features_are_numbers_too() -> None:
    features = pa.table(
        {"subject": ["P1", "P2", "P3"], "roi": ["R1", "R2", "R3"], "grade": ["b", None, "a"], "n": [1, 2, None]}
    )
    found = records(features, ["grade", "n"])
    assert np.array_equal(found.values, [[1.0, 1.0], [np.nan, 2.0], [0.0, np.nan]], equal_nan=True)


def test_an_empty_release() -> None:
    empty = pa.table({name: pa.array([], pa.string()) for name in ("subject", "series", "roi")})
    found = records(empty, [], empty, [], empty)
    attack = attack_fingerprint(found, found, reextractions(found))
    assert not attack.applies and attack.controls_failed == []


def test_scores_kept_as_ranks_are_the_very_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ties, gaps, a column that lacks all, a group of one: what a large table would keep."""
    rng = np.random.default_rng(3)
    values = rng.choice([-1.0, 0.5, 2.0, np.nan, *rng.standard_normal(40)], (300, 6))
    values[:, 4] = np.nan
    groups = ["one", *rng.choice(["CT", "MR"], 299).tolist()]
    whole = scores.scores_by(values, groups)
    assert scores.scored(values, groups) is not whole and isinstance(scores.scored(values, groups), np.ndarray)
    monkeypatch.setattr(scores, "HELD", 10)
    kept = scores.scored(values, groups)
    assert isinstance(kept, scores.Ranked) and kept.shape == whole.shape
    rows = rng.permutation(300)[:50]
    for which in (slice(7, 90), rows, rows.tolist(), (rows, 2), (rows, 4)):
        assert np.array_equal(kept[which], whole[which], equal_nan=True)
    assert np.array_equal(scores.scores_by(values, groups, rows), whole[rows], equal_nan=True)

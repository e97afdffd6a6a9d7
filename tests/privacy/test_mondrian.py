"""Mondrian: every region keeps what is asked, its label holds for all its patients, and it says what it cost."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import privacy_oracle as oracle
from privacy_cohorts import ROWS, RULES, TARGETS, cohort_of, people

from radcurate.privacy.boxes import line, shown
from radcurate.privacy.hierarchies import AGE_TOP, AGE_WIDTHS, Rule, ladder
from radcurate.privacy.mondrian import Regions, mondrian
from radcurate.privacy.search import Board, Targets, search

OPEN = {name: Rule(rule.kind, rule.widths, rule.top, weight=rule.weight) for name, rule in RULES.items()}


def released(rows: list[dict], found: Regions, names: list[str]) -> list[dict]:
    """Rows as they would be released."""
    number = {subject: place for place, subject in enumerate(sorted({row["subject"] for row in rows}))}
    at = [found.region[number[row["subject"]]] for row in rows]
    return [
        {"subject": row["subject"], "s": row["s"]}
        | {name: labels[region] for name, labels in zip(names, found.labels, strict=True)}
        for row, region in zip(rows, at, strict=True)
        if region >= 0
    ]


def holds(value: object, label: object) -> bool:
    """Whether a label is true of a value."""
    if label == "*":
        return True
    if value is None or label is None:
        return value is label
    text = str(label)
    if isinstance(value, float):
        low, _, high = text.rstrip("+").partition("-")
        return min(int(value), 90) >= int(low) and (text.endswith("+") or int(value) <= int(high or low))
    start, _, end = text.partition("/")
    return start <= str(value) <= (end or start) + "~"


@given(ROWS, TARGETS)
@settings(max_examples=150, deadline=None)
def test_regions_keep_what_is_asked_and_labels_are_true(rows, targets):
    found = mondrian(cohort_of(rows, OPEN), targets)
    out = released(rows, found, list(OPEN))
    values = [oracle.held(out, "s")]
    assert not any(oracle.breaks(group, values, targets) for group in oracle.groups(out, list(OPEN)))
    shown_rows = {id(row): row for row in rows}
    for row, made in zip([r for r in shown_rows.values() if r["subject"] in people(out)], out, strict=True):
        assert all(holds(oracle.same(row[name]), made[name]) for name in OPEN)
    assert found.within_budget == ((~found.kept).sum() <= targets.suppression * found.kept.size + 1e-9)
    # all together keep what can be kept: only then is somebody left out
    everybody = {row["subject"] for row in rows}
    assert bool(found.kept.all()) == (not oracle.breaks(everybody, [oracle.held(rows, "s")], targets))


@given(ROWS, TARGETS, st.randoms())
@settings(max_examples=50, deadline=None)
def test_the_order_of_rows_changes_nothing(rows, targets, chance):
    shuffled = list(rows)
    chance.shuffle(shuffled)
    one, two = mondrian(cohort_of(rows, RULES), targets), mondrian(cohort_of(shuffled, RULES), targets)
    assert one.region.tolist() == two.region.tolist()
    assert [each.tolist() for each in one.labels] == [each.tolist() for each in two.labels]
    assert one.loss == two.loss


@given(ROWS, st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_what_it_costs(rows, k):
    """Penalties by an independent count of finest labels."""
    found = mondrian(cohort_of(rows, OPEN), Targets(k))
    out = released(rows, found, list(OPEN))
    assert 0 <= found.loss <= 1
    for name, lost in zip(OPEN, found.lost, strict=True):
        finest = {_fine(name, row[name]) for row in rows}
        cost = [(sum(holds(each, row[name]) for each in finest) - 1) / max(len(finest) - 1, 1) for row in out]
        assert lost == pytest.approx((sum(cost) + len(rows) - len(out)) / len(rows))


def _fine(name: str, value: object) -> object:
    value = oracle.same(value)
    return min(float(int(value)), 90.0) if name == "age" and value is not None else value


def test_regions_by_hand():
    rows = [{"subject": f"P{n}", "age": a, "s": 1} for n, a in enumerate([20.0, 21.0, 22.0, 60.0, 61.0, 92.0])]
    found = mondrian(cohort_of(rows, {"age": Rule("age", AGE_WIDTHS, AGE_TOP)}), Targets(3))
    assert [found.labels[0][region] for region in found.region] == ["20-22"] * 3 + ["60+"] * 3
    assert found.penalty[0][found.region].tolist() == [2 / 5] * 6
    assert found.loss == pytest.approx(2 / 5)


def test_less_is_lost_than_with_levels_for_the_whole_column():
    chance = np.random.default_rng(0)
    rows = [
        {"subject": f"P{n:04}", "age": float(chance.integers(20, 90)), "sex": "MF"[chance.integers(2)], "s": 1}
        for n in range(400)
    ]
    cohort = cohort_of(rows, {"age": Rule("age", AGE_WIDTHS, AGE_TOP), "sex": Rule("value")})
    assert mondrian(cohort, Targets(5)).loss < search(Board(cohort), Targets(5)).loss / 2


def test_all_rows_of_a_patient_show_the_same():
    rows = [{"subject": "P0", "age": 20.0, "s": 1}, {"subject": "P0", "age": 50.0, "s": 1}]
    rows += [{"subject": f"P{n}", "age": 50.0, "s": 1} for n in range(1, 4)]
    found = mondrian(cohort_of(rows, {"age": Rule("age", AGE_WIDTHS, AGE_TOP)}), Targets(2))
    assert {row["age"] for row in released(rows, found, ["age"]) if row["subject"] == "P0"} == {"*"}


def test_no_label_is_coarser_than_allowed():
    rule = Rule("age", AGE_WIDTHS, AGE_TOP, most="10 years")
    rows = [{"subject": f"P{n}", "age": a, "s": 1} for n, a in enumerate([20.0, 29.0, 30.0, 31.0, 55.0])]
    found = mondrian(cohort_of(rows, {"age": rule}), Targets(2, suppression=0.2))
    assert [row["age"] for row in released(rows, found, ["age"])] == ["20-29", "20-29", "30-31", "30-31"]
    assert found.within_budget and found.kept.tolist() == [True] * 4 + [False]
    assert not mondrian(cohort_of(rows, {"age": rule}), Targets(2, suppression=0.1)).within_budget


def test_who_cannot_be_shown_does_not_count_for_k():
    rule = Rule("age", AGE_WIDTHS, AGE_TOP, most="10 years")
    rows = [{"subject": f"P{n}", "age": 20.0, "s": 1} for n in range(3)] + [{"subject": "P2", "age": 70.0, "s": 1}]
    assert not mondrian(cohort_of(rows, {"age": rule}), Targets(3)).kept.any()
    assert mondrian(cohort_of(rows, {"age": rule}), Targets(2)).kept.tolist() == [True, True, False]


def test_nobody_and_no_column():
    nobody = mondrian(cohort_of([], {"age": Rule("age", AGE_WIDTHS, AGE_TOP)}), Targets(2))
    assert nobody.region.size == 0 and nobody.within_budget
    rows = [{"subject": f"P{n}", "s": 1} for n in range(3)]
    assert mondrian(cohort_of(rows, {}), Targets(2)).region.tolist() == [0, 0, 0]
    assert mondrian(cohort_of(rows, {}), Targets(4)).region.tolist() == [-1, -1, -1]


def test_boxes():
    ages = line(ladder("age", [20.0, 25.0, 91.0, None], Rule("age", (5, 10), AGE_TOP, least="5 years")))
    places = np.arange(4)
    assert shown(ages, places, places).labels.tolist() == ["20-24", "25-29", "90+", None]
    assert shown(ages, np.array([0, 1, 0, 0]), np.array([1, 2, 2, 3])).labels.tolist() == ["20-29", "25+", "20+", "*"]
    dates = line(ladder("date", ["2019-01-31", "2020-05-01", "2021-05-01"], Rule("date", least="year")))
    assert shown(dates, np.array([0, 0]), np.array([1, 2])).labels.tolist() == ["2019/2020", "*"]
    mixed = line(ladder("date", ["2019-06-01", "20190101", "2020-01-01"], Rule("date")))
    assert mixed.place.tolist() == [1, 0, 2]
    below = line(ladder("t", [-7.0, -3.0, 4.0, 9.0], Rule("interval", (5,))))
    assert shown(below, np.array([0, 1]), np.array([1, 2])).labels.tolist() == ["-10--1", "-5-4"]


def test_a_tree_is_cut_along_its_branches(tmp_path):
    (tmp_path / "t.csv").write_text("lung,chest,*\nliver,belly,*\nheart,chest,*\nspleen,belly,*\n")
    found = line(ladder("site", ["heart", "liver", "lung", "spleen"], Rule("tree", file=tmp_path / "t.csv")))
    assert shown(found, np.array([0, 2, 1]), np.array([1, 3, 2])).labels.tolist() == ["belly", "chest", "*"]
    assert shown(found, np.array([0]), np.array([1])).loss.tolist() == pytest.approx([1 / 3])

"""The optimum against brute force over all nodes, and the laws that any optimum keeps."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import privacy_oracle as oracle
from privacy_cohorts import ROWS, RULES, TARGETS, cohort_of

from radcurate.privacy.hierarchies import AGE_TOP, AGE_WIDTHS, Rule
from radcurate.privacy.search import Board, Solution, Targets, search

CAPPED = RULES | {"age": Rule("age", AGE_WIDTHS, AGE_TOP, most="10 years"), "sex": Rule("value", most="value")}


def solve(rows: list[dict], targets: Targets, rules: dict[str, Rule] = RULES) -> Solution:
    return search(Board(cohort_of(rows, rules)), targets)


def brute(rows: list[dict], targets: Targets, rules: dict[str, Rule]) -> tuple[float | None, float]:
    cohort = cohort_of(rows, rules)
    labels = {one.column: [dict(zip(one.values, row, strict=True)) for row in one.labels] for one in cohort.ladders}
    levels = {one.column: range(one.least, one.most + 1) for one in cohort.ladders}
    weights = {one.column: one.weight for one in cohort.ladders}
    return oracle.optimum(rows, list(rules), labels, levels, weights, ["s"], targets)


@given(ROWS, TARGETS, st.sampled_from([RULES, CAPPED]))
@settings(max_examples=60, deadline=None)
def test_the_optimum_equals_brute_force(rows, targets, rules):
    found = solve(rows, targets, rules)
    within, anyhow = brute(rows, targets, rules)
    assert found.within_budget == (within is not None)
    assert found.loss == pytest.approx(anyhow if within is None else within, abs=1e-9)
    assert 0 <= found.loss <= 1


@given(ROWS, TARGETS)
@settings(max_examples=60, deadline=None)
def test_what_is_kept_keeps_the_demands(rows, targets):
    found = solve(rows, targets)
    cohort = cohort_of(rows, RULES)
    left = found.kept[cohort.subject]
    assume(left.any())
    shown = [
        {"subject": row["subject"], "s": row["s"]}
        | {
            one.column: one.labels[rung][codes[place]]
            for one, rung, codes in zip(cohort.ladders, found.node, cohort.values, strict=True)
        }
        for place, row in enumerate(rows)
        if left[place]
    ]
    measured = oracle.measure(shown, list(RULES), ["s"], targets.c)
    assert measured["k"] >= targets.k
    assert targets.l == 1 or measured["l"] >= targets.l
    assert targets.l_entropy == 1 or measured["l_entropy"] >= targets.l_entropy - 1e-9
    assert targets.l_recursive == 1 or measured["l_recursive"] >= targets.l_recursive
    assert targets.t == 1 or measured["t"] <= targets.t + 1e-9
    assert targets.t_ordered == 1 or measured["t_ordered"] <= targets.t_ordered + 1e-9
    assert not found.within_budget or (~found.kept).mean() <= targets.suppression + 1e-9


@given(ROWS, st.integers(1, 4), st.sampled_from([0.0, 0.3, 1.0]))
@settings(max_examples=60, deadline=None)
def test_more_k_never_costs_less(rows, k, budget):
    low, high = solve(rows, Targets(k, suppression=budget)), solve(rows, Targets(k + 1, suppression=budget))
    assume(high.within_budget)
    assert low.within_budget
    assert low.loss <= high.loss + 1e-9


@given(ROWS, TARGETS, st.randoms())
@settings(max_examples=60, deadline=None)
def test_the_order_of_rows_changes_nothing(rows, targets, chance):
    shuffled = list(rows)
    chance.shuffle(shuffled)
    one, two = solve(rows, targets), solve(shuffled, targets)
    assert (one.node, one.within_budget) == (two.node, two.within_budget)
    assert one.kept.tolist() == two.kept.tolist()


def test_k_1_asks_for_nothing():
    rows = [{"subject": f"P{n}", "age": 20.0 + n, "date": "2019-01-05", "sex": "M", "s": "u"} for n in range(8)]
    found = solve(rows, Targets())
    assert found.node == (0, 1, 0)  # the date at its least level
    assert found.kept.all() and found.loss == 0 and found.visited <= 3  # levels that change nothing are passed over


def test_more_k_than_patients():
    rows = [{"subject": f"P{n}", "age": 20.0, "date": "2019-01-05", "sex": "M", "s": "u"} for n in range(8)]
    found = solve(rows, Targets(9, suppression=0.2))
    assert not found.within_budget and not found.kept.any() and found.loss == 1


def test_suppression_goes_by_patients_and_loss_by_rows():
    rows = [{"subject": "odd", "age": 70.0, "date": "2019-01-05", "sex": "F", "s": "u"}] * 4
    rows += [{"subject": f"P{n}", "age": 20.0, "date": "2019-01-05", "sex": "M", "s": "u"} for n in range(12)]
    found = solve(rows, Targets(2, suppression=0.1))
    assert int((~found.kept).sum()) == 1  # 1 of 13 patients is within 10 %
    assert found.loss == pytest.approx(4 / 16)


def test_a_group_climbs_as_one():
    rows = [{"subject": f"P{n}", "a": f"{n}", "b": "x" if n % 2 else "y", "s": "u"} for n in range(6)]
    rules = {"a": Rule("value", group="g"), "b": Rule("value", group="g")}
    assert solve(rows, Targets(2), rules).node == (1, 1)
    assert solve(rows, Targets(2), {name: Rule("value") for name in rules}).node == (1, 0)


def test_patients_alike_at_the_least_levels_are_folded():
    chance = np.random.default_rng(0)
    rows = [
        {"subject": f"P{n:05}", "age": float(chance.integers(20, 24)), "date": "2019-01-05", "sex": "M", "s": "u"}
        for n in range(3000)
    ]
    board = Board(cohort_of(rows, RULES))
    assert board.table.who.size == 4
    assert len(set(board.groups((0, 1, 0)))) == 4

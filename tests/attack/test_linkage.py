"""Linkage: succeeds where it must, fails where it must, and says how sure it is."""

from __future__ import annotations

import numpy as np
import pytest
from told_tools import cohort, raw_of, regions, released_of, split

from radcurate.attack import linkage as module
from radcurate.attack.candidates import Candidates
from radcurate.attack.linkage import Overlooked, attack_linkage, over_draws
from radcurate.attack.synthesis import Synthesis
from radcurate.attack.told import released_told

OVERLOOKED = Overlooked()
N = 30
ROWS = cohort(N)
RAW = raw_of(*ROWS)
EVERYBODY = np.arange(N)


def link(released, raw=RAW, truth=EVERYBODY, others=270, draws=40, seed=7, overlooked=OVERLOOKED):
    return attack_linkage(released, raw, truth, overlooked, Synthesis(others, draws, seed))


def coarse(*, age="20-99", date="*", site="*", sex="*"):
    return released_of(RAW, *[(patient, sex, age, date, site) for patient, *_ in ROWS])


def test_the_raw_table_is_linked():
    found = link(released_of(RAW, *ROWS)).attack
    assert found.found.rate > 0.8 and found.found.low > 0.5
    assert found.controls_failed == []
    assert found.positive.on == "raw table"
    assert found.columns[0][0] == "date"


def test_a_crowd_is_not_linked_and_the_bound_holds_by_construction():
    found = link(coarse()).attack
    assert found.found.rate == found.found.high == 0
    assert found.numbers["linkable_in_cohort"] == 0
    assert found.controls_failed == [] and found.columns == ()


def test_one_patient_who_stands_out_is_found():
    odd = [(patient, "*", "20-99" if patient else "41", "*", "*") for patient, *_ in ROWS]
    raw = raw_of(
        *[(p, s, 41.0 if p == 0 else a + (a == 41) * 9 + (abs(a - 41) < 3) * 9, d, h) for p, s, a, d, h in ROWS]
    )
    found = link(released_of(raw, *odd), raw, others=0).attack
    assert found.found.successes == found.numbers["draws"]
    assert found.found.rate == pytest.approx(1 / N)
    assert found.columns[0][0] == "age"


def test_controls_fall_back_on_a_planted_table_where_the_raw_one_tells_nothing():
    rows = [(patient, "F", 50.0, "2015-01-01", "North") for patient in range(N)]
    raw = raw_of(*rows)
    found = link(released_of(raw, *rows), raw).attack
    assert found.positive.on == "planted table" and found.positive.passed
    assert found.negative.passed
    assert found.found.high == 0


def blind(shown, registry, limits):
    n = shown.n_patients
    return Candidates(np.zeros(n, dtype=np.int64), np.full(n, -1))


def clairvoyant(told, truth):
    right = np.ones((truth.size, 3), dtype=bool)
    return module.Tried(right.astype(np.int64), right, right[:, 0], right[:, 0])


def test_an_attack_that_finds_nobody_fails_its_positive_control(monkeypatch):
    monkeypatch.setattr(module, "candidates", blind)
    assert link(coarse()).attack.controls_failed == ["positive"]


def test_an_attack_that_looks_at_the_answers_fails_its_negative_control(monkeypatch):
    monkeypatch.setattr(module._Cohort, "tried", lambda self, told, truth: clairvoyant(told, truth))
    assert link(coarse()).attack.controls_failed == ["negative"]


def test_nobody_released():
    found = link(RAW.of(np.array([], dtype=np.int64)), truth=np.array([], dtype=np.int64))
    assert not found.attack.applies and found.chances.size == 0


def test_a_smaller_population_is_a_higher_risk():
    released = coarse(age="50-59", date="2015")
    chances = [link(released, others=others).chances.mean() for others in (0, 100, 1000, 5000)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > chances[-1] > 0


def test_p_ri_falls_as_crowds_grow():
    one = released_of(RAW, *ROWS)
    chances = [link(released).chances.mean() for released in (one, coarse(sex="*", date="*"))]
    assert 0 < chances[1] < chances[0] <= 1


def test_the_same_seed_gives_the_same_findings_in_any_order_of_rows():
    released = released_of(RAW, *ROWS)
    order = np.random.default_rng(1).permutation(len(ROWS))
    patient, values = split([ROWS[row] for row in order])
    names = [regions(len(ROWS))[row] for row in order]
    shuffled = released_told(patient, names, values, RAW)
    assert link(shuffled).attack == link(released).attack
    assert link(released, seed=8).attack != link(released).attack


def test_a_single_patient_is_no_error():
    raw = raw_of((0, "M", 60.0, "2015-01-01", "North"))
    found = link(raw, raw, np.array([0]), others=0, draws=1).attack
    assert found.found.rate == 1
    assert found.negative.passed


def test_without_any_success_each_draw_counts_once():
    found = over_draws(np.zeros((22, 100), dtype=bool), 1.0, 0.01)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 100))
    assert over_draws(np.zeros((22, 100), dtype=bool), 0.0, 0.01).high == 0


def test_successes_that_hang_together_count_less():
    together, apart = np.zeros((50, 40), dtype=bool), np.zeros((50, 40), dtype=bool)
    together[:, :20] = True
    apart[:, :] = np.random.default_rng(1).permuted(together, axis=1)
    wide, narrow = (over_draws(right, 1.0, 0.0) for right in (together, apart))
    assert wide.rate == narrow.rate == 0.5
    assert wide.high - wide.low > 4 * (narrow.high - narrow.low)


def test_large_cohorts_get_fewer_draws(monkeypatch):
    monkeypatch.setattr(module, "_ROWS", 1000)
    assert link(coarse()).attack.numbers["draws"] == 1000 // int(270 * len(ROWS) / N)

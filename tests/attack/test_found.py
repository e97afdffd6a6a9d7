"""Intervals by hand, and what counts as a control."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.attack.found import SHUFFLED, Attack, Control, at_chance, exact, nothing_to_attack, share


def test_exact_intervals_by_hand():
    # no success: high = 1 - (alpha/2)^(1/n), Clopper and Pearson 1934
    assert exact(0, 10).high == pytest.approx(1 - 0.025**0.1)
    assert exact(0, 10).low == 0
    assert exact(10, 10).low == pytest.approx(0.025**0.1)
    assert exact(10, 10).high == 1
    # R: binom.test(3, 20)$conf.int
    assert exact(3, 20).low == pytest.approx(0.03207094, abs=1e-8)
    assert exact(3, 20).high == pytest.approx(0.37892683, abs=1e-8)


def test_no_trial_tells_nothing():
    assert (exact(0, 0).low, exact(0, 0).high) == (0, 1)


@given(st.integers(1, 500), st.integers(0, 2000))
def test_fractions_of_successes_never_narrow_the_interval(trials, quarters):
    successes = min(quarters / 4, trials)
    found = exact(successes, trials)
    assert found.low <= successes / trials + 1e-9
    assert found.high >= successes / trials - 1e-9
    assert found.low <= exact(int(successes), trials).low
    assert found.high >= exact(int(successes), trials).high


def test_a_bound_by_construction_cuts_the_upper_end():
    assert share(1, 10, 0.1).high > 0.4
    assert share(1, 10, 0.1, at_most=0.2).high == 0.2
    assert share(3, 10, 0.1, at_most=0.2).high == 0.3  # never below what was seen


def test_a_negative_control_above_chance_fails():
    assert at_chance(share(1, 20, 0.05)).passed
    assert at_chance(share(0, 1000, 0.05)).passed
    assert not at_chance(share(15, 20, 0.05)).passed


def test_an_attack_that_applies_owes_both_controls():
    good = Control(share(9, 10, 0.1), True, "raw table")
    bad = Control(share(9, 10, 0.1), False, SHUFFLED)
    assert Attack("site", "", share(1, 10, 0.1)).controls_failed == ["positive", "negative"]
    assert Attack("site", "", share(1, 10, 0.1), good, good).controls_failed == []
    assert Attack("site", "", share(1, 10, 0.1), good, bad).controls_failed == ["negative"]
    assert Attack("site", "", None, None, bad).controls_failed == ["negative"]
    assert nothing_to_attack("site", "one site").controls_failed == []


def test_the_document_has_no_numbers_where_nothing_was_attacked():
    document = nothing_to_attack("site", "one site").document()
    assert document["applies"] is False
    assert document["rate"] is None
    assert document["detail"] == "one site"

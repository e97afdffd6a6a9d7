"""The cheapest way out of a refusal, from what protect tried."""

from __future__ import annotations

import pytest

from radcurate.governance.policy import Criterion, Policy
from radcurate.governance.ways_out import ways_out


def criterion(measure, **limit):
    return Criterion(name="some", measure=measure, source="tests", help="nothing", **limit)


K5 = criterion("protect.k", min=5)
T = criterion("protect.t", max=0.3)
POLICY = Policy(name="own", recipients="some people", criteria=(K5, T))


def tried(setting, k, loss, suppressed=0, holds=True, t=None):
    row = {"change": "drop", "column": "age", "setting": setting, "k": k, "l": None, "t": t}
    return {**row, "loss": loss, "suppressed": suppressed, "holds": holds}


def words(rows, subjects=20, policy=POLICY, failed=K5):
    return [way.words() for way in ways_out(failed, policy, rows, subjects, {})]


def test_least_loss_first_and_three_at_most():
    rows = [tried("d", 9, 0.4), tried("c", 6, 0.3), tried("a", 5, 0.1), tried("b", 7, 0.2, 2)]
    assert words(rows) == [
        "a: k 5, loss 0.1, nobody left out",
        "b: k 7, loss 0.2, 2 patients left out",
        "c: k 6, loss 0.3, nobody left out",
    ]


def test_only_what_keeps_the_policy():
    rows = [tried("small", 4, 0.0), tried("fails", 9, 0.0, holds=False), tried("far", 9, 0.0, t=0.4)]
    assert words([*rows, tried("good", 9, 0.5, t=0.3)]) == ["good: k 9, loss 0.5, nobody left out"]


def test_the_order_of_rows_does_not_matter():
    rows = [tried("a", 5, 0.1), tried("b", 5, 0.1, 1), tried("c", 8, 0.1, 1)]
    assert words(rows) == words(rows[::-1])
    assert words(rows)[1] == "c: k 8, loss 0.1, 1 patient left out"


def test_too_few_patients():
    assert words([tried("a", 3, 0.0)], subjects=3) == ["add 2 patients or more: there are 3, and 5 must look alike"]


def test_the_chance_of_naming_asks_for_a_crowd_too():
    policy = Policy(name="own", recipients="some", criteria=(criterion("protect.prosecutor_max", max="1/11"),))
    found = words([tried("a", 10, 0.0), tried("b", 11, 0.1)], policy=policy, failed=policy.criteria[0])
    assert found == ["b: k 11, loss 0.1, nobody left out"]


def test_a_policy_that_nothing_can_satisfy_says_so():
    (found,) = words([tried("a", 3, 0.0), tried("b", 4, 0.9)])
    assert "no change of the columns that was tried" in found and "largest k reached is 4" in found


def test_before_protect_tried_anything_there_is_no_way():
    assert words([]) == []


@pytest.mark.parametrize(
    ("measure", "limit", "told"),
    [
        ("attack.fingerprint_top1", "1/11", "protect.microaggregation: 11"),
        ("attack.fingerprint_top1", 0.2, "protect.microaggregation: 5"),
        ("attack.fingerprint_top5", "5/11", "protect.microaggregation: 11"),
        ("attack.linkage", 0.05, "(a, b)"),
    ],
)
def test_against_attacks(measure, limit, told):
    columns = {"columns": ["a", "b"]}
    attack = {"attacks": {"linkage": columns, "fingerprint": columns}}
    failed = criterion(measure, max=limit)
    assert told in ways_out(failed, POLICY, (), 20, attack)[0].words()


def test_what_no_change_of_columns_helps_has_no_way():
    assert ways_out(criterion("verify.hits", max=0), POLICY, (), 20, {}) == ()

"""Risks by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.attack.found import Attack, share
from radcurate.attack.risk import Crowd, alone, inference_gain, joined, risks


def crowd(group, chances=None, sensitive=None, further=None) -> Crowd:
    return Crowd(
        np.array(group, dtype=np.int64),
        np.array(chances if chances is not None else [0.1] * len(group)),
        {name: np.array(held, dtype=np.int64) for name, held in (sensitive or {}).items()},
        {name: np.array(held, dtype=np.int64) for name, held in (further or {}).items()},
    )


def test_three_attackers_by_hand():
    # classes of 2, 3 and 1 patients; in the population 10, 20 and 4 people
    found = risks(crowd([0, 0, 1, 1, 1, 2], [0.1, 0.1, 0.05, 0.05, 0.05, 0.25]))
    assert found["prosecutor"] == 1
    assert found["prosecutor_mean"] == pytest.approx(3 / 6)  # classes / patients
    assert found["journalist"] == 0.25
    assert found["marketer"] == pytest.approx((2 / 10 + 3 / 20 + 1 / 4) / 6)  # Dankar & El Emam: sum of f / F over n
    assert found["singling_out"] == pytest.approx(1 / 6)


def test_what_else_the_table_shows_is_reported_apart():
    found = risks(crowd([0, 0, 0, 0], further={"features": [0, 1, 2, 3], "structure": [0, 0, 1, 2]}))
    assert found["singling_out"] == 0
    assert found["singling_out_by"] == {"features": 1.0, "structure": 0.5}


def test_without_a_sensitive_column_inference_does_not_apply():
    assert risks(crowd([0, 0]))["inference"] == {"applies": False, "detail": "no column is sensitive"}


def test_nobody_is_no_risk():
    found = risks(crowd([], [], {"stage": []}))
    assert found["prosecutor"] == found["marketer"] == found["singling_out"] == found["inference"] == 0


def by_definition(group, held) -> float:
    def guess(own: int, among: list[int]) -> float:
        others = [held[other] for other in among if other != own]
        if not others:
            return float("nan")
        most = max(others.count(value) for value in others)
        top = {value for value in others if others.count(value) == most}
        return (held[own] in top) / len(top)

    everybody = list(range(len(group)))
    if len(group) < 2:
        return 0.0
    overall = [guess(own, everybody) for own in everybody]
    within = [guess(own, [other for other in everybody if group[other] == group[own]]) for own in everybody]
    within = [a if a == a else b for a, b in zip(within, overall, strict=True)]
    without = float(np.mean(overall))
    return max(0.0, (float(np.mean(within)) - without) / (1 - without)) if without < 1 else 0.0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=14))
def test_inference_as_defined(pairs):
    group = np.array([pair[0] for pair in pairs], dtype=np.int64)
    group = np.unique(group, return_inverse=True)[1].astype(np.int64)
    held = np.array([pair[1] for pair in pairs], dtype=np.int64)
    assert inference_gain(group, held) == pytest.approx(by_definition(group.tolist(), held.tolist()), abs=1e-12)


def test_a_class_that_tells_a_value_is_found():
    homogeneous = risks(crowd([0] * 5 + [1] * 5, sensitive={"stage": [0] * 5 + [1] * 5}))
    mixed = risks(crowd([0] * 6 + [1] * 6, sensitive={"stage": [0, 0, 0, 1, 1, 1] * 2}))
    assert homogeneous["inference"] == 1
    assert mixed["inference"] == 0
    assert homogeneous["inference_by"] == {"stage": 1.0}


def test_alone():
    assert alone(np.array([0, 0, 1])) == pytest.approx(1 / 3)
    assert alone(np.array([], dtype=np.int64)) == 0


def test_joined_are_upper_bounds_of_what_applies():
    attacks = [
        Attack("linkage", "", share(0, 10, 0.1)),
        Attack("fingerprint", "", None),
        Attack("site", "", share(9, 10, 0.5)),
    ]
    assert joined(attacks) == {"linkage": attacks[0].found.high}

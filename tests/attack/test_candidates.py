"""M(d) by hand and against a look at every pair."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from radcurate.attack import candidates as module
from radcurate.attack.candidates import Candidates, Limits, Registry, Shown, candidates, fits

ALIKE = np.array([[True, False, True], [False, True, False]])


def shown(*rows: tuple) -> Shown:
    """Rows (patient, sex, site, (age, age), (day, day)[, block])."""
    rows = [row if len(row) == 6 else (*row, 0) for row in rows]
    whole = [np.array([row[place] for row in rows], dtype=np.int64) for place in (0, 1, 2)]
    ends = [np.array([row[place][end] for row in rows], dtype=float) for place in (3, 4) for end in (0, 1)]
    return Shown(*whole, *ends, np.array([row[5] for row in rows], dtype=np.int64))


def registry(*rows: tuple) -> Registry:
    """Rows (person, sex, site, age, day[, block])."""
    rows = [row if len(row) == 6 else (*row, 0) for row in rows]
    whole = [np.array([row[place] for row in rows], dtype=np.int64) for place in (0, 1, 2)]
    reals = [np.array([row[place] for row in rows], dtype=float) for place in (3, 4)]
    return Registry(*whole, *reals, np.array([row[5] for row in rows], dtype=np.int64))


def found(released: Shown, held: Registry, age: float = 1, days: int = 7, alike: np.ndarray = ALIKE) -> list:
    result = candidates(released, held, Limits(age, days, alike))
    return list(zip(result.people.tolist(), result.sole.tolist(), strict=True))


PATIENT = (0, 0, 0, (60, 60), (100, 100))


def test_exactly_the_one_who_fits():
    held = registry(
        (0, 0, 0, 61, 107),  # both differences at their limits
        (1, 0, 0, 61.5, 100),  # too old
        (2, 0, 0, 60, 108),  # too late
        (3, 1, 0, 60, 100),  # the other sex
        (4, 0, 1, 60, 100),  # another institution
    )
    assert found(shown(PATIENT), held) == [(1, 0)]


def test_two_who_fit_are_no_success():
    assert found(shown(PATIENT), registry((0, 0, 0, 60, 100), (1, 0, 2, 60, 100))) == [(2, -1)]


def test_two_visits_of_one_person_are_one_person():
    assert found(shown(PATIENT), registry((0, 0, 0, 60, 100), (0, 0, 0, 60, 101))) == [(1, 0)]


def test_a_range_matches_what_it_contains():
    wide = (0, -1, -1, (60, 64), (-math.inf, math.inf))
    held = registry((0, 0, 0, 58.9, 1), (1, 0, 1, 59, 2), (2, 1, 2, 65, 3), (3, 1, 2, 65.1, 3))
    assert found(shown(wide), held) == [(2, -1)]


def test_what_the_registry_does_not_tell_matches():
    held = registry((0, -1, -1, math.nan, math.nan), (1, 0, 0, 60, math.nan), (2, 0, 0, 70, math.nan))
    assert found(shown(PATIENT), held) == [(2, -1)]


def test_all_rows_of_a_patient_are_read_together():
    twice = shown(PATIENT, (0, 0, 0, (62, 62), (800, 800)))
    held = registry((0, 0, 0, 60, 100), (0, 0, 0, 62, 801), (1, 0, 0, 60, 100), (2, 0, 0, 62, 800))
    assert found(twice, held) == [(1, 0)]


def test_nobody_fits():
    assert found(shown(PATIENT), registry((0, 1, 0, 60, 100))) == [(0, -1)]
    assert found(shown(PATIENT), registry()) == [(0, -1)]


def test_rows_match_within_their_block_only():
    two = shown(PATIENT, (1, 0, 0, (60, 60), (100, 100), 1))
    assert found(two, registry((5, 0, 0, 60, 100, 1), (6, 0, 0, 60, 100, 2))) == [(0, -1), (1, 5)]


def test_whether_the_right_person_is_among_them():
    held = registry((0, 0, 0, 60, 100), (1, 1, 0, 60, 100))
    three = shown(PATIENT, (1, 0, 0, (60, 60), (100, 100)), (2, 0, 0, (60, 60), (100, 100)))
    assert fits(three, held, Limits(1, 7, ALIKE), np.array([0, 1, -1])).tolist() == [True, False, False]


def span(largest: int):
    point = st.one_of(st.integers(0, largest), st.sampled_from([0.5, 2.5]))
    return st.one_of(
        st.tuples(point, point).map(lambda ends: (min(ends), max(ends))),
        st.just((-math.inf, math.inf)),
        point.map(lambda low: (low, math.inf)),
    )


rows_shown = st.lists(
    st.tuples(st.integers(0, 4), st.integers(-1, 1), st.integers(-1, 1), span(6), span(12), st.integers(0, 1)),
    max_size=12,
)
rows_held = st.lists(
    st.tuples(
        st.integers(0, 8),
        st.integers(-1, 2),
        st.integers(-1, 2),
        st.one_of(st.integers(0, 6), st.just(2.5), st.just(math.nan)),
        st.one_of(st.integers(0, 12), st.just(math.nan)),
        st.integers(0, 1),
    ),
    max_size=25,
)


def by_looking(rows: list[tuple], held: list[tuple], age: float, days: int) -> list[set[int]]:
    def match(row: tuple, other: tuple) -> bool:
        near = [
            math.isnan(value) or low - slack <= value <= high + slack
            for (low, high), value, slack in ((row[3], other[3], age), (row[4], other[4], days))
        ]
        sex = row[1] == other[1] or -1 in (row[1], other[1])
        site = -1 in (row[2], other[2]) or ALIKE[row[2], other[2]]
        return sex and site and all(near) and row[5] == other[5]

    answer = []
    for patient in sorted({row[0] for row in rows}):
        mine = [row for row in rows if row[0] == patient]
        people = {other[0] for other in held}
        answer.append({p for p in people if all(any(match(row, o) for o in held if o[0] == p) for row in mine)})
    return answer


@settings(max_examples=150)
@given(rows_shown, rows_held, st.sampled_from([0, 1, 1.5]), st.integers(0, 3), st.sampled_from([1, 256]))
def test_as_by_looking_at_every_pair(rows, held, age, days, enough):
    numbers = {patient: place for place, patient in enumerate(sorted({row[0] for row in rows}))}
    rows = [(numbers[row[0]], *row[1:]) for row in rows]
    before, module.ENOUGH = module.ENOUGH, enough
    try:
        result = candidates(shown(*rows), registry(*held), Limits(age, days, ALIKE))
    finally:
        module.ENOUGH = before
    compare(result, by_looking(rows, held, age, days), exact=enough == 256)


def compare(result: Candidates, wanted: list[set[int]], exact: bool) -> None:
    assert result.people.size == len(wanted)
    for people, sole, members in zip(result.people.tolist(), result.sole.tolist(), wanted, strict=True):
        assert people == len(members) if exact else people <= len(members)
        assert (people == 1) == (len(members) == 1)
        assert sole == (members.pop() if len(members) == 1 else -1)

"""Releases compared: what is planted is found, what can't be told is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.attack.differencing import attack_differencing, revealed
from radcurate.attack.subtraction import subtracted
from radcurate.attack.views import View, view

K = 3


def release(people: Mapping[str, str], values: Mapping[str, Sequence[float]] | None = None) -> View:
    """Patients with what they show; each with one row of five features that nobody shares, or the given ones."""
    names = list(people)
    given_values = values or {name: [hash_of(name, place) for place in range(5)] for name in names}
    features = pa.table(
        {
            "subject": names,
            "roi": [f"R-{name}" for name in names],
            "series": [f"S-{name}" for name in names],
            "modality": ["CT"] * len(names),
            "roi_label": ["GTV"] * len(names),
            "group": [people[name] for name in names],
            **{
                f"f{place}": [float(given_values[name][place]) for name in names]
                for place in range(len(given_values[names[0]]))
            },
        }
    )
    acquisition = pa.table({"series": [f"S-{name}" for name in names], "model": ["X"] * len(names)})
    return view(features, acquisition, ["group", "model", "absent"])


def hash_of(name: str, place: int) -> float:
    return float(np.random.default_rng([*name.encode(), place]).normal())


def cohort(**classes: str) -> dict[str, str]:
    """old="abc" -> patients a, b and c who show `old`."""
    return {name: shown for shown, names in classes.items() for name in names}


def test_one_withdrawal_out_of_a_class_is_revealed() -> None:
    before, after = release(cohort(old="abcde", young="uvw")), release(cohort(old="abcd", young="uvw"))
    found = attack_differencing({"demo-1": before}, after, K)
    assert found.found is not None and found.found.successes == 1 and found.found.trials == 8
    assert found.numbers["left"] == 1 and found.numbers["least_candidates"] == 1
    assert set(revealed([before], after, K)) == {"e"}
    assert not found.controls_failed


def test_one_new_patient_in_a_class_is_revealed() -> None:
    found = attack_differencing({"demo-1": release(cohort(old="abcd"))}, release(cohort(old="abcde")), K)
    assert found.numbers["joined"] == 1 and found.document()["successes"] == 1


@pytest.mark.parametrize("gone", ["cde", "abcde"])
def test_k_who_leave_together_or_a_whole_class_are_not_revealed(gone: str) -> None:
    before = cohort(old="abcdefgh" if gone == "cde" else "abcde", young="uvw")
    after = {name: shown for name, shown in before.items() if name not in gone}
    found = attack_differencing({"demo-1": release(before)}, release(after), K)
    assert found.found is not None and found.found.successes == 0
    assert not found.controls_failed


def test_a_class_that_was_too_small_before_is_not_this_releases_fault() -> None:
    assert not revealed([release(cohort(old="ab", young="uvw"))], release(cohort(young="uvw")), K)


def test_other_levels_together_make_classes_finer() -> None:
    before = release(cohort(old="abcd", young="efgh"))
    after = release(cohort(south="abef", north="cdgh"))
    found = attack_differencing({"demo-1": before}, after, K)
    assert found.numbers["combined"] == 8 and found.numbers["least_candidates"] == 2


def test_coarser_levels_tell_nothing_new() -> None:
    found = attack_differencing({"demo-1": release(cohort(old="abc", young="efg"))}, release(cohort(all="abcefg")), K)
    assert found.document()["successes"] == 0


def test_three_releases_together() -> None:
    first, second = release(cohort(old="abcdefgh")), release(cohort(old="abcde"))
    third = release(cohort(old="abcdf"))  # e leaves, f comes back: so g and h are the only ones who stayed away
    assert set(revealed([first, second], third, K)) == {"e", "f", "g", "h"}
    assert set(revealed([first], third, K)) == set()  # e, g and h left together


def test_other_codes_do_not_help() -> None:
    before = release(cohort(old="abcde"))
    after = release(cohort(old="abcd")).renamed({name: f"new {name}" for name in "abcde"})
    found = attack_differencing({"demo-1": before}, after, K)
    assert found.numbers["linked_by_features"] == 4 and found.numbers["left"] == 1


def test_the_same_release_is_passed_over_whatever_its_order() -> None:
    now = release(cohort(old="abcde"))
    again = now.of_rows([4, 2, 0, 1, 3])
    assert not attack_differencing({"demo-1": again}, now, K).applies
    assert not attack_differencing({}, now, K).applies
    assert not attack_differencing({"demo-1": release(cohort(old="abcd"))}, now, 1).applies


def test_a_missing_number_equals_itself() -> None:
    values = {name: [np.nan, 1.0, -0.0] for name in "abc"}
    now, again = release(cohort(old="abc"), values), release(cohort(old="abc"), values | {"a": [np.nan, 1.0, 0.0]})
    assert now.mark == again.mark


def test_nobody_is_left() -> None:
    now = release(cohort(old="abc")).of_rows([])
    found = attack_differencing({"demo-1": release(cohort(old="abc"))}, now, K)
    assert found.document()["successes"] == 0 and not found.controls_failed


def test_a_withdrawal_from_a_mean_is_found_by_subtraction() -> None:
    """Everybody shows the same of himself in classes of k, but the mean of four less that of three is the fourth's."""
    people = cohort(old="abcdefgh")
    means = {name: [1.0 if name in "abcd" else 5.0] for name in "abcdefgh"}
    after = {name: [2.0 if name in "bcd" else 5.0] for name in "bcdefgh"}
    rest = {name: shown for name, shown in people.items() if name != "a"}
    assert subtracted(release(people, means), release(rest, after), K) == {"a": 1}


def test_single_vectors_are_not_found_by_subtraction() -> None:
    assert subtracted(release(cohort(old="abcdef")), release(cohort(old="abcde")), K) == {}


def test_two_patients_in_the_mean_of_a_difference() -> None:
    """a and b went to two other groups: only the difference of the sums over them isolates both together."""
    people = cohort(old="abcdefghij")
    before = {name: [1.0 if name in "abcde" else 5.0] for name in people}
    after = {name: [2.0 if name in "cde" else 6.0 if name in "afg" else 7.0] for name in people}
    assert subtracted(release(people, before), release(people, after), K) == {"a": 2, "b": 2}


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=9))
def test_a_single_value_is_found_exactly_where_the_sums_determine_it(places: list[tuple[int, int]]) -> None:
    """Oracle: the value of a patient is determined iff its unit vector lies in the row space of all sums (group 3: absent)."""
    names = [f"p{number}" for number in range(len(places))]
    sums = [[float(place[side] == group) for place in places] for side in (0, 1) for group in range(3)]
    rank = np.linalg.matrix_rank(np.array(sums))
    seen = [name for name, place in zip(names, places, strict=True) if place != (3, 3)]
    told = {
        name
        for number, name in enumerate(names)
        if name in seen and np.linalg.matrix_rank(np.array([*sums, np.eye(len(names))[number]])) == rank
    }
    sides = [{n: p[side] for n, p in zip(names, places, strict=True) if p[side] != 3} for side in (0, 1)]
    if not all(sides):
        return
    before, after = (release(dict.fromkeys(side, "all"), {n: [float(g)] for n, g in side.items()}) for side in sides)
    alone = {name for name in told if any(list(side.values()).count(side[name]) == 1 for side in sides if name in side)}
    found = subtracted(before, after, len(names) + 1)
    assert {name for name, candidates in found.items() if candidates == 1} == told - alone


courses = st.lists(st.tuples(*[st.sampled_from(["", "x", "y"])] * 3), min_size=1, max_size=14)


@given(courses, st.integers(2, 5))
def test_who_is_revealed_by_counting_everybody_against_everybody(found: list[tuple[str, str, str]], k: int) -> None:
    """Oracle: who has fewer than k like it over all releases, though this one, and the earlier ones, had more."""
    people = {f"p{number}": course for number, course in enumerate(found)}
    releases = [{name: course[place] for name, course in people.items() if course[place]} for place in range(3)]
    if not all(releases):
        return

    def alike(name: str, places: tuple[int, ...]) -> float:
        mine = [people[name][place] for place in places]
        if not any(mine):
            return float("inf")
        return sum([other[place] for place in places] == mine for other in people.values())

    expected = {
        name
        for name, course in people.items()
        if any(course) and alike(name, (0, 1, 2)) < min(k, alike(name, (2,)), alike(name, (0, 1)))
    }
    views = [release(shown) for shown in releases]
    assert set(revealed(views[:2], views[2], k)) == expected

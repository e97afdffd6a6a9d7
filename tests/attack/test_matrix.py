"""Columns that are read when asked for give what an array gives; slices and samples of patients too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from attack_tables import in_groups, people, table

from radcurate.attack import fingerprint, phases
from radcurate.attack.fingerprint import attack_fingerprint, match, sought_rows
from radcurate.attack.matrix import Kept, beside, marked, some_columns, some_rows
from radcurate.attack.records import Records
from radcurate.attack.reextraction import reextractions
from radcurate.attack.site import guess_site


def kept(found: Records) -> Records:
    """The same table, its columns read one by one."""
    assert isinstance(found.values, np.ndarray)
    values = {name: found.values[:, place] for place, name in enumerate(found.names)}
    return replace(found, values=Kept(found.names, len(found.region), lambda name: values[name]))


def test_rows_and_columns_are_those_of_the_array() -> None:
    plain = table(people(9, 4))
    values, rows = kept(plain).values, np.array([5, 1])
    assert np.array_equal(some_rows(values, rows), plain.values[rows])
    assert np.array_equal(some_rows(some_columns(values, [3, 0]), rows), plain.values[rows][:, [3, 0]])
    both = beside(values, np.ones((9, 1)), ["one"])
    assert np.array_equal(some_rows(both, rows), np.hstack([plain.values[rows], np.ones((2, 1))]))


def test_marks_are_equal_where_rows_are() -> None:
    values = np.random.default_rng(0).integers(0, 2, (400, 6)).astype(np.float64)
    found = marked(values, range(6))
    assert len(set(found)) == len({row.tobytes() for row in values})
    assert all((found[a] == found[b]) == (values[a] == values[b]).all() for a in range(40) for b in range(40))
    assert len(set(marked(values, [2, 0]))) == 4
    assert marked(values[:, [0, 1]], [0, 1]) != marked(values[:, [0, 1]], [1, 0])  # columns are told apart


@pytest.mark.parametrize("size", [1, 7, 40])
def test_slices_of_the_patients_change_no_rank(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    values = people(40, 6)
    values[::5, 2] = np.nan
    raw = table(values, subject=[f"P{row // 2:02}" for row in range(40)], protocol=["a"] * 20 + ["b"] * 20)
    released = replace(raw, values=in_groups(raw.values, 4))
    again = reextractions(raw, assumed=0.7)
    whole = match(released, raw, again, 3)
    monkeypatch.setattr(fingerprint, "SLICE", size)
    part = match(released, raw, again, 3)
    assert (part.top1, part.top5, part.same_scan, part.shuffled) == (
        whole.top1,
        whole.top5,
        whole.same_scan,
        whole.shuffled,
    )
    assert 0 < whole.top1 < whole.trials and whole.same_scan > whole.top1
    assert np.array_equal(part.each, whole.each) and np.array_equal(part.telling, whole.telling)


def test_a_sample_is_sought_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = table(people(300, 8))
    released = replace(raw, values=in_groups(raw.values, 11))
    assert sought_rows(released, raw).size == 300
    monkeypatch.setattr(fingerprint, "PRODUCTS", 300 * 300 * 8 / 5)
    monkeypatch.setattr(fingerprint, "TRIALS", 20)
    rows = sought_rows(released, raw)
    assert rows.size == 60 and np.array_equal(rows, sought_rows(released, raw))
    found = attack_fingerprint(released, raw, reextractions(raw, rows=rows))
    assert found.found is not None and "each of 60 patients, drawn from 300," in found.detail
    assert found.found.chance == 1 / 300 and found.numbers["smallest_class"] == 11
    # a crowd of the sample's patients only would leave a group of eleven two or three
    assert found.found.high <= 1 / 11 + 1e-9 and found.controls_failed == []


def test_columns_read_one_by_one_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = table(people(60, 12))
    released = replace(raw, values=np.round(raw.values, 1))
    plain = attack_fingerprint(released, raw, reextractions(raw))
    later = attack_fingerprint(kept(released), kept(raw), reextractions(kept(raw)))
    assert plain.found is not None and later.found is not None and later.positive is not None
    assert later.found.rate == pytest.approx(plain.found.rate, abs=0.1)  # another seed
    assert later.numbers == plain.numbers | {"found_mostly": later.numbers["found_mostly"]}
    assert later.controls_failed == []


def test_a_site_is_guessed_from_columns_read_one_by_one() -> None:
    raw = table(people(40, 5))
    assert isinstance(raw.values, np.ndarray)
    raw.values[:20, 3] = 0.25
    site = ["H1"] * 20 + ["H2"] * 20
    found = guess_site(kept(raw).values, raw.names, raw.subject, site, permutations=0)
    assert not isinstance(found, str) and found.share.rate > 0.9
    assert found.degenerate == 1


def test_shapes_of_a_large_table_are_sought_for_some_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.repeat(people(40, 3), 2, axis=0)
    names = [f"morph_{place}" for place in range(3)]
    raw = table(values, subject=[f"P{row // 2:02}" for row in range(80)], names=names)
    whole = phases.another_series(raw, raw)
    monkeypatch.setattr(phases, "HELD", 10)
    monkeypatch.setattr(phases, "SOUGHT", 25)
    some = phases.another_series(raw, raw)
    assert whole is not None and some is not None
    assert (whole.trials, some.trials) == (80, 25) and whole.rate == some.rate == 1.0

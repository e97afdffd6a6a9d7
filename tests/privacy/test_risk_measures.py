"""k, l, t against hand cases, an oracle made of dictionaries, and real tables."""

from __future__ import annotations

import csv
import random
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import privacy_oracle as oracle

from radcurate.errors import CurationError
from radcurate.privacy.classes import classes
from radcurate.privacy.coding import combine, encode
from radcurate.privacy.measures import Risk, closeness, distinct_l, risk, sensitive


def measured(rows: list[dict], quasi: list[str], hidden: list[str] | None = None) -> Risk:
    table = pa.Table.from_pylist(rows)
    who = encode(table["subject"]).codes
    cells = combine([encode(table[name]).codes for name in quasi], who.size)
    return risk(classes(who, cells), {name: sensitive(who, encode(table[name]).codes) for name in hidden or []})


def rows_of(*groups: tuple) -> list[dict]:
    """(subject, q, s) …"""
    return [{"subject": subject, "q": q, "s": s} for subject, q, s in groups]


def test_k_is_the_smallest_class_of_patients():
    found = measured(rows_of(("a", 1, 0), ("b", 1, 0), ("c", 2, 0), ("d", 2, 0), ("e", 2, 0)), ["q"])
    assert (found.k, found.n_classes, found.n_subjects) == (2, 2, 5)
    assert found.prosecutor_max == 0.5
    assert found.prosecutor_mean == pytest.approx((2 * 1 / 2 + 3 * 1 / 3) / 5)
    assert found.discernibility == 4 + 9


def test_rows_of_one_patient_do_not_raise_k():
    alone = measured(rows_of(("a", 1, 0), ("b", 2, 0), ("c", 2, 0)), ["q"])
    often = measured(rows_of(*[("a", 1, 0)] * 20, ("b", 2, 0), ("c", 2, 0)), ["q"])
    assert alone.k == often.k == 1
    assert often.unique_share == pytest.approx(1 / 3)


def test_the_course_of_a_patient_counts_not_its_single_rows():
    # every value is shared by two patients, yet only a has both
    rows = rows_of(("a", 1, 0), ("a", 2, 0), ("b", 1, 0), ("c", 2, 0))
    assert measured(rows, ["q"]).k == 1
    assert min(Counter(row["q"] for row in rows).values()) == 2


def test_a_prefix_is_not_its_continuation():
    assert classes(np.array([0, 0, 1, 2, 2, 2]), np.array([1, 2, 1, 1, 2, 3])).tolist() == [1, 0, 2]


def test_counting_rows_tells_more():
    who, cell = np.array([0, 0, 1]), np.array([1, 1, 1])
    assert len(set(classes(who, cell))) == 1
    assert len(set(classes(who, cell, counted=True))) == 2


def test_a_homogeneous_class_is_found():
    found = measured(rows_of(("a", 1, "x"), ("b", 1, "x"), ("c", 2, "x"), ("d", 2, "y")), ["q"], ["s"])
    assert (found.l, found.homogeneous_classes) == (1, 1)


def test_a_value_that_all_share_is_told_whatever_else_they_hold():
    rows = rows_of(("a", 1, "x"), ("b", 1, "x"), ("b", 1, "y"), ("c", 1, "x"), ("c", 1, "z"))
    assert measured(rows, ["q"], ["s"]).l == 1


def test_t_by_hand():
    # class 1: x x; class 2: x y; all: x 3/4, y 1/4
    rows = rows_of(("a", 1, "x"), ("b", 1, "x"), ("c", 2, "x"), ("d", 2, "y"))
    table = pa.Table.from_pylist(rows)
    who, group = encode(table["subject"]).codes, classes(encode(table["subject"]).codes, encode(table["q"]).codes)
    column = sensitive(who, encode(table["s"]).codes)
    assert sorted(closeness(group, column)) == pytest.approx([0.25, 0.25])
    assert distinct_l(group, column).tolist() == [1, 2]


def test_missing_is_a_value_and_nan_is_missing():
    coded = encode(pa.array([float("nan"), None, 1.0, 2.0]))
    assert coded.codes.tolist() == [2, 2, 0, 1]
    assert coded.values == (1.0, 2.0, None)
    assert measured(rows_of(("a", None, 0), ("b", None, 0), ("c", 1, 0)), ["q"]).k == 1


def test_lists_are_refused():
    with pytest.raises(CurationError, match="can't be grouped by"):
        encode(pa.array([[1], [2]]), "spacing")


def test_nobody():
    found = risk(np.zeros(0, dtype=np.int64), {})
    assert (found.k, found.l, found.t, found.unique_share) == (0, None, None, 0.0)


def test_many_wide_columns_do_not_overflow():
    wide = [np.arange(2000, dtype=np.int64)[::-1].copy() for _ in range(8)]
    assert len(set(combine(wide, 2000).tolist())) == 2000


VALUES = st.one_of(st.none(), st.sampled_from([1.0, 2.0, float("nan")]))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "subject": st.sampled_from([f"P{n}" for n in range(7)]),
            "a": VALUES,
            "b": st.sampled_from(["x", "y", None]),
            "s": st.sampled_from(["u", "v", "w", None]),
        }
    ),
    min_size=1,
    max_size=25,
)


@given(ROWS, st.randoms())
@settings(max_examples=200, deadline=None)
def test_measures_equal_the_oracle_in_any_order(rows, chance: random.Random):
    expected = oracle.measure(rows, ["a", "b"], ["s"])
    shuffled = list(rows)
    chance.shuffle(shuffled)
    found = measured(shuffled, ["a", "b"], ["s"])
    assert (found.k, found.l) == expected[:2]
    assert found.t == pytest.approx(expected[2], abs=1e-12)
    assert 0 <= found.t <= 1
    assert found == measured(rows, ["a", "b"], ["s"])


@given(ROWS)
@settings(max_examples=100, deadline=None)
def test_k_over_courses_implies_k_over_rows(rows):
    by_row = {(oracle.same(row["a"]), row["b"]): set() for row in rows}
    for row in rows:
        by_row[(oracle.same(row["a"]), row["b"])].add(row["subject"])
    assert measured(rows, ["a", "b"]).k <= min(len(people) for people in by_row.values())


@pytest.mark.parametrize("name", ["adult_anonymized_10", "stroke_k2", "stroke_k25"])
def test_real_tables_equal_the_oracle(real_data, name):
    with (real_data / "pycanon" / "data" / "raw" / f"{name}.csv").open(newline="") as stream:
        rows = [{"subject": f"{place:06}", **row} for place, row in enumerate(csv.DictReader(stream))]
    hidden = "salary-class" if name.startswith("adult") else "stroke"
    quasi = [column for column in rows[0] if column not in ("subject", "id", hidden)]
    found, expected = measured(rows, quasi, [hidden]), oracle.measure(rows, quasi, [hidden])
    assert (found.k, found.l) == expected[:2]
    assert found.t == pytest.approx(expected[2], abs=1e-12)

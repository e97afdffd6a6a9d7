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
from scipy.optimize import linprog

sys.path.insert(0, str(Path(__file__).parent))
import privacy_oracle as oracle

from radcurate.errors import CurationError
from radcurate.privacy.classes import classes
from radcurate.privacy.coding import combine, encode
from radcurate.privacy.measures import Diversity, Risk, closeness, distinct_l, diversity, ranks, risk, sensitive


def measured(rows: list[dict], quasi: list[str], hidden: list[str] | None = None, c: float = 3.0) -> Risk:
    table = pa.Table.from_pylist(rows)
    who = encode(table["subject"]).codes
    cells = combine([encode(table[name]).codes for name in quasi], who.size)
    columns = {name: encode(table[name]) for name in hidden or []}
    return risk(classes(who, cells), {name: sensitive(who, it.codes, ranks(it)) for name, it in columns.items()}, c=c)


def same_as_oracle(found: Risk, expected: dict) -> None:
    assert (found.k, found.l, found.l_recursive) == (expected["k"], expected["l"], expected["l_recursive"])
    for name in ("l_entropy", "t", "t_ordered"):
        assert getattr(found, name) == pytest.approx(expected[name], abs=1e-11)


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


def _without_order(expected: dict) -> dict:
    """Text has no order: the distance between any two values is 1."""
    return expected | {"t_ordered": expected["t"]}


def one_class(*people: object, c: float = 3.0, others: tuple = ()) -> Diversity:
    """Patients of class 1 with a value or a tuple of values each, and patients of class 2."""
    rows = [
        {"subject": f"{q}{place:03}", "q": q, "s": value}
        for q, everyone in ((1, people), (2, others))
        for place, held in enumerate(everyone)
        for value in (held if isinstance(held, tuple) else (held,))
    ]
    table = pa.Table.from_pylist(rows)
    who, hidden = encode(table["subject"]).codes, encode(table["s"])
    return diversity(classes(who, encode(table["q"]).codes), sensitive(who, hidden.codes, ranks(hidden)), c)


def test_entropy_l_by_hand():
    assert one_class(1, 1, 2, 2).l_entropy == pytest.approx(2)
    assert one_class(1, 1, 1, 2).l_entropy == pytest.approx(4 / 3**0.75)  # exp(ln 4 − ¾ ln 3)
    assert one_class(1, 1, 1).l_entropy == 1


def test_recursive_l_by_hand():
    # 6, 3, 1 of 10 patients: 6 < 3 · (3 + 1), not < 3 · 1
    assert one_class(*[1] * 6, *[2] * 3, 3).l_recursive == 2
    assert one_class(*[1] * 6, *[2] * 3, 3, c=6.5).l_recursive == 3
    assert one_class(*[1] * 3, 2).l_recursive == 1  # 3 < 3 · 1 is false
    assert one_class(*[1] * 3, 2, c=3.5).l_recursive == 2


def test_a_value_that_nearly_all_share_is_nearly_told():
    # nine sets that differ, all with 1, and one patient without: two buckets of 9 and 1
    found = one_class(*[(1, 10 + n) for n in range(9)], 5)
    assert (found.l, found.l_recursive) == (2, 1)
    assert found.l_entropy == pytest.approx((10 / 9) ** 0.9 * 10**0.1)


def test_ordered_t_by_hand():
    # ranks 0, 1, 2; all: a third each; class 1 holds the lowest: (|1 − 1/3| + |1 − 2/3|) / 2; unordered: 2/3
    found = one_class(1, 1, others=(2, 2, 3, 3))
    assert found.t_ordered == pytest.approx(1 / 2)
    assert found.t == pytest.approx(2 / 3)
    # the middle is nearer to all than an end is
    assert one_class(2, 2, others=(1, 1, 3, 3)).t_ordered == pytest.approx(1 / 3)


def test_ordered_t_of_missing_values():
    # class 1: missing and 1; class 2: 1 and 3; all: missing 1/4, 1 1/2, 3 1/4
    assert one_class(None, 1, others=(1, 3)).t_ordered == pytest.approx(1 / 4 + 1 / 2 * 1 / 3)
    assert one_class(None, None, others=(1, 3)).t_ordered == pytest.approx(1 / 2)


def test_text_has_an_order_only_where_it_is_given():
    coded = encode(pa.array(["low", "high", None, "mid"]))
    assert ranks(coded) is None
    assert ranks(coded, order=["low", "mid", "high"]).tolist() == [2, 0, 1, -1]
    with pytest.raises(CurationError, match="the order of sensitive column s does not fit"):
        ranks(coded, order=["low", "high"], name="s")


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([1, 2, 4, None])), min_size=2, max_size=12))
@settings(max_examples=100, deadline=None)
def test_ordered_t_is_never_below_the_least_cost(people):
    """The cheapest way to move the mass, as a linear programme."""
    rows = [{"subject": f"{n:02}", "q": q, "s": s} for n, (q, s) in enumerate(people)]
    values = oracle.held(rows, "s")
    known = sorted({s for _, s in people if s is not None})
    scale = [*known, None]
    cost = [[_cost(known, a, b) for b in scale] for a in scale]
    for group in oracle.groups(rows, ["q"]):
        p, q = oracle.spread(group, values), oracle.spread(values, values)
        least = _transport([float(p.get(v, 0)) for v in scale], [float(q.get(v, 0)) for v in scale], cost)
        found = oracle.t_ordered_of(group, values)
        assert found >= least - 1e-9
        assert None in q or found == pytest.approx(least, abs=1e-9)


def _cost(known: list, a: object, b: object) -> float:
    if a is None or b is None:
        return float(a is not b)
    return abs(known.index(a) - known.index(b)) / max(len(known) - 1, 1)


def _transport(p: list[float], q: list[float], cost: list[list[float]]) -> float:
    n = len(p)
    away = [[float(place // n == i) for place in range(n * n)] for i in range(n)]
    here = [[float(place % n == i) for place in range(n * n)] for i in range(n)]
    return float(linprog(np.ravel(cost), A_eq=away + here, b_eq=p + q).fun)


VALUES = st.one_of(st.none(), st.sampled_from([1.0, 2.0, float("nan")]))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "subject": st.sampled_from([f"P{n}" for n in range(7)]),
            "a": VALUES,
            "b": st.sampled_from(["x", "y", None]),
            "s": st.sampled_from([1.0, 2.0, 5.0, 7.0, None]),
        }
    ),
    min_size=1,
    max_size=25,
)


@given(ROWS, st.randoms(), st.sampled_from([0.5, 1.0, 3.0]))
@settings(max_examples=300, deadline=None)
def test_measures_equal_the_oracle_in_any_order(rows, chance: random.Random, c: float):
    shuffled = list(rows)
    chance.shuffle(shuffled)
    found = measured(shuffled, ["a", "b"], ["s"], c)
    same_as_oracle(found, oracle.measure(rows, ["a", "b"], ["s"], c))
    assert 0 <= found.t <= 1 and 0 <= found.t_ordered <= 1
    assert 1 <= found.l_entropy <= found.l + 1e-9
    assert found == measured(rows, ["a", "b"], ["s"], c)


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
    same_as_oracle(measured(rows, quasi, [hidden]), _without_order(oracle.measure(rows, quasi, [hidden])))

"""Ladders: edges of intervals, dates, trees, penalties, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.errors import CurationError
from radcurate.privacy.hierarchies import AGE_TOP, AGE_WIDTHS, Rule, fitting, ladder, plain, steps_of

AGE = Rule("age", AGE_WIDTHS, AGE_TOP)


def labels(values: list, rule: Rule) -> dict[str, list]:
    found = ladder("q", values, rule)
    return {name: list(row) for name, row in zip(found.names, found.labels, strict=True)}


def test_edges_of_ages():
    found = labels([0.0, 4.99, 5.0, 59.99, 60.0, 79.5, 80.0, 89.99, 90.0, 107.0, None], AGE)
    assert found["1 year"] == ["0", "4", "5", "59", "60", "79", "80", "89", "90+", "90+", None]
    assert found["5 years"] == ["0-4", "0-4", "5-9", "55-59", "60-64", "75-79", "80-84", "85-89", "90+", "90+", None]
    assert found["10 years"] == ["0-9", "0-9", "0-9", "50-59", "60-69", "70-79", "80-89", "80-89", "90+", "90+", None]
    assert found["20 years"] == ["0-19"] * 3 + ["40-59", "60-79", "60-79", "80+", "80+", "80+", "80+", None]
    assert found["*"] == ["*"] * 11


def test_dates_climb_from_day_to_year():
    found = labels(["2019-03-31", "2019-04-01", "2020-12-31", None], Rule("date"))
    assert found["day"] == ["2019-03-31", "2019-04-01", "2020-12-31", None]
    assert found["month"] == ["2019-03", "2019-04", "2020-12", None]
    assert found["quarter"] == ["2019-Q1", "2019-Q2", "2020-Q4", None]
    assert found["year"] == ["2019", "2019", "2020", None]


def test_values_as_text():
    assert [plain(value) for value in (120.0, 1.5, "B30f", True, 3, None)] == ["120", "1.5", "B30f", "True", "3", None]


def test_a_tree(tmp_path):
    (tmp_path / "site.csv").write_text("lung,chest,*\nheart,chest,*\nliver,abdomen,*\n")
    rule = Rule("tree", file=tmp_path / "site.csv")
    found = labels(["heart", "liver", "lung", None], rule)
    assert found == {
        "value": ["heart", "liver", "lung", None],
        "level 1": ["chest", "abdomen", "chest", None],
        "*": ["*"] * 4,
    }
    with pytest.raises(CurationError) as caught:
        ladder("q", ["spleen"], rule)
    assert "1 without" in caught.value.found and "spleen" not in caught.value.text()


def test_penalties():
    one = ladder("q", [61.0, 62.0, 64.0, 67.0, None], AGE)
    assert one.loss(0).tolist() == [0, 0, 0, 0, 0]
    assert one.loss(1).tolist() == [0.5, 0.5, 0.5, 0, 0]  # 3 of 5 finest labels in 60-64
    assert one.loss(len(one.names) - 1).tolist() == [1, 1, 1, 1, 1]
    assert ladder("q", [5.0], AGE).loss(4).tolist() == [0]  # nothing to lose in a column of one value
    assert ladder("q", [], AGE).loss(2).tolist() == []


@given(st.lists(st.one_of(st.none(), st.floats(0, 120)), min_size=1, max_size=30, unique=True))
def test_penalties_lie_in_0_1_and_grow(values):
    one = ladder("q", values, AGE)
    rows = np.array([one.loss(rung) for rung in range(len(one.names))])
    assert (rows >= 0).all() and (rows <= 1).all()
    assert (np.diff(rows, axis=0) >= 0).all()


@pytest.mark.parametrize(
    ("values", "rule", "problem"),
    [
        (["a"], Rule("agee"), "unknown hierarchy"),
        (["a"], Rule("value", least="year"), "unknown level"),
        (["a"], Rule("value", least="*", most="value"), "no level left"),
        (["old"], AGE, "no numbers"),
        ([float("inf")], AGE, "no numbers"),
        (["spring"], Rule("date"), "no dates"),
        (["a"], Rule("tree"), "no tree"),
        ([2.0, 3.0], Rule("interval", (2, 3)), "don't nest"),
    ],
)
def test_what_is_refused(values, rule, problem):
    with pytest.raises(CurationError, match=problem):
        ladder("q", values, rule)


def test_an_uneven_tree_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("a,x\nb\n")
    with pytest.raises(CurationError, match="uneven tree"):
        ladder("q", ["a"], Rule("tree", file=tmp_path / "t.csv"))


def test_groups_climb_together():
    a, b = ladder("a", ["x"], Rule("value", group="g")), ladder("b", ["x"], Rule("value"))
    c = ladder("c", ["x"], Rule("value", group="g"))
    assert steps_of([a, b, c]) == [(0, 2), (1,)]
    with pytest.raises(CurationError, match="other levels than its group"):
        steps_of([a, ladder("d", ["2020-01-01"], Rule("date", group="g"))])


def test_text_is_masked_from_the_right():
    found = labels(["DE-12345", "DE-12399", "AT-1", None], Rule("mask"))
    assert list(found) == ["value", "1 masked", "2 masked", "4 masked", "*"]
    assert found["2 masked"] == ["DE-123*", "DE-123*", "AT-1*", None]
    assert found["4 masked"] == ["DE-1*", "DE-1*", "AT-1*", None]
    assert list(labels(["12345"], Rule("mask", (3, 6)))) == ["value", "3 masked", "*"]
    assert list(labels([None], Rule("mask"))) == ["value", "*"]


def test_names_lose_spelling_and_words():
    found = labels(["St. Élisabeth-Klinik Ulm", "ST ELISABETH KLINIK ULM", "St Anna", "---", None], Rule("hospital"))
    assert found["spelling"] == ["st elisabeth klinik ulm"] * 2 + ["st anna", "---", None]
    assert found["2 words"] == ["st elisabeth"] * 2 + ["st anna", "---", None]
    assert found["1 word"] == ["st"] * 3 + ["---", None]
    assert labels(["Biograph 64", "Biograph mCT"], Rule("scanner"))["1 word"] == ["biograph"] * 2


@pytest.mark.parametrize(
    ("column", "values", "kind", "widths"),
    [
        ("age", [3.0, 70.0, None], "age", AGE_WIDTHS),
        ("patient_age", [3.0], "age", AGE_WIDTHS),
        ("weight", [40.0, 120.0], "interval", (1, 5, 10)),
        ("dose", [100.0, 9000.0], "interval", (100, 500, 1000)),
        ("image", [4.0, 4.0], "interval", (1, 5, 10)),
        ("visit", ["2020-01-31", None], "date", ()),
        ("institution_name", ["a"], "hospital", ()),
        ("model", ["a"], "scanner", ()),
        ("sex", ["F"], "value", ()),
        ("smokes", [True, False], "value", ()),
        ("site", [None], "hospital", ()),
    ],
)
def test_a_ladder_is_made_for_what_a_column_holds(column, values, kind, widths):
    found = fitting(column, values, Rule("auto"))
    assert (found.kind, found.widths) == (kind, widths)
    assert ladder(column, values, Rule("auto")).labels[-1] == ("*",) * len(values)


@given(st.lists(st.one_of(st.none(), st.text(max_size=12)), min_size=1, max_size=20, unique=True))
def test_ladders_of_any_text_nest(values):
    for kind in ("mask", "hospital", "auto", "value"):
        rows = np.array([ladder("q", values, Rule(kind)).loss(0), ladder("q", values, Rule(kind)).loss(1)])
        assert (np.diff(rows, axis=0) >= 0).all()

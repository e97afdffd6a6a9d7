"""Small cohorts that the tests of search and Mondrian share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa
from hypothesis import strategies as st

from radcurate.privacy.coding import encode
from radcurate.privacy.hierarchies import AGE_TOP, AGE_WIDTHS, Rule, ladder
from radcurate.privacy.search import Cohort, Targets
from radcurate.privacy.sensitive import ranks, sensitive

RULES = {
    "age": Rule("age", AGE_WIDTHS, AGE_TOP),
    "date": Rule("date", least="month", weight=2.0),
    "sex": Rule("value", weight=0.5),
}
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "subject": st.sampled_from([f"P{n}" for n in range(9)]),
            "age": st.sampled_from([31.0, 33.5, 38.0, 52.0, 89.99, 90.0, None]),
            "date": st.sampled_from(["2019-01-05", "2019-02-05", "2019-11-05", "2020-11-05", None]),
            "sex": st.sampled_from(["M", "F", None]),
            "s": st.sampled_from([1, 2, 3]),
        }
    ),
    min_size=1,
    max_size=14,
)
TARGETS = st.builds(
    Targets,
    k=st.integers(1, 4),
    l=st.sampled_from([1, 1, 2]),
    t=st.sampled_from([1.0, 1.0, 0.5, 0.2]),
    suppression=st.sampled_from([0.0, 0.2, 0.5, 1.0]),
    l_entropy=st.sampled_from([1.0, 1.0, 1.5, 2.0]),
    l_recursive=st.sampled_from([1, 1, 2]),
    c=st.sampled_from([1.0, 3.0]),
    t_ordered=st.sampled_from([1.0, 1.0, 0.4, 0.2]),
)


def cohort_of(rows: list[dict], rules: Mapping[str, Rule]) -> Cohort:
    """A cohort of rows with `subject`, the columns of `rules` and the sensitive column `s`."""
    names = ["subject", "s", *rules]
    table = pa.table({name: pa.array([row[name] for row in rows]) for name in names})
    coded = {name: encode(table[name]) for name in rules}
    who, hidden = encode(table["subject"]).codes, encode(table["s"])
    return Cohort(
        who,
        [found.codes for found in coded.values()],
        [ladder(name, found.values, rules[name]) for name, found in coded.items()],
        {"s": sensitive(who, hidden.codes, ranks(hidden))},
    )


def people(rows: Iterable[Mapping]) -> set:
    """Patients of some rows."""
    return {row["subject"] for row in rows}

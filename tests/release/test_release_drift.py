"""Drift of a batch: a planted shift is flagged, its absence is not, few patients say nothing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from radcurate.release.changes import Edition, compare
from radcurate.release.changes_text import changes_text
from radcurate.release.drift import drift, ks_distance
from radcurate.release.manifest import ROLE

NAMES = [f"f{number}" for number in range(20)]


def batch(people, seed, shift=None, label="GTV", site="A", rows=1):
    chance = np.random.default_rng(seed)
    subjects = [f"P{seed}-{number}" for number in range(people) for _ in range(rows)]
    columns = {"subject": subjects, "modality": ["CT"] * len(subjects), "roi_label": [label] * len(subjects)}
    columns |= {"site": [site] * len(subjects)}
    for name in NAMES:
        columns[name] = chance.normal(0, 1, len(subjects)) + (shift or {}).get(name, 0.0)
    return pa.table(columns)


def test_a_planted_shift_is_flagged_and_nothing_else():
    before = batch(60, 1)
    found = drift(before, pa.concat_tables([before, batch(40, 2, {"f3": 3.0})]), NAMES)
    assert found["measured"] and found["new_patients"] == 40 and found["compared"] == 20
    assert [one["feature"] for one in found["features"]] == ["f3"] and found["flagged"] == 1
    assert 2.4 < found["features"][0]["standardised"] < 3.6 and found["features"][0]["distance"] > 0.7


@pytest.mark.parametrize("seed", range(3, 23))
def test_no_shift_is_not_flagged(seed):
    before = batch(60, 1)
    assert drift(before, batch(40, seed), NAMES)["flagged"] == 0


def test_patients_who_stay_are_not_new():
    before = batch(60, 1)
    found = drift(before, before, NAMES)
    assert not found["measured"] and found["new_patients"] == 0 and "5 patients" in found["detail"]


@pytest.mark.parametrize(("old", "new"), [(4, 40), (40, 4), (0, 40)])
def test_few_patients_say_nothing(old, new):
    assert not drift(batch(old, 1), batch(new, 2, {"f3": 9.0}), NAMES)["measured"]


def test_regions_of_another_name_are_not_compared():
    found = drift(batch(30, 1), batch(30, 2, {"f3": 9.0}, label="heart"), NAMES)
    assert found["measured"] is False and "no kind of region" in found["detail"]


def test_several_regions_of_a_patient_don_t_count_twice():
    """Three identical rows a patient are one value: p stays that of the patients."""
    few = [batch(6, seed, {"f3": shift}) for seed, shift in ((1, 0.0), (2, 9.0))]
    often = [pa.concat_tables([one] * 30) for one in few]
    (one,), (other,) = (drift(*pair, ["f3"])["features"] for pair in (few, often))
    assert (one["distance"], one["p"]) == (other["distance"], other["p"])


def test_the_order_of_rows_is_nothing():
    before, now = batch(30, 1, rows=3), batch(30, 2, {"f5": 2.0}, rows=3)
    mixed = now.take(np.random.default_rng(0).permutation(now.num_rows))
    one, other = drift(before, now, NAMES), drift(before, mixed, NAMES)
    assert [row["feature"] for row in one["features"]] == [row["feature"] for row in other["features"]] == ["f5"]


def test_another_hospital_is_flagged():
    found = drift(batch(60, 1), batch(40, 2, site="B"), NAMES)
    (site,) = [one for one in found["categories"] if one["column"] == "site"]
    assert site["flagged"] and site["distance"] == 1.0


def test_missing_values_and_constant_features():
    columns = batch(20, 1).to_pydict() | {"f0": [float("nan")] * 20, "f1": [1.0] * 20}
    other = batch(20, 2).to_pydict() | {"f0": [1.0] * 20, "f1": [1.0] * 20}
    found = drift(pa.table(columns), pa.table(other), NAMES)
    assert found["compared"] == 19 and "f1" not in [one["feature"] for one in found["features"]]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30), st.lists(st.integers(-5, 5), min_size=1, max_size=30))
def test_the_distance_is_scipys(a, b):
    a, b = np.array(a, float), np.array(b, float)
    assert ks_distance(a, b) == pytest.approx(ks_2samp(a, b).statistic, abs=1e-12)


def edition(name, content):
    schema = [field.with_metadata({ROLE: b"feature"}) if field.name in NAMES else field for field in content.schema]
    rows = pa.array([f"R{number}" for number in range(content.num_rows)])
    features = content.cast(pa.schema(schema)).append_column("roi", rows)
    return Edition(name, "0" * 64, {}, {}, {}, features, pa.table({"series": pa.array([], pa.string())}))


def test_changes_tell_a_planted_shift():
    before = batch(60, 1)
    now = pa.concat_tables([before, batch(40, 2, {"f3": 3.0})])
    found = compare(edition("radiomics-1", before), edition("radiomics-2", now), crowd=5)
    assert [one["feature"] for one in found["drift"]["features"]] == ["f3"]
    page = changes_text(found)
    assert "40 new patients against 60 earlier ones" in page and "| CT GTV | `f3` |" in page and "`f4`" not in page
    small = compare(edition("radiomics-1", before), edition("radiomics-2", now), crowd=41)
    assert not small["drift"]["measured"] and "Not measured" in changes_text(small)

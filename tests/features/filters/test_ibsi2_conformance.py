"""The filters against the response maps and feature values of IBSI-2, and against the committed tables of them."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from ibsi2_table import (
    READERS,
    Volume,
    deviation,
    deviation_of,
    feature_table,
    map_files,
    map_table,
    reference_values,
    values_of,
)

from radcurate.features.conformance import is_right
from radcurate.features.filters import conformance
from radcurate.features.filters.conformance import WITHIN

PLANTED_IN_MAPS = {
    "1.a.4": {"boundary": "zero"},
    "2.b": {"sigma": 5.2},
    "3.a.2": {"kernels": "E5L5E5"},
    "3.b.3": {"energy": 6},
    "4.b.1": {"angle": 226},
    "5.a.1": {"subbands": ["LLH"]},
    "6.a.2": {"rotation_invariant": False},
    "7.a.1": {"boundary": "periodic"},
    "8.a.2": {"level": 1},
    "9.b.1": {"order": [2, 0, 0]},
}
PLANTED_IN_FEATURES = {
    "2.A": {"size": 7},
    "3.A": {"sigma": 1.6},
    "4.A": {"pooling": "average"},
    "6.A": {"family": "db2"},
    "7.A": {"level": 1},
    "8.A": {"level": 2},
}


@pytest.fixture(scope="session")
def references(real_data: Path) -> Path:
    """The real data, where IBSI-2's references lie beside them."""
    if not map_files(real_data) or not reference_values(real_data):
        pytest.skip("IBSI-2's references are not beside the folder with real data")
    return real_data


@cache
def phantom(real_data: Path, source: str) -> Volume:
    return READERS[source](real_data)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_33_of_33_response_maps():
    assert len(conformance.responses()) == 33
    assert [one.test for one in conformance.responses() if not one.right] == []


def test_every_feature_value_that_has_a_reference():
    """323: the reference table has 324 lines, one of them without a value (8.B, quartile coefficient of dispersion)."""
    assert len(conformance.values()) == 323
    assert [(one.test, one.tag) for one in conformance.values() if not one.right] == []


def test_the_tables_hold_what_the_references_hold(references):
    assert {one.test for one in conformance.responses()} == set(conformance.MAPS) == set(map_files(references))
    told = {(one.test, one.tag): (one.reference, one.tolerance) for one in conformance.values()}
    assert told == {
        (row["filter_id"], row["feature_tag"]): (float(row["consensus_value"]), float(row["tolerance"]))
        for row in reference_values(references)
    }
    assert {test for test, _ in told} == set(conformance.FILTERS)


def test_the_committed_maps_are_what_is_measured(references):
    for row in rows_of(map_table(references)):
        (committed,) = [one.deviation for one in conformance.responses() if one.test == row["test"]]
        assert float(row["deviation"]) == pytest.approx(committed, rel=0.05, abs=1e-6), row["test"]


def test_the_committed_features_are_what_is_measured(references):
    committed = {(one.test, one.tag): one.measured for one in conformance.values()}
    for row in rows_of(feature_table(references)):
        for source, value in committed[row["test"], row["tag"]].items():
            assert float(row[source]) == pytest.approx(value, rel=1e-6), (row["test"], row["tag"], source)


@pytest.mark.parametrize("test", PLANTED_IN_MAPS)
def test_another_choice_misses_the_map(test, references):
    assert deviation_of(references, test, **PLANTED_IN_MAPS[test]) > WITHIN


@pytest.mark.parametrize("test", PLANTED_IN_FEATURES)
def test_another_choice_misses_features(test, references):
    found = values_of(phantom(references, "nifti"), test, **PLANTED_IN_FEATURES[test])
    reference = [one for one in conformance.values() if one.test == test]
    wrong = [one.tag for one in reference if not is_right(found[one.tag], one.reference, one.tolerance)]
    assert len(wrong) >= 5


def test_one_wrong_voxel_misses_a_map():
    reference = np.zeros((3, 3, 3))
    reference[0, 0, 0] = 1
    found = reference.copy()
    found[2, 1, 1] = 0.011
    assert deviation(reference, reference) == 0 and deviation(found, reference) > WITHIN


def test_a_value_out_of_tolerance_takes_its_feature_off_the_list(monkeypatch):
    first = next(one for one in conformance.values() if one.test == "3.A")
    wrong = conformance.Value(first.test, first.tag, first.reference, first.tolerance, {"nifti": 1e9, "dicom": 0.0})
    rest = tuple(one for one in conformance.values() if one != first)
    whole = conformance.compared()
    monkeypatch.setattr(conformance, "values", lambda: (*rest, wrong))
    assert whole - conformance.compared.__wrapped__() == {("log", first.tag)}


def test_a_map_out_of_tolerance_takes_its_filter_off_the_list(monkeypatch):
    rest = tuple(one for one in conformance.responses() if one.test != "2.b")
    monkeypatch.setattr(conformance, "responses", lambda: (*rest, conformance.Response("2.b", 0.02)))
    assert {kind for kind, _ in conformance.compared()} - {kind for kind, _ in conformance.compared.__wrapped__()} == {
        "log"
    }

"""Reporting checklists: all items are there, nothing is guessed, people's answers are taken and checked."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pyarrow as pa
import pytest

from radcurate.errors import CurationError
from radcurate.release.checklists import (
    ANSWERED,
    MISSING,
    NOT_APPLICABLE,
    PROBES,
    REPORTED,
    Known,
    _rows,
    as_csv,
    filled,
    overview,
    study_answers,
)
from radcurate.release.dictionary import Column, Treatment

FEATURE = Column("features", "cm_joint_max_3D_avg", "double", "1", "GYBY", "3D_avg", "compliant", "feature", "", "")


def known(**changes):
    features = pa.table(
        {"subject": ["P1", "P2"], "modality": ["CT", "CT"], "site": ["H1", "H2"], FEATURE.name: [1.0, float("nan")]}
    )
    acquisition = pa.table(
        {"series": ["S1", "S2"], "modality": ["CT", "CT"], "kvp": ["120", "*"], "tracer": [None, None]}
    )
    provenance = pa.table(
        {"engine": ["radcurate"] * 2, "voxel_size": [[2.0, 2.0, 2.0], [2.0, 2.0, 2.0]], "profile": ["{}"] * 2}
    )
    plain = Known(
        verdict={"legal": {"status": "pseudonymised", "hipaa_path": "safe_harbor"}},
        tables={"features": features, "acquisition": acquisition, "provenance": provenance},
        columns=[FEATURE],
        sources=[],
        images=0,
        treatment=Treatment(),
        study={},
    )
    return replace(plain, **changes)


def item(items, checklist, number):
    (one,) = [one for one in items if (one.checklist, one.item) == (checklist, number)]
    return one


def test_every_item_is_there_once():
    rows = _rows()
    numbers = {name: [row["item"] for row in rows if row["checklist"] == name] for name in ("clear", "metrics", "ibsi")}
    assert numbers["clear"] == [str(number) for number in range(1, 59)]
    assert numbers["metrics"] == [str(number) for number in range(1, 31)]
    assert {int(number.rstrip("abcde")) for number in numbers["ibsi"]} == set(range(1, 77))
    assert len(set(numbers["ibsi"])) == len(numbers["ibsi"])
    assert all(row["found"].partition(":")[0] in {*PROBES, "handcrafted", ""} for row in rows)


def test_what_artefacts_say_is_reported_with_its_place():
    items = filled(known())
    assert item(items, "ibsi", "14").answer == "kvp of 1 of 2 series" and item(items, "ibsi", "14").state == REPORTED
    assert item(items, "ibsi", "51").answer == "voxel_size: [2.0, 2.0, 2.0]"
    assert item(items, "clear", "29").answer.startswith("1 values are missing")
    assert item(items, "metrics", "4").answer.startswith("2 hospitals")
    assert all(one.artefact for one in items if one.state == REPORTED)


def test_nothing_is_guessed():
    items = filled(known())
    assert item(items, "clear", "9").state == MISSING and item(items, "clear", "13").state == MISSING
    assert item(items, "clear", "31").state == MISSING  # no ranges, so nobody knows
    assert all(not one.answer for one in items if one.state == MISSING)


def test_a_value_that_was_generalised_away_is_missing():
    tables = {**known().tables, "acquisition": pa.table({"series": ["S1"], "modality": ["CT"], "kvp": ["*"]})}
    assert item(filled(known(tables=tables)), "ibsi", "14").state == MISSING


def test_items_of_other_modalities_don_t_apply():
    items = filled(known())
    assert item(items, "ibsi", "3a").state == item(items, "ibsi", "20").state == NOT_APPLICABLE
    assert item(items, "metrics", "17").state == NOT_APPLICABLE


def test_the_parameters_of_another_engine_are_not_ours():
    tables = {**known().tables, "provenance": pa.table({"engine": ["other"], "profile": ["{}"]})}
    assert item(filled(known()), "ibsi", "71").state == REPORTED
    assert item(filled(known(tables=tables)), "ibsi", "71").state == MISSING


def test_people_answer_what_is_missing_and_add_to_what_is_not():
    study = study_answers({"clear": {9: "all patients\n of five years"}, "ibsi": {"14": "fixed"}})
    items = filled(known(study=study))
    assert (
        item(items, "clear", "9").state == ANSWERED and item(items, "clear", "9").answer == "all patients of five years"
    )
    assert item(items, "ibsi", "14").answer == "kvp of 1 of 2 series; fixed"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"claer": {}}, "did you mean clear?"),
        ({"clear": {59: "x"}}, "found:  59"),
        ({"clear": {9: ""}}, "none at clear 9"),
        ({"clear": {9: ["x"]}}, "none at clear 9"),
        ({"clear": ["x"]}, "something else at clear"),
        (["clear"], "something else"),
    ],
)
def test_answers_that_are_none(content, told):
    with pytest.raises(CurationError) as refused:
        study_answers(content)
    assert told in str(refused.value)
    assert study_answers(None) == {}


def test_the_overview_counts_and_names_what_is_missing():
    items = filled(known())
    text = overview(items)
    for name in ("clear", "metrics", "ibsi"):
        own = [one for one in items if one.checklist == name]
        counts = [sum(one.state == state for one in own) for state in (REPORTED, ANSWERED, NOT_APPLICABLE, MISSING)]
        assert f"({name}.csv) | {len(own)} | " + " | ".join(map(str, counts)) + " |" in text
        assert all(f"- {one.item}: {one.words}" in text for one in own if one.state == MISSING)
        assert len(list(csv.DictReader(io.StringIO(as_csv(items, name))))) == len(own)

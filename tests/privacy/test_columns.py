"""columns.yaml: every released column has a role and a reason, and what contradicts itself is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.features.catalogue import catalogue
from radcurate.privacy.columns import load_columns

SHIPPED = Path(__file__).resolve().parents[2] / "config" / "columns.yaml"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "columns.yaml"
    path.write_text(text)
    return path


def test_the_shipped_table_declares_every_column_that_extract_writes():
    columns = load_columns(SHIPPED)
    names = [name for schema in (tables.EXTRACT_FEATURES, tables.EXTRACT_ACQUISITION) for name, _ in schema.columns]
    assert [name for name in names if columns.find(name) is None] == []
    assert {columns.find(column.name).role for column in catalogue()} == {"feature"}


def test_the_shipped_table_names_no_column_that_extract_does_not_write():
    columns = load_columns(SHIPPED)
    schemas = (tables.EXTRACT_FEATURES, tables.EXTRACT_ACQUISITION, tables.EXTRACT_RANGES, tables.PROTECT_CROSSCHECK)
    names = {name for schema in schemas for name, _ in schema.columns}
    assert [name for name in columns.names() if name not in names] == []


@pytest.mark.parametrize("name", ["tube_current", "exposure", "ctdi_vol", "injected_dose", "software", "status"])
def test_dose_and_software_are_not_released(name):
    assert load_columns(SHIPPED).released([name]) == []


def test_what_is_not_declared_is_not_released(tmp_path):
    columns = load_columns(written(tmp_path, 'columns:\n  "stat_*": {role: feature, reason: values}\n'))
    assert columns.released(["stat_mean", "patient_name", "status"]) == ["stat_mean"]


def test_an_exact_name_wins_over_patterns(tmp_path):
    text = 'columns:\n  "s*": {role: feature, reason: one}\n  "st*": {role: technical, reason: two}\n  stop: {role: identifier, reason: not released}\n'
    columns = load_columns(written(tmp_path, text))
    assert columns.find("start").role == "feature"
    assert columns.released(["stop", "start"]) == ["start"]


@pytest.mark.parametrize(
    "entry",
    [
        "{role: feature}",
        "{reason: because}",
        "{role: feature, reason: ''}",
        "{role: friend, reason: because}",
        "{role: feature, reason: because, hierarchy: value}",
        "{role: quasi_identifier, reason: because}",
        "{role: feature, reason: because, code: X}",
        "{role: identifier, reason: because, code: long}",
        "{role: quasi_identifier, reason: because, hierarchy: age, widths: [2, 3]}",
        "{role: quasi_identifier, reason: because, hierarchy: interval}",
        "{role: feature, reason: because, colour: red}",
        "nothing",
    ],
)
def test_an_entry_that_contradicts_itself_is_refused(tmp_path, entry):
    with pytest.raises(CurationError, match="column mine is not declared as it should be"):
        load_columns(written(tmp_path, f"columns:\n  mine: {entry}\n"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("columns: [", "not YAML"),
        ("", "empty"),
        ("columns:\n  subject: {role: technical, reason: because}\n", "holds codes of the run"),
        ('columns:\n  "s*": {role: quasi_identifier, reason: because, hierarchy: value}\n', "pattern"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, text, problem):
    with pytest.raises(CurationError, match=problem):
        load_columns(written(tmp_path, text))


def test_no_table(tmp_path):
    with pytest.raises(CurationError, match="no table of columns"):
        load_columns(tmp_path / "columns.yaml")

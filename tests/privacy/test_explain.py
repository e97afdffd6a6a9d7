"""Who is at risk, what else could be done, what a column costs: against counting with sets and dictionaries."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml
from privacy_oracle import groups

from radcurate.privacy.account import Asked, Released, account
from radcurate.privacy.columns import Columns, load_columns
from radcurate.privacy.protect import protect
from radcurate.privacy.rows import Pair
from radcurate.privacy.search import Targets
from radcurate.privacy.values import values_of
from radcurate.privacy.vectors import Treatment

QUASI = ("sex", "site", "age")
ENTRIES = {
    "subject": {"role": "identifier", "code": "P", "reason": "joins rows"},
    "series": {"role": "identifier", "code": "S", "reason": "joins tables"},
    "roi": {"role": "identifier", "code": "R", "reason": "names a row"},
    "sex": {"role": "quasi_identifier", "hierarchy": "value", "reason": "known"},
    "site": {"role": "quasi_identifier", "hierarchy": "value", "reason": "known"},
    "age": {"role": "quasi_identifier", "hierarchy": "interval", "widths": [1, 10, 20], "reason": "known"},
    "modality": {"role": "technical", "reason": "what was measured"},
    "roi_label": {"role": "technical", "reason": "what was measured"},
    "stat_*": {"role": "feature", "reason": "what it is for"},
}


def declared(tmp_path: Path, **more: dict) -> Columns:
    path = tmp_path / "columns.yaml"
    path.write_text(yaml.safe_dump({"columns": ENTRIES | more}, sort_keys=False))
    return load_columns(path)


def people(n: int = 30, seed: int = 0) -> list[dict]:
    chance = np.random.default_rng(seed)
    return [
        {
            "subject": f"P-{patient:03}",
            "series": f"S-{patient:03}{study}",
            "roi": f"R-{patient:03}{study}",
            "sex": "MF"[patient % 2],
            "site": str(chance.integers(0, 3)),
            "age": int(chance.integers(20, 26)),
            "modality": "CT",
            "roi_label": "GTV",
            "stat_mean": float(chance.normal()),
        }
        for patient in range(n)
        for study in range(1 + (patient % 5 == 0))
    ]


@dataclass(frozen=True)
class Explained:
    """What is told of a cohort."""

    at_risk: list[dict]
    ways: list[dict]
    marginal: list[dict]
    document: dict


def run(rows: list[dict], columns: Columns, **demands) -> Explained:
    acquisition = [{"series": row["series"], "subject": row["subject"]} for row in rows]
    pair, targets = Pair(pa.Table.from_pylist(rows), pa.Table.from_pylist(acquisition)), Targets(**demands)
    made = protect(pair, columns, targets, lambda letter, name: f"{letter}-{name[2:]}")
    content = pair.features.take(pa.array(made.rows))
    values = values_of(content, ["stat_mean"])
    group = np.arange(len(made.owners.subjects))
    told = Released(values, values, content["modality"], group, pair.names, made.released.names)
    document = account(made, told, Asked(columns, targets, Treatment(), "full_domain")).document
    return Explained(made.at_risk.to_pylist(), made.ways, made.marginal, document)


def crowds(rows: list[dict], columns: tuple[str, ...]) -> dict[str, int]:
    return {subject: len(group) for group in groups(rows, columns) for subject in group}


@pytest.mark.parametrize("seed", range(5))
def test_minimal_sets_are_those_of_brute_force(tmp_path, seed):
    rows, k = people(seed=seed), 4
    found = run(rows, declared(tmp_path), k=k, suppression=0.5).at_risk
    sets = [columns for size in (1, 2, 3) for columns in itertools.combinations(QUASI, size)]
    told = {columns: {subject for subject, n in crowds(rows, columns).items() if n < k} for columns in sets}
    expected = {
        (subject, columns)
        for columns in sets
        for subject in told[columns]
        if not any(subject in told[part] for part in sets if set(part) < set(columns))
    }
    assert {(line["subject"], tuple(line["columns"])) for line in found} == expected
    assert all(line["size"] == crowds(rows, tuple(line["columns"]))[line["subject"]] for line in found)
    assert all(line["minimal"] for line in found)


def test_nobody_at_risk(tmp_path):
    rows = [row | {"age": 30, "site": "a", "sex": "F"} for row in people()]
    assert run(rows, declared(tmp_path), k=5).at_risk == []


def test_a_patient_told_by_four_columns_together(tmp_path):
    """Every three of the columns are shared by all combinations; only all four together are rare."""
    more = {name: {"role": "quasi_identifier", "hierarchy": "value", "reason": "known"} for name in "abcd"}
    plain = people(1)[0] | {"sex": "F", "site": "a", "age": 30}
    rows = [
        plain
        | dict(zip("abcd", map(str, values), strict=True))
        | {name: f"{name[0]}-{number}" for name in ("subject", "series", "roi")}
        for number, values in enumerate(
            v for v in itertools.product((0, 1), repeat=4) for _ in range(1 if v == (0, 0, 0, 0) else 3)
        )
    ]
    lines = [
        line for line in run(rows, declared(tmp_path, **more), k=2, suppression=1).at_risk if line["subject"] == "s-0"
    ]
    assert [(line["minimal"], line["size"]) for line in lines] == [(False, 1)]


@pytest.mark.parametrize("seed", range(3))
def test_every_way_is_what_it_says(tmp_path, seed):
    """A way for another k is typed in: it gives what was foretold."""
    rows, columns = people(seed=seed), declared(tmp_path)
    found = run(rows, columns, k=5, suppression=0.1)
    (own,) = [way for way in found.ways if way["change"] == "as_configured"]
    assert (own["k"], own["loss"]) == (found.document["after"]["k"], found.document["ncp"])
    assert own["holds"] == found.document["holds"]
    for way in found.ways:
        if way["change"] in ("k", "suppression"):
            again = run(rows, columns, k=way["asked_k"], suppression=way["budget"]).document
            assert (again["after"]["k"], again["suppressed_subjects"]) == (way["k"], way["suppressed"])
            assert again["ncp"] == pytest.approx(way["loss"]) and again["holds"] == way["holds"]
    assert {way["asked_k"] for way in found.ways} == {2, 3, 5, 11}


def test_a_cap_that_stands_in_the_way_is_named(tmp_path):
    rows = people()
    capped = declared(tmp_path, age=ENTRIES["age"] | {"most": "1"})
    found = run(rows, capped, k=5, suppression=0.05)
    assert not found.document["holds"]
    ways = [way for way in found.ways if way["asked_k"] == 5 and way["holds"] and way["change"] == "uncap"]
    assert [way["column"] for way in ways] == ["age"]
    assert ways[0]["loss"] == pytest.approx(run(rows, declared(tmp_path), k=5, suppression=0.05).document["ncp"])


def test_leaving_a_column_out_is_the_release_without_it(tmp_path):
    rows = people()
    columns = declared(tmp_path)
    ways = [way for way in run(rows, columns, k=5, suppression=0.1).ways if way["change"] == "drop"]
    for way in ways:
        without = declared(tmp_path, **{way["column"]: {"role": "identifier", "reason": "dropped"}})
        found = run(rows, without, k=5, suppression=0.1).document
        assert (found["after"]["k"], found["suppressed_subjects"]) == (way["k"], way["suppressed"])
        assert way["loss"] == pytest.approx((1 + 2 * found["ncp"]) / 3)  # three columns, one of them lost
    assert ways


def test_demands_on_sensitive_values_are_tried(tmp_path):
    rows = [row | {"stage": str(number % 3)} for number, row in enumerate(people(40))]
    columns = declared(tmp_path, stage={"role": "sensitive", "reason": "an outcome"})
    ways = run(rows, columns, k=5, suppression=0.3).ways
    strict = [way for way in ways if way["change"] in ("k", "l_and_t") and "protect.t: 0.2" in way["setting"]]
    assert {way["asked_k"] for way in strict} == {5, 11}
    assert all(way["t"] <= 0.2 and way["l_entropy"] >= 2 for way in strict if way["holds"])


def test_a_column_that_ruins_anonymity_is_reported_with_its_numbers(tmp_path):
    """Twelve patients share everything; the planted column leaves two of them alone together."""
    rows = [
        row | {"sex": "F", "site": "a", "age": 30, "ward": "x" if number < 2 else "y"}
        for number, row in enumerate(people(12))
    ]
    rows = list({row["subject"]: row for row in rows}.values())
    for number, row in enumerate(rows):
        row["ward"] = "x" if number < 2 else "y"
    columns = declared(tmp_path, ward={"role": "quasi_identifier", "hierarchy": "value", "reason": "planted"})
    found = run(rows, columns, k=5, suppression=0.0)
    lines = {line["column"]: line for line in found.marginal}
    assert (lines["ward"]["k_without"], lines["ward"]["k_with"], lines["ward"]["delta_k"]) == (12, 2, -10)
    assert lines["sex"]["delta_k"] == 0 and lines["ward"]["delta_unique"] == 0


def test_the_gain_for_others_when_a_column_goes(tmp_path):
    """Site splits every age in two: without it the ages can stay as they are."""
    rows = [
        people(1)[0]
        | {name: f"{letter}-{number:03}" for name, letter in (("subject", "P"), ("series", "S"), ("roi", "R"))}
        | {"sex": "F", "age": 20 + number // 5 % 2, "site": str(number)}
        for number in range(20)
    ]
    columns = declared(tmp_path, site=ENTRIES["site"] | {"most": "value"})
    found = run(rows, columns, k=5, suppression=1.0)
    line = next(line for line in found.marginal if line["column"] == "site")
    assert line["delta_ncp"] == pytest.approx(1.0)  # everybody had to go; now nobody does and nothing is lost


def test_a_technical_column_is_held_against_the_release(tmp_path):
    rows = people()
    for row in rows:
        row["modality"] = "MR" if row["subject"] == "P-007" else "CT"
    found = run(rows, declared(tmp_path), k=5, suppression=0.2)
    lines = {line["column"]: line for line in found.marginal if line["role"] == "technical"}
    assert lines["modality"]["k_with"] == 1 and lines["modality"]["k_without"] == found.document["after"]["k"]
    assert lines["roi_label"]["delta_k"] == 0


def test_row_order_changes_nothing(tmp_path):
    rows, columns = people(), declared(tmp_path)
    one, other = run(rows, columns, k=5), run(rows[::-1], columns, k=5)
    assert one.ways == other.ways and one.at_risk == other.at_risk and one.marginal == other.marginal

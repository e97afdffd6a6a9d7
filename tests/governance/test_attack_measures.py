"""How the gate reads attack.json: upper ends count, and what can't be read is not held."""

from __future__ import annotations

import copy

import pyarrow as pa
import pytest

from finished_run import ATTACKED
from radcurate.governance.evidence import Evidence, Files
from radcurate.governance.measures import MEASURES


def evidence(attack):
    nothing = pa.table({})
    return Evidence(
        members=(),
        chosen=frozenset(),
        found=Files(0, 0, {}),
        reported=None,
        steps={},
        files={},
        hits=0,
        regions={},
        faces={},
        study_dates={},
        features=nothing,
        acquisition=nothing,
        provenance=(),
        protection={},
        feature_columns=(),
        reasons={},
        rows_of={},
        hipaa_path="safe_harbor",
        dates="year",
        attack=attack,
    )


def value(measure, change=lambda document: None):
    document = copy.deepcopy(ATTACKED)
    change(document)
    return MEASURES[f"attack.{measure}"].read(evidence(document), [])


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("linkage", 0.03),
        ("fingerprint_top1", 0.08),
        ("fingerprint_top5", 0.4),
        ("fingerprint_same_scan", 0.09),
        ("site_excess", 0.2),
        ("differencing", 0.0),
        ("marketer", 0.02),
        ("journalist", 0.05),
        ("singling_out", 0.0),
        ("linkability", 0.03),
        ("inference", 0.1),
        ("uniqueness", 0.0),
        ("composite", 0.01),
        ("controls_failed", 0.0),
    ],
)
def test_what_is_held_against_a_limit(measure, expected):
    assert value(measure).number == pytest.approx(expected)


ATTACKS = [name for name, measure in MEASURES.items() if measure.artefact == "results/attack/attack.json"]


@pytest.mark.parametrize("name", ATTACKS)
def test_without_the_artefact_nothing_is_measured(name):
    found = MEASURES[name].read(evidence({}), [])
    assert found.number is None and found.applies


@pytest.mark.parametrize(
    "found",
    [
        {"high": None},
        {"high": float("nan")},
        {"high": "0.01"},
        {"high": True},
        {"high": -0.1},
        {"high": 0.001},  # below the rate
        {"high": 1.2},
        {"low": 0.02},  # above the rate
        {"rate": None},
        {"applies": None, "high": None},
    ],
)
def test_an_interval_that_can_not_be(found):
    assert value("linkage", lambda document: document["attacks"]["linkage"].update(found)).number is None


def test_an_attack_that_does_not_apply_says_why():
    found = value("site_excess", lambda d: d["attacks"]["site"].update(applies=False, detail="one hospital", rate=None))
    assert not found.applies and found.detail == "one hospital"


@pytest.mark.parametrize("control", ["positive", "negative"])
@pytest.mark.parametrize("passed", [False, None, "yes", 1])
def test_a_control_that_is_not_true_fails(control, passed):
    found = value("controls_failed", lambda d: d["attacks"]["linkage"]["controls"][control].update(passed=passed))
    assert found.number == 1 and found.detail == f"linkage: {control}"


def test_a_control_that_is_absent_fails():
    assert value("controls_failed", lambda d: d["attacks"]["linkage"]["controls"].clear()).number == 2


def test_an_attack_that_is_absent_fails():
    assert value("controls_failed", lambda d: d["attacks"].pop("differencing")).number == 1


def test_what_does_not_apply_owes_no_control_but_those_it_has_must_hold():
    def change(document):
        document["attacks"]["site"].update(applies=False, controls={})
        document["attacks"]["linkage"].update(applies=False)
        document["attacks"]["linkage"]["controls"]["positive"]["passed"] = False

    assert value("controls_failed", change).detail == "linkage: positive"


def test_what_the_attack_itself_says_failed_counts():
    assert value("controls_failed", lambda d: d["attacks"]["site"].update(controls_failed=["null"])).number == 1


def test_without_an_own_measure_the_same_scan_is_the_plain_fingerprint():
    assert value("fingerprint_same_scan", lambda d: d["attacks"]["fingerprint"]["further"].clear()).number == 0.08


def test_columns_that_give_it_away_are_told():
    assert "given away by a, b" in value("linkage").detail

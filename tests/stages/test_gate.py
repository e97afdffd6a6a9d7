"""The gate: lets a clean run pass; one planted violation per criterion, leak or edit refuses it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
import yaml
from gate_plants import (
    AGAIN,
    CHUNK,
    PATIENT,
    PLANTED,
    RELEASED,
    both,
    box,
    first,
    plant_hit,
    qc,
    redacted,
)

from finished_run import (
    BROKEN,
    FACE,
    FAILING,
    N_PATIENTS,
    REFUSED,
    SAFE_HARBOR,
    make_run,
    policy,
)
from radcurate import tables
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.seals import check_seal


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("clean"), Key(bytes(range(32))))


@pytest.fixture
def run(clean, tmp_path):
    return clean.copy(tmp_path)


def refused(run, measure, name="controlled", **deidentify):
    """The finding on `measure` of a run that must be refused because of it, and the text that was printed."""
    with pytest.raises(CurationError) as caught:
        run.gate(name, **deidentify)
    text, refusal = str(caught.value), run.refusal()
    assert not (run.results / "gate" / "verdict.json").exists() and not (run.results / "gate" / "seal.json").exists()
    failed = {finding["measure"]: finding for finding in refusal["findings"] if not finding["holds"]}
    assert measure in failed, sorted(failed)
    finding = failed[measure]
    assert (
        "measured:" in text and finding["allowed"] in text and finding["artefact"] in text and finding["help"] in text
    )
    return finding, text


def test_a_clean_run_passes(run):
    verdict = run.gate()
    assert verdict["holds"] and all(finding["holds"] for finding in verdict["findings"])
    assert check_seal(run.results / "gate", run.key).keys() == {
        "verdict.json",
        "outcomes.parquet",
        "safe_harbor.json",
        "terms.md",
        "fairness.json",
    }
    ends = {row["series"]: row for row in tables.read_rows(run.results / "gate" / "outcomes.parquet")}
    assert len(ends) == verdict["inventoried"] == 2 * N_PATIENTS
    for patient, outcome, stage in (
        (BROKEN, "quarantined", "inventory"),
        (REFUSED, "excluded", "consent"),
        (FACE, "quarantined", "deface"),
        (FAILING, "failed", "extract"),
        (PATIENT, "released", "release"),
    ):
        for kind in ("image", "contour"):
            end = ends[run.series(patient, kind)]
            assert (end["outcome"], end["stage"]) == (outcome, stage)
    assert sum(tally["series"] for tally in verdict["conservation"]) == 2 * N_PATIENTS


def test_the_verdict_is_the_same_whatever_ran_before(run):
    run.gate()
    first = {path.name: path.read_bytes() for path in (run.results / "gate").iterdir()}
    run.gate()
    assert first == {path.name: path.read_bytes() for path in (run.results / "gate").iterdir()}


def test_the_status_is_computed(run):
    legal = run.gate()["legal"]
    assert legal["status"] == "pseudonymised" and legal["key_id"] == run.key.key_id
    assert legal["hipaa_path"] == "expert_determination" and "expert" in legal["hipaa"]


def test_a_pass_removes_an_old_refusal(run):
    with pytest.raises(CurationError):
        run.gate("public", file=strict(run, "protect.k", min=99))
    assert (run.results / "gate" / "refusal.json").exists()
    run.gate()
    assert not (run.results / "gate" / "refusal.json").exists()


def strict(run, measure, **limit):
    """A policy that asks for more than the run has."""
    content = yaml.safe_load(policy("controlled").read_text())
    entry = {"name": "stricter", "measure": measure, "source": "tests", "help": "nothing helps", **limit}
    content["criteria"].insert(0, entry)
    path = run.results.parent / "strict.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize(("measure", "plant"), PLANTED, ids=lambda item: getattr(item, "__name__", item))
def test_a_planted_violation_refuses(run, measure, plant):
    plant(run)
    refused(run, measure)


def test_a_face_cut_by_the_mask_of_another_series_has_no_control_of_its_own(run):
    qc(moved=None, control_passed=None)(run)
    assert run.gate()["faces"]["removed"] == 1


def test_what_a_person_released_may_stay(run):
    both(RELEASED, box(sure=False, filled=False), box(**AGAIN))(run)
    assert run.gate()["holds"]


def test_a_doubt_where_nothing_is_looked_at_strictly(run):
    both(redacted(strict=False), box(sure=False, filled=False))(run)
    assert run.gate()["holds"]


def test_without_faces_nothing_is_asked_of_them(run):
    run.edit(f"deface/{CHUNK}", "series.parquet", lambda rows: [{**r, "face": r["face"] and "none"} for r in rows])
    findings = {finding["measure"]: finding for finding in run.gate()["findings"]}
    assert findings["deface.face_share"]["holds"] and findings["deface.face_share"]["measured"] is None


def test_a_control_that_passes_counts_where_the_series_was_set_aside_too(run):
    face = {"series": run.series(FACE), "control_passed": True}
    run.edit(
        f"deface/{run.chunk_of(FACE)}",
        "qc.parquet",
        lambda rows: [{**row, **face} if row["series"] == run.series(FACE) else row for row in rows],
    )
    refused(run, "deface.control_passed")


def test_l_of_the_public_tier(run):
    run.measure(lambda content: content["after"].update(t=0.1, l=1, sensitive={"roi_label": {"t": 0.1, "l": 1}}))
    refused(run, "protect.l", "public")


def test_safe_harbor_with_a_day(run):
    run.edit(f"deidentify/{CHUNK}", "series.parquet", first(lambda row: row.update(study_date="2015-03-02")))
    refused(run, "dates.finer_than_year", path="safe_harbor", dates="year")


@pytest.mark.parametrize("number", [0.9, None])
def test_what_is_only_told_never_refuses(run, number):
    run.attack(lambda document: document["risk"].update(marketer=number))
    verdict = run.gate(file=strict(run, "attack.marketer", informative=True))
    told = verdict["findings"][1]
    assert told["measure"] == "attack.marketer" and told["holds"] and told["measured"] == number


def test_an_edited_attack_is_named(run):
    run.attack(lambda document: document["attacks"]["linkage"].update(high=0.0), seal=False)
    _, text = refused(run, "seals.broken")
    assert "attack.json was changed after it was written" in text


# artefacts that can't be believed


@pytest.mark.parametrize(
    "folder",
    [
        *(
            f"{stage}/{CHUNK}"
            for stage in ("inventory/chunks", "consent/chunks", "deidentify", "redact", "deface", "verify", "extract")
        ),
        "consent",
        "protect",
    ],
)
def test_an_edited_artefact_is_named(run, folder):
    run.edit(folder, "series.parquet", first(lambda row: row.update(remedy="edited")), seal=False)
    _, text = refused(run, "seals.broken")
    assert f"results/{folder}" in text and "changed after it was written" in text


def test_an_edited_measure_is_named(run):
    run.measure(lambda content: content["after"].update(k=99), seal=False)
    _, text = refused(run, "seals.broken")
    assert "measures.json was changed after it was written" in text


def test_a_seal_of_another_key(run):
    run.key = Key(bytes(32))
    _, text = refused(run, "seals.broken")
    assert "another key" in text


@pytest.mark.parametrize("folder", ["protect", f"extract/{CHUNK}", "consent", "inventory"])
def test_a_missing_folder(run, folder):
    shutil.rmtree(run.results / folder)
    with pytest.raises(CurationError):
        run.gate()
    assert not (run.results / "gate" / "verdict.json").exists()


def test_a_table_that_is_not_sealed(run):
    seal = run.results / "protect" / "seal.json"
    content = json.loads(seal.read_text())
    del content["files"]["measures.json"]
    content["mac"] = run.key.digest("seal", json.dumps(content["files"], sort_keys=True)).hex()
    seal.write_text(json.dumps(content))
    _, text = refused(run, "seals.broken")
    assert "measures.json is not sealed" in text


def test_folders_of_earlier_runs_are_not_read(run):
    for stage in ("deidentify", "redact", "deface", "verify", "extract"):
        shutil.copytree(run.results / stage / CHUNK, run.results / stage / "00099")
        (run.results / stage / "00099" / "series.parquet").write_bytes(b"of another time")
    assert run.gate()["holds"]


def test_nobody_is_permitted(run):
    """No chunk at all: a refusal with reasons, not a crash."""
    excluded = {"status": "excluded", "reason": "other_purpose"}
    run.edit("consent", "series.parquet", lambda rows: [{**row, **excluded} for row in rows])
    shutil.rmtree(run.results / "consent" / "chunks")
    for folder in (run.results / "extract").iterdir():
        shutil.rmtree(folder)
    run.protect(k=5)
    refused(run, "features.rows")


def test_the_command_ends_with_an_error(run, tmp_path):
    plant_hit(run)
    keyfile = tmp_path / "key"
    keyfile.write_text(run.key.secret.hex())
    keyfile.chmod(0o600)
    options = {
        "settings": "{}",
        "deidentify": "{}",
        "results": run.results,
        "out": run.results / "gate",
        "policy": policy("public"),
        "safe-harbor": SAFE_HARBOR,
    }
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    words += ["--papers", *map(str, sorted(run.desk.glob("*.yaml")))]
    done = subprocess.run(
        [sys.executable, "-m", "radcurate.stages.gate", *words],
        env={"RADCURATE_KEY_FILE": str(keyfile), "PATH": "", "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "no original identifier left" in done.stderr

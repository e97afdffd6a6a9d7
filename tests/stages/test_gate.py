"""The gate: lets a clean run pass; one planted violation per criterion, leak or edit refuses it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
import yaml

from finished_run import (
    BROKEN,
    FACE,
    FAILING,
    FEATURES,
    HEAD,
    N_PATIENTS,
    REFUSED,
    SAFE_HARBOR,
    make_run,
    policy,
    provenance_record,
)
from radcurate import tables
from radcurate.errors import CurationError
from radcurate.governance.measures import MEASURES
from radcurate.keys import Key
from radcurate.seals import check_seal

PATIENT = HEAD  # one of those whose series are released
CHUNK = f"{PATIENT % 3:05d}"


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
    assert check_seal(run.results / "gate", run.key).keys() == {"verdict.json", "outcomes.parquet", "safe_harbor.json"}
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


# one violation per criterion


def first(change):
    """A change of the first row."""

    def all_rows(rows):
        change(rows[0])

    return all_rows


def plant_lost_series(run):
    run.edit(f"verify/{CHUNK}", "series.parquet", lambda rows: rows[1:])


def plant_lost_file(run):
    run.edit(f"deidentify/{CHUNK}", "series.parquet", first(lambda row: row.update(n_instances=row["n_instances"] - 1)))


def plant_lost_region(run):
    run.edit("protect", "features.parquet", lambda rows: rows[:-1])


def plant_hit(run):
    hit = {"series": run.series(PATIENT), "name": "a.dcm", "category": "name", "keyword": "x", "place": "y", "count": 1}
    run.edit(f"verify/{CHUNK}", "hits.parquet", lambda rows: [hit])


def plant_hit_in_the_series_table_only(run):
    run.edit(f"verify/{CHUNK}", "series.parquet", first(lambda row: row.update(hits=1)))


def plant_unpaired_file(run):
    run.edit(f"verify/{CHUNK}", "series.parquet", first(lambda row: row.update(paired=row["files"] - 1)))


def plant_canary(**changes):
    return lambda run: run.edit(f"verify/{CHUNK}", "canary.parquet", first(lambda row: row.update(changes)))


def plant_failed_verification(run):
    run.edit(
        f"verify/{CHUNK}", "series.parquet", first(lambda row: row.update(status="failed", reason="identifier_left"))
    )


def plant_face(run):
    run.edit(f"deface/{CHUNK}", "series.parquet", lambda rows: [{**row, "face": None} for row in rows])


def qc(**found):
    """A plant in deface's check of the head."""

    def plant(run):
        def change(rows):
            return [{**row, **found} if row["series"] == run.series(HEAD) else row for row in rows]

        run.edit(f"deface/{CHUNK}", "qc.parquet", change)

    return plant


def plant_no_check_of_a_removed_face(run):
    run.edit(f"deface/{CHUNK}", "qc.parquet", lambda rows: [row for row in rows if row["series"] != run.series(HEAD)])


def redacted(**found):
    """A plant in redact's row of the head."""

    def plant(run):
        def change(rows):
            return [{**row, **found} if row["series"] == run.series(HEAD) else row for row in rows]

        run.edit(f"redact/{CHUNK}", "series.parquet", change)

    return plant


def box(**found):
    """One more box of the head."""

    def plant(run):
        def change(rows):
            mine = next(row for row in rows if row["series"] == run.series(HEAD))
            return [*rows, {**mine, **found}]

        run.edit(f"redact/{CHUNK}", "boxes.parquet", change)

    return plant


def both(*plants):
    """Several plants in one run."""

    def plant(run):
        for one in plants:
            one(run)

    return plant


AGAIN = {"pass_number": 2, "filled": False}
RELEASED = redacted(decision="released_by_person")


def plant_no_record(run):
    run.edit(f"extract/{CHUNK}", "provenance.parquet", lambda rows: rows[:0])


def plant_incomplete_record(run):
    gap = {**provenance_record(PATIENT), "discretisation_value": None}
    run.edit(
        f"extract/{CHUNK}",
        "provenance.parquet",
        lambda rows: [gap if r["provenance"] == gap["provenance"] else r for r in rows],
    )


def plant_empty_row(run):
    run.edit("protect", "features.parquet", first(lambda row: row.update(dict.fromkeys(FEATURES, float("nan")))))


def invariance(**changes):
    def plant(run):
        run.edit(f"extract/{CHUNK}", "invariance.parquet", first(lambda row: row.update(changes)))

    return plant


def plant_no_comparison(run):
    run.edit(f"extract/{CHUNK}", "invariance.parquet", lambda rows: rows[1:])


def plant_nothing_to_release(run):
    run.edit("protect", "features.parquet", lambda rows: [])


def plant_bare_column(run):
    run.measure(lambda content: content["reasons"].pop("sex"))


def plant_internal_code(run):
    run.edit("protect", "features.parquet", first(lambda row: row.update(series=run.series(PATIENT))))


def plant_unmet(run):
    run.measure(lambda content: content.update(holds=False))


def plant_small_crowd(run):
    run.measure(lambda content: content["after"].update(k=4))


def plant_small_crowd_in_the_table(run):
    run.edit("protect", "features.parquet", first(lambda row: row.update(age="33")))


def plant_prosecutor(run):
    run.measure(lambda content: content["after"].update(prosecutor_max=0.25))


def plant_t(run):
    run.measure(lambda content: content["after"].update(t=0.31, l=3, sensitive={"roi_label": {"t": 0.31, "l": 3}}))


def plant_unmeasured_k(run):
    run.measure(lambda content: content["after"].pop("k"))


PLANTED = [
    ("conservation.lost_series", plant_lost_series),
    ("conservation.lost_files", plant_lost_file),
    ("conservation.lost_regions", plant_lost_region),
    ("verify.hits", plant_hit),
    ("verify.hits", plant_hit_in_the_series_table_only),
    ("verify.failed_series", plant_failed_verification),
    ("verify.unverified_series", plant_lost_series),
    ("verify.unpaired_files", plant_unpaired_file),
    ("verify.canary_left", plant_canary(left=1)),
    ("verify.canary_seen", plant_canary(seen_before=3)),
    ("safe_harbor.red_lines", plant_canary(left=1)),
    ("safe_harbor.red_lines", plant_canary(planted=0)),
    ("safe_harbor.red_lines", plant_canary(seen_before=0)),
    ("safe_harbor.red_lines", plant_hit),
    ("redact.unlooked_series", redacted(looked=0)),
    ("redact.unlooked_series", redacted(looked=None)),
    ("redact.residual_text", redacted(residual=1)),
    ("redact.residual_text", box(**AGAIN)),
    ("redact.residual_text", both(RELEASED, box(**AGAIN, kind="identity"))),
    ("redact.unresolved_doubts", box(sure=False, filled=False)),
    ("redact.unresolved_doubts", both(redacted(strict=None), box(sure=False, filled=False))),
    ("redact.unresolved_doubts", both(redacted(strict=False), box(sure=True, filled=False))),
    ("redact.unresolved_doubts", both(RELEASED, box(kind="identity", filled=False))),
    ("redact.box_overlap", redacted(overlap_voxels=1)),
    ("deface.unresolved_faces", plant_face),
    ("deface.unresolved_faces", plant_no_check_of_a_removed_face),
    ("deface.unresolved_faces", qc(passed=False)),
    ("deface.unresolved_faces", qc(passed=None)),
    ("deface.unresolved_faces", qc(control_passed=True)),
    ("deface.unresolved_faces", qc(control_passed=None)),
    ("deface.unresolved_faces", qc(outside_equal=False)),
    ("deface.unresolved_faces", qc(inside_filled=False)),
    ("deface.overlap_voxels", qc(overlap_voxels=1)),
    ("deface.face_share", qc(moved=0.94)),
    ("deface.face_share", qc(moved=None)),
    ("deface.brain_dice", qc(brain_dice=0.99)),
    ("deface.brain_dice", qc(brain_dice=None)),
    ("deface.outside_changed", qc(outside_equal=False)),
    ("deface.outside_changed", qc(outside_equal=None)),
    ("deface.control_passed", qc(control_passed=True)),
    ("deface.control_passed", qc(controls_hold=False)),
    ("provenance.rows_without_record", plant_no_record),
    ("provenance.incomplete_records", plant_incomplete_record),
    ("features.empty_rows", plant_empty_row),
    ("invariance.unproven_regions", plant_no_comparison),
    ("invariance.unproven_regions", invariance(basis=None, reason="original_absent")),
    ("invariance.unproven_regions", invariance(basis="out_of_reach", different=1, largest_change=1e-16)),
    ("invariance.largest_change", invariance(basis="within_reach", different=1, largest_change=0.011)),
    ("invariance.largest_change", invariance(basis="within_reach", different=1, largest_change=float("inf"))),
    ("features.rows", plant_nothing_to_release),
    ("columns.without_reason", plant_bare_column),
    ("codes.internal", plant_internal_code),
    ("protect.unmet", plant_unmet),
    ("protect.k", plant_small_crowd),
    ("protect.k", plant_small_crowd_in_the_table),
    ("protect.k", plant_unmeasured_k),
    ("protect.prosecutor_max", plant_prosecutor),
    ("protect.prosecutor_max", plant_small_crowd_in_the_table),
    ("protect.t", plant_t),
]


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


def share(attack, *within, **found):
    """A plant in what an attack found."""

    def plant(run):
        def change(document):
            content = document["attacks"][attack]
            for name in within:
                content = content[name]
            content.update(found)

        run.attack(change)

    return plant


def risk(**found):
    return lambda run: run.attack(lambda document: document["risk"].update(found))


def measured(**found):
    return lambda run: run.measure(lambda content: content.update(found))


def after(**found):
    def change(content):
        content["after"].update(found, sensitive={"roi_label": {}})

    return lambda run: run.measure(change)


# measures that no shipped policy limits, or only another one: a stricter policy and a plant that breaks it
FURTHER = [
    ("protect.suppressed_share", {"max": 0.5}, measured(suppressed_share=0.9)),
    ("protect.ncp", {"max": 0.5}, measured(ncp=0.9)),
    ("protect.unique_share", {"max": 0.5}, after(unique_share=0.9)),
    ("protect.l_entropy", {"min": 2}, after(l_entropy=1.9)),
    ("protect.l_recursive", {"min": 2}, after(l_recursive=1)),
    ("protect.t_ordered", {"max": 0.3}, after(t_ordered=0.31)),
    ("attack.linkage", {"max": 0.05}, share("linkage", high=0.051)),
    ("attack.fingerprint_top1", {"max": "1/11"}, share("fingerprint", high=0.0910)),
    ("attack.fingerprint_top5", {"max": 0.5}, share("fingerprint", "further", "top5", high=0.51)),
    ("attack.fingerprint_same_scan", {"max": "1/11"}, share("fingerprint", "further", "same_scan", high=0.0910)),
    ("attack.site_excess", {"max": 0.3}, share("site", high=0.81)),
    ("attack.differencing", {"max": 0}, share("differencing", successes=1)),
    ("attack.controls_failed", {"max": 0}, share("linkage", "controls", "positive", passed=False)),
    ("attack.marketer", {"max": 0.05}, risk(marketer=0.051)),
    ("attack.journalist", {"max": 0.2}, risk(journalist=0.21)),
    ("attack.singling_out", {"max": 0.0}, risk(singling_out=0.01)),
    ("attack.linkability", {"max": 0.05}, risk(linkability=None)),
    ("attack.inference", {"max": 0.5}, risk(inference={"rate": 0.4, "high": 0.6})),
    ("attack.uniqueness", {"max": 0.1}, risk(uniqueness={"sample": 0.2})),
    ("attack.composite", {"max": 0.1}, risk(composite={"R": 0.2})),
]


@pytest.mark.parametrize(("measure", "limit", "plant"), FURTHER, ids=[name for name, _, _ in FURTHER])
def test_further_measures_a_policy_may_limit(run, measure, limit, plant):
    plant(run)
    with pytest.raises(CurationError, match="stricter"):
        run.gate(file=strict(run, measure, **limit))


def test_every_measure_has_a_planted_violation():
    elsewhere = {"protect.l", "dates.finer_than_year"}
    assert {measure for measure, _ in PLANTED} | {name for name, _, _ in FURTHER} | elsewhere == set(MEASURES)


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
    done = subprocess.run(
        [sys.executable, "-m", "radcurate.stages.gate", *words],
        env={"RADCURATE_KEY_FILE": str(keyfile), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "no original identifier left" in done.stderr

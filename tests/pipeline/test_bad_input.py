"""What goes wrong is explained (wanted, found, fix), without a traceback, and costs nothing that was there."""

from __future__ import annotations

import os
import shutil

import pytest

from pipeline_tools import tree_digest

pytestmark = pytest.mark.xdist_group("pipeline")


def refusal(project, *arguments: str) -> str:
    """What a run that must fail says; an earlier release must be as it was."""
    before = tree_digest(project.results / "release")
    done = project.snakemake(*arguments, ok=False)
    text = done.stdout + done.stderr
    assert done.returncode != 0, text[-3000:]
    assert "Traceback" not in text, text[-3000:]
    for word in ("wanted:", "found:", "fix:"):
        assert word in text, text[-3000:]
    assert tree_digest(project.results / "release") == before
    return text


def test_no_input(run):
    run.configure(input=None)
    assert "no input" in refusal(run)


def test_input_that_is_no_folder(run, tmp_path):
    run.configure(input=str(tmp_path / "nowhere"))
    assert "no such folder" in refusal(run)


def test_empty_folder(run, tmp_path):
    (tmp_path / "empty").mkdir()
    run.configure(input=str(tmp_path / "empty"))
    assert "empty" in refusal(run)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_folder(run, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o000)
    run.configure(input=str(locked))
    refusal(run)


def test_no_contour_for_any_series(run, tmp_path):
    project = run.with_own_data(tmp_path / "data")
    import pydicom

    for path in list((project.data / "export").rglob("*")):
        if not path.is_file():
            continue
        try:
            modality = pydicom.dcmread(path, stop_before_pixels=True).get("Modality")
        except Exception:  # no DICOM: a NIfTI mask or junk
            modality = None
        if modality not in {"CT", "MR", "PT"}:
            path.unlink()
    assert "contour" in refusal(project)


def test_world_readable_key(run, tmp_path):
    shutil.copy(run.key_file, tmp_path / "key")
    (tmp_path / "key").chmod(0o644)
    run.configure(key_file=str(tmp_path / "key"))
    assert "chmod 600" in refusal(run)


def test_key_in_the_run_folder(run):
    shutil.copy(run.key_file, run.folder / "key")
    (run.folder / "key").chmod(0o600)
    run.configure(key_file="key")
    assert "run folder" in refusal(run)


def test_unknown_configuration_key(run):
    run.configure(extract={"bin_with": 25})
    assert "extract.bin_with" in refusal(run)


def test_unknown_key_of_an_extraction_profile(run):
    run.configure(extract={"ct": {"bin_sise": 25}})
    assert "bin_size" in refusal(run)


def test_consent_table_without_a_needed_column(run, tmp_path):
    project = run.with_own_data(tmp_path / "data")
    table = project.data / "consent.csv"
    table.write_text(table.read_text().replace("purposes", "aims", 1))
    assert "purposes" in refusal(project)


def test_safe_harbor_with_shifted_dates(run):
    run.configure(deidentify={"path": "safe_harbor"})
    assert "164.514" in refusal(run)


def test_a_policy_that_does_not_hold(run):
    run.configure(gate={"policy": "public"})
    text = refusal(run)
    assert "k" in text and (run.results / "gate" / "refusal.json").exists()


def test_a_first_refusal_leaves_nothing_to_share(run):
    shutil.rmtree(run.results / "release")
    run.configure(gate={"policy": "public"})
    done = run.snakemake(ok=False)
    assert done.returncode != 0
    release = run.results / "release"
    assert not release.exists() or list(release.iterdir()) == []


def test_an_edited_measure_is_noticed(run):
    measures = run.results / "protect" / "measures.json"
    measures.write_text(measures.read_text().replace('"suppressed_subjects"', '"suppressed_subjects" ', 1))
    text = refusal(run, "--forcerun", "gate")
    assert "changed after it was written" in text

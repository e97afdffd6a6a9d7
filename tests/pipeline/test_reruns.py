"""New and withdrawn patients: which chunks run. What every other edit runs: test_rerun_matrix."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pydicom
import pytest

from matrix_tools import MAKES, STAGES

pytestmark = pytest.mark.xdist_group("pipeline")


@pytest.mark.parametrize("stage", MAKES)
def test_nothing_is_made_again_where_a_run_keeps_intermediates(run, stage):
    run.configure(keep_intermediates=True)
    for before in ("deidentify", "redact"):
        for seal in (run.results / before).glob("*/seal.json"):
            (seal.parent / "dicom").mkdir()
            (seal.parent / "dicom" / ".snakemake_timestamp").touch()
            for path in (seal.parent / "dicom" / ".snakemake_timestamp", seal.parent / "dicom"):
                os.utime(path, ns=(seal.stat().st_mtime_ns,) * 2)
    assert run.planned() == {}
    chunk = sorted((run.results / stage).iterdir())[0].name
    line = f"{chunk},S-1,{stage},release,0123456789abcdef,A Person,2026-01-01,looked"
    path = run.folder / "config" / "decisions.csv"
    path.write_text(f"chunk,series,stage,decision,evidence,by,date,reason\n{line}\n")
    planned = run.planned()
    assert set(planned) == {*STAGES[STAGES.index(stage) :]} and planned[stage] == 1


def test_images_between_stages_are_gone_and_nobody_asks_for_them(finished):
    for stage in ("deidentify", "redact"):
        assert not list((finished.results / stage).glob("*/dicom"))
    assert list((finished.results / "deface").glob("*/dicom/*/*.dcm"))
    assert finished.planned() == {}


def test_an_added_patient_runs_one_chunk_though_every_file_has_another_time(run, tmp_path):
    project = run.with_own_data(tmp_path / "data")
    project.snakemake("--until", "consent")
    assert project.planned() == {}, "copying the data must not count as a change"
    for path in (project.data / "export").rglob("*"):
        os.utime(path, (1_500_000_000, 1_500_000_000), follow_symlinks=False)
    copy_patient(project.data)
    project.snakemake("--until", "consent")
    planned = project.planned()
    for stage in ("deidentify", "redact", "deface", "verify", "extract", "protect", "gate", "release"):
        assert planned.get(stage) == 1, planned


def test_a_withdrawal_runs_one_chunk(run, tmp_path):
    project = run.with_own_data(tmp_path / "data")
    project.snakemake("--until", "consent")
    table = project.data / "consent.csv"
    header, *rows = table.read_text().splitlines()
    columns = header.split(",")
    withdrawn = columns.index("withdrawn")
    patient = released_patient(project)
    changed = []
    for row in rows:
        cells = row.split(",")
        if cells[columns.index("patient")] == patient:
            cells[withdrawn] = cells[columns.index("date")]
        changed.append(",".join(cells))
    assert changed != rows
    table.write_text("\n".join([header, *changed]) + "\n")
    project.snakemake("--until", "consent")
    planned = project.planned()
    # the patient's chunk runs again, unless nobody else is in it; the tables of all run once
    assert planned.get("deidentify", 0) <= 1 and planned["protect"] == 1, planned


def released_patient(project) -> str:
    """PatientID of somebody whose series were permitted and good."""
    from radcurate import tables

    chunk = sorted((project.results / "consent" / "chunks").glob("[0-9]*"))[0]
    return str(tables.read_rows(chunk / "series.parquet")[0]["patient_id"])


def copy_patient(data: Path) -> None:
    """Add a patient: somebody's good series under another name, ID and UIDs."""
    from radcurate import tables  # noqa: F401

    source = next(path for path in sorted((data / "export").rglob("*")) if is_ct_slice(path))
    series = pydicom.dcmread(source, stop_before_pixels=True).SeriesInstanceUID
    study = pydicom.dcmread(source, stop_before_pixels=True).StudyInstanceUID
    target = data / "export" / "newcomer"
    target.mkdir()
    for path in sorted((data / "export").rglob("*")):
        if target in path.parents or not path.is_file():
            continue
        try:
            header = pydicom.dcmread(path)
        except Exception:  # files that are no DICOM are part of the cohort
            continue
        if header.get("StudyInstanceUID") != study:
            continue
        shutil.copy2(path, target / path.name)
        renamed = pydicom.dcmread(target / path.name)
        rename(renamed)
        renamed.save_as(target / path.name)
        os.utime(target / path.name)
    assert list(target.iterdir()), f"nothing of series {series} was copied"
    with (data / "consent.csv").open("a") as stream:
        stream.write(f"NEW-0001,broad,research,no,,2020-01-01{',GOV-1' if governed(data) else ''}\n")


def governed(data: Path) -> bool:
    return (data / "consent.csv").read_text().splitlines()[0].endswith(",governance")


def is_ct_slice(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        return pydicom.dcmread(path, stop_before_pixels=True).get("Modality") == "CT"
    except Exception:  # as above
        return False


def rename(dataset: pydicom.Dataset) -> None:
    """Another person with other UIDs, links kept."""
    dataset.PatientID, dataset.PatientName = "NEW-0001", "New^Comer"
    for element in dataset.iterall():
        if element.VR == "UI" and not str(element.value).startswith("1.2.840.10008."):
            element.value = f"{str(element.value)[:60]}.9"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID

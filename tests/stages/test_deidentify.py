"""The stage: tables, files, quarantine, determinism, and the real sarcoma cohort."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from blake3 import blake3
from pydicom.uid import EncapsulatedPDFStorage

from deidentify.deid_objects import ROOT, ct, planted_texts, rtstruct, seg, to_bytes
from radcurate import tables
from radcurate.canary import specimens
from radcurate.deidentify.fast import Quick, Shortcut
from radcurate.dicom import judged
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.seals import check_seal, write_seal
from radcurate.settings import Deidentify, Inventory, load_config
from radcurate.stages import deidentify, inventory
from radcurate.stages.deidentify import TABLES

ALLOWLIST, VOCABULARY = ROOT / "config/allowlist", ROOT / "config/vocabulary.yaml"
SUBJECT = "P-00112233445566aa"


class Chunk:
    """A consent chunk and its input folder, grown series by series."""

    def __init__(self, folder: Path, key: Key) -> None:
        self.source, self.chunk, self.out, self.key = folder / "in", folder / "chunk", folder / "out", key
        self.source.mkdir()
        self.chunk.mkdir()
        self.series: list[dict[str, Any]] = []
        self.instances: list[dict[str, Any]] = []

    def add(self, uid: str, kind: str, modality: str, files: list[bytes], **more: Any) -> str:
        code = self.key.series(uid)
        row = {
            "series": code,
            "subject": SUBJECT,
            "kind": kind,
            "modality": modality,
            "status": tables.OK,
            "images": [],
        }
        self.series.append({**row, "institution": "Quxworth Hospital", **more})
        for order, data in enumerate(files):
            path = f"{uid}_{order}"
            (self.source / path).write_bytes(data)
            self.instances.append(
                {
                    "file": self.key.file_code(path), "path": path, "size": len(data), "series": code, "order": order,
                    "sop_instance_uid": f"{uid}.{order}", "status": tables.OK,
                    "head_bytes": len(data), "tail_bytes": 0, "digest": judged.of_bytes(data, len(data), 0),
                }
            )  # fmt: skip
        return code

    def run(self, threads: int = 1, **settings: Any) -> dict[str, dict[str, Any]]:
        tables.write_rows(self.chunk / "series.parquet", tables.INVENTORY_SERIES, self.series)
        tables.write_rows(self.chunk / "instances.parquet", tables.INVENTORY_INSTANCES, self.instances)
        identity = [
            {"subject": SUBJECT, "category": "name", "keyword": "PatientName", "value": "Quxworth^Zebulon"},
            {"subject": SUBJECT, "category": "id", "keyword": "PatientID", "value": "MRN7734219"},
        ]
        tables.write_rows(self.chunk / "identifiers.parquet", tables.INVENTORY_IDENTIFIERS, identity)
        write_seal(self.chunk, ["series.parquet", "instances.parquet", "identifiers.parquet"], self.key)
        deidentify.run(
            Deidentify(**settings), self.chunk, self.source, self.out, self.key, ALLOWLIST, VOCABULARY, threads
        )
        return {row["series"]: row for row in tables.read_rows(self.out / "series.parquet", tables.DEIDENTIFY_SERIES)}


@pytest.fixture
def chunk(tmp_path: Path, key: Key) -> Chunk:
    return Chunk(tmp_path, key)


def slices(count: int = 3) -> list[bytes]:
    return [to_bytes(ct(SOPInstanceUID=f"1.2.3.4.5.{number}", InstanceNumber=number)) for number in range(1, count + 1)]


def mask() -> bytes:
    return bytes(nibabel.Nifti1Image(np.ones((2, 3, 4), np.uint8), np.eye(4)).to_bytes())


def tree(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def everything(chunk: Chunk) -> list[str]:
    image = chunk.add("1.2.3.4.2", "image", "CT", slices())
    return [
        image,
        chunk.add("1.2.3.4.7", "rtstruct", "RTSTRUCT", [to_bytes(rtstruct())], images=[image]),
        chunk.add("1.2.3.4.9", "seg", "SEG", [to_bytes(seg())], images=[image]),
        chunk.add("9.9", "nifti", "SEG", [mask()], images=[image], institution=None),
    ]


def test_all_kinds_are_written_and_described(chunk: Chunk, caplog: pytest.LogCaptureFixture) -> None:
    codes = everything(chunk)
    with caplog.at_level(logging.INFO, "radcurate"):
        rows = chunk.run()
    assert [rows[code]["status"] for code in codes] == [tables.OK] * 4
    image = rows[codes[0]]
    assert (image["n_instances"], image["sex"], image["age"], image["site"]) == (
        3,
        "M",
        69.0,
        chunk.key.site("quxworth hospital"),
    )
    assert image["study_date"] != "2020-03-10" and image["study"] == chunk.key.uid("1.2.3.4.1")
    assert rows[codes[3]]["site"] is None and rows[codes[1]]["images"] == [codes[0]]
    assert (chunk.out / "dicom" / codes[3] / "mask.nii.gz").is_file()
    assert any(
        line.startswith("deidentify: 4 series, 4 rewritten, 0 quarantined, 0 failed") for line in caplog.messages
    )
    check_seal(chunk.out, chunk.key)


def test_digests_and_names(chunk: Chunk) -> None:
    everything(chunk)
    chunk.run()
    for row in tables.read_rows(chunk.out / "instances.parquet", tables.DEIDENTIFY_INSTANCES):
        path = chunk.out / "dicom" / row["series"] / row["name"]
        written = path.read_bytes()
        start = written.find(b"\xe0\x7f\x10\x00") + 12 if row["pixels"] else len(written)
        assert row["header"] == blake3(written[:start]).hexdigest()
        assert row["pixels"] is None or row["pixels"] == row["pixels_source"] == blake3(written[start:]).hexdigest()
        assert row["header"] != row["header_source"]
    names = {path.stem for path in (chunk.out / "dicom").rglob("*.dcm")}
    assert {len(name) for name in names} == {16} and chunk.key.code("uid", "1.2.3.4.2.0") in names


def test_nothing_that_is_written_holds_an_identifier(chunk: Chunk) -> None:
    everything(chunk)
    chunk.run()
    for path in chunk.out.rglob("*"):
        content = str(path.name).encode() + (path.read_bytes() if path.is_file() else b"")
        if path.suffix == ".parquet":
            content += repr(tables.read_rows(path)).encode()
        assert not [text for text in planted_texts() if text in content], path.name


def test_actions_hold_no_values(chunk: Chunk) -> None:
    everything(chunk)
    chunk.run()
    rows = tables.read_rows(chunk.out / "actions.parquet", tables.DEIDENTIFY_ACTIONS)
    places = {(row["tag"], row["keyword"], row["action"]) for row in rows}
    assert ("(0010,0010)", "PatientName", "pseudonym") in places
    assert ("(3006,0020)>(3006,0026)", "ROIName", "keep") in places
    files = {(row["series"], row["name"]) for row in rows if row["tag"] == "(0010,0010)"}
    assert len(files) == 3 + 1 + 1
    assert rows == sorted(rows, key=lambda row: [row[name] for name in tables.DEIDENTIFY_ACTIONS.key])
    reasons = {row["reason"] for row in rows}
    assert not [reason for reason in reasons if any(text.decode() in reason for text in planted_texts())]
    assert len(reasons) < 60, "reasons are a fixed set, not texts about values"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda data: data[:-10], "unreadable_element_length"),
        (lambda data: b"no DICOM at all, but long enough to look at" * 9, "not_dicom"),
        (lambda data: to_bytes(ct(PixelData=bytes(40))), "pixel_data_short"),
        (lambda data: to_bytes(ct(SOPClassUID=EncapsulatedPDFStorage)), "encapsulated_document"),
    ],
)
def test_one_bad_file_quarantines_its_series_and_nothing_of_it_stays(chunk: Chunk, spoil: Any, reason: str) -> None:
    good, bad = slices(2)
    series = chunk.add("1.2.3.4.2", "image", "CT", [good, spoil(bad)])
    other = chunk.add("1.2.3.4.6", "image", "CT", slices(1))
    rows = chunk.run()
    assert (rows[series]["status"], rows[series]["reason"]) == (tables.QUARANTINED, reason) and rows[series]["remedy"]
    assert rows[other]["status"] == tables.OK
    assert not (chunk.out / "dicom" / series).exists()
    assert {row["series"] for row in tables.read_rows(chunk.out / "instances.parquet")} == {other}
    assert {row["series"] for row in tables.read_rows(chunk.out / "actions.parquet")} == {other}


def test_files_that_vanish_or_change_are_quarantined(chunk: Chunk) -> None:
    gone, changed = chunk.add("1.2", "image", "CT", slices(1)), chunk.add("1.3", "image", "CT", slices(1))
    (chunk.source / "1.2_0").unlink()
    (chunk.source / "1.3_0").write_bytes(b"short")
    rows = chunk.run()
    assert [rows[code]["reason"] for code in (gone, changed)] == ["source_unreadable", "changed_since_inventory"]


def test_two_files_of_one_instance_are_quarantined(chunk: Chunk) -> None:
    code = chunk.add("1.2", "image", "CT", slices(2))
    chunk.instances[1]["sop_instance_uid"] = chunk.instances[0]["sop_instance_uid"]
    assert chunk.run()[code]["reason"] == "duplicate_instance"


def test_an_unexpected_error_is_a_row_without_its_message(chunk: Chunk, monkeypatch: pytest.MonkeyPatch) -> None:
    code = chunk.add("1.2", "image", "CT", slices(1))

    def broken(*_: object, **__: object) -> None:
        raise ValueError("Quxworth")

    monkeypatch.setattr(deidentify, "_files", broken)
    row = chunk.run()[code]
    assert (
        row["status"] == tables.FAILED
        and row["reason"].startswith("unexpected:ValueError")
        and "Quxworth" not in row["reason"]
    )
    assert not (chunk.out / "dicom" / code).exists()


def test_the_same_bytes_on_one_process_or_two(chunk: Chunk) -> None:
    everything(chunk)
    chunk.run()
    first = tree(chunk.out)
    chunk.run(threads=2)
    assert tree(chunk.out) == first and sum(not name.startswith("canary/") for name in first) == 12


def test_canaries_are_rewritten_beside_the_series_and_in_none_of_the_tables(chunk: Chunk) -> None:
    chunk.add("1.2", "image", "CT", slices(1))
    chunk.run()
    names = {path.stem for path in (chunk.out / "canary").iterdir()}
    assert names == {specimen.name for specimen in specimens()}
    assert not any(name in repr(tables.read_rows(chunk.out / table)) for table in TABLES[:3] for name in names)


def test_the_policy_that_was_applied_is_recorded(chunk: Chunk) -> None:
    chunk.add("1.2", "image", "CT", slices(1))
    chunk.run(dates="year")
    content = json.loads((chunk.out / "policy.json").read_text())
    assert content["dates"] == "year" and content["key"] == chunk.key.key_id and len(content["policy"]) == 16


def test_a_changed_table_is_noticed(chunk: Chunk) -> None:
    chunk.add("1.2", "image", "CT", slices(1))
    chunk.run()
    (chunk.chunk / "series.parquet").write_bytes(b"x")
    with pytest.raises(CurationError, match="changed after it was written"):
        deidentify.run(Deidentify(), chunk.chunk, chunk.source, chunk.out, chunk.key, ALLOWLIST, VOCABULARY, 1)


def test_safe_harbor_refuses_shifted_dates_and_says_why() -> None:
    with pytest.raises(CurationError) as error:
        load_config({"deidentify": {"path": "safe_harbor", "dates": "shift"}})
    assert "Safe Harbor removes all elements of dates but the year" in error.value.text()
    assert load_config({"deidentify": {"path": "safe_harbor", "dates": "year"}}).deidentify.dates == "year"


def test_year_only_leaves_no_month_or_day(chunk: Chunk) -> None:
    everything(chunk)
    rows = chunk.run(path="safe_harbor", dates="year")
    assert {row["study_date"] for row in rows.values()} <= {"2020-01-01", None}
    for path in (chunk.out / "dicom").rglob("*.dcm"):
        dates = [
            str(element.value)
            for element in pydicom.dcmread(path).iterall()
            if element.VR in ("DA", "DT") and element.value
        ]
        assert all(text[4:8] == "0101" for text in dates)


@pytest.fixture(scope="module")
def sarcoma(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Two real patients with CT, PET, MR and their contours: source, inventory and de-identified folder."""
    cohort = real_data / "ibsi/ibsi_validation/dicom"
    if not cohort.is_dir():
        pytest.skip("no sarcoma cohort in the real data")
    folder = tmp_path_factory.mktemp("sarcoma")
    source = folder / "in"
    for name in ("STS_012", "STS_032"):
        for path in (cohort / name).rglob("*"):
            if path.is_file():
                target = source / path.relative_to(cohort)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    key = Key(bytes(range(32)))
    inventory.run(Inventory(n_chunks=1), source, folder / "inventory", key, 1)
    chunk = folder / "inventory/chunks/00000"
    deidentify.run(Deidentify(), chunk, source, folder / "out", key, ALLOWLIST, VOCABULARY, 1)
    return source, chunk, folder / "out"


def test_a_real_cohort_comes_through_whole(sarcoma: tuple[Path, Path, Path]) -> None:
    _, chunk, out = sarcoma
    rows = tables.read_rows(out / "series.parquet")
    assert {row["status"] for row in rows} == {tables.OK} and len(rows) == 12
    before = tables.read_rows(chunk / "instances.parquet")
    assert sum(row["n_instances"] for row in rows) == len(before)
    regions = {
        str(roi.ROIName)
        for row in rows
        if row["kind"] == "rtstruct"
        for path in (out / "dicom" / row["folder"]).glob("*.dcm")
        for roi in pydicom.dcmread(path).StructureSetROISequence
    }
    assert all(name.startswith(("GTV", "ROI")) for name in regions) and any("GTV" in name for name in regions)


def test_a_real_cohort_keeps_pixels_and_technical_values(sarcoma: tuple[Path, Path, Path]) -> None:
    source, chunk, out = sarcoma
    key = Key(bytes(range(32)))
    for row in tables.read_rows(chunk / "instances.parquet")[::25]:
        old = pydicom.dcmread(source / row["path"])
        new = pydicom.dcmread(out / "dicom" / row["series"] / (key.code("uid", row["sop_instance_uid"]) + ".dcm"))
        assert old.get("PixelData") == new.get("PixelData")
        for keyword in [
            "Rows",
            "PixelSpacing",
            "SliceThickness",
            "KVP",
            "ConvolutionKernel",
            "RescaleSlope",
            "Units",
            "PatientWeight",
            "EchoTime",
        ]:
            assert (old.get(keyword) or None) == (new.get(keyword) or None), keyword
        for original in (row["sop_instance_uid"], str(old.SeriesInstanceUID), str(old.PatientID), str(old.StudyID)):
            assert (
                original.encode()
                not in (
                    out / "dicom" / row["series"] / (key.code("uid", row["sop_instance_uid"]) + ".dcm")
                ).read_bytes()
            )


def test_no_file_of_a_real_cohort_names_a_patient(sarcoma: tuple[Path, Path, Path]) -> None:
    for path in sarcoma[2].rglob("*"):
        content = path.name.encode() + (path.read_bytes() if path.is_file() else b"")
        assert b"STS_" not in content and b"IBSI" not in content


def test_what_one_series_of_a_visit_lacks_comes_from_the_others() -> None:
    rows = [
        {"series": "S-1", "subject": "P-1", "study": "2.25.1", "age": 62.0, "sex": "F", "site": None},
        {"series": "S-2", "subject": "P-1", "study": "2.25.1", "age": None, "sex": "F", "site": "H-1"},
        {"series": "S-3", "subject": "P-1", "study": "2.25.2", "age": None, "sex": None, "site": None},
        {"series": "S-4", "subject": "P-2", "study": "2.25.1", "age": None, "sex": None, "site": None},
        {"series": "S-5", "subject": "P-1", "study": None, "age": None, "sex": None, "site": None},
    ]
    shared = deidentify.share_within_study(rows)
    assert [row["age"] for row in shared] == [62.0, 62.0, None, None, None]
    assert [row["site"] for row in shared] == ["H-1", "H-1", None, None, None]


def test_ages_that_contradict_each_other_are_not_shared() -> None:
    rows = [
        {"series": name, "subject": "P-1", "study": "2.25.1", "age": age, "sex": None, "site": None}
        for name, age in (("S-1", 61.0), ("S-2", 62.0), ("S-3", None))
    ]
    assert [row["age"] for row in deidentify.share_within_study(rows)] == [61.0, 62.0, None]


def test_a_quick_way_that_errs_is_noticed_and_left(
    chunk: Chunk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    code = chunk.add("1.2", "image", "CT", slices(4))
    chunk.run()
    right = tree(chunk.out / "dicom" / code)
    quickly = Shortcut.head

    def wrong(self: Shortcut, data: bytes) -> Quick | None:
        quick = quickly(self, data)
        return quick and replace(quick, head=quick.head[:-1] + b"\1")

    monkeypatch.setattr(Shortcut, "head", wrong)
    with caplog.at_level(logging.WARNING, "radcurate"):
        assert chunk.run()[code]["status"] == tables.OK
    assert tree(chunk.out / "dicom" / code) == right
    assert "disagrees with the strict one" in caplog.text

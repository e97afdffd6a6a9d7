"""`radcurate report`: private pages that show pictures before and after, and lead to the files that figures are from."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
import yaml

from radcurate import seals, tables
from radcurate.cli import main
from radcurate.keys import Key, create_key
from radcurate.tables.files import Schema

TEXT, FACE, CLEAN = "S-00000000000000aa", "S-00000000000000bb", "S-00000000000000cc"
BOX = {"top": 10, "left": 8, "bottom": 40, "right": 200}


def picture(path: Path, text: str) -> None:
    values = np.full((80, 220), 30, np.uint8)
    cv2.putText(values, text, (12, 32), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 1)
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "2.25.1"
    content = pydicom.FileDataset("", {}, preamble=b"\0" * 128, file_meta=meta)
    content.SOPClassUID, content.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    content.Modality, content.Rows, content.Columns, content.SamplesPerPixel = "OT", *values.shape, 1
    content.PhotometricInterpretation, content.BitsAllocated, content.BitsStored = "MONOCHROME2", 8, 8
    content.HighBit, content.PixelRepresentation, content.PixelData = 7, 0, values.tobytes()
    path.parent.mkdir(parents=True)
    pydicom.dcmwrite(path, content, enforce_file_format=True)


def sealed(folder: Path, key: Key, **written: tuple[Schema, list[dict[str, Any]]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (schema, rows) in written.items():
        tables.write_rows(folder / f"{name}.parquet", schema, rows)
    seals.write_seal(folder, [f"{name}.parquet" for name in written], key)


@pytest.fixture
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    key, run = create_key(tmp_path / "key"), tmp_path / "run"
    results = run / "results"
    rows = [
        {"series": series, "subject": "P-1", "kind": "image", "modality": "CT", "status": "ok", "folder": series}
        | {"face": "removed" if series == FACE else "none"}
        for series in (TEXT, FACE, CLEAN)
    ]
    picture(results / "redact/00003/before" / TEXT / "1.dcm", "BRANNOC")
    picture(results / "deface/00003/dicom" / TEXT / "1.dcm", "")
    box = {"series": TEXT, "name": "1.dcm", "frame": 0, "kind": "identity", "pass_number": 1, **BOX}
    left = {**box, "series": CLEAN, "filled": False}
    boxes = [{**box, "filled": True}, left]
    sealed(results / "redact/00003", key, boxes=(tables.REDACT_BOXES, boxes))
    checks = [{"series": FACE, "moved": 0.987, "control_moved": 0.0, "brain_dice": 1.0}]
    sealed(results / "deface/00003", key, series=(tables.DEFACE_SERIES, rows), qc=(tables.DEFACE_QC, checks))
    drawings = results / "deface/00003/pictures"
    drawings.mkdir()
    for name in ("before", "after"):
        (drawings / f"{FACE}_{name}.png").write_bytes(b"\x89PNG " + name.encode())
    (run / "my.yaml").write_text(yaml.safe_dump({"key_file": str(tmp_path / "key")}))
    monkeypatch.chdir(run)
    return run


def radcurate() -> int:
    with pytest.raises(SystemExit) as ended:
        main(["report", "--configfile", "my.yaml"])
    return int(ended.value.code or 0)


def test_changed_series_have_a_page_with_pictures_and_where_figures_are_from(run_folder: Path) -> None:
    assert radcurate() == 0
    out = run_folder / "results/report"
    assert {path.name for path in out.iterdir()} == {"report.html", f"{TEXT}.html", f"{FACE}.html"}
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in out.iterdir())
    text, face = ((out / f"{series}.html").read_text() for series in (TEXT, FACE))
    assert text.count("data:image/png;base64,") == 2 and "identity" in text
    assert face.count("data:image/png;base64,") == 2 and "0.987" in face and "Dice" in face
    for page in out.iterdir():
        for target in re.findall(r'<a href="([^"]+)"', page.read_text()):
            assert (out / target).exists(), target


def test_a_new_report_replaces_the_old_one(run_folder: Path) -> None:
    assert radcurate() == 0
    old = run_folder / "results/report/S-gone.html"
    old.write_text("x")
    assert radcurate() == 0
    assert not old.exists()


def test_a_changed_table_is_not_reported(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables.write_rows(
        run_folder / "results/deface/00003/qc.parquet", tables.DEFACE_QC, [{"series": FACE, "moved": 1.0}]
    )
    assert radcurate() == 1
    assert "changed after it was written" in capsys.readouterr().err


def test_nothing_to_report(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (run_folder.parent / "other").mkdir()
    monkeypatch.chdir(run_folder.parent / "other")
    Path("my.yaml").write_text((run_folder / "my.yaml").read_text())
    assert radcurate() == 1
    assert "nothing to report" in capsys.readouterr().err

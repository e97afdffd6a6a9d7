"""`radcurate review pictures` and `decide`: private pages with what was found, and decisions that the next run can take."""

from __future__ import annotations

import csv
import stat
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from radcurate import seals, tables
from radcurate.cli import main
from radcurate.governance.decisions import read_decisions
from radcurate.keys import Key, create_key
from radcurate.tables.files import Schema

TEXT = "QUILLON BRANNOC"
SERIES, FACE = "S-00000000000000aa", "S-00000000000000bb"
BOX = (20, 10, 48, 300)
DECISIONS = Path("config/decisions.csv")


def row_of(schema: Schema, **values: Any) -> dict[str, Any]:
    return {name: values.get(name) for name, _ in schema.columns}


def capture(path: Path) -> None:
    """A screen with a name on it."""
    values = np.zeros((80, 320), np.uint8)
    cv2.putText(values, TEXT, (12, 42), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 1, cv2.LINE_AA)
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID = SecondaryCaptureImageStorage
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID = "2.25.1"
    image.Modality, image.Rows, image.Columns = "OT", *values.shape
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 8, 8, 7, 0
    image.PixelData = values.tobytes()
    image.save_as(path, enforce_file_format=True)


def sealed(folder: Path, key: Key, **written: tuple[Schema, list[dict[str, Any]]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (schema, rows) in written.items():
        tables.write_rows(folder / f"{name}.parquet", schema, rows)
    seals.write_seal(folder, [f"{name}.parquet" for name in written], key)


@pytest.fixture
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One chunk with a screen that redact set aside, and an image that deface did."""
    key, run = create_key(tmp_path / "key"), tmp_path / "run"
    before, here, after = (run / "results" / stage / "0003" for stage in ("deidentify", "redact", "deface"))
    for folder in (here / "before" / SERIES, after / "dicom" / FACE):  # deidentify keeps none
        folder.mkdir(parents=True)
        capture(folder / "1.dcm")
    both = [
        row_of(
            tables.DEIDENTIFY_SERIES,
            series=series,
            subject="P-1",
            kind=kind,
            modality=modality,
            status="ok",
            folder=series,
        )
        for series, kind, modality in ((SERIES, "picture", "OT"), (FACE, "image", "CT"))
    ]
    sealed(before, key, series=(tables.DEIDENTIFY_SERIES, both))
    waits = {"status": "quarantined", "reason": "text_uncertain", "remedy": "look at it"}
    texts = [
        row_of(tables.REDACT_SERIES, **{**both[0], **waits, "decision": "doubt"}),
        row_of(tables.REDACT_SERIES, **{**both[1], "decision": "no_text"}),
    ]
    box = dict(zip(("top", "left", "bottom", "right"), BOX, strict=True))
    found = {"kind": "text", "sure": False, "confidence": 0.41, "text_hash": "ab", "pass_number": 1, "filled": False}
    boxes = [row_of(tables.REDACT_BOXES, series=SERIES, name="1.dcm", frame=0, changed_pixels=0, **box, **found)]
    sealed(here, key, series=(tables.REDACT_SERIES, texts), boxes=(tables.REDACT_BOXES, boxes))
    faces = [
        row_of(tables.DEFACE_SERIES, **{**texts[0]}),
        row_of(tables.DEFACE_SERIES, **{**both[1], **waits, "reason": "face_uncertain", "decision": "face_uncertain"}),
    ]
    checks = [row_of(tables.DEFACE_QC, series=FACE, moved=0.5, masked_voxels=7)]
    sealed(after, key, series=(tables.DEFACE_SERIES, faces), qc=(tables.DEFACE_QC, checks))
    (after / "pictures").mkdir()
    (after / "pictures" / f"{FACE}_before.png").write_bytes(b"\x89PNG before")
    (run / "my.yaml").write_text(yaml.safe_dump({"key_file": str(tmp_path / "key")}))
    (run / DECISIONS).parent.mkdir()
    (run / DECISIONS).touch()
    monkeypatch.chdir(run)
    return run


def radcurate(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["review", *map(str, words), "--configfile", "my.yaml"])
    return int(ended.value.code or 0)


def decide(series: str, decision: str, *more: str) -> int:
    return radcurate("decide", series, "--decision", decision, "--by", "A. Steward", "--reason", "a name", *more)


def test_each_series_gets_a_private_page_with_what_was_found(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "pages"
    assert radcurate("pictures", "--out", out) == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert {path.name for path in out.iterdir()} == {"index.html", f"{SERIES}.redact.html", f"{FACE}.deface.html"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in out.iterdir())
    page = (out / f"{SERIES}.redact.html").read_text()
    assert "text_uncertain" in page and "look at it" in page and "0.41" in page
    assert "QUILLON" in page.upper()  # read for the page
    assert f"radcurate review decide {SERIES} --stage redact --decision … --by" in page
    assert page.count("data:image/png;base64,") == 2  # the crop, and the whole frame with its box
    assert "http" not in page.replace("http-equiv", "")
    face = (out / f"{FACE}.deface.html").read_text()
    assert "face_uncertain" in face and "masked voxels" in face and "before" in face
    assert f'href="{SERIES}.redact.html"' in (out / "index.html").read_text()
    printed = capsys.readouterr()
    assert "QUILLON" not in printed.out + printed.err
    assert not [path for path in run_folder.rglob("*") if path.is_file() and b"QUILLON" in path.read_bytes()]


def test_pages_never_lie_in_the_run(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert radcurate("pictures", "--out", run_folder / "pages") == 1
    assert radcurate("pictures", "--out", run_folder / "results" / "pages") == 1
    assert "does not belong into the run folder" in capsys.readouterr().err
    assert not (run_folder / "pages").exists()


def test_a_folder_with_other_files_is_left_alone(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("x")
    assert radcurate("pictures", "--out", tmp_path / "mine") == 1
    assert "isn't empty" in capsys.readouterr().err


def test_a_second_review_replaces_the_first(run_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "pages"
    assert radcurate("pictures", "--out", out) == 0
    assert radcurate("pictures", "--out", out, "--series", FACE) == 0
    assert {path.name for path in out.iterdir()} == {"index.html", f"{FACE}.deface.html"}


def test_a_decision_is_written_with_what_was_found(run_folder: Path, tmp_path: Path) -> None:
    assert decide(SERIES, "erase", "--date", "2026-03-04") == 0
    with (run_folder / DECISIONS).open() as stream:
        (line,) = csv.DictReader(stream)
    assert line["chunk"] == "0003" and line["stage"] == "redact" and line["by"] == "A. Steward"
    taken = read_decisions(run_folder / DECISIONS).of("redact", SERIES, line["evidence"])
    assert taken is not None and taken.decision == "erase"
    out = tmp_path / "pages"
    assert radcurate("pictures", "--out", out) == 0
    assert "Decided by A. Steward on 2026-03-04: erase" in (out / f"{SERIES}.redact.html").read_text()


def test_a_decision_doesnt_count_once_more_is_found(run_folder: Path, tmp_path: Path) -> None:
    assert decide(SERIES, "release") == 0
    here, key = run_folder / "results/redact/0003", Key(bytes.fromhex((tmp_path / "key").read_text().strip()))
    rows = tables.read_rows(here / "boxes.parquet", tables.REDACT_BOXES)
    series = tables.read_rows(here / "series.parquet", tables.REDACT_SERIES)
    sealed(here, key, series=(tables.REDACT_SERIES, series), boxes=(tables.REDACT_BOXES, [{**rows[0], "right": 310}]))
    out = tmp_path / "pages"
    assert radcurate("pictures", "--out", out) == 0
    assert "on something else than what is found now" in (out / f"{SERIES}.redact.html").read_text()


@pytest.mark.parametrize(
    ("series", "decision", "told"),
    [
        ("S-nobody", "release", "no such series waits"),
        (FACE, "erase", "can't be understood"),
        (SERIES, "shell", "can't be understood"),
    ],
)
def test_decisions_that_mean_nothing_are_refused(
    run_folder: Path, capsys: pytest.CaptureFixture[str], series: str, decision: str, told: str
) -> None:
    assert decide(series, decision) == 1
    assert told in capsys.readouterr().err
    assert not (run_folder / DECISIONS).read_bytes()


def test_a_page_shows_nothing_as_markup(run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from radcurate.cli import review_pictures
    from radcurate.redact.found import Box, Hit, Place
    from radcurate.redact.look import Look

    hit = Hit(Place(0, 0), Box(*BOX), "text", True, 1.0, "<script>alert(1)</script>")
    monkeypatch.setattr(review_pictures, "look", lambda *_, **__: Look((hit,), 1, None, 0.1))
    assert radcurate("pictures", "--out", tmp_path / "pages") == 0
    page = (tmp_path / "pages" / f"{SERIES}.redact.html").read_text()
    assert "<script" not in page and "&lt;script&gt;" in page

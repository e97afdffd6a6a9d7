"""verify as a stage: rows, reasons, dates over a whole patient, refusals; then the real chain on a real cohort."""

from __future__ import annotations

import datetime
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from blake3 import blake3

from radcurate import seals, tables
from radcurate.canary import specimens
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.settings import Consent, Deidentify, Inventory, Verify
from radcurate.stages import verify
from radcurate.stages._written import seal
from radcurate.verify import marks, twins
from radcurate.verify.layout import read_layout

ROOT = Path(__file__).resolve().parents[2]
SUBJECT = "P-00000000000000aa"
CT, MR = "S-00000000000000c1", "S-00000000000000c2"
IDENTITY = [
    ("name", "PatientName", "Quandt^Ottilie"),
    ("id", "PatientID", "ZX-88213"),
    ("uid", "SOPInstanceUID", "1.2.276.0.7230010.3.1.4.99.1"),
    ("date", "StudyDate", "20200310"),
    ("date", "StudyDate", "20200317"),
    ("text", "SeriesDescription", "CT HEAD"),
]
OLD, NEW = {CT: "20200310", MR: "20200317"}, {CT: "20200414", MR: "20200421"}
FILES = [(series, number) for series in (CT, MR) for number in range(2)]
Change = Callable[[pydicom.Dataset, str, int], None]


def slice_of(series: str, number: int, change: Change) -> pydicom.FileDataset:
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = (
        pydicom.uid.ExplicitVRLittleEndian,
        "1.2.840.10008.5.1.4.1.1.2",
    )
    meta.MediaStorageSOPInstanceUID = f"2.25.77{series[-1]}{number}"
    content = pydicom.FileDataset("", {}, preamble=b"\0" * 128, file_meta=meta)
    content.SOPClassUID, content.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    content.PatientIdentityRemoved, content.DeidentificationMethod = "YES", "radcurate"
    content.LongitudinalTemporalInformationModified = "MODIFIED"
    content.DeidentificationMethodCodeSequence = [claim(code) for code in ("113100", "113105", "113107")]
    content.PatientName = content.PatientID = SUBJECT
    content.SeriesDescription, content.StudyDate, content.Modality = "CT HEAD", NEW[series], "CT"
    content.StudyInstanceUID, content.SeriesInstanceUID = "2.25.7", f"2.25.8{series[-1]}"
    content.SliceThickness, content.PixelSpacing = "2.5", ["0.5", "0.5"]
    content.Rows = content.Columns = 4
    content.SamplesPerPixel, content.PhotometricInterpretation, content.BitsAllocated = 1, "MONOCHROME2", 16
    content.BitsStored, content.HighBit, content.PixelRepresentation = 16, 15, 0
    content.PixelData = bytes(range(32))
    change(content, series, number)
    return content


def claim(code: str) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, "DCM", marks.CODES[code]
    return item


def original_of(series: str, number: int) -> pydicom.FileDataset:
    """What the hospital sent: the same image under its own identity, five weeks earlier."""
    content = slice_of(series, number, lambda content, series, number: None)
    for name in ("PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence"):
        delattr(content, name)
    content.PatientName, content.PatientID = "Quandt^Ottilie", "ZX-88213"
    content.StudyDate = OLD[series]
    content.SOPInstanceUID = content.file_meta.MediaStorageSOPInstanceUID = (
        f"1.2.276.0.7230010.{ord(series[-1])}.{number}"
    )
    return content


class Case:
    """A chunk of one patient with two series of two slices, and the sources that they come from."""

    def __init__(self, folder: Path, key: Key, change: Change = lambda content, series, number: None) -> None:
        self.chunk, self.deidentified, self.cleaned = (
            folder / name for name in ("consent/00000", "deidentify/00000", "deface/00000")
        )
        self.out, self.key = folder / "verify/00000", key
        rows = [{"subject": SUBJECT, "category": c, "keyword": k, "value": v} for c, k, v in IDENTITY]
        tables.write_rows(self.chunk / "identifiers.parquet", tables.INVENTORY_IDENTIFIERS, rows)
        self.source, self.digests = folder / "source", dict[str, str]()
        for series, number in FILES:
            for path, content in (
                (self.file(series, number), slice_of(series, number, change)),
                (self.original(series, number), original_of(series, number)),
            ):
                path.parent.mkdir(parents=True, exist_ok=True)
                pydicom.dcmwrite(path, content, enforce_file_format=True)
        self._canaries()
        base = {"subject": SUBJECT, "kind": "image", "modality": "CT", "status": "ok", "n_instances": 2}
        days = {series: datetime.date.fromisoformat(NEW[series]).isoformat() for series in (CT, MR)}
        self.deidentify_rows = [
            base | {"series": series, "folder": series, "study_date": days[series]} for series in (CT, MR)
        ]
        self.masks: list[dict[str, Any]] = []
        self.boxes: list[dict[str, Any]] = []
        self.redacted = folder / "redact/00000"
        self.deface_rows = [base | {"series": series, "folder": series, "face": "none"} for series in (CT, MR)]

    def file(self, series: str, number: int) -> Path:
        return self.cleaned / "dicom" / series / f"{number:016x}.dcm"

    def original(self, series: str, number: int) -> Path:
        return self.source / series / f"{number}.dcm"

    def _canaries(self) -> None:
        """Cleaned canaries, made up: nothing of the specimens is in them."""
        folder = self.deidentified / "canary"
        folder.mkdir(parents=True)
        for specimen in specimens():
            pydicom.dcmwrite(
                folder / f"{specimen.name}.dcm", slice_of(CT, 0, lambda *_: None), enforce_file_format=True
            )

    def _instances(self) -> None:
        paths = {f"{series}{number}": f"{series}/{number}.dcm" for series, number in FILES}
        rows = [{"file": file, "path": path, "series": file[:-1], "status": "ok"} for file, path in paths.items()]
        tables.write_rows(self.chunk / "instances.parquet", tables.INVENTORY_INSTANCES, rows)
        names = [
            {
                "series": series,
                "name": f"{number:016x}.dcm",
                "file": f"{series}{number}",
                "header": self.digests.get(series),
            }
            for series, number in FILES
        ]
        tables.write_rows(self.deidentified / "instances.parquet", tables.DEIDENTIFY_INSTANCES, names)

    def run(self, threads: int = 1, **settings: Any) -> dict[str, dict[str, Any]]:
        self._instances()
        tables.write_rows(self.deidentified / "series.parquet", tables.DEIDENTIFY_SERIES, self.deidentify_rows)
        tables.write_rows(self.cleaned / "series.parquet", tables.DEFACE_SERIES, self.deface_rows)
        tables.write_rows(self.cleaned / "masks.parquet", tables.DEFACE_MASKS, self.masks)
        tables.write_rows(self.redacted / "boxes.parquet", tables.REDACT_BOXES, self.boxes)
        seals.write_seal(self.chunk, ["identifiers.parquet"], self.key)
        seals.write_seal(self.redacted, ["boxes.parquet"], self.key)
        seals.write_seal(self.deidentified, ["series.parquet"], self.key)
        seal(self.cleaned, ["series.parquet"], self.key)
        self.verify(threads, **settings)
        seals.check_seal(self.out, self.key)
        return {row["series"]: row for row in tables.read_rows(self.out / "series.parquet", tables.VERIFY_SERIES)}

    def verify(self, threads: int = 1, **settings: Any) -> None:
        folders = (self.source, self.chunk, self.deidentified, self.cleaned)
        verify.run(Verify(**settings), *folders, [], self.out, self.key, threads, [self.redacted])

    def rows(self, name: str) -> list[dict[str, Any]]:
        return tables.read_rows(self.out / f"{name}.parquet")

    def hits(self) -> list[dict[str, Any]]:
        return tables.read_rows(self.out / "hits.parquet", tables.VERIFY_HITS)


def outcome(rows: dict[str, dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(rows[series]["status"], rows[series]["reason"]) for series in (CT, MR)]


OK, LEAK = ("ok", None), ("failed", "identifier_found")


def test_clean_series_pass(tmp_path: Path, key: Key) -> None:
    case = Case(tmp_path, key)
    rows = case.run()
    assert outcome(rows) == [OK, OK]
    assert (rows[CT]["files"], rows[CT]["paired"], rows[CT]["hits"]) == (2, 2, 0)
    assert rows[CT]["bytes"] == sum(case.file(CT, number).stat().st_size for number in range(2))


def test_a_hit_fails_its_series_only_and_tells_no_value(tmp_path: Path, key: Key) -> None:
    def change(content: pydicom.Dataset, series: str, number: int) -> None:
        if (series, number) == (MR, 1):
            content.SeriesDescription = "for Ottilie QUANDT, zx-88213"

    case = Case(tmp_path, key, change)
    rows = case.run()
    assert outcome(rows) == [OK, LEAK]
    assert {(hit["name"], hit["category"], hit["keyword"], hit["place"]) for hit in case.hits()} == {
        ("0000000000000001.dcm", "name", "PatientName", "(0008,103E)"),
        ("0000000000000001.dcm", "id", "PatientID", "(0008,103E)"),
    }
    written = b"".join(path.read_bytes() for path in case.out.iterdir())
    text = json.dumps(case.hits()) + json.dumps(list(rows.values()))
    assert not any(value in text or value.encode() in written for _, _, value in IDENTITY)


def test_a_new_date_may_equal_another_original_date(tmp_path: Path, key: Key) -> None:
    """Visits a week apart, moved by a week: the first one's new date is the second one's old one."""

    def change(content: pydicom.Dataset, series: str, number: int) -> None:
        content.StudyDate = "20200317" if series == CT else "20200324"

    case = Case(tmp_path, key, change)
    for row, day in zip(case.deidentify_rows, ("2020-03-17", "2020-03-24"), strict=True):
        row["study_date"] = day
    assert outcome(case.run()) == [OK, OK]


@pytest.mark.parametrize("left", [(CT,), (MR,), (CT, MR)])
def test_an_original_date_that_was_left_fails(tmp_path: Path, key: Key, left: tuple[str, ...]) -> None:
    def change(content: pydicom.Dataset, series: str, number: int) -> None:
        if series in left:
            content.StudyDate = {CT: "20200310", MR: "20200317"}[series]

    rows = Case(tmp_path, key, change).run()
    assert outcome(rows) == [LEAK if series in left else OK for series in (CT, MR)]


def test_tables_and_pictures_names_are_read(tmp_path: Path, key: Key) -> None:
    case = Case(tmp_path, key)
    case.deidentify_rows[0]["site"] = "Praxis Quandt"
    case.deface_rows[1]["decision"] = "quandt_face"  # the program's own words: a chance, as with a patient called Head
    assert outcome(case.run()) == [LEAK, OK]
    case = Case(tmp_path / "again", key)
    (case.cleaned / "pictures").mkdir()
    (case.cleaned / "pictures/quandt_before.png").touch()
    assert outcome(case.run()) == [LEAK, LEAK]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:200]), "truncated"),
        (lambda path: path.write_bytes(path.read_bytes()[:-5]), "truncated"),
        (lambda path: path.write_bytes(b"junk"), "no_dicom"),
        (lambda path: path.write_bytes(b""), "unexpected_file"),
        (lambda path: path.write_bytes(path.read_bytes() + b"junk"), "trailing_bytes"),
        (lambda path: path.write_bytes(b"\1" + path.read_bytes()[1:]), "preamble"),
        (lambda path: path.rename(path.with_suffix(".txt")), "unexpected_file"),
        (lambda path: path.unlink(), "files_missing"),
        (lambda path: shutil.rmtree(path.parent), "files_missing"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_fails_its_series(
    tmp_path: Path, key: Key, damage: Callable[[Path], Any], reason: str
) -> None:
    case = Case(tmp_path, key)
    damage(case.file(CT, 0))
    rows = case.run()
    assert outcome(rows) == [("failed", reason), OK]
    assert rows[CT]["remedy"]


def test_marks_are_checked(tmp_path: Path, key: Key) -> None:
    rows = Case(tmp_path, key, lambda content, series, number: setattr(content, "PatientIdentityRemoved", "NO")).run()
    assert outcome(rows) == [("failed", "marker_untrue")] * 2


def outcomes_after(tmp_path: Path, key: Key, damage: Callable[[Case], Any], **settings: Any) -> list[Any]:
    case = Case(tmp_path, key)
    damage(case)
    return [*outcome(case.run(**settings)), case]


def changed(path: Path, change: Callable[[pydicom.Dataset], Any]) -> None:
    content = pydicom.dcmread(path)
    change(content)
    pydicom.dcmwrite(path, content, enforce_file_format=True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: setattr(content, "PixelData", bytes(31) + b"\1"), "pixels_changed"),
        (lambda content: setattr(content, "SliceThickness", "2.6"), "attribute_changed"),
        (lambda content: delattr(content, "SliceThickness"), "attribute_lost"),
        (lambda content: setattr(content, "PixelSpacing", ["0.5", "0.51"]), "attribute_changed"),
        (lambda content: setattr(content, "PatientID", "P-00000000000000ab"), "wrong_patient"),
        (lambda content: setattr(content, "PatientAge", "034Y"), "not_claimed"),
        (lambda content: setattr(content, "PatientAddress", "Somewhere 4"), "not_claimed"),
        (lambda content: content.DeidentificationMethodCodeSequence.append(claim("113106")), "marker_untrue"),
        (lambda content: setattr(content, "SeriesInstanceUID", ""), "not_conformant"),
    ],
)
def test_a_file_that_is_not_its_sources_twin_fails(
    tmp_path: Path, key: Key, change: Callable[[pydicom.Dataset], Any], reason: str
) -> None:
    first, second, case = outcomes_after(tmp_path, key, lambda case: changed(case.file(CT, 0), change), reread=1)
    assert (first, second) == (("failed", reason), OK)
    lost = {(row["outcome"], row["keyword"]) for row in case.rows("attributes") if row["outcome"] != "missing"}
    assert {outcome for outcome, _ in lost} == ({reason} if reason.startswith("attribute") else set())


def test_a_date_that_moved_by_another_number_of_days_fails_the_whole_patient(tmp_path: Path, key: Key) -> None:
    def damage(case: Case) -> None:
        changed(case.file(CT, 0), lambda content: setattr(content, "StudyDate", "20200415"))

    assert outcomes_after(tmp_path, key, damage)[:2] == [("failed", "dates_uneven")] * 2


def test_numbers_written_otherwise_are_the_same(tmp_path: Path, key: Key) -> None:
    def change(content: pydicom.Dataset) -> None:
        content.SliceThickness, content.PixelSpacing = "2.500 ", [".5", "5e-1"]

    assert outcomes_after(tmp_path, key, lambda case: changed(case.file(CT, 0), change))[:2] == [OK, OK]


def test_a_text_that_was_blanked_is_counted_and_no_fault(tmp_path: Path, key: Key) -> None:
    def damage(case: Case) -> None:
        changed(case.original(CT, 0), lambda content: setattr(content, "BodyPartExamined", "KOPF VON OTTO"))

    *outcomes, case = outcomes_after(tmp_path, key, damage)
    assert outcomes == [OK, OK]
    assert ("text_lost", "BodyPartExamined") in {(row["outcome"], row["keyword"]) for row in case.rows("attributes")}


def test_what_the_source_lacks_is_counted(tmp_path: Path, key: Key) -> None:
    case = Case(tmp_path, key)
    case.run()
    assert ("missing", "KVP") in {(row["outcome"], row["keyword"]) for row in case.rows("attributes")}


def test_identifiers_of_the_source_that_the_inventory_does_not_know(tmp_path: Path, key: Key) -> None:
    def damage(case: Case) -> None:
        changed(case.original(CT, 1), lambda content: setattr(content, "OperatorsName", "Zwirner^Hedwig"))
        changed(case.file(CT, 0), lambda content: setattr(content, "SeriesDescription", "by zwirner"))

    assert outcomes_after(tmp_path, key, damage)[:2] == [LEAK, OK]


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"junk" * 99)])
def test_a_source_that_cannot_be_read_vouches_for_nothing(tmp_path: Path, key: Key, damage: Callable[[Path], Any]) -> None:  # fmt: skip
    outcomes = outcomes_after(tmp_path, key, lambda case: damage(case.original(MR, 1)))[:2]
    assert outcomes == [OK, ("failed", "source_unreadable")]


def test_a_file_without_a_source_fails(tmp_path: Path, key: Key) -> None:
    case = Case(tmp_path, key)
    case.file(CT, 0).rename(case.file(CT, 7))
    assert outcome(case.run()) == [("failed", "unpaired"), OK]


GOOD = bytes(range(32))  # rows of four words


def with_pixels(values: bytes, *words: int) -> bytes:
    """Some of the sixteen words changed."""
    return b"".join(b"\xee\xee" if n in words else values[2 * n : 2 * n + 2] for n in range(16))


@pytest.mark.parametrize(
    ("after", "boxes", "runs", "reason"),
    [
        (with_pixels(GOOD, 5), [], [], "pixels_changed"),
        (with_pixels(GOOD, 5), [(1, 1, 2, 2)], [], None),
        (with_pixels(GOOD, 5, 6), [(1, 1, 2, 2)], [], "pixels_changed"),  # one pixel outside
        (with_pixels(GOOD, 5, 6), [], [5, 2, 9], None),
        (with_pixels(GOOD, 5, 7), [], [5, 2, 9], "pixels_changed"),
        (with_pixels(GOOD, 0, 15), [(0, 0, 1, 1)], [15, 1], None),
        (with_pixels(GOOD, 0, 15), [(0, 0, 1, 1)], [14, 1, 1], "pixels_changed"),
        (with_pixels(GOOD, 0), [(-4, -4, 1, 1)], [], None),
        (GOOD, [(0, 0, 4, 4)], [], None),
        (GOOD, [], [0, 17], "source_unreadable"),  # more than the frame holds
        (GOOD[:30], [(0, 0, 4, 4)], [], "pixels_length"),
    ],
)
def test_pixels_may_differ_in_boxes_and_masks_only(
    tmp_path: Path,
    key: Key,
    after: bytes,
    boxes: list[tuple[int, int, int, int]],
    runs: list[int],
    reason: str | None,
) -> None:
    case = Case(tmp_path, key)
    file = case.file(CT, 0)
    place = {"series": CT, "name": file.name, "frame": 0}
    sides = ("top", "left", "bottom", "right")
    case.boxes = [
        place | dict(zip(sides, box, strict=True)) | {"kind": "text", "pass_number": 1, "filled": True} for box in boxes
    ]
    case.masks = [place | {"runs": runs}] if runs else []
    changed(file, lambda content: setattr(content, "PixelData", after))
    found = case.run()
    assert outcome(found) == [("failed", reason) if reason else OK, OK]
    assert bool(found[CT]["changed_outside"]) == (reason == "pixels_changed")


@pytest.mark.parametrize(("text", "reason"), [("QUANDT, OTTILIE", "text_left"), ("W 400 L 40", None)])
def test_what_names_the_patient_in_pixels_fails_the_series(
    tmp_path: Path, key: Key, text: str, reason: str | None
) -> None:
    """The image is the source's to the bit: only somebody who looks at it can tell."""
    plane = np.full((90, 240), 300, np.uint16)
    cv2.putText(plane, text, (12, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 1500, 1)
    case = Case(tmp_path, key)
    for path in (case.file(CT, 1), case.original(CT, 1)):
        changed(
            path,
            lambda c: (setattr(c, "Rows", 90), setattr(c, "Columns", 240), setattr(c, "PixelData", plane.tobytes())),
        )
    found = case.run()
    assert outcome(found) == [("failed", reason) if reason else OK, OK]
    assert found[CT]["looked"] > 0
    assert {(hit["category"], hit["keyword"], hit["place"]) for hit in case.hits()} == (
        {("name", "PatientName", "pixels")} if reason else set()
    )
    for path in sorted(case.out.iterdir()):
        assert b"quandt" not in path.read_bytes().lower(), "what was read is nowhere written down"


def test_a_box_that_was_not_filled_allows_nothing(tmp_path: Path, key: Key) -> None:
    case = Case(tmp_path, key)
    box = {"top": 0, "left": 0, "bottom": 4, "right": 4, "pass_number": 2, "filled": False}
    case.boxes = [{"series": CT, "name": case.file(CT, 0).name, "frame": 0, "kind": "text"} | box]
    changed(case.file(CT, 0), lambda content: setattr(content, "PixelData", with_pixels(GOOD, 5)))
    assert outcome(case.run()) == [("failed", "pixels_changed"), OK]


def test_a_file_that_changed_after_deidentify_wrote_it_fails(tmp_path: Path, key: Key) -> None:
    case = Case(tmp_path, key)
    case.digests = dict.fromkeys((CT,), "0" * 64)
    assert outcome(case.run()) == [("failed", "altered"), OK]


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [("YES", "NO  ", True), ("NO  ", "YES", False), ("YES", "NOT", False), ("NO", "NO", True), ("YES", None, False)],
)
def test_only_a_yes_about_burned_in_text_may_become_a_no(
    tmp_path: Path, before: str, after: str | None, same: bool
) -> None:
    files = []
    for said in (before, after):
        content = slice_of(CT, 0, lambda *_: None)
        if said is not None:
            content.BurnedInAnnotation = said
        path = tmp_path / f"{len(files)}.dcm"
        pydicom.dcmwrite(path, content, enforce_file_format=True)
        files.append(path.read_bytes())
    start = twins.pixel_start(read_layout(files[0]))
    header, pixels = (blake3(part).hexdigest() for part in (files[0][:start], files[0][start:]))
    assert twins.as_recorded(read_layout(files[1]), twins.Twin(tmp_path, header, pixels)) == same


def test_a_canary_that_came_through_stops_the_run(tmp_path: Path, key: Key) -> None:
    case = Case(tmp_path, key)
    specimen = specimens()[0]
    (case.deidentified / "canary" / f"{specimen.name}.dcm").write_bytes(specimen.data)
    with pytest.raises(CurationError, match="identifiers of invented patients came through"):
        case.run()
    left = [row for row in case.rows("canary") if row["left"]]
    assert left and all(row["planted"] >= row["left"] for row in left)


def test_without_canaries_the_search_is_not_trusted(tmp_path: Path, key: Key) -> None:
    case = Case(tmp_path, key)
    shutil.rmtree(case.deidentified / "canary")
    with pytest.raises(CurationError, match="can't be trusted"):
        case.run()


def test_a_blind_search_is_not_trusted(tmp_path: Path, key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radcurate.verify.examine.search_value", lambda *arguments: None)
    with pytest.raises(CurationError, match="can't be trusted"):
        Case(tmp_path, key).run()


def test_series_that_ended_before_are_not_revived(tmp_path: Path, key: Key) -> None:
    case = Case(tmp_path, key)
    case.deface_rows[1] |= {"status": "quarantined", "reason": "face_left"}
    assert set(case.run()) == {CT}


def test_a_folder_of_no_series_stops_the_run(tmp_path: Path, key: Key) -> None:
    case = Case(tmp_path, key)
    (case.cleaned / "dicom/S-00000000000000ff").mkdir()
    with pytest.raises(CurationError, match="files of no series"):
        case.run()


def test_a_patient_without_identifiers_stops_the_run(tmp_path: Path, key: Key) -> None:
    case = Case(tmp_path, key)
    tables.write_rows(case.chunk / "identifiers.parquet", tables.INVENTORY_IDENTIFIERS, [])
    with pytest.raises(CurationError, match="no identifiers"):
        case.run()


def test_an_edited_identity_table_stops_the_run(tmp_path: Path, key: Key) -> None:
    case = Case(tmp_path, key)
    case.run()
    tables.write_rows(case.chunk / "identifiers.parquet", tables.INVENTORY_IDENTIFIERS, [{"subject": SUBJECT, "category": "id", "keyword": "PatientID", "value": "other"}])  # fmt: skip
    with pytest.raises(CurationError, match="changed after it was written"):
        case.verify()


def test_a_word_that_a_steward_vouches_for(tmp_path: Path, key: Key) -> None:
    def change(content: pydicom.Dataset, series: str, number: int) -> None:
        content.SeriesDescription = "HEAD GLIOBLASTOMA"

    case = Case(tmp_path, key, change)
    row = {"subject": SUBJECT, "category": "text", "keyword": "SeriesDescription", "value": "Head Glioblastoma"}
    identity = [{"subject": SUBJECT, "category": c, "keyword": k, "value": v} for c, k, v in IDENTITY]
    tables.write_rows(case.chunk / "identifiers.parquet", tables.INVENTORY_IDENTIFIERS, [*identity, row])
    assert outcome(case.run()) == [LEAK, LEAK]
    assert outcome(case.run(harmless=["Glioblastoma"])) == [OK, OK]


def test_threads_make_no_difference(tmp_path: Path, key: Key) -> None:
    case = Case(tmp_path, key, lambda content, series, number: setattr(content, "SeriesDescription", "Quandt"))
    case.run()
    first = [(path.name, path.read_bytes()) for path in sorted(case.out.iterdir())]
    case.run(threads=2)
    assert [(path.name, path.read_bytes()) for path in sorted(case.out.iterdir())] == first


def chain(source: Path, work: Path, key: Key) -> tuple[Path, Path, Path]:
    """inventory, consent and deidentify; deface as if no series showed a face. The folders of the only chunk."""
    from radcurate.stages import consent, deidentify, inventory

    inventory.run(Inventory(n_chunks=1), source, work / "inventory", key, 1)
    (chunk,) = (work / "inventory/chunks").iterdir()
    patients = sorted({row["patient_id"] for row in tables.read_rows(chunk / "series.parquet")})
    consents = work / "consent.csv"
    lines = [f"{patient},broad,research,no,,{datetime.date(2000, 1, 1)},IRB 1" for patient in patients]
    consents.write_text("\n".join(["patient,model,purposes,recontact,withdrawn,date,governance", *lines]) + "\n")
    consent.run(Consent(), work / "inventory", work / "consent", key, consents)
    chunk, deidentified, cleaned = work / "consent/chunks/00000", work / "deidentify/00000", work / "deface/00000"
    deidentify.run(
        Deidentify(),
        chunk,
        source,
        deidentified,
        key,
        ROOT / "config/allowlist",
        ROOT / "config/vocabulary.yaml",
        1,
    )
    cleaned.mkdir(parents=True)
    shutil.copytree(deidentified / "dicom", cleaned / "dicom", copy_function=os.link)
    names = {name for name, _ in tables.DEFACE_SERIES.columns}
    rows = [
        {name: value for name, value in row.items() if name in names}
        for row in tables.read_rows(deidentified / "series.parquet")
    ]
    tables.write_rows(cleaned / "series.parquet", tables.DEFACE_SERIES, rows)
    seal(cleaned, ["series.parquet"], key)
    return chunk, deidentified, cleaned


@pytest.mark.slow
def test_the_real_chain_on_real_patients(real_data: Path, tmp_path: Path, key: Key) -> None:
    """Two patients of the sarcoma cohort: the cleaned files pass; with the originals in their place every series fails."""
    source = tmp_path / "source"
    for patient in ("STS_008", "STS_032"):
        shutil.copytree(real_data / "ibsi/ibsi_validation/dicom" / patient, source / patient)
    chunk, deidentified, cleaned = chain(source, tmp_path, key)
    verify.run(Verify(), source, chunk, deidentified, cleaned, [], tmp_path / "verify", key, 1)
    rows = tables.read_rows(tmp_path / "verify/series.parquet")
    assert [(row["status"], row["reason"]) for row in rows] == [OK] * 12
    shutil.rmtree(cleaned / "dicom")
    for row in tables.read_rows(chunk / "instances.parquet"):
        target = cleaned / "dicom" / row["series"] / f"{row['file']}.dcm"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / row["path"], target)
    seal(cleaned, ["series.parquet"], key)  # as a stage seals that passes everything on
    verify.run(Verify(), source, chunk, deidentified, cleaned, [], tmp_path / "verify", key, 1)
    assert [(row["status"], row["reason"]) for row in tables.read_rows(tmp_path / "verify/series.parquet")] == [
        LEAK
    ] * 12
    found = {(hit["series"], hit["category"]) for hit in tables.read_rows(tmp_path / "verify/hits.parquet")}
    assert all((row["series"], category) in found for row in rows for category in ("name", "id", "uid", "date"))

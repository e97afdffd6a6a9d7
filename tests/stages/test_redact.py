"""The stage on whole chunks: what is filled, what stays byte for byte, what goes to a person, and what people decide."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.uid import CTImageStorage

from deface_tools import blob, write_dicom
from radcurate import seals, tables
from radcurate.errors import CurationError
from radcurate.governance.decisions import Decision, add_decision, read_decisions, redact_evidence
from radcurate.keys import Key
from radcurate.redact.found import Box, Hit, Place
from radcurate.redact.look import Look
from radcurate.settings import Redact
from radcurate.stages import _texts, redact
from radcurate.stages._written import seal
from redact.redact_files import write_image

NAME = "Brunhilde"
CT = {"SOPClassUID": CTImageStorage, "Modality": "CT"}
BOX = Box(18, 4, 48, 120)


def noise(seed: int = 0, size: tuple[int, int, int] = (1, 96, 128), kind: type = np.uint16) -> np.ndarray:
    return (500 + 20 * np.random.default_rng(seed).standard_normal(size)).astype(kind)


def with_text(values: np.ndarray, text: str = "TEXT 42", bright: int = 2000) -> np.ndarray:
    drawn = values.copy()
    for frame in drawn:
        page = np.zeros(frame.shape[:2], np.uint8)
        cv2.putText(page, text, (8, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2, cv2.LINE_AA)
        frame[page > 100] = bright
    return drawn


class Chunk:
    """A chunk as deidentify leaves it, and the stage on it with a look that finds what a test says."""

    def __init__(self, root: Path, key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.key = root, key
        self.source, self.chunk, self.out = root / "deidentify", root / "consent", root / "redact" / "00000"
        self.decisions, self.regions = root / "decisions.csv", root / "regions.csv"
        self.marks = root / "marks.csv"
        self.rows: list[dict[str, object]] = []
        self.found: dict[str, list[Hit]] = {}
        self.left: dict[str, list[Hit]] = {}
        self.covered, self.refused = 0.05, None
        self.monkeypatch = monkeypatch

    def add(self, series: str, modality: str = "CT", kind: str = "image", images: tuple[str, ...] = ()) -> Path:
        folder = self.source / "dicom" / series
        row = {"series": series, "subject": "P-1", "kind": kind, "modality": modality, "status": "ok", "folder": series}
        self.rows.append(row | {"images": list(images), "frame_of_reference": "1.1", "study": "1.9"})
        return folder

    def image(
        self, series: str, values: np.ndarray | None = None, modality: str = "CT", files: int = 1, **more: object
    ) -> Path:
        folder = self.add(series, modality, "image" if modality in ("CT", "MR", "PT") else "picture")
        folder.mkdir(parents=True)
        values = noise() if values is None else values
        for number in range(files):
            write_image(folder / f"{number}.dcm", values, **{**CT, "Modality": modality, **more})
        return folder

    def finds(self, series: str, *hits: Hit, left: tuple[Hit, ...] = ()) -> None:
        self.found[series], self.left[series] = list(hits), list(left)

    def fake(self) -> None:
        def look(pictures, seeds, strict):
            return Look(tuple(self.found.get(self.now, [])), len(pictures.places), self.refused, self.covered)

        def second(pictures, seeds, strict, filled):
            return Look(tuple(self.left.get(self.now, [])), 1)

        def files_in(folder, real=_texts.files_in):
            self.now = folder.name
            return real(folder)

        for name, new in (("look", look), ("second_look", second), ("files_in", files_in)):
            self.monkeypatch.setattr(_texts, name, new)

    def run(self, threads: int = 1, fake: bool = True, **settings: object) -> dict[str, dict[str, object]]:
        for row in self.rows:
            row["n_instances"] = len(list((self.source / "dicom" / str(row["folder"])).iterdir()))
        tables.write_rows(self.source / "series.parquet", tables.DEIDENTIFY_SERIES, self.rows)
        seal(self.source, ["series.parquet"], self.key)
        self.chunk.mkdir(exist_ok=True)
        known = [{"subject": "P-1", "category": "name", "keyword": "PatientName", "value": f"{NAME}^Ada"}]
        tables.write_rows(self.chunk / "identifiers.parquet", tables.INVENTORY_IDENTIFIERS, known)
        seals.write_seal(self.chunk, ["identifiers.parquet"], self.key)
        if fake:
            self.fake()
        regions = [self.regions] if self.regions.exists() else []
        marks = [self.marks] if self.marks.exists() else []
        tables_of = (regions, marks)
        redact.run(Redact(**settings), self.source, self.chunk, *tables_of, self.decisions, self.out, self.key, threads)
        return {row["series"]: row for row in tables.read_rows(self.out / "series.parquet", tables.REDACT_SERIES)}

    def boxes(self, series: str) -> list[dict[str, object]]:
        rows = tables.read_rows(self.out / "boxes.parquet", tables.REDACT_BOXES)
        return [row for row in rows if row["series"] == series]

    def decide(self, series: str, decision: str) -> None:
        """What a person says about what the last run found."""
        row = next(r for r in tables.read_rows(self.out / "series.parquet") if r["series"] == series)
        evidence = redact_evidence(self.key, series, row["reason"], self.boxes(series))
        line = Decision("00000", series, "redact", decision, evidence, "A Person", str(date(2026, 1, 1)), "looked")
        self.decisions.write_bytes(add_decision(self.decisions, line))


@pytest.fixture
def chunk(tmp_path: Path, key: Key, monkeypatch: pytest.MonkeyPatch) -> Chunk:
    return Chunk(tmp_path, key, monkeypatch)


def hit(
    box: Box = BOX, kind: str = "text", sure: bool = True, file: int = 0, text: str = "TEXT 42", frame: int = 0
) -> Hit:
    return Hit(Place(file, frame), box, kind, sure, 0.87654, text)


def same_files(chunk: Chunk, series: str) -> bool:
    before = sorted((chunk.source / "dicom" / series).iterdir())
    return all(path.samefile(chunk.out / "dicom" / series / path.name) for path in before)


def test_what_shows_no_text_is_the_same_file(chunk):
    chunk.image("S-1", files=2)
    row = chunk.run()["S-1"]
    assert (row["status"], row["decision"], row["boxes"], row["frames"], row["looked"]) == ("ok", "no_text", 0, 2, 2)
    assert row["frame_of_reference"] == "1.1" and row["study"] == "1.9" and row["strict"] is False
    assert same_files(chunk, "S-1") and kept_before(chunk, "S-1") == []


def test_text_is_filled_and_nothing_else_changes(chunk):
    chunk.image("S-1", with_text(noise()), files=2)
    chunk.finds("S-1", hit(file=1))
    row = chunk.run()["S-1"]
    first, second = (chunk.source / "dicom" / "S-1" / name for name in ("0.dcm", "1.dcm"))
    assert first.samefile(chunk.out / "dicom/S-1/0.dcm") and not second.samefile(chunk.out / "dicom/S-1/1.dcm")
    before = pydicom.dcmread(second).pixel_array
    after = pydicom.dcmread(chunk.out / "dicom/S-1/1.dcm").pixel_array
    different = before != after
    assert row["changed_pixels"] == different.sum() > 0 and (row["decision"], row["boxes"]) == ("text_removed", 1)
    different[BOX.top : BOX.bottom, BOX.left : BOX.right] = False
    assert not different.any() and after.max() < 2000
    assert kept_before(chunk, "S-1") == ["1.dcm"], "what the report shows beside the cleaned file"
    assert (pydicom.dcmread(second).pixel_array == before).all(), "deidentify's file is never written"


def test_boxes_tell_where_and_never_what(chunk):
    chunk.image("S-1", with_text(noise()))
    chunk.finds("S-1", hit(text="Brunhilde 1950"), hit(Box(60, 5, 80, 60), sure=False, text="doubt"))
    chunk.run()
    one, two = chunk.boxes("S-1")
    assert (one["top"], one["left"], one["bottom"], one["right"], one["name"]) == (*BOX, "0.dcm")
    assert one["filled"] and one["changed_pixels"] > 0 and not two["filled"] and two["changed_pixels"] == 0
    assert one["text_hash"] == chunk.key.code("text", "brunhilde 1950") and one["confidence"] == 0.877
    for path in chunk.out.glob("*"):
        if path.is_file():
            assert b"Brunhilde" not in path.read_bytes() and b"runhilde" not in path.read_bytes().lower()


def test_its_folder_is_private_and_its_tables_are_sealed(chunk):
    chunk.image("S-1")
    chunk.run()
    assert chunk.out.stat().st_mode & 0o777 == 0o700
    assert set(seals.check_seal(chunk.out, chunk.key)) == {"series.parquet", "boxes.parquet", "files.parquet"}


def test_a_broken_seal_is_not_believed(chunk):
    chunk.image("S-1")
    chunk.run()
    (chunk.chunk / "seal.json").write_text(json.dumps({"files": {}, "mac": "0"}))
    with pytest.raises(CurationError, match="seal"):
        redact.run(Redact(), chunk.source, chunk.chunk, [], [], chunk.decisions, chunk.out, chunk.key, 1)


def test_a_place_that_a_steward_named_is_filled(chunk):
    chunk.image("S-1", with_text(noise()), files=2)
    head = "modality,manufacturer,model,rows,columns,top,left,bottom,right,reason"
    chunk.regions.write_text(f"{head}\nCT,,,96,128,{BOX.top},{BOX.left},{BOX.bottom},{BOX.right},logo\n")
    row = chunk.run()["S-1"]
    assert (row["decision"], row["boxes"], {box["kind"] for box in chunk.boxes("S-1")}) == (
        "text_removed",
        2,
        {"region"},
    )


# what goes to a person


def gone(chunk: Chunk, series: str, reason: str, **settings: object) -> dict[str, object]:
    """The row of a series that must be set aside for this reason, of which no file may go on."""
    row = chunk.run(**settings)[series]
    assert (row["status"], row["reason"]) == ("quarantined", reason) and row["remedy"]
    assert not (chunk.out / "dicom" / series).exists() and row["changed_pixels"] == 0
    assert not any(box["filled"] or box["changed_pixels"] for box in chunk.boxes(series))
    assert kept_before(chunk, series) == sorted(path.name for path in (chunk.source / "dicom" / series).iterdir())
    return row


def kept_before(chunk: Chunk, series: str) -> list[str]:
    """Names of the files that people can look at as they came; each is deidentify's own."""
    files = sorted((chunk.out / "before" / series).glob("*"))
    assert all(path.samefile(chunk.source / "dicom" / series / path.name) for path in files)
    return [path.name for path in files]


def test_a_doubt_on_an_ultrasound(chunk):
    chunk.image("S-1", modality="US")
    chunk.finds("S-1", hit(sure=False))
    assert gone(chunk, "S-1", "text_uncertain")["strict"]


def test_a_doubt_on_a_slice_is_passed_over_unless_a_steward_says_otherwise(chunk):
    chunk.image("S-1")
    chunk.finds("S-1", hit(sure=False))
    assert chunk.run()["S-1"]["decision"] == "no_text"
    gone(chunk, "S-1", "text_uncertain", lenient=[])


def test_a_page_of_text(chunk):
    chunk.image("S-1", modality="OT")
    chunk.finds("S-1", hit())
    chunk.covered = 0.6
    gone(chunk, "S-1", "mostly_text")
    assert chunk.run(most_covered=0.4)["S-1"]["status"] == "ok"


def test_text_that_can_still_be_read(chunk):
    chunk.image("S-1", with_text(noise()))
    chunk.finds("S-1", hit(), left=(hit(sure=False),))
    assert gone(chunk, "S-1", "text_left")["residual"] == 1
    assert [box["pass_number"] for box in chunk.boxes("S-1")] == [1, 2]


def test_a_header_that_says_that_there_is_text(chunk):
    chunk.image("S-1", with_text(noise()), BurnedInAnnotation="YES")
    gone(chunk, "S-1", "text_said_not_found")
    chunk.finds("S-1", hit())
    assert chunk.run()["S-1"]["status"] == "ok"
    assert pydicom.dcmread(chunk.out / "dicom/S-1/0.dcm").BurnedInAnnotation == "NO"
    assert pydicom.dcmread(chunk.source / "dicom/S-1/0.dcm").BurnedInAnnotation == "YES"


def test_a_frame_that_could_not_be_looked_at(chunk):
    chunk.image("S-1")
    chunk.refused = "frame_empty: a frame has no pixels"
    gone(chunk, "S-1", "frame_empty")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-5000]), "pixel_data_short"),
        (lambda path: path.write_bytes(b"nothing of the kind" * 30), "no_pixels"),
        (lambda path: write_image(path, noise(), photometric="NEWSPEAK"), "unknown_photometric"),
        (lambda path: write_image(path, noise(size=(1, 1, 1))), "too_small"),
    ],
)
def test_what_can_not_be_opened_is_set_aside_and_others_go_on(chunk, spoil, reason):
    chunk.image("S-1")
    chunk.image("S-2")
    spoil(chunk.source / "dicom/S-1/0.dcm")
    row = gone(chunk, "S-1", reason)
    assert row["decision"] == "not_looked_at" and same_files(chunk, "S-2")


def test_an_unexpected_error_tells_its_place_and_nothing_else(chunk):
    chunk.image("S-1")
    chunk.fake()

    def fails(*_):
        raise RuntimeError("Brunhilde")

    chunk.monkeypatch.setattr(_texts, "look", fails)
    row = chunk.run(fake=False)["S-1"]
    assert row["status"] == "failed" and row["reason"].startswith("unexpected:") and "Brunhilde" not in str(row)
    assert not (chunk.out / "dicom/S-1").exists()


def test_pixels_that_changed_outside_of_boxes(chunk):
    """The writer's word is not taken for it."""
    chunk.image("S-1", with_text(noise()), files=2)
    chunk.finds("S-1", hit())
    real = _texts.write

    def careless(path, target, patches):
        written = real(path, target, patches)
        data = bytearray(target.read_bytes())
        data[-1] ^= 1
        target.write_bytes(data)
        return written

    chunk.monkeypatch.setattr(_texts, "write", careless)
    gone(chunk, "S-1", "outside_changed")


# contours


def contour(chunk: Chunk, series: str, image: str, where: tuple[slice, slice, slice], stack) -> None:
    folder = chunk.add(series, "", "nifti", (image,))
    folder.mkdir(parents=True)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = stack.column_step, stack.row_step
    affine[:3, 2] = stack.origins[1] - stack.origins[0]
    affine[:3, 3] = stack.origins[0]
    values = np.zeros(stack.values.shape, np.uint8)
    values[where] = 1
    nibabel.save(nibabel.Nifti1Image(values.T, np.diag([-1, -1, 1, 1]) @ affine), folder / "mask.nii.gz")


def test_a_box_over_a_contour_sets_both_aside(chunk):
    stack = blob(size=(6, 40, 60))
    write_dicom(stack, chunk.add("S-1"))
    contour(chunk, "S-near", "S-1", (slice(2, 4), slice(10, 20), slice(20, 40)), stack)
    contour(chunk, "S-far", "S-1", (slice(2, 4), slice(30, 35), slice(20, 40)), stack)
    chunk.finds("S-1", hit(Box(5, 5, 12, 50), file=3))
    row = gone(chunk, "S-1", "box_over_roi")
    assert row["overlap_voxels"] == 2 * 20
    found = chunk.run()
    assert (found["S-near"]["reason"], found["S-far"]["reason"]) == ("box_over_roi", "image_quarantined")


def test_a_box_beside_a_contour(chunk):
    stack = blob(size=(6, 40, 60))
    write_dicom(stack, chunk.add("S-1"))
    contour(chunk, "S-near", "S-1", (slice(2, 4), slice(10, 20), slice(20, 40)), stack)
    chunk.finds("S-1", hit(Box(5, 5, 12, 50), file=4))  # another plane
    found = chunk.run()
    assert found["S-1"]["status"] == found["S-near"]["status"] == "ok" and found["S-1"]["overlap_voxels"] == 0


def test_a_contour_that_can_not_be_placed_goes(chunk):
    chunk.image("S-1", with_text(noise()))  # has no place in space
    contour(chunk, "S-near", "S-1", (slice(0, 1), slice(10, 20), slice(20, 40)), blob(size=(6, 40, 60)))
    chunk.finds("S-1", hit())
    found = chunk.run()
    assert found["S-1"]["status"] == "ok" and found["S-near"]["reason"] == "overlap_unknown"


# decisions


def test_a_person_releases_a_doubt(chunk):
    chunk.image("S-1", modality="US")
    chunk.finds("S-1", hit(sure=False))
    gone(chunk, "S-1", "text_uncertain")
    chunk.decide("S-1", "release")
    row = chunk.run()["S-1"]
    assert (row["status"], row["decision"]) == ("ok", "released_by_person") and same_files(chunk, "S-1")


def test_a_person_has_a_doubt_erased(chunk):
    chunk.image("S-1", with_text(noise()), modality="US")
    chunk.finds("S-1", hit(sure=False))
    chunk.run()
    chunk.decide("S-1", "erase")
    row = chunk.run()["S-1"]
    assert (row["status"], row["boxes"]) == ("ok", 1) and row["changed_pixels"] > 0


def test_what_is_left_after_erasing_is_decided_on_again(chunk):
    chunk.image("S-1", with_text(noise()), modality="US")
    chunk.finds("S-1", hit(sure=False), left=(hit(sure=False),))
    chunk.run()
    chunk.decide("S-1", "erase")
    gone(chunk, "S-1", "text_left")
    chunk.decide("S-1", "release")
    row = chunk.run()["S-1"]
    assert (row["status"], row["decision"], row["residual"]) == ("ok", "released_by_person", 0)
    assert row["changed_pixels"] > 0


def test_the_patients_own_words_are_not_released(chunk):
    chunk.image("S-1", with_text(noise()), modality="US")
    chunk.finds("S-1", hit(kind="identity"), hit(Box(60, 5, 80, 60), sure=False), left=(hit(kind="identity"),))
    chunk.run()
    chunk.decide("S-1", "release")
    row = gone(chunk, "S-1", "text_left")
    assert row["residual"] == 1


def test_a_decision_about_something_else_is_void(chunk):
    chunk.image("S-1", modality="US")
    chunk.finds("S-1", hit(sure=False))
    chunk.run()
    chunk.decide("S-1", "release")
    chunk.finds("S-1", hit(sure=False), hit(Box(60, 5, 80, 60), sure=False))
    assert "something else" in gone(chunk, "S-1", "text_uncertain")["remedy"]


def test_a_person_leaves_it_out(chunk):
    chunk.image("S-1", modality="US")
    chunk.finds("S-1", hit(sure=False))
    chunk.run()
    chunk.decide("S-1", "leave_out")
    gone(chunk, "S-1", "left_out")
    assert read_decisions(chunk.decisions)


# the whole of it


def test_every_series_is_told_of(chunk):
    chunk.image("S-1")
    chunk.image("S-2", modality="US")
    chunk.rows.append({"series": "S-3", "subject": "P-1", "kind": "image", "modality": "CT", "status": "quarantined"})
    chunk.rows[-1] |= {"reason": "no_files", "remedy": "export again", "folder": "S-3", "images": []}
    (chunk.source / "dicom" / "S-3").mkdir()
    found = chunk.run()
    assert {name: row["status"] for name, row in found.items()} == {"S-1": "ok", "S-2": "ok", "S-3": "quarantined"}
    assert found["S-3"]["reason"] == "no_files"


def test_the_same_bytes_on_two_processes_with_the_look_itself(chunk, tmp_path):
    large = (1, 192, 256)
    chunk.image("S-1", with_text(noise(0, large), "TEXT 4217"))
    chunk.image("S-2", noise(1, large))
    chunk.image("S-3", with_text(noise(2, large), NAME), modality="US")
    found = chunk.run(fake=False)
    assert (
        found["S-1"]["decision"] == found["S-3"]["decision"] == "text_removed" and found["S-2"]["decision"] == "no_text"
    )
    assert "identity" in {box["kind"] for box in chunk.boxes("S-3")} and not found["S-3"]["residual"]
    first = {p.relative_to(chunk.out): p.read_bytes() for p in sorted(chunk.out.rglob("*")) if p.is_file()}
    chunk.run(fake=False, threads=2)
    assert first == {p.relative_to(chunk.out): p.read_bytes() for p in sorted(chunk.out.rglob("*")) if p.is_file()}

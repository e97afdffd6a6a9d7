"""DICOM bombs: bounded memory in every reader, each file a row with a reason, and the others go on."""

from __future__ import annotations

import gzip
import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import bombs
import numpy as np
import pytest

from inventory_files import Export, uid
from paths import ROOT
from radcurate import tables
from radcurate.deidentify import nifti, rle
from radcurate.deidentify.layout import Layout
from radcurate.dicom import elements, limits
from radcurate.dicom.header import Unusable, read_header
from radcurate.dicom.problems import Unsafe
from radcurate.dicom.tree import Found
from radcurate.keys import Key
from radcurate.settings import Inventory
from radcurate.stages import inventory

PLAIN = Key(bytes(range(32)))
MOST = 700  # MB beyond what the modules take: 256 are allowed to inflate, and are held twice
FOR_MANY = 1200  # MB; two million elements, just allowed, are 170 bytes each when read strictly


def in_a_small_process(task: str, *arguments: Path | str, most: int = MOST) -> Any:
    """The JSON that a task of in_a_small_process.py prints; fails where it needed more memory."""
    script = Path(__file__).with_name("in_a_small_process.py")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, str(script), str(most), task, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All bombs in one folder."""
    place = tmp_path_factory.mktemp("bombs")
    for name, (make, _) in bombs.BOMBS.items():
        make(place / name)
    return place


@pytest.fixture(scope="module")
def few(folder: Path) -> Path:
    """Those that are read whole: without the sparse ones, which take gigabytes as such."""
    place = folder.with_name("few")
    place.mkdir()
    for path in folder.iterdir():
        if path.stat().st_size < 10**8:
            (place / path.name).hardlink_to(path)
    return place


@pytest.mark.slow
def test_every_bomb_is_a_row_with_a_reason_and_the_others_go_on(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "in"
    export = Export(source / "good")
    image, _ = export.image(uid("good"))
    export.rtstruct(image, [uid(image, 3.0)])
    folder.rename(source / "bombs")
    try:
        in_a_small_process("inventoried", source, tmp_path / "out", PLAIN.secret.hex())
    finally:
        (source / "bombs").rename(folder)
    unplaced = tables.read_rows(tmp_path / "out" / "unplaced.parquet", tables.INVENTORY_INSTANCES)
    found = {Path(row["path"]).name: row["reason"] for row in unplaced}
    assert found == {name: reason for name, (_, reason) in bombs.BOMBS.items()}
    assert all(row["remedy"] for row in unplaced)
    (chunk,) = (tmp_path / "out" / "chunks").iterdir()
    series = tables.read_rows(chunk / "series.parquet", tables.INVENTORY_SERIES)
    assert {row["status"] for row in series if row["patient_id"] == "PAT-4711"} == {"ok"}


@pytest.mark.slow
def test_every_bomb_is_refused_by_deidentify_s_own_reader_too(few: Path) -> None:
    """Should one get past the inventory: those that only declare a wide image are refused when their pixels are judged."""
    found = in_a_small_process("strictly", few, most=FOR_MANY)
    reasons = {
        "deflated.dcm": "inflates",
        "tiny_elements.dcm": "too_many_elements",
        "tiny_items.dcm": "too_many_elements",
        "deep_known.dcm": "nesting",
        "deep_endless.dcm": "nesting",
        "fragments.dcm": "too_many_fragments",
        "wide_mask.nii.gz": "unreadable_nifti",
    }
    assert {name: found[name] for name in reasons} == reasons
    assert found["endless_private.dcm"].startswith("unreadable_")


@pytest.mark.slow
def test_verify_follows_no_bomb_to_its_end(few: Path) -> None:
    found = in_a_small_process("verified", few, most=FOR_MANY + 1000)
    assert found["deflated.dcm"] == "source_unreadable"
    assert {found["deep_known.dcm"], found["deep_endless.dcm"]} <= {"unreadable", "source_unreadable"}


def reason_of(path: Path) -> str | None:
    return read_header(path.parent, Found(path.name, path.stat().st_size, 0))[0].reason


SMALL_BOMBS = [
    name for name in bombs.BOMBS if name not in ("deflated.dcm", "huge_file.dcm", "wide_mask.nii.gz", "long_nested.dcm")
]  # the others take seconds to make, or are told by their size or name


@pytest.fixture
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits a thousand times lower, so that bombs are made and read in no time."""
    monkeypatch.setattr(limits, "MOST_ELEMENTS", 2000)
    monkeypatch.setattr(elements, "MOST_FRAGMENTS", 1000)
    monkeypatch.setattr("radcurate.dicom.pixels.MOST_FRAGMENTS", 1000)
    monkeypatch.setattr(limits, "SMALL", 100)


@pytest.mark.parametrize("name", SMALL_BOMBS)
def test_a_bomb_is_told_by_its_header(tmp_path: Path, name: str, low_limits: None) -> None:
    make, reason = bombs.BOMBS[name]
    make(tmp_path / name)
    assert reason_of(tmp_path / name) == reason


def test_fragments_are_counted_as_they_are_read(low_limits: None) -> None:
    """By the strict reader, too, should a file get past the inventory."""
    within, beyond = (bombs.encapsulated(*[b""] * count) for count in (900, 1100))
    assert elements.read_data_set(within, 0, elements.EXPLICIT_LITTLE).elements
    with pytest.raises(Unsafe, match="too_many_fragments"):
        elements.read_data_set(beyond, 0, elements.EXPLICIT_LITTLE)


@pytest.mark.parametrize(
    "name", ["tiny_elements.dcm", "tiny_items.dcm", "tiny_behind_the_pixels.dcm", "deep_endless.dcm", "deep_known.dcm"]
)
def test_without_counting_it_would_be_read(
    tmp_path: Path, name: str, low_limits: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The protection of the test above, taken out."""
    make, reason = bombs.BOMBS[name]
    make(tmp_path / name)
    monkeypatch.setattr("radcurate.dicom.container.check_elements", lambda *_: None)
    monkeypatch.setattr("radcurate.dicom.header.check_elements", lambda *_: None)
    assert reason_of(tmp_path / name) != reason


def test_a_text_that_inflates_without_end_is_refused_by_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bombs, "DEFLATED_TEXT", 30_000_000)
    bombs.deflate(tmp_path / "f")
    assert reason_of(tmp_path / "f") == "truncated"  # so much may be; it is an image without pixels
    monkeypatch.setattr(limits, "LARGEST_INFLATED", 10_000_000)
    assert reason_of(tmp_path / "f") == "inflates"


def test_an_image_within_the_limit_of_a_frame_may_exceed_that_of_a_series(tmp_path: Path) -> None:
    export = Export(tmp_path / "in")
    image, _ = export.image(uid("large"))
    export.rtstruct(image, [uid(image, 3.0)])
    small = Export(tmp_path / "in" / "b", "PAT-2")
    other, _ = small.image(uid("small"), count=2)
    small.rtstruct(other, [uid(other, 3.0)])
    settings = Inventory(largest_image=1)
    inventory.run(settings, tmp_path / "in", tmp_path / "all", PLAIN, 1)
    assert outcomes(tmp_path / "all")[uid("large")] == ("ok", None)
    lower = settings.model_copy(update={"largest_image": 0.0002})  # 200 samples, where four slices have 256
    inventory.run(lower, tmp_path / "in", tmp_path / "low", PLAIN, 1)
    found = outcomes(tmp_path / "low")
    assert found[uid("large")] == ("quarantined", "too_large")
    assert found[uid("small")] == ("ok", None)


def outcomes(out: Path) -> dict[str, tuple[str, str | None]]:
    rows = [
        row
        for path in sorted((out / "chunks").glob("*/series.parquet"))
        for row in tables.read_rows(path, tables.INVENTORY_SERIES)
    ]
    return {row["series_instance_uid"]: (row["status"], row["reason"]) for row in rows}


def test_a_file_beyond_the_limit_is_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export = Export(tmp_path / "in")
    image, _ = export.image(uid("good"))
    export.rtstruct(image, [uid(image, 3.0)])
    bombs.sparse(tmp_path / "in" / "big.dcm", bombs.head("big") + bombs.header("big"), 2_000_001)
    inventory.run(Inventory(largest_file=2), tmp_path / "in", tmp_path / "out", PLAIN, 1)
    (row,) = tables.read_rows(tmp_path / "out" / "unplaced.parquet", tables.INVENTORY_INSTANCES)
    assert (row["path"], row["reason"], row["size"]) == ("big.dcm", "too_large", 2_000_001)


def layout(rows: int, columns: int) -> Layout:
    return Layout(rows=rows, columns=columns, samples=1, frames=1, bits=8, photometric="MONOCHROME2")


def rle_frame(segment: bytes) -> bytes:
    return rle.HEADER.pack(1, 64, *[0] * 14) + segment


def test_runs_that_fill_more_than_a_plane_are_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked: list[int] = []
    real = rle.decode_segment
    monkeypatch.setattr(rle, "decode_segment", lambda data: unpacked.append(len(data)) or real(data))
    for runs in (2_000_000, 20_000_000):
        with pytest.raises(Unsafe, match="pixel_data_long"):
            rle.clean(rle_frame(b"\x81\0" * runs), layout(64, 64))
    assert unpacked == []
    plane = b"\x81\0" * 32
    assert rle.clean(rle_frame(plane), layout(64, 64)) == rle_frame(plane)
    assert unpacked


def test_a_long_segment_is_followed_instead_of_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rle, "AT_ONCE", 10)
    monkeypatch.setattr(rle, "decode_segment", lambda data: pytest.fail("unpacked"))
    plane = b"\x81\0" * 32
    assert rle.clean(rle_frame(plane), layout(64, 64)) == rle_frame(plane)
    with pytest.raises(Unsafe):
        rle.clean(rle_frame(plane[:-2]), layout(64, 64))


def gz_mask(shape: tuple[int, int, int], behind: int) -> bytes:
    voxels = np.ones(shape, np.uint8).tobytes()
    return gzip.compress(bombs.nifti_head(shape) + voxels + b"\0" * behind, mtime=0)


def test_what_follows_the_voxels_of_a_mask_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    real = gzip.GzipFile.read
    monkeypatch.setattr(gzip.GzipFile, "read", lambda self, size=-1: read.append(size) or real(self, size))
    assert nifti.fresh_mask(gz_mask((4, 4, 4), 50_000_000)) == nifti.fresh_mask(gz_mask((4, 4, 4), 0))
    assert max(read) <= 352 + 65
    assert min(read) >= 0


@pytest.mark.parametrize("begin", [50_000_000, 1e30])
def test_a_mask_whose_voxels_begin_nowhere_near_is_refused(begin: float) -> None:
    head = bytearray(bombs.nifti_head((4, 4, 4)))
    struct.pack_into("<f", head, 108, begin)
    before = b"\0" * (50_000_000 - len(head))
    with pytest.raises(Unsafe, match="unreadable_nifti"):
        nifti.fresh_mask(gzip.compress(bytes(head) + before + b"\1" * 64, 1, mtime=0))


@pytest.mark.slow
def test_verify_unpacks_no_more_of_a_mask_than_its_twin_has(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(gz_mask((4, 4, 4), 1_000_000_000))
    (tmp_path / "new").write_bytes(nifti.fresh_mask(gz_mask((4, 4, 4), 0)))
    assert in_a_small_process("masks", tmp_path / "old", tmp_path / "new", most=300) is True


def test_no_identifier_of_a_thousand_letters_is_remembered(tmp_path: Path) -> None:
    bombs.long_patient(tmp_path / "f")
    found = read_header(tmp_path, Found("f", 0, 0))[0]
    assert isinstance(found, Unusable)
    assert found.reason == "damaged"


def test_an_object_that_is_large_but_real_passes(real_data: Path) -> None:
    """The largest objects of the test data: contours of a whole head, segmentations of hundreds of frames."""
    files = sorted(real_data.rglob("*.dcm"), key=lambda path: -path.stat().st_size)[:40]
    reasons = [reason_of(path) for path in files]
    assert len(files) == 40
    assert not {"too_large", "too_many_elements", "nesting", "inflates", "too_many_fragments"} & set(reasons)

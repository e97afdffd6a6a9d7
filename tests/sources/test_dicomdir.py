"""Media with a DICOMDIR: what the index names must be there, what it doesn't name is taken all the same."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.fileset import FileSet

from inventory_files import Export, uid
from radcurate import tables
from radcurate.keys import Key
from radcurate.settings import Inventory
from radcurate.sources.dicomdir import missing_files, named_files
from radcurate.stages import inventory

IMAGE = uid("image")
KEY = Key(bytes(range(32)))


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    """A patient's image and contour as on a disc."""
    export = Export(tmp_path / "loose")
    export.image(IMAGE)
    export.rtstruct(IMAGE, [uid(IMAGE, 3.0)], StructureSetLabel="x", StructureSetDate="20230405", StructureSetTime="1")
    files = FileSet()
    for number, path in enumerate(sorted((tmp_path / "loose").iterdir())):
        dataset = dcmread(path)
        dataset.InstanceNumber, dataset.SeriesNumber, dataset.StudyTime, dataset.StudyID = number, 1, "1200", "1"
        dataset.save_as(path)
        files.add(path)
    files.write(tmp_path / "disc")
    return tmp_path / "disc"


def judged(medium: Path, tmp_path: Path) -> tuple[dict[str, tuple[str, str | None]], dict[str, str]]:
    """Outcome of the series by modality, reasons of files of no series."""
    out = tmp_path / "inventory"
    inventory.run(Inventory(), medium, out, KEY, 1)
    series = [
        row for path in out.glob("chunks/*/series.parquet") for row in tables.read_rows(path, tables.INVENTORY_SERIES)
    ]
    apart = tables.read_rows(out / "unplaced.parquet", tables.INVENTORY_INSTANCES)
    return {row["modality"]: (row["status"], row["reason"]) for row in series}, {r["path"]: r["reason"] for r in apart}


def last_slice(medium: Path) -> Path:
    heights = {
        path: float(head.ImagePositionPatient[2])
        for path in medium.rglob("IM*")
        if (head := dcmread(path)).Modality == "CT"
    }
    return max(heights, key=lambda path: heights[path])


def test_a_whole_medium_is_taken(medium: Path, tmp_path: Path) -> None:
    assert len(named_files(medium / "DICOMDIR")) == 5
    assert list(missing_files(medium / "DICOMDIR")) == []
    series, apart = judged(medium, tmp_path)
    assert series == {"CT": ("ok", None), "RTSTRUCT": ("ok", None)}
    assert apart == {"DICOMDIR": "dicomdir"}


def test_a_file_that_is_named_and_missing_is_counted_and_its_series_incomplete(medium: Path, tmp_path: Path) -> None:
    """The last slice leaves no gap: without the index the series would pass."""
    victim = last_slice(medium)
    name = str(victim.relative_to(medium))
    victim.unlink()
    other = Export(medium / "more", "PAT-2")  # somebody who is whole, for the run to go on
    other.rtstruct(other.image(modality="MR")[0])
    (named,) = missing_files(medium / "DICOMDIR")
    assert (named.path, named.series, named.sop) == (name, IMAGE, uid(IMAGE, 9.0))
    series, apart = judged(medium, tmp_path)
    assert series["CT"] == ("quarantined", "incomplete")
    assert apart == {"DICOMDIR": "dicomdir", name: "named_missing"}
    (medium / "DICOMDIR").unlink()
    assert judged(medium, tmp_path)[0]["CT"] == ("ok", None)


def test_a_named_file_under_another_name_is_not_missing(medium: Path, tmp_path: Path) -> None:
    victim = last_slice(medium)
    (medium / "elsewhere").mkdir()
    victim.rename(medium / "elsewhere" / "renamed.dcm")
    series, apart = judged(medium, tmp_path)
    assert series["CT"] == ("ok", None)
    assert apart == {"DICOMDIR": "dicomdir"}


def test_a_file_that_is_not_named_is_taken(medium: Path, tmp_path: Path) -> None:
    Export(medium / "more", "PAT-2").slice(uid("other"), 0.0)
    out = tmp_path / "inventory"
    inventory.run(Inventory(), medium, out, KEY, 1)
    assert sum(tables.read(path).num_rows for path in out.glob("chunks/*/instances.parquet")) == 6


def test_names_are_found_as_discs_write_them(medium: Path) -> None:
    for path in sorted(medium.rglob("*"), key=lambda path: -len(path.parts)):
        if path.name != "DICOMDIR":
            path.rename(path.with_name(path.name.lower() + (";1" if path.is_file() else "")))
    assert list(missing_files(medium / "DICOMDIR")) == []


def edited(medium: Path, change: Any) -> Path:
    dataset = dcmread(medium / "DICOMDIR")
    change(list(dataset.DirectoryRecordSequence))
    dataset.save_as(medium / "DICOMDIR")
    return medium / "DICOMDIR"


def test_a_chain_without_end_comes_to_an_end(medium: Path) -> None:
    def change(records: list[Any]) -> None:
        for record in records:
            record.OffsetOfTheNextDirectoryRecord = record.OffsetOfReferencedLowerLevelDirectoryEntity = 396

    assert len(named_files(edited(medium, change))) == 5


def test_a_name_that_leads_out_is_not_looked_up(medium: Path, tmp_path: Path) -> None:
    def change(records: list[Any]) -> None:
        records[-1].ReferencedFileID = ["..", "..", "secret"]
        records[-2].ReferencedFileID = ["/etc/passwd"]

    found = named_files(edited(medium, change))
    assert [named.path for named in found if "secret" in named.path or "etc" in named.path] == ["_etc_passwd"]


def test_a_damaged_index_names_nothing(medium: Path, tmp_path: Path) -> None:
    data = (medium / "DICOMDIR").read_bytes()
    for length in (0, 100, 400, len(data) // 2, len(data) - 3):
        (tmp_path / "cut").write_bytes(data[:length])
        assert len(named_files(tmp_path / "cut")) <= 5
    shutil.rmtree(medium)
    assert named_files(medium / "DICOMDIR") == []

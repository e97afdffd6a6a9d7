"""A source file that is exchanged after the inventory, under its own size and time, is not taken for the one consented to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inventory_files import Export, mask, uid
from paths import ROOT
from radcurate import tables
from radcurate.keys import Key
from radcurate.settings import Deidentify, Inventory
from radcurate.stages import deidentify, inventory

PLAIN = Key(bytes(range(32)))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """One patient: four slices, contours, a mask; bytes behind the pixels of one slice."""
    folder = tmp_path / "in"
    export = Export(folder, "PAT-4711")
    image, paths = export.image(uid("image"))
    with paths[1].open("ab") as stream:
        stream.write(b"\xfc\xff\xfc\xffOB\0\0\x10\0\0\0" + b"Falke, Zita 0001")
    export.rtstruct(image, [uid(image, 3.0)])
    mask(folder / "mask.nii")
    inventory.run(Inventory(n_chunks=1), folder, tmp_path / "inventory", PLAIN, 1)
    return folder


def rewritten(source: Path) -> dict[str, Any]:
    """Reason by kind of series."""
    base, policy = source.parent, ROOT / "config"
    deidentify.run(
        Deidentify(), base / "inventory" / "chunks" / "00000", source, base / "out", PLAIN,
        policy / "allowlist", policy / "vocabulary.yaml", 1,
    )  # fmt: skip
    rows = tables.read_rows(base / "out" / "series.parquet", tables.DEIDENTIFY_SERIES)
    return {row["kind"]: row["reason"] for row in rows}


def swap(path: Path, old: bytes, new: bytes) -> None:
    """Change bytes, and nothing that a look at the folder would show."""
    before, data = path.stat(), path.read_bytes()
    assert len(old) == len(new)
    assert old in data
    path.write_bytes(data.replace(old, new))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def slice_at(source: Path, height: str) -> Path:
    return next(path for path in source.iterdir() if path.name.endswith(f"_{height}"))


PLACES: dict[str, tuple[Callable[[Path], Path], bytes, bytes, str]] = {
    "patient of a slice": (lambda source: slice_at(source, "6.0"), b"PAT-4711", b"PAT-0815", "image"),
    "behind the pixels": (lambda source: slice_at(source, "3.0"), b"Falke, Zita 0001", b"Amsel, Emil 0002", "image"),
    "contour": (lambda source: source / "rs.dcm", b"PAT-4711", b"PAT-0815", "rtstruct"),
    "mask": (lambda source: source / "mask.nii", b"\0\1\1\1\0", b"\0\1\0\1\0", "nifti"),
}


@pytest.mark.parametrize("place", PLACES)
def test_it_is_noticed_wherever_it_was_changed(source: Path, place: str) -> None:
    where, old, new, kind = PLACES[place]
    swap(where(source), old, new)
    assert rewritten(source)[kind] == "changed_since_inventory"


@pytest.mark.parametrize("place", PLACES)
def test_without_the_comparison_it_is_not(source: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The protection of the test above, taken out."""
    where, old, new, kind = PLACES[place]
    swap(where(source), old, new)
    monkeypatch.setattr(deidentify, "_is_what_was_judged", lambda *_: True)
    assert rewritten(source)[kind] != "changed_since_inventory"


def test_files_that_nobody_touched_pass(source: Path) -> None:
    assert set(rewritten(source).values()) == {None}

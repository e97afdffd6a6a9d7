"""Images between two stages go once they were read, and not before."""

from __future__ import annotations

import os
from pathlib import Path

from radcurate.stages._intermediates import forget_intermediates


def stage(results: Path, name: str, sealed: int | None, images: bool = True) -> Path:
    """A stage's folder of one chunk; `sealed`: when, in seconds."""
    folder = results / name / "00000"
    if images:
        (folder / "dicom" / "S-1").mkdir(parents=True)
        (folder / "dicom" / "S-1" / "1.dcm").write_bytes(b"x")
    folder.mkdir(parents=True, exist_ok=True)
    if sealed is not None:
        (folder / "seal.json").touch()
        os.utime(folder / "seal.json", (sealed, sealed))
    return folder / "dicom"


def test_images_that_were_read_go_and_the_last_ones_stay(tmp_path: Path) -> None:
    first, second, last = (stage(tmp_path, name, n) for n, name in enumerate(("deidentify", "redact", "deface")))
    assert forget_intermediates(tmp_path) == 2
    assert not first.exists() and not second.exists() and last.is_dir()
    assert (first.parent / "seal.json").is_file()


def test_images_that_nobody_has_read_stay(tmp_path: Path) -> None:
    first = stage(tmp_path, "deidentify", 5)
    assert forget_intermediates(tmp_path) == 0, "redact hasn't begun"
    second = stage(tmp_path, "redact", None)
    assert forget_intermediates(tmp_path) == 0, "redact hasn't ended"
    (second.parent / "seal.json").touch()
    os.utime(second.parent / "seal.json", (4, 4))
    assert forget_intermediates(tmp_path) == 0, "that is the seal of an earlier run"
    assert first.is_dir() and second.is_dir()

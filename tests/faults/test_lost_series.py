"""A worker that hangs, is killed or lacks memory costs one series in every stage: a row, no files, the others as ever.

And where nothing hangs any more, the stage writes the very bytes that it would have written.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
import test_deidentify
import test_redact
import test_verify_stage
from extract_tools import Chunk as Extracting
from test_extract import image, labels, write_image, write_mask

import deface_tools
from radcurate import tables
from radcurate.losses import REMEDIES
from radcurate.settings import Deface
from radcurate.stages import _faces, _pool, _texts, deface, deidentify, extract, verify

Rows = dict[str, dict[str, Any]]


def hangs() -> None:
    time.sleep(3600)


def is_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def lacks_memory() -> None:
    raise MemoryError


TROUBLES = [
    (hangs, "timeout"),
    (is_killed, "killed"),
    (lacks_memory, "out_of_memory"),
]


def troubled(real: Callable[..., Any], trouble: Callable[[], None], meets: Callable[..., bool]) -> Callable[..., Any]:
    """`real`, but not where `meets` says so."""

    def function(*arguments: Any, **more: Any) -> Any:
        if meets(*arguments, **more):
            trouble()
        return real(*arguments, **more)

    return function


class Stage(Protocol):
    """A chunk at a stage, with two series; the second one is to meet trouble."""

    out: Path
    lost: str

    def run(self) -> Rows: ...

    def harm(self, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[], None]) -> None: ...


class AtDeidentify(Stage):
    def __init__(self, folder: Path, key: Any, _monkeypatch: pytest.MonkeyPatch) -> None:
        self.chunk = test_deidentify.Chunk(folder, key)
        self.chunk.add("1.2", "image", "CT", test_deidentify.slices())
        self.lost = self.chunk.add("1.3", "image", "CT", test_deidentify.slices())
        self.out = self.chunk.out

    def run(self) -> Rows:
        return self.chunk.run()

    def harm(self, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[], None]) -> None:
        """In the middle: some of its files are written."""
        real, lost = deidentify._write, self.lost

        def meets(path: str, _parts: object) -> bool:
            return lost in path and len(list(Path(path).parent.iterdir())) == 1

        monkeypatch.setattr(deidentify, "_write", troubled(real, trouble, meets))


class AtRedact(Stage):
    lost = "S-2"

    def __init__(self, folder: Path, key: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.chunk = test_redact.Chunk(folder, key, monkeypatch)
        for series in ("S-1", self.lost):
            self.chunk.image(series, files=2)
        self.chunk.fake()
        self.out = self.chunk.out

    def run(self) -> Rows:
        return self.chunk.run(fake=False)

    def harm(self, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[], None]) -> None:
        """At its end: its files are linked."""
        real, lost = _texts._told, self.lost
        meets = lambda task, *_: task.row["series"] == lost  # noqa: E731
        monkeypatch.setattr(_texts, "_told", troubled(real, trouble, meets))


class AtDeface(Stage):
    lost = "S-2"

    def __init__(self, folder: Path, key: Any, _monkeypatch: pytest.MonkeyPatch) -> None:
        self.key, self.out = key, folder / "out"
        for number in (1, 2):
            blob = deface_tools.blob(size=(20, 40, 40))
            deface_tools.write_dicom(blob, folder / "in/dicom" / f"S-{number}", "CT", frame=f"1.{number}")
        images = [("S-1", "CT", "1.1"), (self.lost, "CT", "1.2")]
        self.source = deface_tools.chunk(folder / "in", key, images)

    def run(self) -> Rows:
        deface.run(Deface(), self.source, Path("no-decisions.csv"), self.out, self.key, 1)
        return {row["series"]: row for row in tables.read_rows(self.out / "series.parquet", tables.DEFACE_SERIES)}

    def harm(self, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[], None]) -> None:
        real, lost = _faces._second_look, self.lost
        meets = lambda _space, row, *_: row["series"] == lost  # noqa: E731
        monkeypatch.setattr(_faces, "_second_look", troubled(real, trouble, meets))


class AtVerify(Stage):
    lost = test_verify_stage.MR

    def __init__(self, folder: Path, key: Any, _monkeypatch: pytest.MonkeyPatch) -> None:
        self.case = test_verify_stage.Case(folder, key)
        other = "P-00000000000000bb"
        for row in (*self.case.deidentify_rows, *self.case.deface_rows):
            if row["series"] == self.lost:
                row["subject"] = other
        identity = tables.read_rows(self.case.chunk / "identifiers.parquet")
        both = [*identity, *(row | {"subject": other} for row in identity)]
        tables.write_rows(self.case.chunk / "identifiers.parquet", tables.INVENTORY_IDENTIFIERS, both)
        self.out, self.subject = self.case.out, other

    def run(self) -> Rows:
        shutil.rmtree(self.out, ignore_errors=True)
        return self.case.run()

    def harm(self, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[], None]) -> None:
        real, subject = verify.judge, self.subject
        monkeypatch.setattr(verify, "judge", troubled(real, trouble, lambda job: job.subject == subject))


class AtExtract(Stage):
    lost = "S-2"

    def __init__(self, folder: Path, key: Any, _monkeypatch: pytest.MonkeyPatch) -> None:
        self.chunk = Extracting(folder / "results", key)
        for series in ("S-1", self.lost):
            self.chunk.add(series, "image", "CT", write_image(folder / series, image()))
            self.chunk.add(f"{series}m", "nifti", "SEG", [write_mask(folder / f"{series}.nii.gz", labels())], [series])
        self.out = folder / "results" / "extract"

    def run(self) -> Rows:
        self.chunk.extract()
        return {row["series"]: row for row in tables.read_rows(self.out / "series.parquet", tables.EXTRACT_SERIES)}

    def harm(self, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[], None]) -> None:
        real, lost = extract.extract_image, self.lost
        monkeypatch.setattr(extract, "extract_image", troubled(real, trouble, lambda _, found: found.series == lost))


def only_the_lost_one_is_watched(monkeypatch: pytest.MonkeyPatch, rows: Rows, lost: str) -> None:
    """The others have all the time they want, on a busy machine too."""
    order = [series for series, row in rows.items() if row["kind"] == "image"]
    limits = iter([math.inf if series != lost else 0.5 for series in order])
    monkeypatch.setattr(_pool, "seconds_allowed", lambda: next(limits))


STAGES = [AtDeidentify, AtRedact, AtExtract, *(pytest.param(c, marks=pytest.mark.slow) for c in (AtDeface, AtVerify))]


@pytest.mark.parametrize(("trouble", "reason"), TROUBLES)
@pytest.mark.parametrize("make", STAGES)
def test_one_series_is_lost_and_no_other(make, trouble, reason, tmp_path, key, monkeypatch):
    stage: Stage = make(tmp_path, key, monkeypatch)
    usual, before = stage.run(), test_deidentify.tree(stage.out)
    with monkeypatch.context() as patch:
        if reason == "timeout":
            only_the_lost_one_is_watched(patch, usual, stage.lost)
        stage.harm(patch, trouble)
        rows = stage.run()
    assert set(rows) == set(usual)
    row = rows[stage.lost]
    assert (row["status"], row["reason"], row["remedy"]) == (tables.FAILED, reason, REMEDIES[reason])
    untouched = [series for series in usual if not series.startswith(stage.lost)]
    assert untouched and all(rows[series] == usual[series] for series in untouched)
    if make in (AtDeidentify, AtRedact):
        assert not (stage.out / "dicom" / stage.lost).exists()
    stage.run()
    assert test_deidentify.tree(stage.out) == before

"""Text in the pictures of one series: found, filled, looked for again, and held against contours.

What `redact` does in each process of its pool. Words of the patient come in with the task and stay in memory.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radcurate import losses, tables
from radcurate.deface.series import load
from radcurate.errors import CurationError, place_of
from radcurate.governance.decisions import Decision, Decisions, redact_evidence
from radcurate.keys import Key
from radcurate.redact.fill import Area, fill
from radcurate.redact.found import Box, Hit, Picture, Pictures, Place
from radcurate.redact.look import Look, look, second_look
from radcurate.redact.outcome import ANEW, IDENTITY, RELEASE, REMEDIES, SKIN, SMOOTH_SKIN, Outcome, decide, left_over
from radcurate.redact.pictures import open_series
from radcurate.redact.regions import Region, region_hits
from radcurate.redact.seeds import Seeds
from radcurate.redact.shown import shown_frames
from radcurate.redact.skin_marks import Mark
from radcurate.redact.strict import Said, said_of, strictly
from radcurate.redact.write import declare_clean, write
from radcurate.settings import Redact
from radcurate.stages._contours import UNKNOWN, touching
from radcurate.stages._folders import files_in, link_files, link_series
from radcurate.stages._skin import Skin, smooth_marks
from radcurate.stages._written import Written, insist
from radcurate.volumes.patch import Patch
from radcurate.volumes.problems import VolumeError

STAGE = "redact"
BEFORE = "before"  # folder with files as they came, for people
ROWS = 1024  # compared together, so that a frame of a gigabyte needs no third of its kind
REPORT = "report this as an error of radcurate"
Row = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """One series with what the pool's process needs."""

    row: Row  # of deidentify's table
    contours: tuple[Row, ...]
    seeds: Seeds = field(repr=False)
    source: Path  # deidentify's dicom folder
    out: Path  # redact's folder of the chunk
    settings: Redact
    regions: tuple[Region, ...]  # where a steward says that some devices always draw
    marks: tuple[Mark, ...]  # in the skin, as a steward names them
    decisions: Decisions
    key: Key
    files: Mapping[str, Written] = field(default_factory=dict)  # as deidentify wrote them


@dataclass
class Result:
    """Rows of series.parquet and boxes.parquet, and contours that must go: series -> reason."""

    series: Row
    boxes: list[Row] = field(default_factory=list)
    contours: dict[str, str] = field(default_factory=dict)


def clean_series(task: Task) -> Result:
    """Look at a series and clean it, as often as a person has decided on what was found; its files are there only if it goes on.

    What a person may have to look at stays as it came, in a folder of its own: the stage before keeps nothing.
    """
    insist(task.source / task.row["folder"], task.files)
    folder = task.out / "dicom" / task.row["folder"]
    try:
        result = _cleaned(task, folder)
    except CurationError as error:
        reason = error.reason if isinstance(error, VolumeError) else "unreadable"
        result = Result(_row(task.row, status=tables.QUARANTINED, reason=reason, remedy=ANEW, decision="not_looked_at"))
    except (OSError, MemoryError):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except Exception as error:  # its message may quote a value
        reason = "unexpected:" + place_of(error)
        result = Result(_row(task.row, status=tables.FAILED, reason=reason, remedy=REPORT, decision="not_looked_at"))
    if result.series["status"] != tables.OK:
        shutil.rmtree(folder, ignore_errors=True)
    _keep_before(task, result)
    return result


def lost_series(task: Task, reason: str) -> Result:
    """The row of a series whose process was lost."""
    for name in ("dicom", BEFORE):
        shutil.rmtree(task.out / name / task.row["folder"], ignore_errors=True)
    remedy = losses.REMEDIES[reason]
    return Result(_row(task.row, status=tables.FAILED, reason=reason, remedy=remedy, decision="not_looked_at"))


def _keep_before(task: Task, result: Result) -> None:
    """Links: all files of a series that was set aside, of one whose text was removed those that the report shows."""
    folder, target = task.source / task.row["folder"], task.out / BEFORE / task.row["folder"]
    if result.series["status"] == tables.QUARANTINED:
        link_series(folder, target)
    elif names := {name for name, _ in shown_frames(result.boxes)}:
        link_files([folder / name for name in sorted(names)], target)


def _cleaned(task: Task, folder: Path) -> Result:
    files = files_in(task.source / task.row["folder"])
    said = said_of(files)
    strict = strictly(said, task.row["modality"], task.settings.lenient)
    pictures = open_series(files)
    found = look(pictures, task.seeds, strict)
    skin = smooth_marks(files, task.row["modality"], task.marks)
    found = replace(found, hits=(*found.hits, *region_hits(task.regions, files), *skin.hits))
    scene = _Scene(task, files, said, strict, pictures, found, skin, folder)
    choices: list[str] = []
    while True:
        result = scene.play(choices)
        decision = _decided(task, result)
        if decision is None or decision.decision in choices:
            return _told(task, result, choices)
        choices.append(decision.decision)


def _decided(task: Task, result: Result) -> Decision | None:
    """What a person said about exactly this, if the series is set aside."""
    if result.series["status"] != tables.QUARANTINED:
        return None
    name = task.row["series"]
    evidence = redact_evidence(task.key, name, result.series["reason"], result.boxes)
    return task.decisions.of(STAGE, name, evidence)


def _told(task: Task, result: Result, choices: Sequence[str]) -> Result:
    """Say so where somebody decided on something else than what was found now."""
    row = result.series
    if row["status"] == tables.QUARANTINED and not choices:
        evidence = redact_evidence(task.key, row["series"], row["reason"], result.boxes)
        if task.decisions.void(STAGE, row["series"], evidence):
            row["remedy"] = "what was decided was about something else than what is found now: " + row["remedy"]
    return result


@dataclass(frozen=True, eq=False)
class _Scene:
    """A series that was looked at once, to be cleaned under one set of decisions after another."""

    task: Task
    files: list[Path]
    said: Said
    strict: bool
    pictures: Pictures
    found: Look
    skin: Skin
    folder: Path

    def play(self, choices: Sequence[str]) -> Result:
        """What comes of these decisions."""
        task, found = self.task, self.found
        most = task.settings.most_covered
        refused = None if found.refused is None else _code(found.refused)
        outcome = decide(found.hits, found.covered, refused, self.strict, most, choices)
        result = Result(_row(task.row, decision=outcome.decision, **self._numbers()))
        result.boxes = _boxes(task, self.files, found.hits, outcome.fill, 1)
        unsigned = outcome.reason or self._unsigned(choices)
        if unsigned is None:
            link_files(self.files, self.folder)
        reason = unsigned or self._said_but_not_found(outcome, choices) or self._fill(outcome, choices, result)
        if reason is None:
            self._declare_clean()
        else:
            remedy = REMEDIES.get(reason, ANEW)
            result.series |= {"status": tables.QUARANTINED, "reason": reason, "remedy": remedy}
            result.series["changed_pixels"] = 0
            for row in result.boxes:
                row |= {"filled": False, "changed_pixels": 0}
        return result

    def _unsigned(self, choices: Sequence[str]) -> str | None:
        """Skin is smoothed when its pattern is gone by measurement and a named person answers for it."""
        if not self.skin.hits:
            return None
        if not self.skin.gone:
            return "skin_pattern_left"
        return None if SMOOTH_SKIN in choices else "skin_unsigned"

    def _numbers(self) -> Row:
        return {"strict": self.strict, "frames": len(self.pictures.places), "looked": self.found.looked}

    def _said_but_not_found(self, outcome: Outcome, choices: Sequence[str]) -> str | None:
        """A file that says of itself that text is burned in goes on when some was taken out of it, or a person says so."""
        if RELEASE in choices:
            return None
        filled = {hit.place.file for hit in outcome.fill}
        return "text_said_not_found" if set(self.said.burned_in) - filled else None

    def _fill(self, outcome: Outcome, choices: Sequence[str], result: Result) -> str | None:
        """Fill what is to be filled, prove that nothing else changed, and look again; why the series can't go on."""
        row = result.series
        if not outcome.fill:
            return None
        row["boxes"] = len(outcome.fill)
        row["overlap_voxels"] = self._overlap(outcome.fill, result)
        if row["overlap_voxels"]:
            return "box_over_roi"
        self._write(outcome.fill)
        cleaned = open_series([self.folder / path.name for path in self.files])
        changed = _changed(self.pictures, cleaned, outcome.fill)
        if changed is None:
            return "outside_changed"
        row["changed_pixels"] = sum(changed.values())
        result.boxes = _boxes(self.task, self.files, self.found.hits, outcome.fill, 1, changed)
        again = second_look(cleaned, self.task.seeds, self.strict, outcome.fill)
        left = left_over(again.hits, outcome.fill, self.strict)
        result.boxes += _boxes(self.task, self.files, left, (), 2)
        # a person may say of what is left that it tells nobody, but not of the patient's own words
        row["residual"] = sum(RELEASE not in choices or hit.kind == IDENTITY for hit in left)
        if again.refused is not None:
            return _code(again.refused)
        return "text_left" if row["residual"] else None

    def _write(self, hits: Sequence[Hit]) -> None:
        """Fill the boxes in the files that have some; the others stay links."""
        areas: dict[int, dict[int, list[Area | Box]]] = {}
        for hit in hits:
            # where the drawn pixels are known, those between them are the image's own
            area = hit.box if hit.strokes is None else Area(hit.box, hit.strokes)
            mine = areas.setdefault(hit.place.file, {}).setdefault(hit.place.frame, [])
            mine += [area] if hit.kind != SKIN else []  # which is smoothed already
        for file, frames in sorted(areas.items()):
            target = self.folder / self.files[file].name
            target.unlink(missing_ok=True)  # a link: what is written must not reach deidentify's file
            patches = {frame: self._patches(Place(file, frame), found) for frame, found in sorted(frames.items())}
            write(self.files[file], target, patches)

    def _patches(self, place: Place, areas: Sequence[Area | Box]) -> list[Patch]:
        """Smoothed skin, and what fills text."""
        skin = self.skin.patches.get(place)
        filled = fill(self.pictures.read(place), areas)
        return [*([] if skin is None else [skin]), *filled]

    def _declare_clean(self) -> None:
        """Headers that said that text is burned in say so no longer."""
        for number in self.said.burned_in:
            source, target = self.files[number], self.folder / self.files[number].name
            if target.samefile(source):
                target.unlink()
                shutil.copy2(source, target)
            declare_clean(target)

    def _overlap(self, fill: Sequence[Hit], result: Result) -> int:
        """Voxels of this series' contours that lie in boxes."""
        task = self.task
        mine = [
            row for row in task.contours if task.row["series"] in (row["images"] or []) and row["status"] == tables.OK
        ]
        if not mine:
            return 0
        try:
            loaded = load(self.files)
        except CurationError:  # where its planes lie can't be told, so neither can it of the contours
            result.contours |= {row["series"]: UNKNOWN for row in mine}
            return 0
        mask = np.zeros(loaded.stack.values.shape, bool)
        planes = {(f.file, f.number): plane for plane, frames in enumerate(loaded.frames) for f in frames}
        for hit in fill:
            top, left, bottom, right = hit.box
            mask[planes[hit.place.file, hit.place.frame], top:bottom, left:right] = True
        touch = touching(task.row["series"], mine, task.source, mask, loaded.grid(), "box_over_roi")
        result.contours |= touch.marked
        return touch.shared.voxels


def _code(problem: str) -> str:
    """The code in front of a problem."""
    return problem.split(":")[0]


def _changed(before: Pictures, after: Pictures, fill: Sequence[Hit]) -> dict[tuple[Place, Box], int] | None:
    """Pixels that changed in each box; None where a pixel outside all boxes did, in any frame of a touched file."""
    if list(before.places) != list(after.places):
        return None
    files = {hit.place.file for hit in fill}
    boxes: dict[Place, list[Box]] = {}
    for hit in fill:
        boxes.setdefault(hit.place, []).append(hit.box)
    found: dict[tuple[Place, Box], int] = {}
    for place in before.places:
        if place.file in files:
            mine = boxes.get(place, [])
            counts = _within(before.read(place), after.read(place), mine)
            if counts is None:
                return None
            found |= {(place, box): count for box, count in zip(mine, counts, strict=True)}
    return found


def _within(old: Picture, new: Picture, boxes: Sequence[Box]) -> list[int] | None:
    """Pixels that differ within each box; None where others do, or where the pictures can't be compared."""
    if old.values.shape != new.values.shape or old.photometric != new.photometric:
        return None
    counts = [0] * len(boxes)
    for first in range(0, old.values.shape[0], ROWS):
        different = _different(old, new, slice(first, first + ROWS))
        parts = [(slice(max(0, b.top - first), max(0, b.bottom - first)), slice(b.left, b.right)) for b in boxes]
        counts = [count + int(different[part].sum()) for count, part in zip(counts, parts, strict=True)]
        for part in parts:
            different[part] = False
        if different.any():
            return None
    return counts


def _different(old: Picture, new: Picture, rows: slice) -> NDArray[np.bool_]:
    """Where two pictures differ in these rows, shape (row, column), drawings beyond the values among it."""
    one, other = old.values[rows], new.values[rows]
    different = np.not_equal(one, other).reshape(*one.shape[:2], -1).any(axis=-1)
    nothing = np.zeros(different.shape, bool)
    drawn = [nothing if picture.beyond is None else picture.beyond[rows] for picture in (old, new)]
    return np.asarray(different | (drawn[0] != drawn[1]), bool)


def _boxes(
    task: Task,
    files: Sequence[Path],
    hits: Sequence[Hit],
    fill: Sequence[Hit],
    number: int,
    changed: Mapping[tuple[Place, Box], int] | None = None,
) -> list[Row]:
    """Rows of boxes.parquet: where and how sure, and of the text a keyed hash."""
    filled = {id(hit) for hit in fill}
    return [
        {
            "series": task.row["series"],
            "name": files[hit.place.file].name,
            "frame": hit.place.frame,
            **{name: int(value) for name, value in hit.box._asdict().items()},
            "kind": hit.kind,
            "sure": bool(hit.sure),
            "confidence": round(float(hit.confidence), 3),
            "text_hash": task.key.code("text", hit.text.casefold()) if hit.text else None,
            "pass_number": number,
            "filled": id(hit) in filled,
            "changed_pixels": (changed or {}).get((hit.place, hit.box), 0) if id(hit) in filled else 0,
        }
        for hit in hits
    ]


def _row(row: Mapping[str, Any], **more: Any) -> Row:
    names = ("series", "subject", "kind", "modality", "folder", "n_instances", "images", "frame_of_reference", "study")
    empty = {"status": tables.OK, "reason": None, "remedy": None, "decision": None, "strict": None}
    numbers = {"frames": 0, "looked": 0, "boxes": 0, "changed_pixels": 0, "residual": 0, "overlap_voxels": 0}
    return {name: row[name] for name in names} | empty | numbers | more

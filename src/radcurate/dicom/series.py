"""Headers grouped into series, with what is wrong with each; folders and file names play no part."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from radcurate.dicom.frames import stack_of
from radcurate.dicom.geometry import Geometry, examine, place_index
from radcurate.dicom.header import Header
from radcurate.dicom.reasons import first_reason

Digest = Callable[[Header, int], str]  # of a file's bytes from an offset on


@dataclass
class Series:
    """A series under examination. `problems` quarantine it, `notes` are only told."""

    uid: str
    kind: str
    modality: str
    members: list[Header]  # images: in order along the normal
    dropped: list[tuple[Header, str]] = field(default_factory=list)  # files set aside, with a file reason
    geometry: Geometry | None = None
    problems: set[str] = field(default_factory=set)
    notes: set[str] = field(default_factory=set)
    images: list[str] = field(default_factory=list)  # series UIDs that a contour belongs to
    link: str | None = None

    @property
    def reason(self) -> str | None:
        """The first reason for quarantine; None when the series may go on."""
        return first_reason(self.problems)

    @property
    def first(self) -> Header:
        """The first member; it speaks for what all have in common."""
        return self.members[0]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(planes, rows, columns)."""
        planes = sum(len(h.planes) for h in self.members) or len(self.members)
        return planes, self.first.rows, self.first.columns

    @property
    def samples(self) -> int:
        """Of all its images, once they are decompressed."""
        return sum(h.rows * h.columns * h.samples * h.frames for h in self.members)


def group(headers: Iterable[Header]) -> dict[str, list[Header]]:
    """Headers by SeriesInstanceUID, each list in an order that doesn't depend on where files lie."""
    found: dict[str, list[Header]] = defaultdict(list)
    for header in headers:
        found[header.series].append(header)
    return {name: sorted(found[name], key=lambda h: (h.sop_instance, h.file.path)) for name in sorted(found)}


def build(uid: str, headers: list[Header], tolerance: float, digest: Digest) -> Series:
    """Examine one series.

    Args:
        uid: SeriesInstanceUID.
        headers: all its files, sorted as by `group`.
        tolerance: largest deviation of a slice distance, as a share.
        digest: content of a file from an offset on; called for doubled instances only.
    """
    kind = _kind(headers)
    series = Series(uid, kind, _modality(headers, kind), list(headers))
    series.problems.update(h.reason for h in headers if h.reason)
    _drop(series, [h for h in headers if h.kind != kind], "foreign_instance")
    if kind == "other":
        series.problems.add("unsupported_kind")
        return series
    _drop_copies(series, digest)
    if len({h.study for h in series.members}) > 1:
        series.notes.add("several_studies")
    if kind == "image":
        _examine_image(series, tolerance, digest)
    elif kind != "picture" and any(h.references is None or not h.references.regions for h in series.members):
        series.problems.add("empty_contour")
    return series


def file_digest(source: Path, header: Header, start: int) -> str:
    """SHA-256 of a file from an offset on; a file that can't be read equals no other."""
    try:
        with (source / header.file.path).open("rb") as stream:
            stream.seek(start)
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return f"unreadable {header.file.path}"


def _kind(headers: list[Header]) -> str:
    """Images count before anything else that shares their UID."""
    kinds = {h.kind for h in headers}
    return next((kind for kind in ("image", "rtstruct", "seg", "picture") if kind in kinds), "other")


def _modality(headers: list[Header], kind: str) -> str:
    return next((h.modality for h in headers if h.kind == kind and h.modality), "")


def _drop(series: Series, headers: list[Header], reason: str) -> None:
    if headers:
        series.dropped.extend((header, reason) for header in headers)
        gone = {id(header) for header in headers}
        series.members = [h for h in series.members if id(h) not in gone]
        series.notes.add(reason)


def _drop_copies(series: Series, digest: Digest) -> None:
    """Set identical copies of an instance aside; two that differ make the series unusable."""
    by_uid: dict[str, list[Header]] = defaultdict(list)
    for header in series.members:
        by_uid[header.sop_instance].append(header)
    for copies in by_uid.values():
        if len(copies) > 1 and len({digest(h, h.data_start) for h in copies}) > 1:
            series.problems.add("duplicate_instance")
        elif len(copies) > 1:
            _drop(series, copies[1:], "duplicate_instance")


def _examine_image(series: Series, tolerance: float, digest: Digest) -> None:
    members = series.members
    series.problems.update(_whole_series_problems(members))
    series.notes.update(_whole_series_notes(members))
    if series.problems & {"missing_geometry", "several_volumes", "duplicate_instance"}:
        return
    _drop_same_place(series, digest)
    members = series.members
    stack = stack_of([plane for h in members for plane in h.planes], members[0].thickness)
    series.geometry = examine(stack, tolerance)
    series.problems.update(series.geometry.findings)
    if len(members) > 1:
        series.members = [members[i] for i in series.geometry.order]
    if len(stack.position) == 1:
        series.notes.add("single_slice")


def _whole_series_problems(members: list[Header]) -> set[str]:
    found = set()
    if any(not h.planes for h in members):
        found.add("missing_geometry")
    if any(h.mosaic for h in members):
        found.add("mosaic")
    if any(h.samples != 1 for h in members):
        found.add("not_grayscale")
    if len({h.modality for h in members}) > 1:
        found.add("mixed_modality")
    if len({(h.rows, h.columns) for h in members}) > 1:
        found.add("mixed_size")
    if len({h.frame_of_reference for h in members}) > 1:
        found.add("several_frames_of_reference")
    if len(members) > 1 and any(h.frames > 1 for h in members):
        found.add("several_volumes")
    return found


def _whole_series_notes(members: list[Header]) -> set[str]:
    found = set()
    if any(h.lossy for h in members):
        found.add("lossy")
    if not all(h.frame_of_reference for h in members):
        found.add("no_frame_of_reference")
    return found


def _drop_same_place(series: Series, digest: Digest) -> None:
    """Set slices aside that repeat another one's pixels at the same place under an instance UID of their own."""
    members = series.members
    if len(members) < 2:
        return
    places = place_index(stack_of([h.planes[0] for h in members], None))
    by_place: dict[float, list[Header]] = defaultdict(list)
    for place, header in zip(places, members, strict=True):
        by_place[float(place)].append(header)
    for same in by_place.values():
        if len(same) > 1 and len({(h.values, h.planes, digest(h, h.pixel_start)) for h in same}) == 1:
            _drop(series, same[1:], "duplicate_instance")

"""One file of the cleaned tree: every byte that is no pixel value is searched, and the file must be marked and plain."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from radcurate.verify import marks, nifti
from radcurate.verify.frames import header_spans
from radcurate.verify.layout import Layout, UnreadableError, name_of, read_layout
from radcurate.verify.needles import Needles
from radcurate.verify.search import Finds, Place, search_value

REMEMBERED = 256  # bytes
VALUES = frozenset(
    ["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UN", "UR", "UT"]
)


@dataclass(slots=True)
class Report:
    """What one file gave: its size, what is wrong with it, and what was found in it."""

    size: int = 0
    faults: list[str] = field(default_factory=list)
    finds: Finds = field(default_factory=Finds)


@dataclass(slots=True)
class Searcher:
    """Searches values; slices of a series share most of them, so what a short value gave is remembered."""

    needles: Needles
    known: dict[tuple[Place, bytes], Finds | None] = field(default_factory=dict)

    def search(self, raw: bytes, place: Place, finds: Finds) -> None:
        """As `search_value`."""
        if len(raw) > REMEMBERED:
            search_value(raw, place, self.needles, finds)
            return
        mark = (place, raw)
        if mark not in self.known:
            found = Finds()
            search_value(raw, place, self.needles, found)
            self.known[mark] = found if found.hits or found.written or found.dated else None
        remembered = self.known[mark]
        if remembered is not None:
            finds.merge(remembered)


def examine(path: Path, name: str, searcher: Searcher) -> Report:
    """Search a file and its name (below dicom/); what can't be followed is a fault, never an exception."""
    report = Report(path.stat().st_size)
    searcher.search(name.encode("utf-8", "surrogateescape"), Place("file name"), report.finds)
    try:
        if name.endswith((".nii", ".nii.gz")):
            for place, raw in nifti.stretches(path.read_bytes()):
                searcher.search(raw, Place(place, vr="UN"), report.finds)
        elif name.endswith(".dcm") and report.size:
            _examine_dicom(path, searcher, report)
        else:
            report.faults.append("unexpected_file")
            searcher.search(path.read_bytes(), Place("file", vr=""), report.finds)
    except UnreadableError as error:
        report.faults.append(error.reason)
    except (struct.error, IndexError, UnicodeError, ValueError):
        report.faults.append("unreadable")
    if set(report.faults) & {"unreadable", "truncated", "no_dicom"}:
        searcher.search(path.read_bytes(), Place("file", vr=""), report.finds)
    return report


def _examine_dicom(path: Path, searcher: Searcher, report: Report) -> None:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        layout = read_layout(mapped)  # type: ignore[arg-type]  # slices of a map are bytes; pixels are never read
        report.faults += marks.faults(layout)
        for place, raw in _stretches(layout):
            searcher.search(raw, place, report.finds)


def _stretches(layout: Layout) -> Iterator[tuple[Place, bytes]]:
    """Each value with its place; then the bytes between the values; then the headers of compressed frames."""
    data = layout.data
    yield Place("preamble", vr=""), data[:128]
    for element in layout.elements:
        if element.start == element.end:
            continue
        if element.vr in VALUES or element.path == "after the pixels":
            yield Place(element.path, element.vr, element.tag, name_of(element.tag)), data[element.start : element.end]
        else:
            yield Place(element.path, "OB", element.tag, name_of(element.tag)), data[element.start : element.end]
    yield Place("after the data set", vr=""), data[layout.rest :]
    for start, end in layout.fragments:
        for first, last in header_spans(data, start, end, layout.transfer_syntax):
            yield Place("frame header", vr="UN"), data[first:last]
    yield from _between(layout)


def _between(layout: Layout) -> Iterator[tuple[Place, bytes]]:
    """Tags, lengths and tables of offsets: bytes that belong to no value, where nothing should be hidden either."""
    taken = sorted(
        [(element.start, element.end) for element in layout.elements]
        + layout.pixels
        + layout.fragments
        + [(0, 128), (layout.rest, len(layout.data))]
    )
    joined, position = [], 0
    for start, end in taken:
        if start > position:
            joined.append(layout.data[position:start])
        position = max(position, end)
    yield Place("between the values", vr="OB"), b"\0\0".join(joined)

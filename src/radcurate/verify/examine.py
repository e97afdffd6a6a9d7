"""One file of the cleaned tree: every byte that is no pixel value is searched, and the file must be marked and plain."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from radcurate.verify import marks, nifti
from radcurate.verify.frames import frame_texts
from radcurate.verify.layout import BEHIND_PIXELS, Element, Layout, UnreadableError, name_of, read_layout
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
    known: dict[tuple[str, bytes], Finds | None] = field(default_factory=dict)  # by path and value

    def search(self, raw: bytes, place: Place, finds: Finds) -> None:
        """As `search_value`."""
        if not self._remembered(raw, place.path, finds):
            self._learn(raw, place, finds)

    def search_element(self, raw: bytes, element: Element, finds: Finds) -> None:
        """As `search_value`, for a value of a data set."""
        if not self._remembered(raw, element.path, finds):
            vr = element.vr if element.vr in VALUES or element.path == BEHIND_PIXELS else "OB"
            self._learn(raw, Place(element.path, vr, element.tag, name_of(element.tag)), finds)

    def _remembered(self, raw: bytes, path: str, finds: Finds) -> bool:
        if len(raw) < self.needles.least:
            return True
        found = self.known.get((path, raw), self)
        if isinstance(found, Searcher):
            return False
        if found is not None:
            finds.merge(found)
        return True

    def _learn(self, raw: bytes, place: Place, finds: Finds) -> None:
        found = Finds()
        search_value(raw, place, self.needles, found)
        anything = bool(found.hits or found.written or found.dated)
        if len(raw) <= REMEMBERED:
            self.known[place.path, raw] = found if anything else None
        if anything:
            finds.merge(found)


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
        data = layout.data
        for element in layout.elements:
            searcher.search_element(data[element.start : element.end], element, report.finds)
        for place, raw in _others(layout):
            searcher.search(raw, place, report.finds)


def _others(layout: Layout) -> Iterator[tuple[Place, bytes]]:
    """What is no value: preamble, what follows the data set, headers of compressed frames, the bytes between the values."""
    data = layout.data
    yield Place("preamble", vr=""), data[:128]
    yield Place("after the data set", vr=""), data[layout.rest :]
    for text in frame_texts(data, layout.fragments, layout.transfer_syntax):
        yield Place("frame header", vr="UN"), text
    yield Place("between the values", vr="OB"), b"\0\0".join(_between(layout))


def _between(layout: Layout) -> Iterator[bytes]:
    """Tags, lengths and tables of offsets, where nothing should be hidden either."""
    taken = [(element.start, element.end) for element in layout.elements] + layout.pixels + layout.fragments
    position = 128
    for start, end in sorted([*taken, (layout.rest, len(layout.data))]):
        if start - position >= 12:  # a longer stretch than tag, VR and length
            yield layout.data[position:start]
        position = max(position, end)

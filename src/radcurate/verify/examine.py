"""One file of the cleaned tree: every byte that is no pixel value is searched, and the file must be marked and plain."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from radcurate.verify import marks, nifti, pixels
from radcurate.verify.frames import frame_texts, run_ends
from radcurate.verify.layout import BEHIND_PIXELS, Buffer, Element, Layout, Top, UnreadableError, name_of, read_layout
from radcurate.verify.needles import Needles
from radcurate.verify.search import CODED, Finds, Place, search_value

REMEMBERED = 256  # bytes of a value
LONGEST = 1 << 16  # bytes of an element that is remembered
SHORT_FILE = 1 << 24  # bytes; a longer one is mapped instead of read
VRS = "AE AS CS DA DS DT FD FL IS LO LT PN SH SL ST SV TM UC UI UL UN UR UT UV"
VALUES = frozenset(VRS.split())
UNFOLLOWED = frozenset({"unreadable", "truncated", "no_dicom"})


@dataclass(slots=True)
class Report:
    """What one file gave: its size, what is wrong with it, and what was found in it."""

    size: int = 0
    faults: list[str] = field(default_factory=list)
    finds: Finds = field(default_factory=Finds)
    claimed: frozenset[str] = frozenset()
    layout: Layout | None = None  # only where the file could be followed


@dataclass(frozen=True, slots=True)
class Seen:
    """What is to be said of an element, wherever it stands again."""

    finds: Finds
    faults: tuple[str, ...] = ()
    private: bool = False
    owed: tuple[marks.Owed, ...] = ()


Pieces = dict[tuple[bytes, bool, str], Seen | None]


@dataclass(slots=True)
class Searcher:
    """Searches values; slices of a series share most elements, so what an element or a value gave is remembered."""

    needles: Needles
    subject: str = ""
    safe: marks.Safe = frozenset()
    known: dict[tuple[str, bytes], Finds | None] = field(default_factory=dict)  # by path and value
    pieces: Pieces = field(default_factory=dict)
    marked: dict[tuple[bytes, ...], tuple[frozenset[str], tuple[str, ...]]] = field(default_factory=dict)

    def element(self, top: Top, layout: Layout) -> Seen | None:
        """Everything about a top-level element; None where there is nothing to say."""
        raw = layout.data[top.begin : top.end]
        key = (raw, layout.explicit, layout.order)
        try:
            return self.pieces[key]
        except KeyError:
            found = self._judge(top, layout)
            if len(raw) <= LONGEST:
                self.pieces[key] = found
            return found

    def _judge(self, top: Top, layout: Layout) -> Seen | None:
        leaves, finds = layout.leaves(top), Finds()
        order = "<" if top.tag >> 16 == 2 else layout.order
        for leaf in leaves:
            if self.safe and marks.names_listed_creator(leaf, layout.data, self.safe):
                continue
            self.search_element(layout.data[leaf.start : leaf.end], leaf, finds, order)
        self.search(b"\0\0".join(_between(leaves, top, layout.data)), Place("between the values", vr="OB"), finds)
        groups = {leaf.tag >> 16 for leaf in leaves}
        private = any(group & 1 for group in groups) or top.tag in (0x00020100, 0x00020102)
        found = ["overlay"] * any(group & 0xFF00 in (0x5000, 0x6000) for group in groups)
        found += ["age_exact"] * marks.exact_age(leaves, layout.data)
        owed = marks.owed(leaves, layout.data)
        if finds.hits or finds.written or finds.dated or private or found or owed:
            return Seen(finds, tuple(found), private, owed)
        return None

    def search(self, raw: bytes, place: Place, finds: Finds) -> None:
        """As `search_value`."""
        if not self._remembered(raw, place.path, finds):
            self._learn(raw, place, finds)

    def search_element(self, raw: bytes, element: Element, finds: Finds, order: str = "<") -> None:
        """As `search_value`, for a value of a data set."""
        if not self._remembered(raw, element.path, finds):
            vr = element.vr if element.vr in VALUES or element.path == BEHIND_PIXELS else "OB"
            self._learn(raw, Place(element.path, vr, element.tag, name_of(element.tag), order=order), finds)

    def _remembered(self, raw: bytes, path: str, finds: Finds) -> bool:
        if len(raw) < min(self.needles.least, 4):
            return not raw or len(raw) < self.needles.least
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

    def marks(self, layout: Layout) -> tuple[frozenset[str], tuple[str, ...]]:
        """As `marks.claims`, remembered."""
        key = marks.marks_of(layout)
        if key not in self.marked:
            self.marked[key] = marks.claims(layout)
        return self.marked[key]


def examine(path: Path, name: str, searcher: Searcher) -> Report:
    """Search a file and its name (below dicom/); what can't be followed is a fault, never an exception."""
    return examine_bytes(read_bytes(path), name, searcher)


def examine_bytes(data: Buffer, name: str, searcher: Searcher) -> Report:
    """As `examine`, of a file's bytes."""
    report = Report(len(data))
    searcher.search(name.encode("utf-8", "surrogateescape"), Place("file name"), report.finds)
    try:
        if name.endswith((".nii", ".nii.gz")):
            for place, raw in nifti.stretches(data):
                searcher.search(raw, Place(place, vr="UN"), report.finds)
        elif name.endswith(".dcm") and data:
            layout = read_layout(data)
            examine_dicom(layout, searcher, report)
            report.layout = layout
        else:
            report.faults.append("unexpected_file")
            searcher.search(data, Place("file", vr=""), report.finds)
    except UnreadableError as error:
        report.faults.append(error.reason)
    except (struct.error, IndexError, UnicodeError, ValueError):
        report.faults.append("unreadable")
    if set(report.faults) & UNFOLLOWED:
        searcher.search(data[:], Place("file", vr=""), report.finds)
    return report


def read_bytes(path: Path) -> Buffer:
    """A file's bytes, as a map where they are many."""
    with path.open("rb", buffering=0) as stream:
        if path.stat().st_size <= SHORT_FILE:
            return stream.readall()
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)  # type: ignore[return-value]  # slices are bytes


def examine_dicom(layout: Layout, searcher: Searcher, report: Report) -> None:
    """Search a file's elements and what lies between and behind them; hold its marks to what is in it."""
    finds, private = report.finds, False
    owed: set[marks.Owed] = set()
    for top in layout.tops:
        seen = searcher.element(top, layout)
        if seen is not None:
            finds.merge(seen.finds)
            report.faults += seen.faults
            private = private or seen.private
            owed.update(seen.owed)
    for place, raw in _others(layout):
        searcher.search(raw, place, finds)
    report.claimed, wrong = searcher.marks(layout)
    report.faults += [*wrong, *marks.faults(layout, searcher.subject)]
    if any(not options & report.claimed for options in owed):
        report.faults.append("not_claimed")
    if private and not (marks.SAFE_PRIVATE in report.claimed and marks.private_is_safe(layout, searcher.safe)):
        report.faults.append("private_element")
    if not pixels.true_offsets(layout):
        report.faults.append("not_conformant")
    if not pixels.exact_length(layout):
        report.faults.append("pixels_length")


def _others(layout: Layout) -> Iterator[tuple[Place, bytes]]:
    """What is no value: preamble, what follows the data set, headers of compressed frames, the bytes between the values."""
    data = layout.data
    yield Place("preamble", vr=""), data[:128]
    yield Place("after the data set", vr=""), data[layout.rest :]
    for element in layout.excess:
        yield Place(BEHIND_PIXELS, "OB", element.tag), data[element.start : element.end]
    yield Place("table of offsets", vr="OB"), data[slice(*layout.table)]
    for text in frame_texts(data, layout.fragments, layout.transfer_syntax):
        yield Place("frame header", vr="UN"), text
    for text in run_ends(data, layout.fragments, layout.transfer_syntax):
        yield Place("end of a run", vr=CODED), text


def _between(leaves: list[Element], top: Top, data: bytes) -> Iterator[bytes]:
    """Tags and lengths inside of a sequence, where nothing should be hidden either."""
    position = top.begin
    for leaf in leaves:
        if leaf.start - position >= 12:  # a longer stretch than tag, VR and length
            yield data[position : leaf.start]
        position = max(position, leaf.end)

"""A cleaned file and its source: what has to be equal, and whether the dates have moved."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from pathlib import Path

from blake3 import blake3

from radcurate.verify import keep, pixels
from radcurate.verify.keep import Compared, Side
from radcurate.verify.layout import Layout, leaves_of
from radcurate.verify.needles import Needles
from radcurate.verify.originals import Original, read_whole
from radcurate.verify.readings import FORMATS, numbers_in

BINARY = frozenset(FORMATS)
BURNED_IN = 0x00280301
REMEMBERED = 1 << 16  # bytes of two elements whose comparison is remembered


@dataclass(frozen=True)
class Twin:
    """Where a cleaned file comes from and what deidentify's sealed table says of it."""

    source: Path
    header: str | None = None  # digests of what was written, before and after the value of the pixel data
    pixels: str | None = None


@dataclass(slots=True)
class Comparer:
    """Compares the files of one patient; slices share most elements, so equal pairs are compared once."""

    needles: Needles
    known: dict[tuple[bytes, bytes, str], Compared] = field(default_factory=dict)

    def attributes(self, original: Original, new: Layout) -> Compared:
        """Every technical attribute and date of the source against the cleaned file.

        Raises:
            UnreadableError: source_unreadable.
        """
        result = Compared()
        for raw in original.raws if original.whole else _raws(original):
            result.merge(self._element(raw, original, new))
        return result

    def _element(self, raw: bytes, original: Original, new: Layout) -> Compared:
        tag = _tag(raw, original.order)
        top = new.at.get(tag)
        other = new.data[top.begin : top.end] if top else b""
        key = (raw, other, original.modality)
        found = self.known.get(key)
        if found is None:
            found = self._compare(raw, other, original, new)
            if len(raw) + len(other) <= REMEMBERED:
                self.known[key] = found
        return found

    def _compare(self, raw: bytes, other: bytes, original: Original, new: Layout) -> Compared:
        old = Side(leaves_of(raw, original.explicit, original.order, strict=False), raw, original.order)
        leaves = leaves_of(other, new.explicit, new.order, strict=True) if other else []
        return keep.compare(old, Side(leaves, other, new.order), original.modality, self._identifies)

    def _identifies(self, vr: str, raw: bytes, order: str) -> bool:
        """Whether a number is one of the patient's own, or holds any other identifier."""
        own, found = self.needles.own_numbers, list(numbers_in(raw, vr, order))
        if any(value in own or value in self.needles.numbers for value in found):
            return True
        digits = re.sub(rb"\D", b"", raw).decode()
        if vr not in BINARY and len(digits) >= 5 and any(str(number) in digits for number in own):
            return True
        return any(self.needles.matches(raw.lower()))


def _raws(original: Original) -> tuple[bytes, ...]:
    """The elements of a source whose long ones were not kept."""
    layout = read_whole(original.path)
    return tuple(layout.data[top.begin : top.end] for top in layout.tops if not top.tag >> 16 & 1)


def _tag(raw: bytes, order: str) -> int:
    group, element = struct.unpack_from(order + "HH", raw)
    return int(group) << 16 | int(element)


def missing(original: Original) -> list[str]:
    """Attributes of the list that a source doesn't have: counted, and nobody's fault."""
    raws = original.raws if original.whole else _raws(original)
    there = {_tag(raw, original.order) for raw in raws}
    return sorted(
        row.keyword
        for tag, rows in keep.rows().items()
        for row in rows
        if not row.within and tag not in there and row.holds_for(original.modality)
    )


def pixels_kept(original: Original, new: Layout) -> bool:
    """Whether the pixel values are the source's, byte by byte.

    Raises:
        UnreadableError: where either can't be followed.
    """
    if not new.fragments and original.native is not None and len(new.pixels) == 1:
        return _same_bytes(original, new)
    return pixels.same_pixels(read_whole(original.path), new)


def _same_bytes(original: Original, new: Layout) -> bool:
    (start, end), (first, last) = original.native or (0, 0), new.pixels[0]
    if end - start != last - first:
        return False
    buffer = bytearray(pixels.STEP)
    with original.path.open("rb", buffering=0) as stream:
        stream.seek(start)
        while first < last:
            count = stream.readinto(buffer)
            step = min(count, last - first)
            if not step or buffer[:step] != new.data[first : first + step]:
                return False
            first += step
    return True


def as_recorded(layout: Layout, twin: Twin) -> bool:
    """Whether a file that nothing was to be changed in is the very one that deidentify wrote.

    One word may differ: BurnedInAnnotation says NO where it said YES, once redact, or a person, found nothing.
    """
    if twin.header is None or _recorded(memoryview(layout.data), layout, twin):
        return True
    top = layout.at.get(BURNED_IN)
    if top is None or layout.data[top.start : top.end].strip(b" \0") != b"NO":
        return False
    said = b"YES".ljust(top.end - top.start)
    return _recorded(memoryview(layout.data[: top.start] + said + layout.data[top.end :]), layout, twin)


def _recorded(data: memoryview, layout: Layout, twin: Twin) -> bool:
    start = pixel_start(layout)
    if not start or twin.pixels is None:
        return blake3(data).hexdigest() == twin.header
    return blake3(data[:start]).hexdigest() == twin.header and blake3(data[start:]).hexdigest() == twin.pixels


def pixel_start(layout: Layout) -> int:
    """Where the value of the pixel data begins; 0 without any."""
    if layout.pixels:
        return layout.pixels[0][0]
    return layout.table[0] - 8 if layout.table[0] else 0

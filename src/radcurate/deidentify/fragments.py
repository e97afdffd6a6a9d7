"""Encapsulated pixel data: which fragments make which frame, and offset tables that fit (PS3.5 A.4, PS3.3 C.7.6.3.1.8)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise

from radcurate.deidentify import jpeg, jpeg2000
from radcurate.dicom.container import JPEG, JPEG_2000
from radcurate.dicom.problems import EXPORT_AGAIN, Unsafe, damaged

ITEM_HEAD = 8
_SHORT_TABLE = 1 << 32


@dataclass(frozen=True)
class Tables:
    """The offset tables of pixel data as they are in the file; None where there is none."""

    basic: bytes
    offsets: bytes | None = None
    lengths: bytes | None = None


def frames_of(fragments: list[bytes], tables: Tables, frames: int, syntax: str) -> list[list[bytes]]:
    """The fragments of each frame.

    Raises:
        Unsafe: fewer fragments than frames, a table that doesn't fit, or no way to tell where frames begin.
    """
    if len(fragments) < frames:
        raise Unsafe("pixel_data_short", EXPORT_AGAIN)
    if len(fragments) > frames and syntax not in JPEG | JPEG_2000:  # each is a frame, and one that nobody declared
        raise Unsafe("pixel_data_long", EXPORT_AGAIN)
    starts = _starts(fragments, tables, frames)
    if starts is None and len(fragments) == frames:
        starts = list(range(frames))
    elif starts is None and frames == 1:
        starts = [0]
    elif starts is None:
        starts = _beginnings(fragments, syntax)
    if len(starts) != frames or starts[0] != 0:
        raise damaged("offset_table")
    return [fragments[start:stop] for start, stop in pairwise([*starts, len(fragments)])]


def _starts(fragments: list[bytes], tables: Tables, frames: int) -> list[int] | None:
    """The first fragment of each frame by the file's tables; None where it has none."""
    if not tables.basic and not tables.offsets:
        return None
    table, kind = (tables.basic, "L") if tables.basic else (tables.offsets or b"", "Q")
    if len(table) != frames * struct.calcsize("<" + kind):
        raise damaged("offset_table")
    place, numbers = 0, {}
    for number, fragment in enumerate(fragments):
        numbers[place] = number
        place += ITEM_HEAD + len(fragment)
    found = [numbers.get(offset, -1) for offset in struct.unpack(f"<{frames}{kind}", table)]
    if -1 in found or sorted(set(found)) != found:
        raise damaged("offset_table")
    return found


def _beginnings(fragments: list[bytes], syntax: str) -> list[int]:
    """The fragments that begin like an image: without a table, nothing else tells."""
    start = jpeg.START if syntax in JPEG else jpeg2000.START
    return [number for number, fragment in enumerate(fragments) if fragment.startswith(start)]


def new_fragments(old: list[bytes], data: bytes, whole: bool) -> list[bytes]:
    """The fragments of a cleaned frame: those it had if nothing changed, else one.

    Args:
        old: the frame's fragments in the file.
        data: the cleaned frame.
        whole: it has to be one fragment, as with extended offset tables.
    """
    changed = len(data) != sum(map(len, old)) or data != b"".join(old)
    if len(old) == 1 or not (changed or whole or any(len(fragment) % 2 for fragment in old)):
        return [data] if changed else old
    return [data]


def new_tables(frames: list[list[bytes]], old: Tables) -> Tables:
    """The tables that the file had, with the places and lengths that fragments now have."""
    starts, lengths, place = [], [], 0
    for fragments in frames:
        starts.append(place)
        lengths.append(sum(map(len, fragments)))
        place += sum(ITEM_HEAD + len(fragment) + len(fragment) % 2 for fragment in fragments)
    basic = struct.pack(f"<{len(starts)}L", *starts) if old.basic and starts[-1] < _SHORT_TABLE else b""
    if not old.offsets or not old.lengths:
        return Tables(basic)
    if basic or len(old.lengths) != 8 * len(frames):
        raise damaged("offset_table")
    kept = _kept_lengths(struct.unpack(f"<{len(frames)}Q", old.lengths), lengths)
    return Tables(b"", struct.pack(f"<{len(starts)}Q", *starts), struct.pack(f"<{len(kept)}Q", *kept))


def _kept_lengths(old: tuple[int, ...], new: list[int]) -> list[int]:
    """Lengths without padding where the file tells them."""
    return [before if before + before % 2 == after else after for before, after in zip(old, new, strict=True)]

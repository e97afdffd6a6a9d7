"""What a source file says, kept until its cleaned file is read: what has to stay, and what must not."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from pydicom.uid import UID_dictionary

from radcurate.verify import keep
from radcurate.verify.layout import (
    DEFLATED,
    Buffer,
    Element,
    Layout,
    Span,
    Top,
    UnreadableError,
    name_of,
    pixel_bytes,
    vr_of,
)
from radcurate.verify.sources import read_source
from radcurate.verify.words import is_identity, is_plain

HEAD = 1 << 16  # bytes read at first: most headers are shorter
LONGEST = 1 << 20  # bytes of an element that is kept in memory; longer ones are read again
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_NO_INSTANCE = re.compile(r"ClassUID|TransferSyntaxUID|CodingSchemeUID|MappingResourceUID|ContextUID|ContextGroup")
_DAY = re.compile(r"(1[89]|2\d)\d\d\.?\d\d\.?\d\d")
_UID = re.compile(r"[0-9.]{9,64}")
_NOBODY = re.compile(
    r"none|unknown|anonym(ous|ized|ised)?|de-?identified|removed|patient|test|null|n/?a|no ?name|name|[\W_0]*"
)

Fact = tuple[str, str, str]  # category, keyword, value, as in the inventory's identifiers


@dataclass(slots=True)
class Original:
    """One source file. raws: its top-level elements that have to stay, head and all, where they aren't too long."""

    path: Path
    size: int
    modality: str = ""
    order: str = "<"
    explicit: bool = True
    raws: tuple[bytes, ...] = ()
    whole: bool = True  # nothing was left out of raws
    native: Span | None = None  # where the values of native pixels lie in the file


@dataclass(slots=True)
class Originals:
    """Reads the source files of one patient; slices share most elements, so each is looked at once."""

    facts: set[Fact] = field(default_factory=set)
    seen: dict[bytes, bool] = field(default_factory=dict)  # element -> whether it has to stay

    def read(self, path: Path) -> Original:
        """Take in the identifiers of a file.

        Raises:
            UnreadableError: source_unreadable.
        """
        size = path.stat().st_size
        layout = _head(path, size) or read_source(path.read_bytes())
        self.facts.update(path_facts(path))
        raws, whole = [], True
        for top in layout.tops:
            raw = layout.data[top.begin : top.end]
            stays = self.seen.get(raw)
            if stays is None:
                stays = self._learn(raw, top, layout)
            if stays:
                raws.append(raw)
                whole = whole and len(raw) <= LONGEST
        found = Original(path, size, _modality(layout), layout.order, layout.explicit)
        found.raws, found.whole = tuple(raws) if whole else (), whole
        found.native = layout.pixels[0] if layout.pixels and layout.transfer_syntax != DEFLATED else None
        return found

    def _learn(self, raw: bytes, top: Top, layout: Layout) -> bool:
        leaves = layout.leaves(top)
        for leaf in leaves:
            self.facts.update(facts_in(leaf, layout.data))
        stays = not top.tag >> 16 & 1 and any(keep.concerns(leaf.tag, leaf.vr) for leaf in leaves)
        if len(raw) <= LONGEST:
            self.seen[raw] = stays
        return stays


def _modality(layout: Layout) -> str:
    """Modality, but for secondary captures: what such an object says of its acquisition is hearsay."""
    captured = (layout.value(0x00080016) or "").startswith(SECONDARY_CAPTURE)
    return "SC" if captured else layout.value(0x00080060) or ""


def _head(path: Path, size: int) -> Layout | None:
    """The layout of a file whose header lies in its first bytes and whose pixels fill the rest; None for another."""
    if size <= HEAD:
        return None
    with path.open("rb") as stream:
        head = stream.read(HEAD)
        stream.seek(0)
        at = head.rfind(b"\xe0\x7f\x10\x00")
        if at < 0:
            return None
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            return _cut(head, at, mapped)


def _cut(head: bytes, at: int, whole: mmap.mmap) -> Layout | None:
    """The header up to the pixels as a file of its own, if the pixels are the last element and native."""
    start = at + (12 if head[at + 4 : at + 6] in (b"OW", b"OB") else 8)
    length = int.from_bytes(head[start - 4 : start], "little")
    if len(head) < start or start + length != len(whole) or not length:
        return None
    try:
        layout = read_source(head[:at])
    except UnreadableError:
        return None
    needed = pixel_bytes(layout)
    if layout.rest != at or layout.transfer_syntax == DEFLATED or not 0 < needed <= length:
        return None
    layout.pixels.append((start, start + needed))
    return layout


def read_whole(path: Path) -> Layout:
    """The layout of a source file with all its bytes."""
    return read_source(path.read_bytes())


def facts_in(leaf: Element, data: Buffer) -> Iterator[Fact]:
    """Identifiers in one value, by what kind of attribute it is."""
    vr = leaf.vr if leaf.vr != "UN" else vr_of(leaf.tag)
    if vr not in ("UI", "PN", "DA", "DT") and not (
        is_identity(leaf.tag) and vr in ("LO", "SH", "CS", "AE", "UT", "LT")
    ):
        return
    keyword, raw = name_of(leaf.tag), data[leaf.start : leaf.end]
    if vr in ("UI", "DA", "DT"):
        for part in raw.decode("latin-1").split("\\"):
            yield from _plain_fact(vr, keyword, part.strip(" \0"))
    elif raw.isascii() and b"\x1b" not in raw:  # other scripts are the inventory's: it knows the character sets
        value = raw.decode("ascii").strip(" \0")
        if len(value.replace("^", "").replace("=", "").strip()) > 2 and not _NOBODY.fullmatch(value.casefold()):
            yield ("name" if vr == "PN" else "id", keyword, value)


def _plain_fact(vr: str, keyword: str, value: str) -> Iterator[Fact]:
    if vr == "UI":
        if _UID.fullmatch(value) and not _standard(value) and not _NO_INSTANCE.search(keyword):
            yield ("uid", keyword, value)
    elif _DAY.match(value):
        yield ("date", keyword, value.replace(".", "")[:8] if vr == "DA" else value[:8])


@lru_cache(maxsize=4096)
def _standard(uid: str) -> bool:
    return uid.startswith("1.2.840.10008.") or uid in UID_dictionary


@lru_cache(maxsize=4096)
def path_facts(path: Path) -> frozenset[Fact]:
    """UIDs and codes in a file's name."""
    stem = re.sub(r"(\.(dcm|dicom|ima|img))+$", "", path.name, flags=re.IGNORECASE)
    uids = re.findall(r"\d+(?:\.\d+){5,}", stem)
    if uids:
        return frozenset(("uid", "file_name", uid) for uid in uids)
    if len(stem) >= 6 and re.search(r"\d{5}", stem) and not re.fullmatch(r"[A-Za-z]{0,3}[-_.]?0*\d{1,6}", stem):
        return frozenset({("id", "file_name", stem)})
    if len(stem) >= 6 and not re.search(r"\d", stem) and not is_plain(re.sub(r"[-_.]", " ", stem)):
        return frozenset({("id", "file_name", stem)})
    return frozenset()

"""What a source file says, kept until its cleaned file is read: what has to stay, and what must not."""

from __future__ import annotations

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
    with path.open("rb", buffering=0) as stream:
        head = stream.read(HEAD)
    try:
        layout = read_source(head, size - len(head))
    except UnreadableError:
        return None
    native = len(layout.pixels) == 1 and layout.excess[0].end == size and layout.transfer_syntax != DEFLATED
    return layout if native else None


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

"""Code sequences: a code stays if its scheme is known and its value is one of that scheme; the meaning is written anew.

The meaning is free text in the file, so it is looked up, never copied (PS3.16 annex D, CID tables).
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from re import Pattern

TABLE = "concepts.tsv.gz"  # scheme, code and meaning of 15,000 standard concepts; made by `concept_table`
_DIHEDRAL = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_PERMUTATION = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def concept_table() -> bytes:
    """The content of `TABLE`, from pydicom's dictionaries of PS3.16; these take 30 MB of memory, so no worker loads them."""
    from pydicom.sr._concepts_dict import concepts
    from pydicom.sr._snomed_dict import mapping

    meanings = {
        (scheme, code): value[0]
        for scheme, names in concepts.items()
        for name in names.values()
        for code, value in name.items()
    }
    meanings |= {("SRT", old): meanings["SCT", new] for old, new in mapping["SRT"].items() if ("SCT", new) in meanings}
    lines = sorted(f"{scheme}\t{code}\t{meaning}\n" for (scheme, code), meaning in meanings.items())
    return gzip.compress(("\n" + "".join(lines)).encode(), mtime=0)


@cache
def _table() -> bytes:
    return gzip.decompress(files("radcurate.deidentify").joinpath(TABLE).read_bytes())


@cache
def meaning(scheme: str, code: str) -> str | None:
    """The standard meaning of a code, or None where it is not in the dictionaries at hand."""
    key = f"\n{'SRT' if scheme == 'SNM3' else scheme}\t{code}\t".encode()
    place = _table().find(key)
    if place < 0 or key.count(b"\t") != 2 or key.count(b"\n") != 1:
        return None
    start = place + len(key)
    return _table()[start : _table().index(b"\n", start)].decode()


def accepted(scheme: str, code: str, schemes: Mapping[str, Pattern[str]]) -> str | None:
    """The meaning to write for a code that may stay; the code itself where no dictionary has it; None for one that goes."""
    found = meaning(scheme, code)
    if scheme not in schemes:
        return None
    if found is not None:
        return found[:64]
    if scheme in ("DCM", "UCUM", "LN", "FMA", "RADLEX", "NCIt", "UMLS", "IBSI"):
        return None  # a number of the right form could be a record number
    if scheme == "SCT" and not _concept(code):
        return None
    return code if schemes[scheme].fullmatch(code) else None


def _concept(code: str) -> bool:
    """Whether a code is built as a SNOMED CT concept: 00 or 10 before its check digit (SCTID, partition identifier)."""
    return code[-3:-1] in ("00", "10") and _verhoeff(code)


def _verhoeff(digits: str) -> bool:
    """SNOMED CT identifiers end in a Verhoeff check digit (SNOMED CT release file specification, SCTID)."""
    if not digits.isascii() or not digits.isdigit() or len(digits) < 6:
        return False
    check = 0
    for position, digit in enumerate(reversed(digits)):
        check = int(_DIHEDRAL[check][int(_PERMUTATION[position % 8][int(digit)])])
    return check == 0

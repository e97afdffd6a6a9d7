"""The data dictionary (PS3.6), packed: importing pydicom for it costs 25 MB and a tenth of a second in every worker."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files
from typing import NamedTuple

TABLE = "dictionary.tsv.gz"  # made by `packed` from pydicom's dictionaries; the tests compare


class Attribute(NamedTuple):
    """A standard attribute. vr: or alternatives such as `US or SS`; keyword: empty where it has none."""

    vr: str
    vm: str
    keyword: str


class Dictionary(NamedTuple):
    """attributes: by tag; repeating: tags with x for any digit (overlays, curves); uids: keyword of each registered UID."""

    attributes: dict[int, Attribute]
    repeating: tuple[str, ...]
    uids: dict[str, str]


def packed() -> bytes:
    """The content of `TABLE`."""
    from pydicom.datadict import DicomDictionary, RepeatersDictionary
    from pydicom.uid import UID_dictionary

    lines = [f"{tag:08X}\t{entry[0]}\t{entry[1]}\t{entry[4]}" for tag, entry in sorted(DicomDictionary.items())]
    lines += [f"repeating\t{mask}" for mask in sorted(RepeatersDictionary)]
    lines += [f"uid\t{uid}\t{entry[4]}" for uid, entry in sorted(UID_dictionary.items())]
    return gzip.compress("\n".join(lines).encode(), mtime=0)


@cache
def dictionary() -> Dictionary:
    """The dictionary, read once a process."""
    attributes: dict[int, Attribute] = {}
    repeating: list[str] = []
    uids: dict[str, str] = {}
    for line in gzip.decompress(files("radcurate.dicom").joinpath(TABLE).read_bytes()).decode().split("\n"):
        kind, *rest = line.split("\t")
        if kind == "uid":
            uids[rest[0]] = rest[1]
        elif kind == "repeating":
            repeating.append(rest[0])
        else:
            attributes[int(kind, 16)] = Attribute(*rest)
    return Dictionary(attributes, tuple(repeating), uids)


def attribute(tag: int) -> Attribute | None:
    """What PS3.6 says of a tag; None where it isn't listed."""
    return dictionary().attributes.get(tag)


def uid_keyword(uid: str) -> str | None:
    """Keyword of a registered UID (PS3.6 annex A), which may be empty; None for others."""
    return dictionary().uids.get(uid)


@cache
def uid_of(keyword: str) -> str | None:
    """The registered UID with a keyword; None where there is none."""
    return next((uid for uid, found in dictionary().uids.items() if found == keyword), None)

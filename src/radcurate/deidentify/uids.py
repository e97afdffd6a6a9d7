"""UIDs: registered ones stay, all others are replaced by keyed ones, so that references still meet (PS3.15 E.1, action U)."""

from __future__ import annotations

from collections.abc import Container

from radcurate.dicom.dictionary import uid_keyword
from radcurate.keys import Key


def is_registered(uid: str) -> bool:
    """Whether DICOM itself registered the UID (PS3.6 annex A): SOP classes, transfer syntaxes, well-known frames of reference."""
    return uid_keyword(uid) is not None


def new_uid(uid: str, key: Key, also: Container[str] = ()) -> str:
    """The replacement of `uid`; an empty one, a registered one or one of `also` (newer SOP classes) stays."""
    return uid if not uid or is_registered(uid) or uid in also else key.uid(uid)

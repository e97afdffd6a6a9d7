"""What people do by verbs is entered into the record of the run that they do it in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from radcurate.audit.chain import append
from radcurate.identity.broker import load_identity
from radcurate.keys import Key

RESULTS = Path("results")


def record(key: Key, verb: str, facts: Mapping[str, Any]) -> None:
    """Enter a verb into the record of the run in this folder, if there is one.

    Raises:
        CurationError: the record can't be written.
    """
    if RESULTS.is_dir():
        append(RESULTS, key, verb, facts)


def record_key(identity: Path) -> Key:
    """The key that seals the honest broker's own record, made from the broker's secret identity.

    Raises:
        CurationError: there is no identity that can be used.
    """
    secrets = "\n".join(str(one) for one in load_identity(identity))
    return Key(hashlib.sha256(f"radcurate audit\n{secrets}".encode()).digest())

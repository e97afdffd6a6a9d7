"""attestation.json: an in-toto Statement (v1) that names every file of a release with its digest, signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://radcurate.invalid/release/v1"  # a name, not an address


def statement(digests: Mapping[str, str], about: Mapping[str, Any]) -> dict[str, Any]:
    """The statement: `digests` are SHA-256 by file, `about` tells which release it is and by what policy it passed."""
    subjects = [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(digests.items())]
    return {"_type": STATEMENT, "subject": subjects, "predicateType": PREDICATE, "predicate": dict(about)}


def subjects(content: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 by file, as a statement says.

    Raises:
        ValueError: it is no such statement.
    """
    if content.get("_type") != STATEMENT or content.get("predicateType") != PREDICATE:
        raise ValueError
    try:
        found = {str(subject["name"]): str(subject["digest"]["sha256"]) for subject in content["subject"]}
    except (KeyError, TypeError):
        raise ValueError from None
    if len(found) != len(content["subject"]):
        raise ValueError
    return found

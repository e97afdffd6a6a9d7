"""The certificate that a key was destroyed: what, when, by which program. Names nobody and holds no secret.

Its digest shows that it is whole. It can't show who wrote it: where that matters, sign the file and keep it elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from radcurate import __version__
from radcurate.errors import CurationError
from radcurate.identity.files import write_private

SUFFIX = ".destroyed.json"
KEY_ID = re.compile(r"[0-9a-f]{12}")
FORM = "radcurate certificate of destruction, version 1"


@dataclass(frozen=True)
class Certificate:
    """What was destroyed and when; `made` is null where the file no longer told."""

    key_id: str
    made: str | None  # day and time in UTC, ISO 8601
    destroyed: str
    files: int  # copies of the key in its folder, each overwritten and removed
    crosswalk: int | None  # its parts under this key that were removed too; null: not looked for
    radcurate: str = __version__
    form: str = FORM


def now() -> str:
    """This moment in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def place(folder: Path, key_id: str) -> Path:
    """Where the certificate of a key is written, beside the key."""
    return folder / f"{key_id}{SUFFIX}"


def text(certificate: Certificate) -> bytes:
    """The file's content: the facts and a digest over them."""
    facts = asdict(certificate)
    return (json.dumps({**facts, "digest": _digest(facts)}, indent=1, sort_keys=True) + "\n").encode()


def write(folder: Path, certificate: Certificate) -> Path:
    """Write it beside the key; where it is."""
    path = place(folder, certificate.key_id)
    write_private(path, text(certificate))
    return path


def check(path: Path) -> Certificate:
    """The certificate in a file, if its digest holds.

    Raises:
        CurationError: absent, no certificate, or changed after it was written.
    """
    wanted, fix = "a certificate as `radcurate keys destroy` wrote it", "ask who destroyed the key for the original"
    try:
        content = json.loads(path.expanduser().read_text())
        digest = content.pop("digest")
        certificate = Certificate(**content)
        whole = hmac.compare_digest(str(digest), _digest(content))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise CurationError("no certificate", wanted=wanted, found="something else or nothing", fix=fix) from None
    if not whole:
        raise CurationError("the certificate does not hold", wanted=wanted, found="another content", fix=fix)
    if certificate.form != FORM or not KEY_ID.fullmatch(str(certificate.key_id)):
        raise CurationError("no certificate", wanted=wanted, found="another kind of document", fix=fix)
    return certificate


def _digest(facts: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

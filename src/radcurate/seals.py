"""Seals: a stage lists the digests of what it wrote, under the project key.

Later stages and the gate check the seal before they believe a table, so that an edited or torn artefact is noticed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from pathlib import Path

from radcurate.errors import CurationError
from radcurate.keys import Key

SEAL, RESULTS = "seal.json", "results"


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_seal(folder: Path, names: list[str], key: Key) -> None:
    """Write `folder/seal.json` over the named files (relative to `folder`)."""
    digests = {name: sha256(folder / name) for name in sorted(names)}
    content = {"files": digests, "key_id": key.key_id, "mac": _mac(digests, key)}
    temporary = folder / f".{SEAL}.{os.getpid()}"
    temporary.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
    temporary.replace(folder / SEAL)


def check_seal(folder: Path, key: Key) -> dict[str, str]:
    """Digests by name, after checking that every sealed file is as it was written.

    Raises:
        CurationError: no seal, another key, or a file that differs.
    """
    name_of, fix = named(folder), remedy(folder)
    try:
        content = json.loads((folder / SEAL).read_text())
        digests, mac = dict(content["files"]), str(content["mac"])
    except (OSError, ValueError, KeyError, TypeError):
        raise CurationError(f"{name_of} has no readable seal", wanted=SEAL, found="none", fix=fix) from None
    if not hmac.compare_digest(mac, _mac(digests, key)):
        raise CurationError(
            f"the seal of {name_of} does not hold",
            wanted="a seal made by this run's key",
            found="another key or an edited list",
            fix=fix,
        )
    for name, digest in digests.items():
        path = folder / name
        if not path.is_file() or sha256(path) != digest:
            raise CurationError(
                f"{name_of}/{name} was changed after it was written",
                wanted="the file its stage wrote",
                found="a file that differs" if path.is_file() else "no file",
                fix=fix,
            )
    return digests


def named(folder: Path) -> str:
    """How messages call a folder of a run: from its stage on, such as verify/00003."""
    parts = folder.parts
    at = len(parts) - parts[::-1].index(RESULTS) if RESULTS in parts else len(parts) - 1
    return "/".join(parts[at:]) or folder.name


def remedy(folder: Path) -> str:
    """What to do about a folder that isn't as it was written.

    Of a stage that knows which chunks there are, all of it: a chunk alone would be missed by nobody.
    """
    name = named(folder)
    return f"delete results/{name.split('/')[0] if 'chunks' in name.split('/') else name} and run snakemake again"


def _mac(digests: dict[str, str], key: Key) -> str:
    return key.digest("seal", json.dumps(digests, sort_keys=True)).hex()

"""What a run made, as digests of its seals: enough to tell later whether results are those that the record speaks of."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from radcurate.seals import SEAL, sha256

PLACES = (SEAL, f"*/{SEAL}", f"chunks/*/{SEAL}")  # of a stage; not deeper, where a million images may lie


def sealed_outputs(results: Path) -> dict[str, str]:
    """Stage → SHA-256 over the digests of its seals, sorted by the folder they lie in; stages without one are left out."""
    found: dict[str, str] = {}
    for stage in sorted(path for path in results.iterdir() if path.is_dir()):
        seals = sorted(seal for place in PLACES for seal in stage.glob(place))
        if seals:
            lines = [f"{path.parent.relative_to(results).as_posix()} {sha256(path)}\n" for path in seals]
            found[stage.name] = hashlib.sha256("".join(lines).encode()).hexdigest()
    return found


def outcome(results: Path) -> dict[str, Any]:
    """How the gate judged, and the newest release with its digest; what is not there is left out."""
    told: dict[str, Any] = {}
    for name in ("verdict", "refusal"):
        path = results / "gate" / f"{name}.json"
        if path.is_file():
            told[name] = sha256(path)
    try:
        receipt = json.loads((results / "release" / "release.json").read_text())
        told |= {"release": str(receipt["folder"]), "release_digest": str(receipt["digest"])}
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return told

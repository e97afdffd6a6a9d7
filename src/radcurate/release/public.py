"""What of the run's own papers goes into a release: the verdict without what helps only inside, and no code of the run."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from radcurate import tables

CODE = re.compile(rb"[A-Z]-[0-9a-f]{16}")
INSIDE = ("help", "ways")  # of a finding: what to change in the run
TOLD = (
    "protect.",
    "attack.",
    "dpia.",
    "documents.",
    "fairness.",
    "ethics.",
    "access.",
)  # measures whose detail is about the release


def public_verdict(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """The verdict for recipients: findings without advice, details only of measures that are about the release."""
    protection = {name: value for name, value in verdict["protection"].items() if name != "reasons"}
    return {**verdict, "findings": [_public_finding(one) for one in verdict["findings"]], "protection": protection}


def _public_finding(finding: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in finding.items() if name not in INSIDE}
    return kept if str(finding["measure"]).startswith(TOLD) else {**kept, "detail": ""}


def codes_of_the_run(folder: Path, internal: Collection[str]) -> list[str]:
    """Files below `folder` (images aside, which have a check of their own) in which a code of the run stands, sorted."""
    known = {code.encode() for code in internal}
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith("images/") and not _codes(path).isdisjoint(known):
            found.append(name)
    return found


def _codes(path: Path) -> set[bytes]:
    if path.suffix != ".parquet":
        return set(CODE.findall(path.read_bytes()))
    content = tables.read(path)
    cells = (value for column in content.columns if _is_text(column.type) for value in column.unique().to_pylist())
    return {code for value in cells if value is not None for code in CODE.findall(value.encode())}


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))

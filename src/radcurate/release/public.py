"""What of the run's own papers goes into a release: the verdict without what helps only inside, and no code of the run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from radcurate.tables.stored import Stored

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


def codes_of_the_run(folder: Path, internal: pa.Array) -> list[str]:
    """Files below `folder` (images aside, which have a check of their own) in which a code of the run stands, sorted.

    Args:
        folder: of the release.
        internal: codes of the run, as text.
    """
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith("images/") and any(_holds(part, internal) for part in _texts(path)):
            found.append(name)
    return found


def _holds(text: bytes, internal: pa.Array) -> bool:
    codes = pa.array(sorted(code.decode() for code in set(CODE.findall(text))), pa.string())
    return len(codes) > 0 and bool(
        pc.any(pc.is_in(codes, value_set=internal)).as_py()
    )  # a table of millions to look up


def _texts(path: Path) -> Iterator[bytes]:
    """The bytes of a file; of a table its texts, each different one of a part once."""
    if path.suffix != ".parquet":
        yield path.read_bytes()
        return
    content = Stored(path)
    names = [field.name for field in content.schema if _is_text(field.type)]
    for part in content.parts(names):
        for column in part.columns:
            yield "\n".join(value for value in column.unique().to_pylist() if value is not None).encode()


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))

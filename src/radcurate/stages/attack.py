"""attack: try to break what is about to be released, and say how far it got and how sure that is."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from radcurate import tables
from radcurate.attack.found import Attack as Found
from radcurate.attack.found import Share, nothing_to_attack
from radcurate.keys import Key
from radcurate.privacy.columns import load_columns
from radcurate.seals import write_seal
from radcurate.settings import Attack
from radcurate.stages._attacked import Attacked, read_attacked
from radcurate.stages._command import command

log = logging.getLogger("radcurate")
ATTACK, ATTACKS, COLUMNS = "attack.json", "attacks.parquet", "columns.parquet"


def run(
    settings: Attack, extract: list[Path], results: Path, out: Path, key: Key, columns: Path, registry: list[Path]
) -> None:
    """Attack `results/protect`, holding the chunks of `extract` for the controls; write what was found.

    Raises:
        CurationError: a table was changed, or the registry can't be used.
    """
    attacked = read_attacked(extract, results / "protect", load_columns(columns), key)
    attacks = _attacks(attacked, settings, results, key, registry)
    document = {"attacks": {found.name: found.document() for found in attacks}, "risk": {}}
    out.mkdir(parents=True, exist_ok=True)
    _write_json(out / ATTACK, document)
    tables.write_rows(out / ATTACKS, tables.ATTACKS, (row for found in attacks for row in _rows(found)))
    tables.write_rows(out / COLUMNS, tables.ATTACK_COLUMNS, (row for found in attacks for row in _told(found)))
    write_seal(out, [ATTACK, ATTACKS, COLUMNS], key)
    _say(attacks)


def _attacks(attacked: Attacked, settings: Attack, results: Path, key: Key, registry: Sequence[Path]) -> list[Found]:
    """All attacks; one that can't be run is an error of the stage, never left out."""
    return [
        nothing_to_attack("linkage", "not measured yet"),
        nothing_to_attack("fingerprint", "not measured yet"),
        nothing_to_attack("site", "not measured yet"),
        nothing_to_attack("differencing", "not measured yet"),
    ]


def _rows(found: Found) -> Iterator[dict[str, Any]]:
    """A row per variant: on the release, the controls, and further shares."""
    if found.found:
        yield _row(found, "release", found.found, None)
    for variant, control in (("positive", found.positive), ("negative", found.negative)):
        if control:
            yield _row(found, variant, control.found, control.passed)
    for variant, further in found.further.items():
        yield _row(found, variant, further, None)


def _row(found: Found, variant: str, measured: Share, passed: bool | None) -> dict[str, Any]:
    return {"attack": found.name, "variant": variant, **measured.document(), "passed": passed}


def _told(found: Found) -> Iterator[dict[str, Any]]:
    for column, weight in found.columns:
        yield {"attack": found.name, "column": column, "weight": weight}


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n")
    temporary.replace(path)


def _say(attacks: Sequence[Found]) -> None:
    for found in attacks:
        if found.found is None:
            log.info("attack: %s does not apply: %s", found.name, found.detail)
        else:
            failed = f"; failed controls: {', '.join(found.controls_failed)}" if found.controls_failed else ""
            log.info("attack: %s %.3f, at most %.3f%s", found.name, found.found.rate, found.found.high, failed)


if __name__ == "__main__":
    command(run)

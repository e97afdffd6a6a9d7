"""What a run notes of its code in `results/.code.json`: which modules each digest stood for, so that a later change can be named.

No path but those inside the package, no value of the configuration. A note that is lost or torn costs time, never a result.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from radcurate.reruns.code import Code, Module, as_json, from_json

NAME = ".code.json"
KEPT = 60  # digests that are remembered, the newest: five edits of everything
Parts = dict[str, str]


@dataclass(frozen=True)
class Notes:
    """Modules as they were last seen, and the parts behind each digest that a run used, oldest first."""

    modules: Mapping[str, Module] = field(default_factory=dict)
    digests: Mapping[str, Parts] = field(default_factory=dict)


def read_notes(results: Path) -> Notes:
    """The notes of earlier runs; empty where there are none that can be read."""
    try:
        content = json.loads((results / NAME).read_text())
        digests = {str(name): {str(k): str(v) for k, v in parts.items()} for name, parts in content["digests"]}
        return Notes(from_json(content["modules"]), digests)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Notes()


def write_notes(results: Path, code: Code, digests: Mapping[str, Parts]) -> None:
    """Note the modules that `code` has read, and `digests` behind those of earlier runs; atomic."""
    earlier = read_notes(results).digests
    kept = [(name, parts) for name, parts in earlier.items() if name not in digests]
    kept = [*kept, *sorted(digests.items())][-KEPT:]
    content = {"modules": as_json(code.found), "digests": kept}
    temporary = results / f"{NAME}.{os.getpid()}"
    temporary.write_text(json.dumps(content, sort_keys=True) + "\n")
    temporary.replace(results / NAME)


def changed_parts(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """Label → (before, now) of every part that differs; None where there was or is none."""
    labels = sorted({*before, *now})
    return {label: (before.get(label), now.get(label)) for label in labels if before.get(label) != now.get(label)}

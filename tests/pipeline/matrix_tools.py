"""A finished run that is disturbed, planned and put back, and what of it would run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from pipeline_tools import Project
from radcurate.errors import CurationError
from radcurate.settings import Config, load_config

STAGES = (
    "inventory",
    "consent",
    "deidentify",
    "redact",
    "deface",
    "verify",
    "extract",
    "protect",
    "attack",
    "gate",
    "release",
)
MAKES = {"redact": {"deidentify"}, "deface": {"deidentify", "redact"}}  # again, whose images were removed after use
PLANNER = Path(__file__).parent / "planner.py"


class Planner:
    """The process that forks a Snakemake for each plan."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PLANNER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def plan(self, project: Project, *more: str) -> str:
        """What a dry run prints."""
        arguments = [*project.command("--dry-run", *more)[3:]]
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"folder": str(project.folder), "arguments": arguments}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if answer["code"]:
            pytest.fail(f"the dry run ended with {answer['code']}:\n{answer['told'][-3000:]}")
        return str(answer["told"])

    def close(self) -> None:
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait()


@dataclass
class Lab:
    """Edits of a project, each of them undone afterwards with its time, so that one copy serves all rows."""

    project: Project
    planner: Planner
    before: dict[Path, tuple[bytes, int] | None] = field(default_factory=dict)

    def planned(self, *more: str) -> dict[str, int]:
        """Jobs by rule that would run now."""
        told = self.planner.plan(self.project, *more)
        found = re.findall(r"^(\w+)\s+(\d+)$", told, re.M)
        return {rule: int(count) for rule, count in found if rule not in {"all", "total"}}

    def write(self, path: Path | str, content: str | bytes, old: bool = False) -> None:
        """Write a file of the project or the data; with `old`, give it a time long before the run."""
        path = self.keep(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        if old:
            os.utime(path, (1_000_000_000, 1_000_000_000))

    def edit(self, path: Path | str, find: str, replace: str, old: bool = False) -> None:
        """Replace the first `find` in a file."""
        text = (self.project.folder / path).read_text()
        assert find in text, f"{path} holds no {find!r}"
        self.write(path, text.replace(find, replace, 1), old)

    def touch(self, path: Path | str, time: int = 2_000_000_000) -> None:
        """Give a file another time and leave its content."""
        os.utime(self.keep(path), (time, time))

    def remove(self, path: Path | str) -> None:
        self.keep(path).unlink()

    def configure(self, **changes: Any) -> None:
        self.keep("run.yaml")
        self.project.configure(**changes)

    def keep(self, path: Path | str) -> Path:
        """Remember a file as it is, to put it back."""
        path = self.project.folder / path
        status = path.stat() if path.exists() else None
        self.before.setdefault(path, (path.read_bytes(), status.st_mtime_ns) if status else None)
        return path

    def restore(self) -> None:
        for path, was in self.before.items():
            if was is None:
                path.unlink(missing_ok=True)
                if path.parent.is_dir() and not any(path.parent.iterdir()):
                    path.parent.rmdir()
            else:
                path.write_bytes(was[0])
                os.utime(path, ns=(was[1], was[1]))
        self.before.clear()


@contextmanager
def disturbed(lab: Lab) -> Iterator[Lab]:
    try:
        yield lab
    finally:
        lab.restore()


def options() -> dict[str, Any]:
    """Every option of the configuration by its full name, and what pydantic knows of it."""
    return dict(_options(Config, ""))


def _options(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, option in model.model_fields.items():
        inner = next((part for part in _parts(option.annotation) if _is_model(part)), None)
        if inner is not None:
            yield from _options(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", option


def other_value(full: str) -> Any:
    """A valid value of an option that is not the default."""
    option = options()[full]
    return _other(full, option.get_default(call_default_factory=True), option.annotation)


def _other(full: str, default: Any, annotation: Any) -> Any:
    """The first candidate that the configuration accepts."""
    literals = [one for part in _parts(annotation) for one in typing.get_args(part) if isinstance(one, str)]
    if isinstance(default, bool):
        candidates: list[Any] = [not default]
    elif isinstance(default, int | float):
        candidates = [default + 1, default / 2, default - 1, default + 0.05]
    elif isinstance(default, tuple | list):
        candidates = [list(default[:-1]), [*default, "site"], [*default, "x*"], literals[:1]]
    elif isinstance(default, dict):
        candidates = [{"sex": "sex"}]
    else:
        candidates = [*literals, "2020-01-01", 7, {"bin_size": 50}, "other", "0.5", 0.5]
    for one in candidates:
        if one != default and _is_valid(full, one):
            return one
    raise AssertionError(f"no other value is known for {full}")


def nested(full: str, value: Any) -> dict[str, Any]:
    """`a.b.c` and a value as the configuration holds it."""
    for name in reversed(full.split(".")):
        value = {name: value}
    return value  # type: ignore[no-any-return]


def _is_valid(full: str, value: Any) -> bool:
    try:
        load_config(nested(full, value))
    except CurationError:
        return False
    return True


def _parts(annotation: Any) -> list[Any]:
    return [annotation, *(inner for one in typing.get_args(annotation) for inner in _parts(one))]


def _is_model(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel)

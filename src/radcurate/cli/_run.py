"""The run that a verb is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from radcurate.errors import CurationError
from radcurate.settings import Config, load_config
from radcurate.workflow import resolve

PROJECT = Path(__file__).resolve().parents[3]
CONFIG = PROJECT / "config" / "config.yaml"  # what the Snakefile begins with


def run_config(more: Sequence[Path], source: Path | None = None) -> Config:
    """The configuration of the run: the project's, with `more` laid over it as Snakemake does, later files winning.

    Args:
        more: files that the run was told.
        source: the export, where the configuration doesn't name it.

    Raises:
        CurationError: a file can't be read, or says what nobody understands.
    """
    paths = [*([CONFIG] if CONFIG.is_file() else []), *more]
    merged: dict[str, Any] = {}
    for path in paths:
        try:
            load_config(path)
            merged = _over(merged, yaml.safe_load(path.read_text()) or {})
        except OSError as error:
            raise CurationError(
                "the configuration can't be read",
                wanted="the file that the run was told",
                found=type(error).__name__,
                fix="name it: --configfile FILE",
            ) from None
    return load_config(merged | ({"input": str(source)} if source else {}))


def decisions_file(config: Config, stage: str) -> Path:
    """Where a stage looks for what people decided."""
    named: str = getattr(config, stage).decisions
    return resolve(named, PROJECT)


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _over(merged[name], value) if both else value
    return merged

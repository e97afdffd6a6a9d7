"""Papers: YAML files that people write and the gate reads. How one is read, and what is said of one that can't be."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from radcurate.errors import CurationError


class Section(BaseModel):
    """A part of a paper; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


Model = TypeVar("Model", bound=BaseModel)


def digest_of(raw: bytes) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    return hashlib.sha256(raw).hexdigest()


def parse(raw: bytes, model: type[Model], name: str) -> Model:
    """The content of a paper.

    Args:
        raw: bytes of the file.
        model: what it must say.
        name: of the file, for messages.

    Raises:
        CurationError: not YAML, an unknown or missing key, or a value that can't be.
    """
    try:
        content = yaml.safe_load(raw)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise wrong(name, "YAML", f"a syntax error in line {mark.line + 1}" if mark else "a syntax error") from None
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise wrong(name, first["msg"].removeprefix("Value error, "), place) from None


def wrong(name: str, wanted: str, found: str) -> CurationError:
    """What is said of a paper that can't be used; values in it aren't repeated."""
    return CurationError(
        f"{name} can't be used", wanted=wanted, found=found, fix=f"compare with config/governance/{_pattern(name)}"
    )


def _pattern(name: str) -> str:
    return f"{Path(name).stem}.example.yaml" if name in WRITTEN_BY_STEWARDS else name


WRITTEN_BY_STEWARDS = ("data_use_terms.yaml", "expert_determination.yaml")


@dataclass(frozen=True)
class Papers:
    """The files as they lie in the folder of papers: bytes by name (`dpia.yaml`, `terms/public.md`)."""

    raw: Mapping[str, bytes] = field(default_factory=dict)

    def digest(self, name: str) -> str:
        """SHA-256 of a paper; empty where it isn't there."""
        return digest_of(self.raw[name]) if name in self.raw else ""

    def read(self, name: str, model: type[Model]) -> Model | None:
        """The content of a paper; None where it isn't there.

        Raises:
            CurationError: as `parse`.
        """
        return parse(self.raw[name], model, name) if name in self.raw else None


def read_papers(paths: Mapping[str, Path]) -> Papers:
    """Read the papers that are there.

    Args:
        paths: by name within the folder of papers.

    Raises:
        CurationError: a file that is there can't be read.
    """
    found: dict[str, Any] = {}
    for name, path in sorted(paths.items()):
        try:
            found[name] = path.read_bytes()
        except OSError as error:
            raise wrong(name, "a file that can be read", type(error).__name__) from None
    return Papers(found)

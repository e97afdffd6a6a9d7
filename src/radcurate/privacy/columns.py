"""What may be released: every column's role and the reason why it is needed, from `config/columns.yaml`.

A column that nothing declares is dropped and named in `measures.json`; it can't reach the release.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from radcurate.errors import CurationError
from radcurate.privacy.hierarchies import AGE_TOP, AGE_WIDTHS, Rule
from radcurate.settings import Section

CODES = ("subject", "series", "contour", "roi")
Role = Literal["identifier", "quasi_identifier", "sensitive", "feature", "technical"]


class Declaration(Section):
    """An entry of `columns.yaml`; its name is a column or a pattern such as `original_*`."""

    role: Role
    reason: str = Field(min_length=3)  # why a recipient needs the column; for one that is dropped, why it is
    code: str | None = Field(None, pattern="^[A-Z]$")  # values are replaced by keyed release codes with this letter
    hierarchy: str | None = None
    widths: tuple[int, ...] | None = None
    top: int | None = None
    file: str | None = None
    least: str | None = None
    most: str | None = None
    group: str | None = None
    weight: float = Field(1.0, gt=0)

    @model_validator(mode="after")
    def _fits_its_role(self) -> Declaration:
        quasi = self.role == "quasi_identifier"
        if quasi != (self.hierarchy is not None):
            raise ValueError("a hierarchy for each quasi_identifier, and for nothing else")
        if self.code and not (self.role == "identifier" or self.hierarchy == "value"):
            raise ValueError("a code only for an identifier or a quasi_identifier with hierarchy value")
        widths = self.widths or ()
        if any(width < 1 for width in widths) or any(b % a or b <= a for a, b in pairwise(widths)):
            raise ValueError("widths that are whole, above 0, and each a multiple of the one before")
        if self.hierarchy == "interval" and not widths:
            raise ValueError("widths for hierarchy interval")
        return self

    def rule(self, folder: Path) -> Rule:
        """How the column is coarsened; `folder` is where tree files lie."""
        age = self.hierarchy == "age"
        return Rule(
            kind=str(self.hierarchy),
            widths=self.widths or (AGE_WIDTHS if age else ()),
            top=self.top if self.top is not None or not age else AGE_TOP,
            file=folder / self.file if self.file else None,
            least=self.least,
            most=self.most,
            group=self.group,
            weight=self.weight,
        )

    @property
    def released(self) -> bool:
        """Identifiers are released as codes or not at all."""
        return self.role != "identifier" or self.code is not None


@dataclass(frozen=True)
class Columns:
    """All declarations, exact names before patterns, patterns in the order of the file."""

    entries: Mapping[str, Declaration]
    folder: Path

    def find(self, name: str) -> Declaration | None:
        """The declaration of a column, or None."""
        if name in self.entries:
            return self.entries[name]
        return next(
            (entry for pattern, entry in self.entries.items() if _is_pattern(pattern) and fnmatchcase(name, pattern)),
            None,
        )

    def names(self) -> list[str]:
        """Names of columns that are declared one by one, in the order of the file."""
        return [name for name in self.entries if not _is_pattern(name)]

    def named(self, role: Role) -> list[str]:
        """Names of columns that are declared with a role one by one, in the order of the file."""
        return [name for name in self.names() if self.entries[name].role == role]

    def released(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that may be released."""
        found = {name: self.find(name) for name in names}
        return [name for name, entry in found.items() if entry is not None and entry.released]

    def letter(self, name: str) -> str | None:
        """Letter of the release codes of a column, or None where it has none."""
        entry = self.find(name)
        return entry.code if entry else None

    def rule(self, name: str) -> Rule:
        """How a quasi-identifier is coarsened."""
        return self.entries[name].rule(self.folder)


def load_columns(path: Path) -> Columns:
    """Read `columns.yaml`.

    Raises:
        CurationError: absent, not YAML, an entry without role or reason, or one that contradicts itself.
    """
    try:
        content = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise _wrong("there is no table of columns", "a file with roles and reasons", "none") from None
    except yaml.YAMLError:
        raise _wrong("the table of columns is not YAML", "YAML", "a syntax error") from None
    entries = content.get("columns") if isinstance(content, dict) else None
    if not isinstance(entries, dict) or not entries:
        raise _wrong("the table of columns is empty", "entries below `columns:`", "none")
    return Columns({str(name): _declaration(str(name), entry) for name, entry in entries.items()}, path.parent)


def _declaration(name: str, entry: Any) -> Declaration:
    try:
        found = Declaration.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _wrong(
            f"column {name} is not declared as it should be",
            first["msg"].removeprefix("Value error, ") + (f" ({place})" if place else ""),
            "nothing" if first["type"] == "missing" else "another entry",
        ) from None
    if name in CODES and found.role != "identifier":
        raise _wrong(f"column {name} holds codes of the run", "role identifier", found.role)
    if found.role == "quasi_identifier" and _is_pattern(name):
        raise _wrong(f"{name} is a pattern for quasi-identifiers", "one entry per quasi-identifier", "a pattern")
    return found


def _is_pattern(name: str) -> bool:
    return any(sign in name for sign in "*?[")


def _wrong(problem: str, wanted: str, found: str) -> CurationError:
    return CurationError(problem, wanted=wanted, found=found, fix="correct config/columns.yaml")

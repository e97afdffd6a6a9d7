"""Who may have what: each artefact carries a tier, and a release holds nothing that is closed to its recipients.

Table 1 of the "Ethics by Design" paper (requirement A20) goes from restricted (collection) over limited (processing) and
moderately open (training) to open (evaluation). Here a circle of recipients takes the place of these words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from pydantic import Field

from radcurate.governance.ethics import Stage
from radcurate.governance.papers import Section

ACCESS = "access.yaml"
Circle = Literal["custodian", "internal", "controlled", "public"]
CIRCLES: tuple[str, ...] = get_args(Circle)  # from closed to open
TIERS = CIRCLES[1:]  # circles that a release may be for


class Artefact(Section):
    """Files by a pattern (`*` goes across folders), and the widest circle that may have them."""

    pattern: str = Field(pattern=r"^(results|release)/.+")
    stage: Stage
    tier: Circle


class Matrix(Section):
    """The whole paper."""

    artefacts: tuple[Artefact, ...] = Field(min_length=1)

    def tier_of(self, path: str) -> str:
        """The widest circle that may have a file; of several patterns the most closed counts, none: nobody but the custodian."""
        found = [one.tier for one in self.artefacts if fnmatchcase(path, one.pattern)]
        return min(found, key=CIRCLES.index, default=CIRCLES[0])


@dataclass(frozen=True)
class Access:
    """The matrix as a verdict holds it, for recipients of one tier."""

    tier: str
    artefacts: tuple[Mapping[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def access(matrix: Matrix | None, tier: str) -> Access:
    """The matrix for recipients of one tier; without one nothing may go."""
    return Access(tier, tuple(one.model_dump() for one in (matrix.artefacts if matrix else ())))


def beyond(found: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Files that are closed to the recipients.

    Args:
        found: `access` of a verdict.
        names: paths of files, relative to the release.

    Returns:
        The names that the recipients may not have, sorted; what no pattern names is closed.
    """
    artefacts = tuple(Artefact.model_validate(one) for one in found["artefacts"])
    reach = CIRCLES.index(found["tier"])
    if not artefacts:
        return sorted(names)
    matrix = Matrix(artefacts=artefacts)
    return sorted(name for name in names if CIRCLES.index(matrix.tier_of(f"release/{name}")) < reach)

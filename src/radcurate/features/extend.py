"""For features and engines of one's own: what an extension file calls (docs/howto/own-feature.md).

A file that `extract.extensions` names is run as it is, so it is the user's own code and never part of a release or of
an export. What it registers counts only with golden values, and is held to `suite.check` before anything is extracted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from radcurate.errors import CurationError
from radcurate.features import engine
from radcurate.features.engine import Engine
from radcurate.features.families import FAMILIES
from radcurate.features.families.family import NOT_IBSI, Family, Function


@dataclass(frozen=True)
class Golden:
    """A value that somebody vouches for, on IBSI's digital phantom (`phantom.digital_phantom`).

    Attributes:
        value: of the column; `nan` where it has none there.
        made_by: who computed it, and how; not the function itself.
    """

    value: float
    made_by: str


@dataclass(frozen=True)
class Registered:
    """What extensions have registered, in order: tags of features, names of engines, golden values by engine and column."""

    tags: list[str]
    engines: list[str]
    golden: dict[tuple[str, str], Golden]


REGISTERED = Registered([], [], {})
CORE = "radcurate"


def add_family(family: Family) -> Family:
    """A family of one's own, for `radcurate`'s engine.

    Raises:
        CurationError: its group is taken.
    """
    if FAMILIES.get(family.group, family) is not family:
        raise _taken("family", family.group)
    FAMILIES[family.group] = family
    return family


def add_feature(
    family: Family, tag: str, name: str, golden: Mapping[str, float], made_by: str, unit: str = "1"
) -> Callable[[Function], Function]:
    """Decorator of a feature's function, for `radcurate`'s engine; its docstring is the formula.

    Args:
        family: one of `families.FAMILIES`, or a new one that `add_family` made known; the function gets what that
            family's features get.
        tag: the column's name without group and aggregation: `[a-z0-9_]+`.
        name: for people.
        golden: column -> value on IBSI's digital phantom, for every aggregation of the family.
        made_by: who computed the golden values, and how.
        unit: of the values.

    Raises:
        CurationError: the family has such a feature.
    """
    full = f"{family.group}_{tag}"
    if any(feature.tag == full for feature in family.features):
        raise _taken("feature", full)
    add_family(family)
    REGISTERED.tags.append(full)
    REGISTERED.golden.update({(CORE, column): Golden(value, made_by) for column, value in golden.items()})
    return family.feature(tag, name, NOT_IBSI, unit)


def add_engine(own: Engine, golden: Mapping[str, float], made_by: str) -> Engine:
    """A third engine; it may give golden values of a few columns, and is compared with IBSI's for the others.

    Raises:
        CurationError: another engine has its name.
    """
    engine.register(own)
    REGISTERED.engines.append(own.name)
    REGISTERED.golden.update({(own.name, column): Golden(value, made_by) for column, value in golden.items()})
    return own


def _taken(kind: str, name: str) -> CurationError:
    return CurationError(
        f"there is a {kind} {name} already",
        wanted=f"a name that no {kind} has",
        found=name,
        fix="give that of the extension another name",
    )

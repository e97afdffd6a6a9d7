"""One table of all feature columns: name, IBSI family, code, aggregation, unit, conformance (`catalogue.csv`).

Names are the tags of the IBSI-1 reference data set: `stat_mean`, `cm_joint_max_3D_avg`. The first part is the group
that an engine computes together, the last part of a texture's name is its aggregation.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from radcurate.features.families import FAMILIES
from radcurate.features.filters.conformance import compared
from radcurate.features.profile import Profile

NOT_IBSI = "non-IBSI"
# Nobody published reference values for it.
NOT_COMPARED = "not_compared"
IMAGE_SEPARATOR = "__"


@dataclass(frozen=True)
class Column:
    """A feature column.

    Attributes:
        name: column name.
        family: IBSI family.
        feature: name in the IBSI reference manual.
        code: IBSI code of four characters, or `non-IBSI`.
        aggregation: 2D_avg, 2D_comb, 2.5D_avg, 2.5D_comb, 3D_avg, 3D_comb, 2D, 2.5D, 3D; empty for features without.
        aggregation_code: IBSI code of the aggregation, or empty.
        unit: `1`, `mm`, `mm2`, `mm3`, `intensity`, `intensity2`, `level`, `level2`, ….
        source: the engine's own name for it.
        conformance: compliant (within tolerance of the IBSI-1 reference wherever that has a value), deviating
            (not everywhere), or non-IBSI; for a filtered image, see `of_image`.
        image: name of the filtered image that it is computed on, the first part of `name`; empty: the image itself.
    """

    name: str
    family: str
    feature: str
    code: str
    aggregation: str
    aggregation_code: str
    unit: str
    source: str
    conformance: str
    image: str = ""

    @property
    def group(self) -> str:
        """morph, stat, ih, cm, rlm, szm, ngt or ngl."""
        return self._own_name.partition("_")[0]

    @property
    def tag(self) -> str:
        """The name without aggregation."""
        own = self._own_name
        return own.removesuffix("_" + self.aggregation.replace(".", "_")) if self.aggregation else own

    @property
    def _own_name(self) -> str:
        return self.name.removeprefix(self.image + IMAGE_SEPARATOR) if self.image else self.name

    @property
    def dimension(self) -> str:
        """2D, 2.5D or 3D for textures, else empty."""
        return self.aggregation.partition("_")[0]


@cache
def catalogue() -> tuple[Column, ...]:
    """All columns that the engine can compute, in their order in the table."""
    text = files("radcurate.features").joinpath("catalogue.csv").read_text(encoding="utf-8")
    return tuple(Column(**row) for row in csv.DictReader(text.splitlines()))


def columns_for(textures: Iterable[str]) -> tuple[Column, ...]:
    """Columns for the given texture dimensions, in catalogue order."""
    wanted = set(textures)
    return tuple(column for column in catalogue() if not column.aggregation or column.dimension in wanted)


def of_image(column: Column, image: str, met: bool) -> Column:
    """The same feature of a filtered image.

    Args:
        column: of the image itself.
        image: name of the filtered image.
        met: this kind of filter meets IBSI-2's reference values of the feature. There are some for intensity-based
            statistics only; every other feature of a filtered image is `not_compared`.
    """
    conformance = column.conformance if met else NOT_COMPARED
    return replace(column, name=image + IMAGE_SEPARATOR + column.name, conformance=conformance, image=image)


def columns_of(profiles: Iterable[Profile]) -> tuple[Column, ...]:
    """Every column that one of the profiles has: of images themselves, then, filter by filter, of filtered images."""
    chosen = list(profiles)
    own = columns_for(dimension for profile in chosen for dimension in profile.textures)
    return tuple(dict.fromkeys([*own, *(column for profile in chosen for column in _filtered(profile))]))


def _filtered(profile: Profile) -> Iterator[Column]:
    own = [column for column in columns_for(profile.textures) if _on_responses(column.group)]
    for chosen in profile.filters:
        for label in chosen.labels:
            yield from (of_image(column, label, (chosen.kind, column.tag) in compared()) for column in own)


def _on_responses(group: str) -> bool:
    family = FAMILIES.get(group)
    return group not in ("morph", "loc") if family is None else family.on_responses

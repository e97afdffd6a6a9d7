"""All feature columns: what each is called, means and how it was checked. Made from the families themselves.

Names are the tags of the IBSI-1 reference data set: `stat_mean`, `cm_joint_max_3D_avg`. The first part is the group
that an engine computes together, the last part of a texture's name is its aggregation. Columns of a filtered image have
the name of the filter before theirs: `log_3__stat_mean`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from radcurate.features.conformance import NOT_COMPARED, verdict
from radcurate.features.families import FAMILIES
from radcurate.features.families.family import AGGREGATIONS, NOT_IBSI, Family, Feature, column_name
from radcurate.features.filters.conformance import compared
from radcurate.features.profile import Profile

ENGINE = "radcurate"


@dataclass(frozen=True)
class Column:
    """A feature column.

    Attributes:
        tag: its name without image and aggregation, `cm_joint_max`.
        family: IBSI family.
        feature: name in the IBSI reference manual.
        code: IBSI code of four characters (with a second one for a special case), or `non-IBSI`.
        aggregation: 2D_avg, 2D_comb, 2.5D_avg, 2.5D_comb, 3D_avg, 3D_comb, 2D, 2.5D, 3D; empty for features without.
        unit: `1`, `mm`, `mm2`, `mm3`, `intensity`, `intensity2`, `level`, `level2`, ….
        formula: in words and signs.
        conformance: how the engine's values compare with the IBSI reference values, see `conformance.verdict`.
        image: name of the filter, empty for the image itself.
    """

    tag: str
    family: str
    feature: str
    code: str
    aggregation: str
    unit: str
    formula: str
    conformance: str
    image: str = ""

    @cached_property
    def name(self) -> str:
        """Of the column in all tables."""
        plain = column_name(self.tag, self.aggregation)
        return f"{self.image}__{plain}" if self.image else plain

    @cached_property
    def group(self) -> str:
        """morph, loc, stat, ih, ivh, cm, rlm, szm, dzm, ngt or ngl."""
        return self.tag.partition("_")[0]

    @cached_property
    def dimension(self) -> str:
        """2D, 2.5D or 3D for textures, else empty."""
        return self.aggregation.partition("_")[0]

    @property
    def aggregation_code(self) -> str:
        """IBSI code of the aggregation, or empty."""
        return AGGREGATIONS.get(self.aggregation, "")

    @property
    def description(self) -> str:
        """For people: feature, family, aggregation and image."""
        parts = [
            f"{self.feature} ({self.family})",
            self.aggregation,
            f"of the image {self.image}" if self.image else "",
        ]
        return ", ".join(part for part in parts if part)


def catalogue(engine: str = ENGINE) -> tuple[Column, ...]:
    """All columns of an unfiltered image, family by family, feature by feature."""
    return _columns(tuple(_contents(family) for family in FAMILIES.values()), engine)


def columns_for(*profiles: Profile, engine: str = ENGINE) -> tuple[Column, ...]:
    """Columns that any of the profiles asks for: of images themselves, then, filter by filter, of filtered images."""
    filtered = (column for profile in profiles for column in _of_filters(profile, engine))
    return tuple(dict.fromkeys([*_own(profiles, engine), *filtered]))


def _own(profiles: Iterable[Profile], engine: str) -> list[Column]:
    """Of images themselves, in the order of the catalogue."""
    dimensions = {dimension for profile in profiles for dimension in profile.textures}
    return [column for column in catalogue(engine) if not column.aggregation or column.dimension in dimensions]


def _of_filters(profile: Profile, engine: str) -> Iterator[Column]:
    own = [column for column in _own([profile], engine) if FAMILIES[column.group].on_responses]
    met = compared() if engine == ENGINE else frozenset()
    for chosen in profile.filters:
        for label in chosen.labels:
            yield from (of_image(column, label, (chosen.kind, column.tag) in met) for column in own)


def of_image(column: Column, image: str, met: bool) -> Column:
    """The same feature of a filtered image.

    Args:
        column: of the image itself.
        image: name of the filtered image.
        met: this kind of filter meets IBSI-2's reference values of the feature. There are some for intensity-based
            statistics only; every other feature of a filtered image is `not_compared`.
    """
    told = column.code == NOT_IBSI or met
    return dataclasses.replace(column, image=image, conformance=column.conformance if told else NOT_COMPARED)


Contents = tuple[str, tuple[str, ...], tuple[Feature, ...]]  # family, aggregations, features


def _contents(family: Family) -> Contents:
    return family.name, family.aggregations, tuple(family.features)


@cache
def _columns(contents: tuple[Contents, ...], engine: str) -> tuple[Column, ...]:
    return tuple(
        Column(
            tag=feature.tag,
            family=family,
            feature=feature.name,
            code=feature.code,
            aggregation=aggregation,
            unit=feature.unit,
            formula=feature.formula,
            conformance=NOT_IBSI
            if feature.code == NOT_IBSI
            else verdict(engine, column_name(feature.tag, aggregation)),
        )
        for family, aggregations, features in contents
        for feature in features
        for aggregation in aggregations
    )

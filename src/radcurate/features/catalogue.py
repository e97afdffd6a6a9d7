"""One table of all feature columns: name, IBSI family, code, aggregation, unit, conformance (`catalogue.csv`).

Names are the tags of the IBSI-1 reference data set: `stat_mean`, `cm_joint_max_3D_avg`. The first part is the group
that an engine computes together, the last part of a texture's name is its aggregation.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

NOT_IBSI = "non-IBSI"


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
            (not everywhere), or non-IBSI.
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

    @property
    def group(self) -> str:
        """morph, stat, ih, cm, rlm, szm, ngt or ngl."""
        return self.name.partition("_")[0]

    @property
    def tag(self) -> str:
        """The name without aggregation."""
        return self.name.removesuffix("_" + self.aggregation.replace(".", "_")) if self.aggregation else self.name

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

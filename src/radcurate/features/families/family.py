"""What an IBSI family is: its features, each one small function, and what they are all computed from."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from radcurate.features.prepare import Prepared
from radcurate.features.reasons import EMPTY, ONE_VOXEL, UNDEFINED
from radcurate.features.region import Region

Values = Any  # a number, or an array of shape (matrix,) of which the mean counts
Function = Callable[[Any], Values]
AFunction = TypeVar("AFunction", bound=Function)

# The code of a feature that the IBSI reference manual doesn't have.
NOT_IBSI = "non-IBSI"

# IBSI codes of how texture matrices are brought together.
AGGREGATIONS = {
    "2D_avg": "BTW3",
    "2D_comb": "SUJT",
    "2.5D_avg": "JJUI",
    "2.5D_comb": "ZW7Z",
    "3D_avg": "ITBB",
    "3D_comb": "IAZD",
    "2D": "8QNN",
    "2.5D": "62GR",
    "3D": "KOBO",
}


@dataclass(frozen=True)
class Feature:
    """One feature of a family.

    Attributes:
        tag: column name without aggregation, `cm_joint_max`.
        name: as the IBSI reference manual has it.
        code: its four characters (with a second code for a special case), or `NOT_IBSI`.
        unit: `1`, `mm`, `mm2`, `mm3`, `intensity`, `intensity2`, `level`, `level2`, ….
        function: from what the family's `source` gives to a value, or to a value per matrix.
        needs: as for its family.
        without: why it has no value, where it has none although what it needs holds several voxels.
    """

    tag: str
    name: str
    code: str
    unit: str
    function: Function
    needs: str
    without: str = UNDEFINED

    @property
    def formula(self) -> str:
        """The docstring of its function."""
        return inspect.getdoc(self.function) or ""


@dataclass
class Family:
    """An IBSI family.

    Attributes:
        group: first part of its features' tags.
        name, code: as the IBSI reference manual has them.
        aggregations: keys of `AGGREGATIONS`, or one empty string.
        needs: `intensity`: the intensity mask must hold a voxel; `morphology`: the morphological one, which always does.
            A feature may need more than its family.
        on_responses: also computed on filtered images.
        without: why there is no matrix, where there is none although the intensity mask holds several voxels.
    """

    group: str
    name: str
    code: str
    aggregations: tuple[str, ...] = ("",)
    needs: str = "intensity"
    on_responses: bool = True
    without: str = UNDEFINED
    features: list[Feature] = field(default_factory=list)
    source: Callable[[Region, str], Any] | None = None

    def feature(
        self, tag: str, name: str, code: str, unit: str = "1", needs: str | None = None, without: str = UNDEFINED
    ) -> Callable[[AFunction], AFunction]:
        """Decorator of the function of one feature; `needs` where it needs more than its family."""

        def add(function: AFunction) -> AFunction:
            self.features.append(
                Feature(f"{self.group}_{tag}", name, code, unit, function, needs or self.needs, without)
            )
            return function

        return add

    def computed_from(self, function: Callable[[Region, str], Any]) -> Callable[[Region, str], Any]:
        """Decorator of the function that gives features their argument, from a region and an aggregation."""
        self.source = function
        return function

    def compute(self, region: Region, aggregation: str, tags: Collection[str]) -> dict[str, float]:
        """Value by tag; NaN where a feature isn't defined, the mean where there are several matrices."""
        return self.explained(region, aggregation, tags)[0]

    def explained(
        self, region: Region, aggregation: str, tags: Collection[str]
    ) -> tuple[dict[str, float], dict[str, str]]:
        """Value by tag, as `compute`, and the reason for each NaN."""
        assert self.source is not None
        values: dict[str, float] = {}
        reasons: dict[str, str] = {}
        sizes = {needs: region.once(size_of, needs) for needs in ("intensity", "morphology")}
        if not sizes[self.needs]:
            return dict.fromkeys(tags, math.nan), dict.fromkeys(tags, EMPTY)
        source = self.source(region, aggregation)
        with np.errstate(all="ignore"):
            for feature in self.features:
                if feature.tag in tags:
                    found = feature.function(source) if sizes[feature.needs] else math.nan
                    value = average(found)
                    values[feature.tag] = value if math.isfinite(value) else math.nan
                    if not math.isfinite(value):
                        reasons[feature.tag] = self._why(feature, sizes[feature.needs], found)
        return values, reasons

    def _why(self, feature: Feature, n_voxels: int, found: Values) -> str:
        if n_voxels <= 1:
            return ONE_VOXEL if n_voxels else EMPTY
        return self.without if np.ndim(found) and not len(found) else feature.without


def size_of(prepared: Prepared, needs: str) -> int:
    """Number of voxels of the mask that a feature needs."""
    return int(np.count_nonzero(prepared.intensity if needs == "intensity" else prepared.morphology))


def average(values: Values) -> float:
    """Mean over the matrices that have a value; NaN where none has."""
    if not np.ndim(values):
        return float(values)
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if defined.size else math.nan


def column_name(tag: str, aggregation: str) -> str:
    """`cm_joint_max` and `2.5D_avg` are `cm_joint_max_2_5D_avg`."""
    return f"{tag}_{aggregation.replace('.', '_')}" if aggregation else tag

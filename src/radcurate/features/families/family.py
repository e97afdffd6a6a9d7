"""What an IBSI family is: its features, each one small function, and what they are all computed from."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

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
    """

    tag: str
    name: str
    code: str
    unit: str
    function: Function
    needs: str

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
    """

    group: str
    name: str
    code: str
    aggregations: tuple[str, ...] = ("",)
    needs: str = "intensity"
    on_responses: bool = True
    features: list[Feature] = field(default_factory=list)
    source: Callable[[Region, str], Any] | None = None

    def feature(
        self, tag: str, name: str, code: str, unit: str = "1", needs: str | None = None
    ) -> Callable[[AFunction], AFunction]:
        """Decorator of the function of one feature; `needs` where it needs more than its family."""

        def add(function: AFunction) -> AFunction:
            self.features.append(Feature(f"{self.group}_{tag}", name, code, unit, function, needs or self.needs))
            return function

        return add

    def computed_from(self, function: Callable[[Region, str], Any]) -> Callable[[Region, str], Any]:
        """Decorator of the function that gives features their argument, from a region and an aggregation."""
        self.source = function
        return function

    def compute(self, region: Region, aggregation: str, tags: Collection[str]) -> dict[str, float]:
        """Value by tag; NaN where a feature isn't defined, the mean where there are several matrices."""
        assert self.source is not None
        empty = not region.prepared.intensity.any()
        source = self.source(region, aggregation)
        with np.errstate(all="ignore"):
            return {
                feature.tag: np.nan if empty and feature.needs == "intensity" else average(feature.function(source))
                for feature in self.features
                if feature.tag in tags
            }

    def needs_of(self, tag: str) -> str:
        """What the feature `tag` needs."""
        return next((feature.needs for feature in self.features if feature.tag == tag), self.needs)


def average(values: Values) -> float:
    """Mean over the matrices that have a value; NaN where none has."""
    if not np.ndim(values):
        return float(values)
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if defined.size else math.nan


def column_name(tag: str, aggregation: str) -> str:
    """`cm_joint_max` and `2.5D_avg` are `cm_joint_max_2_5D_avg`."""
    return f"{tag}_{aggregation.replace('.', '_')}" if aggregation else tag

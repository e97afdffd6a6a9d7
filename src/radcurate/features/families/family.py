"""What an IBSI family is: its features, each one small function, and what they are all computed from."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from radcurate.features.region import Region

Values = Any  # a number, or an array of shape (matrix,) of which the mean counts
Function = Callable[[Any], Values]
AFunction = TypeVar("AFunction", bound=Function)

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
        code: its four characters, or `non-IBSI`.
        unit: `1`, `mm`, `mm2`, `mm3`, `intensity`, `intensity2`, `level`, `level2`, ….
        function: from what the family's `source` gives to a value, or to a value per matrix.
    """

    tag: str
    name: str
    code: str
    unit: str
    function: Function

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

    def feature(self, tag: str, name: str, code: str, unit: str = "1") -> Callable[[AFunction], AFunction]:
        """Decorator of the function of one feature."""

        def add(function: AFunction) -> AFunction:
            self.features.append(Feature(f"{self.group}_{tag}", name, code, unit, function))
            return function

        return add

    def computed_from(self, function: Callable[[Region, str], Any]) -> Callable[[Region, str], Any]:
        """Decorator of the function that gives features their argument, from a region and an aggregation."""
        self.source = function
        return function

    def compute(self, region: Region, aggregation: str, tags: Collection[str]) -> dict[str, float]:
        """Value by tag; NaN where a feature isn't defined, the mean where there are several matrices."""
        assert self.source is not None
        source = self.source(region, aggregation)
        with np.errstate(all="ignore"):
            return {feature.tag: average(feature.function(source)) for feature in self.features if feature.tag in tags}


def average(values: Values) -> float:
    """Mean over the matrices that have a value; NaN where none has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(np.nanmean(values)) if np.ndim(values) else float(values)


def column_name(tag: str, aggregation: str) -> str:
    """`cm_joint_max` and `2.5D_avg` are `cm_joint_max_2_5D_avg`."""
    return f"{tag}_{aggregation.replace('.', '_')}" if aggregation else tag

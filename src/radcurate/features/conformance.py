"""The reference values of IBSI-1, what the engines gave for them, and what may be said of a column therefore.

`ibsi1.csv` has a line per reference value, with what was measured on the image and mask of the CT phantom as NIfTI and
as DICOM with an RTSTRUCT (the digital phantom is NIfTI only). A test with the phantoms measures again and compares.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

COMPLIANT, DEVIATING, NOT_COMPARED = "compliant", "deviating", "not_compared"

SOURCES = ("nifti", "dicom")
ENGINES = ("radcurate", "pyradiomics")
TABLE = "ibsi1.csv"

_FIXED_25 = {"discretisation": "fixed_bin_size", "bin_size": 25}
_PLANES = {"dimension": "2D", "textures": ["2D", "2.5D"]}

# The six set-ups of IBSI-1 as extraction profiles (reference manual, chapter 5).
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "digital_phantom": {"discretisation": "fixed_bin_size", "bin_size": 1, "textures": ["2D", "2.5D", "3D"]},
    "config_a": {**_PLANES, **_FIXED_25, "rounding": 1, "range": [-500, 400]},
    "config_b": {**_PLANES, "voxel_size": 2, "rounding": 1, "range": [-500, 400], "bin_number": 32},
    "config_c": {
        **_FIXED_25,
        "voxel_size": 2,
        "rounding": 1,
        "range": [-1000, 400],
        "volume_histogram": "fixed_bin_size",
        "volume_histogram_bin_size": 2.5,
    },
    "config_d": {"voxel_size": 2, "rounding": 1, "outlier_sigma": 3, "bin_number": 32},
    "config_e": {
        "voxel_size": 2,
        "image_interpolation": "cubic_spline",
        "rounding": 1,
        "range": [-1000, 400],
        "outlier_sigma": 3,
        "bin_number": 32,
        "volume_histogram": "fixed_bin_number",
        "volume_histogram_bin_number": 1000,
    },
}


@dataclass(frozen=True)
class Result:
    """A reference value and what was measured.

    Attributes:
        dataset: key of `CONFIGURATIONS`.
        name: column.
        reference, tolerance: of the reference data set.
        measured: `<engine>_<source>` -> value; NaN where the engine should have given one and did not. What an engine
            doesn't compute and what there is no image for is not in it.
    """

    dataset: str
    name: str
    reference: float
    tolerance: float
    measured: Mapping[str, float]

    def is_right(self, run: str) -> bool:
        """Whether the value of `<engine>_<source>` is within tolerance."""
        return is_right(self.measured[run], self.reference, self.tolerance)


def is_right(value: float, reference: float, tolerance: float) -> bool:
    """IBSI's rule: rounded to three significant digits, no further away than the tolerance.

    The slack is for binary fractions only.
    """
    if not math.isfinite(value):
        return False
    return abs(float(f"{value:.2e}") - reference) <= tolerance + 1e-9 * abs(reference)


RUNS = tuple(f"{engine}_{source}" for engine in ENGINES for source in SOURCES)


@cache
def results() -> tuple[Result, ...]:
    """The committed table."""
    text = files("radcurate.features").joinpath(TABLE).read_text(encoding="utf-8")
    return tuple(
        Result(
            row["dataset"],
            row["tag"],
            float(row["value"]),
            float(row["tolerance"]),
            {run: float(row[run]) for run in RUNS if row[run]},
        )
        for row in csv.DictReader(text.splitlines())
    )


def verdict(engine: str, name: str) -> str:
    """`compliant`: right wherever it was compared; `deviating`: not everywhere; `not_compared`: nowhere compared."""
    return _verdicts(engine).get(name, NOT_COMPARED)


@cache
def _verdicts(engine: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for result in results():
        for run in result.measured:
            if run.rpartition("_")[0] == engine:
                right = result.is_right(run) and found.get(result.name, COMPLIANT) == COMPLIANT
                found[result.name] = COMPLIANT if right else DEVIATING
    return found

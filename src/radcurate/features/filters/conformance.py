"""The reference response maps and feature values of IBSI-2, and what the filters gave for them.

`ibsi2_maps.csv` has a line per response map on the digital phantoms, `ibsi2_features.csv` one per feature value on the CT
phantom, read as NIfTI and as DICOM with an RTSTRUCT. A test with the phantoms measures again and compares.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from radcurate.features.conformance import is_right

MAP_TABLE, FEATURE_TABLE = "ibsi2_maps.csv", "ibsi2_features.csv"
SOURCES = ("nifti", "dicom")

# A response map is right when no voxel is further from the reference than this share of the reference's range.
WITHIN = 0.01

_PLANES = {"dimension": "2D"}
_ENERGY = {"rotation_invariant": True, "pooling": "max", "energy": 7}
_POOLED = {"rotation_invariant": True, "pooling": "max", "energy": None}
_PLAIN = {"rotation_invariant": False, "energy": None}
_E5L5S5 = {"kind": "laws", "kernels": "E5L5S5", "boundary": "zero"}
_E3W5R5 = {"kind": "laws", "kernels": "E3W5R5", "boundary": "mirror"}
_L5S5 = {"kind": "laws", "kernels": "L5S5", "boundary": "mirror", **_PLANES}
_NARROW = {"kind": "gabor", "sigma": 10, "wavelength": 4, "aspect": 0.5, "boundary": "zero"}
_WIDE = {"kind": "gabor", "sigma": 20, "wavelength": 8, "aspect": 2.5, "boundary": "mirror"}
_DB2 = {"kind": "wavelet", "family": "db2", "subbands": ["LHL"], "boundary": "zero"}
_COIF1 = {"kind": "wavelet", "family": "coif1", "subbands": ["HHL"], "boundary": "periodic"}
_HAAR = {"kind": "wavelet", "family": "haar", "level": 2, "rotation_invariant": True, "boundary": "mirror"}
_LOG3 = {"kind": "log", "sigma": 3, "boundary": "zero"}
_LOG5 = {"kind": "log", "sigma": 5, "boundary": "mirror"}
_BAND = {"kind": "simoncelli", "level": 1}

# The tests with response maps (reference manual of IBSI-2, arXiv:2006.05470, chapter 5): phantom and filter. The manual's
# tests of filters aligned with the structure tensor have no reference map.
MAPS: dict[str, tuple[str, dict[str, Any]]] = {
    "1.a.1": ("checkerboard", {"kind": "mean", "size": 15, "boundary": "zero"}),
    "1.a.2": ("checkerboard", {"kind": "mean", "size": 15, "boundary": "nearest"}),
    "1.a.3": ("checkerboard", {"kind": "mean", "size": 15, "boundary": "periodic"}),
    "1.a.4": ("checkerboard", {"kind": "mean", "size": 15, "boundary": "mirror"}),
    "1.b.1": ("impulse", {"kind": "mean", "size": 15, "boundary": "zero", **_PLANES}),
    "2.a": ("impulse", _LOG3),
    "2.b": ("checkerboard", _LOG5),
    "2.c": ("checkerboard", _LOG5 | _PLANES),
    "3.a.1": ("impulse", _E5L5S5 | _PLAIN),
    "3.a.2": ("impulse", _E5L5S5 | _POOLED),
    "3.a.3": ("impulse", _E5L5S5 | _ENERGY),
    "3.b.1": ("checkerboard", _E3W5R5 | _PLAIN),
    "3.b.2": ("checkerboard", _E3W5R5 | _POOLED),
    "3.b.3": ("checkerboard", _E3W5R5 | _ENERGY),
    "3.c.1": ("checkerboard", _L5S5 | _PLAIN),
    "3.c.2": ("checkerboard", _L5S5 | _POOLED),
    "3.c.3": ("checkerboard", _L5S5 | _ENERGY),
    "4.a.1": ("impulse", _NARROW | {"angle": 60}),
    "4.a.2": ("impulse", _NARROW | {"angle_step": 45, "orthogonal_planes": True}),
    "4.b.1": ("sphere", _WIDE | {"angle": 225}),
    "4.b.2": ("sphere", _WIDE | {"angle_step": 22.5, "orthogonal_planes": True}),
    "5.a.1": ("impulse", _DB2),
    "5.a.2": ("impulse", _DB2 | {"rotation_invariant": True}),
    "6.a.1": ("sphere", _COIF1),
    "6.a.2": ("sphere", _COIF1 | {"rotation_invariant": True}),
    "7.a.1": ("checkerboard", _HAAR | {"subbands": ["LLL"]}),
    "7.a.2": ("checkerboard", _HAAR | {"subbands": ["HHH"]}),
    "8.a.1": ("checkerboard", _BAND),
    "8.a.2": ("checkerboard", _BAND | {"level": 2}),
    "8.a.3": ("checkerboard", _BAND | {"level": 3}),
    "9.a": ("impulse", {"kind": "riesz", "order": [1, 0, 0], "of": _LOG3}),
    "9.b.1": ("sphere", {"kind": "riesz", "order": [0, 2, 0], "of": _LOG3}),
    "10.b.1": ("pattern_1", {"kind": "riesz", "order": [0, 2, 0], "of": _BAND}),
}

_GABOR = {"kind": "gabor", "sigma": 5, "wavelength": 2, "aspect": 1.5, "angle_step": 22.5}
_DB3 = {"kind": "wavelet", "family": "db3", "rotation_invariant": True}

# The tests with features: A within the planes as they are, B on cubes of 1 mm. 1 has no filter.
PROFILES: dict[str, dict[str, Any]] = {
    "A": {"dimension": "2D", "textures": ["2D"], "range": [-1000, 400], "bin_number": 32},
    "B": {
        "voxel_size": 1,
        "image_interpolation": "cubic_spline",
        "rounding": 1,
        "range": [-1000, 400],
        "bin_number": 32,
    },
}
FILTERS: dict[str, dict[str, Any] | None] = {
    "1.A": None,
    "1.B": None,
    "2.A": {"kind": "mean", "size": 5, **_PLANES},
    "2.B": {"kind": "mean", "size": 5},
    "3.A": {"kind": "log", "sigma": 1.5, **_PLANES},
    "3.B": {"kind": "log", "sigma": 1.5},
    "4.A": {"kind": "laws", "kernels": "L5E5", **_ENERGY, **_PLANES},
    "4.B": {"kind": "laws", "kernels": "L5E5E5", **_ENERGY},
    "5.A": _GABOR | _PLANES,
    "5.B": _GABOR | {"orthogonal_planes": True},
    "6.A": _DB3 | {"subbands": ["LH"], **_PLANES},
    "6.B": _DB3 | {"subbands": ["LLH"]},
    "7.A": _DB3 | {"subbands": ["HH"], "level": 2, **_PLANES},
    "7.B": _DB3 | {"subbands": ["HHH"], "level": 2},
    "8.A": _BAND | _PLANES,
    "8.B": _BAND,
    "9.A": _BAND | {"level": 2, **_PLANES},
    "9.B": _BAND | {"level": 2},
}


@dataclass(frozen=True)
class Response:
    """A reference response map and how far from it a filter's was: the furthest voxel, as a share of its range."""

    test: str
    deviation: float

    @property
    def right(self) -> bool:
        """Whether it is within IBSI's tolerance."""
        return self.deviation <= WITHIN


@dataclass(frozen=True)
class Value:
    """A reference feature value and what was measured, by source."""

    test: str
    tag: str
    reference: float
    tolerance: float
    measured: Mapping[str, float]

    @property
    def right(self) -> bool:
        """Whether it is within IBSI's tolerance from every source."""
        return all(is_right(value, self.reference, self.tolerance) for value in self.measured.values())


@cache
def responses() -> tuple[Response, ...]:
    """The committed table of response maps."""
    return tuple(Response(row["test"], float(row["deviation"])) for row in _rows(MAP_TABLE))


@cache
def values() -> tuple[Value, ...]:
    """The committed table of feature values."""
    return tuple(
        Value(
            row["test"],
            row["tag"],
            float(row["value"]),
            float(row["tolerance"]),
            {source: float(row[source]) for source in SOURCES},
        )
        for row in _rows(FEATURE_TABLE)
    )


def _rows(name: str) -> list[dict[str, str]]:
    text = files("radcurate.features.filters").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def compared() -> frozenset[tuple[str, str]]:
    """Kind of filter and feature: those whose reference values are all met, as is the kind's every response map."""
    met = dict.fromkeys(("mean", "log", "laws", "gabor", "wavelet", "simoncelli", "riesz"), True)
    for response in responses():
        met[MAPS[response.test][1]["kind"]] &= response.right
    pairs: dict[tuple[str, str], bool] = {}
    for value in values():
        chosen = FILTERS[value.test]
        if chosen is not None:
            pair = chosen["kind"], value.tag
            pairs[pair] = pairs.get(pair, met[pair[0]]) and value.right
    return frozenset(pair for pair, right in pairs.items() if right)

"""Filters and images for the filter tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import TypeAdapter

from radcurate.features.filters import respond
from radcurate.features.filters.choices import Filter

CUBES = (1.0, 1.0, 1.0)
LOCAL: list[dict[str, Any]] = [
    {"kind": "mean", "size": 3},
    {"kind": "mean", "size": 5, "dimension": "2D"},
    {"kind": "log", "sigma": 1},
    {"kind": "log", "sigma": 0.7, "dimension": "2D"},
    {"kind": "laws", "kernels": "E5L5S3", "energy": 2},
    {"kind": "laws", "kernels": "L5S5", "energy": None, "dimension": "2D"},
    {"kind": "laws", "kernels": "W5E3R5", "energy": None, "rotation_invariant": False},
    {"kind": "laws", "kernels": "L3S3L5", "energy": 1, "pooling": "average"},
    {"kind": "wavelet", "family": "db2"},
    {"kind": "wavelet", "family": "haar", "level": 2, "subbands": ["LLH", "HHH"]},
    {"kind": "wavelet", "family": "coif1", "rotation_invariant": True, "subbands": ["LHL"]},
    {"kind": "wavelet", "family": "bior1.3", "rotation_invariant": True, "pooling": "max", "dimension": "2D"},
]
GABOR: list[dict[str, Any]] = [
    {"kind": "gabor", "sigma": 1, "wavelength": 3, "angle": 30, "cutoff": 3},
    {
        "kind": "gabor",
        "sigma": 1,
        "wavelength": 2,
        "aspect": 0.7,
        "angle_step": 45,
        "orthogonal_planes": True,
        "cutoff": 3,
    },
    {"kind": "gabor", "sigma": 1, "wavelength": 2, "angle_step": 90, "dimension": "2D", "cutoff": 3},
]
ENDLESS: list[dict[str, Any]] = [
    {"kind": "simoncelli", "level": 1},
    {"kind": "simoncelli", "level": 2, "dimension": "2D"},
    {"kind": "riesz", "order": [1, 0, 1], "of": {"kind": "log", "sigma": 1}},
    {
        "kind": "riesz",
        "order": [0, 1, 0],
        "dimension": "2D",
        "of": {"kind": "simoncelli", "level": 1, "dimension": "2D"},
    },
]
EVERY = [*LOCAL, *GABOR, *ENDLESS]


def chosen(choice: dict[str, Any]) -> Filter:
    """Settings as a filter."""
    return TypeAdapter(Filter).validate_python(choice)


def filtered(choice: dict[str, Any], values: np.ndarray, spacing=CUBES) -> dict[str, np.ndarray]:
    """Every response by its name."""
    return dict(respond(chosen(choice), values, spacing))


def response(choice: dict[str, Any], values: np.ndarray, spacing=CUBES) -> np.ndarray:
    """The response of a filter that has one."""
    ((_, found),) = respond(chosen(choice), values, spacing)
    return found


def texture(shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """Noise of some hundred units, like tissue in HU."""
    return np.random.default_rng(seed).normal(50, 200, shape)

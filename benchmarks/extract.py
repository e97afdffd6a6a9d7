"""Feature extraction against pyradiomics and flash-radiomics: CPU time on one thread, and peak memory, region by region.

Regions of real CT (with RADCURATE_TEST_DATA: IBSI's lung phantom at 2 mm, two sarcomas at 1 mm and 0.75 mm, an ellipsoid of two
million voxels) or, without, ellipsoids of the same sizes in correlated noise. pyradiomics computes its 107 features, ours are
all of IBSI-1 in 3D. flash-radiomics is in the dependency group `peers` and left out, saying so, where it is not installed.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from scipy.ndimage import gaussian_filter

from benchmarks import engines
from benchmarks.engines import Spent
from benchmarks.figure import Figure
from radcurate.features.resample import Flags, Floats, around, cut, interpolate, interpolate_mask, lattice
from radcurate.volumes.image import Volume, read_volume
from radcurate.volumes.masks import read_rois

MOST_MEMORY = 700  # MB


@dataclass(frozen=True)
class Goal:
    """A region: its name, how often a way is measured, and how many times as fast as pyradiomics each way is to be."""

    region: str
    repeats: int
    all_features: float | None
    without: float | None = None
    filtered: float | None = None


GOALS = (
    Goal("46k voxels", 9, 4),
    Goal("183k voxels", 5, None, filtered=8),
    Goal("866k voxels", 3, 8, filtered=8),
    Goal("2.09M voxels", 3, 10, without=20),
)


def figures() -> list[Figure]:
    """How many times as fast as pyradiomics, and the memory of the largest region."""
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_regions(folder)
        for goal in GOALS:
            found += _compare(goal, folder / f"{goal.region}.npz")
    return found


def _compare(goal: Goal, region: Path) -> Iterator[Figure]:
    spent: dict[str, Spent] = {}
    for way in engines.WAYS:
        if goal.filtered is None and "12 images" in way:
            continue
        if not engines.installed(way):
            print(f"extract: {way} is not installed: uv sync --inexact --group peers", file=sys.stderr)
            continue
        slow = way.startswith("pyradiomics") and goal.repeats < 5
        spent[way] = engines.spent(way, region, 1 if slow else goal.repeats)
        one = spent[way]
        print(
            f"extract, {goal.region}, {way}: {one.seconds:.3f} CPU-s, {one.values} values, {one.memory:.0f} MB",
            file=sys.stderr,
        )
    pairs = (
        ("all of IBSI-1", "radcurate", "pyradiomics", goal.all_features),
        ("without Moran and Geary", "radcurate without Moran and Geary", "pyradiomics", goal.without),
        ("12 images", "radcurate, 12 images", "pyradiomics, 12 images", goal.filtered),
    )
    for name, ours, peer, least in pairs:
        if least is not None:
            times = spent[peer].seconds / spent[ours].seconds
            yield Figure(f"extract, {goal.region}, {name}, speed over pyradiomics'", times, least, "×", at_most=False)
    if goal.without is not None:
        yield Figure(f"extract, {goal.region}, largest RSS", spent["radcurate"].memory, MOST_MEMORY, "MB")


def write_regions(folder: Path) -> None:
    """The regions of `GOALS` as `.npz`."""
    data = os.environ.get("RADCURATE_TEST_DATA")
    if not data:
        print("extract: RADCURATE_TEST_DATA is not set, so regions are ellipsoids in noise", file=sys.stderr)
    regions = _real(Path(data) / "ibsi") if data else _made()
    for goal, (values, mask, step) in zip(GOALS, regions, strict=True):
        np.savez(folder / f"{goal.region}.npz", values=values, mask=mask, spacing=np.full(3, step))
        print(f"extract, {goal.region}: {int(mask.sum())} voxels of {step} mm", file=sys.stderr)


def _real(data: Path) -> Iterator[tuple[Floats, Flags, float]]:
    phantom = data / "ibsi_1_ct_radiomics_phantom" / "dicom"
    yield _resampled(*read_regions(phantom), 2.0)
    yield _resampled(*read_regions(data / "ibsi_validation" / "dicom" / "STS_010" / "CT"), 1.0)
    large, mask = read_regions(data / "ibsi_validation" / "dicom" / "STS_001" / "CT")
    yield _resampled(large, mask, 0.75)
    whole = np.ones(mask.shape, dtype=bool)
    values, _, step = _resampled(large, whole, 1.0)
    yield values, _ellipsoid(values.shape, 2.09e6), step


def read_regions(folder: Path) -> tuple[Volume, Flags]:
    """The CT below `folder`, and the first region of its RTSTRUCT."""
    paths = sorted(folder.rglob("*.dcm"))
    contours = [path for path in paths if pydicom.dcmread(path, stop_before_pixels=True).Modality == "RTSTRUCT"]
    volume = read_volume([path for path in paths if path not in contours])
    return volume, read_rois(contours[0], "rtstruct", volume.grid)[0].mask


def _resampled(volume: Volume, mask: Flags, step: float) -> tuple[Floats, Flags, float]:
    grid = lattice(mask.shape, volume.grid.spacing, (step, step, step))
    grid = cut(grid, around(grid, mask))
    return np.rint(interpolate(volume.values, grid, "linear")), interpolate_mask(mask, grid, "linear", 0.5), step


def _made() -> Iterator[tuple[Floats, Flags, float]]:
    for count, step in ((46e3, 2.0), (183e3, 1.0), (866e3, 0.75), (2.09e6, 1.0)):
        side = int(np.ceil(np.cbrt(count * 6 / np.pi))) + 8
        noise = gaussian_filter(np.random.default_rng(1).normal(0, 1, (side, side, side)), 1.5)
        yield np.rint(noise / noise.std() * 60), _ellipsoid(noise.shape, count), step


def _ellipsoid(shape: tuple[int, ...], count: float) -> Flags:
    """About `count` voxels in the middle of the longest half axis that fits along the planes, round across them."""
    long = shape[0] * 0.48
    across = np.sqrt(count * 3 / (4 * np.pi) / long)
    axes: Any = np.ogrid[tuple(slice(n) for n in shape)]
    radii = (long, across, across)
    squares = [((axis - (n - 1) / 2) / radius) ** 2 for axis, n, radius in zip(axes, shape, radii, strict=True)]
    return np.asarray(squares[0] + squares[1] + squares[2] <= 1)

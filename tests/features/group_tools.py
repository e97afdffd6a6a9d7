"""What the tests of runs and zones share: their golden region, features by definition, regions for laws."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
from family_tools import prepared_region
from feature_tools import ball, noise
from texture_tools import all_of

from radcurate.features.catalogue import catalogue
from radcurate.features.families.family import Family
from radcurate.features.prepare import prepare
from radcurate.features.profile import Profile
from radcurate.features.pyradiomics import compute as compute_by_pyradiomics
from radcurate.features.region import Region
from radcurate.volumes.image import read_volume
from radcurate.volumes.masks import read_rois

GOLDEN = Path(__file__).parent / "families" / "golden_groups.csv"


def golden_region() -> Region:
    """A ball of levels from 2 to 6 without 4; voxels of intensity 1 leave the intensity mask, not the morphological one."""
    values = noise((9, 9, 9), seed=20)
    values[values == 4] = 5
    return prepared_region(values, ball(), range=[2, 9])


def golden_values(family: Family) -> dict[str, float]:
    """Of one family, by column name."""
    with GOLDEN.open() as stream:
        rows = list(csv.DictReader(line for line in stream if line[0] != "#"))
    return {row["name"]: float(row["value"]) for row in rows if row["name"].startswith(f"{family.group}_")}


def deviations(family: Family) -> list[str]:
    """Columns that aren't golden, to nine digits; the columns themselves must be the same."""
    golden, found = golden_values(family), all_of(family, golden_region())
    assert set(found) == set(golden)
    return [name for name, value in golden.items() if not abs(found[name] - value) <= 1e-9 * abs(value)]


def by_definition(groups: Iterable[tuple[int, int]], n_voxels: int) -> list[float]:
    """The 16 features of groups of (level, extent), in IBSI's order, from the whole matrix."""
    groups = list(groups)
    matrix = np.zeros((max(level for level, _ in groups), max(extent for _, extent in groups)))
    for level, extent in groups:
        matrix[level - 1, extent - 1] += 1
    i, j = np.arange(1, matrix.shape[0] + 1)[:, None], np.arange(1, matrix.shape[1] + 1)
    n = matrix.sum()
    p = matrix / n
    filled = p[p > 0]
    weights = [1 / j**2, j**2, 1 / i**2, i**2, 1 / (i * j) ** 2, (i / j) ** 2, (j / i) ** 2, (i * j) ** 2]
    by_level, by_extent = (matrix.sum(axis=1) ** 2).sum(), (matrix.sum(axis=0) ** 2).sum()
    return [
        *(float((p * weight).sum()) for weight in weights),
        by_level / n,
        by_level / n**2,
        by_extent / n,
        by_extent / n**2,
        n / n_voxels,
        float((p * (i - (p * i).sum()) ** 2).sum()),
        float((p * (j - (p * j).sum()) ** 2).sum()),
        float(-(filled * np.log2(filled)).sum()),
    ]


def close(found: Iterable[float], expected: Iterable[float]) -> bool:
    """To ten digits."""
    return bool(np.allclose(list(found), list(expected), rtol=1e-10, atol=1e-12))


@cache
def sarcoma(real_data: Path) -> Region:
    """A real tumour in a real CT in 32 grey levels."""
    folder = real_data / "ibsi" / "ibsi_validation" / "dicom" / "STS_001" / "CT"
    volume = read_volume(sorted((folder / "image").glob("*.dcm")))
    (roi,) = read_rois(next((folder / "mask").iterdir()), "rtstruct", volume.grid)
    return Region(prepare(volume.values, roi.mask, volume.grid.spacing, Profile(bin_number=32)))


def compared_to_pyradiomics(family: Family, region: Region) -> dict[str, float]:
    """Relative difference from pyradiomics' class on the same levels, of each column that it has."""
    columns = [column for column in catalogue() if column.group == family.group]
    theirs = compute_by_pyradiomics(region.prepared, columns).values
    mine = all_of(family, region)
    return {name: abs(mine[name] / value - 1) for name, value in theirs.items() if math.isfinite(value)}

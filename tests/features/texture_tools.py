"""What the tests of texture families share: regions of levels, all features of a family, reference values."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from family_tools import prepared_region
from ibsi_phantoms import configuration, ct_from_dicom, digital_from_nifti
from numpy.typing import ArrayLike

from radcurate.features.conformance import is_right
from radcurate.features.families.family import Family, column_name
from radcurate.features.prepare import prepare
from radcurate.features.region import Region


def levels_region(levels: ArrayLike, mask: ArrayLike | None = None) -> Region:
    """A region of these grey levels, shape (plane, row, column); without a mask: where they aren't 0."""
    values = np.asarray(levels, dtype=np.float64)
    inside = values > 0 if mask is None else np.asarray(mask, dtype=bool)
    return prepared_region(values, inside, range=[1, None])


def all_of(family: Family, region: Region, *aggregations: str) -> dict[str, float]:
    """Every feature of a family by column name, for some aggregations or all."""
    tags = {feature.tag for feature in family.features}
    return {
        column_name(tag, aggregation): value
        for aggregation in aggregations or family.aggregations
        for tag, value in family.compute(region, aggregation, tags).items()
    }


def compare(family: Family, real_data: Path, name: str) -> tuple[int, list[str]]:
    """How many reference values a family meets in one configuration of IBSI-1, and the columns where it doesn't."""
    path = real_data.parent / "ibsi" / "ibsi1_reference.csv"
    if not path.is_file():
        pytest.skip("ibsi/ibsi1_reference.csv is not beside the folder with real data")
    with path.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["dataset"] == name]
    rows = [row for row in rows if row["tag"].startswith(f"{family.group}_")]
    phantom = phantom_region(real_data, name)
    found = all_of(family, phantom, *(a for a in family.aggregations if a.partition("_")[0] in _dimensions(phantom)))
    named = {column_name(f.tag, a): (f.name, f.code, family.name) for f in family.features for a in family.aggregations}
    assert set(found) == {row["tag"] for row in rows}
    assert all(named[row["tag"]] == (row["feature"], row["code"], row["family"]) for row in rows)
    wrong = [
        row["tag"] for row in rows if not is_right(found[row["tag"]], float(row["value"]), float(row["tolerance"]))
    ]
    return len(rows) - len(wrong), wrong


@cache
def phantom_region(real_data: Path, name: str) -> Region:
    """The phantom of a configuration of IBSI-1, prepared."""
    volume = digital_from_nifti(real_data) if name == "digital_phantom" else ct_from_dicom(real_data)
    return Region(prepare(*volume, configuration(name)))


def _dimensions(region: Region) -> tuple[str, ...]:
    return region.prepared.profile.textures

"""The engine against the reference values of IBSI-1: digital phantom and configurations A to E of the CT phantom.

A value is right when it differs, rounded to three significant digits, by no more than the reference's tolerance.
Run with -s to see the table.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from pathlib import Path

import pytest

from radcurate.features.catalogue import NOT_IBSI, catalogue, columns_for
from radcurate.features.prepare import prepare
from radcurate.features.profile import Profile
from radcurate.features.pyradiomics import compute
from radcurate.volumes.image import read_volume
from radcurate.volumes.masks import read_rois

# Typed wrongly in the reference table; the codes of the IBSI reference manual, 3.4.7 and 3.4.8.
MENDED = {"ih_p10": "GPMT", "ih_p90": "OZ0C"}
FIXED_25 = {"discretisation": "fixed_bin_size", "bin_size": 25}
PLANES = {"dimension": "2D", "textures": ["2D", "2.5D"]}
PROFILES = {
    "digital_phantom": {"discretisation": "fixed_bin_size", "bin_size": 1, "textures": ["2D", "2.5D", "3D"]},
    "config_a": {**PLANES, **FIXED_25, "rounding": 1, "range": [-500, 400]},
    "config_b": {**PLANES, "voxel_size": 2, "rounding": 1, "range": [-500, 400], "bin_number": 32},
    "config_c": {**FIXED_25, "voxel_size": 2, "rounding": 1, "range": [-1000, 400]},
    "config_d": {"voxel_size": 2, "rounding": 1, "outlier_sigma": 3, "bin_number": 32},
    "config_e": {
        "voxel_size": 2,
        "image_interpolation": "cubic_spline",
        "rounding": 1,
        "range": [-1000, 400],
        "outlier_sigma": 3,
        "bin_number": 32,
    },
}
COMPUTED = {"digital_phantom": 395, "config_a": 278, "config_b": 278, "config_c": 161, "config_d": 161, "config_e": 161}


@pytest.fixture(scope="session")
def reference(real_data: Path) -> list[dict[str, str]]:
    path = real_data.parent / "ibsi" / "ibsi1_reference.csv"
    if not path.is_file():
        pytest.skip("ibsi/ibsi1_reference.csv is not beside the folder with real data")
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="session")
def measured(real_data: Path, reference: list[dict[str, str]]) -> dict[str, dict[str, float]]:
    """Values of every configuration by tag."""
    sources = {"ct": _ct_phantom(real_data), "digital": _digital_phantom(real_data)}
    found = {}
    for name, choices in PROFILES.items():
        profile = Profile.model_validate(choices)
        values, mask, spacing = sources["digital" if name == "digital_phantom" else "ct"]
        found[name] = compute(prepare(values, mask, spacing, profile), columns_for(profile.textures)).values
    return found


def _ct_phantom(real_data: Path):
    folder = real_data / "ibsi" / "ibsi_1_ct_radiomics_phantom" / "dicom"
    volume = read_volume(sorted((folder / "image").glob("*.dcm")))
    roi = read_rois(folder / "mask" / "DCM_RS_00060.dcm", "rtstruct", volume.grid)[0]
    return volume.values, roi.mask, volume.grid.spacing


def _digital_phantom(real_data: Path):
    import nibabel
    import numpy as np

    folder = real_data / "ibsi" / "ibsi_1_digital_phantom" / "nifti"
    image, mask = (nibabel.load(folder / part) for part in ("image/phantom.nii.gz", "mask/mask.nii.gz"))
    values, inside = (np.asanyarray(part.dataobj).transpose(2, 1, 0) for part in (image, mask))
    column, row, plane = (float(step) for step in image.header.get_zooms()[:3])
    return values, inside > 0, (plane, row, column)


def is_right(value: float, row: dict[str, str]) -> bool:
    """The pass rule; the slack is for binary fractions only."""
    if not math.isfinite(value):
        return False
    rounded = float(f"{value:.2e}")
    return abs(rounded - float(row["value"])) <= float(row["tolerance"]) + 1e-9 * abs(float(row["value"]))


def test_the_rule_itself():
    row = {"value": "9.31", "tolerance": "0.06"}
    assert is_right(9.3649, row) and is_right(9.25, row)
    assert not is_right(9.38, row) and not is_right(9.2449, row) and not is_right(math.nan, row)
    assert is_right(0.05674, {"value": "0.0567", "tolerance": "0.0"})


def test_conformance(reference, measured):
    """1,434 of 1,434 that the engine computes, of 1,804 reference values."""
    total = 0
    print(f"\n{'configuration':16} {'reference':>9} {'computed':>9} {'right':>6}  wrong")
    for name, values in measured.items():
        rows = [row for row in reference if row["dataset"] == name]
        mine = [row for row in rows if row["tag"] in values]
        wrong = [row["tag"] for row in mine if not is_right(values[row["tag"]], row)]
        print(f"{name:16} {len(rows):9} {len(mine):9} {len(mine) - len(wrong):6}  {', '.join(wrong) or '-'}")
        total += len(mine) - len(wrong)
        assert len(mine) == COMPUTED[name]
        assert name not in ("config_c", "config_d", "config_e") or not wrong
    print(f"{'in total':16} {len(reference):9} {sum(COMPUTED.values()):9} {total:6}")
    assert total == 1434


def test_only_what_is_right_everywhere_is_called_compliant(reference, measured):
    right = defaultdict(list)
    for row in reference:
        if row["tag"] in measured[row["dataset"]]:
            right[row["tag"]].append(is_right(measured[row["dataset"]][row["tag"]], row))
    for column in catalogue():
        if column.code == NOT_IBSI:
            assert column.conformance == NOT_IBSI and column.name not in right
        else:
            assert right[column.name], f"{column.name} was never compared"
            assert (column.conformance == "compliant") == all(right[column.name]), column.name


def test_catalogue_names_what_the_reference_names(reference):
    known = {row["tag"]: row for row in reference}
    for column in catalogue():
        if column.code != NOT_IBSI:
            row = known[column.name]
            assert column.code == MENDED.get(column.name, row["code"])
            assert (column.family, column.feature, column.aggregation) == (
                row["family"],
                row["feature"],
                row["aggregation"],
            )

"""IBSI-1's 286 diagnostics of the CT phantom, read from DICOM and from NIfTI.

The reference values are IBSI's own (consensus of its participants); a value is right when it differs, rounded to three
significant digits (or as many as the reference has), by no more than the tolerance.
"""

from __future__ import annotations

import csv

import numpy as np
import pytest
from feature_tools import ISO, ball, native, noise
from ibsi_phantoms import configuration, ct_from_dicom, ct_from_nifti

from radcurate.features.diagnostics import diagnostics


@pytest.fixture(scope="module")
def reference(real_data):
    path = real_data.parent / "ibsi" / "ibsi1_reference_diagnostics.csv"
    if not path.is_file():
        pytest.skip("ibsi/ibsi1_reference_diagnostics.csv is not beside the folder with real data")
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def is_right(value, row):
    """Three significant digits, or as many as the reference has (125256 voxels, 3065 HU)."""
    expected, tolerance = float(row["value"]), float(row["tolerance"])
    digits = max(len(row["value"].removesuffix(".0").strip("-").replace(".", "").lstrip("0")), 3)
    return abs(float(f"{value:.{digits - 1}e}") - expected) <= tolerance + 1e-9 * abs(expected)


def test_the_rule_itself():
    assert is_right(125256, {"value": "125256.0", "tolerance": "0.0"})
    assert not is_right(125257, {"value": "125256.0", "tolerance": "0.0"})
    assert is_right(-46.9449, {"value": "-46.9", "tolerance": "0.0"}) and is_right(
        100, {"value": "100", "tolerance": "0"}
    )
    assert not is_right(-46.951, {"value": "-46.9", "tolerance": "0.0"})
    assert not is_right(np.nan, {"value": "-46.9", "tolerance": "1"})


def wrong(reference, volume, **changes):
    """Which diagnostics of which configuration aren't right, and how many were compared."""
    compared, found = 0, []
    for name in sorted({row["dataset"] for row in reference}):
        values = diagnostics(*volume, configuration(name, **changes))
        rows = [row for row in reference if row["dataset"] == name]
        compared += len(rows)
        found += [(name, row["tag"]) for row in rows if not is_right(values[row["tag"]], row)]
    return found, compared


@pytest.mark.parametrize("read", [ct_from_dicom, ct_from_nifti], ids=["dicom", "nifti"])
def test_all_286(real_data, reference, read):
    assert wrong(reference, read(real_data)) == ([], 286)


@pytest.mark.parametrize(
    ("changes", "noticed"),
    [
        ({"image_interpolation": "cubic_convolution"}, ("config_e", "max_int_interp_img")),
        ({"image_interpolation": "linear"}, ("config_e", "min_int_interp_img")),
        ({"anti_aliasing": "gaussian"}, ("config_b", "max_int_interp_img")),
        ({"mask_threshold": 0.6}, ("config_c", "int_mask_vox_count_interp_roi")),
        ({"range": None}, ("config_a", "int_mask_vox_count_reseg_roi")),
        ({"outlier_sigma": None}, ("config_d", "int_mask_min_int_reseg_roi")),
        ({"dimension": "2D"}, ("config_c", "img_dim_z_interp_img")),
    ],
)
def test_another_preprocessing_is_found_out(real_data, reference, changes, noticed):
    assert noticed in wrong(reference, ct_from_dicom(real_data), **changes)[0]


def test_a_mask_shifted_by_a_voxel_is_found_out(real_data, reference):
    values, mask, spacing = ct_from_dicom(real_data)
    found, _ = wrong(reference, (values, np.roll(mask, 1, axis=2), spacing))
    assert ("config_a", "int_mask_mean_int_init_roi") in found


def test_an_empty_intensity_mask_has_counts_but_no_values():
    found = diagnostics(noise((9, 9, 9)), ball(), ISO, native(range=[100, 200]))
    assert found["int_mask_vox_count_reseg_roi"] == 0 and found["int_mask_bb_dim_x_reseg_roi"] == 0
    assert found["morph_mask_vox_count_reseg_roi"] == ball().sum()
    assert np.isnan(found["int_mask_mean_int_reseg_roi"]) and np.isnan(found["int_mask_max_int_reseg_roi"])

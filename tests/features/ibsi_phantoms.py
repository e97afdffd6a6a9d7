"""IBSI's phantoms, read from DICOM and from NIfTI, and the configurations of IBSI-1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from radcurate.features.profile import Profile
from radcurate.volumes.image import read_volume
from radcurate.volumes.masks import read_rois

Volume = tuple[NDArray[Any], NDArray[np.bool_], tuple[float, float, float]]  # values, mask, spacing

_FIXED_25 = {"discretisation": "fixed_bin_size", "bin_size": 25}
_PLANES = {"dimension": "2D", "textures": ["2D", "2.5D"]}
_VOLUME = {"voxel_size": 2, "rounding": 1, "textures": ["3D"]}
_FINE_2_5 = {"volume_histogram": "fixed_bin_size", "volume_histogram_bin_size": 2.5}
_FINE_1000 = {"volume_histogram": "fixed_bin_number", "volume_histogram_bin_number": 1000}
CHOICES: dict[str, dict[str, Any]] = {
    "digital_phantom": {"discretisation": "fixed_bin_size", "bin_size": 1, "textures": ["2D", "2.5D", "3D"]},
    "config_a": {**_PLANES, **_FIXED_25, "rounding": 1, "range": [-500, 400]},
    "config_b": {**_PLANES, "voxel_size": 2, "rounding": 1, "range": [-500, 400], "bin_number": 32},
    "config_c": {**_VOLUME, **_FIXED_25, **_FINE_2_5, "range": [-1000, 400]},
    "config_d": {**_VOLUME, "outlier_sigma": 3, "bin_number": 32},
    "config_e": {
        **_VOLUME,
        **_FINE_1000,
        "image_interpolation": "cubic_spline",
        "range": [-1000, 400],
        "outlier_sigma": 3,
        "bin_number": 32,
    },
}


def configuration(name: str, **changes: Any) -> Profile:
    """One of `CHOICES`, with changes."""
    return Profile.model_validate({**CHOICES[name], **changes})


def ct_from_dicom(real_data: Path) -> Volume:
    """The CT phantom: image series and RTSTRUCT."""
    folder = real_data / "ibsi" / "ibsi_1_ct_radiomics_phantom" / "dicom"
    volume = read_volume(sorted((folder / "image").glob("*.dcm")))
    roi = read_rois(folder / "mask" / "DCM_RS_00060.dcm", "rtstruct", volume.grid)[0]
    return volume.values, roi.mask, volume.grid.spacing


def ct_from_nifti(real_data: Path) -> Volume:
    """The CT phantom. That of IBSI-2 is that of IBSI-1; only with IBSI-2 its image comes as NIfTI."""
    return _from_nifti(real_data / "ibsi" / "ibsi_2_ct_radiomics_phantom" / "nifti")


def digital_from_nifti(real_data: Path) -> Volume:
    """The digital phantom."""
    return _from_nifti(real_data / "ibsi" / "ibsi_1_digital_phantom" / "nifti")


def _from_nifti(folder: Path) -> Volume:
    image, mask = (nibabel.load(folder / part) for part in ("image/phantom.nii.gz", "mask/mask.nii.gz"))
    values, inside = (np.asanyarray(part.dataobj).transpose(2, 1, 0) for part in (image, mask))
    column, row, plane = (float(step) for step in image.header.get_zooms()[:3])
    return values, inside > 0, (plane, row, column)

"""IBSI's phantoms, read from DICOM and from NIfTI, and prepared as IBSI-1 wants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from radcurate.features.conformance import CONFIGURATIONS
from radcurate.features.profile import Profile
from radcurate.volumes.image import read_volume
from radcurate.volumes.masks import read_rois

Volume = tuple[NDArray[Any], NDArray[np.bool_], tuple[float, float, float]]  # values, mask, spacing


def configuration(name: str, **changes: Any) -> Profile:
    """One of `CONFIGURATIONS`, with changes."""
    return Profile.model_validate({**CONFIGURATIONS[name], **changes})


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


# IBSI's digital phantom (reference manual, 5.1; CC BY 4.0): a plane a line, a row a word; lower-case letters stand for grey
# levels outside the region, a for 1 and so on.
DIGITAL = """\
14411 14611 41641 44641
14411 11611 a1311 44611
144aa 11111 11i11 11611
144aa 11111 11111 11611"""


def digital_phantom() -> Volume:
    """The digital phantom, without any file."""
    signs = np.array([[list(row) for row in plane.split()] for plane in DIGITAL.splitlines()])
    values = np.vectorize(lambda sign: int(sign) if sign.isdigit() else ord(sign) - ord("a") + 1)(signs)
    return values.astype(np.int16), np.char.isdigit(signs), (2.0, 2.0, 2.0)

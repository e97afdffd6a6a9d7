"""A mask as NIfTI on an image's grid, with identifiers in its header."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt

from radcurate.demo.geometry import Geometry
from radcurate.demo.people import Person
from radcurate.demo.planting import Plant


def affine(geometry: Geometry) -> npt.NDArray[np.float64]:
    """Matrix (4, 4) from (column, row, plane) to NIfTI's RAS coordinates in mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = geometry.steps[:, ::-1]
    matrix[:3, 3] = geometry.origin
    return np.asarray(np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix)


def write_mask(path: Path, mask: npt.NDArray[np.bool_], geometry: Geometry, label: str, person: Person) -> list[Plant]:
    """Write a mask, shape (plane, row, column), stored as (column, row, plane). The gzip header holds no time."""
    image = nibabel.Nifti1Image(np.ascontiguousarray(mask.transpose(2, 1, 0)).astype(np.uint8), affine(geometry))
    image.header.set_xyzt_units("mm")
    said = f"{label} {person.surname}"
    image.header["descrip"] = said.encode()[:79]
    image.header["aux_file"] = person.patient_id.encode()[:23]
    image.header["db_name"] = person.surname.encode()[:17]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(image.to_bytes(), 6, mtime=0))
    return [Plant(person.surname, "name", "nifti>descrip"), Plant(person.patient_id, "id", "nifti>aux_file")]

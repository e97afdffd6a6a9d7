"""NIfTI masks: grid and labels only."""

from __future__ import annotations

import gzip

import nibabel
import numpy as np
import pytest

from radcurate.deidentify.nifti import fresh_mask
from radcurate.dicom.problems import Unsafe

AFFINE = np.array([[-0.9, 0.1, 0, 12], [0.1, 0.9, 0, -7], [0, 0, 2.5, 3], [0, 0, 0, 1]], dtype=float)


def mask(values: np.ndarray) -> bytes:
    image = nibabel.Nifti1Image(values, AFFINE)
    image.header["descrip"] = b"Quxworth^Zebulon"
    image.header["intent_name"] = b"Quxworth"
    image.header["aux_file"] = b"Quxworth"
    image.header["db_name"] = b"Quxworth"
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"Quxworth"))
    return gzip.compress(image.to_bytes(), mtime=0)


def test_only_grid_and_labels_are_left() -> None:
    labels = np.arange(60, dtype=np.int16).reshape(3, 4, 5) % 7
    new = fresh_mask(mask(labels))
    plain = gzip.decompress(new)
    assert b"Quxworth" not in plain and new == fresh_mask(mask(labels)), "the same bytes each time"
    image = nibabel.Nifti1Image.from_bytes(plain)
    assert np.array_equal(np.asanyarray(image.dataobj), labels) and np.allclose(image.affine, AFFINE)
    assert len(image.header.extensions) == 0 and new[4:8] == b"\0\0\0\0"


@pytest.mark.parametrize(
    "values", [np.array([[[0.5]]]), np.array([[[-3.0]]]), np.array([[[1e6]]]), np.array([[[np.nan]]])]
)
def test_images_are_no_masks(values: np.ndarray) -> None:
    with pytest.raises(Unsafe):
        fresh_mask(mask(values.astype(np.float32)))


@pytest.mark.parametrize(
    "data", [b"", b"Quxworth", gzip.compress(b"Quxworth", mtime=0), mask(np.zeros((2, 2, 2), np.uint8))[:50]]
)
def test_what_is_no_nifti_is_refused(data: bytes) -> None:
    with pytest.raises(Unsafe, match="nifti"):
        fresh_mask(data)

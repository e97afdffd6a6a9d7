"""NIfTI masks: the grid and the labels in a fresh file, nothing else (NIfTI-1 header; descriptions and extensions go)."""

from __future__ import annotations

import gzip
import io
import math

import nibabel
import numpy as np

from radcurate.dicom.problems import Unsafe, damaged

MAX_LABEL = 65535
HEADER = 352  # bytes of a NIfTI-1 header, with the four that announce extensions
MOST_VOXELS = 1 << 30
MOST_EXTENSIONS = 1 << 24  # bytes before the voxels


def fresh_mask(data: bytes) -> bytes:
    """A gzip-compressed NIfTI-1 mask with the same labels and affine, without name, time, description or extension.

    Args:
        data: bytes of a NIfTI-1 file, gzip-compressed or not.

    Raises:
        Unsafe: not NIfTI, or values that are no labels (whole numbers from 0 to 65535).
    """
    try:
        image = nibabel.Nifti1Image.from_bytes(_plain(data))
        values = np.asanyarray(image.dataobj)
    except Exception:  # a damaged header raises almost anything, and quotes its content
        raise damaged("nifti") from None
    if not np.issubdtype(values.dtype, np.number) or np.iscomplexobj(values):
        raise damaged("nifti")
    if not np.array_equal(values, np.round(values)) or values.min(initial=0) < 0 or values.max(initial=0) > MAX_LABEL:
        raise Unsafe("mask_values", "a mask holds whole numbers from 0 to 65535; images as NIfTI are not taken")
    labels = values.astype(np.uint8 if values.max(initial=0) < 256 else np.uint16)
    return _compressed(_fresh(labels, image))


def _plain(data: bytes) -> bytes:
    """The file unpacked, as far as its header says that it goes; what inflates further is no mask."""
    if data[:2] != b"\x1f\x8b":
        return data
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        head = stream.read(HEADER)
        header = nibabel.Nifti1Header(head[: HEADER - 4])
        voxels, start = math.prod(header.get_data_shape()), int(header["vox_offset"])
        if voxels > MOST_VOXELS or start > MOST_EXTENSIONS:
            raise damaged("nifti")
        wanted = start + voxels * header.get_data_dtype().itemsize
        return head + stream.read(max(wanted - HEADER, 0) + 1)


def _fresh(labels: np.ndarray[tuple[int, ...], np.dtype[np.unsignedinteger]], image: nibabel.Nifti1Image) -> bytes:
    fresh = nibabel.Nifti1Image(labels, image.affine)
    fresh.header.set_xyzt_units("mm")
    code = int(image.header["qform_code"]) or int(image.header["sform_code"]) or 1
    fresh.set_qform(image.affine, code=code, strip_shears=True)
    fresh.set_sform(image.affine, code=int(image.header["sform_code"]) or code)
    return bytes(fresh.to_bytes())


def _compressed(data: bytes) -> bytes:
    stream = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=stream, compresslevel=6, mtime=0) as writer:
        writer.write(data)
    return stream.getvalue()

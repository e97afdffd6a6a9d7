"""Small synthetic image files for the tests of redact: any depth, photometry, transfer syntax, number of frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate

JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"


def write_image(
    path: Path,
    values: np.ndarray[Any, Any],
    *,
    syntax: str = uid.ExplicitVRLittleEndian,
    photometric: str = "",
    stored: int = 0,
    high: int | None = None,
    coded: list[bytes] | None = None,
    planar: int = 0,
    wide: bool = False,
    **more: Any,
) -> Path:
    """A file of shape (frame, row, column) or (frame, row, column, 3); words as they are, or the coded frames given."""
    samples = 3 if values.ndim == 4 else 1
    bits = values.dtype.itemsize * 8
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = (
        uid.SecondaryCaptureImageStorage,
        f"1.2.3.{abs(hash(path.name)) % 10**9}",
    )
    dataset.Modality, dataset.PatientID = "OT", "X"
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = values.shape[:3]
    dataset.SamplesPerPixel = samples
    dataset.PhotometricInterpretation = photometric or ("RGB" if samples == 3 else "MONOCHROME2")
    dataset.BitsAllocated, dataset.BitsStored = bits, stored or bits
    dataset.HighBit = (stored or bits) - 1 if high is None else high
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    if samples == 3:
        dataset.PlanarConfiguration = planar
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    big = syntax == uid.ExplicitVRBigEndian
    order = np.moveaxis(values, -1, 1) if planar and samples == 3 else values
    raw = np.ascontiguousarray(order).astype(values.dtype.newbyteorder(">" if big else "<")).tobytes()
    if big and bits == 8 and wide:
        raw = np.frombuffer(raw + b"\0" * (len(raw) % 2), np.uint16).byteswap().tobytes()
    dataset.PixelData = encapsulate(coded) if coded is not None else raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = "OB" if coded is not None or (bits == 8 and not wide) else "OW"
    dataset["PixelData"].is_undefined_length = coded is not None
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = uid.UID(JPEG_BASELINE if syntax == DEFLATED_FRAMES else syntax)
    dataset.save_as(
        path, implicit_vr=syntax == uid.ImplicitVRLittleEndian, little_endian=not big, enforce_file_format=True
    )
    if syntax == DEFLATED_FRAMES:  # which pydicom doesn't know
        path.write_bytes(path.read_bytes().replace(JPEG_BASELINE.encode(), syntax.encode() + b"\0", 1))
    return path


def plane(distance: float) -> dict[str, Any]:
    """The geometry of an axial plane."""
    return {
        "ImagePositionPatient": [0.0, 0.0, distance],
        "ImageOrientationPatient": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        "PixelSpacing": [1.0, 1.0],
    }

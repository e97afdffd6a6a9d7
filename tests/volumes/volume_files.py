"""Small DICOM files made for the volume tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid


def data_set(modality: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    meta.MediaStorageSOPInstanceUID = generate_uid()
    result = FileDataset("", {}, preamble=b"\0" * 128, file_meta=meta)
    result.Modality, result.SOPInstanceUID = modality, meta.MediaStorageSOPInstanceUID
    result.SOPClassUID = meta.MediaStorageSOPClassUID
    return result


def plane(
    stored: np.ndarray, position: tuple[float, float, float], modality: str = "CT", **attributes: Any
) -> FileDataset:
    result = data_set(modality)
    put_pixels(result, stored)
    result.ImagePositionPatient, result.ImageOrientationPatient = list(position), [1, 0, 0, 0, 1, 0]
    result.PixelSpacing, result.SliceThickness = [1.5, 0.75], 2
    if modality in ("CT", "PT"):
        result.RescaleSlope, result.RescaleIntercept = 1, -1024 if modality == "CT" else 0
    for name, value in attributes.items():
        setattr(result, name, value)
    return result


def put_pixels(result: Dataset, stored: np.ndarray) -> None:
    result.Rows, result.Columns = stored.shape[-2:]
    result.SamplesPerPixel, result.PhotometricInterpretation = 1, "MONOCHROME2"
    result.BitsAllocated = result.BitsStored = stored.dtype.itemsize * 8
    result.HighBit, result.PixelRepresentation = result.BitsStored - 1, int(stored.dtype.kind == "i")
    result.PixelData = stored.tobytes() + b"\0" * (stored.nbytes % 2)


def item(**attributes: Any) -> Dataset:
    result = Dataset()
    for name, value in attributes.items():
        setattr(result, name, value)
    return result


def save(folder: Path, data_sets: list[FileDataset]) -> list[Path]:
    paths = [folder / f"{index:03d}.dcm" for index in range(len(data_sets))]
    for path, content in zip(paths, data_sets, strict=True):
        content.save_as(path, enforce_file_format=True)
    return paths


def sequence(*items: Dataset) -> Sequence:
    return Sequence(items)

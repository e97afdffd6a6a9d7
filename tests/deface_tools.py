"""Heads for the tests of defacing: synthetic ones with their tissues, and any array, as a stack or as DICOM files."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    RLELossless,
)

from radcurate import tables
from radcurate.deface.decide import plan
from radcurate.deface.native import on_stack
from radcurate.deface.stack import Stack
from radcurate.deface.template import template
from radcurate.demo import scanner
from radcurate.demo.anatomy import head
from radcurate.demo.geometry import AXIAL, SAGITTAL, Geometry, rotation
from radcurate.stages._written import seal

CORONAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (1.0, 0.0, 0.0))
PLANES = {"axial": AXIAL, "sagittal": SAGITTAL, "coronal": CORONAL}
STORAGE = {"CT": CTImageStorage, "MR": MRImageStorage, "PT": PositronEmissionTomographyImageStorage}


def synthetic(
    modality="CT",
    plane="axial",
    spacing=(4.0, 2.5, 2.5),
    seed=1,
    column=scanner.T1,
    turn=(0, 0, 0),
    extent=(250, 250, 200),
):
    """A synthetic head as (stack, masks by tissue, each of the stack's shape); extent in mm along z, y and x."""
    axes = np.abs(np.asarray(PLANES[plane]))
    sizes = axes @ np.asarray(extent[::-1], float)
    shape = tuple(int(size / step) for size, step in zip(sizes, spacing, strict=True))
    geometry = Geometry(shape, spacing, axes=PLANES[plane]).turned(rotation(turn)).centred((0.0, -12.0, -38.0))
    body = head(geometry, seed)
    look = scanner.Look(noise=8.0 if modality == "CT" else 0.03)
    values = scanner.ct(body, look, seed) if modality == "CT" else scanner.mr(body, look, seed, column)
    return stack_of(np.round(values), geometry), {name: ordered(mask, geometry) for name, mask in body.masks.items()}


def ordered(values, geometry):
    """Planes in the order that reading a series gives."""
    plane, row, column = geometry.steps.T
    return values if np.cross(column, row) @ plane > 0 else values[::-1]


def stack_of(values, geometry):
    plane, row, column = geometry.steps.T
    origins = np.asarray(geometry.origin) + np.arange(len(values))[:, None] * plane
    return Stack(
        np.ascontiguousarray(ordered(np.asarray(values, np.float32), geometry)),
        np.ascontiguousarray(ordered(origins, geometry)),
        np.asarray(row),
        np.asarray(column),
    )


def write_dicom(
    stack, folder: Path, modality="CT", syntax=ExplicitVRLittleEndian, said="", signed=True, frame="1.2.3", skip=()
):
    """The stack as files of 16-bit words, one a plane; CT with intercept 0 when signed, -1024 when not."""
    folder.mkdir(parents=True)
    row, column = np.linalg.norm(stack.row_step), np.linalg.norm(stack.column_step)
    cosines = [*(stack.column_step / column), *(stack.row_step / row)]
    intercept = 0 if signed or modality != "CT" else -1024
    for plane, values in enumerate(stack.values):
        header = Dataset()
        header.file_meta = FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax == RLELossless else syntax
        header.SOPClassUID, header.SOPInstanceUID = STORAGE[modality], f"1.2.3.4.{plane + 1}"
        header.Modality, header.SeriesInstanceUID, header.FrameOfReferenceUID = modality, "1.2.3.4", frame
        header.BodyPartExamined = said
        header.ImagePositionPatient = [f"{v:.6g}" for v in stack.origins[plane]]
        header.ImageOrientationPatient = [f"{v:.8f}" for v in cosines]
        header.PixelSpacing = [f"{row:.6g}", f"{column:.6g}"]
        header.SliceThickness, header.SamplesPerPixel = "1", 1
        header.PhotometricInterpretation = "MONOCHROME2"
        header.Rows, header.Columns = values.shape
        header.BitsAllocated, header.BitsStored, header.HighBit = 16, 16, 15
        header.PixelRepresentation = int(signed)
        if modality != "MR":
            header.RescaleIntercept, header.RescaleSlope = str(intercept), "1"
        words = np.round(values - intercept).astype("<i2" if signed else "<u2")
        header.PixelData = words.astype(words.dtype.newbyteorder(">" if not syntax.is_little_endian else "<")).tobytes()
        header["PixelData"].VR = "OW"
        if syntax == RLELossless:
            header.compress(RLELossless)
        header.save_as(
            folder / f"{plane:016x}.dcm",
            enforce_file_format=True,
            little_endian=syntax.is_little_endian,
            implicit_vr=syntax.is_implicit_VR,
        )
    return sorted(folder.iterdir())


def chunk(root: Path, key, images, contours=()):
    """redact's tables for series whose files are below root/dicom: images (series, modality, frame), contours
    (series, kind, images)."""
    rows = [
        {"series": s, "kind": "image", "modality": m, "frame_of_reference": f, "images": []} for s, m, f in images
    ] + [{"series": s, "kind": k, "modality": k.upper(), "images": list(i)} for s, k, i in contours]
    for row in rows:
        count = len(list((root / "dicom" / row["series"]).iterdir()))
        row |= {"subject": "P-1", "status": "ok", "folder": row["series"], "n_instances": count}
    tables.write_rows(root / "series.parquet", tables.REDACT_SERIES, rows)
    seal(root, ["series.parquet"], key)
    return root


@lru_cache(maxsize=4)
def planned(modality):
    """A synthetic head as stored, its tissues, the plan for it, and the mask on its own voxels."""
    stack, tissues = synthetic(modality)
    made = plan(stack, modality, "", template())
    return stack, tissues, made, on_stack(made.mask, made.head.field, stack)


def blob(seed=0, size=(40, 60, 60), step=4.0):
    """A limb-like thing: a fat-covered cylinder with a bone, as a CT stack."""
    z, y, x = np.indices(size) * step - np.array(size).reshape(3, 1, 1, 1) * step / 2
    radius = np.hypot(y, x) + 0.1 * z
    values = np.select([radius < 14, radius < 60, radius < 70], [700.0, 50.0, -90.0], -1000.0)
    values += np.random.default_rng(seed).normal(0, 10, size)
    origins = np.array([[0.0, 0.0, k * step] for k in range(size[0])])
    return Stack(values.astype(np.float32), origins, np.array([0.0, step, 0.0]), np.array([step, 0.0, 0.0]))

"""Build what deidentify, deface and verify leave behind, from any DICOM files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from radcurate import tables
from radcurate.keys import Key
from radcurate.seals import write_seal
from radcurate.settings import Extract
from radcurate.stages._written import seal
from radcurate.stages.extract import run

SHAPE = (10, 12, 14)
PROFILES = Path(__file__).resolve().parents[2] / "config" / "extraction"


@dataclass
class Chunk:
    """A chunk on its way to extract; `add` series, then `extract`."""

    folder: Path
    key: Key
    rows: list[dict[str, Any]] = field(default_factory=list)
    exported: list[dict[str, Any]] = field(default_factory=list)  # instances of consent
    made: list[dict[str, Any]] = field(default_factory=list)  # instances of deidentify

    def add(
        self,
        series: str,
        kind: str,
        modality: str,
        files: list[Path],
        images: list[str] | None = None,
        exported: list[Path] | None = None,
        **more: Any,
    ) -> str:
        """A series of the given files; `exported`: what they were made from, under the same names, if others.

        `more` replaces columns of its row.
        """
        target = self.folder / "deface" / "dicom" / series
        target.mkdir(parents=True, exist_ok=True)
        for path in files:
            (target / _name(path)).symlink_to(path)
        for path in exported or files:
            code = self.key.file_code(str(path))
            self.exported.append({"file": code, "path": str(path), "size": 1, "series": series, "status": "ok"})
            self.made.append({"series": series, "name": _name(path), "order": len(self.made), "file": code})
        row = {"series": series, "subject": "P-1", "kind": kind, "modality": modality, "status": "ok", "folder": series}
        row |= {"n_instances": len(files), "images": images or [], "face": "none", "changed_voxels": 0, "verify": "ok"}
        self.rows.append(row | more)
        return series

    def _write(self) -> None:
        def picked(schema: tables.Schema, **more: Any) -> list[dict[str, Any]]:
            names = {name for name, _ in schema.columns}
            return [{k: v for k, v in (row | more).items() if k in names} for row in self.rows]

        about = {"site": "H-1", "sex": "F", "age": 61.0, "study_date": "2015-03-02", "status": "ok"}
        tables.write_rows(self.folder / "deface/series.parquet", tables.DEFACE_SERIES, picked(tables.DEFACE_SERIES))
        people = picked(tables.DEIDENTIFY_SERIES, **about)
        tables.write_rows(self.folder / "deidentify/series.parquet", tables.DEIDENTIFY_SERIES, people)
        checked = [
            {
                "series": row["series"],
                "status": row["verify"],
                "reason": None if row["verify"] == "ok" else "identifier",
            }
            for row in self.rows
            if row["verify"]
        ]
        tables.write_rows(self.folder / "verify/series.parquet", tables.VERIFY_SERIES, checked)
        tables.write_rows(self.folder / "deidentify/instances.parquet", tables.DEIDENTIFY_INSTANCES, self.made)
        tables.write_rows(self.folder / "consent/instances.parquet", tables.INVENTORY_INSTANCES, self.exported)
        seal(self.folder / "deface", ["series.parquet"], self.key)
        write_seal(self.folder / "verify", ["series.parquet"], self.key)
        write_seal(self.folder / "deidentify", ["series.parquet", "instances.parquet"], self.key)
        write_seal(self.folder / "consent", ["instances.parquet"], self.key)

    def extract(
        self,
        out: str = "extract",
        threads: int = 1,
        profiles: Path = PROFILES,
        extensions: Sequence[Path] = (),
        **settings: Any,
    ) -> Path:
        """Run the stage; the folder it wrote."""
        self._write()
        target = self.folder / out
        parts = {
            name: self.folder / stage
            for name, stage in (
                ("source", "deface"),
                ("subjects", "deidentify"),
                ("verified", "verify"),
                ("chunk", "consent"),
            )
        }
        parts |= {"export": Path("/"), "out": target, "profiles": profiles}
        run(Extract.model_validate(settings), **parts, key=self.key, threads=threads, extensions=extensions)
        return target


def image(seed: int = 0) -> NDArray[np.int16]:
    """Noise, shape `SHAPE`."""
    return np.random.default_rng(seed).integers(-50, 150, SHAPE).astype(np.int16)


def labels() -> NDArray[np.int16]:
    """A region, and a single voxel that can't be measured on a coarse grid."""
    found = np.zeros(SHAPE, dtype=np.int16)
    found[2:7, 3:9, 4:10] = 1
    found[8, 10, 12] = 2
    return found


def _name(path: Path) -> str:
    """The cleaned file's."""
    return "mask.nii.gz" if path.name.endswith(".nii.gz") else f"{path.stem}.dcm"


def write_image(folder: Path, values: NDArray[np.int16], modality: str = "CT", spacing: float = 2.0) -> list[Path]:
    """A series of single-plane instances, axis-aligned, `spacing` mm in all directions."""
    folder.mkdir(parents=True)
    return [_write_plane(folder, values, plane, modality, spacing) for plane in range(len(values))]


def _write_plane(folder: Path, values: NDArray[np.int16], plane: int, modality: str, spacing: float) -> Path:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID = f"2.25.{plane + 1}"
    header.SeriesInstanceUID = header.FrameOfReferenceUID = "2.25.1000"
    header.Modality, header.Manufacturer, header.KVP = modality, "Maker", "120"
    header.ImagePositionPatient = [0, 0, plane * spacing]
    header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    header.PixelSpacing, header.SliceThickness = [spacing, spacing], spacing
    header.Rows, header.Columns = values.shape[1:]
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 16, 15, 1
    header.RescaleSlope, header.RescaleIntercept = "1", "0"
    header.PixelData = np.ascontiguousarray(values[plane], dtype="<i2").tobytes()
    path = folder / f"{plane:03}.dcm"
    header.save_as(path, enforce_file_format=True)
    return path


def write_mask(path: Path, labels: NDArray[np.int16], spacing: float = 2.0) -> Path:
    """A NIfTI label map (plane, row, column) on the grid of `write_image`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.diag([-spacing, -spacing, spacing, 1.0])  # LPS of DICOM to RAS
    nibabel.save(nibabel.Nifti1Image(labels.transpose(2, 1, 0).astype(np.int16), affine), path)
    return path

"""Header de-identification against a plain copy and two peers: CPU time per file, medians of interleaved runs.

Each runs in a process of its own. The stage runs whole: policy, rewriting, digests, tables and seal. What a chunk costs without any file (tables
of the policy read, canaries rewritten) is measured on an empty one, given apart, and not counted among the files. The copy is
`shutil.copyfile`. Peers are in the dependency group `peers` (`uv sync --inexact --group peers`) and are left out, saying so,
where it is not installed.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage

from benchmarks import ways
from benchmarks.figure import Figure
from benchmarks.measure import Memory, peak_memory
from benchmarks.ways import ALLOWLIST, KEY, VOCABULARY
from radcurate import seals, tables
from radcurate.dicom import judged

RUNS = 5
PATIENTS, SLICES = 4, 150


@dataclass(frozen=True)
class Size:
    """Kind of slices: their name in the figures, matrix, and goals as multiples of the copy and of dcmanon's speed."""

    name: str
    side: int
    sop_class: str
    modality: str
    most_of_copy: float
    least_of_dcmanon: float


SIZES = (
    Size("CT slices of 525 KB", 512, CTImageStorage, "CT", 1.6, 3.0),
    Size("MR slices of 34 KB", 128, MRImageStorage, "MR", 4.0, 1.2),
)


def figures() -> list[Figure]:
    """CPU of the stage as a multiple of a copy's, and its speed as a multiple of dcmanon's."""
    found = []
    for size in SIZES:
        with tempfile.TemporaryDirectory(dir=_memory()) as name:
            found += _compare(size, Path(name))
    return found


def _memory() -> str | None:
    """A file system in memory, if there is one: what a disk does at its own time is up to ten times a small file's copy."""
    folder = Path("/dev/shm")
    return str(folder) if folder.is_dir() and shutil.disk_usage(folder).free > 4e9 else None


def _compare(size: Size, folder: Path) -> list[Figure]:
    paths = _write_source(size, folder / "in")
    _write_chunk(paths, folder / "chunk")
    _write_chunk([], folder / "empty")
    cost: dict[str, list[float]] = {name: [] for name in ways.names()}
    for _ in range(RUNS):
        for name, seconds in cost.items():
            seconds.append(ways.spent(name, folder))
    if len(cost) < len(ways.WAYS):
        print("deidentify: not all peers are installed: uv sync --inexact --group peers", file=sys.stderr)
    counts = {"dicom-anonymizer": len(paths) // ways.SHARE}
    whole = {name: statistics.median(spent) * 1e3 for name, spent in cost.items()}
    fixed = whole.pop("fixed")
    whole["radcurate"] -= fixed
    each = {name: spent / counts.get(name, len(paths)) for name, spent in whole.items()}
    listed = ", ".join(f"{name} {spent:.3f} ms" for name, spent in each.items())
    print(
        f"deidentify, {size.name}, {len(paths)} files, CPU per file: {listed}; per chunk: {fixed:.0f} ms",
        file=sys.stderr,
    )
    found = [
        Figure(f"deidentify, {size.name}, CPU over a copy's", each["radcurate"] / each["copy"], size.most_of_copy, "×")
    ]
    if "dcmanon" in each:
        times = each["dcmanon"] / each["radcurate"]
        found.append(Figure(f"deidentify, {size.name}, speed over dcmanon's", times, size.least_of_dcmanon, "×", False))
    if "dicom-anonymizer" in each:
        share = (each["radcurate"] + each["verify"]) / each["dicom-anonymizer"]
        found.append(Figure(f"deidentify and verify, {size.name}, CPU over dicom-anonymizer's", share, 1, "×"))
    memory = _memory_of_stage(folder)
    print(f"deidentify, {size.name}: {memory.own:.0f} MB in the process that writes the tables", file=sys.stderr)
    found.append(Figure(f"deidentify, {size.name}, largest RSS of a worker", memory.worker, 100, "MB"))
    return found


def _memory_of_stage(folder: Path) -> Memory:
    """The stage as the pipeline runs it on two cores."""
    shutil.rmtree(folder / "radcurate")
    (folder / "key").write_text(KEY.secret.hex())
    (folder / "key").chmod(0o600)
    options = {"settings": "{}", "chunk": folder / "chunk", "source": folder / "in", "out": folder / "radcurate"}
    options |= {"allowlist": ALLOWLIST, "vocabulary": VOCABULARY, "threads": 2}
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    return peak_memory("radcurate.stages.deidentify", words, {"RADCURATE_KEY_FILE": str(folder / "key")})


def _write_source(size: Size, folder: Path) -> list[Path]:
    """Series of invented patients, with headers as long as a scanner's."""
    folder.mkdir()
    values = np.random.default_rng(1)
    paths = []
    for patient in range(PATIENTS):
        for place in range(SLICES):
            slice_ = _slice(size, patient, place)
            slice_.PixelData = values.integers(0, 4096, size.side**2, np.uint16).tobytes()
            paths.append(folder / f"{patient}_{place:04d}.dcm")
            slice_.save_as(paths[-1], enforce_file_format=True)
    return paths


def _slice(size: Size, patient: int, place: int) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    series = f"1.2.826.0.1.3680043.9.{patient + 1}.2"
    ds.SpecificCharacterSet, ds.ImageType = "ISO_IR 100", ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.InstanceCreationDate, ds.InstanceCreationTime = "20190304", f"1012{place % 60:02d}.{place:06d}"
    ds.SOPClassUID, ds.SOPInstanceUID = size.sop_class, f"{series}.{place + 1}"
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = "20190304"
    ds.StudyTime, ds.SeriesTime, ds.AcquisitionTime = "101100", "101130", f"1012{place % 60:02d}.500000"
    ds.ContentTime = f"1012{place % 60:02d}.250000"
    ds.AccessionNumber, ds.Modality, ds.Manufacturer = f"A{patient}77123", size.modality, "SIEMENS"
    ds.InstitutionName, ds.InstitutionAddress = "Quxworth Hospital", "1 Quxworth Road"
    ds.ReferringPhysicianName, ds.StationName = "Vexley^Ophelia", "QUXCT1"
    ds.StudyDescription, ds.SeriesDescription = "CHEST ROUTINE", "AXIAL 2MM"
    ds.InstitutionalDepartmentName, ds.ManufacturerModelName = "Radiology", "Sensation 64"
    ds.PatientName, ds.PatientID = f"Quxworth^Zebulon{patient}", f"MRN77342{patient}"
    ds.PatientBirthDate, ds.PatientSex, ds.PatientAge, ds.PatientWeight = "19560102", "M", "063Y", "81"
    ds.BodyPartExamined, ds.ScanOptions, ds.SliceThickness, ds.KVP = "CHEST", "HELICAL MODE", "2", "120"
    ds.DeviceSerialNumber, ds.SoftwareVersions, ds.ProtocolName = "55512", "VB42B", "ThoraxRoutine"
    ds.DataCollectionDiameter, ds.ReconstructionDiameter = "500", "380"
    ds.DistanceSourceToDetector, ds.DistanceSourceToPatient = "1040", "570"
    ds.GantryDetectorTilt, ds.TableHeight, ds.RotationDirection = "0", "130", "CW"
    ds.ExposureTime, ds.XRayTubeCurrent, ds.Exposure, ds.FilterType = "500", "180", "90", "0"
    ds.GeneratorPower, ds.FocalSpots, ds.ConvolutionKernel, ds.PatientPosition = "22", ["0.7", "0.9"], "B30f", "HFS"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"1.2.826.0.1.3680043.9.{patient + 1}.1", series
    ds.StudyID, ds.SeriesNumber, ds.AcquisitionNumber, ds.InstanceNumber = "4711", "3", "1", str(place + 1)
    ds.ImagePositionPatient = ["-190.2", "-171.4", f"{-700 + 2 * place}.5"]
    ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = f"1.2.826.0.1.3680043.9.{patient + 1}.3", ""
    ds.SliceLocation, ds.ImageComments = f"{-700 + 2 * place}.5", "seen by Dr Vexley"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows = ds.Columns = size.side
    ds.PixelSpacing = ["0.74", "0.74"]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.SmallestImagePixelValue, ds.LargestImagePixelValue = place % 7, 4000 + place % 90
    ds.WindowCenter, ds.WindowWidth = ["40", "-600"], ["400", "1200"]
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "-1024", "1", "HU"
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = size.sop_class, f"{series}.99"
    ds.ReferencedImageSequence = [reference]
    block = ds.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x08, "CS", "IMAGE NUM 4")
    block.add_new(0x10, "OB", bytes(1200))
    return ds


def _write_chunk(paths: list[Path], chunk: Path) -> None:
    """What consent hands on; without paths, an empty chunk."""
    series, instances = [], []
    for patient in range(PATIENTS if paths else 0):
        uid = f"1.2.826.0.1.3680043.9.{patient + 1}.2"
        code = KEY.series(uid)
        subject = KEY.subject(f"MRN77342{patient}")
        row = {"series": code, "subject": subject, "kind": "image", "modality": "CT", "status": tables.OK, "images": []}
        series.append({**row, "institution": "Quxworth Hospital"})
        for place, path in enumerate(paths[patient * SLICES : (patient + 1) * SLICES]):
            size = path.stat().st_size
            instance = {"file": KEY.file_code(path.name), "path": path.name, "size": size, "series": code}
            instance |= {"head_bytes": size, "tail_bytes": 0, "digest": judged.of_bytes(path.read_bytes(), size, 0)}
            instances.append(
                {**instance, "order": place, "sop_instance_uid": f"{uid}.{place + 1}", "status": tables.OK}
            )
    tables.write_rows(chunk / "series.parquet", tables.INVENTORY_SERIES, series)
    tables.write_rows(chunk / "instances.parquet", tables.INVENTORY_INSTANCES, instances)
    tables.write_rows(chunk / "identifiers.parquet", tables.INVENTORY_IDENTIFIERS, list(_identifiers()))
    seals.write_seal(chunk, [f"{name}.parquet" for name in ("series", "instances", "identifiers")], KEY)


def _identifiers() -> Iterator[dict[str, str]]:
    """What the inventory knows of each patient."""
    for patient in range(PATIENTS):
        subject, uid = KEY.subject(f"MRN77342{patient}"), f"1.2.826.0.1.3680043.9.{patient + 1}"
        known = [
            ("name", "PatientName", f"Quxworth^Zebulon{patient}"),
            ("name", "ReferringPhysicianName", "Vexley^Ophelia"),
            ("id", "PatientID", f"MRN77342{patient}"),
            ("id", "AccessionNumber", f"A{patient}77123"),
            ("id", "InstitutionName", "Quxworth Hospital"),
            ("id", "StationName", "QUXCT1"),
            ("date", "PatientBirthDate", "19560102"),
            ("date", "StudyDate", "20190304"),
            *[("uid", "SOPInstanceUID", f"{uid}.2.{place + 1}") for place in range(SLICES)],
            *[("uid", keyword, f"{uid}.{end}") for keyword, end in (("StudyInstanceUID", 1), ("SeriesInstanceUID", 2))],
        ]
        for category, keyword, value in known:
            yield {"subject": subject, "category": category, "keyword": keyword, "value": value}

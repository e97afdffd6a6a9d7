"""The inventory's reading of headers, identifiers included, against pydicom's own reading that stops before the pixels.

Files per CPU second on series of one kind of slice, warm in the page cache, runs of the two taking turns.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from benchmarks.figure import Figure
from benchmarks.measure import cpu
from radcurate.demo.dicom_writer import image_series, write_series
from radcurate.demo.geometry import Geometry
from radcurate.demo.people import Series
from radcurate.dicom.scan import scan_batch
from radcurate.dicom.tree import Found, find_files

COUNT, REPEATS = 200, 5  # slices a series, turns
GOAL, MOST_MEMORY = 5, 100  # times as fast; MB
REAL = {
    "CT": "ibsi/ibsi_validation/dicom/STS_001/CT",
    "head MR with 80 KB of private header": "fnndsc_data/dicom/adi_brain",
}


def figures() -> list[Figure]:
    """Files per CPU second as multiples of pydicom's, and the memory of a scan."""
    with tempfile.TemporaryDirectory() as name:
        folders = _synthetic(Path(name))
        real = os.environ.get("RADCURATE_TEST_DATA")
        folders |= {f"real {what}": Path(real) / where for what, where in REAL.items()} if real else {}
        found = [_compare(what, folder) for what, folder in folders.items()]
        memory = _memory(folders["CT 527 KB, explicit"])
    return [*found, Figure("inventory: memory of a worker", memory, MOST_MEMORY, "MB")]


def _synthetic(base: Path) -> dict[str, Path]:
    explicit, implicit = ExplicitVRLittleEndian, ImplicitVRLittleEndian
    return {
        "CT 527 KB, explicit": _series(base / "ct", "CT", 512, explicit),
        "CT 527 KB, implicit": _series(base / "ct_implicit", "CT", 512, implicit),
        "MR 31 KB, explicit": _series(base / "mr", "MR", 122, explicit),
        "PET 31 KB, implicit": _series(base / "pet", "PT", 122, implicit),
    }


def _series(folder: Path, modality: str, size: int, syntax: UID) -> Path:
    values = np.random.default_rng(1).normal(100, 20, (1, size, size))
    geometry = Geometry((COUNT, size, size), (3.0, 1.0, 1.0))
    datasets = image_series(np.broadcast_to(values, (COUNT, size, size)), geometry, series=Series(modality=modality))
    write_series(datasets, folder, syntax)
    return folder


def _compare(what: str, folder: Path) -> Figure:
    """The median ratio of turns, after one that warms the page cache."""
    files = [found for found in find_files(folder) if not _is_contour(folder, found)]
    ratios = []
    for _ in range(REPEATS + 1):
        pydicom = cpu(lambda: [dcmread(folder / found.path, stop_before_pixels=True) for found in files])
        ratios.append(pydicom / cpu(lambda: scan_batch(files, folder)))
    return Figure(f"inventory: {what}", statistics.median(ratios[1:]), GOAL, "× pydicom", at_most=False)


def _is_contour(folder: Path, found: Found) -> bool:
    return str(dcmread(folder / found.path, stop_before_pixels=True).Modality) in ("RTSTRUCT", "SEG")


def _memory(folder: Path) -> float:
    """Peak megabytes of a process that scans a series."""
    code = (
        "import sys; from pathlib import Path; from radcurate.dicom.scan import scan_batch; "
        "from radcurate.dicom.tree import find_files; folder = Path(sys.argv[1]); "
        "scan_batch(list(find_files(folder)), folder); "
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"  # ru_maxrss would count this process
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], check=True, capture_output=True, text=True)
    return float(done.stdout) / 1024

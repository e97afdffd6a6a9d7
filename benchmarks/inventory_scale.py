"""Inventory of many files: memory that doesn't grow with them, and a second run that reads none.

1e5 files of 2 KB (1,000 series of a hundred slices, two series a patient); `python -m benchmarks.inventory_scale 1000000`
takes another number. CPU seconds with one worker; memory is the peak resident set of the stage. There are no contours, so
that the stage says so at its end, when all tables are written.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian

from benchmarks.figure import Figure
from radcurate.demo.dicom_writer import image_series, write_series
from radcurate.demo.geometry import Geometry
from radcurate.demo.people import Series
from radcurate.dicom.header import Header
from radcurate.dicom.patients import Register
from radcurate.dicom.tree import Found
from radcurate.keys import Key

FILES, SLICES = 100_000, 100
MOST_MEMORY, MOST_CPU, MOST_AGAIN = 400, 60, 25  # MB; seconds for 1e5 files: read, and known
MOST_REGISTER = 600  # MB a million series
KEY = "00" * 32
_RUN = """
import json, resource, sys
from pathlib import Path
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.settings import Inventory
from radcurate.stages import inventory
try:
    inventory.run(Inventory(n_chunks=int(sys.argv[3])), Path(sys.argv[1]), Path(sys.argv[2]), Key(bytes(32)), 1)
except CurationError as error:
    assert error.problem == "no image series has a contour"
own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
cpu = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
print(json.dumps([peak, cpu]))
"""


@dataclass(frozen=True)
class Cost:
    """Peak memory in MB and CPU seconds of one run."""

    memory: float
    cpu: float


def figures(files: int = FILES) -> list[Figure]:
    """Memory and time of a first and of a second run over `files` files."""
    share = files / FILES
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        small, many = base / "small", base / "many"
        write_export(small, files // 10)
        first = run(small, base / "small_out", files // 10)
        write_export(many, files)
        whole = run(many, base / "out", files)
        again = run(many, base / "out", files)
    grown = (whole.memory - first.memory) / (0.9 * files / 1e6)
    return [
        Figure(f"inventory of {files:,} files: memory", whole.memory, MOST_MEMORY * max(1, share / 5), "MB"),
        Figure("inventory: memory that a million more files take", grown, 1000, "MB"),
        Figure(f"inventory of {files:,} files: read", whole.cpu, MOST_CPU * share, "CPU-s"),
        Figure(f"inventory of {files:,} files: known from before", again.cpu, MOST_AGAIN * share, "CPU-s"),
        Figure("inventory: who claims which of a million series", register(), MOST_REGISTER, "MB"),
    ]


def run(source: Path, out: Path, files: int) -> Cost:
    """The stage, in a process of its own, with about sixty series a chunk."""
    chunks = max(1, files // SLICES // 60)
    command = [sys.executable, "-c", _RUN, str(source), str(out), str(chunks)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
    memory, cpu = (float(number) for number in done.stdout.strip(" []\n").split(","))
    return Cost(memory, cpu)


def write_export(folder: Path, files: int) -> None:
    """Series like one that the demo's writer wrote, each with UIDs of its own."""
    series = Series(modality="CT")
    datasets = image_series(np.zeros((SLICES, 8, 8)), Geometry((SLICES, 8, 8), (3.0, 1.0, 1.0)), series=series)
    write_series(datasets, folder / "0", ExplicitVRLittleEndian)
    slices = [(path.name, path.read_bytes()) for path in sorted((folder / "0").iterdir())]
    instances = [str(dcmread(folder / "0" / name, stop_before_pixels=True).SOPInstanceUID) for name, _ in slices]
    for number in range(1, files // SLICES):
        place = folder / str(number)
        place.mkdir()
        patient = f"T{number // 2:08d}".encode()
        for (name, data), instance in zip(slices, instances, strict=True):
            new = data.replace(b"TEST-0001", patient).replace(*_another(series.series_uid, number))
            (place / name).write_bytes(new.replace(*_another(instance, number)))


def _another(uid: str, number: int) -> tuple[bytes, bytes]:
    """A UID and another one of its length."""
    return uid.encode(), f"{uid[:-8]}{(int(uid[-8:]) + number) % 10**8:08d}".encode()


def register(series: int = 100_000) -> float:
    """MB that the register takes for a million series of ten thousand patients."""
    before = _resident()
    held = Register(Key(bytes.fromhex(KEY)))
    for number in range(series):
        held.enter([_header(number)])
    return (_resident() - before) * 1e6 / series


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def _header(number: int) -> Header:
    values = dict.fromkeys(Header._fields, "") | {"file": Found("", 0, 0), "patient_id": f"PAT-{number // 100}"}
    return Header(**{**values, "series": f"1.2.826.0.1.3680043.8.498.{number:039d}"})


def main() -> int:
    started = time.monotonic()
    for figure in figures(int(sys.argv[1]) if len(sys.argv) > 1 else FILES):
        print(figure)
    print(f"took {time.monotonic() - started:.0f} s on {os.cpu_count()} cores")
    return 0


if __name__ == "__main__":
    sys.exit(main())

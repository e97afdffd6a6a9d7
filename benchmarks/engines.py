"""The ways that benchmarks/extract.py compares, each measured in a process of its own, on one thread, warm.

A region is an `.npz` of `values` and `mask`, shape (plane, row, column), on the grid that features are computed on, and
`spacing` in mm. Every way begins there: discretisation counts, interpolation doesn't. `flash-radiomics` also writes a file,
which its interface doesn't let one leave out.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK

from benchmarks.measure import cpu

ROOT = Path(__file__).resolve().parents[1]
BIN_SIZE = 25
SIGMAS = (1.0, 2.0, 3.0)  # mm, of the Laplacians of Gaussians
SLOW = ("morph_moran_i", "morph_geary_c")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
ONE_THREAD = dict.fromkeys(THREADS, "1")


@dataclass(frozen=True)
class Spent:
    """CPU seconds, number of values that they gave, and the peak memory of the process in MB."""

    seconds: float
    values: int
    memory: float


def spent(way: str, region: Path, repeats: int) -> Spent:
    """Median of `repeats` runs in a fresh process, after one that warms it up."""
    code = "import sys; from benchmarks import engines; engines.run(*sys.argv[1:])"
    command = [sys.executable, "-W", "ignore", "-c", code, way, str(region), str(repeats)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, **ONE_THREAD}
    )
    return Spent(*json.loads(done.stdout.split("\n")[-2]))


def installed(way: str) -> bool:
    """Whether the way can be taken here."""
    needs = {"flash-radiomics": "flash_radiomics"}
    return way not in needs or importlib.util.find_spec(needs[way]) is not None


def run(way: str, region: str, repeats: str) -> None:
    """Take a way and print what it cost."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    stored = np.load(region)
    work = WAYS[way](stored["values"], stored["mask"], tuple(float(step) for step in stored["spacing"]))
    del stored
    count = work()
    seconds = [cpu(work) for _ in range(int(repeats))]
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    print("\n" + json.dumps([statistics.median(seconds), count, peak]))


Work = Callable[[], int]
Make = Callable[[Any, Any, Any], Work]


def _radcurate(leave_out: tuple[str, ...] = (), **more: Any) -> Make:
    def make(values: Any, mask: Any, spacing: Any) -> Work:
        from radcurate.features import engine
        from radcurate.features.catalogue import columns_for
        from radcurate.features.measure import measure
        from radcurate.features.profile import Profile

        choices = {"discretisation": "fixed_bin_size", "bin_size": BIN_SIZE, "range": (-1000, 400), **more}
        profile = Profile.model_validate(choices)
        columns = [column for column in columns_for(profile) if column.name not in leave_out]
        ours = engine.find("radcurate")
        return lambda: len(measure(values, mask, spacing, profile, None, ours, columns).outcome.values)

    return make


def _pyradiomics(filters: bool = False) -> Make:
    def make(values: Any, mask: Any, spacing: Any) -> Work:
        from radiomics.featureextractor import RadiomicsFeatureExtractor

        image, region = _itk(values, mask, spacing)
        extractor = RadiomicsFeatureExtractor(binWidth=BIN_SIZE, additionalInfo=False)
        if filters:
            extractor.enableImageTypes(Original={}, LoG={"sigma": list(SIGMAS)}, Wavelet={})
        return lambda: len(extractor.execute(image, region))

    return make


def _flash(values: Any, mask: Any, spacing: Any) -> Work:
    from flash_radiomics import RadiomicsFeatureExtractor

    image, region = _itk(values, mask, spacing)
    extractor = RadiomicsFeatureExtractor(binWidth=BIN_SIZE, additionalInfo=False, backend="cpu")

    def work() -> int:
        with tempfile.TemporaryDirectory(dir=_memory()) as folder:
            return len(extractor.execute(image, region, output_hdf5_path=str(Path(folder) / "features.h5")))

    return work


def _itk(values: Any, mask: Any, spacing: Any) -> tuple[Any, Any]:
    image, region = (
        SimpleITK.GetImageFromArray(values.astype(np.float64)),
        SimpleITK.GetImageFromArray(mask.astype(np.uint8)),
    )
    for one in (image, region):
        one.SetSpacing(spacing[::-1])
    return image, region


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


FILTERS = [*({"kind": "log", "sigma": sigma} for sigma in SIGMAS), {"kind": "wavelet", "family": "coif1"}]
WAYS: dict[str, Make] = {
    "radcurate": _radcurate(),
    "radcurate without Moran and Geary": _radcurate(SLOW),
    "radcurate, 12 images": _radcurate(filters=FILTERS),
    "pyradiomics": _pyradiomics(),
    "pyradiomics, 12 images": _pyradiomics(filters=True),
    "flash-radiomics": _flash,
}

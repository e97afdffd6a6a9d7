"""Ten perturbations of a region against ten extractions of it: CPU time on one thread, sarcoma CT, PET and MR.

An extraction reads the DICOM files, rasterises the contour and measures the region, as for every row of a release.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.extract import read_regions
from benchmarks.figure import Figure
from radcurate.features import engine
from radcurate.features.catalogue import columns_for
from radcurate.features.measure import measure
from radcurate.features.profile import load_profiles
from radcurate.features.ranges.place import Source
from radcurate.features.ranges.spread import chosen, ranges_of
from radcurate.settings import Ranges

PATIENT = "STS_010"
FOLDERS = {"CT": "CT", "PT": "PET", "MR": "MR_T1"}
PERTURBATIONS, REPEATS = 10, 5
MOST_RUNS = 5


def figures() -> list[Figure]:
    """What ten perturbations cost, in extractions."""
    data = os.environ.get("RADCURATE_TEST_DATA")
    if not data:
        print("ranges: RADCURATE_TEST_DATA is not set, so nothing is measured", file=sys.stderr)
        return []
    root = Path(data) / "ibsi" / "ibsi_validation" / "dicom" / PATIENT
    profiles = load_profiles(Path(__file__).parents[1] / "config" / "extraction", {})
    return [_figure(modality, root / folder, profiles[modality]) for modality, folder in FOLDERS.items()]


def _figure(modality: str, folder: Path, profile: Any) -> Figure:
    plain = profile.model_copy(update={"normalisation": "none"})
    columns, computing = columns_for(plain), engine.find("radcurate")
    options = Ranges(perturbations=PERTURBATIONS)
    names = set(chosen([column.name for column in columns], options))
    ranged = tuple(column for column in columns if column.name in names)
    reading = _seconds(lambda: read_regions(folder))
    volume, mask = read_regions(folder)
    source = Source(volume.values, mask, volume.grid.spacing, plain, None)
    measured = measure(volume.values, mask, volume.grid.spacing, plain, None, computing, columns)
    once = _seconds(lambda: measure(volume.values, mask, volume.grid.spacing, plain, None, computing, columns))
    ten = _seconds(lambda: ranges_of(source, options, ("image", "mask"), computing, ranged, measured))
    print(
        f"ranges, {modality}: reading {reading:.3f}, {len(columns)} features {once:.3f}, "
        f"{PERTURBATIONS} perturbations of {len(ranged)} features {ten:.3f} CPU-s",
        file=sys.stderr,
    )
    return Figure(
        f"ranges, {modality}, {PERTURBATIONS} perturbations", ten / (reading + once), MOST_RUNS, "extractions"
    )


def _seconds(work: Callable[[], object]) -> float:
    """Median CPU time of this process, warm."""
    work()
    spent = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return median(spent)

"""A whole cohort, from DICOM to Parquet, against pyradiomics' own batch command on NIfTI that somebody made before.

The sarcoma cohort below RADCURATE_TEST_DATA: nine patients, CT, MR and PET each. Both use two processes; CPU time of all of them
together, medians. pyradiomics gets images and masks on their own grid and resamples, discretises and computes its 107 features
with the values of `config/extraction`; ours reads DICOM and contours, checks seals, and writes features, provenance and reasons.
What pyradiomics has nothing like, the comparison with the exported images, is switched off.
"""

from __future__ import annotations

import csv
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import SimpleITK
import yaml

from benchmarks.extract import read_regions
from benchmarks.figure import Figure
from radcurate.keys import create_key

PROJECT = Path(__file__).resolve().parents[1]
PROCESSES, REPEATS, GOAL = 2, 3, 5.0
PARAMETERS = {
    "CT": {"resampledPixelSpacing": [2, 2, 2], "binWidth": 25, "resegmentRange": [-1000, 400]},
    "MR_T1": {"resampledPixelSpacing": [2, 2, 2], "binCount": 32},
    "PET": {"resampledPixelSpacing": [4, 4, 4], "binWidth": 0.25},
}


def figures() -> list[Figure]:
    """How many times as fast as pyradiomics' batch command."""
    data = os.environ.get("RADCURATE_TEST_DATA")
    if not data:
        print("extract_cohort: left out, RADCURATE_TEST_DATA is not set", file=sys.stderr)
        return []
    cohort = Path(data) / "ibsi" / "ibsi_validation" / "dicom"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_batches(cohort, folder)
        _curate(cohort, folder)
        turns = [(_batches(folder), _extract(folder)) for _ in range(REPEATS)]
    theirs, ours = (statistics.median(values) for values in zip(*turns, strict=True))
    print(f"extract_cohort: pyradiomics {theirs:.1f} CPU-s, radcurate {ours:.1f} CPU-s", file=sys.stderr)
    name = "extract, sarcoma cohort, DICOM to Parquet, speed over pyradiomics' batch"
    return [Figure(name, theirs / ours, GOAL, "×", at_most=False)]


def _write_batches(cohort: Path, folder: Path) -> None:
    """For each modality, NIfTI files, the list of them and pyradiomics' parameters."""
    for modality, settings in PARAMETERS.items():
        lines = []
        for patient in sorted(cohort.iterdir()):
            volume, mask = read_regions(patient / modality)
            image, region = (
                SimpleITK.GetImageFromArray(volume.values),
                SimpleITK.GetImageFromArray(mask.astype("uint8")),
            )
            for kind, one in (("image", image), ("mask", region)):
                one.SetSpacing(volume.grid.spacing[::-1])
                SimpleITK.WriteImage(one, str(folder / f"{patient.name}_{modality}_{kind}.nii.gz"))
            lines.append([str(folder / f"{patient.name}_{modality}_{kind}.nii.gz") for kind in ("image", "mask")])
        with (folder / f"{modality}.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows([["Image", "Mask"], *lines])
        content = {"imageType": {"Original": {}}, "setting": {"interpolator": "sitkLinear", **settings}}
        (folder / f"{modality}.yaml").write_text(yaml.safe_dump(content))


def _batches(folder: Path) -> float:
    """CPU seconds of pyradiomics."""
    program = str(Path(sys.executable).parent / "pyradiomics")
    seconds = 0.0
    for modality in PARAMETERS:
        out = folder / f"{modality}_features.csv"
        out.unlink(missing_ok=True)
        command = [program, str(folder / f"{modality}.csv"), "--param", str(folder / f"{modality}.yaml")]
        seconds += _cpu([*command, "--out", str(out), "--format", "csv", "--jobs", str(PROCESSES)], folder)
        assert sum(1 for _ in out.open()) == 10, "a case is missing"
    return seconds


def _curate(cohort: Path, folder: Path) -> None:
    """The stages before extract, once, not measured."""
    (folder / "run").mkdir()
    create_key(folder / "key")
    lines = ["patient,model,purposes,recontact,withdrawn,date,governance"]
    lines += [f"{patient.name},broad,research,no,,2015-01-01,IRB-1" for patient in sorted(cohort.iterdir())]
    (folder / "consent.csv").write_text("\n".join(lines) + "\n")
    content = {
        "input": str(cohort),
        "key_file": str(folder / "key"),
        "inventory": {"n_chunks": 1},
        "consent": {"table": str(folder / "consent.csv"), "purpose": "research"},
    }
    (folder / "run.yaml").write_text(yaml.safe_dump(content))
    command = [sys.executable, "-m", "snakemake", "-s", str(PROJECT / "Snakefile"), "--directory", str(folder / "run")]
    command += ["--profile", str(PROJECT / "profiles" / "default"), "--cores", "2"]
    command += ["--configfile", str(folder / "run.yaml"), "--"]
    # what a checkpoint is to make has to be there before a chunk of it can be asked for
    for target in ("consent", "results/verify/00000/series.parquet"):
        subprocess.run([*command, target], check=True, capture_output=True)


def _extract(folder: Path) -> float:
    """CPU seconds of the stage."""
    (chunk,) = (folder / "run" / "results" / "deface").iterdir()
    command = [sys.executable, "-m", "radcurate.stages.extract", "--threads", str(PROCESSES)]
    command += ["--settings", '{"invariance": false}', "--export", str(folder)]
    command += ["--chunk", str(folder / "run" / "results" / "consent" / "chunks" / chunk.name)]
    command += ["--source", str(chunk), "--profiles", str(PROJECT / "config" / "extraction")]
    command += ["--subjects", str(folder / "run" / "results" / "deidentify" / chunk.name)]
    command += ["--verified", str(folder / "run" / "results" / "verify" / chunk.name), "--out", str(folder / "extract")]
    return _cpu(command, folder, RADCURATE_KEY_FILE=str(folder / "key"))


def _cpu(command: Sequence[str], folder: Path, **environment: str) -> float:
    """CPU seconds of a command and all its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env={**os.environ, **environment})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

"""The ways that benchmarks/deidentify.py compares, each measured in a process of its own: a heap grown by another way costs time."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import cpu
from radcurate import tables
from radcurate.keys import Key
from radcurate.settings import Deidentify, Verify
from radcurate.stages._written import seal

ROOT = Path(__file__).resolve().parents[1]
KEY = Key(bytes(range(32)))
ALLOWLIST, VOCABULARY = ROOT / "config" / "allowlist", ROOT / "config" / "vocabulary.yaml"
SHARE = 5  # of the files, one in so many is enough for the slowest peer


def names() -> list[str]:
    """The ways that can be taken here."""
    peers = {"dcmanon": "dcmanon", "dicom-anonymizer": "dicomanonymizer"}
    found = [name for name, module in peers.items() if importlib.util.find_spec(module)]
    return ["copy", "fixed", "radcurate", "verify", *found]


def spent(name: str, folder: Path) -> float:
    """CPU seconds of a way in a fresh process, after one run that warms it up."""
    code = "import sys; from pathlib import Path; from benchmarks import ways; ways.run(sys.argv[1], Path(sys.argv[2]))"
    command = [sys.executable, "-W", "ignore", "-c", code, name, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.split("\n")[-2]))


def run(name: str, folder: Path) -> None:
    """Take a way twice and print the CPU seconds of the second time."""
    seconds = 0.0
    for _ in range(2):
        shutil.rmtree(folder / name, ignore_errors=True)
        seconds = cpu(lambda: WAYS[name](folder))
    print("\n" + json.dumps(seconds))


def _copy(folder: Path) -> None:
    (folder / "copy").mkdir()
    for path in _sources(folder):
        shutil.copyfile(path, folder / "copy" / path.name)


def _radcurate(folder: Path) -> None:
    _deidentify(folder, "chunk", "radcurate")


def _fixed(folder: Path) -> None:
    _deidentify(folder, "empty", "fixed")


def _deidentify(folder: Path, chunk: str, name: str) -> None:
    from radcurate.stages import deidentify

    out = folder / name
    deidentify.run(Deidentify(), folder / chunk, folder / "in", out, KEY, ALLOWLIST, VOCABULARY, threads=1)
    assert all(row["status"] == tables.OK for row in tables.read_rows(out / "series.parquet"))


def _verify(folder: Path) -> None:
    """The whole stage on what `_radcurate` wrote, as deface hands it on when no face is in view."""
    from radcurate.stages import verify

    done, cleaned = folder / "radcurate", folder / "cleaned"
    if not cleaned.exists():
        shutil.copytree(done / "dicom", cleaned / "dicom")
        names = {name for name, _ in tables.DEFACE_SERIES.columns}
        rows = tables.read_rows(done / "series.parquet")
        handed = [{key: row[key] for key in row.keys() & names} | {"face": "none", "changed_voxels": 0} for row in rows]
        tables.write_rows(cleaned / "series.parquet", tables.DEFACE_SERIES, handed)
        seal(cleaned, ["series.parquet"], KEY)
    verify.run(Verify(), folder / "in", folder / "chunk", done, cleaned, [], folder / "verify", KEY, threads=1)
    assert all(row["status"] == tables.OK for row in tables.read_rows(folder / "verify" / "series.parquet"))


def _dcmanon(folder: Path) -> None:
    import dcmanon

    anonymizer = dcmanon.Anonymizer()
    (folder / "dcmanon").mkdir()
    for path in _sources(folder):
        (folder / "dcmanon" / path.name).write_bytes(anonymizer.anonymize(str(path)))


def _dicom_anonymizer(folder: Path) -> None:
    from dicomanonymizer import anonymize_dicom_file

    (folder / "dicom-anonymizer").mkdir()
    for path in _sources(folder)[::SHARE]:
        anonymize_dicom_file(str(path), str(folder / "dicom-anonymizer" / path.name))


def _sources(folder: Path) -> list[Path]:
    return sorted((folder / "in").iterdir())


WAYS = {
    "copy": _copy,
    "fixed": _fixed,
    "radcurate": _radcurate,
    "verify": _verify,
    "dcmanon": _dcmanon,
    "dicom-anonymizer": _dicom_anonymizer,
}

"""No planted identifier anywhere a run leaves something, but in the identity zone."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline_tools import N_PATIENTS, tree_digest
from radcurate import tables
from radcurate.demo import make_cohort

pytestmark = pytest.mark.xdist_group("pipeline")

# where identity may live, by the plan of the house
IDENTITY = ("results/inventory", "results/consent")


def outside_the_identity_zone(folder: Path) -> Iterator[Path]:
    """Every file a run wrote after consent: results, logs, Snakemake's records."""
    for base in (folder / "results", folder / ".snakemake"):
        for path in sorted(base.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and not name.startswith(IDENTITY):
                yield path


def readable_bytes(path: Path) -> bytes:
    """A file's bytes, and what they unpack to: Parquet cells, gzip contents."""
    content = path.read_bytes()
    if path.suffix == ".parquet":
        content += json.dumps(pq.read_table(path).to_pylist(), ensure_ascii=False, default=str).encode()
        content += str(pq.read_schema(path).metadata).encode()
    elif path.suffix == ".gz":
        content += gzip.decompress(content)
    return content


def leaks(folder: Path, values: Iterable[str]) -> list[str]:
    """Places where one of the values stands, case and encoding ignored; names of places only."""
    values = set(values)
    uids = {value.encode() for value in values if UID.fullmatch(value.encode())}
    forms = {form.lower() for value in values for form in encodings(value)} - uids
    words = re.compile(b"|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)) or b"(?!)")
    found = []
    for path in outside_the_identity_zone(folder):
        name = path.relative_to(folder).as_posix()
        content = name.encode() + b"\n" + readable_bytes(path)
        if words.search(content.lower()) or holds_uid(content, uids):
            found.append(name)
    return found


UID = re.compile(rb"[0-9][0-9.]{15,63}")


def holds_uid(content: bytes, uids: set[bytes]) -> bool:
    """Thousands of UIDs in one pass: only runs of digits and dots that hold one's beginning are looked at closely."""
    starts = re.compile(b"|".join(re.escape(start) for start in {uid[:16] for uid in uids}) or b"(?!)")
    return any(
        starts.search(run) and any(uid in run for uid in uids) for run in set(re.findall(rb"[0-9.]{16,}", content))
    )


def encodings(value: str) -> set[bytes]:
    """The value as UTF-8 and as Latin-1; UIDs, names and IDs shorter than four characters prove nothing."""
    value = value.strip()
    return {value.encode("utf-8"), value.encode("latin-1", "ignore")} if len(value) >= 4 else set()


def planted(truth: dict) -> list[str]:
    return [entry["value"] for entry in truth["identifiers"]]


def original_uids(project) -> set[str]:
    """All instance, series, study and frame-of-reference UIDs of the export, from the identity zone."""
    found: set[str] = set()
    for path in (project.results / "inventory" / "chunks").glob("*/identifiers.parquet"):
        found |= {row["value"] for row in tables.read_rows(path) if row["category"] == "uid"}
    return found


def test_no_planted_identifier_is_left(finished):
    truth = json.loads((finished.data / "truth.json").read_text())
    values = planted(truth)
    assert len(values) > 100
    assert leaks(finished.folder, values) == []


def test_no_original_uid_is_left(finished):
    uids = original_uids(finished)
    assert len(uids) > 100
    assert leaks(finished.folder, uids) == []


def test_the_search_finds_what_is_planted(run):
    """The control: a search that finds nothing anywhere would pass the tests above."""
    truth = json.loads((run.data / "truth.json").read_text())
    value = next(value for value in planted(truth) if len(value) >= 6)
    log = run.results / "logs" / "extract.txt"
    log.write_text(f"reading {value.upper()}\n")
    assert leaks(run.folder, planted(truth)) == ["results/logs/extract.txt"]


def test_the_key_is_nowhere_in_the_run_folder(finished):
    secret = finished.key_file.read_text().strip()
    for path in sorted(finished.folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            assert secret.encode() not in content.lower() and bytes.fromhex(secret) not in content, path.name


def test_the_source_is_as_it_was(finished, cohort, tmp_path):
    make_cohort(tmp_path / "again", n_patients=N_PATIENTS)
    assert tree_digest(tmp_path / "again" / "export") == tree_digest(cohort / "export")


@pytest.mark.parametrize("zone", ["inventory", "consent"])
def test_folders_with_identity_are_private(finished, zone):
    base = finished.results / zone
    for path in [base, *base.rglob("*")]:
        if path.name == ".snakemake_timestamp":  # Snakemake's own, empty
            assert path.stat().st_size == 0
            continue
        mode = path.stat().st_mode & 0o777
        assert mode == (0o700 if path.is_dir() else 0o600), f"{path.relative_to(base)}: {mode:o}"

"""attack, gate and release of a large cohort: CPU time and memory, each in a process of its own.

Invented tables of every stage around those of `scale_tables`; `protect` makes the tables of the release.
Run: python -m benchmarks.scale_release FOLDER ROWS CHUNKS (what lies in FOLDER from a run before is used again).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from benchmarks.figure import Figure
from benchmarks.scale_tables import KEY, Size, write_extract
from radcurate import tables
from radcurate.seals import SEAL, write_seal
from radcurate.settings import Attack, Config, Deidentify, Gate, Protect, Release

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = ROOT / "config" / "columns.yaml"
MOST_MEGABYTES, MOST_SECONDS = 4_000.0, 3_600.0
ROWS, CHUNKS = 1_000_000, 256
STAGES = ("attack", "gate", "release")


def figures(folder: Path | None = None, rows: int = ROWS, chunks: int = CHUNKS) -> list[Figure]:
    """What each stage costs on a cohort of so many regions."""
    if folder is None:
        with tempfile.TemporaryDirectory() as name:
            return figures(Path(name), rows, chunks)
    make(folder / "results", rows, chunks)
    found = []
    for stage in STAGES:
        seconds, megabytes = _measured(stage, folder / "results")
        what = f"{stage}, {rows:,} rows × 200, {chunks} chunks"
        found.append(Figure(what, seconds, MOST_SECONDS, "CPU-s"))
        found.append(Figure(f"{what}, memory", megabytes, MOST_MEGABYTES, "MB"))
    return found


def make(results: Path, rows: int, chunks: int) -> None:
    """The tables of a run that has come as far as protect."""
    from radcurate.stages import protect

    if not (results / "extract").is_dir():
        write_extract(results / "extract", Size(rows=rows, chunks=chunks))
    folders = sorted((results / "extract").iterdir())
    if not (results / "protect" / SEAL).is_file():
        protect.run(Protect(), folders, results / "protect", KEY, COLUMNS)
    if not (results / "consent" / SEAL).is_file():
        _stages_before(results, folders)


def _stages_before(results: Path, folders: Iterable[Path]) -> None:
    """Inventory to verify: every series passed, a file each."""
    every = []
    for folder in folders:
        series = tables.read(folder / "series.parquet")
        every.append(series)
        for stage, made in _chunk(series).items():
            for name, (schema, columns) in made.items():
                tables.write(results / stage.format(folder.name) / name, _filled(schema, columns, series.num_rows))
            write_seal(results / stage.format(folder.name), list(made), KEY)
    whole = tables.sort(tables.EXTRACT_SERIES, pa.concat_tables(every))
    tables.write(results / "consent" / "series.parquet", _filled(tables.CONSENT_SERIES, _plain(whole), whole.num_rows))
    tables.write_rows(results / "consent" / "exclusions.parquet", tables.CONSENT_EXCLUSIONS, [])
    files = {"total": whole.num_rows, "placed": whole.num_rows, "quarantined": {}}
    (results / "consent" / "files.json").write_text(json.dumps(files))
    write_seal(results / "consent", ["series.parquet", "exclusions.parquet", "files.json"], KEY)
    tables.write_rows(results / "inventory" / "unplaced.parquet", tables.INVENTORY_INSTANCES, [])
    write_seal(results / "inventory", ["unplaced.parquet"], KEY)


Made = dict[str, tuple[tables.Schema, dict[str, object]]]


def _chunk(series: pa.Table) -> dict[str, Made]:
    """Tables of one chunk by folder; what a column lacks is null."""
    plain, one = _plain(series), {"n_instances": 1}
    files = {"series": series["series"], "status": tables.OK, "file": series["series"], "path": series["series"]}
    inventory: Made = {
        "series.parquet": (tables.INVENTORY_SERIES, plain | one),
        "instances.parquet": (tables.INVENTORY_INSTANCES, files),
        "identifiers.parquet": (tables.INVENTORY_IDENTIFIERS, _none()),
    }
    copies = {"series": series["series"], "name": "a.dcm", "order": 0, "header_source": series["series"], "header": "0"}
    return {
        "inventory/chunks/{}": inventory,
        "consent/chunks/{}": inventory,
        "deidentify/{}": {
            "series.parquet": (tables.DEIDENTIFY_SERIES, plain | one | {"study_date": "2015-01-01", "sex": "F"}),
            "instances.parquet": (tables.DEIDENTIFY_INSTANCES, copies),
            "actions.parquet": (tables.DEIDENTIFY_ACTIONS, _none()),
        },
        "redact/{}": {
            "series.parquet": (
                tables.REDACT_SERIES,
                plain | one | {"looked": 1, "residual": 0, "overlap_voxels": 0, "strict": True, "decision": "no_text"},
            ),
            "boxes.parquet": (tables.REDACT_BOXES, _none()),
        },
        "deface/{}": {
            "series.parquet": (tables.DEFACE_SERIES, plain | one | {"face": "none", "decision": "no_head_in_view"}),
            "qc.parquet": (tables.DEFACE_QC, {"series": series["series"]}),
            "masks.parquet": (tables.DEFACE_MASKS, _none()),
        },
        "verify/{}": {
            "series.parquet": (tables.VERIFY_SERIES, plain | {"files": 1, "paired": 1, "hits": 0}),
            "attributes.parquet": (tables.VERIFY_ATTRIBUTES, _none()),
            "canary.parquet": (
                tables.VERIFY_CANARY,
                {"hipaa": "A", "kind": "tag", "planted": 1, "seen_before": 1, "cleaned": 1, "left": 0},
            ),
            "hits.parquet": (tables.VERIFY_HITS, _none()),
        },
    }


def _none() -> dict[str, object]:
    return {"": None}


def _plain(series: pa.Table) -> dict[str, object]:
    return {name: series[name] for name in ("series", "subject", "kind", "modality", "status")}


def _filled(schema: tables.Schema, columns: dict[str, object], rows: int) -> pa.Table:
    """A table of `schema`: columns as given, single values in each row, null for the others; no row if nothing is given."""
    rows = 0 if "" in columns else rows

    def column(name: str, kind: pa.DataType) -> object:
        given = columns.get(name)
        return given if isinstance(given, pa.ChunkedArray) else pa.repeat(pa.scalar(given, kind), rows)

    content = pa.table([column(name, kind) for name, kind in schema.columns], schema=schema.arrow)
    return tables.sort(schema, content)


def _measured(stage: str, results: Path) -> tuple[float, float]:
    """CPU seconds, and the largest resident set in MB."""
    command = [sys.executable, "-m", "benchmarks.scale_release", "--stage", stage, str(results)]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True
    )
    seconds, kilobytes = done.stdout.split()[-2:]
    return float(seconds), float(kilobytes) / 1024


def run_stage(stage: str, results: Path) -> None:
    """One stage in this process; prints its CPU seconds and its peak in kB."""
    import time

    from radcurate.errors import CurationError
    from radcurate.stages import attack, gate, release

    pa.set_memory_pool(pa.system_memory_pool())  # as a stage does
    if stage == "attack":
        attack.from_results(Attack(), results, results / "attack", KEY, COLUMNS, [])
    if stage == "gate":
        policy, table = ROOT / "config" / "policies" / "internal.yaml", ROOT / "config" / "safe_harbor.yaml"
        try:
            papers = [ROOT / "config" / "governance" / "access.yaml"]
            gate.run(Gate(), results, results / "gate", KEY, policy, table, Deidentify(), papers)
        except CurationError:  # invented tables prove nothing; what is measured is the work
            _let_pass(results / "gate")
    if stage == "release":
        out = results / "release" / "release.json"
        release.run(Release(), results, out, KEY, Config(), COLUMNS, codes='{"all": "invented"}')
    print(time.process_time(), Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])


def _let_pass(gate: Path) -> None:
    """A verdict in place of the refusal, so that the release can be measured."""
    content = json.loads((gate / "refusal.json").read_text())
    (gate / "verdict.json").write_text(json.dumps(content | {"holds": True}))
    (gate / "terms.md").write_text("none\n")
    names = ["verdict.json", "outcomes.parquet", "safe_harbor.json", "terms.md", "fairness.json"]
    write_seal(gate, names, KEY)


if __name__ == "__main__":
    if sys.argv[1] == "--stage":
        run_stage(sys.argv[2], Path(sys.argv[3]))
    else:
        print("\n".join(map(str, figures(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))))

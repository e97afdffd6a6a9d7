"""`radcurate doctor`: whether a run can work here, and what to do where it can't."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from radcurate import workflow
from radcurate.audit.chain import HEADS_VARIABLE, home_of_heads
from radcurate.cli._run import PROJECT, run_config
from radcurate.errors import CurationError
from radcurate.governance.documents import KINDS
from radcurate.governance.policy import load_policy
from radcurate.keys import load_key
from radcurate.operation import cluster, disk, environment
from radcurate.operation.finding import FAULT, Finding, examine, fault, good, note, render
from radcurate.operation.progress import read_progress
from radcurate.settings import Config
from radcurate.sources import reading

RESULTS = Path("results")
LARGEST_CHUNK = 512  # series: above it, one job takes too long to be repeated


def add(parser: argparse.ArgumentParser) -> None:
    """Which configuration the run would have."""
    parser.add_argument("--configfile", type=Path, nargs="*", default=[], metavar="FILE", help="as given to snakemake")
    parser.add_argument("--input", type=Path, metavar="DIR", help="the export, where the configuration doesn't name it")
    parser.add_argument("--profile", type=Path, default=PROJECT / "profiles" / "slurm", metavar="DIR")
    parser.add_argument("--json", action="store_true", help="for programs: a list of about, state, found, remedy")
    parser.set_defaults(verb=doctor)


def doctor(chosen: argparse.Namespace) -> int:
    """Print what was found; exit code 1 where a run would fail or not be safe."""
    findings = list(examine(_checks(chosen.configfile, chosen.input, chosen.profile)))
    faults = sum(finding.state == FAULT for finding in findings)
    if chosen.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        print(render(findings))
        print(f"\n{faults or 'no'} fault{'' if faults == 1 else 's'}" + ("" if faults else ": a run can start"))
    return 1 if faults else 0


def _checks(
    configfile: Sequence[Path], source: Path | None, profile: Path
) -> list[tuple[str, Callable[[], Iterable[Finding]]]]:
    machine: list[tuple[str, Callable[[], Iterable[Finding]]]] = [
        ("python", environment.interpreter),
        ("packages", lambda: environment.pins(PROJECT / "uv.lock")),
        ("parts", environment.parts),
        ("machine", environment.processors),
        ("results", lambda: disk.abilities(RESULTS)),
        ("permissions", lambda: disk.privacy(RESULTS)),
        ("lock", _lock),
        ("slurm", lambda: cluster.slurm(profile)),
    ]
    try:
        config = run_config(configfile, source)
    except CurationError as error:
        told = fault("configuration", f"{error.problem}: {error.found}", error.fix)
        return [*machine, ("configuration", lambda: [told])]
    own: list[tuple[str, Callable[[], Iterable[Finding]]]] = [
        ("configuration", lambda: [good("configuration", "can be read")]),
        ("key", lambda: _key(config)),
        ("audit", _audit),
        ("input", lambda: _input(config)),
        ("consent", lambda: _consent(config)),
        ("policy", lambda: _policy(config)),
        ("chunks", lambda: _chunks(config)),
    ]
    return [*machine, *own]


def _key(config: Config) -> Iterator[Finding]:
    path = Path(config.key_file).expanduser()
    key = load_key(path, run_folder=Path.cwd())
    yield good("key", f"{key.key_id}, mode 0600, outside the run folder")
    if path.parent.stat().st_mode & 0o022:
        yield fault("key", "others may write into the folder that holds the key", "chmod go-w that folder")


def _audit() -> Iterator[Finding]:
    """Without a place for the heads of the record no run begins."""
    heads = home_of_heads()
    place = next(each for each in (heads, *heads.parents) if each.exists())
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        yield good("audit", "the heads of the record of processing can be kept outside the run")
    else:
        remedy = f"export {HEADS_VARIABLE}=DIR, a folder outside the run that this user may write to"
        yield fault("audit", "the folder for the heads of the record of processing can't be written", remedy)


def _input(config: Config) -> Iterator[Finding]:
    origin = reading.input_origin(config, RESULTS)
    if origin.kind == "server":
        reading.check_server(config.fetch, origin.place)
        yield good("input", "a DICOMweb server that may be asked; whether it answers is seen when a run is planned")
        return
    place = Path(origin.place)
    if not os.access(place, os.R_OK | (os.X_OK if place.is_dir() else 0)):
        yield fault("input", "may not be read by this user", "ask for read permission on the export")
        return
    written = ", and written: the export is never written to" if os.access(place, os.W_OK) else ""
    yield good("input", ("archives in it are fetched first; it " if origin.fetched else "") + "can be read" + written)
    yield from disk.space(RESULTS, disk.size_of(place) if place.is_dir() else place.stat().st_size)


def _consent(config: Config) -> Iterator[Finding]:
    workflow.consent_table(config)
    yield good("consent", f"a table is there, purpose {config.consent.purpose}")


def _policy(config: Config) -> Iterator[Finding]:
    name = config.gate.policy
    path = workflow.resolve(name if name.endswith((".yaml", ".yml")) else f"config/policies/{name}.yaml", PROJECT)
    policy = load_policy(path).policy
    yield good("policy", f"{policy.name}: {len(policy.criteria)} criteria")
    papers = workflow.paper_paths(config, PROJECT)
    missing = [kind for kind in policy.documents if (paper := KINDS[kind][0]) and paper not in papers]
    if missing:
        yield note("policy", f"papers it asks for are not there: {', '.join(missing)}", "docs/howto/approve.md")


def _lock() -> Iterator[Finding]:
    locks = Path(".snakemake/locks")
    if locks.is_dir() and any(locks.iterdir()):
        yield note(
            "lock", "a run is going on here, or was killed", "if it was killed: snakemake --unlock, then snakemake"
        )
    elif RESULTS.is_dir():
        yield good("lock", "no run is going on here")


def _chunks(config: Config) -> Iterator[Finding]:
    found = len(list((RESULTS / "inventory" / "chunks").glob("*/series.parquet")))
    if not found:
        return
    stages = {stage.name: stage for stage in read_progress(Path()).stages}
    series = sum(stages["inventory"].series.values())
    told = f"{series} series in {found} chunks"
    if series / found > LARGEST_CHUNK:
        more = -(-series // 256)
        remedy = f"a failed job repeats hundreds of series: inventory.n_chunks: {more} (runs everything again)"
        yield note("chunks", told, remedy)
    else:
        yield good("chunks", told)

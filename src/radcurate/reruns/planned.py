"""What Snakemake would run and what it saw changed, asked of its own planning (a dry run that prints nothing)."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from radcurate.errors import CurationError


@dataclass(frozen=True)
class Planned:
    """A job that would run, and everything that Snakemake found about it. Paths as the rules name them."""

    rule: str
    chunk: str | None
    ran_before: bool
    was: frozenset[str] = frozenset()  # parameters that were other ones, as Python writes them
    now: Mapping[str, str] = field(default_factory=dict)  # those that are other ones now, by name
    changed: frozenset[str] = frozenset()  # inputs with other content, which no planned job writes
    came: frozenset[str] = frozenset()  # inputs that are new
    gone: frozenset[str] = frozenset()  # inputs that are no longer asked for
    missing: frozenset[str] = frozenset()  # outputs that are not there
    interrupted: bool = False  # the last run ended while it wrote
    rule_changed: bool = False  # its command is another one
    after: frozenset[str] = frozenset()  # rules that run before it and make its inputs anew


@dataclass(frozen=True)
class Plan:
    """The jobs that would run, in the order of the pipeline, and how many chunks each rule has."""

    jobs: Sequence[Planned]
    rules: Sequence[str]  # all of the pipeline
    chunks: Mapping[str, int]  # rule → its jobs, whether they would run or not


def plan(project: Path, configfiles: Sequence[Path], options: Mapping[str, Any], profile: Path) -> Plan:
    """Plan a run in the working directory.

    Args:
        project: where the Snakefile lies.
        configfiles: as the run was told, later ones winning.
        options: of `--config`.
        profile: the folder whose limit on checksums holds.

    Raises:
        CurationError: Snakemake can't plan; it has said why.
        SystemExit: the configuration, the key or the input is not right; it was explained.
    """
    from snakemake.api import SnakemakeApi
    from snakemake.settings import types as settings

    quiet = settings.OutputSettings(quiet={settings.Quietness.ALL}, enable_file_logging=False)
    with SnakemakeApi(quiet) as api:
        workflow = api.workflow(
            resource_settings=settings.ResourceSettings(cores=1),
            config_settings=settings.ConfigSettings(config=dict(options), configfiles=[Path(p) for p in configfiles]),
            snakefile=project / "Snakefile",
        )
        wanted = settings.DAGSettings(force_incomplete=True, max_checksum_file_size=_most_checked(profile))
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                workflow.dag(wanted).printrulegraph()  # the cheapest that makes the whole plan and runs nothing
        except Exception as error:
            api.print_exception(error)
            raise _unplanned() from None
        return _read(workflow._workflow.dag, workflow._workflow.persistence)


def _unplanned() -> CurationError:
    return CurationError(
        "Snakemake can't plan the run",
        wanted="a plan",
        found="what it says above",
        fix="mend that; `snakemake --dry-run` shows more",
    )


def _most_checked(profile: Path) -> int:
    """Size of files, bytes, up to which content is compared."""
    try:
        content = yaml.safe_load((profile / "config.yaml").read_text())
        return int(content["max-checksum-file-size"])
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError):
        return 1_000_000


def _read(dag: Any, records: Any) -> Plan:
    jobs = [job for level in dag.toposorted() for job in level if job.rule.name != "all"]
    chunks: dict[str, int] = {}
    for job in jobs:
        chunks[job.rule.name] = chunks.get(job.rule.name, 0) + 1
    waiting = {job for job in dag.needrun_jobs() if job.rule.name != "all"}
    order = [rule.name for rule in dag.workflow.rules if rule.name != "all"]
    found = [_job(job, dag, records, waiting) for job in jobs if job in waiting]
    found.sort(key=lambda one: (order.index(one.rule), one.chunk or ""))
    return Plan(found, order, chunks)


def _job(job: Any, dag: Any, records: Any, waiting: set[Any]) -> Planned:
    reason = dag.reason(job)
    before = [job_ for job_ in dag.dependencies[job] if job_ in waiting]
    made = {str(path) for other in before for path in other.output}
    recorded = next((record for path in job.output if (record := records.metadata(path)) is not None), None)
    inputs = {str(path) for path in job.input}
    known = set(recorded.input or ()) if recorded else inputs
    change = records.params_changed(job) if recorded else None
    was = frozenset(change.only_old) if change else frozenset()
    return Planned(
        rule=job.rule.name,
        chunk=getattr(job.wildcards, "chunk", None),
        ran_before=recorded is not None,
        was=was,
        now={name: text for name, text in _named(job, records) if change and text in change.only_new},
        changed=frozenset(str(path) for path in reason.updated_input) - made,
        came=frozenset(inputs - known) - made,
        gone=frozenset(known - inputs),
        missing=frozenset(os.fspath(path) for path in reason.missing_output),
        interrupted=bool(reason.incomplete_output),
        rule_changed=bool(recorded and recorded.code is not None and recorded.code != job.rule.shellcmd),
        after=frozenset(other.rule.name for other in before),
    )


def _named(job: Any, records: Any) -> list[tuple[str, str]]:
    """Parameters by name, as Snakemake records them."""
    return [(name, records._serialize_param(value)) for name, value in job.params.items()]

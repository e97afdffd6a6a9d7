"""A Slurm cluster, as far as it can be asked from here."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml

from radcurate.operation.finding import Finding, fault, good, note

PLUGIN = "snakemake-executor-plugin-slurm"
PATIENCE = 20  # seconds for an answer


def slurm(profile: Path) -> Iterator[Finding]:
    """Whether a run with `--workflow-profile slurm` could work; a note where there is no Slurm, which most need not have."""
    if shutil.which("sbatch") is None:
        yield good("slurm", "none here: runs on this machine")
        return
    partitions, problem = _asked(["sinfo", "--noheader", "--format=%R %a"])
    if problem:
        remedy = "ask whoever runs the cluster whether slurmctld is up; runs on this machine alone don't need it"
        yield note("slurm", f"sbatch is here, but sinfo says: {problem}", remedy)
        return
    names = [line.split()[0] for line in partitions if line.endswith(" up")]
    yield good("slurm", f"partitions: {', '.join(sorted(set(names))) or 'none that is up'}")
    try:
        yield good("slurm", f"{PLUGIN} {version(PLUGIN)}")
    except PackageNotFoundError:
        yield note(
            "slurm", f"{PLUGIN} is not installed", "make setup EXTRA=slurm; then snakemake --workflow-profile slurm"
        )
    _, unknown = _asked(["sacct", "--noheader", "--allocations", "--starttime=now"])
    if unknown:
        remedy = "set `slurm-status-command: squeue` in profiles/slurm/config.yaml, or no job's end is ever seen"
        yield note("slurm", "no accounting (sacct gives no answer)", remedy)
    asked = partition_of(profile)
    if asked and asked not in names:
        yield fault(
            "slurm", f"the profile asks for partition {asked}", f"set slurm_partition in {profile.name}/config.yaml"
        )


def end_of(submission: str) -> str:
    """What Slurm's accounting calls the end of a submission, as NODE_FAIL; empty where nobody knows."""
    if shutil.which("sacct") is None or not submission.isdigit():
        return ""
    states, _ = _asked(["sacct", "-X", "-n", "-P", "-o", "State", "-j", submission])
    return states[-1].split()[0] if states and states[-1].strip() else ""


def _asked(command: Sequence[str]) -> tuple[list[str], str]:
    """Lines of the answer, and what went wrong."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except FileNotFoundError:
        return [], f"{command[0]} is not installed"
    except subprocess.TimeoutExpired:
        return [], f"no answer in {PATIENCE} s"
    if done.returncode:
        return [], (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return done.stdout.splitlines(), ""


def partition_of(profile: Path) -> str:
    """The partition that a profile asks for; empty where it leaves that to the cluster."""
    try:
        content = yaml.safe_load((profile / "config.yaml").read_text()) or {}
    except (OSError, yaml.YAMLError):
        return ""
    resources = content.get("default-resources") or []
    told = [f"{name}={value}" for name, value in resources.items()] if isinstance(resources, dict) else resources
    found = (re.fullmatch(r"slurm_partition=[\"']?([\w.-]+)[\"']?", str(line)) for line in told)
    return next((match[1] for match in found if match), "")

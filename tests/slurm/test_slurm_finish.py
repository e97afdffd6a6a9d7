"""A whole run on a cluster: the same release as on one machine, and nothing told that Slurm would keep."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster_tools import EXPORT, KEY, USER, Cluster
from pipeline_tools import tree_digest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def submitted(cluster: Cluster, fresh: Path) -> Path:
    """A run from nothing, every job of it on a node."""
    folder = cluster.copy(fresh, "submitted")
    cluster.run(folder, "--slurm-keep-successful-logs")
    return folder


def test_cluster_and_local_releases_are_byte_identical(submitted: Path, finished: Path) -> None:
    assert tree_digest(submitted / "results" / "release") == tree_digest(finished / "results" / "release")


def test_the_stages_of_a_chunk_are_one_submission_and_all_run_as_an_ordinary_user(
    submitted: Path, cluster: Cluster
) -> None:
    said = (submitted / "said").read_text()
    ids = re.findall(r"has been submitted with SLURM jobid (\d+)", said)
    chunks = [path for path in (submitted / "results" / "consent" / "chunks").iterdir() if path.is_dir()]
    assert len(chunks) == 3
    assert len(ids) == 6 + len(chunks)  # inventory, consent, protect, attack, gate, release
    ended = cluster.ask("sacct", "-X", "-n", "-P", "-o", "User,State", "-j", ",".join(ids)).split()
    assert set(ended) == {f"{USER}|COMPLETED"}
    owners = {path.stat().st_uid for path in (submitted / "results").rglob("*")}
    assert 0 not in owners


def test_folders_with_identity_are_closed_on_the_cluster_too(submitted: Path) -> None:
    for stage in ("inventory", "consent"):
        paths = [submitted / "results" / stage, *(submitted / "results" / stage).rglob("*")]
        open_ones = [path for path in paths if path.stat().st_mode & 0o077]
        assert {path.name for path in open_ones} <= {".snakemake_timestamp"}  # empty, in a closed folder


def test_slurm_keeps_neither_key_nor_export_nor_patients(submitted: Path, cluster: Cluster) -> None:
    kept = b"\0".join(_kept(cluster, submitted))
    assert b"run.yaml" in kept  # job scripts are among what is searched
    assert b"PYTHONDONTWRITEBYTECODE=1" in kept  # and environments
    for secret in [KEY, EXPORT, *_identifiers(cluster)]:
        assert secret.encode() not in kept, "found in what Slurm or Snakemake keep"


def test_what_a_submission_had_in_its_environment_would_be_found(cluster: Cluster) -> None:
    """The protection taken out: sbatch itself keeps all that it is given."""
    told = {"PATH": "/usr/bin:/bin", "RADCURATE_INPUT": f"/data/{EXPORT}"}
    command = ["sbatch", "--parsable", "--export=ALL", "-o", "/dev/null", "-D", "/tmp", "--wrap", "true"]
    subprocess.run(command, env=told, user=USER, group=USER, extra_groups=[], check=True, capture_output=True)
    assert EXPORT.encode() in b"\0".join(_kept(cluster))


def test_configuration_on_the_command_line_is_refused_before_anything_is_submitted(
    cluster: Cluster, fresh: Path
) -> None:
    folder = cluster.copy(fresh, "told")
    said = cluster.run(folder, "--config", f"input={cluster.shared / EXPORT}", ok=False)
    assert "radcurate: configuration on the command line of a cluster run" in said
    assert "has been submitted" not in said and "Traceback" not in said


def _kept(cluster: Cluster, *projects: Path) -> Iterator[bytes]:
    """All that the daemons hold: state, spool, logs, accounting; and Snakemake's own records of a project."""
    folders = [cluster.lab / name for name in ("state", "spool", "log")]
    for folder in [*folders, *(project / ".snakemake" for project in projects)]:
        yield from (path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    dump = ["mariadb-dump", "--no-defaults", f"--socket={cluster.lab / 'mysql' / 'socket'}", "slurm_acct_db"]
    yield subprocess.run(dump, capture_output=True, check=True).stdout


def _identifiers(cluster: Cluster) -> set[str]:
    """Names, patient IDs and UIDs of the export."""
    truth = json.loads((cluster.shared / "data" / "truth.json").read_text())
    found = {row["value"] for row in truth["identifiers"] if row["kind"] in {"name", "id", "uid"}}
    found |= {row["series_uid"] for row in truth["series"]} | {row["patient"] for row in truth["patients"]}
    assert len(found) > 10
    return {value for value in found if len(value) > 5}

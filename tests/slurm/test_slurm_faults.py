"""What goes wrong on a cluster: each ends in a clear message, and the next run finishes with the same release."""

from __future__ import annotations

import re
import shutil
import signal
from pathlib import Path

import pytest

from cluster_tools import SUBMITTED, Cluster, wait_for
from pipeline_tools import tree_digest

pytestmark = pytest.mark.slow
CHUNK_STAGES = ("deidentify", "redact", "deface", "verify", "extract")


def chunks(project: Path) -> list[str]:
    folder = project / "results" / "consent" / "chunks"
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def forget(project: Path, stages: tuple[str, ...], only: list[str] | None = None) -> None:
    """As if these stages had not run for these chunks; what follows all chunks hasn't either."""
    for stage in stages:
        for chunk in only or chunks(project):
            shutil.rmtree(project / "results" / stage / chunk, ignore_errors=True)
    for stage in ("protect", "attack", "gate", "release"):
        shutil.rmtree(project / "results" / stage)


def made_of(project: Path, stage: str) -> list[str]:
    """What to ask for so that a stage runs for all chunks, and nothing after it."""
    return [f"results/{stage}/{chunk}/seal.json" for chunk in chunks(project)]


def same_release(project: Path, finished: Path) -> bool:
    return tree_digest(project / "results" / "release") == tree_digest(finished / "results" / "release")


def test_a_failing_chunk_keeps_no_other_from_finishing_and_once_mended_the_run_goes_on(
    cluster: Cluster, finished: Path
) -> None:
    project = cluster.copy(finished, "failing")
    broken, other, _ = chunks(project)
    forget(project, ("verify", "extract"), [broken, other])
    table = project / "results" / "consent" / "chunks" / broken / "instances.parquet"
    whole = table.read_bytes()
    table.write_bytes(whole[: len(whole) // 2])

    said = cluster.run(project, *made_of(project, "extract"), "--retries", "0", ok=False)
    assert (project / "results" / "extract" / other / "seal.json").is_file()
    assert not (project / "results" / "extract" / broken / "seal.json").exists()
    assert re.search(rf"FAILED: 1 of the data.*\n  \w+ of chunk {broken}: ", said), said[-3000:]
    assert "of the cluster" not in said and "Traceback" not in said.split("FAILED")[-1]

    table.write_bytes(whole)
    cluster.run(project, *made_of(project, "extract"))
    cluster.locally(project)
    assert same_release(project, finished)


def submitted(project: Path) -> list[str]:
    """Ids of what a run has submitted."""
    return re.findall(r"has been submitted with SLURM jobid (\d+)", (project / "said").read_text())


def of_ours(cluster: Cluster, project: Path, *chosen: str) -> set[str]:
    """Which of them are in the queue, of those that squeue is asked for."""
    return set(cluster.ask("squeue", "-h", "-o", "%A", *chosen).split()) & set(submitted(project))


def test_a_cancelled_run_leaves_nothing_in_the_queue_and_a_dead_node_costs_nothing_but_time(
    cluster: Cluster, finished: Path
) -> None:
    project = cluster.copy(finished, "cancelled")
    forget(project, ("verify", "extract"))
    running = cluster.start(project, *SUBMITTED, *made_of(project, "extract"))
    wait_for(lambda: bool(of_ours(cluster, project, "-t", "R")), "a submission to run")
    running.send_signal(signal.SIGINT)
    code, said = cluster.finish(running, project)
    assert code != 0
    assert submitted(project) and "Traceback" not in said
    wait_for(lambda: not of_ours(cluster, project), "the queue to empty", 60)

    cluster.run(project, "--unlock")
    running = cluster.start(project, *SUBMITTED, *made_of(project, "extract"))
    wait_for(lambda: bool(of_ours(cluster, project, "-t", "R", "-w", "n1")), "a submission on n1")
    assert cluster.kill_node("n1") > 1
    code, said = cluster.finish(running, project)
    cluster.start_node("n1")
    assert code == 0, said[-4000:]
    ours = ",".join(submitted(project))
    ends = cluster.ask("sacct", "-X", "-D", "-n", "-P", "-o", "JobID,State,NodeList", "-j", ours).splitlines()
    # the daemon that held the job died with the node: Slurm says FAILED where it hears of that first, else NODE_FAIL
    lost = [end for end in ends if end.endswith("|n1") and end.split("|")[1] in ("FAILED", "NODE_FAIL", "REQUEUED")]
    assert lost and any(end.endswith("|COMPLETED|n2") for end in ends), ends
    cluster.locally(project)
    assert same_release(project, finished)


def test_out_of_memory_is_tried_again_with_more(cluster: Cluster, finished: Path) -> None:
    project = cluster.copy(finished, "memory")
    [first, *_] = chunks(project)
    forget(project, ("extract",), [first])
    little = "extract:mem_mb=60 if attempt == 1 else 4000"
    said = cluster.run(project, *made_of(project, "extract"), "--set-resources", little)
    assert "Trying to restart" in said
    assert "lost and made again by this run: 1 out of memory" in said
    asked = re.findall(r"mem_mb=(\d+)", said)
    assert asked.index("60") < asked.index("4000")
    cluster.locally(project)
    assert same_release(project, finished)


def test_without_retries_it_is_the_clusters_failure(cluster: Cluster, finished: Path) -> None:
    project = cluster.copy(finished, "too-little")
    [first, *_] = chunks(project)
    forget(project, ("extract",), [first])
    said = cluster.run(
        project, *made_of(project, "extract"), "--retries", "0", "--set-resources", "extract:mem_mb=60", ok=False
    )
    assert re.search(rf"FAILED: 1 of the cluster.*\n  extract of chunk {first}: out of memory", said), said[-3000:]
    assert "of the data" not in said


def test_a_submission_that_the_cluster_refuses_is_the_clusters_failure(cluster: Cluster, finished: Path) -> None:
    """Of a group Snakemake passes on no reason."""
    project = cluster.copy(finished, "refused")
    [first, *_] = chunks(project)
    forget(project, ("verify", "extract"), [first])
    asked = ("--retries", "0", "--default-resources", "slurm_partition=nowhere", "mem_mb=1000", "runtime=60")
    said = cluster.run(project, *made_of(project, "extract"), *asked, ok=False)
    assert re.search(rf"FAILED: 1 of the cluster.*\n  chunk {first}: the cluster did not take the submission", said), (
        said
    )
    assert "of the data" not in said and "unknown cause" not in said


def test_job_arrays_are_one_submission_for_all_chunks(cluster: Cluster, finished: Path) -> None:
    project = cluster.copy(finished, "arrays")
    forget(project, ("verify",))
    said = cluster.run(project, *made_of(project, "verify"), "--groups", "none=none", "--slurm-array-jobs", "verify")
    [array] = re.findall(r"Submitted array job .* SLURM job ID (\d+)", said)
    ended = cluster.ask("sacct", "-X", "-n", "-P", "-o", "JobID,State", "-j", array).split()
    assert sorted(ended) == [f"{array}_{task}|COMPLETED" for task in (1, 2, 3)]
    for chunk in chunks(project):
        made = project / "results" / "verify" / chunk
        assert tree_digest(made) == tree_digest(finished / "results" / "verify" / chunk)


def test_the_generic_profile_submits_with_a_schedulers_own_commands(cluster: Cluster, finished: Path) -> None:
    project = cluster.copy(finished, "generic")
    [first, *_] = chunks(project)
    forget(project, ("verify",), [first])
    arguments = ("--workflow-profile", "cluster-generic", "--latency-wait", "20", *made_of(project, "verify"))
    code, said = cluster.finish(cluster.start(project, *arguments), project)
    assert code == 0, said[-4000:]
    [job] = re.findall(r"external jobid '(\d+)'", said)
    assert cluster.ask("sacct", "-X", "-n", "-P", "-o", "JobName,State", "-j", job).strip() == "radcurate|COMPLETED"
    made = project / "results" / "verify" / first
    assert tree_digest(made) == tree_digest(finished / "results" / "verify" / first)

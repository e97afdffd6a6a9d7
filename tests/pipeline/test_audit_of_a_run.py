"""The record of processing that a run leaves, and that no run goes on without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline_tools import Project
from radcurate.audit.chain import FOLDER, HEADS_VARIABLE, RECORD
from radcurate.audit.check import verify
from radcurate.keys import load_key

pytestmark = pytest.mark.xdist_group("pipeline")


def test_a_run_leaves_a_record_that_holds_and_tells_nobodys_name(finished: Project) -> None:
    verdict = verify(finished.results, load_key(finished.key_file))
    assert not verdict.problems
    started, ended = verdict.entries
    assert (started.verb, ended.verb, ended.facts["done"]) == ("run started", "run ended", True)
    assert {"inventory", "consent", "extract", "gate"} <= set(ended.facts["outputs"])
    assert ended.facts["release"] == finished.release.name
    told = (finished.results / FOLDER / RECORD).read_text()
    assert str(finished.data) not in told and str(finished.folder) not in told
    for row in (finished.data / "consent.csv").read_text().splitlines()[1:]:
        assert row.split(",")[0] not in told


@pytest.mark.slow
def test_a_run_that_cant_write_its_record_ends_before_its_first_job(
    run: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "heads").write_text("no folder")
    monkeypatch.setenv(HEADS_VARIABLE, str(tmp_path / "heads"))
    run.configure(release={"name": "other"})
    done = run.snakemake(ok=False)
    assert done.returncode != 0 and "the record of processing can't be written" in done.stderr
    assert "Traceback" not in done.stderr and "other-1" not in str(list((run.results / "release").iterdir()))


@pytest.mark.slow
def test_a_run_goes_on_with_no_record_that_was_cut(run: Project) -> None:
    path = run.results / FOLDER / RECORD
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:1]))
    run.configure(release={"name": "other"})
    done = run.snakemake(ok=False)
    assert done.returncode != 0 and "was cut or edited" in done.stderr

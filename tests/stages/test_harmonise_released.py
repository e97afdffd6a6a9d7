"""Harmonised values on their way through gate and release: sealed, named, and never claimed to be as measured."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from finished_run import FinishedRun, make_run
from radcurate import tables
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.seals import write_seal
from radcurate.settings import Harmonise
from radcurate.stages import harmonise


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """A finished run whose values were harmonised by site."""
    run = make_run(tmp_path_factory.mktemp("harmonised"), Key(bytes(range(32))))
    chunks = sorted((run.results / "extract").iterdir())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(harmonise, "guess_site", lambda *_: "not guessed in this test")
        settings = Harmonise(on=True, without=(), covariates=("age",))  # in this run sex follows the site
        harmonise.run(settings, chunks, run.results / "harmonise", run.key, [])
    run.protect(harmonised=True, k=5)
    return run


@pytest.fixture
def run(made: FinishedRun, tmp_path: Path) -> FinishedRun:
    return made.copy(tmp_path)


def test_the_verdict_and_the_release_name_it(run: FinishedRun) -> None:
    verdict = run.gate()
    assert set(verdict["digests"]) >= {"harmonise", "protect", "attack"}
    folder = run.release()
    told = json.loads((folder / "harmonise.json").read_text())
    assert told["method"] == "combat" and told["columns"] and "patients" not in json.dumps(told)
    schema = tables.read(folder / "features.parquet").schema
    methods = {schema.field(name).metadata[b"radcurate.harmonised"] for name in told["columns"]}
    assert methods == {b"combat"}


def test_an_edited_value_is_noticed(run: FinishedRun) -> None:
    path = run.results / "harmonise" / "features.parquet"
    tables.write(path, tables.read(path).slice(1))
    with pytest.raises(CurationError, match="harmonise"):
        run.gate()


def test_another_harmonisation_than_protect_read_is_noticed(run: FinishedRun) -> None:
    path = run.results / "harmonise" / "report.json"
    path.write_text(path.read_text().replace("combat", "magic"))
    write_seal(run.results / "harmonise", harmonise.WRITTEN, run.key)
    with pytest.raises(CurationError, match="another seal"):
        run.gate()


def test_a_folder_of_an_earlier_run_is_not_believed(run: FinishedRun) -> None:
    """Switched off again, what harmonise left behind says nothing about this release."""
    run.protect(k=5)
    (run.results / "harmonise" / "report.json").write_text("{}")
    assert "harmonise" not in run.gate()["digests"]
    folder = run.release()
    assert not (folder / "harmonise.json").exists()
    schema: pa.Schema = tables.read(folder / "features.parquet").schema
    told = [schema.field(name).metadata.get(b"radcurate.harmonised", b"none") for name in schema.names]
    assert set(told) == {b"none"}

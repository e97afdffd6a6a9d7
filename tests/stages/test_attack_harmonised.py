"""What is attacked was made from: the values that protect took, harmonised or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from finished_run import COLUMNS, FEATURES, FinishedRun, make_run
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.privacy.columns import load_columns
from radcurate.seals import write_seal
from radcurate.settings import Harmonise, Protect
from radcurate.stages import harmonise, protect
from radcurate.stages._attacked import Attacked, read_attacked


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    run = make_run(tmp_path_factory.mktemp("attacked"), Key(bytes(range(32))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(harmonise, "guess_site", lambda *_: "not guessed in this test")
        settings = Harmonise(on=True, without=(), covariates=("age",))
        harmonise.run(settings, chunks(run), run.results / "harmonise", run.key, [])
    return run


@pytest.fixture
def run(made: FinishedRun, tmp_path: Path) -> FinishedRun:
    return made.copy(tmp_path)


def chunks(run: FinishedRun) -> list[Path]:
    return sorted((run.results / "extract").iterdir())


def attacked(run: FinishedRun) -> Attacked:
    return read_attacked(chunks(run), run.results, load_columns(COLUMNS), run.key, run.results / "attack")


def values(held: Attacked) -> tuple[dict[str, float], dict[str, float]]:
    """A feature of each released region, as released and as raw."""
    tables = (held.released.features, held.raw.features)
    released, raw = (
        dict(zip(table["roi"].to_pylist(), table[FEATURES[0]].to_pylist(), strict=True)) for table in tables
    )
    return released, {code: raw[code] for code in released}


def protected(run: FinishedRun, *folders: Path) -> None:
    protect.run(Protect(k=5), chunks(run), run.results / "protect", run.key, COLUMNS, list(folders))


def test_raw_values_are_those_that_protect_took(run: FinishedRun) -> None:
    protected(run)
    measured, raw = values(attacked(run))
    assert measured == raw
    protected(run, run.results / "harmonise")
    harmonised, raw = values(attacked(run))
    assert harmonised == raw != measured


def test_another_harmonisation_than_protect_read_is_an_error(run: FinishedRun) -> None:
    protected(run, run.results / "harmonise")
    path = run.results / "harmonise" / "report.json"
    path.write_text(path.read_text().replace("combat", "magic"))
    write_seal(run.results / "harmonise", harmonise.WRITTEN, run.key)
    with pytest.raises(CurationError, match="changed after protect read it"):
        attacked(run)

"""Who knows an engine."""

from __future__ import annotations

import pytest

from radcurate import workflow
from radcurate.errors import CurationError
from radcurate.features import engine
from radcurate.features.engine import Engine, Outcome


def nothing(prepared, columns):
    names = [column.name for column in columns]
    return Outcome(dict.fromkeys(names, float("nan")), dict.fromkeys(names, "not_in_engine"))


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(engine, "_registered", {})


@pytest.mark.parametrize("name", engine.BUILT_IN)
def test_built_in_engines_are_found_by_name(name):
    found = engine.find(name)
    assert found.name == name and callable(found.compute)


def test_a_third_engine_registers(registry):
    own = engine.register(Engine("own", nothing, "radcurate"))
    assert engine.register(own) == own and engine.find("own") == own
    assert engine.names() == ["radcurate", "pyradiomics", "own"]


def test_a_name_belongs_to_one_engine(registry):
    engine.register(Engine("own", nothing, "radcurate"))
    for taken in ("radcurate", "own"):
        with pytest.raises(CurationError, match="two engines"):
            engine.register(Engine(taken, lambda prepared, columns: Outcome({}, {}), "radcurate"))


def test_an_unknown_engine_is_explained(registry):
    with pytest.raises(CurationError, match=r"no engine is called flash[\s\S]*extract\.extensions"):
        engine.find("flash")


def test_snakemake_sees_the_modules_of_both_engines():
    """They are imported where they are needed, and a change to them must still run extract again."""
    reached = workflow.package_code().reachable("radcurate.stages.extract")
    assert {"radcurate.features.core", "radcurate.features.pyradiomics"} <= set(reached)

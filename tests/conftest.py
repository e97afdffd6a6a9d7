"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from radcurate.audit.chain import HEADS_VARIABLE
from radcurate.keys import Key


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share what takes long to make on one process: fixtures of a module, and planned heads."""
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("xdist_group") is None:
            if hasattr(item.module, "planned"):
                item.add_marker(pytest.mark.xdist_group("heads"))
            elif any(found[-1].scope == "module" for found in item._fixtureinfo.name2fixturedefs.values()):
                item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with real images; tests that need it skip, saying so, where it is absent."""
    folder = os.environ.get("RADCURATE_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("RADCURATE_TEST_DATA names no folder: real data not available")
    return Path(folder).resolve()


@pytest.fixture(scope="session", autouse=True)
def _heads_of_records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Heads of the records that tests make lie elsewhere than those of this user's runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HEADS_VARIABLE, str(tmp_path_factory.mktemp("heads")))
        yield


@pytest.fixture
def key() -> Key:
    """A fixed key, for tests only."""
    return Key(bytes(range(32)))

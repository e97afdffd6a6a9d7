"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from radcurate.keys import Key


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with real images; tests that need it skip, saying so, where it is absent."""
    folder = os.environ.get("RADCURATE_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("RADCURATE_TEST_DATA names no folder: real data not available")
    return Path(folder).resolve()


@pytest.fixture
def key() -> Key:
    """A fixed key, for tests only."""
    return Key(bytes(range(32)))

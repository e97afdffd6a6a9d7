"""The cohort, made once for the tests here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from radcurate.demo import make_cohort


@dataclass(frozen=True)
class Cohort:
    out: Path
    truth: dict[str, Any]

    @property
    def export(self) -> Path:
        return self.out / "export"

    def series(self, **wanted: Any) -> list[dict[str, Any]]:
        return [s for s in self.truth["series"] if all(s[k] == v for k, v in wanted.items())]


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    out = tmp_path_factory.mktemp("cohort")
    make_cohort(out)
    return Cohort(out, json.loads((out / "truth.json").read_text(encoding="utf-8")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one cohort on one worker, so that it is made once."""
    for item in items:
        if "cohort" in getattr(item, "fixturenames", ()) and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("demo"))

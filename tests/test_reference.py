"""What is generated is up to date, and says all that there is to say."""

from __future__ import annotations

from pathlib import Path

import pytest

from paths import ROOT
from radcurate import reference
from radcurate.deidentify.options import OPTIONS
from radcurate.deidentify.page import CLAIMS, MEANINGS
from radcurate.deidentify.policy import ACTIONS, load_tables

PAGE = (ROOT / "docs/reference/deidentification.md").read_text()


def test_generated_files_are_up_to_date() -> None:
    assert reference.main(check=True) == 0


def test_an_outdated_file_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reference, "PROJECT", tmp_path)
    monkeypatch.setattr(reference, "generated", lambda: {Path("page.md"): "new"})
    (tmp_path / "page.md").write_text("old")
    assert reference.main(check=True) == 1
    assert reference.main(check=False) == 0 and (tmp_path / "page.md").read_text() == "new"


def test_every_action_and_option_is_explained() -> None:
    assert set(MEANINGS) == set(ACTIONS) and set(CLAIMS) == set(OPTIONS)


def test_every_row_of_the_tables_is_told() -> None:
    for rules in load_tables(ROOT / "config/allowlist", ROOT / "config/vocabulary.yaml").values():
        assert not [rule.keyword for rule in rules if rule.keyword not in PAGE]

"""Every real file at hand ends cleaned or refused; none crashes, none loses pixels, none keeps who it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from real_files import FOLDERS, PAGE, complaints, files, outcome, own_words, table

COHORT = "ibsi"


def examine(paths: list[Path]) -> None:
    found = {}
    for path in paths:
        data = path.read_bytes()
        words = own_words(data)
        result = outcome(data, words)
        if result.data is not None:
            wrong = complaints(data, result.data)
            if wrong:
                found[path.name] = wrong
    assert not found


@pytest.mark.parametrize("folder", sorted(set(FOLDERS) - {COHORT}))
def test_files_of_a_folder_are_cleaned_or_refused(real_data: Path, folder: str) -> None:
    paths = files(real_data, folder)
    if not paths:
        pytest.skip(f"{folder} is not in RADCURATE_TEST_DATA")
    examine(paths)


def test_a_sample_of_the_cohort_is_cleaned(real_data: Path) -> None:
    examine(files(real_data, COHORT)[::20])


@pytest.mark.slow
def test_all_of_the_cohort_is_cleaned(real_data: Path) -> None:
    examine(files(real_data, COHORT))


@pytest.mark.slow
def test_the_page_tells_what_happens(real_data: Path) -> None:
    if not all((real_data / folder).is_dir() for folder in FOLDERS):
        pytest.skip("RADCURATE_TEST_DATA lacks some of the folders of the page")
    assert table(real_data) == PAGE.read_text(), "run `python -m real_files` in tests/ and read what changed"

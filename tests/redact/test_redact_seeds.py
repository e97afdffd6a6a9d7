"""The patient's own words are recognised however they were written or misread; other people's aren't."""

from __future__ import annotations

import pytest

from radcurate.redact.seeds import Seeds, say_together, says, seeds_of

ROWS = [
    {"category": category, "keyword": keyword, "value": value}
    for category, keyword, value in (
        ("name", "PatientName", "Anderson-Müller^Anna Lee^Dr."),
        ("id", "PatientID", "0047-81563"),
        ("id", "AccessionNumber", "AC81B20"),
        ("date", "PatientBirthDate", "19640307"),
        ("date", "StudyDate", "20190512"),
        ("id", "InstitutionName", "St. Anna Westbrook Clinic"),
        ("text", "StudyDescription", "Thorax"),
        ("uid", "StudyInstanceUID", "1.2.3"),
    )
]
OWN = seeds_of(ROWS)


@pytest.mark.parametrize(
    "text",
    [
        "ANDERSON",
        "ANDERS0N, ANNA",
        "Name: Andreson",  # exchanged
        "ANDER50N",
        "MULLER A.",
        "MÜLLER",
        "MILLER^ANDERSO",  # cut off
        "LEE [F]",
        "ANNAANDERSON",
        "ID 81563",
        "8I563",
        "PID0047-81563",
        "#ACB1B20",
        "07.03.1964",
        "3/7/1964",
        "1964-03-07",
        "7 Mar 1964",
        "DOB:O7.O3.64",
        "Study 20190512",
        "12052019",
        "WESTBR00K CLINIC",
    ],
)
def test_own_words_are_told(text: str) -> None:
    assert says(text, OWN)


@pytest.mark.parametrize(
    "text",
    ["", "...", "SUPINE", "kV 120 mA 200", "PETERS PAUL", "08.03.1965", "Thorax", "DR. WHO", "ID 99312", "Im: 24/120"],
)
def test_words_of_others_are_not(text: str) -> None:
    assert not says(text, OWN)


def test_a_name_split_over_two_lines_is_told() -> None:
    assert say_together(["ANDE", "RSON"], OWN)
    assert not say_together(["SUPI", "NE"], OWN)


def test_nothing_is_told_without_seeds_and_nothing_is_printed() -> None:
    assert not says("ANDERSON 07.03.1964", Seeds())
    assert "and" not in repr(OWN).lower() and "1964" not in repr(OWN)


def test_names_that_stand_for_nobody_are_no_seeds() -> None:
    assert seeds_of([{"category": "name", "keyword": "PatientName", "value": "ANONYMOUS^TEST"}]) == Seeds()

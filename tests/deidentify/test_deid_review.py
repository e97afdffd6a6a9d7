"""What a steward is shown of blanked values: counts and technical terms, never anything of the patient's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from deidentify.deid_objects import ROOT
from radcurate.deidentify.policy import load_policy
from radcurate.deidentify.review import Line, Listener, Own, Tally, lines, own
from radcurate.settings import Deidentify

POLICY = load_policy(ROOT / "config/allowlist", ROOT / "config/vocabulary.yaml", Deidentify())
CT = "1.2.840.10008.5.1.4.1.1.2"
PATHS = {
    "BodyPartExamined": "(0018,0015)", "SeriesDescription": "(0008,103E)", "KVP": "(0018,0060)", "StudyDate": "(0008,0020)",
    "ImageType": "(0008,0008)", "FrameOfReferenceUID": "(0020,0052)",
}  # fmt: skip
ZITA = own(
    [
        {"category": "name", "value": "Müller^Zita Ñandú^^Dr"},
        {"category": "name", "value": "山田^太郎"},
        {"category": "id", "value": "00712345"},
        {"category": "id", "value": "A-77/B"},
        {"category": "uid", "value": "1.2.999.4711.5"},
        {"category": "text", "value": "Thorax nativ"},
        {"category": "date", "value": "19610203"},
    ]
)
NOBODY = own([])


def listener(mine: Own = ZITA, series: str = "S-1", subject: str = "P-1") -> Listener:
    return Listener(POLICY.vocabulary, series, subject, mine, family=POLICY.families[CT])


def heard(*told: tuple[str, str], mine: Own = ZITA, **more: Any) -> Tally:
    """The tally after one file in which these values (keyword, value) were blanked."""
    ear = listener(mine, **more)
    for keyword, value in told:
        ear(PATHS[keyword], keyword, value)
    ear.end_of_file()
    return ear.tally


def table(*tallies: Tally) -> list[Line]:
    whole = Tally()
    for tally in tallies:
        whole.add(tally)
    return lines(whole)


@pytest.mark.parametrize(
    "value",
    [
        "müller", "MULLER", "Mueller", "ZITA", "xzitax", "scan of Zita", "nandu", "ÑANDÚ", "M.ü.l.l.e.r", "山田", "太郎先生",
        "712345", "ID00712345X", "712 345", "a77b", "A 77 B", "1.2.999.4711.5", "Dr",
        "19610203", "1961-02-03", "3.2.1961", "03/02/61", "5 Feb 1970", "Feb 5, 1970", "x20230405y", "05042023",
    ],
)  # fmt: skip
def test_what_is_the_patients_own_is_recognised_however_it_is_written(value: str) -> None:
    assert ZITA.held_by(value)


@pytest.mark.parametrize(
    "value",
    ["Thorax", "nativ", "LUNGENSPITZE", "B30f", "T2_STAR", "gmp_vct.42", "1.5 mm", "DV26.0_R03", "Drain", "2000"],
)
def test_technical_terms_are_not_mistaken_for_the_patients_own(value: str) -> None:
    assert not ZITA.held_by(value)


@given(
    st.sampled_from(["Quxworth", "Zebulon", "Ødegård", "O'Brien-Smyth"]),
    st.text(max_size=12),
    st.text(max_size=12),
    st.booleans(),
)
def test_a_name_is_found_in_any_text_around_it(name: str, before: str, after: str, upper: bool) -> None:
    mine = own([{"category": "name", "value": name}])
    assume(not any(char.isalpha() and ord(char) > 0x24F for char in before + after))
    assert mine.held_by(before + " " + (name.upper() if upper else name.casefold()) + " " + after)


WORDS = st.sampled_from(
    ["müller", "Zita", "00712345", "A-77/B", "1961-02-03", "Spezialfilter", "Thorax", "xyzzy", "MULLER", "of", "-"]
)


@given(
    st.lists(
        st.tuples(st.sampled_from(["BodyPartExamined", "SeriesDescription", "KVP", "ImageType"]), WORDS, WORDS, WORDS),
        max_size=6,
    )
)
def test_no_line_ever_tells_what_is_the_patients_own(plants: list[tuple[str, str, str, str]]) -> None:
    told = [(keyword, " ".join(words)) for keyword, *words in plants]
    for line in table(heard(*told), heard(*told, mine=NOBODY, subject="P-2")):
        assert line.value is None or not ZITA.held_by(line.value)


def test_files_series_and_patients_are_counted_once_each() -> None:
    ear = listener()
    for _ in range(3):
        for _ in range(2):  # twice in one file
            ear(PATHS["BodyPartExamined"], "BodyPartExamined", "LUNGENSPITZE")
        ear.end_of_file()
    other = heard(("BodyPartExamined", "Lungenspitze"), series="S-2", subject="P-2")
    assert table(ear.tally, other) == [Line("BodyPartExamined", "keep_if_listed", "LUNGENSPITZE", 4, 2, 2)]
    assert not table(ear.tally, other)[0].rare and table(other)[0].rare


def test_of_a_description_only_unknown_words_are_told() -> None:
    found = table(heard(("SeriesDescription", "Thorax Spezialfilter axial"), mine=NOBODY))
    assert [line.value for line in found] == ["Spezialfilter"]
    assert table(heard(("SeriesDescription", "CT-Thorax"), mine=NOBODY)) == []


def test_of_several_values_only_those_that_are_refused_are_told() -> None:
    found = table(heard(("ImageType", "ORIGINAL\\PRIMARY\\GLURB"), mine=NOBODY))
    assert [line.value for line in found] == ["GLURB"]


def test_own_values_are_counted_together_and_not_told() -> None:
    found = table(heard(("BodyPartExamined", "MULLER"), ("SeriesDescription", "Thorax Zita 3.2.1961 Spezialfilter")))
    untold = {line.keyword: line.files for line in found if line.value is None}
    assert untold == {"BodyPartExamined": 1, "SeriesDescription": 1}
    assert {line.value for line in found} == {None, "Spezialfilter"}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("Zi ta Glurb", {"Glurb"}),
        ("Müller A 77 B Glurb", {"Glurb"}),
        ("Zita 3 2 1961", set()),
        ("ID 00 712345 Glurb", {"ID", "Glurb"}),
    ],
)
def test_neither_names_nor_numbers_nor_dates_are_told_in_pieces(value: str, told: set[str]) -> None:
    found = table(heard(("SeriesDescription", value)))
    assert {line.value for line in found} - {None} == told


def test_a_file_with_two_untold_values_of_an_attribute_counts_once() -> None:
    first = heard(("SeriesDescription", "Glurb"), mine=own([{"category": "name", "value": "Glurb"}]), subject="P-2")
    found = table(first, heard(("SeriesDescription", "Zita Glurb")))
    assert [(line.value, line.files, line.patients) for line in found] == [(None, 2, 2)]


def test_a_letter_of_somebodys_number_does_not_hide_it_for_all() -> None:
    found = table(heard(("SeriesDescription", "A 77 B qq")), heard(("SeriesDescription", "B qq"), mine=NOBODY))
    assert {line.value: line.files for line in found} == {None: 1, "B": 1, "qq": 2}


def test_what_is_one_patients_name_is_not_told_for_another_either() -> None:
    """A doctor who is also somebody's namesake: the table would name that patient."""
    found = table(heard(("BodyPartExamined", "Zita")), heard(("BodyPartExamined", "ZITA"), mine=NOBODY, subject="P-2"))
    assert [(line.value, line.files, line.patients) for line in found] == [(None, 2, 2)]


@pytest.mark.parametrize(("keyword", "value"), [("StudyDate", "Tuesday"), ("FrameOfReferenceUID", "Room 5")])
def test_malformed_dates_and_uids_are_never_told(keyword: str, value: str) -> None:
    assert [line.value for line in table(heard((keyword, value), mine=NOBODY))] == [None]


@pytest.mark.parametrize(
    ("value", "told"), [("high", "no number"), ("7712345", "a number of 7 digits"), ("1e99\\2", "a number of 4 digits")]
)
def test_of_a_number_only_its_length_is_told(value: str, told: str) -> None:
    assert table(heard(("KVP", value), mine=NOBODY)) == [Line("KVP", "keep", told, 1, 1, 1)]


def test_the_order_does_not_depend_on_the_order_of_reading() -> None:
    parts = [
        heard(("BodyPartExamined", "GLURB"), ("SeriesDescription", "foo bar"), mine=NOBODY, subject=f"P-{k}")
        for k in "ab"
    ]
    parts.append(heard(("BodyPartExamined", "Glurb"), mine=NOBODY, subject="P-c"))
    assert table(*parts) == table(*reversed(parts))


def test_nobody_shows_in_what_is_printed_of_the_objects() -> None:
    tally = heard(("BodyPartExamined", "MULLER"))
    assert "müller" not in repr(ZITA).casefold() and "712345" not in repr(ZITA)
    assert all("P-1" not in repr(count) and "S-1" not in repr(count) for count in tally.counts.values())

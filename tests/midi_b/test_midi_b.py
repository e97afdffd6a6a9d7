"""MIDI-B: 100 % on our own answer key; and the scorer itself, which must see each way to be wrong."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pydicom
import pytest

from deidentify.deid_objects import POLICY, SPARE, TEST_KEY
from midi_b.answer_key import SCREENS, answers
from midi_b.scorer import ACTIONS, Score, score
from radcurate.canary import Specimen
from radcurate.deidentify.dates import date_rule
from radcurate.deidentify.instance import rewrite_instance
from radcurate.deidentify.people import numbers_of_dates, numbers_of_ids, words_of_names
from radcurate.deidentify.rewrite import Patient, Rewriter
from radcurate.dicom.problems import Unsafe
from radcurate.redact.fill import fill
from radcurate.redact.look import look
from radcurate.redact.pictures import open_series
from radcurate.redact.seeds import seeds_of
from radcurate.redact.write import write

FILES, KEY = answers()
BEFORE = {one.name: one.data for one in FILES}


def cleaned(one: Specimen) -> bytes | None:
    """As the run does it: keyed by the patient's number; None where it is quarantined."""
    number = next(plant.value for plant in one.plants if plant.where == "PatientID")
    subject = TEST_KEY.subject(number)
    words, numbers = (
        words_of_names(one.patient_names),
        numbers_of_ids(one.patient_ids) | numbers_of_dates(one.patient_dates),
    )
    patient = Patient(subject, date_rule(TEST_KEY, subject, "shift", 500), words, numbers)
    try:
        data = rewrite_instance(one.data, Rewriter(POLICY, TEST_KEY, patient), SPARE).data
    except Unsafe:
        return None
    return redacted(data, number) if one.family in SCREENS else data


def redacted(data: bytes, number: str) -> bytes:
    """What redact makes of a file: looked at, with the patient's number in mind, and filled."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file.dcm"
        path.write_bytes(data)
        pictures = open_series([path])
        found = look(pictures, seeds_of([{"category": "id", "keyword": "PatientID", "value": number}]), strict=True)
        boxes = {hit.place: [other.box for other in found.hits if other.place == hit.place] for hit in found.hits}
        patches = {place.frame: fill(pictures.read(place), mine) for place, mine in boxes.items()}
        if patches:
            write(path, path.with_name("filled.dcm"), patches)
            path = path.with_name("filled.dcm")
        return path.read_bytes()


@cache
def results() -> dict[str, bytes | None]:
    return {one.name: cleaned(one) for one in FILES}


def of(after: dict[str, bytes | None]) -> Score:
    return score(BEFORE, after, KEY)


def test_all_answers_are_right() -> None:
    found = of(results())
    print(f"\n{len(FILES)} files, {sum(data is None for data in results().values())} quarantined\n{found.table()}")
    assert all(found.asked[action] for action in ACTIONS)
    assert not found.wrong


def test_a_tool_that_does_nothing_scores_low() -> None:
    found = of(dict(BEFORE))
    for action in (
        "text_removed",
        "date_shifted",
        "uid_changed",
        "uid_consistent",
        "patid_consistent",
        "pixels_hidden",
    ):
        assert found.share(action) < 0.05, action
    for action in ("tag_retained", "text_notnull", "text_retained", "pixels_retained"):
        assert found.share(action) > 0.99, action


def test_a_tool_that_gives_nothing_out_scores_low() -> None:
    found = of(dict.fromkeys(BEFORE))
    for action in ACTIONS:
        assert found.share(action) == (action in ("text_removed", "pixels_hidden")), action


NAME = "midi_0_0_slice_0"


def _edited(change: Callable[[pydicom.Dataset], None]) -> dict[str, bytes | None]:
    ds = pydicom.dcmread(io.BytesIO(results()[NAME] or b""))
    change(ds)
    stream = io.BytesIO()
    ds.save_as(stream)
    return results() | {NAME: stream.getvalue()}


def _set(**values: object) -> Callable[[pydicom.Dataset], None]:
    def change(ds: pydicom.Dataset) -> None:
        for keyword, value in values.items():
            setattr(ds, keyword, value)

    return change


@pytest.mark.parametrize(
    ("action", "change"),
    [
        ("tag_retained", lambda ds: delattr(ds, "SliceThickness")),
        ("text_notnull", _set(SliceThickness=None)),
        ("text_retained", _set(SliceThickness="2.4")),
        ("text_removed", lambda ds: setattr(ds, "PatientComments", pydicom.dcmread(io.BytesIO(BEFORE[NAME])).PatientID)),
        ("date_shifted", _set(ContentDate="20010203")),
        ("uid_changed", lambda ds: setattr(ds, "StudyInstanceUID", pydicom.dcmread(io.BytesIO(BEFORE[NAME])).StudyInstanceUID)),
        ("uid_consistent", _set(FrameOfReferenceUID="2.25.4711")),
        ("patid_consistent", _set(PatientID="P-other")),
        ("pixels_retained", lambda ds: setattr(ds, "PixelData", bytes(len(ds.PixelData)))),
    ],
)  # fmt: skip
def test_the_scorer_sees_it(action: str, change: Callable[[pydicom.Dataset], None]) -> None:
    found = of(_edited(change))
    assert action in {answer.action for answer in found.wrong}
    assert {answer.file for answer in found.wrong} <= {one.name for one in FILES if one.name.startswith("midi_0_")}


def test_the_scorer_sees_burned_in_text() -> None:
    screen = "midi_0_0_screen"
    assert {answer.action for answer in of(results() | {screen: BEFORE[screen]}).wrong} >= {
        "pixels_hidden",
        "text_removed",
    }

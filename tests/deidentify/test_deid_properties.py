"""Generated files: whatever is planted wherever, it goes, or the file is refused; and nothing else ever happens."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pydicom
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from deidentify.deid_objects import POLICY, RULES, SHIFT, SPARE, SUBJECT, TEST_KEY, YEAR, YEAR_POLICY, ct, to_bytes
from deidentify.test_deid_fast import quick_or_none
from planted_search import left, searchable
from radcurate.deidentify.dates import DateRule
from radcurate.deidentify.fast import Shortcut
from radcurate.deidentify.instance import rewrite_instance
from radcurate.deidentify.people import numbers_of_dates, numbers_of_ids
from radcurate.deidentify.rewrite import Patient, Rewriter
from radcurate.dicom.container import read_file, write_file
from radcurate.dicom.elements import Element, Encoding
from radcurate.dicom.problems import Unsafe
from strategies import NEEDED, Planted, planted_files

SEQUENCES = sorted(tag for tag, rule in RULES.items() if rule.action in ("sequence", "code"))
KEPT = sorted(tag for tag in RULES if tag not in SEQUENCES and tag < 0x7FE00000 and tag not in NEEDED)
FILES = planted_files(KEPT, SEQUENCES)
QUICK = settings(
    max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), phases=set(Phase) - {Phase.explain}
)
MARKERS = (
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified",
)


def rewriter(file: Planted, dates: DateRule = SHIFT) -> Rewriter:
    policy = YEAR_POLICY if dates.mode == "year" else POLICY
    numbers = numbers_of_ids(file.ids) | numbers_of_dates(file.dates)
    return Rewriter(policy, TEST_KEY, Patient(SUBJECT, dates, own_numbers=numbers))


@contextmanager
def heard() -> Iterator[list[str]]:
    """Everything that is logged or warned of meanwhile."""
    said: list[str] = []
    listener = logging.Handler()
    listener.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(listener)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield said
            said += [str(one.message) for one in warned]
    finally:
        logging.getLogger().removeHandler(listener)


def check(file: Planted, dates: DateRule) -> bool:
    """Whether the file was cleaned; False where it was refused. Anything else raises."""
    remover = rewriter(file, dates)
    with heard() as said:
        try:
            result = rewrite_instance(file.data, remover, SPARE)
        except Unsafe as verdict:
            said.append(f"{verdict.reason} {verdict.remedy}")
            result = None
    told = [text for text in said if any(plant.value in text for plant in file.plants)]
    assert not told
    if result is None:
        return False
    content = searchable(result.data)
    assert not [plant.category for plant in file.plants if left(plant, content)]
    assert not [note for note in result.notes if any(plant.value in repr(note) for plant in file.plants)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # another reader has nothing to complain of
        new = pydicom.dcmread(io.BytesIO(result.data))
        for element in new.iterall():
            assert element.VR and element.value is not Ellipsis
    order = "big" if new.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRBigEndian else "little"
    assert _little(new.PixelData, order) == file.pixels
    again = pydicom.dcmread(io.BytesIO(rewrite_instance(result.data, rewriter(file, dates), SPARE).data))
    assert [again[name] for name in MARKERS] == [new[name] for name in MARKERS]
    assert again.PixelData == new.PixelData and set(again.keys()) == set(new.keys())
    return True


def _little(pixels: bytes, order: str) -> bytes:
    return pixels if order == "little" else b"".join(pixels[i : i + 2][::-1] for i in range(0, len(pixels), 2))


@QUICK
@given(FILES, st.sampled_from([SHIFT, YEAR]))
def test_no_planted_value_survives(file: Planted, dates: DateRule) -> None:
    check(file, dates)


@pytest.mark.slow
def test_no_planted_value_survives_in_ten_thousand_files() -> None:
    ends = {True: 0, False: 0}

    @settings(QUICK, max_examples=10_000)
    @given(FILES, st.sampled_from([SHIFT, YEAR]))
    def run(file: Planted, dates: DateRule) -> None:
        ends[check(file, dates)] += 1

    run()
    print(f"\n{ends[True]} files cleaned, {ends[False]} quarantined, 0 planted values left")
    assert ends[True] > 5_000


@settings(QUICK, max_examples=150)
@given(st.lists(FILES, min_size=1, max_size=3), st.sampled_from([SHIFT, YEAR]))
def test_the_quick_way_agrees(files: list[Planted], dates: DateRule) -> None:
    shortcut = Shortcut(rewriter(files[0], dates))
    for file in [*files, *files]:  # what was learned from one file meets the next
        quick_or_none(shortcut, file.data, rewriter(files[0], dates))


@settings(QUICK, max_examples=100)
@given(FILES)
def test_the_same_file_gives_the_same_bytes(file: Planted) -> None:
    try:
        first = rewrite_instance(file.data, rewriter(file), SPARE).data
    except Unsafe:
        return
    assert rewrite_instance(file.data, rewriter(file), SPARE).data == first


@settings(QUICK, max_examples=300)
@given(FILES, st.data())
def test_a_damaged_file_is_cleaned_or_refused(file: Planted, data: st.DataObject) -> None:
    position = data.draw(st.integers(128, len(file.data) - 1))
    damage = data.draw(st.sampled_from(["flip", "cut", "insert", "double"]))
    raw = bytearray(file.data)
    if damage == "flip":
        raw[position] ^= 1 << data.draw(st.integers(0, 7))
    elif damage == "cut":
        del raw[position:]
    elif damage == "insert":
        raw[position:position] = data.draw(st.binary(min_size=1, max_size=8))
    else:
        raw[position:position] = raw[position : position + 12]
    try:
        result = rewrite_instance(bytes(raw), rewriter(file), SPARE)
    except Unsafe:
        return
    found = [plant for plant in file.plants if left(plant, searchable(result.data)) and left(plant, bytes(raw).lower())]
    assert not [plant.category for plant in found if plant.value.encode() in bytes(raw)]


def test_a_name_as_a_character_set_is_never_told() -> None:
    elements = read_file(to_bytes(ct())).elements | {0x00080005: Element(0x00080005, "CS", b"ISO_IR 100\\QUXWORTH")}
    elements[0x0008103E] = Element(0x0008103E, "LO", b"CHEST M\xfcller")
    odd = write_file(elements, ExplicitVRLittleEndian, Encoding(explicit=True), "1.2", "1.2")
    with heard() as said:
        result = rewrite_instance(odd, Rewriter(POLICY, TEST_KEY, Patient(SUBJECT, SHIFT)), SPARE)
    assert not said and b"QUXWORTH" not in result.data


def test_a_lookup_table_without_its_descriptor_goes() -> None:
    elements = read_file(to_bytes(ct())).elements | {0x00283006: Element(0x00283006, "US", b"\1\0\2\0")}
    odd = write_file(elements, ImplicitVRLittleEndian, Encoding(explicit=False), "1.2", "1.2")
    new = pydicom.dcmread(
        io.BytesIO(rewrite_instance(odd, Rewriter(POLICY, TEST_KEY, Patient(SUBJECT, SHIFT)), SPARE).data)
    )
    assert "LUTData" not in new and new.PixelData == ct().PixelData

"""The quick way against the strict one: the same bytes and notes wherever the quick way answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from deidentify.deid_objects import ct, rewriter, rtstruct, to_bytes
from radcurate.deidentify.dates import DateRule
from radcurate.deidentify.fast import Shortcut
from radcurate.deidentify.instance import rewrite_instance
from radcurate.deidentify.rewrite import Rewriter
from radcurate.dicom.problems import Unsafe

SPARE = {0x0020000D: "2.25.1", 0x0020000E: "2.25.2", 0x00080018: "2.25.3"}


def quick_or_none(shortcut: Shortcut, data: bytes, fresh: Rewriter) -> bool:
    """Whether the quick way answers; if so, its file and notes are those of the strict way (which may refuse alike)."""
    try:
        strict = rewrite_instance(data, fresh, SPARE)
    except Unsafe as refusal:
        with pytest.raises(Unsafe) as again:
            if shortcut.rewrite(data) is None:
                raise refusal
        assert again.value.reason == refusal.reason
        return False
    quick = shortcut.rewrite(data)
    if quick is None:
        return False
    assert quick.head + data[quick.pixel_start :] == strict.data
    assert quick.notes == strict.notes
    return True


def slices(count: int) -> list[bytes]:
    made = []
    for number in range(count):
        pixels = np.full((4, 5), number, np.int16).tobytes()
        made.append(
            to_bytes(
                ct(
                    SOPInstanceUID=f"1.2.3.{number + 1}",
                    InstanceNumber=number,
                    ImagePositionPatient=[0, 0, number * 1.5],
                    ContentTime=f"1203{number:02d}",
                    Rows=4,
                    Columns=5,
                    PixelData=pixels,
                )
            )
        )
    return made


@pytest.mark.parametrize("dates", [DateRule("shift", 21), DateRule("year")], ids=["shift", "year"])
def test_slices_of_a_series_are_written_alike(dates: DateRule) -> None:
    shortcut = Shortcut(rewriter(dates))
    assert all(quick_or_none(shortcut, data, rewriter(dates)) for data in slices(12))


def test_implicit_slices_are_written_alike() -> None:
    shortcut = Shortcut(rewriter())
    assert quick_or_none(shortcut, to_bytes(ct(), ImplicitVRLittleEndian), rewriter())


@pytest.mark.parametrize("data", [to_bytes(rtstruct()), to_bytes(ct(), ExplicitVRBigEndian), to_bytes(ct()) + b"\0\0"])
def test_other_files_are_left_to_the_strict_way(data: bytes) -> None:
    assert Shortcut(rewriter()).rewrite(data) is None


def test_a_refused_file_is_refused() -> None:
    with pytest.raises(Unsafe, match="encapsulated_document"):
        Shortcut(rewriter()).rewrite(to_bytes(ct(SOPClassUID=EncapsulatedPDFStorage)))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_flipped_byte_is_treated_alike(data: st.DataObject) -> None:
    shortcut = Shortcut(rewriter())
    whole = bytearray(slices(1)[0])
    assert quick_or_none(shortcut, bytes(whole), rewriter())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(132, len(whole) - 41))] = data.draw(st.integers(0, 255))
    quick_or_none(shortcut, bytes(whole), rewriter())


def test_real_series_are_written_alike(real_data: Path) -> None:
    quick, seen = 0, 0
    for folder in sorted({path.parent for path in real_data.rglob("*.dcm")}):
        shortcut, fresh = Shortcut(rewriter()), rewriter()
        for path in sorted(folder.glob("*.dcm"))[:6]:
            quick += quick_or_none(shortcut, path.read_bytes(), fresh)
            seen += 1
    assert quick > seen / 2


TEXTS = st.text(st.sampled_from("ABab 01.^\\"), max_size=12)
ELEMENTS = st.one_of(
    st.tuples(
        st.sampled_from(["ContentTime", "AcquisitionTime"]), st.sampled_from(["1011", "101112.5", "x", "", "10:11:12"])
    ),
    st.tuples(
        st.sampled_from(["KVP", "SliceLocation", "TableHeight"]), st.sampled_from(["120", "1e3", "9999999", "", "1\\2"])
    ),
    st.tuples(st.sampled_from(["SeriesDescription", "BodyPartExamined", "PatientComments", "PatientName"]), TEXTS),
    st.tuples(st.sampled_from(["StudyDate", "AcquisitionDate", "PatientBirthDate"]), st.sampled_from(["20190304", ""])),
    st.tuples(st.sampled_from(["PatientAge"]), st.sampled_from(["063Y", "095Y", "x", ""])),
    st.tuples(st.sampled_from(["SmallestImagePixelValue", "InstanceNumber"]), st.integers(0, 2000)),
    st.tuples(
        st.sampled_from(["FrameOfReferenceUID", "SOPInstanceUID"]), st.sampled_from(["1.2.3", "1.2.3.4.55", "Quxworth"])
    ),
    st.tuples(
        st.sampled_from(["ImageType"]), st.sampled_from([["ORIGINAL", "PRIMARY"], ["SCREEN SAVE"], ["Quxworth"]])
    ),
    st.tuples(st.sampled_from(["SpecificCharacterSet"]), st.sampled_from(["ISO_IR 100", "ISO_IR 192", ""])),
    st.tuples(st.sampled_from(["BitsStored"]), st.sampled_from([12, 16])),
    st.tuples(st.just("private"), TEXTS),
    st.tuples(st.just("sequence"), st.lists(st.sampled_from(["1.2.3", "1.2.3.4.55"]), max_size=2)),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.lists(ELEMENTS, max_size=4), min_size=3, max_size=7), st.booleans(), st.booleans())
def test_series_whose_slices_differ_anyhow_are_written_alike(
    changes: list[list[tuple[str, object]]], year: bool, implicit: bool
) -> None:
    dates = DateRule("year") if year else DateRule("shift", 21)
    shortcut, fresh = Shortcut(rewriter(dates)), rewriter(dates)
    image = ct()
    for number, change in enumerate(changes):
        image.SOPInstanceUID, image.InstanceNumber = f"1.2.3.{number}", number
        for keyword, value in change:
            _set(image, keyword, value)
        data = to_bytes(image, ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian)
        quick_or_none(shortcut, data, fresh)


def _set(image: Dataset, keyword: str, value: object) -> None:
    if keyword == "private":
        image.private_block(0x0029, "QUX", create=True).add_new(0x10, "LO", value)
    elif keyword == "sequence":
        image.ReferencedImageSequence = [Dataset() for _ in value]  # type: ignore[attr-defined]
        for item, uid in zip(image.ReferencedImageSequence, value, strict=True):  # type: ignore[call-overload]
            item.ReferencedSOPInstanceUID = uid
    else:
        setattr(image, keyword, value)

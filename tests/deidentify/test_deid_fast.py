"""The quick way against the strict one: the same bytes and notes wherever the quick way answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

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
    with pytest.raises(Unsafe, match="burned_in_text"):
        Shortcut(rewriter()).rewrite(to_bytes(ct(BurnedInAnnotation="YES")))


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

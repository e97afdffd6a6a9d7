"""Files damaged in every way: each is rewritten without losing pixels, or refused with a reason; nothing else ever happens."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from deidentify.deid_objects import SPARE, ct, rewriter, rtstruct, seg, to_bytes
from deidentify.test_deid_codestream import j2k, jpeg
from deidentify.test_deid_fragments import compressed, run_length
from radcurate.deidentify.instance import rewrite_instance
from radcurate.dicom.container import read_file
from radcurate.dicom.elements import PIXEL_DATA
from radcurate.dicom.problems import Unsafe

NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
WIDE = {"BitsAllocated": 16, "BitsStored": 16, "HighBit": 15}


@cache
def synthetic() -> tuple[bytes, ...]:
    native = [to_bytes(make(), syntax) for make in (ct, seg, rtstruct) for syntax in NATIVE]
    coded = [
        compressed(encapsulate([jpeg(b"Quxworth"), jpeg()]), 2, JPEGBaseline8Bit),
        compressed(encapsulate([j2k(b"Quxworth")]), 1, JPEG2000Lossless),
        compressed(encapsulate([run_length()]), 1, RLELossless, **WIDE),
    ]
    return (*native, *coded)


@cache
def real(folder: Path) -> tuple[bytes, ...]:
    """Small real files that can be read."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size < 40_000:
            data = path.read_bytes()
            try:
                read_file(data)
            except Unsafe:
                continue
            found.append(data)
    return tuple(found)


PLACES = st.one_of(st.integers(0, 2_000), st.integers(0, 1 << 20))
CHANGES = st.one_of(
    st.tuples(st.just("flip"), PLACES, st.integers(0, 7)),
    st.tuples(st.just("set"), PLACES, st.sampled_from((0, 1, 0x7F, 0xE0, 0xFE, 0xFF))),
    st.tuples(st.just("cut"), PLACES, st.just(0)),
    st.tuples(st.just("drop"), PLACES, st.integers(1, 200)),
    st.tuples(st.just("insert"), PLACES, st.binary(min_size=1, max_size=20)),
    st.tuples(st.just("splice"), PLACES, st.tuples(st.integers(0, 1000), PLACES, st.integers(1, 2000))),
)


def damaged(data: bytes, changes: list[tuple[str, int, object]], others: tuple[bytes, ...]) -> bytes:
    for kind, place, how in changes:
        at = place % (len(data) + 1)
        before, after = data[:at], data[at:]
        if kind in ("flip", "set"):
            byte = after[0] if after else 0
            data = before + bytes([byte ^ 1 << int(how) if kind == "flip" else int(how)]) + after[1:]  # type: ignore[call-overload]
        elif kind == "cut":
            data = before
        elif kind == "drop":
            data = before + after[int(how) :]  # type: ignore[call-overload]
        elif kind == "insert":
            data = before + bytes(how) + after  # type: ignore[call-overload]
        else:
            which, start, length = how  # type: ignore[misc]
            other = others[which % len(others)]
            data = before + other[start % len(other) :][:length] + after
    return data


def judge(data: bytes) -> None:
    subject = rewriter()
    try:
        new = rewrite_instance(data, subject, SPARE).data
    except Unsafe as verdict:
        assert verdict.reason.replace("_", "").isalnum() and verdict.remedy
        return
    again = read_file(new)
    assert not again.trailing and new[:128] == bytes(128)
    pixels = again.elements.get(PIXEL_DATA)
    if pixels is not None and not pixels.fragments:  # what the file held, from its start, and nothing else
        source = read_file(data).elements[PIXEL_DATA].value
        assert pixels.value[: len(source)] == source[: len(pixels.value)] and len(pixels.value) <= len(source) + 1


@given(st.integers(0, 1000), st.lists(CHANGES, min_size=1, max_size=4))
@settings(max_examples=400, deadline=None)
def test_damaged_files_are_rewritten_or_refused(which: int, changes: list[tuple[str, int, object]]) -> None:
    files = synthetic()
    judge(damaged(files[which % len(files)], changes, files))


@given(which=st.integers(0, 1000), changes=st.lists(CHANGES, min_size=1, max_size=4))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_real_files_are_rewritten_or_refused(
    real_data: Path, which: int, changes: list[tuple[str, int, object]]
) -> None:
    files = real(real_data / "pydicom_testfiles")
    if not files:
        pytest.skip("pydicom_testfiles is not in RADCURATE_TEST_DATA")
    judge(damaged(files[which % len(files)], changes, files))


@pytest.mark.slow
@given(which=st.integers(0, 1000), changes=st.lists(CHANGES, min_size=1, max_size=6))
@settings(max_examples=10_000, deadline=None)
def test_many_damaged_files_are_rewritten_or_refused(which: int, changes: list[tuple[str, int, object]]) -> None:
    files = synthetic()
    judge(damaged(files[which % len(files)], changes, files))


@pytest.mark.parametrize("which", range(15))
def test_a_byte_changed_in_every_place_of_a_header(which: int) -> None:
    data = synthetic()[which]
    for place in range(which % 3, min(len(data), 1500), 3):
        for value in (0, 0xFF):
            judge(data[:place] + bytes([value]) + data[place + 1 :])


def test_there_are_as_many_files_as_are_damaged_in_turn() -> None:
    assert len(synthetic()) == 15 and all(read_file(data).elements for data in synthetic())

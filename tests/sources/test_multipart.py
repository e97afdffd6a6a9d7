"""Multipart answers, however the network cuts them up."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.sources.multipart import Multipart

MARK = "bound"
BODIES = st.lists(
    st.binary(max_size=60) | st.sampled_from([b"--bound", b"\r\n--boun", b"\r\n", b"\r\n\r\n", b"--"]), max_size=5
)


def message(
    bodies: list[bytes], preamble: bytes = b"", header: bytes = b"Content-Type: application/dicom\r\n"
) -> bytes:
    parts = b"".join(b"--bound\r\n" + header + b"\r\n" + body + b"\r\n" for body in bodies)
    return preamble + parts + b"--bound--\r\n"


def reader(data: bytes, step: int) -> Callable[[int], bytes]:
    state = {"at": 0}

    def read(size: int) -> bytes:
        block = data[state["at"] : state["at"] + min(size, step)]
        state["at"] += len(block)
        return block

    return read


def bodies_of(data: bytes, step: int) -> list[bytes]:
    return [b"".join(body) for body in Multipart(reader(data, step), MARK).parts()]


@given(
    bodies=BODIES.filter(lambda bodies: not any(b"\r\n--bound" in b"\r\n" + body for body in bodies)),
    step=st.integers(1, 300),
    preamble=st.sampled_from([b"", b"\r\n", b"to be ignored\r\n"]),
    header=st.sampled_from([b"", b"Content-Type: application/dicom\r\n"]),
)
def test_parts_are_what_was_sent(bodies: list[bytes], step: int, preamble: bytes, header: bytes) -> None:
    assert bodies_of(message(bodies, preamble, header), step) == bodies


@given(cut=st.integers(0, 200), step=st.integers(1, 50))
def test_an_answer_that_ends_early_is_noticed(cut: int, step: int) -> None:
    data = message([b"one" * 20, b"two" * 20])
    whole = data.index(b"--bound--") + len(b"--bound--")
    if cut >= whole:
        assert len(bodies_of(data[:cut], step)) == 2
        return
    with pytest.raises(EOFError):
        bodies_of(data[:cut], step)


def test_a_part_that_nobody_reads_is_passed_over() -> None:
    parts = Multipart(reader(message([b"one", b"two"]), 5), MARK).parts()
    next(parts)
    assert b"".join(next(parts)) == b"two"


def test_headers_without_end_are_given_up() -> None:
    with pytest.raises(EOFError):
        bodies_of(b"--bound\r\n" + b"x" * (1 << 20), 1 << 16)

"""Compressed pixel data: text goes, samples stay."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from deidentify.deid_objects import POLICY
from radcurate.deidentify.codestream import clean_fragment
from radcurate.dicom.problems import Unsafe

COMMENTS = POLICY.vocabulary.encoder_comments


def jpeg(comment: bytes = b"") -> bytes:
    stream = io.BytesIO()
    pixels = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)
    Image.fromarray(pixels).save(stream, "JPEG", comment=comment, exif=b"Exif\0\0Quxworth" if comment else b"")
    return stream.getvalue()


def decode(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_comments_and_exif_go_and_the_samples_stay() -> None:
    dirty = jpeg(b"Patient Quxworth")
    assert dirty.count(b"Quxworth") == 2
    clean = clean_fragment(dirty + b"Quxworth after the end", "jpeg", COMMENTS, True)
    assert b"Quxworth" not in clean
    assert np.array_equal(decode(clean), decode(dirty))


def test_an_ordinary_stream_stays_byte_identical() -> None:
    assert clean_fragment(jpeg(), "jpeg", COMMENTS, True) == jpeg()


def j2k(comment: bytes) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.arange(4096, dtype=np.uint8).reshape(64, 64)).save(
        stream, "JPEG2000", no_jp2=True, comment=comment
    )
    return stream.getvalue()


def test_jpeg_2000_keeps_the_encoder_and_loses_the_patient() -> None:
    assert clean_fragment(j2k(b"Kakadu-v7.1"), "jpeg2000", COMMENTS, True) == j2k(b"Kakadu-v7.1")
    clean = clean_fragment(j2k(b"Kakadu Quxworth"), "jpeg2000", COMMENTS, True)
    assert b"Quxworth" not in clean and np.array_equal(decode(clean), decode(j2k(b"x")))


def test_containers_and_broken_headers_are_refused() -> None:
    stream = io.BytesIO()
    Image.new("L", (8, 8)).save(stream, "JPEG2000")
    for data, kind in ((stream.getvalue(), "jpeg2000"), (b"Quxworth", "jpeg"), (jpeg()[:30], "jpeg")):
        with pytest.raises(Unsafe):
            clean_fragment(data, kind, COMMENTS, True)

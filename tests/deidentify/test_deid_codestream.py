"""Compressed pixel data: text goes, samples stay."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from deidentify.deid_objects import POLICY
from radcurate.deidentify import jpeg as jpeg_format
from radcurate.deidentify import jpeg2000
from radcurate.dicom.problems import Unsafe

COMMENTS = POLICY.vocabulary.encoder_comments


def cleaned(data: bytes) -> bytes:
    return (jpeg_format if data.startswith(b"\xff\xd8") else jpeg2000).clean(data, COMMENTS)[0]


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
    clean = cleaned(dirty + b"Quxworth after the end")
    assert b"Quxworth" not in clean
    assert np.array_equal(decode(clean), decode(dirty))


def test_an_ordinary_stream_stays_byte_identical() -> None:
    assert cleaned(jpeg()) == jpeg()


def j2k(comment: bytes) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.arange(4096, dtype=np.uint8).reshape(64, 64)).save(
        stream, "JPEG2000", no_jp2=True, comment=comment
    )
    return stream.getvalue()


def test_jpeg_2000_keeps_the_encoder_and_loses_the_patient() -> None:
    assert cleaned(j2k(b"Kakadu-v7.1")) == j2k(b"Kakadu-v7.1")
    clean = cleaned(j2k(b"Kakadu Quxworth"))
    assert b"Quxworth" not in clean and np.array_equal(decode(clean), decode(j2k(b"x")))


def test_broken_headers_are_refused() -> None:
    for data in (b"Quxworth", jpeg()[:30], jpeg()[:-40], j2k(b"x")[:-40], b"\xff\x4f" + j2k(b"x")[4:]):
        with pytest.raises(Unsafe):
            cleaned(data)

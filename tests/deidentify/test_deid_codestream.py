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


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


COMMENT = segment(0xFE, b"Patient Quxworth")


def before(data: bytes, marker: bytes, planted: bytes, last: bool = True) -> bytes:
    """The stream with `planted` before the first or last `marker`."""
    place = data.rindex(marker) if last else data.index(marker)
    return data[:place] + planted + data[place:]


def progressive() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)).save(stream, "JPEG", progressive=True)
    return stream.getvalue()


@pytest.mark.parametrize("marker", [0xFE, 0xE1, 0xE2, 0xED, 0xEF])
@pytest.mark.parametrize("place", [b"\xff\xda", b"\xff\xd9", b"\xff\xdb"])
def test_segments_go_wherever_they_stand(marker: int, place: bytes) -> None:
    clean = progressive()
    assert clean.count(b"\xff\xda") > 2, "several scans"
    assert cleaned(before(clean, place, segment(marker, b"Exif\0\0 Quxworth"))) == clean


def test_restart_markers_and_stuffed_bytes_are_coded_data() -> None:
    stream = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(stream, "JPEG", quality=100, restart_marker_blocks=2)
    data = stream.getvalue()
    assert b"\xff\xd0" in data and b"\xff\x00" in data
    assert cleaned(data) == data and cleaned(before(data, b"\xff\xd9", COMMENT)) == data


def test_the_thumbnail_goes_and_the_colours_stay() -> None:
    data = jpeg()
    head = data.index(b"JFIF\0") - 4
    thumbnail = segment(0xE0, data[head + 4 : head + 16] + b"\2\1" + b"Quxwor")
    assert cleaned(data[:head] + thumbnail + data[head + 18 :]) == data


@pytest.mark.parametrize(
    "planted",
    [
        segment(0xDB, bytes(65) + b"Quxworth"),  # longer than its tables
        segment(0xC4, bytes(17) + b"Quxworth"),
        segment(0xF0, b"Quxworth"),  # an extension
        segment(0xDE, b"Quxworth"),  # hierarchical
        segment(0xF8, b"\2Quxworth"),  # a mapping table
        segment(0xE0, b"JFIF\0\1\1\0Quxworth\0\0"),  # a density that is text
        b"Quxworth",
    ],
)
def test_segments_that_are_not_what_they_should_be_are_refused(planted: bytes) -> None:
    with pytest.raises(Unsafe):
        cleaned(before(jpeg(), b"\xff\xda", planted))


def test_an_undeclared_image_behind_the_end_is_refused_not_cut() -> None:
    for data in (jpeg(), j2k(b"Kakadu-v7.1")):
        with pytest.raises(Unsafe, match="pixel_data_long"):
            cleaned(data + data)


def test_a_stream_without_its_end_is_refused() -> None:
    with pytest.raises(Unsafe):
        cleaned(jpeg()[:-2])


def lossless(sof: int, scan: bytes, planted: bytes = b"") -> bytes:
    frame = segment(sof, bytes((16, 0, 4, 0, 6, 1, 1, 0x11, 0)))
    return b"\xff\xd8" + planted + frame + segment(0xDA, b"\1\1\0\0\0\0") + scan + planted + b"\xff\xd9"


@pytest.mark.parametrize(
    ("sof", "scan"), [(0xC3, b"\x12\xff\x00\x34\xff\xd3\x56"), (0xF7, b"\x12\xff\x7f\x34\xff\x00\x56")]
)
def test_lossless_scans_are_followed_by_their_own_stuffing(sof: int, scan: bytes) -> None:
    clean, coded = jpeg_format.clean(lossless(sof, scan, COMMENT), COMMENTS)
    assert clean == lossless(sof, scan)
    assert (coded.rows, coded.columns, coded.samples, coded.precision) == (4, 6, 1, 16)


def j2k_with(planted: bytes, tlm: bool = False) -> bytes:
    """A code stream with a segment in its first tile-part header, and lengths that fit."""
    data = j2k(b"Kakadu-v7.1")
    tile = data.index(b"\xff\x90\x00\x0a")
    length = int.from_bytes(data[tile + 6 : tile + 10], "big")
    body = data.index(b"\xff\x93", tile)
    new = length + len(planted)
    table = segment(0x55, b"\0\x50" + b"\0" + new.to_bytes(4, "big")) if tlm else b""
    start = data[tile : tile + 6] + new.to_bytes(4, "big") + data[tile + 10 : tile + 12]
    return data[:tile] + table + start + data[tile + 12 : body] + planted + data[body:]


def test_comments_in_tile_part_headers_go_and_lengths_are_mended() -> None:
    text = segment(0x64, b"\0\1Quxworth")
    assert b"Quxworth" in j2k_with(text)
    assert cleaned(j2k_with(text)) == j2k(b"Kakadu-v7.1")
    assert cleaned(j2k_with(text, tlm=True)) == j2k_with(b"", tlm=True)
    assert np.array_equal(decode(cleaned(j2k_with(text, tlm=True))), decode(j2k(b"x")))


def varint(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))


def test_pointers_have_to_point() -> None:
    data = j2k(b"Kakadu-v7.1")
    body = data.index(b"\xff\x93") + 2
    honest = j2k_with(segment(0x58, b"\0" + varint(len(data) - 2 - body)))
    assert cleaned(honest) == honest
    with pytest.raises(Unsafe):
        cleaned(j2k_with(segment(0x58, b"\0Quxworth")))
    main = data.index(b"\xff\x90\x00\x0a")
    with pytest.raises(Unsafe):
        cleaned(data[:main] + segment(0x58, b"\0Quxworth") + data[main:])
    table = j2k_with(b"", tlm=True)
    place = table.index(b"\xff\x55") + 7
    assert cleaned(table[:place] + b"QUXW" + table[place + 4 :]) == table
    for marker in (0x57, 0x60, 0x61, 0x63, 0x74):  # rare, and nobody can tell what is in them
        with pytest.raises(Unsafe):
            cleaned(data[:main] + segment(marker, b"\0Quxworth") + data[main:])


def test_the_last_tile_part_may_go_to_the_end() -> None:
    data = j2k(b"Kakadu-v7.1")
    tile = data.index(b"\xff\x90\x00\x0a")
    endless = data[: tile + 6] + bytes(4) + data[tile + 10 :]
    assert cleaned(endless) == endless and cleaned(endless + b"Quxworth") == endless
    place = endless.index(b"\xff\x93", tile)
    assert cleaned(endless[:place] + segment(0x64, b"\0\1Quxworth") + endless[place:]) == endless
    for wrong in (len(data), 13):
        with pytest.raises(Unsafe):
            cleaned(data[: tile + 6] + wrong.to_bytes(4, "big") + data[tile + 10 :])


def test_marker_segments_that_nobody_knows_are_refused() -> None:
    for marker in (0x30, 0x54, 0x6F, 0x7F):
        with pytest.raises(Unsafe):
            cleaned(j2k_with(segment(marker, b"Quxworth")))


def box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + kind + content


def test_boxes_lose_what_the_samples_do_not_need() -> None:
    stream = io.BytesIO()
    Image.fromarray(np.arange(4096, dtype=np.uint8).reshape(64, 64)).save(stream, "JPEG2000")
    data = stream.getvalue()
    planted = box(b"xml ", b"<name>Quxworth</name>") + box(b"uuid", bytes(16) + b"Quxworth")
    clean = cleaned(before(data, data[data.index(b"jp2c") - 4 : data.index(b"jp2c") + 4], planted))
    assert b"Quxworth" not in clean and clean == cleaned(data)
    assert np.array_equal(decode(clean), decode(data))


def test_boxes_with_a_colour_profile_are_refused() -> None:
    stream = io.BytesIO()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(stream, "JPEG2000")
    data = stream.getvalue()
    with pytest.raises(Unsafe):
        cleaned(data.replace(b"colr\1", b"colr\2"))

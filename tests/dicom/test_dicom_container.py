"""The file around the data set, and data sets whose ends, delimiters and encodings are not what they should be."""

from __future__ import annotations

import io
import struct
import zlib

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
)

from deidentify.deid_objects import ct, planted_texts, rewrite, rtstruct, seg, to_bytes
from radcurate.dicom.container import read_file
from radcurate.dicom.elements import Element, Encoding, read_data_set
from radcurate.dicom.encode import encode
from radcurate.dicom.problems import Unsafe

LITTLE, BIG, IMPLICIT = Encoding(explicit=True), Encoding(explicit=True, little=False), Encoding(explicit=False)
SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
NATIVE = SYNTAXES[:3]


def element(tag: int, vr: str, value: bytes, encoding: Encoding = LITTLE) -> bytes:
    return encode({tag: Element(tag, vr, value)}, encoding)


def item(content: bytes, length: int | None = None, order: str = "<") -> bytes:
    return struct.pack(order + "HHL", 0xFFFE, 0xE000, len(content) if length is None else length) + content


ITEM_END = struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
REFERENCE = element(0x00081155, "UI", b"1.2.3.4\0")
OPEN = 0xFFFFFFFF


def sequence(value: bytes, length: int | None = None, tag: int = 0x00081140, vr: bytes = b"SQ") -> bytes:
    size = len(value) if length is None else length
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr + b"\0\0" + struct.pack("<L", size) + value


def start_of_data(data: bytes) -> int:
    return 144 + struct.unpack_from("<L", data, 140)[0]


# ------------------------------------------------------------------ the file


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("make", [ct, seg, rtstruct])
def test_nothing_of_preamble_meta_group_and_end_is_copied(syntax: str, make: object) -> None:
    new = rewrite(make(), syntax=syntax).data  # type: ignore[operator]
    assert new[:128] == bytes(128) and not any(text in new for text in planted_texts())
    ds = pydicom.dcmread(io.BytesIO(new))
    assert set(ds.file_meta.keys()) == {
        0x00020000,
        0x00020001,
        0x00020002,
        0x00020003,
        0x00020010,
        0x00020012,
        0x00020013,
    }
    assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID
    plain = ExplicitVRLittleEndian if syntax == DeflatedExplicitVRLittleEndian else syntax
    assert ds.file_meta.TransferSyntaxUID == plain


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("make", [ct, rtstruct])
def test_bytes_behind_the_data_set_go(syntax: str, make: object) -> None:
    data = to_bytes(make(), syntax)  # type: ignore[operator]
    result = rewrite(data + b"Quxworth^Zebulon was here")
    assert b"Quxworth" not in result.data
    assert any(note.keyword == "trailing" for note in result.notes)


@pytest.mark.parametrize("syntax", NATIVE)
def test_preamble_and_meta_group_may_be_missing(syntax: str) -> None:
    data = to_bytes(ct(), syntax)
    whole = read_file(data).elements
    assert read_file(data[128:]).elements == whole  # no preamble
    assert read_file(data[132:]).elements == whole  # no prefix either
    found = read_file(data[start_of_data(data) :])  # no meta group
    assert found.elements == whole and found.transfer_syntax == syntax


def test_every_vr_of_the_meta_group_is_followed() -> None:
    data = to_bytes(ct())
    start = start_of_data(data)
    more = b"".join(
        element(0x00020026 + 2 * place, vr, b"Quxworth") for place, vr in enumerate(("UR", "UC", "OD", "UV"))
    )
    assert read_file(data[:start] + more + data[start:]).elements == read_file(data).elements


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:140] + data[140:144] + data[144:].replace(b"\2\0\x10\0UI", b"\2\0\x10\0??", 1),
        lambda data: data[: start_of_data(data)] + element(0x00020010, "UI", b"1.2.840.10008.1.2\0") + data[start_of_data(data) :],
        lambda data: data[: start_of_data(data) - 2],
        lambda data: b"\0\2\0\0UL\0\4\0\0\0\0" + data[start_of_data(data) :],
    ],
    ids=["vr", "twice", "cut", "big endian"],
)  # fmt: skip
def test_a_meta_group_in_doubt_is_refused(change: object) -> None:
    with pytest.raises(Unsafe):
        read_file(change(to_bytes(ct())))  # type: ignore[operator]


@pytest.mark.parametrize("written", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_file_that_is_written_in_the_other_vr_is_read_as_written(written: str) -> None:
    data, other = to_bytes(ct(), written), (SYNTAXES[1] if written == SYNTAXES[0] else SYNTAXES[0])
    declared = to_bytes(ct(), other)
    mixed = declared[: start_of_data(declared)] + data[start_of_data(data) :]
    assert read_file(mixed).elements == read_file(data).elements
    assert pydicom.dcmread(io.BytesIO(rewrite(mixed).data)).PixelData == ct().PixelData


@pytest.mark.parametrize("damage", ["cut", "zlib", "bytes"])
def test_a_broken_deflated_file_is_refused(damage: str) -> None:
    data = to_bytes(ct(), DeflatedExplicitVRLittleEndian)
    start = start_of_data(data)
    plain = to_bytes(ct())
    body = {"cut": data[start:-9], "zlib": zlib.compress(plain[start_of_data(plain) :]), "bytes": b"Quxworth" * 9}[
        damage
    ]
    with pytest.raises(Unsafe):
        read_file(data[:start] + body)


def test_a_directory_is_no_object() -> None:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.DirectoryRecordSequence = MediaStorageDirectoryStorage, "1.2.3.4.5.1", []
    with pytest.raises(Unsafe, match="dicomdir"):
        read_file(to_bytes(ds))


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 200, b"DICM", b"\0" * 128 + b"DICM", b"Patient: Quxworth\n" * 20, b"%PDF-1.4 " * 30]
)
def test_what_is_not_dicom_is_refused(data: bytes) -> None:
    with pytest.raises(Unsafe):
        read_file(data)


# ------------------------------------------------------------------ truncation


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("make", [ct, seg, rtstruct])
def test_a_file_cut_anywhere_is_refused_or_lacks_nothing_that_is_needed(syntax: str, make: object) -> None:
    data = to_bytes(make(), syntax)  # type: ignore[operator]
    whole = pydicom.dcmread(io.BytesIO(rewrite(data).data))
    for end in range(0, len(data), 7):
        try:
            new = pydicom.dcmread(io.BytesIO(rewrite(data[:end]).data))
        except Unsafe:
            continue
        for name in ("PixelData", "ROIContourSequence", "SegmentSequence"):
            assert new.get(name) == whole.get(name)


# ------------------------------------------------------------------ sequences


@pytest.mark.parametrize(
    "value",
    [
        sequence(item(REFERENCE)),
        sequence(item(REFERENCE, OPEN) + ITEM_END),
        sequence(item(REFERENCE) + SEQUENCE_END, OPEN),
        sequence(item(REFERENCE, OPEN) + ITEM_END + SEQUENCE_END, OPEN),
        sequence(item(REFERENCE) + SEQUENCE_END),  # superfluous
        sequence(item(element(0x00081155, "", b"1.2.3.4\0", IMPLICIT)), vr=b"UN"),
        sequence(item(element(0x00081155, "", b"1.2.3.4\0", IMPLICIT)) + SEQUENCE_END, OPEN, vr=b"UN"),
        sequence(item(REFERENCE), vr=b"UN"),  # explicit under UN, which is wrong and common
        sequence(item(REFERENCE, OPEN) + ITEM_END + SEQUENCE_END, OPEN, vr=b"UN"),
    ],
)
def test_sequences_in_every_form_give_the_same_items(value: bytes) -> None:
    items = read_data_set(value, 0, LITTLE).elements[0x00081140].items
    assert items is not None and [one[0x00081155].value for one in items] == [b"1.2.3.4\0"]


@pytest.mark.parametrize(
    "value",
    [
        sequence(SEQUENCE_END + item(REFERENCE)),  # something behind the delimiter
        sequence(item(REFERENCE) + ITEM_END),
        sequence(item(REFERENCE + ITEM_END)),
        sequence(item(REFERENCE, OPEN) + SEQUENCE_END, OPEN),
        sequence(item(REFERENCE, OPEN), OPEN),
        sequence(item(REFERENCE), OPEN),
        sequence(item(REFERENCE, OPEN) + ITEM_END[:4] + b"\4\0\0\0" + SEQUENCE_END, OPEN),
        sequence(item(REFERENCE) + SEQUENCE_END[:4] + b"\4\0\0\0", OPEN),
        sequence(item(REFERENCE, 200)),
        sequence(item(REFERENCE)[:-3]),
        sequence(item(REFERENCE), 4000),
        sequence(b"Quxworth"),
        ITEM_END,
        item(REFERENCE),
        sequence(item(REFERENCE + REFERENCE)),
    ],
)
def test_stray_delimiters_and_lengths_that_do_not_fit_are_refused(value: bytes) -> None:
    after = element(0x00280010, "US", b"\1\0") + element(0x00280011, "US", b"\1\0")
    with pytest.raises(Unsafe):
        read_data_set(value + after, 0, LITTLE)


def test_empty_sequences_and_items_are_kept_as_empty() -> None:
    for value in (sequence(b""), sequence(SEQUENCE_END, OPEN)):
        assert read_data_set(value, 0, LITTLE).elements[0x00081140].items == []
    for value in (sequence(item(b"")), sequence(item(b"", OPEN) + ITEM_END + SEQUENCE_END, OPEN)):
        assert read_data_set(value, 0, LITTLE).elements[0x00081140].items == [{}]


@pytest.mark.parametrize("depth", [1, 5, 20])
@pytest.mark.parametrize("vr", [b"SQ", b"UN"])
@pytest.mark.parametrize("open_ends", [True, False])
def test_private_sequences_are_followed_and_go(depth: int, vr: bytes, open_ends: bool) -> None:
    name = element(0x00100010, "" if vr == b"UN" else "PN", b"Quxworth^Zebulon", IMPLICIT if vr == b"UN" else LITTLE)
    value = name
    for level in range(depth):
        inner = item(value, OPEN) + ITEM_END + SEQUENCE_END if open_ends else item(value)
        explicit = vr == b"SQ" or level == depth - 1
        head = struct.pack("<HH", 0x0029, 0x1010) + (vr + b"\0\0" if explicit else b"")
        value = head + struct.pack("<L", OPEN if open_ends else len(inner)) + inner
    data = to_bytes(ct())
    place = data.index(b"\x28\x00\x02\x00US")
    block = element(0x00290010, "LO", b"QUXWORTH")
    pixels = data.index(b"\xe0\x7f\x10\x00")
    assert data.index(b"\x28\x00", place) == place
    new = rewrite(data[:pixels] + block + value + data[pixels:]).data
    assert not any(text in new for text in planted_texts())
    assert pydicom.dcmread(io.BytesIO(new)).PixelData == ct().PixelData


def test_elements_out_of_order_are_read_and_written_in_order() -> None:
    parts = [element(0x00280011, "US", b"\6\0"), element(0x00280010, "US", b"\4\0"), element(0x00080060, "CS", b"CT")]
    elements = read_data_set(b"".join(parts), 0, LITTLE).elements
    assert encode(elements, LITTLE) == b"".join(reversed(parts))


def test_pixel_data_twice_is_a_contradiction() -> None:
    data = to_bytes(ct())
    with pytest.raises(Unsafe, match="duplicate_element"):
        rewrite(data + data[data.index(b"\xe0\x7f\x10\x00") :])


def test_the_rest_of_a_damaged_object_without_pixels_is_not_cut_off_silently() -> None:
    data = to_bytes(rtstruct("GTV-1", "GTV-2"))
    contours = data.index(struct.pack("<HH", 0x3006, 0x0039))
    size = struct.unpack_from("<L", data, contours + 8)[0]
    with pytest.raises(Unsafe):  # the sequence now ends before its last item
        rewrite(data[: contours + 8] + struct.pack("<L", size - 60) + data[contours + 12 :])


def test_group_lengths_and_commands() -> None:
    data = to_bytes(ct())
    start = start_of_data(data)
    lengths = element(0x00080000, "UL", b"\x99\0\0\0")
    assert b"\x08\0\0\0UL" not in rewrite(data[:start] + lengths + data[start:]).data
    with pytest.raises(Unsafe):
        rewrite(data[:start] + element(0x00000000, "UL", b"\4\0\0\0") + data[start:])


def test_long_values_of_short_vrs_are_written_where_readers_find_them() -> None:
    ds = rtstruct()
    ds.ROIContourSequence[0].ContourSequence[0].ContourData = [float(number % 500) for number in range(30000)]
    ds.ROIContourSequence[0].ContourSequence[0].NumberOfContourPoints = 10000
    new = pydicom.dcmread(io.BytesIO(rewrite(ds).data))
    assert len(new.ROIContourSequence[0].ContourSequence[0].ContourData) == 30000


# ------------------------------------------------------------------ character sets

NAMES = {
    "ISO_IR 100": "Müller^Jörg",
    "ISO_IR 101": "Wałęsa^Lech",
    "ISO_IR 109": "Ħaż-Żebbuġ",
    "ISO_IR 110": "Bērziņš",
    "ISO_IR 144": "Люкceмбypг",
    "ISO_IR 127": "قباني^لنزار",
    "ISO_IR 126": "Διονυσιος",
    "ISO_IR 138": "שרון^דבורה",
    "ISO_IR 148": "Çavuşoğlu",
    "ISO_IR 166": "นามสกุล",
    "ISO_IR 13": "ﾔﾏﾀﾞ^ﾀﾛｳ",
    "ISO_IR 192": "山田^太郎",
    "GB18030": "王^小东=誠",
    "GBK": "王^小东",
    "\\ISO 2022 IR 87": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "ISO 2022 IR 13\\ISO 2022 IR 87": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎",
    "\\ISO 2022 IR 149": "Hong^Gildong=洪^吉洞=홍^길동",
    "\\ISO 2022 IR 58": "Zhang^XiaoDong=张^小东",
}


@pytest.mark.parametrize("charset", sorted(NAMES))
def test_names_in_every_character_set_go_and_the_rest_stays(charset: str) -> None:
    ds = ct()
    ds.SpecificCharacterSet = charset.split("\\")
    ds.PatientName = ds.ReferringPhysicianName = ds.OperatorsName = NAMES[charset]
    ds.BodyPartExamined, ds.SeriesDescription = "CHEST", NAMES[charset].split("=")[-1].replace("^", " ")
    raw = to_bytes(ds)
    new = rewrite(raw).data
    back = pydicom.dcmread(io.BytesIO(new))
    assert back.SpecificCharacterSet == "ISO_IR 192" and back.BodyPartExamined == "CHEST"
    source = pydicom.dcmread(io.BytesIO(raw))
    written = {source.get_item(tag).value.strip() for tag in (0x00100010, 0x0008103E)}
    header = new[: new.index(b"\xe0\x7f\x10\x00")]
    for text in (*written, *(part.encode() for part in NAMES[charset].replace("=", "^").split("^"))):
        assert text not in header


@pytest.mark.parametrize("charset", ["GB18030", "ISO_IR 13", "GBK"])
def test_a_backslash_inside_of_a_character_does_not_split_a_value(charset: str) -> None:
    """The second byte of 誠 in GB18030 and of ソ in Shift JIS is 5C."""
    ds = ct()
    ds.SpecificCharacterSet = charset
    data = to_bytes(ds)
    raw = {"GB18030": b"\xd5\x5c", "GBK": b"\xd5\x5c", "ISO_IR 13": b"\x83\x5c"}[charset]
    old = element(0x0018_0015, "CS", b"CHEST ")
    assert old in data
    kernel = element(0x00181210, "SH", raw + b"B30f")
    place = data.index(struct.pack("<HH", 0x0018, 0x1210))
    size = 8 + struct.unpack_from("<H", data, place + 6)[0]
    new = pydicom.dcmread(io.BytesIO(rewrite(data[:place] + kernel + data[place + size :]).data))
    assert not new.ConvolutionKernel  # one value that nobody listed, not two of which one is a kernel

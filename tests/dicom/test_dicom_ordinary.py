"""The quick way to read ordinary files against pydicom's: the same headers and the same facts, or none."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from inventory_files import Export, item, save, uid
from radcurate.demo import make_cohort
from radcurate.dicom import scan
from radcurate.dicom.header import read_header
from radcurate.dicom.ordinary import Reader
from radcurate.dicom.scan import scan_batch
from radcurate.dicom.tree import Found, find_files

LONG = (b"OB", b"OD", b"OF", b"OL", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT")
CHARSET = 0x00080005
CHARSETS = (
    "",
    "ISO_IR 100",
    "ISO_IR 192",
    "ISO_IR 144",
    "GB18030",
    "\\ISO 2022 IR 87",
    "ISO 2022 IR 6\\ISO 2022 IR 149",
    "odd",
)


class Never(Reader):
    """Leaves every file to pydicom."""

    def read(self, found: Found) -> None:
        return None


def agree(files: Many[Found], source: Path) -> None:
    """The files give the same as when pydicom alone reads them."""
    quick = scan_batch(files, source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "Reader", Never)
        cold = scan_batch(files, source)
    assert [h.file.path for h in quick.headers] == [h.file.path for h in cold.headers]
    for mine, theirs in zip(quick.headers, cold.headers, strict=True):
        assert mine == theirs
    assert quick.unusable == cold.unusable
    assert quick.facts == cold.facts


def share(files: Many[Found], source: Path) -> float:
    """Share of the files that are read the quick way."""
    reader = Reader(str(source))
    return sum(reader.read(found) is not None for found in files) / len(files)


def written(folder: Path, contents: Many[bytes]) -> list[Found]:
    for number, data in enumerate(contents):
        (folder / f"{number}").write_bytes(data)
    return [Found(f"{number}", 0, 0) for number in range(len(contents))]


# Files of bytes, so that anything can stand anywhere


@dataclass
class Slice:
    """Elements by tag: VR and value, or items."""

    elements: dict[int, tuple[bytes, bytes | list[Slice]]]
    undefined: bool = False  # length of its sequences and items
    explicit: bool = True
    meta: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    pixels: bytes = bytes(32)

    def file(self) -> bytes:
        syntax = b"1.2.840.10008.1.2.1\0" if self.explicit else b"1.2.840.10008.1.2\0"
        meta = {0x00020002: (b"UI", b"1.2.840.10008.5.1.4.1.1.2\0"), 0x00020010: (b"UI", syntax)} | self.meta
        group = b"".join(element(tag, vr, value, True) for tag, (vr, value) in sorted(meta.items()))
        length = element(0x00020000, b"UL", struct.pack("<L", len(group)), True)
        pixels = element(0x7FE00010, b"OW", self.pixels, self.explicit)
        return bytes(128) + b"DICM" + length + group + self.body(self.explicit, self.undefined) + pixels

    def body(self, explicit: bool, undefined: bool) -> bytes:
        parts = []
        for tag, (vr, value) in sorted(self.elements.items()):
            if isinstance(value, list):
                items = [nested.body(explicit, undefined) for nested in value]
                whole = b"".join(framed(one, undefined) for one in items)
                parts.append(element(tag, vr, whole, explicit, undefined))
            else:
                parts.append(element(tag, vr, value, explicit))
        return b"".join(parts)


def element(tag: int, vr: bytes, value: bytes, explicit: bool, undefined: bool = False) -> bytes:
    value += b" " * (len(value) % 2)
    length = 0xFFFFFFFF if undefined else len(value)
    end = b"\xfe\xff\xdd\xe0\0\0\0\0" if undefined else b""
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if not explicit:
        return head + struct.pack("<L", length) + value + end
    if vr in LONG:
        return head + vr + b"\0\0" + struct.pack("<L", length) + value + end
    return head + vr + struct.pack("<H", length) + value + end


def framed(body: bytes, undefined: bool) -> bytes:
    if undefined:
        return b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + body + b"\xfe\xff\x0d\xe0\0\0\0\0"
    return b"\xfe\xff\x00\xe0" + struct.pack("<L", len(body)) + body


BASE = {
    0x00080016: (b"UI", b"1.2.840.10008.5.1.4.1.1.2\0"),
    0x00080018: (b"UI", b"1.2.3.4.5.6.7.8.1"),
    0x00080020: (b"DA", b"20240102"),
    0x00080060: (b"CS", b"CT"),
    0x00100010: (b"PN", b"Falke^Zita"),
    0x00100020: (b"LO", b"PAT-1"),
    0x0020000D: (b"UI", b"1.2.3.4.5.6.7.9"),
    0x0020000E: (b"UI", b"1.2.3.4.5.6.8.0"),
    0x00200013: (b"IS", b"1"),
    0x00200032: (b"DS", b"0\\0\\1.5"),
    0x00200037: (b"DS", b"1\\0\\0\\0\\1\\0"),
    0x00280010: (b"US", b"\4\0"),
    0x00280011: (b"US", b"\4\0"),
    0x00280030: (b"DS", b"1\\1"),
    0x00280100: (b"US", b"\x10\0"),
    0x00281052: (b"DS", b"-1024"),
    0x00281053: (b"DS", b"1"),
}
OTHERS = (
    0x00080008, 0x00080016, 0x00080018, 0x00080023, 0x00080060, 0x00080080, 0x00081030, 0x00081140, 0x00081150, 0x00100010,
    0x00100020, 0x00100021, 0x00100030, 0x00100040, 0x00180050, 0x00180088, 0x00181000, 0x0020000E, 0x00200032, 0x00200037,
    0x00200052, 0x00204000, 0x00280008, 0x00280010, 0x00280030, 0x00280100, 0x00280103, 0x00281053, 0x00283006, 0x00400275,
    0x0040A730, 0x00120064, 0x00090010, 0x00091001, 0x000910FF, 0x00190010, 0x00191008, 0x00290010, 0x00291010, 0x50000010,
    0x60000022, 0x52009229, 0x52009230, 0x00041220, 0x00080000, 0x00080001, 0x00085555,
)  # fmt: skip
VRS = (
    b"AE",
    b"CS",
    b"DA",
    b"DS",
    b"DT",
    b"IS",
    b"LO",
    b"LT",
    b"OB",
    b"OW",
    b"PN",
    b"SH",
    b"SQ",
    b"TM",
    b"UI",
    b"UN",
    b"US",
    b"UT",
)
VALUES = (
    b"", b"FALKE", b"Falke^Zita", b"PAT-1", b" PAT-1 \0", b"1.2.3.4.5.6.7.8.2", b"1.2.3.4.5.6.7.8.3\\1.2.3.4.5.6.7.8.4 \0",
    b"\x0b1.2.3.4.5.6.7.8.5\x0c", b"\xa01.2.3.4.5.6.7.8.6", b"20240229", b"2024.02.29", b"20240229101112.5", b"1", b"0", b"4\0",
    b"1e3", b"nan", b"inf\\1", b"1_0", b"0\\0\\3", b"0\\0\\x", b" 0\\ 0 \\3\0", b"\\", b"1\\", b"\0", b"\0\0\0\0", b"M\xfcller^Hans",
    b"M\xc3\xbcller^Hans", b"\x1b$B;3ED\x1b(B^\x1b$BB@O:", b"\xb0\xa1\xb0\xa2", b"Caf\xe9 \\ bar", b"Gems_PARM_01", b"GEMS_PARM_01",
    b"SIEMENS CSA HEADER", b"MOSAIC\\ORIGINAL", b"01", b"CT", b"\xff" * 6, b"A" * 70, b"Zita Falke " * 110, b"DICM\2\0\x10\0UI",
    b"\xfe\xff\x00\xe0\x0a\0\0\0\x10\0\x10\0PN\2\0Zi", b"\x10\0\x20\0LO\4\0abcd", b"\xfe\xff\x0d\xe0\0\0\0\0",
)  # fmt: skip

tags, vrs, raw_values = st.sampled_from(OTHERS), st.sampled_from(VRS), st.sampled_from(VALUES) | st.binary(max_size=12)
leaves = st.dictionaries(tags, st.tuples(vrs, raw_values), max_size=3).map(Slice)
items = st.lists(
    leaves
    | st.builds(Slice, st.dictionaries(tags, st.tuples(st.just(b"SQ"), st.lists(leaves, max_size=2)), max_size=2)),
    max_size=2,
)
extras = st.dictionaries(
    tags, st.tuples(vrs, raw_values) | st.tuples(st.sampled_from([b"SQ", b"UN"]), items), max_size=5
)
own = st.dictionaries(tags, st.tuples(vrs, raw_values), max_size=2)
SETTINGS = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(extras, st.lists(own, min_size=2, max_size=5), st.sampled_from(CHARSETS), st.booleans(), st.booleans())
@SETTINGS
def test_any_series_of_odd_headers_is_read_alike(
    tmp_path: Path, extra: dict, slices: list[dict], charset: str, explicit: bool, undefined: bool
) -> None:
    contents = []
    for number, more in enumerate(slices):
        elements = BASE | extra | {0x00200032: (b"DS", f"0\\0\\{number}".encode())}
        elements[0x00080018] = (b"UI", f"1.2.3.4.5.6.7.8.{10**number}".encode())
        if charset:
            elements[0x00080005] = (b"CS", charset.encode())
        contents.append(Slice(elements | more, undefined, explicit, {0x00020003: elements[0x00080018]}).file())
    agree(written(tmp_path, contents), tmp_path)


def four(explicit: bool = True, undefined: bool = False, **more: dict) -> list[bytes]:
    """Slices of a series; `more` are further elements of all of them, or of `third` and `fourth` alone."""
    shared = more.pop("shared", {})
    contents = []
    for number, name in enumerate(("first", "second", "third", "fourth"), start=1):
        elements = BASE | {0x00080018: (b"UI", b"1.2.3.4.5.6.7.8.%d" % number)} | shared | more.get(name, {})
        contents.append(Slice(elements, undefined, explicit, {0x00020003: elements[0x00080018]}).file())
    return contents


@pytest.mark.parametrize("explicit", [True, False])
@pytest.mark.parametrize(
    "tag", [tag for tag in BASE if tag != 0x00080018] + [0x00180050, 0x00080008, 0x00280100, 0x00280008]
)
def test_slices_of_a_series_that_differ_in_what_should_be_the_same(tmp_path: Path, tag: int, explicit: bool) -> None:
    vr = BASE.get(tag, (b"DS", b""))[0]
    values = [b"\x08\0", b"\x20\0", b"\x10\0"] if vr == b"US" else [b"2\\3\\4", b"1.5\\2.5", b"1.2.9\\CT\0"]
    shared, third, fourth = ({tag: (vr, value)} for value in values)
    agree(written(tmp_path, four(explicit, shared=shared)), tmp_path)
    agree(written(tmp_path, four(explicit, shared=shared, third=third, fourth=fourth)), tmp_path)
    agree(written(tmp_path, four(explicit, third=third, fourth=fourth)), tmp_path)


PLANTED = {
    "blanks around a UID": [
        Slice(
            BASE
            | {0x00080018: (b"UI", b"\x0b1.2.3.4.5.6.7.8.%d\x0c" % n), 0x00200052: (b"UI", b"\xa01.2.3.4.5.6.7%d" % n)}
        )
        for n in range(4)
    ],
    "a delimiter inside what is no sequence": [
        Slice(
            BASE | {0x00080023: (b"DA", [Slice({0x00081140: (b"SQ", [])})]), 0x00200010: (b"SH", b"%d" % n)},
            True,
            False,
        )
        for n in range(4)
    ],
    "a sequence before the character set": [
        Slice(
            BASE | {0x00080001: (b"SQ", [Slice({0x00080080: (b"LO", b"Caf\xe9")})]), CHARSET: (b"CS", b"ISO_IR 144")},
            True,
        )
    ],
    "a length that looks like a VR": [Slice(BASE | {0x00080001: (b"UL", b"A" * 0x4142)}, False, False)] * 2,
    "private elements of a known maker": [
        Slice(
            BASE | {0x00190010: (b"LO", b"GEMS_DL_IMG_01"), 0x00191053: (b"UN", b"1.2.3.4.5.6.7.8.%d" % n)},
            False,
            explicit,
        )
        for explicit in (True, False)
        for n in range(4)
    ],
    "one value in two character sets": [
        Slice(BASE | {CHARSET: (b"CS", charset), 0x00104000: (b"LT", b"Caf\xe9")})
        for charset in (b"ISO_IR 100", b"ISO_IR 144", b"ISO_IR 100", b"ISO_IR 101")
    ],
}


@pytest.mark.parametrize("what", PLANTED)
def test_planted_oddities_are_read_alike(tmp_path: Path, what: str) -> None:
    agree(written(tmp_path, [one.file() for one in PLANTED[what]]), tmp_path)


def test_a_slice_that_has_lost_its_mark_is_read_alike(tmp_path: Path) -> None:
    contents = four()
    contents[3] = contents[3].replace(b"DICM", b"DICX", 1)
    agree(written(tmp_path, contents), tmp_path)


@given(st.integers(0, 2**32), st.booleans())
@SETTINGS
def test_spoilt_bytes_are_read_alike(tmp_path: Path, seed: int, explicit: bool) -> None:
    chance = random.Random(seed)
    nested = Slice({0x00100020: (b"LO", b"PAT-2"), 0x00100010: (b"PN", b"Falke")})
    base = BASE | {
        0x00081140: (b"SQ", [nested]),
        0x00290010: (b"LO", b"SIEMENS CSA HEADER"),
        0x00291010: (b"OB", b"SV10"),
    }
    whole = [
        Slice(base | {0x00080018: (b"UI", b"1.2.3.4.5.6.7.8.%d" % n)}, n % 2 == 1, explicit).file()
        for n in (1, 3, 5, 7)
    ]
    contents = [data if chance.random() < 0.3 else spoilt(data, chance) for data in whole]
    agree(written(tmp_path, contents), tmp_path)


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """A file with a byte changed, lost, or one too many, or an end too early or too late."""
    at = chance.randrange(128, len(data))
    some = bytes(chance.choice((0, 1, 2, 0x20, 0x41, 0x5C, 0x80, 0xFF)) for _ in range(chance.choice((1, 1, 2, 8))))
    return chance.choice(
        (
            data[:at] + some + data[at + len(some) :],
            data[:at] + some + data[at:],
            data[:at] + data[at + 2 :],
            data[:at],
            data + some,
        )
    )


@pytest.mark.parametrize("explicit", [True, False])
def test_a_slice_that_ends_anywhere_is_read_alike(tmp_path: Path, explicit: bool) -> None:
    first, second = (
        Slice(BASE | {0x00080018: (b"UI", b"1.2.3.4.5.6.7.8.%d" % n)}, explicit=explicit).file() for n in (1, 2)
    )
    for end in range(128, len(second), 5):
        agree(written(tmp_path, [first, second, second[:end]]), tmp_path)


def test_ordinary_slices_go_the_quick_way(tmp_path: Path) -> None:
    for number, syntax in enumerate((ExplicitVRLittleEndian, ImplicitVRLittleEndian)):
        export = Export(tmp_path / f"{number}", patient=f"P{number}")
        for path in export.image(uid(number), count=5)[1]:
            dataset = dcmread(path)
            dataset.file_meta.TransferSyntaxUID = syntax
            save(dataset, path)
    files = list(find_files(tmp_path))
    assert share(files, tmp_path) == 1
    agree(files, tmp_path)


def test_compressed_slices_go_the_quick_way(tmp_path: Path) -> None:
    for path in Export(tmp_path).image(uid("rle"), count=4)[1]:
        dataset = dcmread(path)
        dataset.compress(RLELossless, generate_instance_uid=False)
        save(dataset, path)
    files = list(find_files(tmp_path))
    assert share(files, tmp_path) == 1
    agree(files, tmp_path)
    last = tmp_path / files[-1].path
    last.write_bytes(last.read_bytes()[:-9])
    agree(files, tmp_path)


def test_contours_and_frames_are_left_to_pydicom(tmp_path: Path) -> None:
    export = Export(tmp_path)
    export.rtstruct(uid("image"), [uid("i")])
    export.seg(uid("image"), [uid("i")])
    export.enhanced(uid("e"), [0.0, 3.0])
    files = list(find_files(tmp_path))
    assert share(files, tmp_path) == 0
    agree(files, tmp_path)


def test_series_whose_slices_take_turns_are_read_alike(tmp_path: Path) -> None:
    for number in range(5):
        for patient, charset in (("A", "ISO_IR 100"), ("B", "ISO_IR 192")):
            export = Export(tmp_path, patient=patient)
            more = {
                "SpecificCharacterSet": charset,
                "PatientComments": "Grüße",
                "PixelSpacing": [1.0, 1.0 + (number == 3)],
            }
            export.slice(uid(patient), 3.0 * number, f"{number}{patient}", **more)
    files = list(find_files(tmp_path))
    assert share(files, tmp_path) == 1
    agree(files, tmp_path)


def test_a_name_that_one_slice_has_of_its_own_is_found(tmp_path: Path) -> None:
    export = Export(tmp_path)
    for number in range(6):
        more = {"ImageComments": "seen by Dr. Kranich"} if number == 4 else {"ImageComments": "none"}
        sources = [item(ReferencedSOPInstanceUID=uid("source", number), StationName=f"Console {number}")]
        export.slice(uid("s"), 3.0 * number, f"{number}", SourceImageSequence=sources, **more)
    files = list(find_files(tmp_path))
    found = {fact.value for facts in scan_batch(files, tmp_path).facts.values() for fact in facts}
    assert share(files, tmp_path) == 1
    assert "seen by Dr. Kranich" in found
    assert {uid("source", number) for number in range(6)} | {f"Console {number}" for number in range(6)} <= found
    agree(files, tmp_path)


def test_an_entry_with_a_problem_is_not_opened(tmp_path: Path) -> None:
    (path,) = Export(tmp_path).image(uid("s"), count=1)[1]
    found = [Found(path.name, 0, 0, "file_name")]
    assert share(found, tmp_path) == 0
    agree(found, tmp_path)


def test_the_answers_are_those_of_the_other_way_for_every_file(tmp_path: Path) -> None:
    Export(tmp_path).image(uid("s"), count=4)
    reader = Reader(str(tmp_path))
    for found in find_files(tmp_path):
        answer = reader.read(found)
        assert answer is not None
        assert answer[0] == read_header(tmp_path, found)[0]


@pytest.mark.slow
def test_all_real_files_are_read_alike(real_data: Path) -> None:
    files = (found for found in find_files(real_data) if not found.path.endswith((".nii", ".nii.gz")))
    while batch := list(islice(files, 256)):
        agree(batch, real_data)


@pytest.mark.slow
def test_the_demo_is_read_alike(tmp_path: Path) -> None:
    make_cohort(tmp_path)
    files = [found for found in find_files(tmp_path / "export") if not found.problem]
    agree(files, tmp_path / "export")
    assert share(files, tmp_path / "export") > 0.9

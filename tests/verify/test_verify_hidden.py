"""Identifiers that somebody hid: coded, packed, cut up, spaced out, typed as numbers, written backwards."""

from __future__ import annotations

import base64
import bz2
import gzip
import lzma
import struct
import zlib
from pathlib import Path

import pytest
from verify_files import NEEDLES, clean, compressed, save, segment, written

from radcurate.verify.examine import Searcher, examine
from radcurate.verify.needles import make_needles
from radcurate.verify.nifti import same_labels

SECRET = b"seen: MRN-77-4711 (Maria)"
PACKED = {
    "gzip": gzip.compress(SECRET, mtime=0),
    "zlib": zlib.compress(SECRET),
    "bzip2": bz2.compress(SECRET),
    "xz": lzma.compress(SECRET),
    "gzip behind other bytes": b"\0\1\2\3" + gzip.compress(SECRET, mtime=0) + b"\0\0",
    "hexadecimal": b"x" + b"MRN-77-4711".hex().encode() + b"y",
    "hexadecimal, capitals": b"MRN-77-4711".hex().upper().encode(),
    "base64": base64.b64encode(b"MRN-77-4711"),
    "base64 after one byte": base64.b64encode(b".MRN-77-4711!"),
    "base64 after two bytes": base64.b64encode(b"..MRN-77-4711!"),
    "base64 of a name": base64.b64encode("für Lüdenscheidt".encode()),
    "backwards": b"1174-77-NRM",
    "UTF-16": "MRN-77-4711".encode("utf-16-le"),
}


def hits(folder: Path, tag: int, vr: str, value: object, needles=NEEDLES) -> set[str]:
    content = clean()
    if isinstance(value, bytes):
        value += b"\0" * (len(value) % 2)
    content.add_new(tag, vr, value)
    return {hit.category for hit in examine(save(folder, written(content)), "S-1/a.dcm", Searcher(needles)).finds.hits}


@pytest.mark.parametrize("vr", ["OB", "UN"])
@pytest.mark.parametrize("way", sorted(PACKED))
def test_packed_and_coded(tmp_path: Path, vr: str, way: str) -> None:
    assert hits(tmp_path, 0x00189999, vr, PACKED[way]) & {"id", "name"}


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        ("UL", 20945566),
        ("SL", 20945566),
        ("UV", 20945566),
        ("FD", 20945566.0),
        ("FL", 20945566.0),  # as near as a float of 32 bits comes
        ("DS", "2.0945566e7"),
        ("DS", "20945566.0"),
        ("IS", "20945566"),
    ],
)
def test_a_number_typed_as_a_number(tmp_path: Path, vr: str, value: object) -> None:
    assert hits(tmp_path, 0x00189998, vr, value) == {"id"}


@pytest.mark.parametrize(
    ("vr", "value"), [("UL", 20200310), ("IS", "20200310"), ("DS", "20200310.0"), ("FD", 2.020031e7)]
)
def test_a_date_typed_as_a_number(tmp_path: Path, vr: str, value: object) -> None:
    assert hits(tmp_path, 0x00189998, vr, value) == {"date"}


def test_numbers_that_happen_to_be_round_or_short_are_none(tmp_path: Path) -> None:
    identity = [{"category": "id", "keyword": "PatientID", "value": value} for value in ("1000000", "51200", "512")]
    for vr, value in (("UL", 1000000), ("FD", 1e6), ("UL", 51200), ("DS", "512"), ("IS", "51200")):
        assert not hits(tmp_path, 0x00189998, vr, value, make_needles(identity, 4)), value


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        ("LO", ["MRN-", "77-", "4711"]),
        ("LO", ["M", "a", "r", "i", "a"]),
        ("CS", ["MUEL", "LER"]),
        ("LO", ["Klini", "kum Nordheide", "other"]),
        ("LO", "M a r i a"),
        ("LO", "2 0 9 4 5 5 6 6"),
        ("LO", "2094.5566"),
        ("UI", ["1.3.6.1.4.1.99999.", "4.20200310.1"]),
    ],
)
def test_cut_up_or_spaced_out(tmp_path: Path, vr: str, value: object) -> None:
    if vr == "UI":
        content = clean()
        content.add_new(0x00189998, "LO", "@" * 32)
        data = written(content).replace(b"LO\x20\0" + b"@" * 32, b"UI\x20\0" + "\\".join(value).encode().ljust(32, b"\0"))  # fmt: skip
        assert b"@@@" not in data
        report = examine(save(tmp_path, data), "S-1/a.dcm", Searcher(NEEDLES))
        assert {hit.category for hit in report.finds.hits} == {"uid"}
        return
    assert hits(tmp_path, 0x00189998, vr, value) & {"id", "name"}


def test_parts_that_only_happen_to_make_a_word_are_none(tmp_path: Path) -> None:
    identity = [{"category": "name", "keyword": "PatientName", "value": "Alprim^Ana"}]
    assert not hits(tmp_path, 0x00080008, "CS", ["ORIGINAL", "PRIMARY", "AXIAL"], make_needles(identity, 4))


@pytest.mark.parametrize("text", ["A. Li", "Li, A", "a.li", "A^LI", "li a"])
def test_initials_and_a_short_surname(tmp_path: Path, text: str) -> None:
    identity = [{"category": "name", "keyword": "PatientName", "value": "Li^Anna"}]
    assert hits(tmp_path, 0x00204000, "LT", f"for {text}.", make_needles(identity, 4)) == {"name"}


@pytest.mark.parametrize(("name", "text"), [("Mueller^A", "Herr Müller"), ("Schroeder^B", "SCHRODER"), ("Ångström^C", "angstrom")])  # fmt: skip
def test_transliterations(tmp_path: Path, name: str, text: str) -> None:
    identity = [{"category": "name", "keyword": "PatientName", "value": name}]
    content = clean()
    content.add_new(0x00204000, "LT", text)
    path = save(tmp_path, written(content))
    assert examine(path, "S-1/a.dcm", Searcher(make_needles(identity, 4))).finds.hits


@pytest.mark.parametrize("text", ["10 mars 2020", "10-ABR-2020", "10 de marzo", "Dez 24, 2019"])
def test_months_in_other_languages(tmp_path: Path, text: str) -> None:
    days = {"10 mars 2020": "20200310", "10-ABR-2020": "20200410", "10 de marzo": None, "Dez 24, 2019": "20191224"}
    day = days[text]
    identity = [{"category": "date", "keyword": "StudyDate", "value": day or "20200310"}]
    found = hits(tmp_path, 0x00204000, "LT", text, make_needles(identity, 4))
    assert found == ({"date"} if day else set())  # without a year it is no date


def test_the_age_in_days_tells_the_birth_date(tmp_path: Path) -> None:
    days = {"PatientBirthDate": "19510809", "StudyDate": "20200310"}
    identity = [{"category": "date", "keyword": keyword, "value": day} for keyword, day in days.items()]
    assert hits(tmp_path, 0x00204000, "LT", "25051 days old", make_needles(identity, 4)) == {"date"}
    assert not hits(tmp_path, 0x00204000, "LT", "125051 counts", make_needles(identity, 4))


def test_leading_zeros_may_go(tmp_path: Path) -> None:
    identity = [{"category": "id", "keyword": "AccessionNumber", "value": "00048151"}]
    assert hits(tmp_path, 0x00204000, "LT", "see 48151.", make_needles(identity, 4)) == {"id"}


@pytest.mark.parametrize("age", ["045D", "012W", "030M", "091Y", "45", "067Y\\045D"])
def test_an_age_finer_than_years_is_a_fault(tmp_path: Path, age: str) -> None:
    content = clean()
    content.add_new(0x00101010, "AS", age.split("\\"))
    assert "age_exact" in examine(save(tmp_path, written(content)), "S-1/a.dcm", Searcher(NEEDLES)).faults


def test_what_is_hidden_in_the_table_of_offsets(tmp_path: Path) -> None:
    frame = b"\xff\xd8" + segment(0xDB, bytes(65)) + segment(0xC0, bytes(9)) + segment(0xDA, bytes(8)) + b"\1\2\xff\xd9"
    data = compressed("1.2.840.10008.1.2.4.50", frame)
    table = struct.pack("<HHL", 0xFFFE, 0xE000, 4) + bytes(4)
    assert table in data
    secret = b"MRN-77-4711 "
    report = examine(save(tmp_path, data.replace(table, struct.pack("<HHL", 0xFFFE, 0xE000, 12) + secret)), "S-1/a.dcm", Searcher(NEEDLES))  # fmt: skip
    assert "not_conformant" in report.faults
    assert {hit.category for hit in report.finds.hits} == {"id"}


def test_what_is_hidden_behind_a_run_of_rle(tmp_path: Path) -> None:
    rle = struct.pack("<LL", 1, 64) + bytes(56) + b"\xfe\1" * 40 + b"MRN-77-4711"
    report = examine(save(tmp_path, compressed("1.2.840.10008.1.2.5", rle)), "S-1/a.dcm", Searcher(NEEDLES))
    assert {hit.category for hit in report.finds.hits} == {"id"}


def test_bytes_that_nobody_reads_must_be_zero(tmp_path: Path) -> None:
    content = clean()
    content.add_new(0x00282000, "OB", b"abcd")
    data = written(content).replace(b"OB\0\0\4\0\0\0abcd", b"OBMR\4\0\0\0abcd")
    assert examine(save(tmp_path, data), "S-1/a.dcm", Searcher(NEEDLES)).faults


def test_labels_of_a_mask_are_compared() -> None:
    import nibabel
    import numpy as np

    def mask(label: float, step: float = 1.0, dtype: type = np.uint8) -> bytes:
        return gzip.compress(nibabel.Nifti1Image(np.full((3, 4, 5), label, dtype), np.diag([step, 1, 1, 1])).to_bytes())

    assert same_labels(mask(1), mask(1)) and same_labels(mask(1, dtype=np.float32), mask(1))
    assert not same_labels(mask(1), mask(2)) and not same_labels(mask(1), mask(1, 1.1))
    assert not same_labels(b"junk", mask(1))

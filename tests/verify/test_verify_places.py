"""Original values are planted into clean files in every kind of place; each must be found, and clean files must pass."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from verify_files import NEEDLES, NIFTI_PLACES, PLACES, WRITINGS, clean, codestream, compressed, nifti, save, written

from radcurate.verify.examine import Report, Searcher, examine

CASES = [(category, text) for category, texts in WRITINGS.items() for text in texts]


def report_of(folder: Path, data: bytes, name: str = "0123456789abcdef.dcm") -> Report:
    return examine(save(folder, data, name), f"S-0123456789abcdef/{name}", Searcher(NEEDLES))


def categories(report: Report) -> set[str]:
    return {hit.category for hit in report.finds.hits}


def test_a_clean_file_passes(tmp_path: Path) -> None:
    report = report_of(tmp_path, written(clean()))
    assert (report.faults, dict(report.finds.hits)) == ([], {})


@pytest.mark.parametrize("place", sorted(PLACES))
def test_a_harmless_word_passes_everywhere_but_the_place_itself_may_be_a_fault(tmp_path: Path, place: str) -> None:
    report = report_of(tmp_path, PLACES[place]("NORM"))
    assert dict(report.finds.hits) == {}
    expected = {
        "preamble": ["preamble"],
        "after the data set": ["trailing_bytes"],
        "excess pixel bytes": ["pixels_length"],
    } | {place: ["not_claimed"] for place in PLACES if place.startswith("nested")}
    assert report.faults == expected.get(place, [])


@pytest.mark.parametrize("place", sorted(PLACES))
@pytest.mark.parametrize(("category", "text"), CASES, ids=[text for _, text in CASES])
def test_what_is_planted_is_found(tmp_path: Path, place: str, category: str, text: str) -> None:
    if place == "file meta" and not text.isascii():
        pytest.skip("an AE title is ASCII")
    assert category in categories(report_of(tmp_path, PLACES[place](text)))


@pytest.mark.parametrize("place", NIFTI_PLACES)
@pytest.mark.parametrize(("category", "text"), [(c, t) for c, t in CASES if t.isascii()], ids=str)
def test_what_is_planted_into_a_nifti_is_found(tmp_path: Path, place: str, category: str, text: str) -> None:
    if place == "gzip name" and "/" in text:
        pytest.skip("gzip keeps the last part of a path only")
    assert category in categories(report_of(tmp_path, nifti(text, place), "mask.nii.gz"))


def test_a_clean_nifti_passes(tmp_path: Path) -> None:
    report = report_of(tmp_path, nifti(), "mask.nii.gz")
    assert (report.faults, dict(report.finds.hits)) == ([], {})


@pytest.mark.parametrize("text", [text for _, text in CASES if "/" not in text])
def test_file_and_folder_names_are_read(tmp_path: Path, text: str) -> None:
    assert report_of(tmp_path, written(clean()), f"{text}.dcm").finds.hits
    assert report_of(tmp_path, written(clean()), f"{text}/0123456789abcdef.dcm").finds.hits


@pytest.mark.parametrize(
    ("tag", "vr", "text"),
    [
        (0x00100010, "PN", "Mueller^Anna"),
        (0x00080050, "SH", "20945566"),
        (0x00200010, "SH", "A7"),
        (0x00200011, "IS", "20945566"),
        (0x00180050, "DS", "20945566"),
        (0x00020016, "AE", "CT04"),
        (0x0020000D, "UI", "1.3.6.1.4.1.99999.4.20200310.1"),
        (0x00080032, "TM", "20945566"),
        (0x00080005, "CS", "CT04"),
        (0x00101010, "AS", "MRN-77-4711"),
    ],
)
def test_every_kind_of_attribute_is_read(tmp_path: Path, tag: int, vr: str, text: str) -> None:
    content = clean()
    target = content.file_meta if tag >> 16 == 2 else content
    target.add_new(tag, vr, text)
    assert report_of(tmp_path, written(content)).finds.hits


@pytest.mark.parametrize("charset", ["latin-1", "utf-8", "iso8859-2", "iso8859-9", "utf-16-le", "utf-16-be"])
def test_names_in_the_sources_character_sets(tmp_path: Path, charset: str) -> None:
    content = clean()
    content.add_new(0x00282000, "OB", b"\0\0" + "für MÜLLER hier.".encode(charset) + b"\0\0")
    assert "name" in categories(report_of(tmp_path, written(content)))


@pytest.mark.parametrize("charset", ["shift_jis", "iso2022_jp", "euc_jp", "gb18030", "utf-8"])
def test_ideographic_names(tmp_path: Path, charset: str) -> None:
    raw = "山田".encode(charset)
    content = clean()
    content.add_new(0x00189999, "UN", raw + b"\0" * (len(raw) % 2))
    assert "name" in categories(report_of(tmp_path, written(content)))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    place=st.sampled_from(sorted(set(PLACES) - {"file meta", "RLE header", "UTF-16, big", "UTF-16, little"})),
    case=st.sampled_from([case for case in CASES if case[1].isascii()]),
    before=st.sampled_from(["", "xyz ", "(", "4 / "]),
    behind=st.sampled_from(["", " abc", ")", ", 4"]),
)
def test_planted_between_other_things(
    tmp_path: Path, place: str, case: tuple[str, str], before: str, behind: str
) -> None:
    category, text = case
    assert category in categories(report_of(tmp_path, PLACES[place](before + text + behind)))


@pytest.mark.parametrize("cut", [100, 131, 140, 400, 900, -3])
def test_a_file_that_is_cut_off_is_a_fault(tmp_path: Path, cut: int) -> None:
    assert report_of(tmp_path, written(clean())[:cut]).faults


def test_what_is_hidden_in_an_unreadable_file_is_found_as_well(tmp_path: Path) -> None:
    report = report_of(tmp_path, b"no DICOM, but MRN-77-4711")
    assert report.faults == ["no_dicom"]
    assert categories(report) == {"id"}


def test_other_files_are_faults_and_read(tmp_path: Path) -> None:
    report = report_of(tmp_path, b"list of patients: Maria", "notes.txt")
    assert (report.faults, categories(report)) == (["unexpected_file"], {"name"})


def test_a_broken_frame_is_a_fault(tmp_path: Path) -> None:
    for frame in (b"GIF89a" + bytes(20), b"\xff\xd8junk", codestream()[:60]):
        assert "unreadable" in report_of(tmp_path, compressed("1.2.840.10008.1.2.4.90", frame)).faults


def test_pixels_are_not_searched(tmp_path: Path) -> None:
    content = clean()
    planted = b"MRN-77-4711 Maria"
    content.PixelData = planted + content.PixelData[len(planted) :]
    report = report_of(tmp_path, written(content))
    assert (report.faults, dict(report.finds.hits)) == ([], {})


def faults_of(folder: Path, **changes: object) -> list[str]:
    content = clean()
    for name, value in changes.items():
        if value is None:
            delattr(content, name)
        else:
            setattr(content, name, value)
    return report_of(folder, written(content)).faults


def test_marks_are_required(tmp_path: Path) -> None:
    for name in ("PatientIdentityRemoved", "DeidentificationMethod", "LongitudinalTemporalInformationModified"):
        assert faults_of(tmp_path, **{name: None}) == ["marker_missing"]
    assert faults_of(tmp_path, PatientIdentityRemoved="NO") == ["marker_untrue"]
    assert faults_of(tmp_path, LongitudinalTemporalInformationModified="UNMODIFIED") == ["marker_untrue"]
    assert faults_of(tmp_path, DeidentificationMethodCodeSequence=[]) == ["marker_missing", "not_claimed"]


def test_private_overlay_and_mismatching_meta(tmp_path: Path) -> None:
    content = clean()
    content.private_block(0x0029, "SOME", create=True).add_new(1, "LO", "AXIAL")
    assert report_of(tmp_path, written(content)).faults == ["private_element"]
    content = clean()
    inner = content.ReferencedImageSequence[0]
    inner.private_block(0x0029, "SOME", create=True).add_new(1, "LO", "AXIAL")
    assert report_of(tmp_path, written(content)).faults == ["private_element"]
    content = clean()
    content.add_new(0x60003000, "OW", b"\0\0")
    assert report_of(tmp_path, written(content)).faults == ["overlay"]
    content = clean()
    data = written(content)
    old = content.SOPInstanceUID.encode()
    assert report_of(tmp_path, data.replace(old, old[:-1] + b"9", 1)).faults == ["uid_mismatch"]

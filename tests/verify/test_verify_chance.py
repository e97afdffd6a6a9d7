"""What is no leak: everyday words, short numbers, codes and dates that happen to be equal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from verify_files import clean, save, written

from paths import ROOT
from radcurate.verify.examine import Searcher, examine
from radcurate.verify.needles import Needles, make_needles
from radcurate.verify.words import vocabulary


def needles(*identity: tuple[str, str, str]) -> Needles:
    return make_needles([{"category": c, "keyword": k, "value": v} for c, k, v in identity], 4)


def hits(folder: Path, identity: tuple[str, str, str], tag: int = 0, vr: str = "", text: str = "") -> int:
    content = clean()
    if tag:
        content.add_new(tag, vr, text)
    path = save(folder, written(content))
    return examine(path, "S-0123456789abcdef/0123456789abcdef.dcm", Searcher(needles(identity))).finds.hits.total()


@pytest.mark.parametrize(
    "identity",
    [
        ("name", "PatientName", "Head^Ct"),
        ("name", "PatientName", "Axial^Prima"),
        ("name", "PatientName", "Ra^Rad"),
        ("id", "InstitutionName", "HEAD"),
        ("id", "PatientID", "512"),
        ("id", "PatientID", "1020"),
        ("id", "StudyID", "101500"),
        ("id", "StudyID", "10008"),
        ("id", "PatientID", "2211"),
        ("id", "PatientID", "cdef"),
        ("id", "PatientID", "012345"),
        ("text", "SeriesDescription", "CT HEAD AXIAL 3 mm"),
        ("text", "SeriesDescription", "AXIAL"),
        ("date", "StudyDate", "20211102"),  # judged over all series, not in one file
    ],
)
def test_coincidence_in_an_honest_file_is_no_hit(tmp_path: Path, identity: tuple[str, str, str]) -> None:
    assert hits(tmp_path, identity) == 0


@pytest.mark.parametrize(
    ("identity", "tag", "vr", "text"),
    [
        (
            ("name", "PatientName", "Head^Axial"),
            0x00100010,
            "PN",
            "Head^Axial",
        ),  # words are harmless, but not as a name
        (("name", "PatientName", "Head^Axial"), 0x00101001, "PN", "Head"),
        (("name", "PatientName", "Head^Axial"), 0x00081048, "PN", "Dr. Head"),
        (("name", "PatientName", "Head^Axial"), 0x0008103E, "LO", "for Ms Head and family"),
        (("id", "InstitutionName", "HEAD"), 0x00080080, "LO", "Head"),
        (("id", "PatientID", "512"), 0x00200010, "SH", "512"),
        (("id", "PatientID", "1020"), 0x0008103E, "LO", "id 1020"),
        (("id", "PatientID", "102030"), 0x00200011, "IS", "102030"),
        (("id", "PatientID", "cdef"), 0x00204000, "LT", "of cdef."),
        (("id", "StationName", "CT04"), 0x0008103E, "LO", "CT04"),
        (("name", "PatientName", "Long^A"), 0x0008103E, "LO", "CT LONG 3"),
        (("name", "PatientName", "Brown^A"), 0x0008103E, "LO", "BROWNs HEAD"),
    ],
)
def test_the_same_words_elsewhere_are_hits(
    tmp_path: Path, identity: tuple[str, str, str], tag: int, vr: str, text: str
) -> None:
    assert hits(tmp_path, identity, tag, vr, text) > 0


def test_a_station_called_by_its_model_tells_the_model_only(tmp_path: Path) -> None:
    station = ("id", "StationName", "MRT50H1")
    assert hits(tmp_path, station, 0x00081090, "LO", "MRT50H1") == 0
    assert hits(tmp_path, station, 0x00081010, "SH", "MRT50H1") > 0
    assert hits(tmp_path, ("id", "PatientID", "MRT50H1"), 0x00081090, "LO", "MRT50H1") > 0


def test_short_names_must_be_words(tmp_path: Path) -> None:
    identity = ("name", "PatientName", "Long^Ann")
    assert hits(tmp_path, identity, 0x00204000, "LT", "belonging to the planning cannula") == 0
    assert hits(tmp_path, identity, 0x00204000, "LT", "belongs to ann.") > 0


def test_particles_and_titles_are_no_names(tmp_path: Path) -> None:
    identity = ("name", "PatientName", "von der Recke^Ute^^Dr.")
    assert hits(tmp_path, identity, 0x00204000, "LT", "der Befund von rechts") == 0
    assert hits(tmp_path, identity, 0x00204000, "LT", "Recke") > 0


def test_no_identity_finds_nothing(tmp_path: Path) -> None:
    searcher = Searcher(needles())
    path = save(tmp_path, written(clean()))
    assert not examine(path, "S-1/a.dcm", searcher).finds.hits


def test_thousands_of_identifiers_are_one_pass(tmp_path: Path) -> None:
    many = needles(
        *[("id", "file_name", f"IM-{n:05d}-x") for n in range(5000)],
        *[("uid", "SOPInstanceUID", f"1.2.3.{n}.77") for n in range(5000)],
    )
    content = clean()
    content.add_new(0x00204000, "LT", "see im-04321-X and 1.2.3.4321.77")
    found = examine(save(tmp_path, written(content)), "S-1/a.dcm", Searcher(many)).finds.hits
    assert {hit.category for hit in found} == {"id", "uid"}
    assert found.total() == 2


def test_the_words_of_the_shipped_vocabulary_are_known() -> None:
    """Else an honest release is refused because a text was kept on purpose; look through them for names of people."""
    raw = yaml.safe_load((ROOT / "config/vocabulary.yaml").read_text())
    texts = [str(text) for part in ("values", "words", "descriptions", "regions") for text in leaves(raw.get(part, {}))]
    words = {word for text in texts for word in re.findall(r"[^\W\d_]+", text.lower())}
    assert words <= vocabulary(), sorted(words - vocabulary())


def leaves(content: object) -> list[object]:
    if isinstance(content, dict):
        return [leaf for value in content.values() for leaf in leaves(value)]
    return [leaf for value in content for leaf in leaves(value)] if isinstance(content, list) else [content]


@pytest.mark.parametrize(("name", "text"), [("Willis^Ann", "CIRCLE OF WILLIS"), ("Li^Anna", "A. Li")])
def test_a_word_that_is_also_a_name_never_excuses_the_name(tmp_path: Path, name: str, text: str) -> None:
    assert hits(tmp_path, ("name", "PatientName", name), 0x0008103E, "LO", text) > 0
    assert hits(tmp_path, ("text", "SeriesDescription", text), 0x0008103E, "LO", text) == 0

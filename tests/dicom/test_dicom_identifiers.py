"""What identifies somebody is found wherever it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence

from inventory_files import Export, item, save, uid
from radcurate.dicom.identifiers import Collector, Fact, classify, is_telling, keep_private, path_facts
from radcurate.dicom.scan import scan_batch
from radcurate.dicom.tree import Found


def facts(folder: Path, dataset: Dataset, name: str = "f") -> set[tuple[str, str]]:
    """(category, value) of all facts of a file."""
    save(dataset, folder / name)
    batch = scan_batch([Found(name, 0, 0)], folder)
    return {(f.category, f.value) for found in batch.facts.values() for f in keep_private(found)}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Export(tmp_path).header("1.2.840.10008.5.1.4.1.1.2", "CT", uid("s"), uid("i"))


def as_bytes(nested: Dataset, implicit: bool) -> bytes:
    """A sequence with one item, as it would stand in an element of VR UN."""
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = implicit, True
    write_dataset(stream, nested)
    body = stream.getvalue()
    return b"\xfe\xff\x00\xe0" + len(body).to_bytes(4, "little") + body


def test_top_level_values_are_sorted_by_what_they_tell(tmp_path: Path, dataset: Dataset) -> None:
    dataset.InstitutionName, dataset.StudyDescription = "St. Elsewhere", "Thorax after fall"
    dataset.AcquisitionDateTime, dataset.OtherPatientIDs = "20230405101112.5", ["OLD-1", "OLD-2"]
    found = facts(tmp_path, dataset)
    assert {
        ("name", "Falke^Zita"),
        ("id", "PAT-4711"),
        ("id", "St. Elsewhere"),
        ("id", "OLD-1"),
        ("id", "OLD-2"),
        ("text", "Thorax after fall"),
        ("date", "19610203"),
        ("date", "20230405"),
        ("uid", uid("s")),
        ("uid", uid("i")),
    } <= found
    assert not any(value.startswith("1.2.840.10008.") for _, value in found)
    assert not any(value == "CT" for _, value in found)


@pytest.mark.parametrize("depth", [1, 3])
def test_nested_values_are_found(tmp_path: Path, dataset: Dataset, depth: int) -> None:
    inner = item(PersonName="Nested^Nora", Date="20010203")
    for _ in range(depth):
        inner = item(ContentSequence=[inner])
    dataset.ContentSequence = Sequence([inner])
    assert {("name", "Nested^Nora"), ("date", "20010203")} <= facts(tmp_path, dataset)


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("vr", ["UN", "OB"])
def test_sequences_kept_as_bytes_are_opened(tmp_path: Path, dataset: Dataset, implicit: bool, vr: str) -> None:
    block = dataset.private_block(0x0011, "SOME VENDOR", create=True)
    nested = item(PatientName="Hidden^Hanna", PatientBirthDate="19330405")
    block.add_new(0x01, vr, as_bytes(nested, implicit))
    assert {("name", "Hidden^Hanna"), ("date", "19330405")} <= facts(tmp_path, dataset)


def test_private_sequences_and_their_names_are_found(tmp_path: Path, dataset: Dataset) -> None:
    block = dataset.private_block(0x0011, "SOME VENDOR", create=True)
    block.add_new(0x02, "SQ", Sequence([item(OperatorsName="Operator^Otto")]))
    assert ("name", "Operator^Otto") in facts(tmp_path, dataset)


@pytest.mark.parametrize("vr", ["LO", "UN", "OB", "CS", "UT"])
def test_a_private_value_counts_when_it_holds_a_name_or_number(tmp_path: Path, dataset: Dataset, vr: str) -> None:
    block = dataset.private_block(0x0011, "SOME VENDOR", create=True)
    for offset, value in enumerate(("SEEN BY FALKE", "REF PAT4711", "PLAIN TECHNIQUE")):
        block.add_new(offset, vr, value.encode() + b" " * (len(value) % 2) if vr in ("UN", "OB") else value)
    found = {value for category, value in facts(tmp_path, dataset) if category == "id"}
    assert {"SEEN BY FALKE", "REF PAT4711"} <= found
    assert "PLAIN TECHNIQUE" not in found


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Müller^Hans", "MULLERHANS"),
        ("Müller^Hans", "MLLER"),
        ("Weiß^Al", "WEISS"),
        ("Weiß^Al", "WEI-X WEI"),
        ("Li^Yu", "x_LIYU"),
    ],
)
def test_a_name_typed_into_a_technical_attribute_is_found(name: str, typed: str) -> None:
    facts = {Fact("name", "PatientName", name), Fact("private", "SequenceName", typed)}
    assert Fact("id", "SequenceName", typed) in keep_private(facts)


def test_short_names_inside_other_words_are_not_taken() -> None:
    facts = {Fact("name", "PatientName", "Lee^Ann"), Fact("private", "SequenceName", "SLEEP_CHANNEL")}
    assert keep_private(facts) == {Fact("name", "PatientName", "Lee^Ann")}


def test_file_meta_is_searched(tmp_path: Path, dataset: Dataset) -> None:
    dataset.file_meta.SourceApplicationEntityTitle = "FALKE_WS"
    dataset.file_meta.ImplementationVersionName = "EXP_17"
    assert {("id", "FALKE_WS"), ("text", "EXP_17")} <= facts(tmp_path, dataset)


def test_elements_after_the_pixels_are_searched(tmp_path: Path) -> None:
    path = Export(tmp_path).slice(uid("a"), 0.0, "f")
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = False, True
    tail = Dataset()
    tail.add(DataElement(0x7FE10010, "LO", "VENDOR"))
    tail.add(DataElement(0x7FE11001, "PN", "Tail^Tilda"))
    write_dataset(stream, tail)
    path.write_bytes(path.read_bytes() + stream.getvalue())
    batch = scan_batch([Found("f", 0, 0)], tmp_path)
    assert "Tail^Tilda" in {f.value for found in batch.facts.values() for f in found}


def test_names_of_folders_and_files_are_facts() -> None:
    found = {(f.category, f.value) for f in path_facts("Falke_Zita/20230405 CT/series/IM000123.dcm")}
    assert found == {("text", "Falke_Zita"), ("id", "20230405 CT")}
    assert ("uid", "2.25.7.8.9.10.11") in {(f.category, f.value) for f in path_facts("x/CT.2.25.7.8.9.10.11.dcm")}
    short = "2.25.973588069364479939598027253843846330"  # of a UUID: no number of the patient's, nor is its 25
    assert {(f.category, f.value) for f in path_facts(f"{short}/CT_{short}.dcm")} == {("uid", short)}
    assert {f.value for f in path_facts("data/PAT-4711.nii.gz")} == {"PAT-4711"}


@given(st.text(max_size=12))
def test_no_path_and_no_value_breaks_the_search(text: str) -> None:
    list(path_facts(f"{text}/{text}"))
    for vr in ("LO", "PN", "UI", "DA", "DT", "CS", "LT"):
        list(classify(0x00100010, "PatientName", vr, text))
    keep_private({Fact("name", "PatientName", text), Fact("private", "x", text)})


@pytest.mark.parametrize("value", ["", "A", "NN", "CT", "none", "000", "---", "Unknown"])
def test_values_that_tell_nobody_are_dropped(value: str) -> None:
    assert not is_telling(value)


def test_a_malformed_element_hides_no_other(dataset: Dataset) -> None:
    class Broken:
        tag, VR = 0x00100020, "LO"

        @property
        def value(self) -> str:
            raise ValueError

    collector = Collector()
    dataset._dict[0x00100020] = Broken()  # type: ignore[index, assignment]
    collector.add(dataset)
    assert Fact("name", "PatientName", "Falke^Zita") in collector.facts

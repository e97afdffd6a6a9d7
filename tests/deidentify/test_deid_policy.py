"""The policy tables: what they may say, and that they say no less than PS3.15."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from deidentify.deid_objects import ALLOWLIST, POLICY, RULES, VOCABULARY
from radcurate.deidentify.actions import HANDLERS
from radcurate.deidentify.options import OPTIONS
from radcurate.deidentify.policy import ACTIONS, load_policy
from radcurate.errors import CurationError
from radcurate.settings import Deidentify

TABLES = sorted(ALLOWLIST.glob("*.csv"))


def edited(tmp_path: Path, change: Callable[[str], str]) -> Path:
    folder = tmp_path / "allowlist"
    shutil.copytree(ALLOWLIST, folder)
    for path in TABLES:
        (folder / path.name).write_text(change(path.read_text()))
    return folder


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("SliceThickness,keep,", "SliceThickness,keeep,", "did you mean keep?"),
        ("SliceThickness,keep,", "SliceThickness,,", "an action among"),
        ("SliceThickness,keep,", "SliceTickness,keep,", "with its keyword"),
        ("BodyPartExamined,keep_if_listed,", "BodyPartExamined,keep,", "fits the VR"),
        ("StudyID,empty,", "StudyID,keep_if_listed,", "in the vocabulary"),
        ("(0018,0050)", "(0018,0060)", "public tag"),
        (",clean_descriptors,", ",clean_everything,", "an option among"),
        ("SliceThickness,keep,", "SliceThickness,keep,large", "limits such as"),
        ("keyword,action", "keyword,verb", "the columns"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(CurationError) as error:
        load_policy(edited(tmp_path, lambda text: text.replace(old, new, 1)), VOCABULARY, Deidentify())
    assert said in error.value.text() and "line:" in error.value.text()


def test_two_rows_for_a_tag_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CurationError, match="one row per tag"):
        load_policy(edited(tmp_path, lambda text: text + text.splitlines()[-1] + "\n"), VOCABULARY, Deidentify())


@pytest.mark.parametrize("content", ["values: [", "values: {}", "patterns: {A: ['(']}", ""])
def test_a_vocabulary_that_cannot_be_used_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "vocabulary.yaml"
    path.write_text(content)
    with pytest.raises(CurationError, match="vocabulary"):
        load_policy(ALLOWLIST, path, Deidentify())


def test_every_change_of_a_table_changes_the_digest(tmp_path: Path) -> None:
    shorter = load_policy(
        edited(tmp_path, lambda text: "\n".join(text.splitlines()[:-1]) + "\n"), VOCABULARY, Deidentify()
    )
    assert shorter.digest != POLICY.digest


def test_every_action_has_a_handler() -> None:
    assert set(HANDLERS) - {"safe_text"} | {"sequence", "code", "pixels"} == set(ACTIONS)


def test_options_are_those_of_the_rows() -> None:
    assert set(POLICY.options) == {"clean_descriptors", "modified_dates", "patient_characteristics"} < set(OPTIONS)


MUST_KEEP = [
    "Modality",
    "SliceThickness",
    "KVP",
    "Exposure",
    "XRayTubeCurrent",
    "ConvolutionKernel",
    "PixelSpacing",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "RepetitionTime",
    "EchoTime",
    "FlipAngle",
    "MagneticFieldStrength",
    "Units",
    "DecayCorrection",
    "PatientWeight",
    "PatientSize",
    "RadiopharmaceuticalInformationSequence",
    "RadionuclideTotalDose",
    "RadionuclideHalfLife",
    "RadiopharmaceuticalStartTime",
    "RadiopharmaceuticalStartDateTime",
    "FrameReferenceTime",
    "RescaleSlope",
    "RescaleIntercept",
    "CorrectedImage",
    "SUVType",
    "AcquisitionTime",
    "SeriesTime",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelData",
    "NumberOfFrames",
    "PerFrameFunctionalGroupsSequence",
    "SharedFunctionalGroupsSequence",
    "PlanePositionSequence",
    "PixelMeasuresSequence",
    "StructureSetROISequence",
    "ROIContourSequence",
    "ContourData",
    "ROIName",
    "ReferencedSOPInstanceUID",
    "SegmentSequence",
    "SegmentNumber",
    "SegmentIdentificationSequence",
    "MaximumFractionalValue",
    "FrameOfReferenceUID",
    "ManufacturerModelName",
]


@pytest.mark.parametrize("keyword", MUST_KEEP)
def test_what_extraction_needs_is_listed(keyword: str) -> None:
    assert keyword in {rule.keyword for rule in RULES.values()}


@pytest.mark.parametrize(
    ("keyword", "value", "stays"),
    [
        ("ConvolutionKernel", "B30f", True), ("ConvolutionKernel", "Br40d", True), ("ConvolutionKernel", "FC08", True),
        ("ConvolutionKernel", "STANDARD", True), ("ConvolutionKernel", "I31s", True), ("ConvolutionKernel", "Smith", False),
        ("ManufacturerModelName", "SOMATOM Definition AS+", True), ("ManufacturerModelName", "Discovery ST", True),
        ("ManufacturerModelName", "Discovery of Smith", False), ("SoftwareVersions", "syngo CT 2009E", True),
        ("SoftwareVersions", "12345678", False), ("SoftwareVersions", "04.03.2019", False), ("SoftwareVersions", "04.03.19", False),
        ("SoftwareVersions", "syngo CT VB30A_SP2", True), ("SoftwareVersions", "V8.3SP0001", True), ("ConvolutionKernel", "Br49f", True),
        ("ConvolutionKernel", "FC13-H", True), ("ConvolutionKernel", "YB", True), ("ConvolutionKernel", "B_SHARP_C", True),
        ("ManufacturerModelName", "Biograph64_Vision 600", True), ("ManufacturerModelName", "uMR 790", True),
        ("ManufacturerModelName", "Aquilion ONE", True), ("ManufacturerModelName", "Smith64", False), ("ManufacturerModelName", "19500612", False),
        ("ReconstructionMethod", "LOR-RAMLA", True), ("ReconstructionMethod", "Smith-RAMLA", False), ("ReceiveCoilName", "C:HEA;HEP", True),
        ("ReceiveCoilName", "Smith", False), ("SequenceName", "*ep_b1000#3", True), ("SequenceName", "SMITH2D", False), ("SequenceName", "*tfl3d1", True), ("SequenceName", "Smith", False),
        ("AttenuationCorrectionMethod", "measured,, 0.096000 cm-1,", True), ("Manufacturer", "siemens", True),
    ],
)  # fmt: skip
def test_patterns(keyword: str, value: str, stays: bool) -> None:
    assert (POLICY.vocabulary.matching(keyword, value) == value) is stays


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("GTV-1", True), ("GTV_Mass_CT", True), ("CTV 60Gy", True), ("Lung L", True), ("Läsion links", True), ("GTVp T1", True),
        ("GTV Smith", False), ("Smith", False), ("4711", False), ("GTV 19500612", False), ("", False), ("GTV\u200bSmith", False),
    ],
)  # fmt: skip
def test_region_names(name: str, kept: bool) -> None:
    assert (POLICY.vocabulary.region(name) == name) is kept


def test_descriptions_keep_listed_words_but_not_the_patients() -> None:
    words = POLICY.vocabulary
    assert words.describe("CT Chest 3mm B30f Quxworth 4711 12/03/1950") == "CT Chest 3mm B30f"
    assert words.describe("CT Chest Head", frozenset({"head"})) == "CT Chest"
    assert words.region("GTV head", frozenset({"head"})) is None

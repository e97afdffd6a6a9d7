"""Every identifier is where the truth says, in bytes: otherwise a test that finds none afterwards is worth nothing."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian


def content(path: Path) -> bytes:
    """All bytes of a file, and those that it holds deflated."""
    raw = path.read_bytes()
    if path.name.endswith(".gz"):
        return raw + gzip.decompress(raw)
    if DeflatedExplicitVRLittleEndian.encode() in raw[:600]:
        start = 132 + 12 + int.from_bytes(raw[140:144], "little")
        return raw + zlib.decompressobj(-15).decompress(raw[start:])
    return raw


def test_each_planted_identifier_is_in_the_bytes_of_its_file(cohort):
    cache: dict[str, bytes] = {}
    missing = []
    for one in cohort.truth["identifiers"]:
        file = one["file"]
        if one["place"] == "file_name":
            found = one["value"] in file and (cohort.export / file).is_file()
        else:
            if file not in cache:
                cache = {file: content(cohort.export / file)}
            found = one["value"].encode(one["codec"]) in cache[file]
        if not found:
            missing.append((one["place"], one["value"], file))
    assert missing == []


def reach(dataset: Dataset, place: str) -> str:
    """Text of the element that a keyword path names."""
    here: Any = [dataset]
    for step in place.split(">"):
        here = here[0][tag_of(step)].value
        if isinstance(here, bytes):  # of unknown representation, as private elements are where the VR is implicit
            return here.decode("latin-1") + here.decode("utf-8", "ignore")
    value = here
    return "\\".join(map(str, value)) if hasattr(value, "append") else str(value)


def tag_of(step: str) -> str | tuple[int, int]:
    if step.startswith("("):
        group, element = step.strip("()").split(",")
        return int(group, 16), int(element, 16)
    return step


def test_each_planted_identifier_is_in_the_element_of_its_place(cohort):
    wrong, cache = [], {}
    for one in cohort.truth["identifiers"]:
        place, file = one["place"], one["file"]
        if place == "file_name" or place.startswith("nifti>"):
            continue
        if file not in cache:
            cache = {file: dcmread(cohort.export / file)}
        dataset = cache[file]
        if place == "preamble":
            text = dataset.preamble.decode(one["codec"], "ignore")
        elif place.startswith("file_meta>"):
            text = reach(dataset.file_meta, place.removeprefix("file_meta>"))
        else:
            text = reach(dataset, place)
        if one["value"] not in text:
            wrong.append((place, one["value"], text[:80]))
    assert wrong == []


def test_the_places_cover_what_tools_were_seen_to_miss(cohort):
    places = Counter(one["place"] for one in cohort.truth["identifiers"])
    for place in (
        "PatientName",
        "PatientID",
        "OtherPatientIDs",
        "AccessionNumber",
        "ReferringPhysicianName",
        "PatientAddress",
        "PatientTelephoneNumbers",
        "PatientBirthDate",
        "InstitutionName",
        "DeviceSerialNumber",
        "StationName",
        "PatientComments",
        "ImageComments",
        "StudyDescription",
        "SeriesDescription",
        "ProtocolName",
        "RequestAttributesSequence>ScheduledProcedureStepID",
        "OriginalAttributesSequence>ModifiedAttributesSequence>PatientName",
        "(0033,1002)",
        "(0033,1003)>PatientName",
        "file_meta>PrivateInformation",
        "file_meta>SourceApplicationEntityTitle",
        "file_meta>ImplementationVersionName",
        "preamble",
        "StructureSetROISequence>ROIName",
        "SegmentSequence>SegmentLabel",
        "PixelData",
        "DataSetTrailingPadding",
        "file_name",
        "nifti>descrip",
    ):
        assert places[place] > 0, place


def test_names_are_typed_into_harmless_attributes(cohort):
    hostile = {
        "BodyPartExamined",
        "ConvolutionKernel",
        "AcquisitionNumber",
        "SequenceName",
        "ManufacturerModelName",
        "ImageType",
        "ContrastBolusAgent",
        "RadiopharmaceuticalInformationSequence>Radiopharmaceutical",
    }
    places = {one["place"] for one in cohort.truth["identifiers"]}
    assert hostile <= places


def test_some_private_elements_are_of_unknown_representation(cohort):
    explicit = cohort.series(kind="image", hospital="A")
    dataset = dcmread(cohort.export / explicit[0]["files"][0], stop_before_pixels=True)
    assert dataset[0x0033, 0x1002].VR == "UN"
    assert dataset[0x0033, 0x1003].VR == "SQ"


def test_every_patient_has_identifiers_of_every_kind(cohort):
    kinds: dict[str, set[str]] = {}
    for one in cohort.truth["identifiers"]:
        kinds.setdefault(one["patient"], set()).add(one["kind"])
    wanted = {"name", "id", "uid", "date", "address", "phone", "institution", "device"}
    assert len(kinds) == 28
    assert all(wanted <= found for found in kinds.values())

"""References hold: the graph of UIDs before and after is the same under other names, over whole cohorts."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import UID_dictionary

from deidentify.deid_objects import POLICY, SPARE, TEST_KEY
from midi_b.answer_key import cohort
from radcurate.canary import specimens
from radcurate.deidentify.dates import date_rule
from radcurate.deidentify.instance import rewrite_instance
from radcurate.deidentify.rewrite import Patient, Rewriter
from radcurate.demo import make_cohort
from radcurate.dicom.problems import Unsafe
from radcurate.keys import Key

# sequences whose references later stages follow; others may go with what they hold
LINKS = {
    "ReferencedFrameOfReferenceSequence", "RTReferencedStudySequence", "RTReferencedSeriesSequence", "ContourImageSequence",
    "StructureSetROISequence", "ROIContourSequence", "ContourSequence", "ReferencedSeriesSequence", "ReferencedInstanceSequence",
    "ReferencedImageSequence", "SourceImageSequence", "DerivationImageSequence", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence", "ReferencedRTPlanSequence", "ReferencedStructureSetSequence", "SegmentSequence",
    "StudiesContainingOtherReferencedInstancesSequence", "DimensionOrganizationSequence", "DimensionIndexSequence",
}  # fmt: skip
TOP = {"SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"}
NESTED = TOP | {"ReferencedSOPInstanceUID", "ReferencedFrameOfReferenceUID", "DimensionOrganizationUID"}
OTHER_KEY = Key(bytes(reversed(range(32))))
UID_TEXT = re.compile(rb"[0-9]+(?:\.[0-9]+){3,}")


@dataclass
class Graph:
    """What stands where, per file in order: (place, UID). Files that were refused are left out of both graphs."""

    places: list[list[tuple[str, str]]] = field(default_factory=list)
    content: list[bytes] = field(default_factory=list, repr=False)

    @property
    def edges(self) -> set[tuple[str, str, str]]:
        """(instance, place without item numbers, what it names)."""
        return {
            (found[0][1], re.sub(r"\[\d+\]", "", place), uid) for found in self.places for place, uid in found if found
        }


def places(ds: pydicom.Dataset, path: str = "") -> Iterator[tuple[str, str]]:
    """Where UIDs of objects stand, the instance's own first."""
    if not path:
        yield "SOPInstanceUID", str(ds.SOPInstanceUID)
    for element in ds:
        if element.VR == "SQ" and element.keyword in LINKS:
            for number, item in enumerate(element.value):
                yield from places(item, f"{path}{element.keyword}[{number}]>")
        elif element.keyword in (NESTED if path else TOP):
            values = element.value if isinstance(element.value, pydicom.multival.MultiValue) else [element.value]
            yield from ((path + element.keyword, str(uid)) for uid in values if _names_an_object(str(uid)))


def _names_an_object(uid: str) -> bool:
    return pydicom.uid.UID(uid).is_valid and uid not in UID_dictionary


def both(files: Iterable[bytes], key: Key = TEST_KEY) -> tuple[Graph, Graph, int]:
    """The graphs before and after, and how many files were refused."""
    before, after, refused = Graph(), Graph(), 0
    for data in files:
        old = read(data)
        subject = key.subject(str(old.get("PatientID", "")))
        patient = Patient(subject, date_rule(key, subject, "shift", 500))
        try:
            new = rewrite_instance(data, Rewriter(POLICY, key, patient), SPARE).data
        except Unsafe:
            refused += 1
            continue
        before.places.append(list(places(old)))
        after.places.append(list(places(read(new))))
        after.content.append(new)
    return before, after, refused


def read(data: bytes) -> pydicom.Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(io.BytesIO(data))


def renaming(before: Graph, after: Graph) -> dict[str, str]:
    """Old UID -> new UID, if one explains all files: nothing lost, nothing joined, nothing split."""
    found: dict[str, str] = {}
    for old, new in zip(before.places, after.places, strict=True):
        assert [place for place, _ in old] == [place for place, _ in new]
        for (place, one), (_, other) in zip(old, new, strict=True):
            assert found.setdefault(one, other) == other, place
    assert len(set(found.values())) == len(found)
    return found


def check(files: list[bytes]) -> tuple[int, int, int, int]:
    """Hold a cohort to it; the number of files, refused ones, UIDs and references."""
    before, after, refused = both(files)
    names = renaming(before, after)
    assert {(names[a], place, names[b]) for a, place, b in before.edges} == after.edges
    assert not set(names) & set(names.values()) and all(pydicom.uid.UID(uid).is_valid for uid in names.values())
    originals = {uid.encode() for uid in names}
    assert not [1 for data in after.content if originals & set(UID_TEXT.findall(data))]
    assert renaming(*both(files[:40])[:2]).items() <= names.items()  # another run, the same names
    other = renaming(*both(files[:40], OTHER_KEY)[:2])
    assert not set(other.values()) & set(names.values())
    return len(files), refused, len(names), len(after.edges)


def told(name: str, counts: tuple[int, int, int, int]) -> None:
    files, refused, uids, references = counts
    print(
        f"\n{name}: {files} files ({refused} refused), {uids} UIDs and {references} references the same under other names"
    )


def test_canaries_and_their_cohort() -> None:
    counts = check([one.data for one in [*specimens(), *cohort()]])
    told("canaries", counts)
    assert counts[2] > 150


def test_demo_cohort(tmp_path: Path) -> None:
    make_cohort(tmp_path / "demo", n_patients=2)
    files = dicom_files(tmp_path / "demo" / "export")
    counts = check(files)
    told("demo", counts)
    assert counts[1] < counts[0] / 4


def dicom_files(folder: Path) -> list[bytes]:
    files = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    return [data for data in files if data[128:132] == b"DICM" and "SOPInstanceUID" in read(data)]


def test_ibsi_phantom(real_data: Path) -> None:
    counts = check(dicom_files(real_data / "ibsi" / "ibsi_1_ct_radiomics_phantom"))
    told("IBSI phantom", counts)
    assert counts[1] == 0 and counts[3] > 4 * counts[0] - 10


@pytest.mark.parametrize("modality", ["PT"])
def test_one_sarcoma_patient(real_data: Path, modality: str) -> None:
    files = dicom_files(real_data / "ibsi" / "ibsi_validation" / "dicom" / "STS_001")
    counts = check([data for data in files if read(data).Modality in (modality, "RTSTRUCT")])
    told("sarcoma, one patient", counts)
    assert counts[1] == 0


@pytest.mark.slow
def test_the_sarcoma_cohort(real_data: Path) -> None:
    counts = check(dicom_files(real_data / "ibsi" / "ibsi_validation" / "dicom"))
    told("sarcoma", counts)
    assert counts[1] == 0


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["dcmqi", "highdicom"])
def test_segmentations(real_data: Path, folder: str) -> None:
    counts = check(dicom_files(real_data / folder))
    told(folder, counts)
    assert counts[1] < counts[0]


def test_a_broken_link_is_seen() -> None:
    before, after, _ = both([one.data for one in cohort()])
    for spoil in ("2.25.1", after.places[0][0][1]):
        broken = Graph([list(found) for found in after.places])
        index = next(
            i for i, found in enumerate(broken.places) if any("ContourImageSequence" in place for place, _ in found)
        )
        row = next(i for i, (place, _) in enumerate(broken.places[index]) if "ContourImageSequence" in place)
        if broken.places[index][row][1] == spoil:
            row = next(
                i
                for i, (place, uid) in enumerate(broken.places[index])
                if "ContourImageSequence" in place and uid != spoil
            )
        broken.places[index][row] = (broken.places[index][row][0], spoil)
        with pytest.raises(AssertionError):
            renaming(before, broken)

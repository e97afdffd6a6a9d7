"""Cleaned images in a release: the table generalises age, sex and dates, so a header must not tell them exactly.

A released file gets the release's own codes (patient, UIDs), so that neither two releases nor a release and the
hospital's working copies can be joined by them, and loses what describes the patient. Pixels stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

# Where a crowd is asked for, a header keeps nothing that the tables make coarser or leave out (docs/decisions/protect.md):
# of the patient group only the codes (and, empty, what PS3.3 C.7.1.1 demands), no scanner, no protocol that names a
# hospital, no dose, no private element, no day and no time. Weight goes too, so PET, whose uptake values need it,
# can't be released as images then (`needs_patient`).
PATIENT_GROUP = 0x0010
CODES = ("PatientName", "PatientID")
EMPTIED = (
    "PatientBirthDate", "PatientSex", "ReferringPhysicianName", "AccessionNumber", "StudyID", "Manufacturer", "KVP",
    "ContrastBolusAgent",
)  # fmt: skip
REMOVED = (
    "ManufacturerModelName", "SoftwareVersions", "StationName", "DeviceSerialNumber", "InstitutionName",
    "ConvolutionKernel", "ReconstructionMethod", "ReconstructionAlgorithm", "MagneticFieldStrength", "ImagingFrequency",
    "XRayTubeCurrent", "XRayTubeCurrentInuA", "XRayTubeCurrentInmA", "Exposure", "ExposureInuAs", "ExposureInmAs",
    "CTDIvol", "SAR", "Radiopharmaceutical",
)  # fmt: skip
BLUNT = {"DA": "19000101", "TM": "000000", "DT": "19000101000000"}
RETAINED = ("113106", "113107", "113108", "113109")
OWN_ROOT = "2.25."


def relabel(dataset: Dataset, subject: str, new_uid: Callable[[str], str], keep_patient: bool) -> None:
    """Give a cleaned header the codes of a release, in place.

    `new_uid` maps each UID that radcurate made; UIDs of the standard stay. With `keep_patient` (a release for which no
    crowd is asked) only codes change.
    """
    dataset.PatientID = subject
    dataset.PatientName = subject
    if not keep_patient:
        dataset.remove_private_tags()
        _tell_method(dataset)

    def change(holder: Dataset, element: DataElement) -> None:
        if element.VR == "UI":
            _change_uids(element, new_uid)
        elif not keep_patient:
            _reduce(holder, element)

    dataset.walk(change)


def _tell_method(dataset: Dataset) -> None:
    """Take back what the header says was retained (PS3.15 table D.2: dates 113106, 113107; patient 113108; device 113109)."""
    if "LongitudinalTemporalInformationModified" in dataset:
        dataset.LongitudinalTemporalInformationModified = "REMOVED"
    codes = dataset.get("DeidentificationMethodCodeSequence")
    if codes:
        kept = [item for item in codes if item.get("CodeValue") not in RETAINED]
        dataset.DeidentificationMethodCodeSequence = kept


def _reduce(holder: Dataset, element: DataElement) -> None:
    """Empty, remove or blunt an element that tells about the patient, the scanner or the day."""
    if element.keyword in CODES:
        return
    if element.keyword in EMPTIED:
        element.value = ""
    elif element.tag.group == PATIENT_GROUP or element.keyword in REMOVED:
        del holder[element.tag]
    elif element.VR in BLUNT and element.value:
        element.value = BLUNT[element.VR]


def _change_uids(element: DataElement, new_uid: Callable[[str], str]) -> None:
    values = [element.value] if element.VM <= 1 else list(element.value)
    changed = [new_uid(str(value)) if value and str(value).startswith(OWN_ROOT) else value for value in values]
    if changed != values:
        element.value = changed[0] if element.VM <= 1 else changed


def write_image(source: Path, target: Path, subject: str, new_uid: Callable[[str], str], keep_patient: bool) -> None:
    """Copy one cleaned DICOM file with the codes of a release; the pixel bytes are copied as they are."""
    dataset = pydicom.dcmread(source)
    relabel(dataset, subject, new_uid, keep_patient)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    target.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(target, enforce_file_format=True)


def needs_patient(modality: str) -> bool:
    """Whether the values of such images depend on the patient's weight (SUV, PS3.3 C.8.9.1)."""
    return modality in ("PT", "NM")

"""A file read once more by pydicom, which nothing here is built on: whole, every value converted, without a warning."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

from pydicom import config, dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from radcurate.verify.keep import NO_IMAGES

_ALWAYS = "SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID Modality"
_IMAGE = "SamplesPerPixel PhotometricInterpretation Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation"
ALWAYS, IMAGE = tuple(_ALWAYS.split()), tuple(_IMAGE.split())
BY_MODALITY = {  # attributes of type 1 in their modules (PS3.3), besides those above
    "CT": (
        "ImageType",
        "PixelSpacing",
        "ImageOrientationPatient",
        "ImagePositionPatient",
        "RescaleIntercept",
        "RescaleSlope",
    ),
    "MR": ("PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient"),
    "PT": ("Units", "DecayCorrection", "PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient"),
    "SEG": (
        "SegmentationType",
        "SegmentSequence",
        "SharedFunctionalGroupsSequence",
        "PerFrameFunctionalGroupsSequence",
    ),
    "RTSTRUCT": ("StructureSetROISequence", "ROIContourSequence"),
    "RTDOSE": ("DoseUnits", "DoseType", "DoseSummationType", "DoseGridScaling"),
}


def conforms(path: Path, source: Path) -> bool:
    """Whether pydicom reads the whole file without an objection that it doesn't have to the source as well.

    Values that are kept as the scanner wrote them may be odd; nothing may be odder than it was, and what the object's kind
    requires must be there if the source had it.
    """
    new, complaints = _read(path)
    if new is None:
        return False
    lacking = [name for name in _required(new) if _empty(new, name)]
    if not complaints and not lacking:
        return True
    old, known = _read(source)
    return old is not None and complaints <= known and all(_empty(old, name) for name in lacking)


def _required(content: Dataset) -> Iterator[str]:
    modality = str(content.get("Modality", ""))
    yield from ALWAYS
    if modality not in NO_IMAGES:
        yield from IMAGE
    if "SharedFunctionalGroupsSequence" not in content or modality == "SEG":
        yield from BY_MODALITY.get(modality, ())


def _empty(content: Dataset, name: str) -> bool:
    element = content.get(tag_for_keyword(name) or name)
    return element is None or element.is_empty


def _read(path: Path) -> tuple[Dataset | None, set[str]]:
    """The data set and what pydicom said about it, without the numbers and values that it quotes; nothing where it gave up."""
    before = config.settings.reading_validation_mode
    config.settings.reading_validation_mode = config.WARN
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            content = dcmread(path, force=True)
            for element in content.iterall():
                _ = element.value
            for element in content.file_meta.iterall() if hasattr(content, "file_meta") else ():
                _ = element.value
        return content, {type(item.message).__name__ + str(item.message)[:24] for item in caught}
    except Exception:  # its message may quote a value
        return None, set()
    finally:
        config.settings.reading_validation_mode = before

"""How strictly the pictures of a series are looked at: by kind of image and modality, and by what its headers say.

Strictly means that a doubt goes to a person. Everything is looked at strictly but what a steward lists as lenient, so that
a kind of image that nobody thought of is held back and not let through.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom

from radcurate.dicom import values

CAPTURES = "1.2.840.10008.5.1.4.1.1.7"  # Secondary Capture Image Storage and its multi-frame relatives
# parts of an ImageType that only screens have: dose and patient pages, reports, captures
SCREEN_WORDS = ("SCREEN", "REPORT", "CAPTURE", "DOSE_INFO", "DOSE INFO", "PATIENT_INFO", "PATIENT INFO")
COLOURS = ("RGB", "PALETTE COLOR", "YBR_")
SMALL_BITS = 8  # of a value: what CT, MR and PET measure needs more; a drawing of it doesn't
_WANTED = [
    "SOPClassUID", "Modality", "ImageType", "ConversionType", "BurnedInAnnotation", "PhotometricInterpretation",
    "BitsStored",
]  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What the headers of a series say about its pictures.

    drawn: they are, or may be, drawn rather than measured. burned_in: places in the sorted list of files of those that say
    that text is burned in.
    """

    drawn: bool
    burned_in: tuple[int, ...]


def said_of(paths: Sequence[Path]) -> Said:
    """Read the headers of a series' files.

    Args:
        paths: sorted.
    """
    headers = [_header(path) for path in paths]
    return Said(
        any(_drawn(header) for header in headers),
        tuple(n for n, header in enumerate(headers) if values.text(header, "BurnedInAnnotation").upper() == "YES"),
    )


def strictly(said: Said, modality: str, lenient: Collection[str]) -> bool:
    """Whether a doubt about this series is for a person."""
    return modality not in lenient or said.drawn or bool(said.burned_in)


def _header(path: Path) -> pydicom.Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(path, force=True, stop_before_pixels=True, specific_tags=_WANTED)


def _drawn(header: pydicom.Dataset) -> bool:
    bits = values.whole(header, "BitsStored")
    kinds = [part.upper() for part in values.texts(header, "ImageType")]
    return (
        values.text(header, "SOPClassUID").startswith(CAPTURES)
        or bool(values.text(header, "ConversionType"))
        or values.text(header, "PhotometricInterpretation").upper().startswith(COLOURS)
        or (bits is not None and bits <= SMALL_BITS)
        or any(word in kind for kind in kinds for word in SCREEN_WORDS)
    )

"""Objects that are no image, segmentation or plan: why each kind is refused, by its SOP class (PS3.4 B.5)."""

from __future__ import annotations

import re

from radcurate.dicom.dictionary import uid_keyword
from radcurate.dicom.problems import EXPORT_AGAIN, Unsafe

LEAVE_OUT = "leave it out of the export; "
# pattern of the SOP class keyword, reason, remedy; the first that matches tells
KINDS = tuple(
    (re.compile(pattern), reason, remedy)
    for pattern, reason, remedy in (
        (
            "MediaStorageDirectory.*",
            "dicomdir",
            "nothing to do: it is an index, the files it lists are read themselves",
        ),
        ("Encapsulated.*", "encapsulated_document", LEAVE_OUT + "a document's pages can't be checked"),
        ("Video.*", "video", LEAVE_OUT + "a video's frames can't be checked for text and faces"),
        (".*Waveform.*Storage.*", "waveform", LEAVE_OUT + "it holds no image"),
        (
            ".*(SR|SRStorage.*|Log|Document|Report|Results|Annotations?|Calculations|Measurements)(Storage.*)?",
            "structured_report",
            LEAVE_OUT + "a report is text that nobody has checked",
        ),
        (".*PresentationState.*", "presentation_state", LEAVE_OUT + "it holds annotations, and no image"),
        ("RawData.*", "raw_data", LEAVE_OUT + "a maker's raw data can't be checked"),
        (".*(Image|MapStorage|AIT|Tomography|EnFace|BscanVolumeAnalysis).*", "sop_class", ""),
        (".*(Storage|Pull|Push).*", "no_image", LEAVE_OUT + "it holds no image"),
    )
)
OTHER = "only the kinds of object of the allow-list can be checked; leave it out, or add its SOP class to a family"


def refusal(sop_class: str) -> Unsafe:
    """The verdict on an object of a SOP class that is in no family."""
    if not sop_class:
        return Unsafe("no_sop_class", EXPORT_AGAIN)
    keyword = uid_keyword(sop_class) or ""
    for pattern, reason, remedy in KINDS:
        if pattern.fullmatch(keyword):
            return Unsafe(reason, remedy or OTHER)
    return Unsafe("sop_class", OTHER)

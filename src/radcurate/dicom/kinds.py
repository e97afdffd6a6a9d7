"""Which objects are images, contours, pictures or nothing of use, by SOP class (PS3.4 B.5)."""

from __future__ import annotations

_STORAGE = "1.2.840.10008.5.1.4.1.1."
IMAGES = {
    _STORAGE + "2": "CT",
    _STORAGE + "2.1": "CT",  # enhanced
    _STORAGE + "2.2": "CT",  # legacy converted enhanced
    _STORAGE + "4": "MR",
    _STORAGE + "4.1": "MR",
    _STORAGE + "4.4": "MR",
    _STORAGE + "128": "PT",
    _STORAGE + "128.1": "PT",
    _STORAGE + "130": "PT",
}
# without planes in space: no features come from them, but they are cleaned as images are
PICTURES = frozenset(
    _STORAGE + place
    for place in (
        *("1", "1.1", "1.1.1", "1.2", "1.2.1", "1.3", "1.3.1", "12.1", "12.2"),  # CR, DX, mammography, dental, XA, RF
        *("3", "3.1", "6", "6.1"),  # ultrasound, and the same before 1996
        *("7", "7.1", "7.2", "7.3", "7.4"),  # secondary captures
    )
)
CONTOURS = {_STORAGE + "481.3": "rtstruct", _STORAGE + "66.4": "seg", _STORAGE + "66.7": "seg"}
BY_MODALITY = {"CT": "image", "MR": "image", "PT": "image", "RTSTRUCT": "rtstruct", "SEG": "seg"}
CONTOUR_KINDS = ("rtstruct", "seg", "nifti")


def kind_of(sop_class: str, modality: str) -> str:
    """image, rtstruct, seg, picture or other; by modality only where the SOP class is missing."""
    if sop_class in CONTOURS:
        return CONTOURS[sop_class]
    if sop_class in PICTURES:
        return "picture"
    if sop_class in IMAGES:
        return "image" if modality in ("", IMAGES[sop_class]) else "other"
    return BY_MODALITY.get(modality, "other") if not sop_class else "other"

"""Which objects are images, contours or neither, by SOP class (PS3.4 B.5)."""

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
CONTOURS = {_STORAGE + "481.3": "rtstruct", _STORAGE + "66.4": "seg", _STORAGE + "66.7": "seg"}
BY_MODALITY = {"CT": "image", "MR": "image", "PT": "image", "RTSTRUCT": "rtstruct", "SEG": "seg"}
CONTOUR_KINDS = ("rtstruct", "seg", "nifti")


def kind_of(sop_class: str, modality: str) -> str:
    """image, rtstruct, seg or other; by modality only where the SOP class is missing."""
    if sop_class in CONTOURS:
        return CONTOURS[sop_class]
    if sop_class in IMAGES:
        return "image" if modality in ("", IMAGES[sop_class]) else "other"
    return BY_MODALITY.get(modality, "other") if not sop_class else "other"

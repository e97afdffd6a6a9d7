"""Which instance some bytes are, as far as the beginning of a file tells."""

from __future__ import annotations

import io
from typing import Any

from pydicom import dcmread
from pydicom.config import disable_value_validation

ENOUGH = 1 << 20  # bytes of a file that are looked at


def instance_of(start: bytes) -> tuple[str | None, str | None]:
    """SeriesInstanceUID and SOPInstanceUID in the first bytes of a file; None for what they don't tell."""
    wanted: list[Any] = ["SeriesInstanceUID", "SOPInstanceUID"]
    try:
        with disable_value_validation():
            dataset = dcmread(io.BytesIO(start), stop_before_pixels=True, specific_tags=wanted)
            found = [str(dataset.get(keyword) or "").strip(" \0") or None for keyword in wanted]
    except Exception:  # pydicom raises many kinds on what is no DICOM
        return None, None
    return found[0], found[1]

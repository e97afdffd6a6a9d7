"""Writing cleaned pictures: filled parts, nothing beyond them, and a header that doesn't say that text is still there.

A header that says YES under BurnedInAnnotation says NO when the file was looked at again and nothing was found; one that says
nothing goes on saying nothing. No other element changes in an uncompressed file; see `volumes.patch` for the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pydicom

from radcurate.redact.found import Box
from radcurate.redact.overlays import wipe_overlays
from radcurate.volumes.patch import Patch, Written, patch_file

BURNED_IN = (0x0028, 0x0301)


def write(path: Path, target: Path, patches: Mapping[int, Sequence[Patch]]) -> Written:
    """Write a file with filled parts; overlays are wiped where they are filled.

    Args:
        path: the file, which isn't touched.
        target: the new file, in an existing folder; one of that name is replaced.
        patches: of `fill`, by frame from 0.

    Raises:
        VolumeError: of the reasons of `volumes.stored.open_pixels` and `volumes.patch.patch_file`.
    """
    written = patch_file(path, target, patches)
    wipe_overlays(target, {frame: [_box(patch) for patch in some] for frame, some in patches.items()})
    return written


def _box(patch: Patch) -> Box:
    rows, columns = np.flatnonzero(patch.mask.any(axis=1)), np.flatnonzero(patch.mask.any(axis=0))
    if not rows.size:
        return Box(0, 0, 0, 0)
    top, left = patch.top + int(rows[0]), patch.left + int(columns[0])
    return Box(top, left, patch.top + int(rows[-1]) + 1, patch.left + int(columns[-1]) + 1)


def declare_clean(path: Path) -> bool:
    """Say NO where BurnedInAnnotation says YES, in the file itself; whether it said so.

    Only for a file of `write` in which a second look found nothing.
    """
    with path.open("rb") as stream:
        header = pydicom.dcmread(stream, force=True, stop_before_pixels=True, specific_tags=[BURNED_IN])
    element = header.get_item(BURNED_IN) if BURNED_IN in header else None
    if element is None or bytes(element.value or b"").strip(b" \0") != b"YES" or not getattr(element, "value_tell", 0):
        return False
    with path.open("r+b") as stream:
        stream.seek(element.value_tell)
        stream.write(b"NO".ljust(len(element.value)))
    return True

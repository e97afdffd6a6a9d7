"""Marks in the skin of one series, as a steward named them: smoothed in memory, for `redact` to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from radcurate.deface.series import Loaded, load
from radcurate.redact.found import Flags, Hit, Place
from radcurate.redact.outcome import SKIN
from radcurate.redact.skin import LEAST_CORRELATION, Values, smoothed
from radcurate.redact.skin_marks import Mark, boxes_of, within
from radcurate.volumes.patch import Patch
from radcurate.volumes.problems import VolumeError
from radcurate.volumes.stored import open_pixels

MODALITIES = ("CT", "MR")


@dataclass(frozen=True, eq=False)
class Skin:
    """What smoothing the marks of a series changes: hits that hold every changed pixel, and the new values by frame.

    correlation: of the patterns before and after, the largest of all marks; 0 without marks.
    """

    hits: tuple[Hit, ...] = ()
    patches: Mapping[Place, Patch] = field(default_factory=dict)
    correlation: float = 0.0

    @property
    def gone(self) -> bool:
        """Whether no pattern can be told any more."""
        return self.correlation < LEAST_CORRELATION


def smooth_marks(files: Sequence[Path], modality: str, marks: Sequence[Mark]) -> Skin:
    """Smooth the marks of a series.

    Args:
        files: of the series, sorted.
        modality: as in the header.
        marks: those of this series.

    Raises:
        VolumeError: skin_modality, skin_times, those of `skin.smoothed`, and those of `deface.series.load`.
    """
    if not marks:
        return Skin()
    if modality not in MODALITIES:
        raise _problem("skin_modality", "a mark in the skin can be smoothed in CT and MR", "CT or MR")
    loaded = load(files)
    if any(len(place) > 1 for place in loaded.frames):
        raise _problem("skin_times", "several images of each plane", "one image of each plane")
    values, grid = loaded.stack.values, loaded.grid()
    none, worst = np.zeros(values.shape, dtype=bool), 0.0
    changed: Flags = none.copy()
    for mark in marks:
        found = smoothed(values, grid.spacing, within(mark, grid), none, modality)
        values, changed, worst = found.values, np.logical_or(changed, found.changed), max(worst, found.correlation)
    return _as_stored(loaded, values, changed, worst)


def _as_stored(loaded: Loaded, values: Values, changed: Flags, worst: float) -> Skin:
    """The new values as the files store them, plane by plane."""
    hits: list[Hit] = []
    patches: dict[Place, Patch] = {}
    for plane in np.flatnonzero(changed.any(axis=(1, 2))):
        frame = loaded.frames[plane][0]
        pixels, _ = open_pixels(loaded.paths[frame.file])
        top = 1 << (pixels.stored - pixels.signed)
        low, high = -top if pixels.signed else 0, top - 1
        words = np.rint((values[plane].astype(np.float64) - frame.intercept) / frame.slope)
        place = Place(frame.file, frame.number)
        old = loaded.stored[frame.file, frame.number]
        patches[place] = Patch(0, 0, np.clip(words, low, high).astype(old.dtype), changed[plane])
        hits += [Hit(place, box, SKIN, True, 1.0) for box in boxes_of(changed[plane])]
    return Skin(tuple(hits), patches, worst)


def _problem(reason: str, sentence: str, wanted: str) -> VolumeError:
    return VolumeError(
        reason, sentence, wanted=wanted, found="another", fix="leave the series out, or take the mark out"
    )

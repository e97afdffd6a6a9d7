"""Series with known text, and the same without: what `redact` is tuned on and counted with.

Every case comes from the hash of its number and of its part, so that a part is the same on every machine. One in four is
small, one in ten drawn into an overlay beside the values, one in twenty a clip of frames; ultrasound has a strip above its
image, and regions that say where the image is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.bases import Base, Image, Source, bases, read_base, stack
from benchmarks.texts import Flags, Line, blend, draw, kind_of, native, random, ranged_of, rendered, stored_as
from benchmarks.words import person
from radcurate.redact.found import Box, Picture, Pictures, Place

STRICT = frozenset({"US", "CR", "DX", "MG", "OT"})  # doubt goes to a person
STRIP = 56  # rows above the image of an ultrasound
CLIP = 3  # frames
WRITTEN_ON = 4  # planes of a stack, where text is not on all


@dataclass(frozen=True, eq=False)
class Case:
    """A series to look at, and the truth about it."""

    name: str
    kind: str  # of the pixels
    modality: str
    pictures: Pictures
    lines: dict[Place, tuple[Line, ...]]
    header: tuple[dict[str, Any], ...]  # rows of identifiers.parquet; empty where the header knows nothing

    @property
    def strict(self) -> bool:
        """Whether doubt goes to a person."""
        return self.modality in STRICT


def cases(data: Path, part: str, last: int, first: int = 0) -> Iterator[Case]:
    """Numbers `first` … `last` − 1 of a part: each without text, then the same with text."""
    every = bases(data, part)
    for number in range(first, last):
        base = every[number % len(every)]
        if number % 4 == 1:  # as small as it was taken, or nearly
            base = replace(base, source=replace(base.source, enlarge=max(1, base.source.enlarge // 2)))
        yield _case(data, base, part, number, with_text=False)
        yield _case(data, base, part, number, with_text=True)


def _case(data: Path, base: Base, part: str, number: int, with_text: bool) -> Case:
    rng, drawing = random(part, number), random(part, number, "text")  # apart, so that only the text differs
    values, low, high = ranged_of(read_base(data, base, rng))
    modality, regions = base.source.modality, ()
    if modality == "US":
        values = np.pad(values, ((STRIP, 0), *((0, 0),) * (values.ndim - 1)))
        regions = (Box(STRIP, 0, *values.shape[:2]),)
    kind, who = kind_of(rng, values), person(drawing)
    header = who.header if with_text and drawing.random() < 0.5 else ()
    beside = number % 10 == 7
    paper = np.zeros(values.shape[:2]) if beside else values
    written, lines = draw(paper, drawing, part, who, int(drawing.integers(1, 5)), kind) if with_text else (paper, ())
    frames = [values if beside else written]
    if number % 20 == 3:  # what is behind moves, the text stands
        same = written != values
        frames += [np.where(same, written, np.roll(values, 2 * step, axis=0)) for step in range(1, CLIP)]
    pictures = [stored_as(frame, low, high, kind, modality, random(part, number, "stored")) for frame in frames]
    if beside:
        pictures = [replace(picture, beyond=_drawn(paper.shape, lines)) for picture in pictures]
        lines = tuple(line._replace(contrast=1.0, look="overlay") for line in lines)
    placed = [replace(picture, place=Place(0, index), regions=regions) for index, picture in enumerate(pictures)]
    places = [picture.place for picture in placed]
    name = f"{base.name} {'text' if with_text else 'clean'} {number}"
    found = dict.fromkeys(places, lines) if with_text else {}
    return Case(name, kind, modality, Pictures(places, _Held(placed)), found, header)


def _drawn(shape: tuple[int, ...], lines: Sequence[Line]) -> Flags | None:
    """What is drawn beside the values; None where nothing is."""
    flags = np.zeros(shape, bool)
    for line in lines:
        flags[line.box.top : line.box.bottom, line.box.left : line.box.right] |= line.ink
    return flags if lines else None


@dataclass(frozen=True, eq=False)
class _Held:
    """Pictures in memory."""

    pictures: list[Picture]

    def __call__(self, place: Place) -> Picture:
        return self.pictures[max(place.file, place.frame)]


def stack_case(data: Path, source: Source, part: str, planes: int, writing: str) -> Case:
    """A stack of `planes` in the unit of its source.

    Args:
        data: of the tests.
        source: a stack of at least a few planes; it is walked to and fro until there are enough.
        part: whose fonts are used.
        planes: how many.
        writing: all (two lines stand still, the number of the image changes) | some (four planes have lines of their own) |
            none.
    """
    rng = random(part, source.group, source.modality, writing)
    whole = stack(data, source)
    order = np.resize(np.concatenate([np.arange(len(whole)), np.arange(len(whole))[::-1]]), planes)
    low, high = (float(one) for one in np.percentile(whole, (0.5, 99.5)))
    ranged = [_grown((whole[index] - low) / (high - low), source.enlarge) for index in order]
    who = person(rng)
    lines: dict[Place, tuple[Line, ...]] = {}
    if writing == "some":
        for chosen in rng.choice(planes, WRITTEN_ON, replace=False).tolist():
            ranged[chosen], drawn = draw(ranged[chosen], rng, part, who, 2, "native")
            lines[Place(chosen, 0)] = drawn
    elif writing == "all":
        empty = np.asarray(np.mean(ranged, axis=0), float)
        written, standing = draw(empty, rng, part, who, 2, "native")
        same = written != empty
        for index, plane in enumerate(ranged):
            plane[same] = written[same]
            lines[Place(index, 0)] = (*standing, *_numbered(plane, same, index, planes))
    stored = [native(one, low, high, Place(index, 0)) for index, one in enumerate(ranged)]
    pictures = Pictures([one.place for one in stored], _Held(stored), volume=True)
    return Case(f"{source.group} {source.modality} {writing}", "volume", source.modality, pictures, lines, who.header)


def _numbered(plane: Image, taken: Flags, index: int, planes: int) -> tuple[Line, ...]:
    """The image number in the first corner that is free."""
    text = f"Im: {index + 1:03}/{planes}"
    ink = rendered(text, "DejaVu Sans", 14, smooth=True)
    for top in (2, plane.shape[0] - ink.shape[0] - 2):
        for left in (2, plane.shape[1] - ink.shape[1] - 2):
            box = Box(top, left, top + ink.shape[0], left + ink.shape[1])
            here = slice(box.top, box.bottom), slice(box.left, box.right)
            if top > 0 and left > 0 and not taken[here].any():
                behind = float(np.median(plane[here]))
                blend(plane[here], ink, behind + 1.0 if behind <= 0.3 else 0.0)
                contrast = 1.0 if behind <= 0.3 else behind
                return (Line(text, "technical", "DejaVu Sans", 14, 0.0, contrast, "plain", box, ink > 0.3),)
    return ()


def _grown(values: Image, times: int) -> Image:
    if times == 1:
        return values.copy()
    size = (values.shape[1] * times, values.shape[0] * times)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), float)

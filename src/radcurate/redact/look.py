"""Looking at a series for what is drawn into its pixels, and looking again once it was cleaned."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, permutations

import numpy as np

from radcurate.errors import CurationError
from radcurate.redact import judge
from radcurate.redact.found import Box, Flags, Hit, Picture, Pictures, Place
from radcurate.redact.lines import FULL, Effort, Line, lines
from radcurate.redact.marks import marks_outside
from radcurate.redact.seeds import Seeds, say_together, says
from radcurate.redact.stacks import LEAST_FRAMES, look_through

FULL_GREY = np.uint8(255)
HELD = 0.9  # of a mark's area in a line's box: it is the line
RIM = 8  # pixels around what is drawn


@dataclass(frozen=True)
class Look:
    """What was found in a series.

    hits: by place, then from top to bottom. looked: frames that were looked at one by one. refused: code of why not all
    frames could be looked at. covered: greatest share of a frame that sure hits cover.
    """

    hits: tuple[Hit, ...]
    looked: int
    refused: str | None = None
    covered: float = 0.0


def look(pictures: Pictures, seeds: Seeds, strict: bool) -> Look:
    """Text in all frames of a series.

    strict: doubts are told as well (hits that are not sure).
    Errors: none for the user to act on: a frame that can't be read is told in `refused`.
    """
    return _frames(pictures, pictures.places, seeds, strict)


def second_look(pictures: Pictures, seeds: Seeds, strict: bool, filled: Collection[Hit]) -> Look:
    """What is still legible in the frames that were cleaned.

    filled: the hits that were filled. All hits of the answer count as residual, sure or not: in their places doubts are
    told whether the modality is strict or not.
    """
    places = sorted({hit.place for hit in filled})
    seen = _frames(pictures, places, seeds, True)
    known: dict[Place, list[Box]] = {}
    for hit in filled:
        known.setdefault(hit.place, []).append(hit.box)
    kept = [hit for hit in seen.hits if hit.sure or strict or any(_touch(hit.box, box) for box in known[hit.place])]
    return replace(seen, hits=tuple(kept))


def _frames(pictures: Pictures, places: Sequence[Place], seeds: Seeds, doubts: bool) -> Look:
    hits: list[Hit] = []
    looked, covered = 0, 0.0
    try:
        for stack in _stacks(pictures, places):
            for picture, found, by_itself in _of_stack(pictures, stack, seeds, doubts):
                covered = max(covered, _covered(picture, found))
                looked += by_itself
                hits += found
    except CurationError as error:
        return Look(tuple(hits), looked, error.problem, covered)
    return Look(tuple(hits), looked, None, covered)


def _of_stack(
    pictures: Pictures, stack: Sequence[Place], seeds: Seeds, doubts: bool
) -> Iterator[tuple[tuple[int, int], list[Hit], bool]]:
    """Size of each frame that was looked at, what it shows, and whether it was looked at by itself."""
    if len(stack) < LEAST_FRAMES:
        for place in stack:
            picture = pictures.read(place)
            yield _size(picture), list(hits_of(picture, seeds, doubts)), True
        return
    sizes: dict[Place, tuple[int, int]] = {}

    def full(picture: Picture, effort: Effort) -> list[Hit]:
        sizes[picture.place] = _size(picture)
        return list(hits_of(picture, seeds, doubts, effort))

    for place, found, by_itself in look_through(pictures, stack, full):
        yield sizes.get(place) or next(iter(sizes.values())), found, by_itself


def _stacks(pictures: Pictures, places: Sequence[Place]) -> Iterator[Sequence[Place]]:
    """Frames that belong together: all planes of a volume, or those of one file."""
    if pictures.volume:
        yield places
        return
    for _, frames in groupby(places, key=lambda place: place.file):
        yield tuple(frames)


def hits_of(picture: Picture, seeds: Seeds, doubts: bool, effort: Effort = FULL) -> Iterator[Hit]:
    """What is drawn into one frame, from top to bottom."""
    found = _judged(picture, lines(picture, effort), seeds, doubts)
    if picture.beyond is not None and picture.beyond.any():
        found += _beyond(picture, picture.beyond, seeds)
    known = [hit.box for hit in found if hit.sure]
    found += [
        Hit(picture.place, box, "mark", True, 1.0)
        for box in marks_outside(picture)
        if not any(_share(box, other) >= HELD for other in known)
    ]
    yield from sorted(found, key=lambda hit: (hit.box, hit.text))


def _judged(picture: Picture, read: Sequence[Line], seeds: Seeds, doubts: bool) -> list[Hit]:
    own = _own(read, seeds)
    sure = [line for line in read if line in own or judge.sure(line)]
    sure = judge.outermost(sure + [line for line in read if sure and line not in sure and judge.sure_in_company(line)])
    read = [line for line in read if line in sure or not judge.within(line, sure)]
    sure += [line for line in read if line not in sure and judge.beside(line, sure)]
    hits = [_hit(picture, line, "identity" if line in own else "text", True) for line in sure]
    if doubts:
        hits += [_hit(picture, line, "text", False) for line in read if line not in sure and judge.doubtful(line)]
    return hits


def _own(read: Sequence[Line], seeds: Seeds) -> list[Line]:
    """Lines that say one of the patient's own words, alone or with the line that they go on with."""
    able = [line for line in read if line.confidence >= judge.OWN_CONFIDENCE]
    alone = [line for line in able if judge.letters(line.text) >= judge.OWN_LETTERS and says(line.text, seeds)]
    own = list(alone)
    for line, following in permutations(able, 2):
        if line in alone or following in alone:
            continue
        if judge.goes_on(line, following) and say_together((line.text, following.text), seeds):
            own += [one for one in (line, following) if one not in own]
    return own


def _beyond(picture: Picture, drawn: Flags, seeds: Seeds) -> list[Hit]:
    """What is drawn beside the values: all of it is drawn on purpose, so it is sure even where nothing reads.

    Its strokes alone are told: the values under the rest of the box are the image's own.
    """
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    whole = Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    frame = Box(max(0, whole.top - RIM), max(0, whole.left - RIM), whole.bottom + RIM, whole.right + RIM)
    part = drawn[frame.top : frame.bottom, frame.left : frame.right]
    page = Picture(picture.place, part.view(np.uint8) * FULL_GREY, "MONOCHROME2", 8)
    own = any(hit.kind == "identity" for hit in _judged(page, lines(page), seeds, False))
    strokes = drawn[whole.top : whole.bottom, whole.left : whole.right].copy()
    return [Hit(picture.place, whole, "identity" if own else "overlay", True, 1.0, strokes=strokes)]


def _hit(picture: Picture, line: Line, kind: str, sure: bool) -> Hit:
    rows, columns = picture.values.shape[:2]
    top, left, bottom, right = line.box
    box = Box(max(0, top), max(0, left), min(rows, bottom), min(columns, right))
    return Hit(picture.place, box, kind, sure, round(line.confidence, 4), line.text)


def _covered(size: tuple[int, int], hits: Sequence[Hit]) -> float:
    under = np.zeros(size, bool)
    for hit in hits:
        if hit.sure:
            under[hit.box.top : hit.box.bottom, hit.box.left : hit.box.right] = True
    return float(under.mean()) if under.size else 0.0


def _size(picture: Picture) -> tuple[int, int]:
    return picture.values.shape[0], picture.values.shape[1]


def _share(one: Box, other: Box) -> float:
    """Share of the first box that lies in the second."""
    high = min(one.bottom, other.bottom) - max(one.top, other.top)
    wide = min(one.right, other.right) - max(one.left, other.left)
    return max(0, high) * max(0, wide) / max(1, (one.bottom - one.top) * (one.right - one.left))


def _touch(one: Box, other: Box) -> bool:
    return min(one.bottom, other.bottom) > max(one.top, other.top) and min(one.right, other.right) > max(
        one.left, other.left
    )

"""Looking through the frames of a stack without reading each of them for itself.

Text that begins or ends in a frame shows in its difference from the frame before, where little else does. Three such
differences are looked at in one picture, one in each colour; what the detector sees there is read in the frames. Frames in
which something reads are looked at with full effort, unless a frame before has shown the same line in the same place. What
stands still shows in the first frame and in the mean of all, which are looked at with full effort too, and every eighth
frame is glanced at as it is. A line that is known then is looked for in every frame by its strokes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radcurate.redact import judge, reader, views
from radcurate.redact.constancy import Grey, Known, contrast_of, known
from radcurate.redact.found import Box, Hit, Picture, Pictures, Place
from radcurate.redact.lines import FULL, LARGEST_WHOLE, LIGHT, SMALLEST_SIDE, Effort, Line, legible, line_at

LEAST_FRAMES = 6  # fewer are looked at one by one
TOGETHER = 3  # differences in one picture
EVERY = 8  # frames, of which one is glanced at as it is
LEVEL = 0.3  # of the detector, lower than for one frame
GROWN_TO, MOST_GROWN = 640, 2.5  # pixels that small frames are enlarged to, and how much at most
SUSPECT = 0.4  # confidence of two letters that make a frame worth a full look
INSIDE = 0.6  # of a suspect's area in a line that is known
STILL = 0.8  # of the frames show a line that is in doubt: it is no anatomy
THERE, PERHAPS = 0.5, 0.25  # of the greatest contrast that a line has in any frame

Full = Callable[[Picture, Effort], list[Hit]]


class _Held(NamedTuple):
    place: Place
    view: Grey  # local contrast
    plain: Grey  # the picture's own


@dataclass
class _Glance:
    """What a first walk through the frames gave: lines that read, by place, and the mean of all frames."""

    suspects: dict[Place, list[Line]] = field(default_factory=dict)
    alone: list[Place] = field(default_factory=list)  # frames to be looked at by themselves
    total: NDArray[np.float32] | None = None
    count: int = 0


def look_through(pictures: Pictures, places: Sequence[Place], full: Full) -> Iterator[tuple[Place, list[Hit], bool]]:
    """Each place that shows something or was looked at by itself, with its hits, and whether it was.

    full: looks at one frame with the effort told.
    Errors: what `pictures.read` raises.
    """
    glance = _glance(pictures, places)
    done: dict[Place, list[Hit]] = {}
    lines: list[Known] = []
    for place in places:
        unknown = _unknown(pictures, place, glance.suspects.get(place, []), lines)
        if unknown or place in glance.alone:
            picture = pictures.read(place)
            clear = any(line.confidence >= judge.LONG_CONFIDENCE for line in unknown)
            done[place] = full(picture, FULL if clear or not pictures.volume else LIGHT)
            lines += _news(done[place], lines, _view(picture))
    lines += _of_mean(glance, full, lines)
    shown = {place: list(hits) for place, hits in done.items()}
    if lines:
        for place, hits in _standing(pictures, places, lines, glance).items():
            seen = shown.setdefault(place, [])
            seen += [hit for hit in hits if all(_share(hit.box, other.box) < INSIDE for other in seen)]
    settled = _settled(shown, len(places))
    yield from ((place, settled[place], place in done) for place in places if place in settled)


def _glance(pictures: Pictures, places: Sequence[Place]) -> _Glance:
    glance = _Glance()
    ends = (places[0],) if pictures.volume else (places[0], places[len(places) // 2], places[-1])
    shape: tuple[int, ...] | None = None
    held: list[_Held] = []
    for number, place in enumerate(places):
        picture = pictures.read(place)
        shape = shape or picture.values.shape
        drawn = picture.beyond is not None and bool(picture.beyond.any())
        fits = SMALLEST_SIDE <= min(shape[:2]) <= max(shape[:2]) <= LARGEST_WHOLE
        if drawn or place in ends or not fits or picture.values.shape != shape:
            glance.alone.append(place)
        if not fits or picture.values.shape != shape:
            continue
        frame = _Held(place, *_greys(picture))
        _add(glance, frame.view)
        if number % EVERY == EVERY // 2 and place not in ends:
            _look_at(glance, np.repeat(frame.view[..., None], views.COLOURS, axis=2), [frame])
        held.append(frame)
        if len(held) > TOGETHER:
            _differences(glance, held)
            del held[:-1]
    if len(held) > 1:
        _differences(glance, held)
    return glance


def _greys(picture: Picture) -> tuple[Grey, Grey]:
    """Local contrast of a frame, and the frame itself, in grey."""
    shades = views.shades(picture, Box(0, 0, *picture.values.shape[:2]))
    grey = shades.max(axis=2) if shades.ndim == views.COLOURS else shades
    of = views.levels(picture)
    return views.local(grey, of)[..., 0], views.roomy(grey, of)[..., 0]


def _view(picture: Picture) -> Grey:
    return _greys(picture)[0]


def _add(glance: _Glance, view: Grey) -> None:
    if glance.total is None:
        glance.total = np.zeros(view.shape, np.float32)
    glance.total += view
    glance.count += 1


def _differences(glance: _Glance, held: Sequence[_Held]) -> None:
    """Each frame of `held` but the first, without what the frame before shows as well."""
    changes = [
        np.clip(128 + 2 * (after.plain.astype(np.int16) - before.plain), 0, 255).astype(np.uint8)
        for before, after in pairwise(held)
    ]
    if all(int(change.max()) - int(change.min()) < views.STILL for change in changes):
        return
    changes += [changes[-1]] * (TOGETHER - len(changes))
    _look_at(glance, np.stack(changes, axis=2), held)


def _look_at(glance: _Glance, look: reader.Bytes, held: Sequence[_Held]) -> None:
    scale = max(1.0, min(MOST_GROWN, GROWN_TO / max(look.shape[:2])))
    for spot in reader.find(look, LEVEL, scale):
        if not legible(spot, *look.shape[:2]):
            continue
        for frame in held:
            line = line_at(np.repeat(frame.view[..., None], views.COLOURS, axis=2), spot)
            if judge.letters(line.text) >= judge.DOUBT_LETTERS and line.confidence >= SUSPECT and judge.shaped(line):
                top, left, bottom, right = line.box
                box = Box(top, left, min(bottom, look.shape[0]), min(right, look.shape[1]))
                glance.suspects.setdefault(frame.place, []).append(line._replace(box=box))


def _of_mean(glance: _Glance, full: Full, lines: Sequence[Known]) -> list[Known]:
    """Lines that stand still and that no frame has shown, read where noise is averaged away."""
    if glance.total is None:
        return []
    mean = np.rint(glance.total / glance.count).astype(np.uint8)
    found = full(Picture(Place(-1, -1), mean, "MONOCHROME2", 8), LIGHT)
    return _news([hit for hit in found if hit.sure], lines, mean)


def _news(hits: Sequence[Hit], lines: Sequence[Known], view: Grey) -> list[Known]:
    new = (known(hit, view) for hit in hits if all(_share(hit.box, line.hit.box) < INSIDE for line in lines))
    return [line for line in new if line is not None]


def _standing(
    pictures: Pictures, places: Sequence[Place], lines: Sequence[Known], glance: _Glance
) -> dict[Place, list[Hit]]:
    """Known lines that frames show, by their strokes or by what reads in their place."""
    contrasts = np.array([[contrast_of(line, view) for line in lines] for view in _views(pictures, places)])
    own = np.array([line.contrast for line in lines])
    signed = contrasts * np.sign(own)
    alike = signed / np.maximum(np.abs(own), signed.max(axis=0, initial=0))
    nearly_all = (alike >= THERE).mean(axis=0) >= STILL
    enough = np.where(nearly_all, PERHAPS, THERE)
    found: dict[Place, list[Hit]] = {}
    for place, shares in zip(places, alike, strict=True):
        suspects = [suspect for suspect in glance.suspects.get(place, []) if judge.sure(suspect)]
        hits = []
        for line, share, least in zip(lines, shares, enough, strict=True):
            here = [suspect.box for suspect in suspects if _share(suspect.box, line.hit.box) >= INSIDE]
            if here or share >= least or (share >= PERHAPS and _reads(pictures.read(place), line)):
                hits.append(_again(line.hit, place, here))
        if hits:
            found[place] = hits
    return found


def _views(pictures: Pictures, places: Sequence[Place]) -> Iterator[Grey]:
    return (_view(pictures.read(place)) for place in places)


def _reads(picture: Picture, line: Known) -> bool:
    look = np.repeat(_view(picture)[..., None], views.COLOURS, axis=2)
    reading = line_at(look, reader.spot_of(line.hit.box))
    return judge.letters(reading.text) >= judge.DOUBT_LETTERS and reading.confidence >= SUSPECT


def _again(hit: Hit, place: Place, boxes: Sequence[Box]) -> Hit:
    """A hit in another frame, together with what reads there in its place."""
    tops, lefts, bottoms, rights = zip(hit.box, *boxes, strict=True)
    box = Box(min(tops), min(lefts), max(bottoms), max(rights))
    kind = hit.kind if hit.kind == "identity" else "overlay"
    return replace(hit, place=place, box=box, kind=kind, strokes=None)


def _settled(shown: dict[Place, list[Hit]], frames: int) -> dict[Place, list[Hit]]:
    """Doubts that stand still over nearly all frames are none."""
    seen: dict[Box, int] = {}
    for hits in shown.values():
        for hit in hits:
            seen[hit.box] = seen.get(hit.box, 0) + 1
    return {
        place: [replace(hit, sure=hit.sure or (_says(hit) and seen[hit.box] >= STILL * frames)) for hit in hits]
        for place, hits in shown.items()
    }


def _says(hit: Hit) -> bool:
    """Whether a reading would be sure but for how few letters it has."""
    return judge.letters(hit.text) >= judge.SURE_LETTERS and hit.confidence >= judge.LONG_CONFIDENCE


def _unknown(pictures: Pictures, place: Place, suspects: Sequence[Line], lines: Sequence[Known]) -> list[Line]:
    """Suspects of a frame that no known line explains: by a sure reading in its place, or by its strokes."""
    view: Grey | None = None
    unknown = []
    for suspect in suspects:
        near = [line for line in lines if _share(suspect.box, line.hit.box) >= INSIDE]
        if near and not judge.sure(suspect):
            view = _view(pictures.read(place)) if view is None else view
            near = [line for line in near if contrast_of(line, view) / line.contrast >= THERE]
        if not near:
            unknown.append(suspect)
    return unknown


def _share(one: Box, other: Box) -> float:
    """Share of the first box that lies in the second."""
    high = min(one.bottom, other.bottom) - max(one.top, other.top)
    wide = min(one.right, other.right) - max(one.left, other.left)
    return max(0, high) * max(0, wide) / max(1, (one.bottom - one.top) * (one.right - one.left))

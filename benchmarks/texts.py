"""Draws known texts on pictures without text, and stores them the ways that files do.

Sizes are those
of fonts (from ascender to descender): capitals of 8 px are 6 pixels high.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont
from pydicom.pixels import convert_color_space

from benchmarks.bases import Image
from benchmarks.words import Person, lines_for
from radcurate.redact.found import Box, Picture, Place

Flags = NDArray[np.bool_]
Ink = NDArray[np.float64]  # 0 … 1, share of each pixel that is drawn
STRICT = frozenset({"US", "CR", "DX", "MG", "OT"})  # doubt goes to a person
HERSHEY = {
    "Hershey simplex": cv2.FONT_HERSHEY_SIMPLEX,
    "Hershey plain": cv2.FONT_HERSHEY_PLAIN,
    "Hershey triplex": cv2.FONT_HERSHEY_TRIPLEX,
}
TRUETYPE = {
    "DejaVu Sans": "DejaVuSans.ttf",
    "DejaVu Sans bold": "DejaVuSans-Bold.ttf",
    "DejaVu Serif": "DejaVuSerif.ttf",
    "DejaVu Mono": "DejaVuSansMono.ttf",
    "STIX": "STIXGeneral.ttf",  # as Times
}
BITMAP, SANS = "bitmap 6 × 11", "Aileron"  # the latter is like Helvetica; both come with Pillow
ONLY_FINAL = frozenset({"STIX", "Hershey triplex", SANS})  # fonts that nothing is tuned on
FONTS = (*TRUETYPE, *HERSHEY, BITMAP, SANS)
SIZES = (8, 9, 10, 12, 14, 16, 18, 20, 24, 28, 32, 36, 40)
CONTRASTS = (1.0, 0.75, 0.5, 0.25, 0.15)
CONTRAST_ODDS = (0.5, 0.1, 0.1, 0.2, 0.1)
TURNS = (0.0, 90.0, 180.0, 270.0, -10.0, -5.0, -2.0, 2.0, 5.0, 10.0)
TURN_ODDS = (0.58, 0.08, 0.06, 0.08, 0.03, 0.03, 0.04, 0.04, 0.03, 0.03)
LEAST_SNR = 3.0  # of faint text over the spread of what is behind: nobody reads less
KINDS = ("native", "8", "10", "12 inverted", "16", "16 signed", "RGB", "RGB 16", "YBR_FULL", "PALETTE", "PALETTE 16")
KIND_ODDS = (0.34, 0.1, 0.05, 0.08, 0.06, 0.07, 0.1, 0.03, 0.07, 0.06, 0.04)
LEAST_SEEN = 0.95  # of drawn pixels stand out by half of the contrast at least: no black letters on black air
TRIES = 30


class Line(NamedTuple):
    """One line of text as it was drawn."""

    text: str
    about: str  # category of the header that it repeats: name, id, date, institution; or technical
    font: str
    size: int
    turn: float  # degrees
    contrast: float  # over the range of the picture
    look: str  # plain | boxed | outlined
    box: Box
    ink: Flags  # within the box


def random(*parts: object) -> np.random.Generator:
    """Numbers that depend on `parts` only."""
    digest = hashlib.sha256("|".join(["radcurate texts 1", *map(str, parts)]).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def ranged_of(values: Image) -> tuple[Image, float, float]:
    """Values with 0 and 1 at the 0.5th and 99.5th percentile, and where these are."""
    low, high = (float(one) for one in np.percentile(values, (0.5, 99.5)))
    if high - low < 1:  # an empty plane
        low, high = float(values.min()), float(max(values.max(), values.min() + 1))
    return (values - low) / (high - low), low, high


def kind_of(rng: np.random.Generator, values: Image) -> str:
    odds = np.array(KIND_ODDS)
    if values.ndim == 3:
        odds = odds * [name.startswith(("RGB", "YBR", "PALETTE")) for name in KINDS]
    return str(rng.choice(KINDS, p=odds / odds.sum()))


def draw(
    values: Image, rng: np.random.Generator, part: str, who: Person, count: int, kind: str
) -> tuple[Image, tuple[Line, ...]]:
    """Draw up to `count` lines; those that find no place on the picture are left out, but one is always drawn."""
    values, lines = values.copy(), []
    taken = np.zeros(values.shape[:2], bool)
    fonts = [font for font in FONTS if part == "final" or font not in ONLY_FINAL]
    for attempt in range(4 * count):
        if len(lines) == count:
            break
        shrink = attempt >= 2 * count and not lines
        line = _draw_one(values, taken, rng, fonts, who, kind, easy=shrink)
        if line:
            lines.append(line)
    return values, tuple(lines)


def _draw_one(
    values: Image,
    taken: Flags,
    rng: np.random.Generator,
    fonts: Sequence[str],
    who: Person,
    kind: str,
    easy: bool,
) -> Line | None:
    font = str(rng.choice(fonts))
    size = int(rng.choice(SIZES[:6] if easy else SIZES))
    size = max(11, size // 11 * 11) if font == BITMAP else size
    turn = float(rng.choice(TURNS, p=TURN_ODDS))
    contrast = 1.0 if easy else float(rng.choice(CONTRASTS, p=CONTRAST_ODDS))
    look = str(rng.choice(("plain", "boxed", "outlined"), p=(0.75, 0.15, 0.1)))
    about, text = lines_for(who, rng)
    ink = _turned(rendered(text, font, size, smooth=bool(rng.random() < 0.7)), turn)
    found = _place(values, taken, ink, contrast, look, rng, kind)
    if found is None:
        return None
    box, level = found
    view = values[box.top : box.bottom, box.left : box.right]
    contrast = _put(view, ink, level, look, rng)
    margin = 5
    taken[max(0, box.top - margin) : box.bottom + margin, max(0, box.left - margin) : box.right + margin] = True
    return Line(text, about, font, size, turn, contrast, look, box, ink > 0.3)


def _place(
    values: Image, taken: Flags, ink: Ink, contrast: float, look: str, rng: np.random.Generator, kind: str
) -> tuple[Box, float] | None:
    """A free place where a person can read the text, and how bright it is there."""
    room = values.shape[0] - ink.shape[0], values.shape[1] - ink.shape[1]
    if min(room) < 1:
        return None
    ceiling = 1.0 if kind in ("8", "RGB", "YBR_FULL", "PALETTE") else 1.3
    for _ in range(TRIES):
        top, left = int(rng.integers(0, room[0])), int(rng.integers(0, room[1]))
        box = Box(top, left, top + ink.shape[0], left + ink.shape[1])
        here = slice(box.top, box.bottom), slice(box.left, box.right)
        if taken[here].any():
            continue
        behind = _gray(values[here])
        middle = float(rng.random() > 0.6) if look == "boxed" else float(np.median(behind))
        level = _level(middle, contrast, ceiling, rng)
        if look == "boxed":
            values[here] = middle
            return box, level
        seen = float((np.abs(level - behind)[ink > 0.3] >= 0.5 * contrast).mean())
        quiet = contrast >= 0.9 or contrast >= LEAST_SNR * float(behind.std())
        if quiet and (seen >= LEAST_SEEN or (look == "outlined" and abs(level - middle) > 0.5)):
            return box, level
    return None


def _level(behind: float, contrast: float, ceiling: float, rng: np.random.Generator) -> float:
    """Brighter or darker than what is behind by `contrast`, as far as the depth of the pixels goes."""
    above, below = behind + contrast <= ceiling, behind - contrast >= 0.0
    bright = bool(rng.random() < 0.6) if above and below else above or (not below and behind < 0.5)
    return min(ceiling, behind + contrast) if bright else max(0.0, behind - contrast)


def _gray(values: Image) -> Image:
    return values if values.ndim == 2 else values.mean(axis=2)


def _put(view: Image, ink: Ink, level: float, look: str, rng: np.random.Generator) -> float:
    """Draw on `view` in place; the contrast that came out."""
    behind = float(np.median(_gray(view)))
    if look == "outlined" and abs(level - behind) > 0.5:
        blend(view, np.asarray(cv2.dilate(ink, np.ones((3, 3))), float), float(level < behind))
    blend(view, ink, _colour(rng, level, behind) if view.ndim == 3 else level)
    return abs(level - behind)


def _colour(rng: np.random.Generator, level: float, behind: float) -> Image:
    """Gray, or a colour of scanners' menus where the text is bright on dark."""
    if level > 0.8 and behind < 0.3 and rng.random() < 0.5:
        return np.array(((1, 1, 0.2), (0.3, 1, 1), (0.3, 1, 0.3), (1, 0.7, 0.2))[int(rng.integers(4))]) * level
    return np.full(3, level)


def blend(view: Image, ink: Ink, level: float | Image) -> None:
    share = ink[..., None] if view.ndim == 3 else ink
    view[:] = view * (1 - share) + share * level


def rendered(text: str, font: str, size: int, smooth: bool) -> Ink:
    """Ink of an upright line, with a margin of 2 pixels.

    Args:
        text: what to write, in ASCII.
        font: one of FONTS.
        size: in pixels, as fonts count; bitmaps come in multiples of 11.
        smooth: with gray at the edges.
    """
    if font in HERSHEY:
        ink = _hershey(text, HERSHEY[font], size, smooth)
    elif font == BITMAP:
        ink = np.kron(
            _pillow(text, ImageFont.load_default_imagefont(), smooth=False), np.ones((size // 11, size // 11))
        )
    else:
        ink = _pillow(text, _truetype(font, size), smooth)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return np.pad(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 2)


@lru_cache(maxsize=256)
def _truetype(font: str, size: int) -> Any:
    if font == SANS:
        return ImageFont.load_default(size)
    import matplotlib  # of the group `peers`: for the fonts in its wheel

    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / TRUETYPE[font], size)


def _pillow(text: str, font: Any, smooth: bool) -> Ink:
    left, top, right, bottom = font.getbbox(text)
    paper = Pillow.new("L" if smooth else "1", (int(right - min(left, 0)) + 4, int(bottom - min(top, 0)) + 4))
    ImageDraw.Draw(paper).text((2, 2), text, fill=255 if smooth else 1, font=font)
    return np.asarray(paper, float) / (255 if smooth else 1)


def _hershey(text: str, face: int, size: int, smooth: bool) -> Ink:
    """Scaled so that capitals are as high as those of other fonts, 0.72 of the size."""
    thick = 1 if size < 22 else 2
    scale = cv2.getFontScaleFromHeight(face, max(4, round(0.72 * size)), thick)
    (width, height), below = cv2.getTextSize(text, face, scale, thick)
    paper = np.zeros((height + below + 8, width + 8), np.uint8)
    cv2.putText(paper, text, (4, height + 4), face, scale, 255, thick, cv2.LINE_AA if smooth else cv2.LINE_8)
    return np.asarray(paper, float) / 255


def _turned(ink: Ink, degrees: float) -> Ink:
    if degrees % 90 == 0:
        return np.rot90(ink, int(degrees // 90)).copy()
    paper = Pillow.fromarray((ink * 255).astype(np.uint8)).rotate(degrees, Pillow.Resampling.BICUBIC, expand=True)
    return np.asarray(paper, float) / 255


def stored_as(values: Image, low: float, high: float, kind: str, modality: str, rng: np.random.Generator) -> Picture:
    """As a file of this kind stores it."""
    place = Place(0, 0)
    if kind == "native":
        return native(values, low, high, place)
    if kind.startswith(("RGB", "YBR", "PALETTE")):
        return _coloured(values, kind, modality, place, rng)
    words = kind.split()
    bits = int(words[0])
    if "signed" in words:
        return native(values, -1000.0, -1000.0 + 4000.0, place)
    room = values / 1.3 if bits > 8 else values  # depths beyond 8 bits leave room above the brightest tissue
    stored = np.clip(np.rint(room * (2**bits - 1)), 0, 2**bits - 1)
    if "inverted" in words:
        stored = 2**bits - 1 - stored
    photometric = "MONOCHROME1" if "inverted" in words else "MONOCHROME2"
    stored = stored.astype(np.uint8 if bits <= 8 else np.uint16)
    if bits == 8 and modality in ("US", "OT") and rng.random() < 0.5:
        stored = _jpeg(stored, rng)
    return Picture(place, stored, photometric, bits)


def native(values: Image, low: float, high: float, place: Place) -> Picture:
    """In the unit of its source, 16 bits with sign."""
    stored = np.clip(np.rint(values * (high - low) + low), -32768, 32767).astype(np.int16)
    return Picture(place, stored, "MONOCHROME2", 16)


def _coloured(values: Image, kind: str, modality: str, place: Place, rng: np.random.Generator) -> Picture:
    three = values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2)
    bytes_ = np.clip(np.rint(three * 255), 0, 255).astype(np.uint8)
    if modality in ("US", "OT") and rng.random() < 0.5:
        bytes_ = _jpeg(bytes_, rng)
    if kind == "RGB 16":
        return Picture(place, bytes_.astype(np.uint16) * 257, "RGB", 16)
    if kind.startswith("YBR"):
        return Picture(place, np.asarray(convert_color_space(bytes_, "RGB", "YBR_FULL")), "YBR_FULL", 8)
    if kind.startswith("PALETTE"):
        paper = Pillow.fromarray(bytes_).quantize(256, dither=Pillow.Dither.NONE)
        palette = np.zeros((256, 3), np.uint8)
        entries = np.array(paper.getpalette() or [], np.uint8).reshape(-1, 3)
        palette[: len(entries)] = entries
        order = rng.permutation(256)  # neighbouring indices need not be neighbouring colours
        stored = np.argsort(order)[np.asarray(paper)]
        deep, first = kind.endswith("16"), 100 if kind.endswith("16") else 0
        indices = (stored + first).astype(np.uint16 if deep else np.uint8)
        return Picture(place, indices, "PALETTE COLOR", 16 if deep else 8, palette[order], first)
    return Picture(place, bytes_, "RGB", 8)


def _jpeg(values: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    stream = io.BytesIO()
    Pillow.fromarray(values).save(stream, "JPEG", quality=int(rng.integers(70, 96)))
    return np.asarray(Pillow.open(stream)).copy()

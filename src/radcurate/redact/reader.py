"""Finding and reading lines of text in 8-bit pictures with the networks that rapidocr brings (PP-OCR, Apache-2.0).

The networks run on one thread, so that the same picture gives the same answer whatever the number of cores.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from radcurate.errors import CurationError
from radcurate.redact.found import Box

Bytes = NDArray[np.uint8]  # (row, column, 3)
Corners = NDArray[
    np.float32
]  # (4, 2): x, y of the upper left, upper right, lower right and lower left corner of a line

DETECTOR = "PP-OCRv6_det_small.onnx"
RECOGNISER = "PP-OCRv6_rec_small.onnx"
STEP = 32  # the detector wants sides that are multiples of it
TEXT_LEVEL = 0.3  # of the detector's map: a pixel is text (PP-OCR's own value)
GROWTH = 1.6  # lines are found shrunken; their outline moves outwards by GROWTH · area / perimeter (PP-OCR's own value)
SMALLEST = 3.0  # pixels of the detector's picture: what is lower is no line
MOST_LINES = 400  # of one picture, the surest
HEIGHT = 48  # of a line that is read
WIDEST = 48 * 60  # columns of a line that is read; longer ones are squeezed
CLASS_WIDTH = 8  # columns of a line for one step of the recogniser


class Spot(NamedTuple):
    """Where the detector sees a line. corners: in pixels of the picture. score: 0 … 1."""

    corners: Corners
    score: float


class Reading(NamedTuple):
    """What a line says. confidence: mean of its letters, 0 … 1; 0 for no text."""

    text: str
    confidence: float


def find(picture: Bytes, level: float, scale: float = 1.0) -> list[Spot]:
    """Lines of text in a picture, the surest first.

    level: least mean of the detector's map over a line. scale: the picture is enlarged by it before the detector looks.
    """
    rows, columns = picture.shape[:2]
    high, wide = (max(STEP, round(side * scale / STEP) * STEP) for side in (rows, columns))
    sized: Any = picture
    if (high, wide) != (rows, columns):
        smaller = high * wide < rows * columns
        sized = cv2.resize(picture, (wide, high), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    field = np.ascontiguousarray(sized.transpose(2, 0, 1)[None], dtype=np.float32)
    field *= 1 / 127.5
    field -= 1
    (found,) = _network(DETECTOR).run(None, {"x": field})
    spots = _spots(found[0, 0], level)
    ratio = np.array([columns / wide, rows / high], np.float32)
    return [Spot(spot.corners * ratio, spot.score) for spot in spots]


def spot_of(box: Box) -> Spot:
    """A level line that fills a box."""
    top, left, bottom, right = box
    return Spot(np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32), 1.0)


def read(picture: Bytes, corners: Corners) -> Reading:
    """What the line within corners says."""
    return _decoded(_line(picture, corners))


def turned(corners: Corners, quarters: int) -> Corners:
    """The same outline, read from another side: quarter turns clockwise."""
    return np.roll(corners, -quarters, axis=0)


def sides(corners: Corners) -> tuple[float, float]:
    """Length and height of a line."""
    along = (np.linalg.norm(corners[0] - corners[1]) + np.linalg.norm(corners[3] - corners[2])) / 2
    across = (np.linalg.norm(corners[0] - corners[3]) + np.linalg.norm(corners[1] - corners[2])) / 2
    return float(along), float(across)


def _spots(field: NDArray[np.float32], level: float) -> list[Spot]:
    """Differentiable binarisation, read as PP-OCR reads it, but for outlines that are grown as rectangles."""
    text = cv2.dilate((field > TEXT_LEVEL).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(text, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    spots = []
    for contour in contours:
        centre, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < SMALLEST:
            continue
        outline = cv2.boxPoints((centre, (width, height), angle))
        score = _mean_within(field, outline)
        if score < level:
            continue
        more = 2 * GROWTH * width * height / (2 * (width + height))
        grown = cv2.boxPoints((centre, (width + more, height + more), angle))
        spots.append(Spot(_in_order(np.asarray(grown, np.float32)), score))
    spots.sort(key=lambda spot: (-spot.score, *spot.corners[0]))
    return spots[:MOST_LINES]


def _mean_within(field: NDArray[np.float32], outline: Any) -> float:
    rows, columns = field.shape
    left, top = np.clip(np.floor(outline.min(axis=0)).astype(int), 0, (columns - 1, rows - 1))
    right, bottom = np.clip(np.ceil(outline.max(axis=0)).astype(int), 0, (columns - 1, rows - 1))
    inside = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(inside, [np.round(outline - (left, top)).astype(np.int32)], (1,))
    return float(cv2.mean(field[top : bottom + 1, left : right + 1], inside)[0])


def _in_order(corners: Corners) -> Corners:
    """Upper left first, then clockwise; "upper" is the side that lies nearest to level."""
    by_column = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = by_column[:2], by_column[2:]
    left, right = left[np.argsort(left[:, 1], kind="stable")], right[np.argsort(right[:, 1], kind="stable")]
    return np.stack([left[0], right[0], right[1], left[1]])


def _line(picture: Bytes, corners: Corners) -> Bytes:
    """A line, cut out and turned level, HEIGHT rows high."""
    along, across = sides(corners)
    width = int(np.clip(math.ceil(HEIGHT * along / max(across, 1.0)), CLASS_WIDTH * 2, WIDEST))
    if across > 2 * HEIGHT:  # the area of a pixel matters where lines are made smaller
        factor = HEIGHT / across
        left, top = np.floor(corners.min(axis=0)).astype(int).clip(0)
        right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
        part = picture[top:bottom, left:right]
        if part.size:
            size = (max(1, round(part.shape[1] * factor)), max(1, round(part.shape[0] * factor)))
            picture = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
            corners = ((corners - (left, top)) * np.float32(factor)).astype(np.float32)
    target = np.array([[0, 0], [width, 0], [width, HEIGHT], [0, HEIGHT]], np.float32)
    way = cv2.getPerspectiveTransform(np.ascontiguousarray(corners, np.float32), target)
    return np.asarray(
        cv2.warpPerspective(picture, way, (width, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    )


def _decoded(line: Bytes) -> Reading:
    field = np.ascontiguousarray(line.transpose(2, 0, 1)[None], dtype=np.float32)
    field *= 1 / 127.5
    field -= 1
    (steps,) = _network(RECOGNISER).run(None, {"x": field})
    letters = np.argmax(steps[0], axis=1)
    fresh = (letters != 0) & (letters != np.concatenate([[-1], letters[:-1]]))  # CTC: blanks and repeats say nothing
    if not fresh.any():
        return Reading("", 0.0)
    alphabet = _alphabet()
    text = "".join(alphabet[letter - 1] for letter in letters[fresh])
    return Reading(text.strip(), float(steps[0].max(axis=1)[fresh].mean()))


@cache
def _network(name: str) -> Any:
    """A network, loaded once a process. Errors: the package brings none of that name."""
    spec = find_spec("rapidocr")
    path = (
        Path(spec.submodule_search_locations[0]) / "models" / name if spec and spec.submodule_search_locations else None
    )
    if path is None or not path.is_file():
        raise CurationError(
            "text_networks_absent",
            wanted=f"rapidocr with its network {name}",
            found="none",
            fix="install the packages of uv.lock: uv sync",
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # sizes differ from picture to picture: an arena would grow with every one
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@cache
def _alphabet() -> Sequence[str]:
    """Letters of the recogniser; the blank stands before them, the space after them."""
    letters = _network(RECOGNISER).get_modelmeta().custom_metadata_map["character"].splitlines()
    return (*letters, " ")

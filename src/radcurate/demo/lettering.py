"""Text as consoles burn it into pictures: plain capitals, drawn over whatever was there."""

from __future__ import annotations

import unicodedata
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from radcurate.demo.people import Person

Box = tuple[int, int, int, int]  # top, left, bottom, right: rows top … bottom − 1, columns left … right − 1
FONT, STROKE = cv2.FONT_HERSHEY_SIMPLEX, 1
_LETTERS = str.maketrans({"Ä": "AE", "Ö": "OE", "Ü": "UE", "ß": "SS", "Œ": "OE", "Æ": "AE"})


def capitals(text: str) -> str:
    """As a console without national letters writes it: BRUEGGENKAMP, CHATELGUYON."""
    plain = unicodedata.normalize("NFKD", text.upper().translate(_LETTERS))
    return plain.encode("ascii", "ignore").decode()


def about(person: Person) -> list[str]:
    """What is burned into images most often: name (as much as fits), number, date of birth."""
    return [capitals(person.surname)[:14], person.patient_id, f"{person.birth_date:%d.%m.%Y}"]


def burn(plane: npt.NDArray[Any], text: str, top: int, left: int, level: float | tuple[int, ...], scale: float) -> Box:
    """Draw one line into a picture, in place.

    Args:
        plane: shape (row, column) or (row, column, sample).
        text: ASCII.
        top: first row of the capitals.
        left: first column.
        level: value of the letters, or one value a sample.
        scale: of the font; capitals are about 22 × scale pixels high.

    Returns:
        The box of the pixels that were touched.
    """
    (_, height), _ = cv2.getTextSize(text, FONT, scale, STROKE)
    ink = np.zeros(plane.shape[:2], np.uint8)
    cv2.putText(ink, text, (left, top + height), FONT, scale, 255, STROKE, cv2.LINE_AA)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    share = ink[..., None] / 255.0 if plane.ndim == 3 else ink / 255.0
    plane[...] = plane * (1 - share) + np.asarray(level) * share
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def burn_lines(
    plane: npt.NDArray[Any],
    lines: list[str],
    top: int,
    left: int,
    level: float | tuple[int, ...],
    scale: float,
) -> list[tuple[str, Box]]:
    """Draw lines below each other, as `burn`; the lines with their boxes."""
    step = round(22 * scale) + 5
    return [(text, burn(plane, text, top + step * number, left, level, scale)) for number, text in enumerate(lines)]

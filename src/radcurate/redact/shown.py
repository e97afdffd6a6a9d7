"""Which frames of a series whose text was removed are shown to people, before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

MOST_FRAMES = 3  # of a series


def shown_frames(boxes: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """The first, the middle and the last frame in which a box was filled: file name and frame from 0.

    Args:
        boxes: rows of boxes.parquet of one series.
    """
    frames = sorted({(str(box["name"]), int(box["frame"])) for box in boxes if box["filled"]})
    places = sorted({0, len(frames) // 2, len(frames) - 1}) if frames else []
    return [frames[place] for place in places][:MOST_FRAMES]

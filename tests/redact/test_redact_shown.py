"""Which frames people are shown."""

from __future__ import annotations

from radcurate.redact.shown import shown_frames


def box(name: str, frame: int, filled: bool = True) -> dict[str, object]:
    return {"name": name, "frame": frame, "filled": filled}


def test_first_middle_and_last_frame_with_a_filled_box() -> None:
    boxes = [box("b", frame) for frame in range(5)] + [box("a", 7), box("c", 0, filled=False)]
    assert shown_frames(boxes) == [("a", 7), ("b", 2), ("b", 4)]


def test_two_boxes_of_a_frame_are_one() -> None:
    assert shown_frames([box("a", 0), box("a", 0)]) == [("a", 0)]


def test_nothing_filled_nothing_shown() -> None:
    assert shown_frames([box("a", 0, filled=False)]) == []

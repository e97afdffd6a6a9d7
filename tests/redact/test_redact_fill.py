"""Filling: made of what lies outside alone, within the depth, with the texture of what lies around."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radcurate.redact.fill import Area, applied, fill, limits
from radcurate.redact.found import Box, Picture, Place


def picture(values: np.ndarray[Any, Any], bits: int = 0, **more: Any) -> Picture:
    return Picture(Place(0, 0), values, "MONOCHROME2", bits or values.dtype.itemsize * 8, **more)


def tissue(shape: tuple[int, ...], seed: int = 0, noise: float = 20.0, coarse: float = 1.0) -> np.ndarray[Any, Any]:
    """Slow changes and noise with a grain, about 400 ± 150."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    grain = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, shape[:2]), (0, 0), coarse)
    values = 400 + 80 * np.sin(columns / 60) + 40 * np.cos(rows / 40) + noise * grain / grain.std()
    return np.asarray(values if len(shape) == 2 else np.stack([values / 3, values / 4, values / 6], axis=-1))


KINDS = [
    ("u1", 8, 2), ("u2", 12, 2), ("i2", 12, 2), ("i2", 16, 2), ("u4", 32, 2), ("u1", 8, 3), ("u2", 16, 3), ("u1", 3, 2),
]  # fmt: skip
boxes = st.lists(
    st.tuples(st.integers(-5, 45), st.integers(-5, 60), st.integers(1, 30), st.integers(1, 40)).map(
        lambda box: Box(box[0], box[1], box[0] + box[2], box[1] + box[3])
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(KINDS), boxes, st.integers(0, 99), st.booleans())
def test_only_what_lies_outside_matters_and_only_the_inside_changes(
    kind: tuple[str, int, int], areas: list[Box], seed: int, stroked: bool
) -> None:
    name, bits, dimensions = kind
    generator = np.random.default_rng(seed)
    shape = (48, 64, 3)[:dimensions]
    probe = picture(np.zeros(shape, name), bits)
    low, high = limits(probe)
    values = generator.integers(low, high, shape, endpoint=True).astype(name)
    inside = np.zeros(shape[:2], dtype=bool)
    wanted: list[Area] = []
    for box in areas:
        strokes = generator.random((box.bottom - box.top, box.right - box.left)) < 0.02 if stroked else None
        wanted.append(Area(box, strokes))
        inside[max(box.top, 0) : max(box.bottom, 0), max(box.left, 0) : max(box.right, 0)] = True
    patches = fill(picture(values, bits), wanted)
    written = np.zeros(shape[:2], dtype=np.int64)
    for patch in patches:
        written[patch.part] += patch.mask
        assert patch.values.dtype == values.dtype
        assert patch.values.min() >= low and patch.values.max() <= high
    assert written.max(initial=0) <= 1
    assert not written[~inside].any()
    if not stroked:
        assert (written[inside] == 1).all()
    changed = applied(picture(values, bits), patches).values
    assert np.array_equal(changed[written == 0], values[written == 0])
    other = values.copy()
    other[written == 1] = generator.integers(low, high, other[written == 1].shape, endpoint=True)
    again = fill(picture(other, bits), wanted)
    for one, two in zip(patches, again, strict=True):
        assert np.array_equal(one.values[one.mask], two.values[two.mask])


@pytest.mark.parametrize("box", [Box(4, 4, 30, 200), Box(100, 60, 160, 300), Box(232, 250, 256, 300)])
@pytest.mark.parametrize("coarse", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_texture_inside_is_that_of_the_ring(box: Box, coarse: float, dimensions: int) -> None:
    values = np.rint(tissue((256, 320, 3)[:dimensions], coarse=coarse)).astype(np.uint16)
    (patch,) = fill(picture(values, 12), [box])
    ring = np.zeros((256, 320), dtype=bool)
    ring[max(box.top - 12, 0) : box.bottom + 12, max(box.left - 12, 0) : box.right + 12] = True
    ring[box.top : box.bottom, box.left : box.right] = False

    def grain(frame: np.ndarray[Any, Any], where: np.ndarray[Any, Any]) -> tuple[float, float]:
        """Spread of what is faster than 6 px, and mean step to the next pixel."""
        frame = frame.astype(np.float32).reshape(*frame.shape[:2], -1)[..., 0]
        fast = frame - cv2.GaussianBlur(frame, (0, 0), 6.0)
        steps = np.abs(np.diff(frame, axis=1, append=frame[:, -1:]))
        return float(fast[where].std()), float(steps[where].mean())

    filled = applied(picture(values, 12), [patch]).values
    for inside, outside in zip(grain(filled, ~ring & _box(box)), grain(values, ring), strict=True):
        assert 0.6 < inside / outside < 1.5
    mean = filled[_box(box)].mean() / values[ring].mean()
    assert 0.75 < mean < 1.3


def _box(box: Box) -> np.ndarray[Any, Any]:
    where = np.zeros((256, 320), dtype=bool)
    where[box.top : box.bottom, box.left : box.right] = True
    return where


def test_no_edge_shows_where_the_box_was() -> None:
    """Steps across the border of the box are as large as anywhere."""
    values = np.rint(tissue((256, 320), coarse=1.5)).astype(np.uint16)
    (patch,) = fill(picture(values, 12), [Box(60, 60, 90, 220)])
    filled = applied(picture(values, 12), [patch]).values.astype(float)
    across = (
        np.abs(filled[60, 60:220] - filled[59, 60:220]).mean(),
        np.abs(filled[90, 60:220] - filled[89, 60:220]).mean(),
    )
    usual = np.abs(np.diff(values.astype(float), axis=0)).mean()
    assert max(across) < 1.8 * usual


def test_a_flat_background_stays_flat() -> None:
    values = np.zeros((60, 200, 3), np.uint8)
    cv2.putText(values, "DOE JANE", (5, 40), cv2.FONT_HERSHEY_SIMPLEX, 1, (255, 255, 255), 2)
    (patch,) = fill(picture(values), [Box(10, 2, 50, 190)])
    assert not patch.values[patch.mask].any()


def test_a_palette_is_filled_with_colours_used_nearby() -> None:
    palette = np.random.default_rng(0).integers(0, 255, (300, 3)).astype(np.uint8)
    palette[20:60] = np.arange(40, dtype=np.uint8)[:, None] * 5  # greys
    grey = np.clip(tissue((100, 120)) / 12, 1, 38).astype(np.int16) + 20
    values = grey - 7
    values[40:60, 30:90] = 250
    (patch,) = fill(picture(values, 16, palette=palette, first_index=-7), [Box(38, 28, 62, 92)])
    filled = patch.values[patch.mask]
    assert filled.min() >= 13 and filled.max() <= 52
    shown = palette[filled + 7][:, 0].astype(float)
    assert abs(shown.mean() - palette[grey[30:38, 28:92]][..., 0].mean()) < 25


def test_luminance_and_colour_stay_those_around() -> None:
    """YBR is filled as it is stored; the colours decoded from it lie within those around."""
    from pydicom.pixels.processing import convert_color_space

    rgb = np.clip(tissue((120, 160, 3)), 0, 255).astype(np.uint8)
    ybr = convert_color_space(rgb, "RGB", "YBR_FULL")
    ybr[50:70, 20:140] = (235, 40, 240)
    filled = applied(picture(ybr), fill(picture(ybr), [Box(48, 18, 72, 142)])).values
    shown = convert_color_space(filled, "YBR_FULL", "RGB").astype(int)[48:72, 18:142]
    around = rgb[30:90].reshape(-1, 3).astype(int)
    assert (shown.reshape(-1, 3).min(axis=0) >= around.min(axis=0) - 12).all()
    assert (shown.reshape(-1, 3).max(axis=0) <= around.max(axis=0) + 12).all()


def test_what_is_drawn_beyond_the_values_goes_too() -> None:
    values = np.rint(tissue((60, 80))).astype(np.uint16)
    beyond = np.ones((60, 80), dtype=bool)
    before = picture(values, 12, beyond=beyond)
    after = applied(before, fill(before, [Box(10, 10, 20, 30)])).beyond
    assert after is not None
    assert not after[10:20, 10:30].any() and after.sum() == 60 * 80 - 200
    assert beyond.all()


def test_a_whole_picture_and_nothing_at_all() -> None:
    values = np.full((20, 30), 77, np.uint8)
    (patch,) = fill(picture(values), [Box(0, 0, 20, 30)])
    assert not patch.values.any()
    assert fill(picture(values), []) == ()
    assert fill(picture(values), [Box(30, 40, 50, 60), Area(Box(0, 0, 5, 5), np.zeros((5, 5), dtype=bool))]) == ()

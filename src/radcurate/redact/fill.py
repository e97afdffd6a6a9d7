"""Filling parts of a picture with what could have been there.

The fill is made of pixels outside of all parts alone: what was drawn has no influence on it, so nothing of it can be read
again. Slow changes are continued inwards from the edge (Telea's marching method, on values freed of noise); noise and
texture are those of a place beside it, carried over as they are. Colours of a palette are mixed as colours and each pixel
takes the index, of those used nearby, that comes closest.

Telea: An image inpainting technique based on the fast marching method, J. Graphics Tools 9, 2004.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from radcurate.redact.found import Box, Flags, Picture, Stored
from radcurate.volumes.patch import Patch, patched

Values = NDArray[np.float32]  # (row, column, channel)
SMOOTH = 3.0  # px, standard deviation: what is slower is structure, what is faster is texture
RADIUS = 4  # px that Telea's method looks around
AROUND = 16  # px around a part that its fill is made of, at least
SPREAD = 2  # px by which strokes are widened: edges of letters are grey
FADING, NEAR = 1.5, 1.0  # px: how far the seam of brought texture is mended, and from how near
RING, FAR = (
    6,
    4.0,
)  # px around a mask that tell what texture is usual there; standard deviations of it that may be brought
NORMAL = 0.6745  # median of the size of a normal variable
FARTHEST = 96  # px from which texture is brought, at most


@dataclass(frozen=True, eq=False)
class Area:
    """A part of a picture that is to be filled: a box, or those of its pixels that are drawn, widened."""

    box: Box
    strokes: Flags | None = None


def fill(picture: Picture, areas: Sequence[Area | Box]) -> tuple[Patch, ...]:
    """New values for parts of a picture, within what nearby pixels show and what the stored bits hold.

    Args:
        picture: as it is stored; it isn't changed.
        areas: what is to be filled; parts outside of the picture are passed over.

    Returns:
        one patch for all areas that touch, with stored values.
    """
    rows, columns = picture.values.shape[:2]
    cut = [_within(area if isinstance(area, Area) else Area(area), rows, columns) for area in areas]
    found = [area for area in cut if area is not None]
    return tuple(_filled(picture, group, found) for group in _touching(found))


def applied(picture: Picture, patches: Sequence[Patch]) -> Picture:
    """The picture with new values, and with nothing beyond them where they are."""
    beyond = picture.beyond
    if beyond is not None:
        beyond = beyond.copy()
        for patch in patches:
            beyond[patch.part][patch.mask] = False
    return replace(picture, values=patched(picture.values, patches), beyond=beyond)


def _within(area: Area, rows: int, columns: int) -> Area | None:
    top, left, bottom, right = area.box
    box = Box(max(top, 0), max(left, 0), min(bottom, rows), min(right, columns))
    if box.top >= box.bottom or box.left >= box.right:
        return None
    if area.strokes is None:
        return Area(box)
    strokes = area.strokes[box.top - top : box.bottom - top, box.left - left : box.right - left]
    wide = cv2.dilate(strokes.astype(np.uint8), np.ones((2 * SPREAD + 1,) * 2, np.uint8))
    return Area(box, wide.astype(bool)) if strokes.any() else None


def _touching(areas: Sequence[Area]) -> list[Box]:
    """The boxes around areas that touch or overlap each other."""
    groups: list[Box] = []
    for area in areas:
        box, rest = area.box, []
        while True:
            near = [other for other in groups if _touch(box, other)]
            if not near:
                break
            rest = [other for other in groups if other not in near]
            box = Box(
                min(box.top, *(other.top for other in near)),
                min(box.left, *(other.left for other in near)),
                max(box.bottom, *(other.bottom for other in near)),
                max(box.right, *(other.right for other in near)),
            )
            groups = rest
        groups.append(box)
    return sorted(groups)


def _touch(one: Box, other: Box) -> bool:
    return one.top <= other.bottom and other.top <= one.bottom and one.left <= other.right and other.left <= one.right


def _filled(picture: Picture, group: Box, areas: Sequence[Area]) -> Patch:
    rows, columns = picture.values.shape[:2]
    high, wide = group.bottom - group.top, group.right - group.left
    above, beside = min(high, FARTHEST) + AROUND, min(wide, FARTHEST) + AROUND
    top, left = max(group.top - above, 0), max(group.left - beside, 0)
    crop = picture.values[top : min(group.bottom + above, rows), left : min(group.right + beside, columns)]
    mask = np.zeros(crop.shape[:2], dtype=bool)
    for area in areas:
        _mark(mask, area, top, left)
    part = np.s_[group.top - top : group.bottom - top, group.left - left : group.right - left]
    values = _as_stored(inpainted(_channels(crop, picture), mask, part), crop, mask, picture)
    return Patch(group.top, group.left, values[part], mask[part])


def _mark(mask: Flags, area: Area, top: int, left: int) -> None:
    """Set the area's pixels in a crop that begins at `top`, `left`."""
    box = area.box
    rows = slice(max(box.top - top, 0), max(min(box.bottom - top, mask.shape[0]), 0))
    columns = slice(max(box.left - left, 0), max(min(box.right - left, mask.shape[1]), 0))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    if area.strokes is None:
        mask[rows, columns] = True
        return
    down, along = box.top - top, box.left - left
    mask[rows, columns] |= area.strokes[
        rows.start - down : rows.stop - down, columns.start - along : columns.stop - along
    ]


def _channels(crop: Stored, picture: Picture) -> Values:
    """What can be mixed, shape (row, column, channel): values, or the colours of a palette."""
    if picture.palette is not None:
        entries = np.clip(crop.astype(np.int64) - picture.first_index, 0, len(picture.palette) - 1)
        return picture.palette[entries].astype(np.float32)
    return crop.astype(np.float32).reshape(*crop.shape[:2], -1)


def inpainted(values: Values, mask: Flags, part: tuple[slice, slice]) -> Values:
    """Channels with structure continued into the mask and texture brought there, each within what is known of it.

    Args:
        values: shape (row, column, channel); what they are in the mask doesn't matter.
        mask: shape (row, column), what is to be filled.
        part: rows and columns that hold all of the mask.
    """
    if mask.all():
        return np.zeros_like(values)
    known = ~mask
    low = np.stack([_smoothed(values[..., channel], known) for channel in range(values.shape[-1])], axis=-1)
    base = np.stack([_continued(low[..., channel], mask) for channel in range(values.shape[-1])], axis=-1)
    texture = np.where(known[..., None], values - low, 0)
    brought = _texture(texture, mask, part)
    base += brought + _seam(texture - brought, mask)
    bounds = values[known].min(axis=0), values[known].max(axis=0)
    return np.where(mask[..., None], np.clip(base, *bounds), values)


def _smoothed(values: NDArray[np.float32], known: Flags) -> NDArray[np.float32]:
    """Freed of noise; pixels that aren't known have no part in it."""
    weights = known.astype(np.float32)
    size = (0, 0)
    total = cv2.GaussianBlur(values * weights, size, SMOOTH, borderType=cv2.BORDER_REPLICATE)
    share = cv2.GaussianBlur(weights, size, SMOOTH, borderType=cv2.BORDER_REPLICATE)
    return np.where(known, total / np.maximum(share, 1e-6), 0).astype(np.float32)


def _continued(values: NDArray[np.float32], mask: Flags) -> NDArray[np.float32]:
    return np.asarray(cv2.inpaint(values, mask.astype(np.uint8), RADIUS, cv2.INPAINT_TELEA), dtype=np.float32)


def _texture(texture: Values, mask: Flags, part: tuple[slice, slice]) -> Values:
    """Texture for the part, from a place of the same size that is free; where there is none, from the pixels around.

    Of several free places the one is taken whose spread comes closest to what is usual around the mask, and what is far
    beyond that is cut off, so that neither an edge nor a part of the body is doubled. Pixels beside the part get what lies
    beside that place.
    """
    rows, columns = part
    usual = _usual(texture, mask)
    high, wide = rows.stop - rows.start, columns.stop - columns.start
    places = []
    for top in _offsets(rows.start, high, mask.shape[0]):
        for left in _offsets(columns.start, wide, mask.shape[1]):
            if not mask[top : top + high, left : left + wide].any():
                block = texture[top : top + high, left : left + wide]
                places.append((float(np.abs(block.std(axis=(0, 1)) - usual).sum()), top, left))
    if not places:
        return np.asarray(np.clip(_scattered(texture, mask), -FAR * usual, FAR * usual))
    _, top, left = min(places)
    down = np.clip(np.arange(mask.shape[0]) + top - rows.start, 0, mask.shape[0] - 1)
    along = np.clip(np.arange(mask.shape[1]) + left - columns.start, 0, mask.shape[1] - 1)
    return np.asarray(np.clip(texture[down][:, along], -FAR * usual, FAR * usual))


def _usual(texture: Values, mask: Flags) -> NDArray[np.float32]:
    """Standard deviation of the texture around the mask, by channel: of most pixels there, edges left out."""
    ring = cv2.dilate(mask.astype(np.uint8), np.ones((2 * RING + 1,) * 2, np.uint8)).astype(bool) & ~mask
    return np.asarray(np.median(np.abs(texture[ring]), axis=0) / NORMAL, np.float32)


def _seam(mismatch: Values, mask: Flags) -> Values:
    """What is to be added at the inner edge of the mask so that brought texture begins where the outer one ends."""
    known = (~mask).astype(np.float32)
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    fading = np.where(mask, np.exp(-np.maximum(depth - 1, 0) / FADING), 0).astype(np.float32)
    share = np.maximum(cv2.GaussianBlur(known, (0, 0), NEAR), 1e-6)
    parts = [
        cv2.GaussianBlur(np.ascontiguousarray(mismatch[..., channel]) * known, (0, 0), NEAR) / share * fading
        for channel in range(mismatch.shape[-1])
    ]
    return np.stack(parts, axis=-1)


def _offsets(start: int, size: int, room: int) -> list[int]:
    """Where else a block may lie along an axis, in steps of a third of its size."""
    step = max(1, size // 3)
    places = {start + number * step for number in range(-9, 10)} | {0, room - size}
    return sorted(place for place in places if 0 <= place <= room - size)


def _scattered(texture: Values, mask: Flags) -> Values:
    """Free texture, pixel by pixel in an order that only the mask determines."""
    free = np.flatnonzero(~mask.ravel())
    flat = texture.reshape(-1, texture.shape[-1])[free]
    generator = np.random.default_rng(len(free))
    return np.asarray(flat[generator.integers(0, len(flat), mask.shape)])


def _as_stored(channels: Values, crop: Stored, mask: Flags, picture: Picture) -> Stored:
    if picture.palette is not None:
        return _nearest(channels, crop, mask, picture.palette, picture.first_index)
    whole = np.rint(channels.astype(np.float64)).reshape(crop.shape)
    low, high = limits(picture)
    return np.asarray(np.clip(whole, low, high)).astype(crop.dtype)


def limits(picture: Picture) -> tuple[int, int]:
    """The least and the greatest value that the stored bits hold."""
    bits = picture.bits_stored
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if picture.values.dtype.kind == "i" else (0, (1 << bits) - 1)


def _nearest(channels: Values, crop: Stored, mask: Flags, palette: NDArray[np.uint8], first: int) -> Stored:
    """For each masked pixel, the index used nearby whose colour is closest."""
    used: NDArray[Any] = np.unique(crop[~mask]) if not mask.all() else np.array([first], crop.dtype)
    colours = palette[np.clip(used.astype(np.int64) - first, 0, len(palette) - 1)].astype(np.float32)
    wanted = channels[mask]
    best = np.zeros(len(wanted), dtype=np.int64)
    for begin in range(0, len(wanted), 4096):
        piece = wanted[begin : begin + 4096]
        best[begin : begin + 4096] = ((piece[:, None] - colours[None]) ** 2).sum(axis=-1).argmin(axis=1)
    result = crop.copy()
    result[mask] = used[best]
    return result

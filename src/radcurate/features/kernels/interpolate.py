"""Separable interpolation of an image onto a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels._library import SIZE, array, function

_AXIS = [SIZE, SIZE, array(np.int64, 2), array(np.float64, 2)]
_KERNELS = {
    np.dtype(dtype): function(
        name, [array(dtype, 3), SIZE, SIZE, *_AXIS, *_AXIS, *_AXIS, array(np.float64, 1), array(np.float64, 3)]
    )
    for dtype, name in (
        (np.uint8, "interpolate_bytes"),
        (np.int16, "interpolate_shorts"),
        (np.float32, "interpolate_floats"),
        (np.float64, "interpolate_doubles"),
    )
}


@dataclass(frozen=True)
class Taps:
    """What the points of one axis of a grid are made of.

    Attributes:
        places: indices into the image's axis, shape (point, tap).
        weights: same shape.
    """

    places: NDArray[np.int64]
    weights: NDArray[np.float64]


def weighted(values: NDArray[np.generic], taps: tuple[Taps, Taps, Taps]) -> NDArray[np.float64]:
    """The weighted sums at every point of the grid that `taps` spans, shape (plane, row, column).

    uint8, int16, float32 and float64 are read as they are, other types through a copy in float64.
    """
    image = np.ascontiguousarray(values, dtype=values.dtype if values.dtype in _KERNELS else np.float64)
    axes: list[int | NDArray[np.int64] | NDArray[np.float64]] = []
    for axis, size in zip(taps, image.shape, strict=True):
        assert axis.places.shape == axis.weights.shape
        assert not axis.places.size or (axis.places.min() >= 0 and axis.places.max() < size)
        axes += [*axis.places.shape, np.ascontiguousarray(axis.places), np.ascontiguousarray(axis.weights)]
    result = np.empty([len(axis.places) for axis in taps])
    _, rows, columns = image.shape
    _KERNELS[image.dtype](image, rows, columns, *axes, np.empty(rows * columns + columns), result)
    return result

"""Filters that are products of one kernel an axis, and their right-angle rotations.

Arrays have the shape (plane, row, column).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from radcurate.features.kernels.convolve import Floats, convolve


@dataclass(frozen=True)
class Taps:
    """A kernel along one axis: the result at i is Σ weights[k] · values[i + first + k]."""

    weights: tuple[float, ...]
    first: int

    @property
    def turned(self) -> Taps:
        """As seen from the other side: mirrored at the place of the result."""
        return Taps(self.weights[::-1], 1 - self.first - len(self.weights))

    @property
    def reach(self) -> int:
        """How many voxels away it reads, turned or not."""
        return max(-self.first, self.first + len(self.weights) - 1, 0)


# A kernel for each axis, in the order of the array's axes; null: the axis is left alone.
Product = tuple[Taps | None, Taps | None, Taps | None]
# Products that are applied one after the other.
Chain = tuple[Product, ...]
# The part of an image in which a response is wanted.
Box = tuple[slice, slice, slice]
WHOLE: Box = (slice(None), slice(None), slice(None))


def convolution(kernel: Sequence[float]) -> Taps:
    """Taps that convolve with `kernel`, whose centre is its element at length // 2."""
    return Taps(tuple(float(weight) for weight in reversed(kernel)), len(kernel) // 2 - len(kernel) + 1)


def along_axes(kernels: Sequence[Taps]) -> Product:
    """Two or three kernels, in IBSI's order x (columns), y (rows), z (planes), as a product; two: within the planes."""
    plane = kernels[2] if len(kernels) == 3 else None
    return plane, kernels[1], kernels[0]


def even(weights: Sequence[float], dimension: str) -> Product:
    """The same kernel of odd length along all axes, 2D: within the planes only."""
    return along_axes([convolution(weights)] * (3 if dimension == "3D" else 2))


@cache
def rotations(chain: Chain) -> dict[Chain, int]:
    """The chains that right angles turn a chain into, and how many of the 24 (in the plane: 4) rotations do so."""
    axes = [axis for axis, taps in enumerate(chain[0]) if taps is not None]
    found: dict[Chain, int] = {}
    for order in itertools.permutations(axes):
        for flips in itertools.product((False, True), repeat=len(axes)):
            if (sum(flips) % 2 == 1) == _is_odd(order):  # the others are reflections
                turned = tuple(_turned(product, axes, order, flips) for product in chain)
                found[turned] = found.get(turned, 0) + 1
    return found


def _is_odd(order: Sequence[int]) -> bool:
    return sum(first > second for first, second in itertools.combinations(order, 2)) % 2 == 1


def _turned(product: Product, axes: list[int], order: Sequence[int], flips: Sequence[bool]) -> Product:
    parts = list(product)
    for axis, origin, flip in zip(axes, order, flips, strict=True):
        taps = product[origin]
        assert taps is not None
        parts[axis] = taps.turned if flip else taps
    return parts[0], parts[1], parts[2]


def responses(
    values: Floats, wanted: Iterable[Chain], boundary: str, box: Box = WHOLE
) -> Iterator[tuple[Chain, Floats]]:
    """Every chain's response; what two of them have in common is computed once, and kept no longer than needed.

    The passes form a tree: chains with the same kernel along the first axis branch off behind its pass, and so on.

    Args:
        values: shape (plane, row, column).
        wanted: chains of the same length.
        boundary: what lies outside.
        box: where responses are wanted; their shape. The last pass along an axis makes no more than that.
    """
    chosen = list(wanted)
    cut = box if all(len(chain) == 1 for chain in chosen) else WHOLE
    for plane, seconds in _grouped(chosen, 0):
        first = along(values, plane, 0, boundary, cut[0])
        for row, thirds in _grouped(seconds, 1):
            second = along(first, row, 1, boundary, cut[1])
            for column, chains in _grouped(thirds, 2):
                third = along(second, column, 2, boundary, cut[2])
                head: Product = (plane, row, column)
                rests = [chain[1:] for chain in chains if len(chain) > 1]
                if not rests:
                    yield (head,), third
                for rest, response in responses(third, rests, boundary, box):
                    yield (head, *rest), response


def _grouped(wanted: Iterable[Chain], axis: int) -> Iterator[tuple[Taps | None, list[Chain]]]:
    groups: dict[Taps | None, list[Chain]] = {}
    for chain in wanted:
        groups.setdefault(chain[0][axis], []).append(chain)
    yield from groups.items()


def along(values: Floats, taps: Taps | None, axis: int, boundary: str, wanted: slice = WHOLE[0]) -> Floats:
    """The response to one axis's kernel, at the wanted places of that axis."""
    if taps is None:
        return values[(slice(None),) * axis + (wanted,)]
    return convolve(values, taps.weights, taps.first, axis, boundary, wanted)


def invariant(values: Floats, chain: Chain, pooling: str, boundary: str, box: Box = WHOLE) -> Floats:
    """The responses to a chain turned by all right angles, pooled voxel by voxel.

    Args:
        values: shape (plane, row, column).
        chain: products.
        pooling: max or average.
        boundary: what lies outside.
        box: where responses are wanted.
    """
    turned = rotations(chain)
    found = responses(values, turned, boundary, box)
    if pooling == "max":
        result = next(found)[1].copy()
        for _, response in found:
            np.maximum(result, response, out=result)
        return result
    one, response = next(found)
    result = turned[one] * response
    for one, response in found:
        result += turned[one] * response
    return np.asarray(result / sum(turned.values()))


def reach(chain: Chain) -> tuple[int, int, int]:
    """How many voxels away, along each axis, a chain reads; rotations included."""
    plane, row, column = (sum(_reach(product[axis]) for product in chain) for axis in range(3))
    return plane, row, column


def _reach(taps: Taps | None) -> int:
    return 0 if taps is None else taps.reach

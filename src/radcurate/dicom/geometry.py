"""Where slices lie: order, spacing and what is wrong with a stack, from positions alone.

All vectors are in mm in the DICOM patient system (LPS, PS3.3 C.7.6.2.1.1). Instance numbers are never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

AXIS_SLACK = 0.01  # deviation of a cosine vector's length, and of two vectors' scalar product, from 1 and 0
TURN_SLACK = 1e-3  # difference of cosines within a stack that counts as rounding
ROUNDING = 0.01  # mm; positions are often written with two decimals
SHEAR = 0.5  # pixels; total sideways drift of a stack that no feature notices
MULTIPLE_SLACK = 0.1  # how far from a whole number of slice distances a hole may be


@dataclass(frozen=True)
class Stack:
    """Planes of a volume, in any order.

    position (plane, 3): centre of the first voxel. orientation (plane, 6): cosines of the row and column direction.
    spacing (plane, 2): mm between rows, between columns. thickness: mm, used for a single plane only.
    """

    position: Array
    orientation: Array
    spacing: Array
    thickness: float | None = None


@dataclass(frozen=True)
class Geometry:
    """A stack in order: `order[k]` is the index of the k-th plane along the normal. Lengths in mm."""

    order: tuple[int, ...]
    spacing: tuple[float, float, float]  # between planes, rows, columns
    origin: tuple[float, float, float]
    orientation: tuple[float, float, float, float, float, float]
    findings: tuple[str, ...]  # what makes the stack unusable, sorted


def examine(stack: Stack, tolerance: float) -> Geometry:
    """Order the planes and name what is wrong with them.

    Findings: invalid_orientation, mixed_orientation, mixed_spacing, several_volumes, duplicate_instance,
    gantry_tilt, slice_gap, uneven_spacing, missing_geometry (a single plane without thickness).
    """
    findings = _plane_findings(stack)
    normal = np.cross(stack.orientation[0, :3], stack.orientation[0, 3:])
    height = stack.position @ normal
    order = np.argsort(height, kind="stable")
    between: float | None = stack.thickness
    if not findings and len(order) > 1:
        findings, between = _stack_findings(stack, height[order], order, tolerance)
    if between is None or between <= 0:
        findings = findings or {"missing_geometry"}
    return _geometry(stack, order, between or 0.0, findings)


def place_index(stack: Stack) -> Array:
    """Whole number per plane, equal for planes at the same height; shape (plane,)."""
    normal = np.cross(stack.orientation[0, :3], stack.orientation[0, 3:])
    height = stack.position @ normal
    order = np.argsort(height, kind="stable")
    new = np.concatenate([[0.0], (np.diff(height[order]) > 2 * ROUNDING).astype(float)])
    place = np.empty(len(order))
    place[order] = np.cumsum(new)
    return place


def _geometry(stack: Stack, order: npt.NDArray[np.intp], between: float, findings: set[str]) -> Geometry:
    first = int(order[0])
    rows, columns = (float(v) for v in stack.spacing[first])
    x, y, z = (float(v) for v in stack.position[first])
    a, b, c, d, e, f = (float(v) for v in stack.orientation[first])
    return Geometry(
        tuple(int(i) for i in order), (between, rows, columns), (x, y, z), (a, b, c, d, e, f), tuple(sorted(findings))
    )


def _plane_findings(stack: Stack) -> set[str]:
    """What is wrong with single planes, or between any two of them."""
    findings = set()
    rows, columns = stack.orientation[:, :3], stack.orientation[:, 3:]
    lengths = np.linalg.norm(np.concatenate([rows, columns]), axis=1)
    across = np.einsum("pi,pi->p", rows, columns)
    finite = all(bool(np.isfinite(a).all()) for a in (stack.position, stack.orientation, stack.spacing))
    if not finite or (stack.spacing <= 0).any():
        return {"missing_geometry"}
    if np.abs(lengths - 1).max() > AXIS_SLACK or np.abs(across).max() > AXIS_SLACK:
        findings.add("invalid_orientation")
    if np.abs(stack.orientation - stack.orientation[0]).max() > TURN_SLACK:
        findings.add("mixed_orientation")
    if (np.abs(stack.spacing / stack.spacing[0] - 1) > TURN_SLACK).any():
        findings.add("mixed_spacing")
    return findings


def _stack_findings(
    stack: Stack, height: Array, order: npt.NDArray[np.intp], tolerance: float
) -> tuple[set[str], float | None]:
    """What is wrong with the distances of parallel planes, and the slice distance in mm."""
    steps = np.diff(height)
    if (steps <= 2 * ROUNDING).any():
        return {_repeated(place_index(stack))}, None if stack.thickness is None else stack.thickness
    findings = _shear(stack.position[order], stack.orientation[0], stack.spacing[0])
    base = slice_distance(steps, tolerance)
    multiple = steps / base
    uneven = np.abs(steps - base) > tolerance * base + ROUNDING
    holes = uneven & (multiple > 1.5) & (np.abs(multiple - np.round(multiple)) <= MULTIPLE_SLACK)
    if holes.any():
        findings.add("slice_gap")
    if (uneven & ~holes).any():
        findings.add("uneven_spacing")
    return findings, float(base if findings else (height[-1] - height[0]) / len(steps))


def slice_distance(steps: Array, tolerance: float) -> float:
    """The distance that most neighbours have, in mm; the smallest one where all others are multiples of it."""
    least = float(np.min(steps))
    multiple = steps / least
    if (
        np.abs(multiple - np.round(multiple)) <= np.minimum(MULTIPLE_SLACK, tolerance * multiple + ROUNDING / least)
    ).all():
        return float(np.median(steps[multiple < 1.5]))
    return float(np.sort(steps)[(len(steps) - 1) // 2])


def _repeated(place: Array) -> str:
    """Every place covered equally often is a series of several volumes; otherwise single slices are doubled."""
    counts = np.unique(place, return_counts=True)[1]
    return "several_volumes" if counts.min() == counts.max() else "duplicate_instance"


def _shear(position: Array, orientation: Array, spacing: Array) -> set[str]:
    """gantry_tilt where the planes' first voxels drift sideways by more than half a pixel over the stack."""
    offset = position - position[0]
    along_row, along_column = offset @ orientation[:3], offset @ orientation[3:]
    limit = SHEAR * spacing + ROUNDING
    return {"gantry_tilt"} if (np.abs(along_column).max() > limit[0] or np.abs(along_row).max() > limit[1]) else set()

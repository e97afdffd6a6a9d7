"""NIfTI masks: recognised, and matched with the one image series of the export that has their grid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from radcurate.dicom import judged
from radcurate.dicom.geometry import Geometry
from radcurate.dicom.identifiers import Fact, is_telling
from radcurate.dicom.limits import LARGEST_FRAME
from radcurate.dicom.tree import Found

MOST_VOXELS = 1 << 30
MOST_LABELS = 128  # distinct values; an image has more
GRID_SLACK = 0.05  # of a voxel, at any corner of the grid
_LPS_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Mask:
    """A NIfTI file that holds labels. affine: voxel index to mm, RAS; shape in the file's axis order."""

    file: Found
    shape: tuple[int, int, int]
    affine: npt.NDArray[np.float64]
    facts: tuple[Fact, ...]
    digest: str = ""  # of the whole file, see `judged`


def is_nifti(path: str) -> bool:
    """Told by the name, as by every program that writes them."""
    return path.lower().endswith((".nii", ".nii.gz"))


def read_mask(source: Path, found: Found) -> Mask | str:
    """The mask, or a file reason: vanished, unreadable, truncated, damaged, not_a_mask, too_large, empty_mask."""
    import nibabel  # 55 ms and 4 MB, for nothing where there are no masks

    try:
        image: Any = nibabel.load(source / found.path, keep_file_open=True)
        shape = tuple(int(n) for n in image.shape)
        while len(shape) > 3 and shape[-1] == 1:
            shape = shape[:-1]
        if len(shape) != 3 or image.header.get_data_dtype().kind not in "iuf":
            return "not_a_mask"
        if shape[0] * shape[1] > LARGEST_FRAME or shape[0] * shape[1] * shape[2] > MOST_VOXELS:
            return "too_large"
        mask = _read_labels(found, image, (shape[0], shape[1], shape[2]))
        return mask if isinstance(mask, str) else replace(mask, digest=_digest(source, found))
    except FileNotFoundError:
        return "vanished"
    except EOFError:
        return "truncated"
    except OSError as error:
        return "unreadable" if error.errno else "truncated"
    except MemoryError:
        raise
    except Exception:  # nibabel raises many kinds on malformed files
        return "damaged"


def _digest(source: Path, found: Found) -> str:
    with (source / found.path).open("rb") as stream:
        return judged.of_file(stream, found.size, found.size, 0)


def _read_labels(found: Found, image: Any, shape: tuple[int, int, int]) -> Mask | str:
    try:
        labels = _labels(image, len(image.shape))
    except MemoryError:
        raise
    except Exception:  # a good header before too few voxels; nibabel raises many kinds
        return "truncated"
    if labels is None:
        return "not_a_mask"
    if labels <= {0}:
        return "empty_mask"
    return Mask(found, shape, np.asarray(image.affine, dtype=np.float64), _facts(image))


def _labels(image: Any, axes: int) -> set[int] | None:
    """Distinct values, read plane by plane; None where they are no labels."""
    labels: set[int] = set()
    for k in range(image.shape[2]):
        plane = np.asanyarray(image.dataobj[(slice(None), slice(None), k) + (0,) * (axes - 3)])
        values = np.unique(plane)
        if not np.isfinite(values).all() or (values != np.round(values)).any() or values.min() < 0:
            return None
        labels.update(int(value) for value in values)
        if len(labels) > MOST_LABELS:
            return None
    return labels


def _facts(image: Any) -> tuple[Fact, ...]:
    """Texts of the header, which often hold a name."""
    found = []
    for name in ("descrip", "db_name", "aux_file", "intent_name"):
        raw = image.header[name].item() if name in image.header else b""
        text = bytes(raw).split(b"\0")[0].decode("utf-8", "replace").strip()
        if is_telling(text):
            found.append(Fact("text", f"nifti_{name}", text))
    return tuple(found)


def affine_of(geometry: Geometry) -> npt.NDArray[np.float64]:
    """Affine of an image series for indices (column, row, plane) to mm, RAS."""
    row, column = np.array(geometry.orientation[:3]), np.array(geometry.orientation[3:])
    between, rows, columns = geometry.spacing
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = row * columns, column * rows, np.cross(row, column) * between
    affine[:3, 3] = geometry.origin
    return np.asarray(_LPS_RAS @ affine)


def same_grid(
    shape: tuple[int, int, int],
    affine: npt.NDArray[np.float64],
    other_shape: tuple[int, int, int],
    other: npt.NDArray[np.float64],
) -> bool:
    """Whether two grids have the same voxel centres, whatever the order and direction of their axes."""
    if sorted(shape) != sorted(other_shape):
        return False
    slack = GRID_SLACK * np.linalg.norm(affine[:3, :3], axis=0).min()
    for order in permutations(range(3)):
        if tuple(shape[axis] for axis in order) != other_shape:
            continue
        for flips in product((False, True), repeat=3):
            turned = _turn(shape, affine, order, flips)
            if np.abs(_corners(other_shape, other) - _corners(other_shape, turned)).max() <= slack:
                return True
    return False


def _turn(
    shape: tuple[int, int, int], affine: npt.NDArray[np.float64], order: tuple[int, ...], flips: tuple[bool, ...]
) -> npt.NDArray[np.float64]:
    """The affine after taking axes in another order and counting some of them from the far end."""
    turned = affine.copy()
    for new, (old, flip) in enumerate(zip(order, flips, strict=True)):
        step = affine[:3, old]
        turned[:3, new] = -step if flip else step
        turned[:3, 3] += step * (shape[old] - 1) if flip else 0
    return turned


def _corners(shape: tuple[int, int, int], affine: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Centres of the eight corner voxels; shape (8, 3), mm."""
    ends = np.array(list(product(*((0, n - 1) for n in shape))), dtype=np.float64)
    return np.asarray(ends @ affine[:3, :3].T + affine[:3, 3])

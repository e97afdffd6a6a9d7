"""The body in a field: which voxels are tissue, where its skin is, how deep a voxel lies under it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radcurate.deface.stack import Field, Flags, Floats

AIR_HU = -350.0  # half way between air and fat at the skin; a blurred edge lies there whatever the kernel
NOISE_SHARE = 0.12  # of the bright tissue's level; background noise of MR magnitude images stays below


def tissue(field: Field, modality: str) -> Flags:
    """Voxels that are not air, shape of the field. CT: above AIR_HU; otherwise relative to the bright tissue."""
    if modality == "CT":
        return np.asarray((field.values > AIR_HU) & field.inside)
    level = mr_threshold(field)
    smooth = ndimage.gaussian_filter(
        field.values, 0.7
    )  # enough against noise, too little to close the gap behind an ear
    return np.asarray((smooth > level) & field.inside)


def mr_threshold(field: Field) -> float:
    """Level between background and tissue: Otsu's, but no more than a share of the bright tissue (dark skin, coil fall-off)."""
    values = field.values[field.inside]
    if values.size == 0:
        return 0.0
    low, bright = (float(v) for v in np.percentile(values, [1, 98]))
    return low + min(otsu(np.clip(values, low, bright)) - low, NOISE_SHARE * (bright - low))


def otsu(values: Floats, bins: int = 128) -> float:
    """Otsu's threshold (1979, IEEE Trans SMC 9:62)."""
    counts, edges = np.histogram(values, bins)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    best = np.flatnonzero(spread >= np.nanmax(spread) * (1 - 1e-9)) if np.isfinite(spread).any() else np.array([0])
    return float(centres[best].mean())  # an empty valley is one plateau: its middle


def body(field: Field, modality: str) -> Flags:
    """The largest connected piece of tissue without thin attachments (table, holder), holes filled plane by plane."""
    solid = tissue(field, modality)
    # a piece is kept by its core, so that skin is not shaved off by the opening
    core = ndimage.binary_opening(solid, iterations=max(1, round(3.0 / field.step)))
    labels, n = ndimage.label(core)
    if n == 0:
        return np.zeros_like(solid)
    largest = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    grown = ndimage.binary_dilation(largest, iterations=max(1, round(4.0 / field.step))) & solid
    return fill_planes(grown)


def fill_planes(mask: Flags) -> Flags:
    """Holes that are closed in a plane of any of the three directions are filled (sinuses, lungs, marrow)."""
    filled = mask.copy()
    for axis in range(3):
        for n in range(mask.shape[axis]):
            window = [slice(None)] * 3
            window[axis] = slice(n, n + 1)
            plane = filled[tuple(window)]
            if plane.any():
                filled[tuple(window)] = ndimage.binary_fill_holes(np.squeeze(plane, axis)).reshape(plane.shape)
    return filled


def hull(mask: Flags, step: float, radius: float) -> Flags:
    """Closing by a ball of `radius` mm: bridges eye sockets, nostrils and the mouth. Planes at the ends are continued."""
    n = max(1, int(np.ceil(radius / step)))
    padded = np.pad(mask, ((n, n), (0, 0), (0, 0)), mode="edge")
    padded = np.pad(padded, ((0, 0), (n, n), (n, n)))
    near = ndimage.distance_transform_edt(~padded, sampling=step) <= radius
    closed = ndimage.distance_transform_edt(near, sampling=step) > radius
    return np.asarray((closed | padded)[n : -1 * n, n : -1 * n, n : -1 * n])


def depth(mask: Flags, step: float) -> NDArray[np.float32]:
    """Distance of inner voxels to the outside, mm, shape of `mask`; the ends of the field along z count as inside."""
    n = 1
    padded = np.pad(np.pad(mask, ((n, n), (0, 0), (0, 0)), mode="edge"), ((0, 0), (n, n), (n, n)))
    return np.asarray(ndimage.distance_transform_edt(padded, sampling=step)[n:-n, n:-n, n:-n], np.float32)

"""The complete record of how a row's values came about. A row without one is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radcurate.features import extensions
from radcurate.features.engine import find
from radcurate.features.profile import Profile
from radcurate.features.resample import Flags
from radcurate.tables import EXTRACT_PROVENANCE

NONE = "none"
NOT_RECORDED = "not recorded"
SOURCES = (".py", ".csv", ".c", ".h")
# Filled only where intensities are normalised.
CONDITIONAL = ("normalisation_mean", "normalisation_deviation")


@dataclass(frozen=True)
class Source:
    """What was extracted from.

    Attributes:
        unit: of the voxel values.
        voxel_size: mm after interpolation, (plane, row, column).
        scale: mean and deviation used for normalisation.
        segmentation_source: rtstruct, seg or nifti.
        segmentation_method: as the contour's header tells it; may be empty.
        segmentation_notes: what was noticed while rasterising.
        image_digest, mask_digest, acquisition_digest: see `digest_of_image`, `digest_of_mask`.
    """

    unit: str
    voxel_size: tuple[float, float, float]
    scale: tuple[float, float] | None
    segmentation_source: str
    segmentation_method: str
    segmentation_notes: tuple[str, ...]
    image_digest: str
    mask_digest: str
    acquisition_digest: str


def record(profile: Profile, source: Source, engine: str) -> dict[str, Any]:
    """All parameters that values depend on, under the column names of provenance.parquet, without its digest."""
    return {
        **software(engine),
        **_processing(profile, source),
        "segmentation_source": source.segmentation_source,
        "segmentation_method": source.segmentation_method.strip().lower() or NOT_RECORDED,
        "segmentation_notes": ", ".join(source.segmentation_notes) or NONE,
        "profile": profile.text,
        "profile_digest": profile.digest,
        "image_digest": source.image_digest,
        "mask_digest": source.mask_digest,
        "acquisition_digest": source.acquisition_digest,
    }


def _processing(profile: Profile, source: Source) -> dict[str, Any]:
    interpolated = profile.voxel_size is not None
    low, high = profile.range or (None, None)
    fixed_size = profile.discretisation == "fixed_bin_size"
    mean, deviation = source.scale or (None, None)
    return {
        "unit": source.unit,
        "dimension": profile.dimension,
        "voxel_size": list(source.voxel_size),
        "image_interpolation": _interpolation(profile) if interpolated else NONE,
        "mask_interpolation": profile.mask_interpolation if interpolated else NONE,
        "mask_threshold": f"{profile.mask_threshold:g}" if interpolated else NONE,
        "rounding": f"{profile.rounding:g}" if profile.rounding else NONE,
        "normalisation": profile.normalisation,
        "normalisation_region": (profile.normalisation_region or "") if source.scale else NONE,
        "normalisation_mean": mean,
        "normalisation_deviation": deviation,
        "resegmentation_range": f"[{_edge(low)}, {_edge(high)}]" if profile.range else NONE,
        "resegmentation_outliers": f"{profile.outlier_sigma:g} sigma" if profile.outlier_sigma else NONE,
        "discretisation": profile.discretisation,
        "discretisation_value": float((profile.bin_size if fixed_size else profile.bin_number) or 0),
        "discretisation_anchor": _anchor(profile) if fixed_size else "region minimum",
        "textures": ", ".join(profile.textures),
        "filters": ", ".join(label for chosen in profile.filters for label in chosen.labels) or NONE,
    }


def _interpolation(profile: Profile) -> str:
    smoothed = profile.anti_aliasing != "none"
    return f"{profile.image_interpolation} after {profile.anti_aliasing}" if smoothed else profile.image_interpolation


def _edge(value: float | None) -> str:
    return "open" if value is None else f"{value:g}"


def _anchor(profile: Profile) -> str:
    return "region minimum" if profile.first_edge is None else f"{profile.first_edge:g}"


def lacking(found: Mapping[str, Any]) -> list[str]:
    """Names of parameters that a record does not tell."""
    wanted = set(found) | set(required())
    conditional = set() if found.get("normalisation") not in (None, "", NONE) else set(CONDITIONAL)
    return sorted(name for name in wanted - conditional if found.get(name) in (None, "", [], {}))


@cache
def required() -> tuple[str, ...]:
    """Names that every record tells."""
    return tuple(name for name, _ in EXTRACT_PROVENANCE.columns if name != "provenance" and name not in CONDITIONAL)


def digest(found: Mapping[str, Any]) -> str:
    """SHA-256 of a record, which names it."""
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def digest_of_image(values: NDArray[np.generic], unit: str, spacing: tuple[float, ...]) -> str:
    """SHA-256 of shape, unit, spacing (mm) and values of an image."""
    total = hashlib.sha256(f"{values.shape} {values.dtype.str} {unit} {[float(step) for step in spacing]}".encode())
    for plane in values:
        total.update(np.ascontiguousarray(plane).tobytes())
    return total.hexdigest()


def digest_of_mask(mask: Flags) -> str:
    """SHA-256 of shape and bits of a mask."""
    total = hashlib.sha256(f"{mask.shape}".encode())
    total.update(np.packbits(mask).tobytes())
    return total.hexdigest()


def software(engine: str) -> dict[str, str]:
    """Versions of what computes, a digest of this package, and the extensions that were run."""
    return {**_installed(engine), "extensions": extensions.told()}


@cache
def _installed(engine: str) -> dict[str, str]:
    return {
        "radcurate": version("radcurate"),
        "engine": engine,
        "engine_version": version(find(engine).distribution),
        "engine_digest": package_digest(),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
        "simpleitk": version("SimpleITK"),
        "pydicom": version("pydicom"),
    }


def package_digest() -> str:
    """SHA-256 of the sources of radcurate.features, C and tables included, at any depth."""
    folder = Path(__file__).parent
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        if path.suffix in SOURCES and path.is_file():
            content = path.read_bytes()
            total.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return total.hexdigest()

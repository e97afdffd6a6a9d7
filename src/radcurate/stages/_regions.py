"""The regions of one image: read, prepare, compute, record. What `extract` does in each process of its pool."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom

from radcurate import tables
from radcurate.errors import CurationError, place_of
from radcurate.features import provenance, pyradiomics
from radcurate.features.acquisition import attributes
from radcurate.features.catalogue import Column, columns_for
from radcurate.features.normalise import Regions, scale
from radcurate.features.prepare import Prepared, prepare
from radcurate.features.problems import RegionError
from radcurate.features.profile import Profile
from radcurate.features.resample import Flags
from radcurate.keys import Key
from radcurate.volumes.image import Volume, read_volume
from radcurate.volumes.masks import Roi, iter_rois

ENGINES = {pyradiomics.NAME: pyradiomics.compute}

REMEDIES = {
    "wrong_unit": "export the series with the attributes that its unit is computed from, or set extract.<modality>.unit",
    "empty_after_interpolation": "lower extract.<modality>.voxel_size; the region is smaller than a voxel",
    "normalisation_image_cleaned": "set extract.<modality>.normalisation_region to a contour, roi or unchanged",
    "normalisation_region_absent": "draw the region that extract.<modality>.normalisation_region names on this image",
    "normalisation_region_flat": "choose another extract.<modality>.normalisation_region",
    "provenance_incomplete": "fill what the record lacks, or report this as an error of radcurate",
}
REPORT = "report this as an error of radcurate"


@dataclass(frozen=True)
class Contour:
    """A contour series; `kind` is rtstruct, seg or nifti; `shared` where it belongs to several images."""

    series: str
    kind: str
    folder: Path
    shared: bool


@dataclass(frozen=True)
class Image:
    """An image series to extract from, with what features.parquet tells about its patient."""

    series: str
    modality: str
    folder: Path
    uncleaned: Path  # the same series before its pixels were cleaned
    changed_voxels: int
    about: dict[str, Any]  # subject, site, sex, age, study_date
    contours: tuple[Contour, ...]


@dataclass(frozen=True)
class Context:
    """What all images share. `columns`: all feature columns of the run."""

    profiles: dict[str, Profile]
    engine: str
    columns: tuple[str, ...]
    key: Key


@dataclass
class Found:
    """Rows of all tables for one image, and why contours (or the image, under its own name) gave none."""

    features: list[dict[str, Any]] = field(default_factory=list)
    missing: list[dict[str, Any]] = field(default_factory=list)
    provenance: list[dict[str, Any]] = field(default_factory=list)
    acquisition: list[dict[str, Any]] = field(default_factory=list)
    problems: dict[str, tuple[str, str]] = field(default_factory=dict)  # series -> reason, remedy


def extract_image(context: Context, image: Image) -> Found:
    """All regions of one image. Never raises for a bad image, contour or region."""
    found = Found()
    try:
        _extract(context, image, found)
    except Exception as error:
        found.problems[image.series] = explain(error)
    return found


def explain(error: Exception) -> tuple[str, str]:
    """Reason and remedy for a table; never the message of an unknown error, which may quote a header."""
    if isinstance(error, RegionError):
        return error.reason, REMEDIES.get(error.reason, "draw the region again, or leave it out")
    if isinstance(error, CurationError):
        return str(getattr(error, "reason", "unusable")), error.fix
    return f"unexpected:{place_of(error)}", REPORT


@dataclass(frozen=True)
class _Job:
    """An image that was read, ready for its regions."""

    context: Context
    image: Image
    volume: Volume
    profile: Profile
    columns: tuple[Column, ...]
    image_digest: str
    acquisition_digest: str


def _extract(context: Context, image: Image, found: Found) -> None:
    profile = context.profiles[image.modality]
    volume = read_volume(dicom_files(image.folder))
    if profile.unit is not None and volume.unit != profile.unit:
        raise RegionError("wrong_unit")
    row = acquisition_row(image, volume)
    found.acquisition.append(row)
    told = json.dumps({name: value for name, value in row.items() if name not in ("series", "subject")}, sort_keys=True)
    job = _Job(
        context,
        image,
        volume,
        profile,
        columns_for(profile.textures),
        provenance.digest_of_image(volume.values, volume.unit, volume.grid.spacing),
        context.key.code("acquisition", told, length=64),
    )
    for contour in image.contours:
        try:
            for code, roi in _regions(job, contour):
                _add(job, contour, code, roi, found)
        except Exception as error:
            found.problems[contour.series] = explain(error)


def dicom_files(folder: Path) -> list[Path]:
    """Instances of a series, by name."""
    return sorted(folder.glob("*.dcm"))


def _contour_files(contour: Contour) -> list[Path]:
    return sorted(contour.folder.glob("*.nii.gz")) if contour.kind == "nifti" else dicom_files(contour.folder)


def _regions(job: _Job, contour: Contour) -> Iterator[tuple[str, Roi]]:
    """Code and mask of each region. The image and the file join the code only where the number alone isn't unique."""
    files = _contour_files(contour)
    for path in files:
        image = [job.image.series] if contour.shared else []
        name = [path.name] if len(files) > 1 else []
        for roi in iter_rois(path, contour.kind, job.volume.grid):
            yield "R-" + job.context.key.code("roi", contour.series, str(roi.number), *image, *name), roi


def _add(job: _Job, contour: Contour, code: str, roi: Roi, found: Found) -> None:
    """One row; a region that fails is a row too."""
    row: dict[str, Any] = dict.fromkeys(job.context.columns, math.nan)
    row |= {**job.image.about, "roi": code, "series": job.image.series, "contour": contour.series}
    row |= {"roi_label": roi.label, "modality": job.image.modality, "status": tables.FAILED}
    found.features.append(row)
    try:
        if roi.problem is not None:
            raise roi.problem
        scaling = scale(job.volume.values, job.profile, _statistics_from(job, contour, roi))
        prepared = prepare(job.volume.values, roi.mask, job.volume.grid.spacing, job.profile, scaling)
        record = provenance.record(job.profile, _source(job, contour, roi, prepared, scaling), job.context.engine)
        if provenance.lacking(record):
            raise RegionError("provenance_incomplete")
        outcome = ENGINES[job.context.engine](prepared, job.columns)
    except Exception as error:
        row["reason"] = explain(error)[0]
        return
    digest = provenance.digest(record)
    row |= {**outcome.values, "status": tables.OK, "provenance": digest}
    found.provenance.append({**record, "provenance": digest})
    found.missing.extend(_missing(job, code, outcome.reasons))


def _missing(job: _Job, code: str, reasons: dict[str, str]) -> list[dict[str, Any]]:
    computed = {column.name for column in job.columns}
    told = {name: "not_selected" for name in job.context.columns if name not in computed} | reasons
    return [
        {"roi": code, "reason": reason, "features": [name for name in job.context.columns if told.get(name) == reason]}
        for reason in sorted(set(told.values()))
    ]


def _source(
    job: _Job, contour: Contour, roi: Roi, prepared: Prepared, scaling: tuple[float, float] | None
) -> provenance.Source:
    return provenance.Source(
        unit=job.volume.unit,
        voxel_size=prepared.spacing,
        scale=scaling,
        segmentation_source=contour.kind,
        segmentation_method=roi.method,
        segmentation_notes=roi.notes,
        image_digest=job.image_digest,
        mask_digest=provenance.digest_of_mask(roi.mask),
        acquisition_digest=job.acquisition_digest,
    )


def _statistics_from(job: _Job, contour: Contour, roi: Roi) -> Regions:
    def unchanged() -> Flags:
        before = read_volume(dicom_files(job.image.uncleaned))
        if not before.grid.equal_to(job.volume.grid):
            raise RegionError("normalisation_region_absent")
        same: Flags = before.values == job.volume.values
        return same

    def labelled(label: str) -> Flags | None:
        for path in _contour_files(contour):
            for other in iter_rois(path, contour.kind, job.volume.grid):
                if other.label.casefold() == label.casefold() and other.problem is None:
                    return other.mask
        return None

    return Regions(roi.mask, job.image.changed_voxels, unchanged, labelled)


def acquisition_row(image: Image, volume: Volume) -> dict[str, Any]:
    """The row of acquisition.parquet, from the cleaned header of the middle plane."""
    header = pydicom.dcmread(volume.paths[len(volume.paths) // 2], stop_before_pixels=True, force=True)
    planes, rows, columns = volume.grid.shape
    return {
        **attributes(header),
        "series": image.series,
        "subject": image.about["subject"],
        "modality": image.modality,
        "unit": volume.unit,
        "planes": planes,
        "rows": rows,
        "columns": columns,
        "plane_spacing": volume.grid.spacing[0],
        "row_spacing": volume.grid.spacing[1],
        "column_spacing": volume.grid.spacing[2],
    }

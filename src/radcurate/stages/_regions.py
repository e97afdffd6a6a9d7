"""The regions of one image: read, prepare, compute, record. What `extract` does in each process of its pool, and
`radcurate reextract` once more, elsewhere: so values depend on the image, the mask and the settings alone, never on
the project key, a pseudonym or a chunk.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pydicom

from radcurate import losses, tables
from radcurate.errors import CurationError, place_of
from radcurate.features import engine, extensions, provenance
from radcurate.features.acquisition import attributes
from radcurate.features.catalogue import Column, columns_for
from radcurate.features.crosscheck import differences, is_chosen
from radcurate.features.filters import margin
from radcurate.features.measure import Measured, measure
from radcurate.features.normalise import Regions, Scale, scale, source
from radcurate.features.prepare import reads, target_spacing
from radcurate.features.problems import RegionError
from radcurate.features.profile import Profile
from radcurate.features.ranges.place import Source
from radcurate.features.ranges.spread import ranges_of
from radcurate.features.reasons import NOT_SELECTED
from radcurate.features.resample import Flags
from radcurate.stages._context import Context
from radcurate.stages._invariance import Original, Region, Walk, absent, held_against, read_original, unproven
from radcurate.volumes.image import Volume, read_volume
from radcurate.volumes.masks import Roi, iter_rois

REMEDIES = {
    "wrong_unit": "export the series with the attributes that its unit is computed from, or set extract.<modality>.unit",
    "empty_after_interpolation": "lower extract.<modality>.voxel_size; the region is smaller than a voxel",
    "normalisation_image_cleaned": "set extract.<modality>.normalisation_region to a contour, roi or unchanged",
    "normalisation_region_cleaned": "cleaning changed voxels of this region; set extract.<modality>.normalisation_region to "
    "a contour away from them, or to unchanged",
    "normalisation_region_absent": "draw the region that extract.<modality>.normalisation_region names on this image",
    "normalisation_region_flat": "choose another extract.<modality>.normalisation_region",
    "original_absent": "put the exported files back, or set extract.<modality>.normalisation_region to a contour or roi",
    "provenance_incomplete": "fill what the record lacks, or report this as an error of radcurate",
}
REPORT = "report this as an error of radcurate"


@dataclass(frozen=True)
class Contour:
    """A contour series; `kind` is rtstruct, seg or nifti; `shared` where it belongs to several images."""

    series: str
    kind: str
    files: tuple[Path, ...]
    shared: bool
    exported: tuple[Path, ...] = ()  # the same files as they were exported; empty: not to be compared


@dataclass(frozen=True)
class Image:
    """An image series to extract from, with what features.parquet tells about its patient."""

    series: str
    modality: str
    files: tuple[Path, ...]
    exported: tuple[Path, ...]  # the same files as they were exported; empty: they aren't known
    changed_voxels: int
    about: dict[str, Any]  # subject, site, sex, age, study_date
    contours: tuple[Contour, ...]
    compared: bool = False  # features are to be computed of the exported files too


@dataclass
class Found:
    """Rows of all tables for one image, and why contours (or the image, under its own name) gave none."""

    features: list[dict[str, Any]] = field(default_factory=list)
    missing: list[dict[str, Any]] = field(default_factory=list)
    ranges: list[dict[str, Any]] = field(default_factory=list)
    crosscheck: list[dict[str, Any]] = field(default_factory=list)
    provenance: list[dict[str, Any]] = field(default_factory=list)
    acquisition: list[dict[str, Any]] = field(default_factory=list)
    invariance: list[dict[str, Any]] = field(default_factory=list)
    problems: dict[str, tuple[str, str]] = field(default_factory=dict)  # series -> reason, remedy


def extract_image(context: Context, image: Image) -> Found:
    """All regions of one image. Never raises for a bad image, contour or region, but for a lack of memory."""
    found = Found()
    try:
        opened = open_image(image)
        job = start(context, opened, context.profiles[image.modality], found)
        extract_regions(replace(job, original=_original(opened)), image.contours, found)
    except Exception as error:
        found.problems[image.series] = explain(error)
    return found


def lost_image(image: Image, reason: str) -> Found:
    """An image whose process was lost: no rows, and why."""
    return Found(problems={image.series: (reason, losses.REMEDIES[reason])})


def explain(error: Exception) -> tuple[str, str]:
    """Reason and remedy for a table; never the message of an unknown error, which may quote a header.

    Raises:
        MemoryError: `error` is one, which is the machine's doing and may go better another time.
    """
    if isinstance(error, MemoryError):
        raise error
    if isinstance(error, RegionError):
        return error.reason, REMEDIES.get(error.reason, "draw the region again, or leave it out")
    if isinstance(error, CurationError):
        return str(getattr(error, "reason", "unusable")), error.fix
    return f"unexpected:{place_of(error)}", REPORT


@dataclass(frozen=True)
class Opened:
    """An image that was read. `digest`: see `provenance.digest_of_image`."""

    image: Image
    volume: Volume
    digest: str


@dataclass(frozen=True)
class Job:
    """An opened image on its way through its regions.

    Attributes:
        recorded: mask digest -> mean and deviation that intensities were normalised with, of the only regions that
            are wanted; None: all regions, and the statistics are taken from the image.
        original: the image as it was exported, or why there is none; None: not to be compared.
    """

    context: Context
    opened: Opened
    profile: Profile
    columns: tuple[Column, ...]
    acquisition_digest: str
    recorded: Mapping[str, Scale] | None = None
    original: Original | str | None = None


def open_image(image: Image) -> Opened:
    """Read the voxels.

    Raises:
        VolumeError: they are no image in space.
    """
    volume = read_volume(list(image.files))
    return Opened(image, volume, provenance.digest_of_image(volume.values, volume.unit, volume.grid.spacing))


def start(
    context: Context, opened: Opened, profile: Profile, found: Found, recorded: Mapping[str, Scale] | None = None
) -> Job:
    """Make an image ready for its regions, and tell its acquisition.

    Raises:
        RegionError: wrong_unit.
    """
    extensions.load(context.extensions)  # once in each process
    if profile.unit is not None and opened.volume.unit != profile.unit:
        raise RegionError("wrong_unit")
    row = acquisition_row(opened.image, opened.volume)
    found.acquisition.append(row)
    told = json.dumps({name: value for name, value in row.items() if name not in ("series", "subject")}, sort_keys=True)
    digest = context.key.code("acquisition", told, length=64)
    return Job(context, opened, profile, columns_for(profile, engine=context.engine), digest, recorded)


def extract_regions(job: Job, contours: Iterable[Contour], found: Found) -> None:
    """Add the rows of all regions of the contours; a contour that can't be read is a problem under its name."""
    for contour in contours:
        try:
            for code, roi, twin in _regions(job, contour):
                _add(job, contour, code, roi, twin, found)
        except Exception as error:
            found.problems[contour.series] = explain(error)


def dicom_files(folder: Path) -> tuple[Path, ...]:
    """Instances of a series, by name."""
    return tuple(sorted(folder.glob("*.dcm")))


def contour_files(folder: Path, kind: str) -> tuple[Path, ...]:
    """Files of a contour series, by name."""
    return tuple(sorted(folder.glob("*.nii.gz"))) if kind == "nifti" else dicom_files(folder)


Twin = Callable[[], Roi]  # the same region as it was exported


def _regions(job: Job, contour: Contour) -> Iterator[tuple[str, Roi, Twin]]:
    """Code and mask of each region. The image and the file join the code only where the number alone isn't unique."""
    for place, path in enumerate(contour.files):
        image = [job.opened.image.series] if contour.shared else []
        name = [path.name] if len(contour.files) > 1 else []
        walk = _walk(job, contour, place)
        for roi in iter_rois(path, contour.kind, job.opened.volume.grid):
            code = "R-" + job.context.key.code("roi", contour.series, str(roi.number), *image, *name)
            yield code, roi, partial(walk, roi.number)


def _walk(job: Job, contour: Contour, place: int) -> Callable[[int], Roi]:
    """Gives the exported regions of a file by their rising numbers; nothing is read before it is asked."""
    if isinstance(job.original, Original) and contour.exported:
        return Walk(contour.exported[place], contour.kind, job.original).take
    return absent


def _original(opened: Opened) -> Original | str | None:
    """The image as it was exported, or why there is none."""
    if not opened.image.compared:
        return None
    if not opened.image.exported:
        return "original_absent"
    try:
        return read_original(opened.image.exported, opened.volume, opened.digest)
    except Exception as error:
        return f"original_{explain(error)[0]}"


def _add(job: Job, contour: Contour, code: str, roi: Roi, twin: Twin, found: Found) -> None:
    """One row; a region that fails is a row too."""
    mask_digest = provenance.digest_of_mask(roi.mask)
    if job.recorded is not None and mask_digest not in job.recorded:
        return
    image = job.opened.image
    row: dict[str, Any] = dict.fromkeys(job.context.names, math.nan)
    row |= {**image.about, "roi": code, "series": image.series, "contour": contour.series}
    row |= {"roi_label": roi.label, "modality": image.modality, "status": tables.FAILED}
    found.features.append(row)
    try:
        if roi.problem is not None:
            raise roi.problem
        measured = _measure(job, contour, roi, mask_digest)
        record = provenance.record(job.profile, _source(job, contour, roi, measured, mask_digest), job.context.engine)
        if provenance.lacking(record):
            raise RegionError("provenance_incomplete")
    except Exception as error:
        row["reason"] = explain(error)[0]
        return
    digest = provenance.digest(record)
    row |= {**measured.outcome.values, "status": tables.OK, "provenance": digest}
    found.provenance.append({**record, "provenance": digest})
    found.missing.extend(_missing(job, code, measured.outcome.reasons))
    if job.context.ranged:
        found.ranges.append({"roi": code, **_ranges(job, roi, measured, mask_digest)})
    found.crosscheck.extend(_crosscheck(job, code, measured))
    if job.original is not None:
        told = {"roi": code, "series": image.series, "contour": contour.series}
        found.invariance.append(told | _invariance(job, contour, roi, mask_digest, measured, twin))


def _invariance(
    job: Job, contour: Contour, roi: Roi, mask_digest: str, measured: Measured, twin: Twin
) -> dict[str, Any]:
    """How the region's features compare with those before cleaning; statistics come from the same voxels."""
    if job.original is None or isinstance(job.original, str):
        return unproven(job.original or "original_absent")
    statistics, spacing = _statistics_from(job, contour, roi), job.opened.volume.grid.spacing

    def again(volume: Volume, before: Roi) -> Mapping[str, float]:
        scaling = scale(volume.values, job.profile, replace(statistics, roi=before.mask))
        chosen = engine.find(job.context.engine)
        return measure(
            volume.values, before.mask, volume.grid.spacing, job.profile, scaling, chosen, job.columns
        ).outcome.values

    def reach() -> Flags:
        wide = margin(job.profile.filters, target_spacing(spacing, job.profile))
        return reads(roi.mask, spacing, job.profile, wide, source(job.profile, statistics, roi.mask.shape))

    try:
        return held_against(job.original, twin(), Region(roi, mask_digest, measured.outcome.values, again, reach))
    except Exception as error:
        return unproven(f"original_{explain(error)[0]}")


def _measure(job: Job, contour: Contour, roi: Roi, mask_digest: str) -> Measured:
    volume = job.opened.volume
    scaling = (
        scale(volume.values, job.profile, _statistics_from(job, contour, roi))
        if job.recorded is None
        else job.recorded[mask_digest]
    )
    first, check = engine.find(job.context.engine), job.context.crosscheck
    second = engine.find(check.engine) if is_chosen(job.opened.digest, mask_digest, check.share) else None
    return measure(volume.values, roi.mask, volume.grid.spacing, job.profile, scaling, first, job.columns, second)


def _crosscheck(job: Job, code: str, measured: Measured) -> Iterator[dict[str, Any]]:
    if measured.second is None:
        return
    image, context = job.opened.image, job.context
    told = {"roi": code, "subject": image.about["subject"], "modality": image.modality}
    told |= {"engine": context.engine, "second_engine": context.crosscheck.engine}
    yield from ({**told, **row} for row in differences(job.columns, measured.outcome, measured.second))


def _ranges(job: Job, roi: Roi, measured: Measured, mask_digest: str) -> dict[str, Any]:
    """The row of ranges.parquet but for the region's code; a region without ranges is a row too."""
    volume, image, names = job.opened.volume, job.opened.image, set(job.context.ranged)
    source = Source(volume.values, roi.mask, volume.grid.spacing, job.profile, measured.scale)
    columns = tuple(column for column in job.columns if column.name in names)
    row: dict[str, Any] = {name + part: math.nan for name in names for part in tables.RANGE_PARTS}
    row |= {"subject": image.about["subject"], "modality": image.modality}
    digests, computing = (job.opened.digest, mask_digest), engine.find(job.context.engine)
    try:
        spread = ranges_of(source, job.context.ranges, digests, computing, columns, measured)
    except Exception as error:
        return {**row, "perturbations": 0, "reason": explain(error)[0]}
    return {**row, **spread.row(), "reason": None if spread.perturbations else "empty_after_interpolation"}


def _missing(job: Job, code: str, reasons: dict[str, str]) -> list[dict[str, Any]]:
    computed = {column.name for column in job.columns}
    told = {name: NOT_SELECTED for name in job.context.names if name not in computed} | reasons
    return [
        {"roi": code, "reason": reason, "features": [name for name in job.context.names if told.get(name) == reason]}
        for reason in sorted(set(told.values()))
    ]


def _source(job: Job, contour: Contour, roi: Roi, measured: Measured, mask_digest: str) -> provenance.Source:
    return provenance.Source(
        unit=job.opened.volume.unit,
        voxel_size=measured.spacing,
        scale=measured.scale,
        segmentation_source=contour.kind,
        segmentation_method=roi.method,
        segmentation_notes=roi.notes,
        image_digest=job.opened.digest,
        mask_digest=mask_digest,
        acquisition_digest=job.acquisition_digest,
    )


def _exported(image: Image) -> Volume:
    """The image as it was exported: the stages that clean pixels keep nothing of before."""
    try:
        if image.exported:
            return read_volume(list(image.exported))
    except OSError:
        pass
    raise RegionError("original_absent")


def _statistics_from(job: Job, contour: Contour, roi: Roi) -> Regions:
    volume = job.opened.volume

    def unchanged() -> Flags:
        before = _exported(job.opened.image)
        if not before.grid.equal_to(volume.grid):
            raise RegionError("normalisation_region_absent")
        same: Flags = before.values == volume.values
        return same

    def labelled(label: str) -> Flags | None:
        for path in contour.files:
            for other in iter_rois(path, contour.kind, volume.grid):
                if other.label.casefold() == label.casefold() and other.problem is None:
                    return other.mask
        return None

    return Regions(roi.mask, job.opened.image.changed_voxels, unchanged, labelled)


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

"""extract: masks on the image grid, IBSI preprocessing, features with full provenance."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from radcurate import tables
from radcurate.features.catalogue import Column
from radcurate.features.profile import load_profiles
from radcurate.features.pyradiomics_names import full_name
from radcurate.keys import Key
from radcurate.seals import check_seal, write_seal
from radcurate.settings import Extract
from radcurate.stages._command import command
from radcurate.stages._context import Context, context_for, load_extensions
from radcurate.stages._folders import empty_folder
from radcurate.stages._pool import map_items
from radcurate.stages._regions import (
    REMEDIES,
    Contour,
    Found,
    Image,
    contour_files,
    dicom_files,
    extract_image,
    lost_image,
)
from radcurate.stages._written import Listing, insist, sealed_listing

log = logging.getLogger("radcurate")

Row = dict[str, Any]
Exported = Mapping[tuple[str, str], Path]
Outcome = tuple[str, str | None, str | None]  # status, reason, remedy
OK: Outcome = (tables.OK, None, None)
WRITTEN = (
    "features.parquet",
    "columns.parquet",
    "missing.parquet",
    "ranges.parquet",
    "crosscheck.parquet",
    "acquisition.parquet",
    "provenance.parquet",
    "invariance.parquet",
    "series.parquet",
)


def run(
    settings: Extract,
    source: Path,
    subjects: Path,
    verified: Path,
    chunk: Path,
    export: Path,
    out: Path,
    key: Key,
    profiles: Path,
    threads: int,
    extensions: Sequence[Path] = (),
) -> None:
    """Compute features of every region of a chunk.

    Args:
        settings: section `extract`.
        source: results/deface/<chunk>.
        subjects: results/deidentify/<chunk>.
        verified: results/verify/<chunk>.
        chunk: results/consent/chunks/<chunk>, which knows the files as they were exported.
        export: the folder of the export, which features before cleaning are computed from.
        out: results/extract/<chunk>.
        key: the project key.
        profiles: folder with ct.yaml, mr.yaml and pt.yaml.
        threads: processes.
        extensions: files with features or engines of the user's own.

    Raises:
        CurationError: a seal doesn't hold, a profile is not valid, or an extension fails its conformance suite.
    """
    load_extensions(extensions, never_from=(source, subjects, verified, chunk))
    listing = sealed_listing(source, key)
    for folder in (subjects, verified, chunk):
        check_seal(folder, key)
    chosen = load_profiles(profiles, {"ct": settings.ct, "mr": settings.mr, "pt": settings.pt})
    context = replace(context_for(settings, chosen, key), extensions=tuple(extensions))
    rows = tables.read_rows(source / "series.parquet", tables.DEFACE_SERIES)
    people = _by_series(tables.read_rows(subjects / "series.parquet", tables.DEIDENTIFY_SERIES))
    checked = _by_series(tables.read_rows(verified / "series.parquet", tables.VERIFY_SERIES))
    upstream = {row["series"]: _upstream(row, checked.get(row["series"]), context) for row in rows}
    folders = Folders(source, _exported(chunk, subjects, export), settings.invariance)
    images = _images(rows, upstream, people, folders)
    found = map_items(partial(_extracted, context, source / "dicom", listing), images, threads, "extract", lost_image)
    ends = _ends(rows, upstream, images, found)
    _write(out, context, rows, ends, found, key)
    _tell(found, ends)


def _extracted(context: Context, dicom: Path, listing: Listing, image: Image) -> Found:
    """An image and its contours, once their files are known to be those that deface wrote and verify read."""
    for series in (image.series, *(contour.series for contour in image.contours)):
        insist(dicom / series, listing.get(series))
    return extract_image(context, image)


def _by_series(rows: Iterable[Row]) -> dict[str, Row]:
    return {row["series"]: row for row in rows}


def _upstream(row: Row, check: Row | None, context: Context) -> Outcome:
    """What is known before a series is opened: not ok before, not verified, or of a modality without a profile."""
    for earlier in (row, check):
        if earlier is None:
            return (tables.FAILED, "not_verified", "delete results/verify and run snakemake again")
        if earlier["status"] != tables.OK:
            return (earlier["status"], earlier["reason"], earlier["remedy"])
    if row["kind"] == "picture":
        return (
            tables.EXCLUDED,
            "picture",
            "nothing: features come from CT, MR and PET; it lies cleaned in results/deface",
        )
    if row["kind"] == "image" and row["modality"] not in context.profiles:
        return (tables.EXCLUDED, "no_profile", "features are extracted from CT, MR and PET")
    return OK


def _exported(chunk: Path, subjects: Path, export: Path) -> Exported:
    """The file that each cleaned one was made from, by series and name."""
    paths = {row["file"]: row["path"] for row in tables.read_rows(chunk / "instances.parquet")}
    made = tables.read_rows(subjects / "instances.parquet", tables.DEIDENTIFY_INSTANCES)
    return {(row["series"], row["name"]): export / paths[row["file"]] for row in made if row["file"] in paths}


@dataclass(frozen=True)
class Folders:
    """Where cleaned images are, which exported files they were made from, and whether these are to be compared."""

    source: Path
    exported: Exported
    compared: bool

    def before(self, series: str, files: tuple[Path, ...]) -> tuple[Path, ...]:
        """The exported files of cleaned ones; empty where one isn't known."""
        found = tuple(self.exported[series, path.name] for path in files if (series, path.name) in self.exported)
        return found if len(found) == len(files) else ()


def _images(
    rows: list[Row], upstream: Mapping[str, Outcome], people: Mapping[str, Row], folders: Folders
) -> list[Image]:
    """Usable images that have usable contours."""
    usable = [row for row in rows if upstream[row["series"]] == OK]
    images = []
    for row in sorted(usable, key=lambda row: str(row["series"])):
        contours = tuple(_contour(other, folders) for other in usable if row["series"] in (other["images"] or []))
        person = people.get(row["series"], {})
        if row["kind"] == "image" and contours:
            files = dicom_files(folders.source / "dicom" / row["folder"])
            image = Image(
                series=row["series"],
                modality=row["modality"],
                files=files,
                exported=folders.before(row["series"], files),
                compared=folders.compared,
                changed_voxels=row["changed_voxels"] or 0,
                about={"subject": row["subject"]} | {name: person.get(name) for name in ABOUT},
                contours=tuple(sorted(contours, key=lambda contour: contour.series)),
            )
            images.append(image)
    return images


ABOUT = ("site", "sex", "age", "study_date")


def _contour(row: Row, folders: Folders) -> Contour:
    files = contour_files(folders.source / "dicom" / row["folder"], row["kind"])
    return Contour(row["series"], row["kind"], files, len(row["images"]) > 1, folders.before(row["series"], files))


def _ends(
    rows: list[Row], upstream: Mapping[str, Outcome], images: list[Image], found: list[Found]
) -> dict[str, Outcome]:
    """Final outcome of every series: ok where a row with values comes from it."""
    ends = dict(upstream)
    by_image = {image.series: result for image, result in zip(images, found, strict=True)}
    for row in rows:
        series = row["series"]
        if upstream[series] != OK:
            continue
        if row["kind"] == "image":
            ends[series] = _image_end(series, by_image.get(series))
        else:
            ends[series] = _contour_end(series, row["images"] or [], upstream, by_image)
    return ends


def _image_end(series: str, result: Found | None) -> Outcome:
    if result is None:
        return (tables.EXCLUDED, "no_contour", "draw a region on this image, or leave it out")
    own = [result.problems[series]] if series in result.problems else []
    return _end(result.features, own + list(result.problems.values()))


def _contour_end(
    series: str, images: list[str], upstream: Mapping[str, Outcome], by_image: Mapping[str, Found]
) -> Outcome:
    results = [(image, by_image[image]) for image in images if image in by_image]
    if results:
        mine = [row for _, result in results for row in result.features if row["contour"] == series]
        own = [result.problems[series] for _, result in results if series in result.problems]
        return _end(mine, own + [result.problems[image] for image, result in results if image in result.problems])
    unusable = [upstream[image] for image in images if upstream.get(image, OK) != OK]
    if unusable:
        return (unusable[0][0], "image_" + unusable[0][0], unusable[0][2])
    return (tables.EXCLUDED, "no_image", "export the image that the contour was drawn on")


def _end(regions: list[Row], problems: list[tuple[str, str]]) -> Outcome:
    if any(row["status"] == tables.OK for row in regions):
        return OK
    if problems:
        return (tables.FAILED, *problems[0])
    if regions:
        reason = str(regions[0]["reason"])
        return (tables.FAILED, reason, REMEDIES.get(reason, "draw the region again, or leave it out"))
    return (tables.FAILED, "no_region", "draw at least one region")


def _write(
    out: Path, context: Context, rows: list[Row], ends: Mapping[str, Outcome], found: list[Found], key: Key
) -> None:
    empty_folder(out)
    features = [row for result in found for row in result.features]
    records = {row["provenance"]: row for result in found for row in result.provenance}
    tables.write_rows(out / "features.parquet", tables.with_features(context.names), features)
    tables.write_rows(
        out / "columns.parquet",
        tables.EXTRACT_COLUMNS,
        (_column_row(column, context.engine) for column in context.columns),
    )
    tables.write_rows(
        out / "missing.parquet", tables.EXTRACT_MISSING, (row for result in found for row in result.missing)
    )
    tables.write_rows(
        out / "ranges.parquet",
        tables.with_ranges(context.ranged),
        (row for result in found for row in result.ranges),
    )
    tables.write_rows(
        out / "crosscheck.parquet", tables.EXTRACT_CROSSCHECK, (row for result in found for row in result.crosscheck)
    )
    tables.write_rows(
        out / "acquisition.parquet", tables.EXTRACT_ACQUISITION, (row for result in found for row in result.acquisition)
    )
    tables.write_rows(out / "provenance.parquet", tables.EXTRACT_PROVENANCE, records.values())
    unlike = (row for result in found for row in result.invariance)
    tables.write_rows(out / "invariance.parquet", tables.EXTRACT_INVARIANCE, unlike)
    tables.write_rows(out / "series.parquet", tables.EXTRACT_SERIES, (_series_row(row, ends, features) for row in rows))
    write_seal(out, list(WRITTEN), key)


def _column_row(column: Column, engine: str) -> Row:
    own = full_name(column.tag) if engine == "pyradiomics" else None
    plain = {name: getattr(column, name) for name, _ in tables.EXTRACT_COLUMNS.columns}
    return plain | {"description": f"{column.description}; in pyradiomics {own}"} if own else plain


def _series_row(row: Row, ends: Mapping[str, Outcome], features: list[Row]) -> Row:
    series = row["series"]
    status, reason, remedy = ends[series]
    rois = sum(r["status"] == tables.OK and series in (r["series"], r["contour"]) for r in features)
    kept = {name: row[name] for name in ("series", "subject", "kind", "modality")}
    return {**kept, "status": status, "reason": reason, "remedy": remedy, "rois": rois}


def _tell(found: list[Found], ends: Mapping[str, Outcome]) -> None:
    rows = [row["status"] for result in found for row in result.features]
    missed = sum(status not in (tables.OK, tables.EXCLUDED) for status, _, _ in ends.values())
    log.info(
        "extract: %d series, %d regions with features, %d regions failed, %d series failed or quarantined",
        len(ends),
        rows.count(tables.OK),
        rows.count(tables.FAILED),
        missed,
    )


if __name__ == "__main__":
    command(run)

"""Remove faces from head CT, MR and PET, measure that it worked, and prove that the rest is untouched."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from radcurate import tables
from radcurate.governance.decisions import read_decisions
from radcurate.identity.files import private_folder
from radcurate.keys import Key
from radcurate.settings import Deface
from radcurate.stages._command import command
from radcurate.stages._contours import gather
from radcurate.stages._face_decisions import settle
from radcurate.stages._faces import REMEDIES, Result, Space, clean_space, lost_space
from radcurate.stages._folders import empty_folder
from radcurate.stages._pool import map_items
from radcurate.stages._written import Listing, list_files, seal, sealed_listing

log = logging.getLogger("radcurate")
Row = dict[str, Any]
TABLES = ("series.parquet", "qc.parquet", "masks.parquet")


def run(settings: Deface, source: Path, decisions: Path, out: Path, key: Key, threads: int) -> None:
    """Deface one chunk.

    Args:
        settings: section deface of the configuration.
        source: results/redact/<chunk>.
        decisions: the file of decisions; there need not be one.
        out: results/deface/<chunk>.
        key: the project key.
        threads: processes, one study each.

    Raises:
        CurationError: the seal of `source` doesn't hold, or the file of decisions can't be read.
    """
    listing = sealed_listing(source, key)
    rows = tables.read_rows(source / "series.parquet", tables.REDACT_SERIES)
    for name in ("dicom", "pictures"):
        empty_folder(out / name)
    private_folder(out / "pictures")
    spaces = _spaces(rows, source / "dicom", out, settings, listing)
    results = _cleaned(spaces, threads)
    results = settle(spaces, results, read_decisions(decisions), key, lambda space: _cleaned([space], 1)[0])
    series, quality, masks = _gather(rows, results, source / "dicom", out / "dicom", listing)
    tables.write_rows(out / "series.parquet", tables.DEFACE_SERIES, series)
    tables.write_rows(out / "qc.parquet", tables.DEFACE_QC, quality)
    tables.write_rows(out / "masks.parquet", tables.DEFACE_MASKS, masks)
    seal(out, TABLES, key, list_files(out / "dicom", (source / "dicom", listing)))
    images = [row for row in series if row["kind"] == "image"]
    log.info(
        "deface: %d images, %d defaced, %d without a face, %d quarantined",
        len(images),
        sum(row.get("face") == "removed" for row in images),
        sum(row.get("face") == "none" for row in images),
        sum(row["status"] != tables.OK for row in images),
    )


def _cleaned(spaces: list[Space], threads: int) -> list[Result]:
    return map_items(clean_space, spaces, threads, "deface", lost_space, lambda space: len(space.images))


def _spaces(rows: list[Row], dicom: Path, out: Path, settings: Deface, listing: Listing) -> list[Space]:
    """One for each study."""
    contours = [row for row in rows if row["kind"] != "image"]
    spaces = []
    for images in _studies([row for row in rows if row["kind"] == "image" and row["status"] == tables.OK]):
        own = {row["series"] for row in images}
        linked = tuple(row for row in contours if own & set(row["images"] or []))
        files = {row["folder"]: listing.get(row["folder"], {}) for row in images}
        spaces.append(Space(tuple(images), linked, dicom, out / "dicom", out / "pictures", settings, files))
    return spaces


def _studies(images: list[Row]) -> list[list[Row]]:
    """Images of one patient by study; studies that share a frame of reference stay together."""
    groups: list[tuple[set[tuple[str, ...]], list[Row]]] = []
    for row in sorted(images, key=lambda row: (row["subject"], row["series"])):
        names = {(row["subject"], "study", row["study"] or row["series"])}
        if row["frame_of_reference"]:
            names.add((row["subject"], "frame", row["frame_of_reference"]))
        together = [group for group in groups if group[0] & names]
        groups = [group for group in groups if not group[0] & names]
        members = [image for _, found in together for image in found]
        groups.append((names.union(*(known for known, _ in together)), [*members, row]))
    return [found for _, found in groups]


def _gather(
    rows: list[Row], results: list[Result], dicom: Path, out: Path, listing: Listing
) -> tuple[list[Row], list[Row], list[Row]]:
    """One row for each series that redact told of, in whatever state; the checks; the masks of what goes on."""
    done = {row["series"]: row for result in results for row in result.series}
    marked: dict[str, str] = {}
    for result in results:
        marked |= {series: reason for series, reason in result.contours.items() if marked.get(series) != "roi_overlap"}
    quality = [row for result in results for row in result.quality]
    series = gather(rows, done, marked, (dicom, out), REMEDIES, listing)
    # a series that was set aside holds its untouched files again
    removed = {row["series"] for row in series if row.get("face") == "removed"}
    masks = [row for result in results for row in result.masks if row["series"] in removed]
    redacted = {row["series"]: row["changed_pixels"] or 0 for row in rows}
    series = [row | {"changed_voxels": row.get("changed_voxels", 0) + redacted[row["series"]]} for row in series]
    return series, quality, masks


if __name__ == "__main__":
    command(run)

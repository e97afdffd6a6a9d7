"""Contours of a chunk at a stage that changes pixels: held against what was cleaned, and gone with their images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.stages._folders import files_in, link_series
from radcurate.stages._written import Listing, insist
from radcurate.volumes.grid import Grid
from radcurate.volumes.masks import read_rois
from radcurate.volumes.overlap import Flags, Overlap, overlap

Row = dict[str, Any]
UNKNOWN, GONE = "overlap_unknown", "image_quarantined"
CONTOUR_REMEDIES = {
    UNKNOWN: "export the contour on this image, so that its distance from what was cleaned can be told",
    GONE: "see the row of the image that this contour belongs to",
}


@dataclass(frozen=True)
class Touch:
    """What contours share with a cleaned region.

    marked: contour series -> why it can't stay: the overlap's reason, or that it can't be placed.
    """

    shared: Overlap
    marked: Mapping[str, str]

    def overlapping(self) -> dict[str, str]:
        """Of `marked`, those that touch what was cleaned."""
        return {series: reason for series, reason in self.marked.items() if reason != UNKNOWN}


def touching(
    series: str,
    contours: Sequence[Mapping[str, Any]],
    dicom: Path,
    mask: Flags,
    grid: Grid,
    reason: str = "roi_overlap",
) -> Touch:
    """Contours of an image against the `mask` of what was cleaned in it, shape (plane, row, column) on `grid`.

    Args:
        series: the image.
        contours: rows of the chunk's contours; those of other images are passed over.
        dicom: folder of the folders of the series.
        mask: the cleaned voxels.
        grid: of image and mask.
        reason: what a contour is marked with that shares voxels with the mask.
    """
    found: list[Overlap] = []
    marked: dict[str, str] = {}
    for contour in contours:
        if series not in (contour["images"] or []) or contour["status"] != tables.OK:
            continue
        try:
            regions = [
                roi.mask
                for path in files_in(dicom / contour["folder"])
                for roi in read_rois(path, contour["kind"], grid)
                if roi.mask.any()
            ]
        except CurationError:
            # it may belong to another image of the same space; extract tells why it can't be used on this one
            regions = []
            if len(contour["images"]) == 1:
                marked[contour["series"]] = UNKNOWN
        one = overlap(mask, regions, grid)
        if one.voxels:
            marked[contour["series"]] = reason
        found.append(one)
    distances = [one.distance for one in found if one.distance is not None]
    return Touch(Overlap(sum(one.voxels for one in found), min(distances) if distances else None), marked)


def gather(
    rows: Sequence[Row],
    done: Mapping[str, Row],
    marked: Mapping[str, str],
    folders: tuple[Path, Path],
    remedies: Mapping[str, str],
    listing: Listing,
) -> list[Row]:
    """One row for each series that the stage before told of, in whatever state; files of the others are linked.

    A contour goes with its images: it stays when one of them does and it touches nothing that was cleaned.

    Args:
        rows: of the stage before.
        done: rows of the images that this stage worked on.
        marked: contours that can't stay -> why.
        folders: dicom folders of the stage before and of this one.
        remedies: by reason, those of `marked` among them.
        listing: of the files of the stage before.

    Raises:
        CurationError: files to be linked are not as the stage before wrote them.
    """
    source, target = folders
    found = dict(done)
    for row in rows:
        if row["series"] in done:
            continue
        folder = row["folder"] or row["series"]
        insist(source / folder, listing.get(folder))
        link_series(source / folder, target / folder)
        found[row["series"]] = _contour(row, marked, done, remedies) if row["status"] == tables.OK else as_it_was(row)
    return list(found.values())


def _contour(row: Row, marked: Mapping[str, str], done: Mapping[str, Row], remedies: Mapping[str, str]) -> Row:
    images = [done[name] for name in row["images"] or [] if name in done]
    reason = marked.get(row["series"])
    if reason is None and images and all(image["status"] != tables.OK for image in images):
        reason = GONE
    plain = as_it_was(row)
    return plain | {"status": tables.QUARANTINED, "reason": reason, "remedy": remedies[reason]} if reason else plain


def as_it_was(row: Row) -> Row:
    """What a stage says of a series that it didn't work on."""
    names = ("series", "subject", "kind", "modality", "status", "reason", "remedy", "folder", "n_instances", "images")
    return {name: row[name] for name in names}

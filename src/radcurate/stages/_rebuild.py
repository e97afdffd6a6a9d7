"""Compute the regions of a release again, wherever the images lie: the same way through an image as `extract`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.features import engine, extensions
from radcurate.features.crosscheck import agreement
from radcurate.features.normalise import Scale
from radcurate.features.profile import Profile
from radcurate.features.ranges.stability import stability_rows
from radcurate.keys import KEY_BYTES, Key
from radcurate.release.manifest import BY_REGION, OF_ALL, Identity, Json, Manifest, identity
from radcurate.settings import Extract
from radcurate.stages._candidates import Series, likely
from radcurate.stages._context import Context, context_for
from radcurate.stages._pool import map_items
from radcurate.stages._regions import (
    Contour,
    Found,
    Image,
    Opened,
    explain,
    extract_regions,
    open_image,
    start,
)

Row = dict[str, Any]
# Codes of rows need a key; those of a rebuilt row are seen by nobody, and no value depends on them.
NO_KEY = Key(bytes(KEY_BYTES))
IMAGE_ABSENT, MASK_ABSENT = "no image with its digest", "no mask with its digest on its image"


@dataclass(frozen=True)
class Plan:
    """What every process needs to know: settings, contours that were found, records by the digest of their image."""

    context: Context
    contours: list[Series]
    wanted: Mapping[str, list[Json]]


@dataclass
class Rebuilt:
    """What came of one image, or of all.

    Attributes:
        rows: rows by region and table.
        absent: why regions of images that were found have no values.
        images: digests of the release's images that were found.
    """

    rows: dict[Identity, dict[str, list[Row]]] = field(default_factory=dict)
    absent: dict[Identity, str] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)

    def add(self, other: Rebuilt) -> None:
        """The rows of another image too; a region that was measured anywhere is not absent."""
        self.rows |= other.rows
        self.images |= other.images
        self.absent = {one: why for one, why in (self.absent | other.absent).items() if one not in self.rows}


def rebuild(
    manifest: Manifest, images: list[Series], contours: list[Series], threads: int, own: Sequence[Path] = ()
) -> Rebuilt:
    """The regions of a release from whatever images and contours there are; `own`: extensions, loaded before.

    Raises:
        CurationError: the settings of the release are not this version's, or its engine is not known here.
    """
    _insist_on_extensions(manifest)
    for name in sorted({record["engine"] for record in manifest.records.values()}):
        engine.find(name)
    wanted: dict[str, list[Json]] = defaultdict(list)
    for record in manifest.records.values():
        wanted[record["image_digest"]].append(record)
    profiles = {record["profile_digest"]: read_profile(record) for record in manifest.records.values()}
    context = context_for(_settings(manifest), profiles, NO_KEY)
    context = replace(context, extensions=tuple(own))
    plan = Plan(context, contours, dict(wanted))
    result = Rebuilt()
    for part in map_items(partial(_rebuild_image, plan), images, threads, "computing"):
        result.add(part)
    for record in manifest.records.values():
        result.absent.setdefault(identity(record), IMAGE_ABSENT)
    result.absent = {one: why for one, why in result.absent.items() if one not in result.rows}
    return result


def _insist_on_extensions(manifest: Manifest) -> None:
    """Another file of the same name is told as another version; none at all can't give the release's columns."""
    wanted = {name for record in manifest.records.values() for name in extensions.names(record["extensions"])}
    absent = wanted - set(extensions.names(extensions.told()))
    if absent:
        raise CurationError(
            "the release was made with features of somebody's own",
            wanted=", ".join(sorted(absent)),
            found="no such extension",
            fix="get the files from whoever made the release, read them, and name each: --extension FILE",
        )


def _settings(manifest: Manifest) -> Extract:
    try:
        return Extract.model_validate(manifest.settings)
    except ValidationError as error:
        raise _of_another_version(error) from None


def read_profile(record: Json) -> Profile:
    """The profile that a record tells.

    Raises:
        CurationError: it has options that this version doesn't know.
    """
    try:
        return Profile.model_validate_json(record["profile"])
    except ValidationError as error:
        raise _of_another_version(error) from None


def _of_another_version(error: ValidationError) -> CurationError:
    first = error.errors(include_url=False)[0]
    return CurationError(
        "the release was made with settings that this version doesn't know",
        wanted="the settings of this version",
        found="extract." + ".".join(str(part) for part in first["loc"]),
        fix="install the version that the release names: provenance.json, versions",
    )


def _rebuild_image(plan: Plan, series: Series) -> Rebuilt:
    """The wanted regions of one image; nothing where the release has no region on it, or it can't be read."""
    try:
        opened = open_image(Image("image", series.modality, series.files, (), 0, {"subject": None}, ()))
    except Exception:
        return Rebuilt()
    result = Rebuilt()
    records = sorted(plan.wanted.get(opened.digest, []), key=_way)
    for _, group in groupby(records, key=_way):
        result.images.add(opened.digest)
        _rebuild_regions(plan, series, opened, list(group), result)
    return result


def _way(record: Json) -> tuple[str, str]:
    return record["engine"], record["profile_digest"]


def _rebuild_regions(plan: Plan, series: Series, opened: Opened, records: list[Json], result: Rebuilt) -> None:
    """Regions that were made with one profile by one engine. Contours are read until each mask was found."""
    first = records[0]
    context = replace(plan.context, engine=first["engine"])
    recorded = {record["mask_digest"]: _scale(record) for record in records}
    kinds = {record["segmentation_source"] for record in records}
    found = Found()
    try:
        job = start(context, opened, plan.context.profiles[first["profile_digest"]], found, recorded)
        for number, candidate in enumerate(likely(plan.contours, series, opened.volume.grid.shape)):
            if candidate.kind in kinds and recorded.keys() - _measured(found):
                extract_regions(job, [Contour(str(number), candidate.kind, candidate.files, False)], found)
    except Exception as error:
        result.absent |= {identity(record): explain(error)[0] for record in records}
        return
    _sort(found, records, result)


def _scale(record: Json) -> Scale:
    mean, deviation = record["normalisation_mean"], record["normalisation_deviation"]
    return None if mean is None or deviation is None else (mean, deviation)


def _measured(found: Found) -> set[str]:
    return {record["mask_digest"] for record in found.provenance}


def _sort(found: Found, records: list[Json], result: Rebuilt) -> None:
    """Rows of every table to the regions that they are of; a mask that two contours have is told once."""
    made = {record["provenance"]: identity(record) for record in found.provenance}
    first = {made[row["provenance"]]: row["roi"] for row in reversed(found.features) if row["status"] == tables.OK}
    regions = {roi: one for one, roi in first.items()}
    for name in (*BY_REGION, "crosscheck"):
        for row in getattr(found, name):
            if row["roi"] in regions:
                result.rows.setdefault(regions[row["roi"]], {}).setdefault(name, []).append(row)
    failed = [row["reason"] for row in found.features if row["status"] != tables.OK]
    for record in records:
        if identity(record) not in result.rows:
            result.absent[identity(record)] = failed[0] if failed else MASK_ABSENT


def summaries(manifest: Manifest, rebuilt: Rebuilt) -> dict[str, list[Row]]:
    """The tables over all regions that the release has, once more from the regions that were rebuilt."""
    made = [identity(manifest.records[name]) for name in manifest.provenance.values()]
    rows = {
        name: [row for one in made for row in rebuilt.rows.get(one, {}).get(name, [])] for name in (*BY_REGION, *OF_ALL)
    }
    found: dict[str, list[Row]] = {}
    if "crosscheck" in manifest.summaries:
        found["crosscheck"] = agreement([tables.table(tables.EXTRACT_CROSSCHECK, rows["crosscheck"])])
    if "stability" in manifest.summaries:
        features = manifest.summaries["stability"]["feature"].unique().to_pylist()
        schema = tables.with_ranges(features)
        names = [name for name, _ in schema.columns]
        kept = ({name: row.get(name) for name in names} for row in rows["ranges"])
        content = tables.table(schema, kept)
        found["stability"] = list(stability_rows(content, content.select, features))
    return found

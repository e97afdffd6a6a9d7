"""What a release tells about each of its numbers: the regions, the record of each, the tables that hold values.

Nothing else is needed to compute them again, but the images and the masks that the digests in the records name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from radcurate import tables
from radcurate.errors import CurationError

Json = Mapping[str, Any]
ROLE = b"radcurate.role"
BY_REGION = ("features", "ranges")  # tables with a row per region, where a release has them
STABILITY = "stability"
OF_ALL = (STABILITY, "crosscheck")  # tables with a row per feature and modality, over all regions
KEYS = ("modality", "feature")
# what a column's metadata say where its values are those measured
TREATMENTS = {b"radcurate.harmonised": b"none", b"radcurate.microaggregated": b"0", b"radcurate.noise": b"0"}


@dataclass(frozen=True)
class Identity:
    """All that the values of a region depend on, but versions: SHA-256 of image, mask and profile, and the engine."""

    image: str
    mask: str
    profile: str
    engine: str


@dataclass(frozen=True)
class Manifest:
    """A release as its own files tell it.

    Attributes:
        name: such as `radiomics-1`.
        settings: section `extract` of the configuration that it was made with.
        records: the rows of provenance.parquet that rows name, by their names.
        provenance: roi -> name of its record.
        values: table -> its columns `roi` and those that hold values.
        summaries: table over all regions -> its columns `KEYS` and those that hold numbers.
        changed: features whose released values are not those measured: harmonised, averaged or with noise. No table here
            holds them: nobody can compute them from images alone.
    """

    name: str
    settings: Json
    records: Mapping[str, Json]
    provenance: Mapping[str, str]
    values: Mapping[str, pa.Table]
    summaries: Mapping[str, pa.Table]
    changed: tuple[str, ...] = ()


def read_manifest(folder: Path) -> Manifest:
    """Read a release that was checked before (`check.check_release`).

    Raises:
        CurationError: a file lacks, a row has no record, or a record isn't what its digest says.
    """
    about = _about(folder)
    features = tables.read(folder / "features.parquet")
    _insist({"roi", "provenance"} <= set(features.column_names), "features.parquet without the columns roi, provenance")
    provenance = dict(zip(features["roi"].to_pylist(), features["provenance"].to_pylist(), strict=True))
    records = {row.pop("provenance"): row for row in tables.read_rows(folder / "provenance.parquet")}
    for roi, name in provenance.items():
        _insist(name in records, f"row {roi} without a record in provenance.parquet")
    for name, record in records.items():
        _check_record(name, record)
    found = {
        name: tables.read(path) for name in (*BY_REGION, *OF_ALL) if (path := folder / f"{name}.parquet").is_file()
    }
    changed = tuple(field.name for field in features.schema if _changed(field))
    return Manifest(
        name=f"{about['release']}-{about['version']}",
        settings=about["settings"]["extract"],
        records={name: records[name] for name in set(provenance.values())},
        provenance=provenance,
        values={
            name: found[name].select(["roi", *_value_columns(found[name], changed)])
            for name in BY_REGION
            if name in found
        },
        summaries={
            name: _unchanged(found[name], changed if name == STABILITY else ())
            for name in OF_ALL
            if _keyed(found, name)
        },
        changed=changed,
    )


def identity(record: Json) -> Identity:
    """What the values of a record's regions depend on."""
    return Identity(record["image_digest"], record["mask_digest"], record["profile_digest"], record["engine"])


def _about(folder: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
        content["settings"]["extract"]["engine"]
    except (OSError, ValueError, KeyError, TypeError):
        raise _unusable("a provenance.json without the settings of extract") from None
    return content


def _check_record(name: str, record: Json) -> None:
    """A record is named by the digest of all that it says; the profile in it by its own."""
    own = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    _insist(own == name, f"record {name[:12]} says something else than its digest")
    _insist("profile" in record, f"record {name[:12]} without its profile")
    profile = hashlib.sha256(str(record["profile"]).encode()).hexdigest()
    _insist(profile == record["profile_digest"], f"record {name[:12]} with another profile than its digest says")


def _value_columns(content: pa.Table, changed: Collection[str]) -> list[str]:
    """Columns of real numbers that the dictionary calls features, and their ranges, but of those that were changed."""
    return [
        field.name
        for field in content.schema
        if pa.types.is_floating(field.type)
        and (field.metadata or {}).get(ROLE) == b"feature"
        and field.name.removesuffix(tables.LOW).removesuffix(tables.HIGH) not in changed
    ]


def _changed(field: pa.Field) -> bool:
    """Whether something was done to a column after its values were measured, as its metadata tell."""
    told = field.metadata or {}
    return any(told.get(key, untouched) not in (untouched, b"") for key, untouched in TREATMENTS.items())


def _unchanged(content: pa.Table, changed: Collection[str]) -> pa.Table:
    """Keys and numbers of a table over all regions, without the rows of changed features."""
    kept = pa.array([name not in changed for name in content["feature"].to_pylist()], pa.bool_())
    return content.filter(kept).select([*KEYS, *_numbers(content)])


def _keyed(found: Mapping[str, pa.Table], name: str) -> bool:
    """Whether a table over all regions is there, with what names its rows."""
    return name in found and set(KEYS) <= set(found[name].column_names)


def _numbers(content: pa.Table) -> list[str]:
    return [
        field.name for field in content.schema if pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
    ]


def _insist(holds: bool, found: str) -> None:
    if not holds:
        raise _unusable(found)


def _unusable(found: str) -> CurationError:
    return CurationError(
        "the release can't be computed again",
        wanted="a release with a whole record for every row",
        found=found,
        fix="get the release once more from whoever made it; releases of older versions lack the profile",
    )

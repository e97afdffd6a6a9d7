"""The crosswalk of a chunk, from what consent let through and what deidentify wrote: rewritten as a whole each time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from radcurate import tables
from radcurate.deidentify.dates import date_rule
from radcurate.deidentify.uids import new_uid
from radcurate.identity import crosswalk
from radcurate.keys import Key
from radcurate.settings import Deidentify


def write_crosswalk(settings: Deidentify, chunk: Path, out: Path, key: Key) -> None:
    """Encrypt the way back of all series that were rewritten, if the settings name a folder and a broker.

    Args:
        settings: of the deidentify stage.
        chunk: folder of the consent stage; its name is the chunk's.
        out: folder of the deidentify stage for this chunk, its tables written.
        key: the project key.
    """
    if settings.crosswalk and settings.recipients:
        rows = _rows(settings, chunk, out, key)
        crosswalk.write(Path(settings.crosswalk), key.key_id, chunk.name, Path(settings.recipients), rows)


def _rows(settings: Deidentify, chunk: Path, out: Path, key: Key) -> Iterator[dict[str, Any]]:
    originals = _by_series(tables.read_rows(chunk / "instances.parquet", tables.INVENTORY_INSTANCES))
    sources = {row["series"]: row for row in tables.read_rows(chunk / "series.parquet", tables.INVENTORY_SERIES)}
    written = _by_series(tables.read_rows(out / "instances.parquet", tables.DEIDENTIFY_INSTANCES))
    for new in tables.read_rows(out / "series.parquet", tables.DEIDENTIFY_SERIES):
        if new["status"] != tables.OK:
            continue
        source = sources[new["series"]]
        rule = date_rule(key, source["subject"], settings.dates, settings.shift_weeks)
        uids = {row["file"]: row["sop_instance_uid"] for row in originals[new["series"]]}
        instances = [(uids[row["file"]], row["file"]) for row in written[new["series"]]]
        yield from _series(source, new, key, rule.days if rule.mode == "shift" else None, instances)


def _series(
    source: Mapping[str, Any],
    new: Mapping[str, Any],
    key: Key,
    days: int | None,
    instances: list[tuple[str | None, str]],
) -> list[dict[str, Any]]:
    """Rows of one series; a mask is no DICOM object and has no UIDs. Spare UIDs are those that the stage gives."""
    if source["kind"] == "nifti":
        return crosswalk.series_rows(key, source, days, None, None, [(None, None)])
    new_series = _uid(source["series_instance_uid"], "series of " + source["series"], key)
    pairs = [(uid, _uid(uid, "instance of " + file, key)) for uid, file in instances]
    return crosswalk.series_rows(key, source, days, new["study"], new_series, pairs)


def _uid(original: str | None, spare: str, key: Key) -> str:
    uid = (original or "").strip(" \0")
    return new_uid(uid, key) if uid else key.uid(spare)


def _by_series(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["series"]].append(row)
    return found

"""A release of what `extract` measured, without the stages in between: its tables, codes and checksums only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from radcurate import tables
from radcurate.features import provenance
from radcurate.release import check
from radcurate.release.dictionary import Column, with_metadata
from radcurate.settings import Extract

Row = dict[str, Any]
INSIDE = ("series", "contour", "subject", "site", "sex", "age", "study_date", "status", "reason")


def small_release(folder: Path, extracted: Path, **settings: Any) -> Path:
    """features.parquet with release codes, provenance.parquet, provenance.json, SHA256SUMS."""
    folder.mkdir(parents=True)
    content = tables.read(extracted / "features.parquet")
    content = content.filter(pa.array([status == "ok" for status in content["status"].to_pylist()]))
    features = content.select([name for name in content.column_names if name not in INSIDE])
    codes = pa.array([f"R-{number}" for number in range(features.num_rows)][::-1])
    write_values(folder, "features", features.set_column(features.column_names.index("roi"), "roi", codes))
    write_ranges(folder, extracted, dict(zip(content["roi"].to_pylist(), codes.to_pylist(), strict=True)))
    tables.write(folder / "provenance.parquet", tables.read(extracted / "provenance.parquet"))
    about = {"release": "small", "version": "1"}
    about |= {"settings": {"extract": Extract.model_validate(settings).model_dump(mode="json")}}
    (folder / "provenance.json").write_text(json.dumps(about))
    return seal(folder)


def write_ranges(folder: Path, extracted: Path, codes: dict[str, str]) -> None:
    """ranges.parquet with the ends of the ranges, where there are any."""
    content = tables.read(extracted / "ranges.parquet")
    ends = [name for name in content.column_names if name.endswith((tables.LOW, tables.HIGH))]
    if ends:
        roi = pa.array([codes[code] for code in content["roi"].to_pylist()])
        write_values(folder, "ranges", content.select(["roi", *ends]).set_column(0, "roi", roi))


def write_values(folder: Path, name: str, content: pa.Table) -> None:
    """A table whose real numbers are declared as features."""
    lines = [
        Column(
            name, field.name, "", "", "", "", "", "feature" if pa.types.is_floating(field.type) else "technical", "", ""
        )
        for field in content.schema
    ]
    tables.write(folder / f"{name}.parquet", with_metadata(content, lines, {}))


def seal(folder: Path) -> Path:
    """Checksums of what is there now: what somebody who tampers with a release would do too."""
    (folder / check.SUMS).write_text(check.sums(folder))
    return folder


def change_value(folder: Path, name: str, column: str, change: Callable[[Any], Any]) -> None:
    """Another value in the first row, checksums made anew."""
    content = tables.read(folder / f"{name}.parquet")
    values = content[column].to_pylist()
    values[0] = change(values[0])
    place = content.column_names.index(column)
    tables.write(
        folder / f"{name}.parquet",
        content.set_column(place, content.schema.field(place), pa.array(values, content.schema.field(place).type)),
    )
    seal(folder)


def change_records(folder: Path, change: Callable[[Row], None], consistent: bool = True) -> None:
    """Other records; with `consistent`, their digests, the rows that name them and the checksums made anew."""
    records = tables.read_rows(folder / "provenance.parquet")
    names = {}
    for record in records:
        old = record.pop("provenance")
        change(record)
        if consistent:
            record["profile_digest"] = hashlib.sha256(record["profile"].encode()).hexdigest()
        names[old] = provenance.digest(record) if consistent else old
        record["provenance"] = names[old]
    tables.write_rows(folder / "provenance.parquet", tables.EXTRACT_PROVENANCE, records)
    features = tables.read(folder / "features.parquet")
    place = features.column_names.index("provenance")
    renamed = pa.array([names[name] for name in features["provenance"].to_pylist()])
    tables.write(folder / "features.parquet", features.set_column(place, features.schema.field(place), renamed))
    seal(folder)

"""Cleaned images of the released series, with the codes of the release, for `release.images: true`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from radcurate import tables
from radcurate.keys import Key
from radcurate.stages._evidence import Reader, chosen_chunks
from radcurate.stages._written import insist, sealed_listing

COLUMNS = ("series", "subject", "kind", "modality", "file")
NO_CROWD = 1
NEEDS_WEIGHT = "PET values need the patient's weight, which would tell more about a person than the table does"


@dataclass(frozen=True)
class Images:
    """The list of image files (`COLUMNS`), how many series they are, and why others are not there."""

    table: pa.Table = field(default_factory=lambda: _table([]))
    series: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in COLUMNS})


def release_images(reader: Reader, building: Path, crowd: int, key: Key) -> Images:
    """Write images/<series code>/ and images.csv of all released series into `building`.

    `crowd` is the k that the policy asks for: above 1 no header may describe the patient. Deface's tables are believed
    only if their seal holds.
    """
    chunks = chosen_chunks(reader.results)
    for folder in [f"{stage}/{chunk}" for stage in ("deidentify", "deface") for chunk in chunks]:
        reader.check(folder)
    listing = {chunk: sealed_listing(reader.results / "deface" / chunk, key) for chunk in chunks}
    codes = {
        row["series"]: row["code"] for row in reader.rows("protect", "series.parquet") if row["status"] == tables.OK
    }
    people = {row["subject"]: row["code"] for row in reader.rows("protect", "subjects.parquet")}
    found = [
        (reader.results / "deface" / chunk / "dicom" / item["folder"], item)
        for chunk in chunks
        for item in reader.rows(f"deface/{chunk}", "series.parquet", tables.DEFACE_SERIES)
        if item["status"] == tables.OK and item["series"] in codes and people.get(item["subject"])
    ]
    withheld = _withheld([item for _, item in found]) if crowd > NO_CROWD else set()
    rows: list[dict[str, Any]] = []
    for source, item in found:
        if item["series"] not in withheld:
            insist(source, listing[source.parent.parent.name].get(source.name))
            coded = {**item, "series": codes[item["series"]], "subject": people[item["subject"]]}
            rows += _copy(source, building, coded, crowd, key)
    rows.sort(key=lambda row: row["file"])
    _write_list(building / "images.csv", rows)
    left_out = {NEEDS_WEIGHT: len(withheld)} if withheld else {}
    return Images(_table(rows), len({row["series"] for row in rows}), left_out)


def _withheld(items: list[dict[str, Any]]) -> set[str]:
    """Images whose values need what a header may not tell, and contours that belong to nothing else."""
    from radcurate.release.images import needs_patient  # half a second of pydicom, which most releases don't need

    images = {item["series"] for item in items if item["kind"] == "image" and needs_patient(item["modality"])}
    contours = {item["series"] for item in items if item["images"] and images.issuperset(item["images"])}
    return images | contours


def _copy(source: Path, building: Path, item: Mapping[str, Any], crowd: int, key: Key) -> list[dict[str, Any]]:
    from radcurate.release.images import write_image

    rows = []
    for path in sorted(source.iterdir()):
        name = path.name if path.suffix != ".dcm" else key.code("release-file", path.stem) + ".dcm"
        relative = Path("images") / item["series"] / name
        (building / relative).parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".dcm":
            write_image(path, building / relative, item["subject"], _new_uid(key), keep_patient=crowd <= NO_CROWD)
        else:
            shutil.copyfile(path, building / relative)
        rows.append({**{name: item[name] or "" for name in COLUMNS[:-1]}, "file": relative.as_posix()})
    return rows


def _new_uid(key: Key) -> Callable[[str], str]:
    return lambda uid: key.uid(f"release {uid}")


def _write_list(path: Path, rows: list[dict[str, Any]]) -> None:
    lines = [",".join(COLUMNS), *(",".join(row[name] for name in COLUMNS) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

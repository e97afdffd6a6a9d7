"""Provenance records on their way to a release whose features are means or noised: what leads to one scan is withheld.

A record names image and mask by their SHA-256 and may hold the mean that intensities were divided by: whoever has the
scan would find its row by them, however many patients share the vector.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from radcurate import tables
from radcurate.features.provenance import CONDITIONAL, digest

WITHHELD = "withheld"
OF_ONE_SCAN = ("image_digest", "mask_digest", "acquisition_digest", "segmentation_notes")


def withhold(chunks: list[Path], features: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The table with its rows naming records of settings only, and these records (`EXTRACT_PROVENANCE`).

    Args:
        chunks: folders of extract, sealed.
        features: the released table.
    """
    if "provenance" not in features.column_names:
        return features, tables.table(tables.EXTRACT_PROVENANCE, [])
    wanted = features["provenance"].combine_chunks().unique()
    made: dict[str | None, str] = {}
    records: dict[str, dict[str, Any]] = {}
    for chunk in sorted(chunks):
        for content in tables.read_parts(chunk / "provenance.parquet"):
            for row in content.filter(pc.is_in(content["provenance"], value_set=wanted)).to_pylist():
                told = _settings_only(row)
                made[row["provenance"]] = told["provenance"]
                records[told["provenance"]] = told
    names = [made.get(name) for name in features["provenance"].to_pylist()]
    place = features.column_names.index("provenance")
    told_of = features.set_column(place, "provenance", pa.array(names, pa.string()))
    return told_of, tables.table(tables.EXTRACT_PROVENANCE, records.values())


def _settings_only(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name != "provenance"}
    kept |= dict.fromkeys(OF_ONE_SCAN, WITHHELD)
    kept |= {name: None if kept[name] is None else float("nan") for name in CONDITIONAL}
    return {"provenance": digest(kept), **kept}

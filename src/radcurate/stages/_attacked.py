"""What is attacked, and what it was made from: the released tables and the raw ones, both under the codes of the release."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from radcurate import tables
from radcurate.attack.matrix import HELD
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.privacy.columns import Columns
from radcurate.privacy.rows import Pair, recode, subjects
from radcurate.privacy.vectors import ROI, feature_names
from radcurate.seals import SEAL, check_seal, sha256
from radcurate.stages._harmonised import harmonised_files
from radcurate.stages._measured import Files, files_of, measured_files
from radcurate.stages._ranges import RANGES
from radcurate.tables.stored import Large, Stored, texts

NOTHING = pa.schema([(name, pa.string()) for name in ("subject", "series", ROI)])  # of a run without a chunk


@dataclass(frozen=True)
class Attacked:
    """The tables before and after `protect`, a row per region and per image series.

    Attributes:
        released: as they would be released.
        raw: all measured rows, also of patients who are left out; the release's codes in place of the run's.
        columns: roles of the columns.
        ranges: folders with the raw values' ranges.
        measures: what `protect` said.
        features: released columns of features.
        released_values, raw_values: tables with these columns, rows as in `released` and `raw`: large ones are read column
            by column.
    """

    released: Pair
    raw: Pair
    columns: Columns
    ranges: list[Path]
    measures: Mapping[str, Any]
    features: list[str]
    released_values: Large
    raw_values: Large

    @property
    def quasi(self) -> list[str]:
        """Quasi-identifiers, of either table."""
        return self.columns.named("quasi_identifier")

    @property
    def patients(self) -> list[str]:
        """Codes of all patients of the run, sorted."""
        return _patients(self.raw)

    @property
    def released_patients(self) -> list[str]:
        """Codes of the patients in the release, sorted."""
        return _patients(self.released)

    @property
    def sites(self) -> dict[str, str]:
        """The true site of each region whose site is known, by the region's code."""
        if "site" not in self.raw.features.column_names:
            return {}
        pairs = zip(self.raw.features["roi"].to_pylist(), texts(self.raw.features["site"]), strict=True)
        return {region: str(site) for region, site in pairs if site is not None}

    @property
    def technical(self) -> list[str]:
        """Released columns of the acquisition that protocols tell."""
        return self._named(self.released.acquisition, "technical")

    def _named(self, content: pa.Table, role: str) -> list[str]:
        found = ((name, self.columns.find(name)) for name in content.column_names)
        return [name for name, entry in found if entry is not None and entry.role == role]


def _patients(pair: Pair) -> list[str]:
    return [str(code) for code in subjects(pair).values]


def read_attacked(extract: list[Path], results: Path, columns: Columns, key: Key, scratch: Path) -> Attacked:
    """Read the sealed tables of both stages.

    Where values were harmonised, the raw ones are too: whoever measures again can harmonise as the release did. Features of
    a table of more than `HELD` rows stay on disk; those of all chunks go into one file in `scratch`, column by column.

    Raises:
        CurationError: a seal doesn't hold, or a table can't be read.
    """
    protect = results / "protect"
    for folder in [*extract, protect]:
        check_seal(folder, key)
    measures = json.loads((protect / "measures.json").read_text())
    files, folder_of = harmonised_files(measured_files(extract, NOTHING), _harmonised(results, measures), key)
    scans = files_of([chunk / "acquisition.parquet" for chunk in sorted(extract)], NOTHING)
    released = Stored(protect / "features.parquet")
    names = feature_names(released.column_names, columns)
    after = _held(released) if released.num_rows <= HELD else released
    before = _joined(files, [name for name in names if name in files.schema.names], scratch)
    raw = Pair(_coded(_about(before, files, names), columns, key), _coded(scans.read(scans.schema.names), columns, key))
    shown = Pair(_small(after, names), tables.read(protect / "acquisition.parquet"))
    ranges = extract if folder_of is None else [folder_of]
    return Attacked(shown, raw, columns, ranges, measures, names, after, before or raw.features)


def _joined(files: Files, names: Sequence[str], scratch: Path) -> Stored | None:
    """The values of all chunks as one file; None where they are few."""
    if files.read([ROI]).num_rows <= HELD:
        return None
    path = scratch / "raw.parquet"
    tables.write_stream(path, files.only(names), (part for _, part in files.parts(names)))
    return Stored(path)


def _about(kept: Stored | None, files: Files, names: Collection[str]) -> pa.Table:
    """The columns of all chunks, without values where these are kept elsewhere."""
    return files.read([name for name in files.schema.names if kept is None or name not in set(names)])


def _small(content: Large, names: Collection[str]) -> pa.Table:
    """A table in memory, without the features where it is large."""
    if isinstance(content, pa.Table):
        return content
    return content.select([name for name in content.column_names if name not in set(names)])


def _held(content: Stored) -> pa.Table:
    return content.select(content.column_names)


def _coded(content: pa.Table, columns: Columns, key: Key) -> pa.Table:
    return recode(content, columns, key.release_code)


def _harmonised(results: Path, measures: Mapping[str, Any]) -> list[Path]:
    """The folder that `protect` took its values from, if it is not extract's."""
    told = measures["harmonise"]
    if told["method"] == "none":
        return []
    folder = results / "harmonise"
    if not (folder / SEAL).is_file() or sha256(folder / SEAL) != told["digest"]:
        raise CurationError(
            "results/harmonise changed after protect read it",
            wanted="the folder that protect took its values from",
            found="another seal",
            fix="run snakemake again",
        )
    return [folder]


def ranges_of(attacked: Attacked, regions: pa.Array, key: Key) -> pa.Table | None:
    """Values of these regions under perturbation, under the codes of the release; None where nothing was perturbed."""
    parts = []
    for folder in sorted(attacked.ranges):
        if RANGES in check_seal(folder, key):
            part = _coded(tables.read(folder / RANGES), attacked.columns, key)
            parts.append(part.filter(pc.is_in(part[ROI], value_set=regions)))
    content = pa.concat_tables(parts, promote_options="permissive").combine_chunks() if parts else None
    return content if content is not None and content.num_rows else None

"""What is attacked, and what it was made from: the released tables and the raw ones, both under the codes of the release."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.privacy.columns import Columns
from radcurate.privacy.rows import Pair, recode, subjects
from radcurate.seals import SEAL, check_seal, sha256
from radcurate.stages._harmonised import harmonised


@dataclass(frozen=True)
class Attacked:
    """The tables before and after `protect`, a row per region and per image series.

    Attributes:
        released: as they would be released.
        raw: all measured rows, also of patients who are left out; the release's codes in place of the run's.
        columns: roles of the columns.
        ranges: folders with the raw values' ranges.
        measures: what `protect` said.
    """

    released: Pair
    raw: Pair
    columns: Columns
    ranges: list[Path]
    measures: Mapping[str, Any]

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
        pairs = zip(self.raw.features["roi"].to_pylist(), self.raw.features["site"].to_pylist(), strict=True)
        return {region: str(site) for region, site in pairs if site is not None}

    @property
    def features(self) -> list[str]:
        """Released columns of features."""
        return self._named(self.released.features, "feature")

    @property
    def technical(self) -> list[str]:
        """Released columns of the acquisition that protocols tell."""
        return self._named(self.released.acquisition, "technical")

    def _named(self, content: pa.Table, role: str) -> list[str]:
        found = ((name, self.columns.find(name)) for name in content.column_names)
        return [name for name, entry in found if entry is not None and entry.role == role]


def _patients(pair: Pair) -> list[str]:
    return [str(code) for code in subjects(pair).values]


def read_attacked(extract: list[Path], results: Path, columns: Columns, key: Key) -> Attacked:
    """Read the sealed tables of both stages.

    Where values were harmonised, the raw ones are too: whoever measures again can harmonise as the release did.

    Raises:
        CurationError: a seal doesn't hold, or a table can't be read.
    """
    protect = results / "protect"
    for folder in [*extract, protect]:
        check_seal(folder, key)
    measures = json.loads((protect / "measures.json").read_text())
    released = Pair(tables.read(protect / "features.parquet"), tables.read(protect / "acquisition.parquet"))
    features = joined(extract, "features.parquet")
    measured = features.filter(pc.fill_null(pc.equal(features["status"], tables.OK), False)) if extract else features
    values = harmonised(measured, _harmonised(results, measures), key)
    raw = Pair(values.features, joined(extract, "acquisition.parquet"))
    coded = Pair(recode(raw.features, columns, key.release_code), recode(raw.acquisition, columns, key.release_code))
    return Attacked(released, coded, columns, values.ranges(extract), measures)


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


def joined(chunks: list[Path], name: str) -> pa.Table:
    """One table of all chunks; an empty one, with the columns of a series, where there is no chunk."""
    if not chunks:
        return pa.table({column: pa.array([], pa.string()) for column in ("subject", "series", "roi")})
    found = [tables.read(chunk / name) for chunk in sorted(chunks)]
    return pa.concat_tables(found, promote_options="permissive").combine_chunks()

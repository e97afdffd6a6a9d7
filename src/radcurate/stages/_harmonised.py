"""Features as they are to be released: as extract measured them or, where harmonise is on, as it made them alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.seals import SEAL, check_seal, sha256


@dataclass(frozen=True)
class Harmonised:
    """Where values come from.

    Attributes:
        features: the measured rows.
        folder: results/harmonise, or None where it is off.
    """

    features: pa.Table
    folder: Path | None

    def ranges(self, chunks: list[Path]) -> list[Path]:
        """The folders whose ranges go with the values."""
        return chunks if self.folder is None else [self.folder]

    @property
    def document(self) -> dict[str, str]:
        """For measures.json: what was done, and the digest of the seal over it."""
        if self.folder is None:
            return {"method": "none", "digest": ""}
        return {"method": "combat", "digest": sha256(self.folder / SEAL)}


def harmonised(measured: pa.Table, folders: Sequence[Path], key: Key) -> Harmonised:
    """The measured rows, with the values of `folders`, which is empty where harmonise is off.

    Raises:
        CurationError: the folder isn't as it was sealed, or holds other regions than were measured.
    """
    if not folders:
        return Harmonised(measured, None)
    check_seal(folders[0], key)
    content = tables.read(folders[0] / "features.parquet")
    content = content.filter(pc.fill_null(pc.equal(content["status"], tables.OK), False))
    if not measured.num_rows and not content.num_rows:
        return Harmonised(measured, folders[0])
    told = [name for name, kind in tables.EXTRACT_FEATURES.columns if pa.types.is_string(kind)]
    same = content.column_names == measured.column_names and content.select(told).equals(
        measured.select(told).sort_by("roi")
    )
    if not same:
        raise CurationError(
            "results/harmonise holds other regions than results/extract",
            wanted="the regions that were measured, with other values only",
            found=f"{content.num_rows} rows, {measured.num_rows} measured",
            fix="delete results/harmonise and run snakemake again",
        )
    return Harmonised(content, folders[0])

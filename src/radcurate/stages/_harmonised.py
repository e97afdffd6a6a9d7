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
from radcurate.stages._measured import Files, measured_files


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
        """See `harmonise_document`."""
        return harmonise_document(self.folder)


def harmonise_document(folder: Path | None) -> dict[str, str]:
    """For measures.json: what was done, and the digest of the seal over it; `folder`: of harmonise, None where it is off."""
    if folder is None:
        return {"method": "none", "digest": ""}
    return {"method": "combat", "digest": sha256(folder / SEAL)}


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
    if measured.num_rows or content.num_rows:
        _check_regions(measured.select(TOLD), content.select(TOLD), measured.column_names == content.column_names)
    return Harmonised(content, folders[0])


def harmonised_files(measured: Files, folders: Sequence[Path], key: Key) -> tuple[Files, Path | None]:
    """`harmonised` for tables that aren't held in memory: where values come from, and the folder of harmonise, if any."""
    if not folders:
        return measured, None
    check_seal(folders[0], key)
    content = measured_files([folders[0]], measured.schema)
    before, after = (found.read([name for name in TOLD if name in found.schema.names]) for found in (measured, content))
    if before.num_rows or after.num_rows:
        _check_regions(before, after, measured.schema.names == content.schema.names)
    return content, folders[0]


TOLD = [name for name, kind in tables.EXTRACT_FEATURES.columns if pa.types.is_string(kind)]


def _check_regions(measured: pa.Table, content: pa.Table, alike: bool) -> None:
    """`alike`: both have the same columns."""
    if not (alike and content.equals(measured.sort_by("roi"))):
        raise CurationError(
            "results/harmonise holds other regions than results/extract",
            wanted="the regions that were measured, with other values only",
            found=f"{content.num_rows} rows, {measured.num_rows} measured",
            fix="delete results/harmonise and run snakemake again",
        )

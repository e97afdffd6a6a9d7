"""What protect starts from: the measured regions of all chunks, their small columns in memory, features where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from radcurate.keys import Key
from radcurate.privacy.columns import Columns
from radcurate.privacy.rows import SERIES, SUBJECT, Pair
from radcurate.privacy.values import check_numbers
from radcurate.privacy.vectors import ROI, Treatment, feature_names
from radcurate.stages._harmonised import harmonised_files
from radcurate.stages._measured import Files, files_of, measured_files

NEEDED = (SUBJECT, SERIES, "contour", ROI, "modality", "roi_label")  # whatever is declared


@dataclass(frozen=True)
class Source:
    """Measured regions.

    Attributes:
        files: their tables, as measured or harmonised.
        pair: what of them, and of their acquisition, decides who is released, or is released beside the features.
        features: columns of features.
        acquisition: all columns of acquisition.
        folder: results/harmonise, or None where it is off.
    """

    files: Files
    pair: Pair
    features: list[str]
    acquisition: list[str]
    folder: Path | None

    @property
    def names(self) -> list[str]:
        """All columns, those of features first."""
        return list(dict.fromkeys([*self.files.schema.names, *self.acquisition]))

    def ranges(self, chunks: list[Path]) -> list[Path]:
        """The folders whose ranges go with the values: of `chunks` those that have any, or harmonise's."""
        return chunks if self.folder is None else [self.folder]


def gather(
    chunks: Sequence[Path], harmonise: Sequence[Path], declared: Columns, treatment: Treatment, key: Key
) -> Source:
    """The regions of the sealed `chunks` of extract, with the values of `harmonise`, which is empty where that is off.

    Raises:
        CurationError: harmonise holds other regions than were measured, or a feature is no number.
    """
    nothing = pa.schema([(name, pa.string()) for name in declared.names() if not feature_names([name], declared)])
    files, folder = harmonised_files(measured_files(chunks, nothing), harmonise, key)
    scans = files_of([chunk / "acquisition.parquet" for chunk in sorted(chunks)], nothing)
    features = [name for name in feature_names(files.schema.names, declared) if name not in treatment.comparable]
    check_numbers(files.schema, features)
    wanted = {*NEEDED, *treatment.comparable, *declared.released([*files.schema.names, *scans.schema.names])}
    pair = Pair(_some(files, wanted - set(features)), _some(scans, wanted))
    return Source(files, pair, features, scans.schema.names, folder)


def _some(files: Files, wanted: set[str]) -> pa.Table:
    return files.read([name for name in files.schema.names if name in wanted])

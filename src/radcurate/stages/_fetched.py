"""What fetch left to the inventory: where links may lead, what is missing, and from which series."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from radcurate import seals, tables
from radcurate.dicom.chunk import Patient
from radcurate.dicom.header import Unusable
from radcurate.dicom.tree import Found, count_files
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.sources.dicomdir import missing_files

Named = tuple[str, str | None]  # SeriesInstanceUID, and SOPInstanceUID where it is known


@dataclass
class Missing:
    """Instances that a source names but that are not among the files.

    A series that lacks one is incomplete: a slice that is missing at an end leaves no gap in the positions, and the volume
    without it looks like any other.
    """

    apart: list[tuple[Unusable, Named | None]] = field(default_factory=list, repr=False)
    by_series: dict[str, set[str | None]] = field(default_factory=lambda: defaultdict(set), repr=False)
    found: set[Named] = field(default_factory=set, repr=False)  # under another name after all

    def add(self, name: str, size: int, reason: str, series: str | None = None, sop: str | None = None) -> None:
        """Something that is not there; of which series, if that is known."""
        named = (series, sop) if series else None
        self.apart.append((Unusable(Found(name, size, 0), reason), named))
        if series:
            self.by_series[series].add(sop)

    def look(self, files: Iterable[Unusable], source: Path) -> None:
        """Note what each DICOMDIR among `files` names and isn't there."""
        for index in files:
            if index.reason == "dicomdir":
                above = PurePosixPath(index.file.path).parent
                for named in missing_files(source / index.file.path):
                    self.add(str(above / named.path), 0, "named_missing", named.series, named.sop)

    def mark(self, patient: Patient) -> None:
        """Give series that lack an instance their problem."""
        for series in patient.series:
            lacking = self.by_series.get(series.uid)
            if not lacking:
                continue
            here = {header.sop_instance for header in series.members if not header.reason}
            self.found.update((series.uid, sop) for sop in lacking & here)
            if lacking - here:
                series.problems.add("incomplete")

    def unusable(self) -> list[Unusable]:
        """What is to be accounted for as files of no series, once all patients were looked through."""
        return [file for file, named in self.apart if named is None or named not in self.found]


@dataclass(frozen=True)
class Fetched:
    """The result of fetch. root: folder that links among the files lead into, as `root/<same path>`; None: no links."""

    root: str | None = field(default=None, repr=False)
    missing: Missing = field(default_factory=Missing)


def read_fetched(seal: Sequence[Path], source: Path, key: Key) -> Fetched:
    """What fetch tells; nothing where the input is read where it lies.

    Args:
        seal: path of its seal, or none.
        source: the folder of fetched files.
        key: of the project.

    Raises:
        CurationError: what fetch wrote was changed since.
    """
    if not seal:
        return Fetched()
    folder = Path(seal[0]).parent
    seals.check_seal(folder, key)
    about = json.loads((folder / "fetched.json").read_text())
    counted = count_files(source)
    if counted != about["files"]:
        raise CurationError(
            "the fetched files are not those that fetch wrote",
            wanted=f"{about['files']} files",
            found=f"{counted} files",
            fix="delete results/fetch and run snakemake again",
        )
    missing = Missing()
    for row in tables.read_rows(folder / "problems.parquet", tables.FETCH_PROBLEMS):
        missing.add(row["name"], row["size"], row["reason"], row["series_instance_uid"], row["sop_instance_uid"])
    return Fetched(about["linked"], missing)

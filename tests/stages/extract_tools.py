"""Build what deidentify, deface and verify leave behind, from any DICOM files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from radcurate import tables
from radcurate.keys import Key
from radcurate.seals import write_seal
from radcurate.settings import Extract
from radcurate.stages.extract import run

PROFILES = Path(__file__).resolve().parents[2] / "config" / "extraction"


@dataclass
class Chunk:
    """A chunk on its way to extract; `add` series, then `extract`."""

    folder: Path
    key: Key
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self, series: str, kind: str, modality: str, files: list[Path], images: list[str] | None = None, **more: Any
    ) -> str:
        """A series of the given files; `more` replaces columns of its row."""
        for stage in ("deface", "deidentify"):
            target = self.folder / stage / "dicom" / series
            target.mkdir(parents=True, exist_ok=True)
            for path in files:
                name = "mask.nii.gz" if path.name.endswith(".nii.gz") else f"{path.stem}.dcm"
                (target / name).symlink_to(path)
        row = {"series": series, "subject": "P-1", "kind": kind, "modality": modality, "status": "ok", "folder": series}
        row |= {"n_instances": len(files), "images": images or [], "face": "none", "changed_voxels": 0, "verify": "ok"}
        self.rows.append(row | more)
        return series

    def _write(self) -> None:
        def picked(schema: tables.Schema, **more: Any) -> list[dict[str, Any]]:
            names = {name for name, _ in schema.columns}
            return [{k: v for k, v in (row | more).items() if k in names} for row in self.rows]

        about = {"site": "H-1", "sex": "F", "age": 61.0, "study_date": "2015-03-02", "status": "ok"}
        tables.write_rows(self.folder / "deface/series.parquet", tables.DEFACE_SERIES, picked(tables.DEFACE_SERIES))
        people = picked(tables.DEIDENTIFY_SERIES, **about)
        tables.write_rows(self.folder / "deidentify/series.parquet", tables.DEIDENTIFY_SERIES, people)
        checked = [
            {
                "series": row["series"],
                "status": row["verify"],
                "reason": None if row["verify"] == "ok" else "identifier",
            }
            for row in self.rows
            if row["verify"]
        ]
        tables.write_rows(self.folder / "verify/series.parquet", tables.VERIFY_SERIES, checked)
        for stage in ("deface", "deidentify", "verify"):
            write_seal(self.folder / stage, ["series.parquet"], self.key)

    def extract(self, out: str = "extract", threads: int = 1, profiles: Path = PROFILES, **settings: Any) -> Path:
        """Run the stage; the folder it wrote."""
        self._write()
        target = self.folder / out
        parts = {
            name: self.folder / stage
            for name, stage in (("source", "deface"), ("subjects", "deidentify"), ("verified", "verify"))
        }
        run(Extract.model_validate(settings), **parts, out=target, key=self.key, profiles=profiles, threads=threads)
        return target

"""Read the sealed artefacts of this run. Only what consent's chunks name is read: folders of earlier runs are not."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.governance.evidence import Evidence, FaceCheck, Files, Member, Step
from radcurate.governance.safe_harbor import Treatment, count_canaries, count_hits
from radcurate.keys import Key
from radcurate.seals import SEAL, check_seal, sha256
from radcurate.stages._folders import entries
from radcurate.stages._subgroups import subgroups

PER_CHUNK = ("deidentify", "redact", "deface", "verify", "extract")
ATTACK, WAYS = "attack.json", "ways.parquet"
ATTACKED = ("protect/acquisition.parquet", "protect/features.parquet", "protect/ranges.parquet")
JUDGED = (
    "acquisition.parquet",
    "crosscheck.parquet",
    "distortion.parquet",
    "features.parquet",
    "measures.json",
    "ranges.parquet",
    "stability.parquet",
)


@dataclass
class Reader:
    """Reads a table only if the seal of its folder lists it and holds; remembers the digests."""

    results: Path
    key: Key
    problems: list[str] = field(default_factory=list)
    _sealed: dict[Path, dict[str, str]] = field(default_factory=dict)

    def check(self, folder: str) -> bool:
        """Check one folder's seal; a broken one is remembered as a problem."""
        try:
            self._sealed[self.results / folder] = check_seal(self.results / folder, self.key)
        except CurationError as error:
            self.problems.append(f"results/{folder}: {error.problem} ({error.found})")
            return False
        return True

    def path(self, folder: str, name: str) -> Path:
        """A sealed file.

        Raises:
            CurationError: the folder's seal doesn't list it.
        """
        if name not in self._sealed.get(self.results / folder, {}):
            raise CurationError(
                f"results/{folder}/{name} is not sealed",
                wanted="a table that its stage wrote and sealed",
                found="no entry in the seal",
                fix="delete that folder and run snakemake again",
            )
        return self.results / folder / name

    def has(self, folder: str, name: str) -> bool:
        """Whether a folder that was checked lists this file."""
        return name in self._sealed.get(self.results / folder, {})

    def rows(self, folder: str, name: str, schema: tables.Schema | None = None) -> list[dict[str, Any]]:
        """Rows of a sealed table."""
        return tables.read_rows(self.path(folder, name), schema)

    def columns(self, folder: str, name: str, wanted: list[str], schema: tables.Schema) -> Iterator[tuple[Any, ...]]:
        """Some columns of a sealed table, row by row; for tables with a row per file."""
        content = tables.read(self.path(folder, name), schema)
        return zip(*(content[column].to_pylist() for column in wanted), strict=True)

    def sealed(self, folder: str) -> dict[str, str]:
        """SHA-256 of the files of a folder whose seal was checked."""
        return dict(self._sealed.get(self.results / folder, {}))

    def digest(self, folder: str) -> str:
        """One digest over all sealed files of a folder."""
        return _digest(f"{name} {digest}" for name, digest in sorted(self._sealed[self.results / folder].items()))


def chosen_chunks(results: Path) -> list[str]:
    """Chunks of this run: the folders that consent wrote."""
    return [path.name for path in entries(results / "consent" / "chunks")]


def inventoried_chunks(results: Path) -> list[str]:
    """Chunks that the inventory found."""
    return [path.name for path in entries(results / "inventory" / "chunks")]


def check_seals(reader: Reader) -> None:
    """Check the seal of every folder that this run's evidence comes from."""
    folders = ["inventory", *(f"inventory/chunks/{chunk}" for chunk in inventoried_chunks(reader.results))]
    chosen = chosen_chunks(reader.results)
    folders += ["consent", *(f"consent/chunks/{chunk}" for chunk in chosen)]
    folders += [f"{stage}/{chunk}" for stage in PER_CHUNK for chunk in chosen]
    for folder in [*folders, "protect", "attack"]:
        reader.check(folder)
    _check_harmonised(reader)


def _check_harmonised(reader: Reader) -> None:
    """Check the seal of results/harmonise where the values that `protect` took come from there."""
    told = _harmonise(reader)
    if told.get("method", "none") == "none" or not reader.check("harmonise"):
        return
    if sha256(reader.results / "harmonise" / SEAL) != told["digest"]:
        reader.problems.append("results/harmonise: changed after protect read it (another seal)")


def _harmonise(reader: Reader) -> dict[str, Any]:
    """What protect says about harmonised values; nothing where it can't be believed."""
    try:
        content = json.loads(reader.path("protect", "measures.json").read_text())
    except (CurationError, OSError, ValueError):
        return {}
    return dict(content.get("harmonise", {}))


def check_attacked(reader: Reader) -> None:
    """Insist that what was attacked is what protect wrote; remembered as a problem where it isn't.

    Raises:
        CurationError: attack.json is not sealed.
    """
    attacked = json.loads(reader.path("attack", ATTACK).read_text()).get("judged") or {}
    now = {f"protect/{name}": digest for name, digest in reader.sealed("protect").items()}
    other = sorted(name for name in {*attacked, *ATTACKED} if attacked.get(name) != now.get(name))
    if other:
        reader.problems.append(f"results/attack: it attacked another table than results/{other[0]}")


def judged_tables(reader: Reader) -> dict[str, str]:
    """SHA-256 of the tables and measures that people judge when they sign: all that protect releases, all that attack found."""
    found = {f"protect/{name}": digest for name, digest in reader.sealed("protect").items() if name in JUDGED}
    return found | {f"attack/{ATTACK}": reader.sealed("attack")[ATTACK]}


def read_evidence(reader: Reader, hipaa_path: str, dates: str, treatments: tuple[Treatment, ...]) -> Evidence:
    """Everything the policy is held against. Call `check_seals` first.

    Raises:
        CurationError: a table is absent, unsealed or has other columns.
    """
    chosen = chosen_chunks(reader.results)
    members, found = _inventory(reader)
    steps = {"consent": _steps(reader.rows("consent", "series.parquet", tables.CONSENT_SERIES))}
    deidentified = _chunked(reader, "deidentify", chosen, tables.DEIDENTIFY_SERIES)
    redacted = _chunked(reader, "redact", chosen, tables.REDACT_SERIES)
    defaced = _chunked(reader, "deface", chosen, tables.DEFACE_SERIES)
    verified = _chunked(reader, "verify", chosen, tables.VERIFY_SERIES)
    extracted = _chunked(reader, "extract", chosen, tables.EXTRACT_SERIES)
    protected = reader.rows("protect", "series.parquet", tables.PROTECT_SERIES)
    by_stage = {"deidentify": deidentified, "redact": redacted, "deface": defaced}
    by_stage |= {"verify": verified, "extract": extracted}
    steps |= {stage: _steps(rows) for stage, rows in by_stage.items()} | {"protect": _steps(protected)}
    features = tables.read(reader.path("protect", "features.parquet"))
    protection = json.loads(reader.path("protect", "measures.json").read_text())
    return Evidence(
        members=members,
        chosen=frozenset(_chosen_series(reader, chosen)),
        found=found,
        reported=_reported(json.loads(reader.path("consent", "files.json").read_text())),
        steps=steps,
        files={
            "deidentify": {row["series"]: row["n_instances"] for row in deidentified},
            "redact": {row["series"]: row["n_instances"] for row in redacted},
            "deface": {row["series"]: row["n_instances"] for row in defaced},
            "verify": {row["series"]: row["files"] for row in verified},
        },
        hits=_hits(reader, chosen, verified),
        regions=_regions(reader, chosen),
        invariance=tuple(_extracted(reader, chosen, "invariance.parquet", tables.EXTRACT_INVARIANCE)),
        faces=_faces(reader, chosen, defaced),
        looks={row["series"]: row for row in redacted},
        boxes=_boxes(reader, chosen),
        study_dates={row["series"]: row["study_date"] for row in deidentified},
        features=features,
        acquisition=tables.read(reader.path("protect", "acquisition.parquet")),
        provenance=tuple(provenance_table(reader, chosen, features).to_pylist()),
        protection=protection,
        feature_columns=tuple(name for name in feature_columns(reader, chosen) if name in features.column_names),
        reasons=protection.get("reasons", {}),
        rows_of={row["series"]: row["rows"] or 0 for row in protected},
        hipaa_path=hipaa_path,
        dates=dates,
        canaries=_canaries(reader, chosen),
        unpaired={row["series"]: _unpaired(row) for row in verified if row["status"] == tables.OK},
        digests=_digests(reader, chosen, steps),
        treatments=treatments,
        canaries_by_letter=count_canaries(_verified(reader, chosen, "canary.parquet", tables.VERIFY_CANARY)),
        ranges=tables.read(reader.path("protect", "ranges.parquet")),
        attack=json.loads(reader.path("attack", ATTACK).read_text()),
        ways=tuple(_ways(reader)),
        judged=judged_tables(reader),
        subgroups=_subgroups(reader, deidentified),
        hits_by_letter=count_hits(_verified(reader, chosen, "hits.parquet", tables.VERIFY_HITS), treatments),
    )


def _inventory(reader: Reader) -> tuple[tuple[Member, ...], Files]:
    """The series that were found, and the files counted once more from the instance tables."""
    members, found, placed = [], 0, 0
    aside: Counter[str] = Counter()
    for chunk in inventoried_chunks(reader.results):
        folder = f"inventory/chunks/{chunk}"
        sizes: Counter[str] = Counter()
        wanted = ["series", "status", "reason"]
        for series, status, reason in reader.columns(folder, "instances.parquet", wanted, tables.INVENTORY_INSTANCES):
            found += 1
            if status == tables.OK:
                sizes[series] += 1
            else:
                aside[str(reason)] += 1
        placed += sizes.total()
        for row in reader.rows(folder, "series.parquet", tables.INVENTORY_SERIES):
            members.append(
                Member(row["series"], row["subject"], row["kind"], row["modality"], sizes[row["series"]], _step(row))
            )
    unplaced = reader.rows("inventory", "unplaced.parquet", tables.INVENTORY_INSTANCES)
    aside.update(str(row["reason"]) for row in unplaced)
    return tuple(members), Files(found + len(unplaced), placed, dict(aside))


def _subgroups(reader: Reader, deidentified: list[dict[str, Any]]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Groups that each patient belongs to, as far as tables tell."""
    found = [
        row
        for chunk in inventoried_chunks(reader.results)
        for row in reader.rows(f"inventory/chunks/{chunk}", "series.parquet", tables.INVENTORY_SERIES)
    ]
    return subgroups(found, deidentified, reader.key)


def _ways(reader: Reader) -> list[dict[str, Any]]:
    """Changes that protect tried out, where it wrote any."""
    return reader.rows("protect", WAYS) if WAYS in reader.sealed("protect") else []


def _reported(content: Mapping[str, Any]) -> Files:
    return Files(
        int(content["total"]), int(content["placed"]), {str(k): int(v) for k, v in content["quarantined"].items()}
    )


def _chosen_series(reader: Reader, chunks: list[str]) -> Iterable[str]:
    for chunk in chunks:
        yield from (
            row["series"] for row in reader.rows(f"consent/chunks/{chunk}", "series.parquet", tables.INVENTORY_SERIES)
        )


def _chunked(reader: Reader, stage: str, chunks: list[str], schema: tables.Schema) -> list[dict[str, Any]]:
    return [row for chunk in chunks for row in reader.rows(f"{stage}/{chunk}", "series.parquet", schema)]


def _step(row: Mapping[str, Any]) -> Step:
    return Step(str(row["series"]), str(row["status"]), row.get("reason"), row.get("remedy"))


def _steps(rows: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    return tuple(_step(row) for row in rows)


def _hits(reader: Reader, chunks: list[str], verified: list[dict[str, Any]]) -> int:
    """Hits counted from the list of hits, or as the series table says if that is more."""
    listed = 0
    for chunk in chunks:
        listed += sum(row["count"] or 0 for row in reader.rows(f"verify/{chunk}", "hits.parquet", tables.VERIFY_HITS))
    return max(listed, sum(row["hits"] or 0 for row in verified))


def _verified(reader: Reader, chunks: list[str], name: str, schema: tables.Schema) -> list[dict[str, Any]]:
    """Rows of one of verify's tables, over all chunks."""
    return [row for chunk in chunks for row in reader.rows(f"verify/{chunk}", name, schema)]


def _canaries(reader: Reader, chunks: list[str]) -> dict[str, int]:
    """What became of the identifiers of invented patients, summed over all chunks."""
    total: Counter[str] = Counter()
    for chunk in chunks:
        for row in reader.rows(f"verify/{chunk}", "canary.parquet", tables.VERIFY_CANARY):
            total.update({name: row[name] or 0 for name in ("planted", "seen_before", "cleaned", "left")})
    return dict(total)


def _unpaired(row: Mapping[str, Any]) -> int:
    """Files of a verified series that weren't held against their sources."""
    return (row["files"] or 0) - (row["paired"] or 0)


def _extracted(reader: Reader, chunks: list[str], name: str, schema: tables.Schema) -> list[dict[str, Any]]:
    """Rows of one of extract's tables, over all chunks."""
    return [row for chunk in chunks for row in reader.rows(f"extract/{chunk}", name, schema)]


def _regions(reader: Reader, chunks: list[str]) -> dict[str, int]:
    """How many regions were measured (`ok`), and how many were not, by reason."""
    found: Counter[str] = Counter()
    for chunk in chunks:
        rows = tables.read(reader.path(f"extract/{chunk}", "features.parquet")).select(["status", "reason"]).to_pylist()
        found.update(tables.OK if row["status"] == tables.OK else str(row["reason"]) for row in rows)
    return dict(sorted(found.items()))


def _faces(reader: Reader, chunks: list[str], defaced: list[dict[str, Any]]) -> dict[str, FaceCheck]:
    """Deface's decision on each image series, with the numbers of its check."""
    measured = {
        row["series"]: row for chunk in chunks for row in reader.rows(f"deface/{chunk}", "qc.parquet", tables.DEFACE_QC)
    }
    images = [row for row in defaced if row["kind"] == "image"]
    return {row["series"]: FaceCheck(row["series"], row["face"], measured.get(row["series"], {})) for row in images}


def _boxes(reader: Reader, chunks: list[str]) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """What redact found, by series."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for chunk in chunks:
        for row in reader.rows(f"redact/{chunk}", "boxes.parquet", tables.REDACT_BOXES):
            found.setdefault(row["series"], []).append(row)
    return {series: tuple(rows) for series, rows in found.items()}


def feature_columns(reader: Reader, chunks: list[str]) -> dict[str, dict[str, Any]]:
    """What extract says about its feature columns, by name."""
    parts = [reader.rows(f"extract/{chunk}", "columns.parquet", tables.EXTRACT_COLUMNS) for chunk in chunks]
    return {row["name"]: row for part in parts for row in part}


def provenance_table(reader: Reader, chunks: list[str], features: pa.Table) -> pa.Table:
    """The provenance records that rows of the release name, sorted by digest."""
    if not chunks or "provenance" not in features.column_names:
        return tables.table(tables.EXTRACT_PROVENANCE, [])
    wanted = features["provenance"].combine_chunks().unique()
    # protect's own records, where it withholds what leads to one scan
    parts = [
        tables.read(reader.path(folder, "provenance.parquet"), tables.EXTRACT_PROVENANCE)
        for folder in [*(f"extract/{chunk}" for chunk in chunks), "protect"]
    ]
    content = pa.concat_tables(part.filter(pc.is_in(part["provenance"], value_set=wanted)) for part in parts)
    first = {name: place for place, name in reversed(list(enumerate(content["provenance"].to_pylist())))}
    return content.take(pa.array([first[name] for name in sorted(first)], pa.int64()))


def _digests(reader: Reader, chunks: list[str], steps: Mapping[str, tuple[Step, ...]]) -> dict[str, str]:
    """A digest per stage that depends on what became of each series, not on how the cohort was cut into chunks."""
    found = {
        stage: _digest(sorted(f"{row.series} {row.status} {row.reason}" for row in rows))
        for stage, rows in steps.items()
    }
    files: list[str] = []
    for chunk in chunks:
        by_series: dict[str, list[str]] = {}
        wanted = ["series", "header_source", "pixels_source"]
        rows = reader.columns(f"deidentify/{chunk}", "instances.parquet", wanted, tables.DEIDENTIFY_INSTANCES)
        for series, header, pixels in rows:
            by_series.setdefault(series, []).append(f"{header} {pixels}")
        files += [f"{series} {_digest(sorted(names))}" for series, names in by_series.items()]
    more = {"harmonise": reader.digest("harmonise")} if _harmonise(reader).get("method", "none") != "none" else {}
    return found | {
        "inputs": _digest(sorted(files)),
        "protect": reader.digest("protect"),
        "attack": reader.digest("attack"),
        **more,
    }


def _digest(lines: Iterable[str]) -> str:
    total = hashlib.sha256()
    for line in lines:
        total.update(line.encode() + b"\n")
    return total.hexdigest()

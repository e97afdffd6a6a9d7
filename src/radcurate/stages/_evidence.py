"""Read the sealed artefacts of this run. Only what consent's chunks name is read: folders of earlier runs are not."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.governance.evidence import Evidence, Files, Step
from radcurate.governance.safe_harbor import Treatment, count_canaries, count_hits
from radcurate.governance.series_rows import MEMBER, STEP, Column, Grouped, Members, Rows, Steps
from radcurate.keys import Key
from radcurate.seals import SEAL, check_seal, sha256
from radcurate.stages._folders import chosen_chunks as chosen_chunks
from radcurate.stages._folders import entries
from radcurate.stages._gathered import CHECKED, Faces, Lines, counted, gathered, packed_texts, records_of
from radcurate.stages._subgroups import subgroups
from radcurate.tables.stored import Large, Packed, Stored

PER_CHUNK = ("deidentify", "redact", "deface", "verify", "extract")
SERIES_TABLES = {
    "deidentify": tables.DEIDENTIFY_SERIES,
    "redact": tables.REDACT_SERIES,
    "deface": tables.DEFACE_SERIES,
    "verify": tables.VERIFY_SERIES,
    "extract": tables.EXTRACT_SERIES,
}
CLEANING = ("deidentify", "redact", "deface")
# columns that the gate judges by, beside those that every stage has
LOOKED = ["series", "decision", "strict", "looked", "residual", "overlap_voxels"]
MORE = {
    "deidentify": ("n_instances", "study_date"),
    "redact": ("n_instances", *LOOKED[1:]),
    "deface": ("n_instances", "kind", "face"),
    "verify": ("files", "paired", "hits"),
}
BOXED = ("series", "kind", "sure", "pass_number", "filled")
PROOFS = ("roi", "basis", "reason", "different", "largest_change", "changed")
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

    def content(self, folder: str, name: str, schema: tables.Schema | None = None) -> pa.Table:
        """A sealed table."""
        return tables.read(self.path(folder, name), schema)

    def columns(self, folder: str, name: str, wanted: list[str], schema: tables.Schema) -> Iterator[tuple[Any, ...]]:
        """Some columns of a sealed table, row by row; for tables with a row per file."""
        content = self.content(folder, name, schema)
        return zip(*(content[column].to_pylist() for column in wanted), strict=True)

    def sealed(self, folder: str) -> dict[str, str]:
        """SHA-256 of the files of a folder whose seal was checked."""
        return dict(self._sealed.get(self.results / folder, {}))

    def digest(self, folder: str) -> str:
        """One digest over all sealed files of a folder."""
        return _digest(f"{name} {digest}" for name, digest in sorted(self._sealed[self.results / folder].items()))


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
    consent = packed_texts(reader.content("consent", "series.parquet", tables.CONSENT_SERIES))
    steps: dict[str, Steps] = {"consent": _steps(consent)}
    found_in = {
        stage: _series(reader, stage, chosen, schema, MORE.get(stage, ())) for stage, schema in SERIES_TABLES.items()
    }
    protected = packed_texts(reader.content("protect", "series.parquet", tables.PROTECT_SERIES))
    steps |= {stage: _steps(content) for stage, content in found_in.items()} | {"protect": _steps(protected)}
    deidentified, redacted, verified = (found_in[stage] for stage in ("deidentify", "redact", "verify"))
    features = Stored(reader.path("protect", "features.parquet"))
    protection = json.loads(reader.path("protect", "measures.json").read_text())
    return Evidence(
        members=members,
        chosen=_chosen_series(reader, chosen),
        found=found,
        reported=_reported(json.loads(reader.path("consent", "files.json").read_text())),
        steps=steps,
        files={
            **{stage: Column(found_in[stage]["series"], found_in[stage]["n_instances"]) for stage in CLEANING},
            "verify": Column(verified["series"], verified["files"]),
        },
        hits=_hits(reader, chosen, verified),
        regions=_regions(reader, chosen),
        invariance=Lines(_gathered(reader, "extract", chosen, "invariance.parquet", tables.EXTRACT_INVARIANCE, PROOFS)),
        faces=_faces(reader, chosen, found_in["deface"]),
        looks=Rows(redacted.select(LOOKED)),
        boxes=Grouped(_gathered(reader, "redact", chosen, "boxes.parquet", tables.REDACT_BOXES, BOXED)),
        study_dates=Column(deidentified["series"], deidentified["study_date"]),
        features=features,
        acquisition=Stored(reader.path("protect", "acquisition.parquet")),
        provenance=provenance_table(reader, chosen, features).content,
        protection=protection,
        feature_columns=tuple(name for name in feature_columns(reader, chosen) if name in features.column_names),
        reasons=protection.get("reasons", {}),
        rows_of=Column(protected["series"], protected["rows"]),
        hipaa_path=hipaa_path,
        dates=dates,
        canaries=_canaries(reader, chosen),
        unpaired=_unpaired(verified),
        digests=_digests(reader, chosen, steps),
        treatments=treatments,
        canaries_by_letter=count_canaries(_verified(reader, chosen, "canary.parquet", tables.VERIFY_CANARY)),
        ranges=Stored(reader.path("protect", "ranges.parquet")),
        attack=json.loads(reader.path("attack", ATTACK).read_text()),
        ways=tuple(_ways(reader)),
        judged=judged_tables(reader),
        subgroups=_subgroups(reader, chosen),
        hits_by_letter=count_hits(_verified(reader, chosen, "hits.parquet", tables.VERIFY_HITS), treatments),
    )


def _inventory(reader: Reader) -> tuple[Members, Files]:
    """The series that were found, and the files counted once more from the instance tables."""
    parts, found, placed = [], 0, 0
    aside: Counter[str] = Counter()
    for chunk in inventoried_chunks(reader.results):
        folder = f"inventory/chunks/{chunk}"
        files = reader.content(folder, "instances.parquet", tables.INVENTORY_INSTANCES)
        kept = pc.fill_null(pc.equal(files["status"], tables.OK), False)
        sizes: Counter[str] = Counter()
        counted(files.filter(kept), "series", sizes)
        counted(files.filter(pc.invert(kept)), "reason", aside)
        found, placed = found + files.num_rows, placed + sizes.total()
        series = reader.content(folder, "series.parquet", tables.INVENTORY_SERIES)
        numbers = pa.array([sizes[name] for name in series["series"].to_pylist()], pa.int64())
        parts.append(series.append_column("files", numbers).select(list(MEMBER)))
    unplaced = reader.content("inventory", "unplaced.parquet", tables.INVENTORY_INSTANCES)
    counted(unplaced, "reason", aside)
    nobody = pa.table({name: pa.array([], pa.int64() if name == "files" else pa.string()) for name in MEMBER})
    members = packed_texts(pa.concat_tables([nobody, *parts]))
    return Members(members), Files(found + unplaced.num_rows, placed, dict(aside))


def _subgroups(reader: Reader, chosen: list[str]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Groups that each patient belongs to, as far as tables tell; all series of a patient lie in one chunk."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for chunk in inventoried_chunks(reader.results):
        rows = reader.rows(f"inventory/chunks/{chunk}", "series.parquet", tables.INVENTORY_SERIES)
        further = (
            reader.rows(f"deidentify/{chunk}", "series.parquet", tables.DEIDENTIFY_SERIES) if chunk in chosen else []
        )
        found |= subgroups(rows, further, reader.key)
    return dict(sorted(found.items()))


def _ways(reader: Reader) -> list[dict[str, Any]]:
    """Changes that protect tried out, where it wrote any."""
    return reader.rows("protect", WAYS) if WAYS in reader.sealed("protect") else []


def _reported(content: Mapping[str, Any]) -> Files:
    return Files(
        int(content["total"]), int(content["placed"]), {str(k): int(v) for k, v in content["quarantined"].items()}
    )


def _chosen_series(reader: Reader, chunks: list[str]) -> pa.Array:
    folders = [f"consent/chunks/{chunk}" for chunk in chunks]
    return gathered(reader, folders, "series.parquet", tables.INVENTORY_SERIES, ["series"])["series"].combine_chunks()


def _gathered(
    reader: Reader, stage: str, chunks: list[str], name: str, schema: tables.Schema, wanted: Sequence[str]
) -> pa.Table:
    """Some columns of a stage's table over all chunks."""
    return gathered(reader, [f"{stage}/{chunk}" for chunk in chunks], name, schema, wanted)


def _series(reader: Reader, stage: str, chunks: list[str], schema: tables.Schema, more: Sequence[str]) -> pa.Table:
    """What became of each series at a stage, and some further columns."""
    return _gathered(reader, stage, chunks, "series.parquet", schema, [*STEP, *more])


def _steps(content: pa.Table) -> Steps:
    return Steps(content.select(list(STEP)))


def _hits(reader: Reader, chunks: list[str], verified: pa.Table) -> int:
    """Hits counted from the list of hits, or as the series table says if that is more."""
    listed = 0
    for chunk in chunks:
        listed += sum(row["count"] or 0 for row in reader.rows(f"verify/{chunk}", "hits.parquet", tables.VERIFY_HITS))
    return max(listed, pc.sum(verified["hits"]).as_py() or 0)


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


def _unpaired(verified: pa.Table) -> dict[str, int]:
    """Verified series with files that weren't held against their sources, and how many."""
    passed = verified.filter(pc.fill_null(pc.equal(verified["status"].cast(pa.string()), tables.OK), False))
    lacking = pc.subtract(pc.fill_null(passed["files"], 0), pc.fill_null(passed["paired"], 0))
    pairs = zip(passed["series"].to_pylist(), lacking.to_pylist(), strict=True)
    return {series: number for series, number in pairs if number}


def _regions(reader: Reader, chunks: list[str]) -> dict[str, int]:
    """How many regions were measured (`ok`), and how many were not, by reason."""
    found: Counter[str] = Counter()
    for chunk in chunks:
        rows = Stored(reader.path(f"extract/{chunk}", "features.parquet")).select(["status", "reason"])
        kept = pc.fill_null(pc.equal(rows["status"], tables.OK), False)
        found[tables.OK] += pc.sum(kept).as_py() or 0
        counted(rows.filter(pc.invert(kept)), "reason", found)
    return {name: number for name, number in sorted(found.items()) if number}


def _faces(reader: Reader, chunks: list[str], defaced: pa.Table) -> Faces:
    return Faces(defaced, _gathered(reader, "deface", chunks, "qc.parquet", tables.DEFACE_QC, CHECKED))


def feature_columns(reader: Reader, chunks: list[str]) -> dict[str, dict[str, Any]]:
    """What extract says about its feature columns, by name."""
    found: dict[str, dict[str, Any]] = {}
    for chunk in chunks:
        found |= {
            row["name"]: row for row in reader.rows(f"extract/{chunk}", "columns.parquet", tables.EXTRACT_COLUMNS)
        }
    return found


def provenance_table(reader: Reader, chunks: list[str], features: Large) -> Packed:
    """The provenance records that rows of the release name, sorted by digest."""
    # protect's own records too, where it withholds what leads to one scan
    return records_of(reader, [*(f"extract/{chunk}" for chunk in chunks), "protect"] if chunks else [], features)


def _digests(reader: Reader, chunks: list[str], steps: Mapping[str, Iterable[Step]]) -> dict[str, str]:
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

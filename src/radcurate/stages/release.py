"""Write the release: Parquet, dictionary, provenance, checksums, data card. Earlier releases are never touched."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import pyarrow as pa

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.governance.conservation import OUTCOMES
from radcurate.keys import Key
from radcurate.privacy.columns import Columns, load_columns
from radcurate.release import attestation, card, check, dictionary, signing, versions
from radcurate.release.descriptions import CROSSCHECK, DESCRIPTIONS
from radcurate.release.provenance import PACKAGES, RunRecord, config_digest, content_settings
from radcurate.seals import sha256
from radcurate.settings import Config, Release
from radcurate.stages._command import command
from radcurate.stages._evidence import Reader, chosen_chunks, feature_columns, provenance_table
from radcurate.stages._images import Images, release_images
from radcurate.stages._ranges import range_notes, range_reasons
from radcurate.workflow import code_digest

log = logging.getLogger("radcurate")
STAGES = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


@dataclass(frozen=True)
class Content:
    """What goes into a release, whatever its version will be."""

    verdict: Mapping[str, Any]
    outcomes: Sequence[Mapping[str, Any]]
    safe_harbor: str
    features: pa.Table
    acquisition: pa.Table
    provenance: pa.Table
    columns: Sequence[dictionary.Column]
    record: RunRecord
    images: Images
    more: Mapping[str, pa.Table]  # further tables of the release, by name


def run(
    settings: Release, results: Path, out: Path, key: Key, config: Config, columns: Path, lock: Path | None = None
) -> None:
    """Build `<name>-<version>` beside `out` from what the gate let pass under `results`, then write the receipt `out`.

    Args:
        settings: name, version, whether images go in.
        results: folder with the results of all stages.
        out: the receipt, results/release/release.json.
        key: the project key.
        config: the whole configuration; its digest is recorded.
        columns: config/columns.yaml, for the reason of every column.
        lock: uv.lock, whose digest names the environment.

    Raises:
        CurationError: the gate has not let this run pass, the version is taken, or an earlier release was changed.
    """
    reader = Reader(results, key)
    verdict = _passed(reader)
    for sealed in ["protect", *(f"extract/{chunk}" for chunk in chosen_chunks(results))]:
        reader.check(sealed)
    _insist(not reader.problems, "; ".join(reader.problems))
    _insist(
        verdict["digests"]["protect"] == reader.digest("protect"), "results/protect changed after the gate judged it"
    )
    out.unlink(missing_ok=True)
    building = versions.new_building(out.parent)
    try:
        images = release_images(reader, building, _crowd(verdict), key) if settings.images else Images()
        content = _content(reader, verdict, load_columns(columns), images, key, config, lock)
        folder = _settle(building, out.parent, settings, content, key)
    finally:
        if building.exists():
            shutil.rmtree(building)
    _receipt(out, folder, content, results)
    log.info(
        "release: %s, %d rows of %d patients, %d image and contour series",
        folder.name, content.features.num_rows, card.patients(content.features), images.series,
    )  # fmt: skip


def _passed(reader: Reader) -> dict[str, Any]:
    """The gate's verdict, sealed and positive."""
    _insist(reader.check("gate"), "; ".join(reader.problems))
    verdict: dict[str, Any] = json.loads(reader.path("gate", "verdict.json").read_text())
    _insist(verdict["holds"] is True, "a verdict that does not hold")
    return verdict


def _crowd(verdict: Mapping[str, Any]) -> int:
    """The k that the policy asked for; the verdict tells it as `at least 5`."""
    limits = [finding["allowed"] for finding in verdict["findings"] if finding["measure"] == "protect.k"]
    return max(int(float(limit.rpartition(" ")[2])) for limit in limits)


def _insist(holds: bool, found: str) -> None:
    if not holds:
        raise CurationError(
            "the gate has not let this run pass",
            wanted="a sealed verdict on the very tables to be released",
            found=found,
            fix="run snakemake again; `radcurate summary` tells what the gate found",
        )


def _content(
    reader: Reader,
    verdict: dict[str, Any],
    declared: Columns,
    images: Images,
    key: Key,
    config: Config,
    lock: Path | None,
) -> Content:
    features = tables.read(reader.path("protect", "features.parquet"))
    acquisition = tables.read(reader.path("protect", "acquisition.parquet"))
    provenance = provenance_table(reader, chosen_chunks(reader.results), features)
    notes = _notes(feature_columns(reader, chosen_chunks(reader.results)))
    ranges = tables.read(reader.path("protect", "ranges.parquet"))
    stability = tables.read(reader.path("protect", "stability.parquet"), tables.PROTECT_STABILITY)
    crosscheck = tables.read(reader.path("protect", "crosscheck.parquet"))
    more = {"ranges": ranges, "stability": stability} if stability.num_rows else {}
    more |= {"crosscheck": crosscheck} if crosscheck.num_rows else {}
    lines = [
        *dictionary.columns("features", features, notes, _reasons(features, declared)),
        *dictionary.columns("acquisition", acquisition, notes, _reasons(acquisition, declared)),
        *dictionary.columns("provenance", provenance, notes, dict.fromkeys(provenance.column_names, RECORD)),
        *(
            [
                *dictionary.columns(
                    "ranges", ranges, notes | range_notes(ranges, notes), range_reasons(ranges, declared)
                ),
                *dictionary.columns("stability", stability, notes, dict.fromkeys(stability.column_names, STABILITY)),
            ]
            if stability.num_rows
            else []
        ),
        *(
            dictionary.columns("crosscheck", crosscheck, notes | _plain(CROSSCHECK), _reasons(crosscheck, declared))
            if crosscheck.num_rows
            else []
        ),
        *(
            [*dictionary.columns("images", images.table, notes, dict.fromkeys(images.table.column_names, IMAGE_LIST))]
            if images.series
            else []
        ),
    ]
    return Content(
        verdict=verdict,
        outcomes=reader.rows("gate", "outcomes.parquet", OUTCOMES),
        safe_harbor=reader.path("gate", "safe_harbor.json").read_text(),
        features=features,
        acquisition=acquisition,
        provenance=provenance,
        columns=lines,
        record=_record(verdict, key, config, lock),
        images=images,
        more=more,
    )


STABILITY = dictionary.Reason("technical", "says which features a model may rely on")
RECORD = dictionary.Reason("technical", "nobody can compute the values again without it")
IMAGE_LIST = dictionary.Reason("technical", "leads from a row to its image files")


def _notes(features: Mapping[str, Mapping[str, Any]]) -> dict[str, dictionary.Note]:
    """What extract says about feature columns, and `descriptions` about all others."""
    return _plain(DESCRIPTIONS) | {
        name: dictionary.Note(
            ibsi=column["code"],
            unit=column["unit"],
            aggregation=column["aggregation"],
            conformance=column["conformance"],
            description=column["description"],
        )
        for name, column in features.items()
    }


def _plain(descriptions: Mapping[str, tuple[str, str]]) -> dict[str, dictionary.Note]:
    return {
        name: dictionary.Note(dictionary.NON_IBSI, unit, "", "", text) for name, (unit, text) in descriptions.items()
    }


def _reasons(content: pa.Table, declared: Columns) -> dict[str, dictionary.Reason]:
    found = {name: declared.find(name) for name in content.column_names}
    return {name: dictionary.Reason(entry.role, entry.reason) for name, entry in found.items() if entry is not None}


def _record(verdict: Mapping[str, Any], key: Key, config: Config, lock: Path | None) -> RunRecord:
    legal = verdict["legal"]
    return RunRecord(
        release="",
        version="",
        policy=verdict["policy"],
        policy_digest=verdict["policy_digest"],
        status=legal["status"],
        hipaa_path=legal["hipaa_path"],
        dates=legal["dates"],
        key_id=key.key_id,
        settings=content_settings(config.model_dump(mode="json")),
        config_digest=config_digest(config.model_dump(mode="json")),
        environment_digest=sha256(lock) if lock is not None and lock.is_file() else "",
        versions={name: _installed(name) for name in PACKAGES},
        code={stage: code_digest(f"radcurate.stages.{stage}") for stage in STAGES},
        results=dict(verdict["digests"]),
    )


def _installed(name: str) -> str:
    try:
        return installed_version(name)
    except PackageNotFoundError:
        return "not installed"


def _settle(building: Path, folder: Path, settings: Release, content: Content, key: Key) -> Path:
    """The folder that holds this content: an earlier release that is the same, or a new one."""
    if settings.version != "auto":
        _write(building, settings.name, settings.version, content, key)
        return _keep_or_publish(building, folder / f"{settings.name}-{settings.version}", key)
    earlier = versions.numbered(folder, settings.name)
    latest = max(earlier, default=0)
    if latest:
        _write(building, settings.name, str(latest), content, key)
        if _same(building, earlier[latest]):
            return _kept(earlier[latest], key)
    _write(building, settings.name, str(latest + 1), content, key)
    return _keep_or_publish(building, folder / f"{settings.name}-{latest + 1}", key)


def _keep_or_publish(building: Path, target: Path, key: Key) -> Path:
    if not target.exists():
        versions.publish(building, target)
        return target
    if not _same(building, target):
        raise versions.taken(target.name)
    return _kept(target, key)


def _same(building: Path, release: Path) -> bool:
    sums = release / check.SUMS
    return sums.is_file() and sums.read_bytes() == (building / check.SUMS).read_bytes()


def _kept(release: Path, key: Key) -> Path:
    problems = check.check_signed(release, signing.signing_key(key).public_key()).problems
    if problems:
        raise versions.damaged(release.name, problems)
    return release


def _write(building: Path, name: str, version: str, content: Content, key: Key) -> None:
    """Everything but the images, which don't name their version, into `building`; checksums and signature last."""
    record = replace(content.record, release=name, version=version).as_json()
    (building / "provenance.json").write_text(record)
    metadata = {
        "release": name,
        "version": version,
        "policy": content.verdict["policy"],
        "status": content.verdict["legal"]["status"],
        "provenance": sha256(building / "provenance.json"),
    }
    plain = {"features": content.features, "acquisition": content.acquisition, "provenance": content.provenance}
    for table_name, rows in (plain | dict(content.more)).items():
        lines = [line for line in content.columns if line.table == table_name]
        table = dictionary.with_metadata(rows, lines, metadata)
        tables.write(building / f"{table_name}.parquet", table)
    (building / "dictionary.csv").write_text(dictionary.as_csv(content.columns), encoding="utf-8")
    (building / "dictionary.json").write_text(dictionary.as_json(content.columns), encoding="utf-8")
    (building / "safe_harbor.json").write_text(content.safe_harbor, encoding="utf-8")
    (building / "DATA_CARD.md").write_text(card.data_card(_facts(name, version, content)), encoding="utf-8")
    _sign(building, name, version, content, key)


def _sign(building: Path, name: str, version: str, content: Content, key: Key) -> None:
    """The public key, the checksums, and the attestation over everything."""
    (building / check.PUBLIC_KEY).write_text(signing.public_pem(key))
    found = check.digests(building)
    (building / check.SUMS).write_text(check.as_lines(found), encoding="utf-8")
    about = {
        "release": name,
        "version": version,
        "policy": content.verdict["policy"],
        "policy_digest": content.verdict["policy_digest"],
        "recipients": content.verdict["recipients"],
        "status": content.verdict["legal"]["status"],
        "key_id": key.key_id,
    }
    statement = attestation.statement(found | {check.SUMS: check.digest_of(building)}, about)
    (building / check.ATTESTATION).write_text(signing.sign(statement, key))


def _facts(name: str, version: str, content: Content) -> card.Facts:
    return card.Facts(
        name=name,
        version=version,
        verdict=content.verdict,
        features=content.features,
        acquisition=content.acquisition,
        crosscheck=content.more["crosscheck"].to_pylist() if "crosscheck" in content.more else [],
        columns=content.columns,
        outcomes=content.outcomes,
        images=content.images.series,
        images_left_out=content.images.left_out,
        provenance_records=content.provenance.num_rows,
        stability=content.more["stability"].to_pylist() if "stability" in content.more else [],
    )


def _receipt(out: Path, folder: Path, content: Content, results: Path) -> None:
    receipt = {
        "folder": folder.name,
        "version": json.loads((folder / "provenance.json").read_text())["version"],
        "digest": check.digest_of(folder),
        "rows": content.features.num_rows,
        "patients": card.patients(content.features),
        "verdict": sha256(results / "gate" / "verdict.json"),
    }
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    temporary.write_text(json.dumps(receipt, indent=1, sort_keys=True) + "\n")
    temporary.replace(out)


if __name__ == "__main__":
    command(run)

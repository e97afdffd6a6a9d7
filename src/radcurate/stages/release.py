"""Write the release: Parquet, dictionary, provenance, checksums, data card. Earlier releases are never touched."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.privacy.columns import load_columns
from radcurate.release import card, check, signing, versions
from radcurate.seals import sha256
from radcurate.settings import Config, Release
from radcurate.stages._command import command
from radcurate.stages._content import Content, crowd, read_content, read_study
from radcurate.stages._evidence import Reader, chosen_chunks
from radcurate.stages._images import Images, release_images
from radcurate.stages._release_files import write_files
from radcurate.stages._report import HTML

log = logging.getLogger("radcurate")
RELATIVE = ("CHANGES.md", "changes.json", "ro-crate-metadata.json")  # the last tells the size of the others
JUDGED = ("protect", "attack", "harmonise")  # folders whose digest the verdict holds, where they are part of the run


def run(
    settings: Release,
    results: Path,
    out: Path,
    key: Key,
    config: Config,
    columns: Path,
    lock: Path | None = None,
    study: Sequence[Path] = (),
    codes: str = "",
) -> None:
    """Build `<name>-<version>` beside `out` from what the gate let pass under `results`, then write the receipt `out`
    and, beside it, the release's report, for `snakemake --report`.

    Args:
        settings: name, version, whether images go in.
        results: folder with the results of all stages.
        out: the receipt, results/release/release.json.
        key: the project key.
        config: the whole configuration; its digest is recorded.
        columns: config/columns.yaml, for the reason of every column.
        lock: uv.lock, whose digest names the environment.
        codes: digest of each stage's program, as JSON; empty: found here.
        study: file with what only people know about the study; none or one.

    Raises:
        CurationError: the gate has not let this run pass, the version is taken, or an earlier release was changed.
    """
    reader = Reader(results, key)
    verdict = _passed(reader)
    judged = [stage for stage in JUDGED if stage in verdict["digests"]]
    for sealed in [*judged, *(f"extract/{chunk}" for chunk in chosen_chunks(results))]:
        reader.check(sealed)
    _insist(not reader.problems, "; ".join(reader.problems))
    for stage in judged:
        same = verdict["digests"][stage] == reader.digest(stage)
        _insist(same, f"results/{stage} changed after the gate judged it")
    out.unlink(missing_ok=True)
    building = versions.new_building(out.parent)
    try:
        images = release_images(reader, building, crowd(verdict), key) if settings.images else Images()
        content = read_content(
            reader, verdict, load_columns(columns), images, key, config, lock, read_study(study), codes
        )
        folder = _settle(building, out.parent, settings, content, key)
    finally:
        if building.exists():
            shutil.rmtree(building)
    _replace(out.with_name(HTML), (folder / HTML).read_bytes())
    _receipt(out, folder, content, results)
    features = content.tables["features"]
    log.info(
        "release: %s, %d rows of %d patients, %d image and contour series",
        folder.name, features.num_rows, card.patients(features), images.series,
    )  # fmt: skip


def _passed(reader: Reader) -> dict[str, Any]:
    """The gate's verdict, sealed and positive."""
    _insist(reader.check("gate"), "; ".join(reader.problems))
    verdict: dict[str, Any] = json.loads(reader.path("gate", "verdict.json").read_text())
    _insist(verdict["holds"] is True, "a verdict that does not hold")
    return verdict


def _insist(holds: bool, found: str) -> None:
    if not holds:
        raise CurationError(
            "the gate has not let this run pass",
            wanted="a sealed verdict on the very tables to be released",
            found=found,
            fix="run snakemake again; `radcurate summary` tells what the gate found",
        )


def _settle(building: Path, folder: Path, settings: Release, content: Content, key: Key) -> Path:
    """The folder that holds this content: an earlier release that is the same, or a new one."""
    if settings.version != "auto":
        write_files(building, folder, settings, settings.version, content, key)
        return _keep_or_publish(building, folder / f"{settings.name}-{settings.version}", key)
    earlier = versions.numbered(folder, settings.name)
    latest = max(earlier, default=0)
    if latest:
        write_files(building, folder, settings, str(latest), content, key)
        if _same(building, earlier[latest]):
            return _kept(earlier[latest], key)
    write_files(building, folder, settings, str(latest + 1), content, key)
    return _keep_or_publish(building, folder / f"{settings.name}-{latest + 1}", key)


def _keep_or_publish(building: Path, target: Path, key: Key) -> Path:
    if not target.exists():
        versions.publish(building, target)
        return target
    if not _same(building, target):
        raise versions.taken(target.name)
    return _kept(target, key)


def _same(building: Path, release: Path) -> bool:
    """Whether two folders hold the same but for what depends on which releases there are beside them."""
    own, other = (_sums(folder / check.SUMS) for folder in (building, release))
    return own == other


def _sums(path: Path) -> list[str]:
    if not path.is_file():
        return []
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line[66:] not in RELATIVE]


def _kept(release: Path, key: Key) -> Path:
    problems = check.check_signed(release, signing.signing_key(key).public_key()).problems
    if problems:
        raise versions.damaged(release.name, problems)
    return release


def _receipt(out: Path, folder: Path, content: Content, results: Path) -> None:
    receipt = {
        "folder": folder.name,
        "version": json.loads((folder / "provenance.json").read_text())["version"],
        "digest": check.digest_of(folder),
        "rows": content.tables["features"].num_rows,
        "patients": card.patients(content.tables["features"]),
        "verdict": sha256(results / "gate" / "verdict.json"),
    }
    _replace(out, (json.dumps(receipt, indent=1, sort_keys=True) + "\n").encode())


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)


if __name__ == "__main__":
    command(run)

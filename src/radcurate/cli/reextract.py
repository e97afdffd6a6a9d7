"""`radcurate reextract`: every number of a release once more, from its manifest and the images alone."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from radcurate.errors import CurationError
from radcurate.features import provenance
from radcurate.features.agreement import TOLERANCE, Agreement, compare
from radcurate.release.check import check_release, digest_of
from radcurate.release.manifest import KEYS, Manifest, identity, read_manifest
from radcurate.stages._candidates import find_series
from radcurate.stages._context import load_extensions
from radcurate.stages._rebuild import Rebuilt, rebuild, summaries

MOST_LINES = 20  # of one kind on the screen; --out has all
SOFTWARE = ("radcurate", "engine_version", "engine_digest", "extensions", "numpy", "scipy", "simpleitk", "pydicom")


def add(parser: argparse.ArgumentParser) -> None:
    """The release, where the images are, how many processes, where the whole report goes."""
    parser.add_argument("folder", type=Path, help="the release")
    parser.add_argument(
        "--images",
        type=Path,
        help="folder with the cleaned images and contours, searched at any depth: the release's own images (default), or results/deface",
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="processes; no value depends on them")
    parser.add_argument(
        "--extension",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a file that extract.extensions named when the release was made; from you, never from the release",
    )
    parser.add_argument("--out", type=Path, help="write the whole report here, as JSON")
    parser.set_defaults(verb=reextract)


@dataclass(frozen=True)
class Report:
    """What came of it.

    Attributes:
        regions: rows of the release.
        rebuilt: those that were computed again.
        absent: roi -> why it was not.
        versions: name -> what the release and what this installation has, where they differ.
        agreement: table -> column -> agreement.
        changed: features that were harmonised, averaged or given noise after they were measured, and so were not compared.
    """

    release: str
    digest: str
    regions: int
    rebuilt: int
    absent: Mapping[str, str]
    versions: Mapping[str, tuple[str, str]]
    agreement: Mapping[str, Mapping[str, Agreement]]
    changed: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Every row was rebuilt, something could be compared, and nothing is different."""
        columns = [found for table in self.agreement.values() for found in table.values()]
        compared = bool(self.agreement.get("features")) or not self.changed
        return compared and self.regions == self.rebuilt and not any(found.different for found in columns)


def reextract(chosen: argparse.Namespace) -> int:
    """Check the release, find its images by their digests, compute, compare. 0: all rows rebuilt, none different."""
    problems = check_release(chosen.folder)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        print(f"{chosen.folder}: {len(problems)} problems; nothing was computed", file=sys.stderr)
        return 1
    manifest = read_manifest(chosen.folder)
    folder = _images(chosen)
    load_extensions(chosen.extension, never_from=(chosen.folder, folder))
    images, contours = find_series(folder, chosen.threads)
    rebuilt = rebuild(manifest, images, contours, chosen.threads, chosen.extension)
    report = _report(manifest, rebuilt, digest_of(chosen.folder))
    print("\n".join(lines(report)))
    if chosen.out is not None:
        _write(chosen.out, report)
    return 0 if report.holds else 1


def _images(chosen: argparse.Namespace) -> Path:
    folder: Path = chosen.images or chosen.folder / "images"
    if not folder.is_dir():
        raise CurationError(
            "no images",
            wanted="a folder with the images and contours that the release was made from",
            found="no such folder" if chosen.images else "a release without images",
            fix="--images DIR; the hospital has them in results/deface",
        )
    return folder


def _report(manifest: Manifest, rebuilt: Rebuilt, digest: str) -> Report:
    made = {roi: identity(manifest.records[name]) for roi, name in manifest.provenance.items()}
    return Report(
        release=manifest.name,
        digest=digest,
        regions=len(made),
        rebuilt=sum(one in rebuilt.rows for one in made.values()),
        absent={roi: rebuilt.absent[one] for roi, one in sorted(made.items()) if one not in rebuilt.rows},
        versions=_versions(manifest),
        agreement={name: _agreement(name, manifest, rebuilt) for name in manifest.values}
        | {name: _of_all(manifest.summaries[name], rows) for name, rows in summaries(manifest, rebuilt).items()},
        changed=manifest.changed,
    )


def _agreement(table: str, manifest: Manifest, rebuilt: Rebuilt) -> dict[str, Agreement]:
    """Each column of a table against the rebuilt rows; a value that wasn't computed counts as missing."""
    content = manifest.values[table]
    made = [identity(manifest.records[manifest.provenance[roi]]) for roi in content["roi"].to_pylist()]
    there = [place for place, one in enumerate(made) if one in rebuilt.rows]
    rows = [rebuilt.rows[made[place]].get(table, [{}])[0] for place in there]
    released = content.take(pa.array(there, pa.int64()))
    found = {}
    for name in content.column_names[1:]:
        first = released[name].to_numpy().astype(np.float64)
        second = np.array([row.get(name, np.nan) for row in rows], dtype=np.float64)
        found[name] = compare(first, second)
    return found


def _of_all(released: pa.Table, rebuilt: list[dict[str, Any]]) -> dict[str, Agreement]:
    """Each column of a table over all regions against the rebuilt one; a row that only one has is different."""
    now = {tuple(row[key] for key in KEYS): row for row in rebuilt}
    then = {tuple(row[key] for key in KEYS): row for row in released.to_pylist()}
    rows = [(then.get(key, {}), now.get(key, {})) for key in sorted(then.keys() | now.keys())]
    return {
        name: compare(
            np.array([old.get(name) for old, _ in rows], dtype=np.float64),
            np.array([new.get(name) for _, new in rows], dtype=np.float64),
        )
        for name in released.column_names
        if name not in KEYS
    }


def _versions(manifest: Manifest) -> dict[str, tuple[str, str]]:
    """Where this installation is another than the one that the release was made with."""
    differing: dict[str, tuple[str, str]] = {}
    for record in manifest.records.values():
        here = provenance.software(record["engine"])
        differing |= {name: (str(record[name]), here[name]) for name in SOFTWARE if record[name] != here[name]}
    return differing


def lines(report: Report) -> list[str]:
    """The report for a screen."""
    told = [f"release    {report.release}: every file is as released"]
    for name, (then, now) in report.versions.items():
        told.append(f"differs    {name}: {_short(then)} when it was released, {_short(now)} here")
    told.append(f"regions    {report.rebuilt} of {report.regions} rebuilt")
    told += [f"not found  {n}: {why}" for why, n in Counter(report.absent.values()).most_common()]
    told += _some([f"           {roi}: {why}" for roi, why in report.absent.items()])
    if report.changed:
        told.append(
            f"changed    {len(report.changed)} features were harmonised, averaged or given noise after they were measured: "
            "not compared"
        )
    for table, columns in report.agreement.items():
        told += _table_lines(table, columns)
    whole = "every number that is as measured is what it was" if report.changed else "every number is what it was"
    told.append(f"holds      {whole}" if report.holds else "FAILED     not every number could be rebuilt")
    return told


def _table_lines(table: str, columns: Mapping[str, Agreement]) -> list[str]:
    equal = [name for name, found in columns.items() if not found.within and not found.different]
    within = [name for name, found in columns.items() if found.within and not found.different]
    different = [name for name, found in columns.items() if found.different]
    told = [
        f"{table:10} {len(columns)} columns: {len(equal)} bit-equal, {len(within)} within {TOLERANCE:g}, "
        f"{len(different)} different"
    ]
    return told + _some(
        [
            f"           {name}: {columns[name].equal} rows bit-equal, {columns[name].within} within, "
            f"{columns[name].different} different; largest relative difference {columns[name].largest:.3g}"
            for name in [*different, *within]
        ]
    )


def _some(told: list[str]) -> list[str]:
    return told if len(told) <= MOST_LINES else [*told[:MOST_LINES], f"           … {len(told) - MOST_LINES} more"]


def _short(value: str) -> str:
    return value[:12] if len(value) == 64 else value


def _write(path: Path, report: Report) -> None:
    content: dict[str, Any] = {**asdict(report), "tolerance": TOLERANCE, "holds": report.holds}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

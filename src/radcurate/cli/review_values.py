"""`radcurate review values`: what the value tables blanked and how often, for the steward who may extend them.

Everything is read from the source again; nothing of it is kept, unless a file for the table is asked for.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import yaml

from radcurate import tables
from radcurate.cli._run import PROJECT, run_config
from radcurate.deidentify.dates import date_rule
from radcurate.deidentify.people import numbers_of_dates, numbers_of_ids, words_of_names
from radcurate.deidentify.policy import Policy, load_policy
from radcurate.deidentify.review import NUMBERS, OWN, PLACES, Line, Listener, Own, Tally, lines, own
from radcurate.deidentify.rewrite import Patient, Rewriter
from radcurate.dicom.container import read_file
from radcurate.dicom.elements import DataSet
from radcurate.dicom.problems import Unsafe
from radcurate.dicom.split import Splitter, parse
from radcurate.errors import CurationError
from radcurate.identity.files import refuse_here, write_private
from radcurate.keys import Key, load_key
from radcurate.seals import check_seal
from radcurate.settings import Config
from radcurate.sources.origin import Origin
from radcurate.sources.reading import input_origin, reading_folder
from radcurate.stages._folders import entries
from radcurate.stages._pool import map_items
from radcurate.workflow import resolve

RESULTS = Path("results")
SOP_CLASS = 0x00080016
FIRST_BYTES = 1 << 15  # most headers are shorter
MORE_BYTES = 1 << 12  # than the header before, at most, within a series
WIDEST = 60  # characters of a value on the screen
COLUMNS = ("keyword", "value", "files", "series", "patients", "rare", "extend")


@dataclass(frozen=True)
class Task:
    """One series: where its files are, and what of its patient no value may hold."""

    series: str
    subject: str
    paths: tuple[str, ...] = field(repr=False)
    own: Own = field(repr=False)
    own_words: frozenset[str] = field(repr=False)
    own_numbers: frozenset[float] = field(repr=False)


@dataclass(frozen=True)
class Rules:
    """What is the same for all series."""

    config: Config
    policy: Policy
    key: Key
    source: Path


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.set_defaults(verb=review)
    parser.add_argument("--configfile", type=Path, nargs="+", default=[], help="as the run was told; later files win")
    parser.add_argument("--input", type=Path, help="the export, where the configuration doesn't name it")
    parser.add_argument("--keyword", nargs="+", help="these attributes only")
    parser.add_argument("--limit", type=int, default=40, help="lines to print; 0 for all")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the whole table here (0600), outside the run")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)


def review(chosen: argparse.Namespace) -> int:
    """Count what is blanked in all permitted series, and print it."""
    if chosen.csv:
        refuse_here(chosen.csv, "the table of blanked values")
    config = run_config(chosen.configfile, chosen.input)
    key, origin = load_key(Path(config.key_file), run_folder=Path.cwd()), _origin(config)
    _insist_on_own_results(key.file_code(origin.place))
    rules = Rules(config, _policy(config), key, reading_folder(origin, RESULTS))
    tally = Tally()
    for part in map_items(partial(_series, rules), _tasks(rules.key), chosen.threads, "review"):
        tally.add(part)
    found = [line for line in lines(tally) if not chosen.keyword or line.keyword in chosen.keyword]
    where = _places(resolve(config.deidentify.vocabulary, PROJECT))
    _print(found, chosen.limit, where)
    print(f"{tally.files} files read" + (f", {tally.unread} could not be" if tally.unread else ""), file=sys.stderr)
    if chosen.csv:
        write_private(chosen.csv.expanduser(), _as_csv(found, where))
    return 0


def _policy(config: Config) -> Policy:
    settings = config.deidentify
    return load_policy(resolve(settings.allowlist, PROJECT), resolve(settings.vocabulary, PROJECT), settings)


def _origin(config: Config) -> Origin:
    """The input of the run; results/fetch holds what it is read from, where it is no plain folder."""
    try:
        return input_origin(config, RESULTS, worker=True)
    except CurationError as error:
        raise CurationError(
            "no input",
            wanted="the folder with the DICOM export of this run",
            found=error.found,
            fix="radcurate review values --input DIR",
        ) from None


def _insist_on_own_results(own: str) -> None:
    mark = RESULTS / ".input"
    if not (RESULTS / "consent" / "chunks").is_dir():
        raise CurationError(
            "nothing to review",
            wanted="a run that has come past consent, in results/",
            found="no results/consent/chunks",
            fix="run snakemake first, and review from the same folder",
        )
    if mark.exists() and mark.read_text().strip() != own:
        raise CurationError(
            "results/ holds a run on other data",
            wanted="the input that the run was made on",
            found="another folder or key",
            fix="name the run's own configuration and input: --configfile, --input",
        )


def _tasks(key: Key) -> list[Task]:
    tasks: list[Task] = []
    for chunk in entries(RESULTS / "consent" / "chunks"):
        check_seal(chunk, key)
        tasks += _tasks_of(chunk)
    return tasks


def _tasks_of(chunk: Path) -> list[Task]:
    paths, identity = defaultdict(list), defaultdict(list)
    for row in tables.read_rows(chunk / "instances.parquet", tables.INVENTORY_INSTANCES):
        if row["status"] == tables.OK:
            paths[row["series"]].append(row["path"])
    for row in tables.read_rows(chunk / "identifiers.parquet", tables.INVENTORY_IDENTIFIERS):
        identity[row["subject"]].append(row)
    owns = {subject: own(rows) for subject, rows in identity.items()}
    return [
        Task(
            row["series"],
            row["subject"],
            tuple(sorted(paths[row["series"]])),
            owns.get(row["subject"], own([])),
            words_of_names(one["value"] for one in identity[row["subject"]] if one["category"] == "name"),
            numbers_of_ids(one["value"] for one in identity[row["subject"]] if one["category"] == "id")
            | numbers_of_dates(one["value"] for one in identity[row["subject"]] if one["category"] == "date"),
        )
        for row in tables.read_rows(chunk / "series.parquet", tables.INVENTORY_SERIES)
        if row["status"] == tables.OK and row["kind"] != "nifti"
    ]


def _series(rules: Rules, task: Task) -> Tally:
    """What is blanked in one series; a file that can't be read is counted, it is the run's matter to say why."""
    settings = rules.config.deidentify
    dates = date_rule(rules.key, task.subject, settings.dates, settings.shift_weeks)
    rewriter = Rewriter(rules.policy, rules.key, Patient(task.subject, dates, task.own_words, task.own_numbers))
    listener = Listener(rules.policy.vocabulary, task.series, task.subject, task.own)
    rewriter.on_blank = listener
    reader = _HeaderReader()
    for path in task.paths:
        try:
            elements, little = reader.read(rules.source / path)
        except (Unsafe, OSError):
            listener.tally.unread += 1
            continue
        named = elements.get(SOP_CLASS)
        listener.family = rules.policy.families.get(
            named.value.strip(b" \0").decode("ascii", "replace") if named else ""
        )
        if listener.family is None:  # the run quarantines such objects
            continue
        rewriter.data_set(elements, little, listener.family)
        rewriter.notes.clear()
        listener.end_of_file()
    return listener.tally


@dataclass
class _HeaderReader:
    """Reads headers of a series, no more of a file than needed where it is an ordinary one."""

    splitter: Splitter = field(default_factory=Splitter)
    reach: int = FIRST_BYTES

    def read(self, path: Path) -> tuple[DataSet, bool]:
        """The elements but the pixel data, or all of them where the file is out of the ordinary; whether little endian."""
        size = path.stat().st_size
        with path.open("rb") as stream:
            data = stream.read(self.reach)
            found = self.splitter.split(data, size)
            if found is None and len(data) < size:
                data += stream.read()
                found = self.splitter.split(data, size)
        if found is None:
            source = read_file(data)
            return source.elements, source.encoding.little
        self.reach = max(FIRST_BYTES, found.pixel_head + MORE_BYTES)
        pieces = zip(found.tags, found.raws, strict=True)
        return {tag: parse(raw, found.encoding) for tag, raw in pieces}, found.encoding.little


def _places(vocabulary: Path) -> dict[str, int]:
    """Line of the vocabulary's file by place, such as `values.Modality`; an alias leads to what it stands for."""
    root = yaml.compose(vocabulary.read_text())
    found: dict[str, int] = {}
    sections = root.value if isinstance(root, yaml.MappingNode) else []
    for section, content in sections:
        if isinstance(content, yaml.MappingNode):
            for name, value in content.value:
                found[f"{section.value}.{name.value}"] = value.start_mark.line + 1
    return found


def _extend(line: Line, where: Mapping[str, int]) -> str:
    """What a steward can do about a line."""
    if line.value is None:
        return "never"
    if line.action in NUMBERS:
        return "its limits, in the allow-list"
    names = [name.format(line.keyword) for name in PLACES.get(line.action, ())]
    name = next((name for name in names if name in where), "")
    return f"{name}, line {where[name]}" if name else "nowhere"


def _print(found: Sequence[Line], limit: int, where: Mapping[str, int]) -> None:
    if not found:
        print("nothing was blanked")
        return
    shown = found[:limit] if limit > 0 else found
    wide = max(len(line.keyword) for line in shown)
    widest = min(WIDEST, max(len(_told(line)) for line in shown))
    print(
        f"{'attribute':{wide}}  {'value':{widest}}  {'files':>7}  {'series':>6}  {'patients':>8}    extend in the vocabulary"
    )
    for line in shown:
        value = _told(line) if len(_told(line)) <= widest else _told(line)[: widest - 1] + "…"
        mark = "*" if line.rare else " "
        print(
            f"{line.keyword:{wide}}  {value:{widest}}  {line.files:7}  {line.series:6}  {line.patients:8} {mark}  "
            + _extend(line, where)
        )
    if len(shown) < len(found):
        print(f"… and {len(found) - len(shown)} more (--limit 0)")
    if any(line.rare for line in shown):
        print("* one patient only: it may tell who, so add it only if it is a technical term")


def _told(line: Line) -> str:
    """The value as it can be printed; a header must not steer the terminal."""
    if line.value is None:
        return OWN
    return "".join(char if char.isprintable() else "·" for char in line.value)


def _as_csv(found: Sequence[Line], where: Mapping[str, int]) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in found:
        value = _told(line)
        value = "'" + value if value[:1] in ("=", "+", "-", "@") else value  # spreadsheets run such values
        rare = "yes" if line.rare else "no"
        writer.writerow([line.keyword, value, line.files, line.series, line.patients, rare, _extend(line, where)])
    return stream.getvalue().encode()

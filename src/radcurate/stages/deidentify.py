"""Rewrite the files of a chunk by the allow-list, under pseudonyms; nothing after this stage holds identity."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from radcurate import losses, tables
from radcurate.deidentify.dates import date_rule
from radcurate.deidentify.digests import Digests, digest
from radcurate.deidentify.fast import Quick, Shortcut
from radcurate.deidentify.instance import SERIES, SOP_INSTANCE, STUDY, Facts
from radcurate.deidentify.people import numbers_of_dates, numbers_of_ids, words_of_names
from radcurate.deidentify.policy import Policy, load_policy
from radcurate.deidentify.rewrite import Note, Patient, Rewriter
from radcurate.deidentify.series import SeriesRewriter, WaysDifferError
from radcurate.dicom import judged
from radcurate.dicom.problems import Unsafe
from radcurate.errors import CurationError, place_of
from radcurate.keys import Key
from radcurate.seals import check_seal
from radcurate.settings import Deidentify
from radcurate.stages._actions import ActionLog, action_tables
from radcurate.stages._canaries import write_canaries
from radcurate.stages._command import command
from radcurate.stages._crosswalk import write_crosswalk
from radcurate.stages._folders import empty_folder
from radcurate.stages._pool import map_items
from radcurate.stages._written import Written, seal, written_of

log = logging.getLogger("radcurate")
AT_ONCE = 2 << 20  # bytes of files read together
TABLES = ("series.parquet", "instances.parquet", "actions.parquet", "policy.json")


@dataclass(frozen=True)
class Task:
    """One series with its files, and the words and numbers that no value of it may hold."""

    series: Mapping[str, Any] = field(repr=False)
    instances: Sequence[Mapping[str, Any]] = field(repr=False)
    own_words: frozenset[str] = field(repr=False)
    own_numbers: frozenset[float] = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """Rows of one series for the three tables."""

    series: dict[str, Any]
    instances: list[dict[str, Any]] = field(default_factory=list)
    actions: ActionLog = field(default_factory=ActionLog)
    files: dict[str, Written] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """What is the same for all series of a chunk."""

    settings: Deidentify
    policy: Policy
    key: Key
    source: Path
    out: Path


def run(
    settings: Deidentify,
    chunk: Path,
    source: Path,
    out: Path,
    key: Key,
    allowlist: Path,
    vocabulary: Path,
    threads: int,
) -> None:
    """De-identify all series of `chunk` (a folder of the consent stage) from `source` into `out`."""
    check_seal(chunk, key)
    rules = Rules(settings, load_policy(allowlist, vocabulary, settings), key, source, out)
    empty_folder(out / "dicom")
    outcomes = map_items(partial(_series, rules), _tasks(chunk), threads, "deidentify", partial(_lost, rules))
    rows = share_within_study([outcome.series for outcome in outcomes])
    tables.write_rows(out / "series.parquet", tables.DEIDENTIFY_SERIES, rows)
    tables.write_rows(
        out / "instances.parquet", tables.DEIDENTIFY_INSTANCES, _all(outcome.instances for outcome in outcomes)
    )
    actions = {outcome.series["series"]: outcome.actions for outcome in outcomes}
    tables.write_parts(out / "actions.parquet", tables.DEIDENTIFY_ACTIONS.arrow, action_tables(actions))
    _write_policy(rules, out / "policy.json")
    seal(out, TABLES, key, {outcome.series["folder"]: outcome.files for outcome in outcomes})
    canaries = write_canaries(settings, rules.policy, key, out / "canary")
    write_crosswalk(settings, chunk, out, key)
    counts = Counter(outcome.series["status"] for outcome in outcomes)
    log.info(
        "deidentify: %d series, %d rewritten, %d quarantined, %d failed; %d canaries",
        len(outcomes), counts[tables.OK], counts[tables.QUARANTINED], counts[tables.FAILED], canaries,
    )  # fmt: skip


def _write_policy(rules: Rules, path: Path) -> None:
    """What the files were rewritten by: digest of the tables, options of PS3.15 that are claimed, dates, name of the key."""
    content = {
        "policy": rules.policy.digest,
        "options": list(rules.policy.options),
        "dates": rules.settings.dates,
        "key": rules.key.key_id,
    }
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


def share_within_study(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Age, sex and site of a patient in a study, filled in where one series lacks what the others agree on.

    PET headers often hold the age that the CT of the same visit does not; one patient must not count as two.
    """
    known: dict[tuple[Any, ...], set[Any]] = {}
    for row in rows:
        for name in ("age", "sex", "site"):
            if row.get("study") and row.get(name) is not None:
                known.setdefault((row["subject"], row["study"], name), set()).add(row[name])
    single = {place: values.pop() for place, values in known.items() if len(values) == 1}
    return [
        row
        | {
            name: single.get((row["subject"], row.get("study"), name))
            for name in ("age", "sex", "site")
            if row.get(name) is None
        }
        for row in rows
    ]


def _all(parts: Iterable[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [row for part in parts for row in part]


def _tasks(chunk: Path) -> list[Task]:
    instances: dict[str, list[dict[str, Any]]] = {}
    for row in tables.read_rows(chunk / "instances.parquet", tables.INVENTORY_INSTANCES):
        if row["status"] == tables.OK and row["series"]:
            instances.setdefault(row["series"], []).append(row)
    names, ids, dates = (_identity(chunk, category) for category in ("name", "id", "date"))
    rows = tables.read_rows(chunk / "series.parquet", tables.INVENTORY_SERIES)
    return [
        Task(
            row,
            instances.get(row["series"], []),
            words_of_names(names.get(row["subject"], [])),
            numbers_of_ids(ids.get(row["subject"], [])) | numbers_of_dates(dates.get(row["subject"], [])),
        )
        for row in rows
        if row["status"] == tables.OK
    ]


def _identity(chunk: Path, category: str) -> dict[str, list[str]]:
    """Original identifiers of a category, by subject."""
    found: dict[str, list[str]] = {}
    for row in tables.read_rows(chunk / "identifiers.parquet", tables.INVENTORY_IDENTIFIERS):
        if row["category"] == category:
            found.setdefault(row["subject"], []).append(row["value"])
    return found


def _series(rules: Rules, task: Task) -> Outcome:
    """Rewrite one series; what can't be done becomes a row, and nothing of it stays in the output folder."""
    folder = rules.out / "dicom" / task.series["series"]
    try:
        if not task.instances:
            raise Unsafe("no_files", "export the series again; none of its files can be used")
        empty_folder(folder)  # an earlier attempt may have been killed
        return _mask(rules, task, folder) if task.series["kind"] == "nifti" else _dicom(rules, task, folder)
    except Unsafe as verdict:
        status, reason, remedy = tables.QUARANTINED, verdict.reason, verdict.remedy
    except CurationError as error:
        status, reason, remedy = tables.QUARANTINED, error.problem, error.fix
    except (OSError, MemoryError):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except Exception as error:  # its message may quote a header value, so only its place is told
        status, reason = tables.FAILED, "unexpected:" + place_of(error)
        remedy = "report the reason; the series is left out"
    shutil.rmtree(folder, ignore_errors=True)
    return Outcome(_row(task, status, reason=reason, remedy=remedy, n_instances=0))


def _lost(rules: Rules, task: Task, reason: str) -> Outcome:
    """The row of a series whose process was lost."""
    shutil.rmtree(rules.out / "dicom" / task.series["series"], ignore_errors=True)
    return Outcome(_row(task, tables.FAILED, reason=reason, remedy=losses.REMEDIES[reason], n_instances=0))


def _row(task: Task, status: str, **more: Any) -> dict[str, Any]:
    names = ("series", "subject", "kind", "modality", "images")
    return {**{name: task.series[name] for name in names}, "folder": task.series["series"], "status": status, **more}


def _read(rules: Rules, instance: Mapping[str, Any]) -> bytes:
    try:
        handle = os.open(f"{rules.source}/{instance['path']}", os.O_RDONLY)
        try:
            data = _read_all(handle, instance["size"] + 1)
        finally:
            os.close(handle)
    except OSError:
        raise Unsafe(
            losses.SOURCE_UNREADABLE,
            "make the input folder readable and complete, then `radcurate retry` and snakemake",
        ) from None
    if len(data) != instance["size"] or not _is_what_was_judged(data, instance):
        raise Unsafe("changed_since_inventory", "the file was changed during the run; run again")
    return data


def _is_what_was_judged(data: bytes, instance: Mapping[str, Any]) -> bool:
    """Whether the inventory, and so the consent, spoke of these very bytes: size and time of a file can be kept up."""
    head, tail = instance["head_bytes"] or 0, instance["tail_bytes"] or 0
    return judged.of_bytes(data, head, tail) == str(instance["digest"])


def _dicom(rules: Rules, task: Task, folder: Path) -> Outcome:
    """Rewrite the files of a series; strictly from the beginning should the quick way ever fail its check."""
    rewriter = _rewriter(rules, task)
    try:
        return _files(rules, task, folder, SeriesRewriter(rewriter, Shortcut(rewriter)))
    except WaysDifferError:
        log.warning("deidentify: the quick way disagrees with the strict one on a series, which is rewritten strictly")
        return _files(rules, task, empty_folder(folder), SeriesRewriter(rewriter, None))


def _files(rules: Rules, task: Task, folder: Path, way: SeriesRewriter) -> Outcome:
    rows: list[dict[str, Any]] = []
    files: dict[str, Written] = {}
    actions = ActionLog()
    facts: Facts | None = None
    instances = sorted(task.instances, key=_position)
    ends = (instances[0]["file"], instances[-1]["file"])
    for instance, data, head in _heads(rules, instances, way):
        spare = partial(_spare_uids, rules.key, task, instance)
        new = way.rewrite(data, head, spare, both_ways=instance["file"] in ends)
        name = _file_name(rules.key, instance)
        _write(f"{folder}/{name}", new.parts)
        rows.append(_instance_row(task, instance, name, new.source, new.written))
        files[name] = written_of(new.parts, new.written)
        actions.add(name, new.notes)
        facts = facts or new.facts
    return Outcome(_described(rules, task, facts, len(rows)), rows, actions, files)


def _heads(
    rules: Rules, instances: Sequence[Mapping[str, Any]], way: SeriesRewriter
) -> Iterator[tuple[Mapping[str, Any], bytes, Quick | None]]:
    """Each file with its bytes and new header, read a few at a time: see `SeriesRewriter.head`."""
    position = 0
    while position < len(instances):
        batch: list[tuple[Mapping[str, Any], bytes]] = []
        total = 0
        while position < len(instances) and (not batch or total + instances[position]["size"] <= AT_ONCE):
            batch.append((instances[position], _read(rules, instances[position])))
            total += instances[position]["size"]
            position += 1
        yield from [(instance, data, way.head(data)) for instance, data in batch]


def _position(instance: Mapping[str, Any]) -> tuple[int, str]:
    return (instance["order"] if instance["order"] is not None else -1, instance["path"])


def _rewriter(rules: Rules, task: Task) -> Rewriter:
    subject = task.series["subject"]
    rule = date_rule(rules.key, subject, rules.settings.dates, rules.settings.shift_weeks)
    return Rewriter(rules.policy, rules.key, Patient(subject, rule, task.own_words, task.own_numbers))


def _spare_uids(key: Key, task: Task, instance: Mapping[str, Any]) -> dict[int, str]:
    """New UIDs for a source without them."""
    return {
        STUDY: key.uid("study of " + task.series["subject"]),
        SERIES: key.uid("series of " + task.series["series"]),
        SOP_INSTANCE: key.uid("instance of " + instance["file"]),
    }


def _file_name(key: Key, instance: Mapping[str, Any]) -> str:
    uid = instance["sop_instance_uid"]
    return (key.code("uid", uid.strip(" \0")) if uid else key.code("uid", "instance of " + instance["file"])) + ".dcm"


def _read_all(handle: int, most: int) -> bytes:
    """The file's bytes, nearly always with one call; the system reads at most two gigabytes at a time."""
    data = os.read(handle, most)
    while 0 < len(data) < most - 1 and (more := os.read(handle, most - len(data))):
        data += more
    return data


def _write(path: str, parts: Sequence[bytes | memoryview]) -> None:
    """A new file, nearly always with one call; the system writes at most two gigabytes at a time."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        raise Unsafe("duplicate_instance", "two files claim the same SOP Instance UID; leave one of them out") from None
    try:
        done = os.writev(handle, parts)
        rest = memoryview(b"".join(parts))[done:] if done < sum(map(len, parts)) else memoryview(b"")
        while rest:
            rest = rest[os.write(handle, rest) :]
    finally:
        os.close(handle)


def _instance_row(task: Task, instance: Mapping[str, Any], name: str, old: Digests, new: Digests) -> dict[str, Any]:
    return {
        "series": task.series["series"],
        "name": name,
        "order": instance["order"],
        "file": instance["file"],
        "header_source": old.header,
        "pixels_source": old.pixels,
        "header": new.header,
        "pixels": new.pixels,
    }


def _described(rules: Rules, task: Task, facts: Facts | None, count: int) -> dict[str, Any]:
    institution = task.series["institution"]
    site = rules.key.site(institution) if institution else None
    if facts is None:
        return _row(task, tables.OK, n_instances=count, site=site)
    return _row(
        task,
        tables.OK,
        n_instances=count,
        study=facts.study,
        frame_of_reference=facts.frame_of_reference,
        site=site,
        sex=facts.sex,
        age=None if facts.age is None else float(facts.age),
        study_date=facts.study_date,
        manufacturer=facts.manufacturer,
    )


def _mask(rules: Rules, task: Task, folder: Path) -> Outcome:
    """A NIfTI mask, one file a series."""
    from radcurate.deidentify.nifti import fresh_mask  # nibabel takes 10 MB that no DICOM file needs

    if len(task.instances) != 1:
        raise Unsafe("several_masks", "put each NIfTI mask into the input folder once")
    instance = task.instances[0]
    data = _read(rules, instance)
    new = fresh_mask(data)
    _write(f"{folder}/mask.nii.gz", [new])
    actions = ActionLog()
    actions.add("mask.nii.gz", frozenset([Note("file", "nifti", "replace", "fresh header: grid and labels only")]))
    rows = [_instance_row(task, instance, "mask.nii.gz", Digests(digest(data), None), Digests(digest(new), None))]
    files = {"mask.nii.gz": written_of([new], ("", None))}
    return Outcome(_described(rules, task, None, 1), rows, actions, files)


if __name__ == "__main__":
    command(run)

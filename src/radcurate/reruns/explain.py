"""Why a rule would run, in words: what the last run had, what there is now. Pure."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from radcurate.reruns.contents import ABSENT
from radcurate.reruns.notes import Parts, changed_parts
from radcurate.reruns.planned import Plan, Planned

MOST = 5  # names of a kind in a sentence
GONE = (None, ABSENT)  # of a file
CHECKPOINTS = {"inventory", "consent"}
AFTERWARDS = "what follows is known once {} ran: chunks whose lists stay the same don't run again"
DOCUMENTS = ("settings", "deidentify", "config", "tables", "codes")
SAID = {
    "key_id": "the key is another one",
    "source": "the export changed",
    "decided": "people decided something else about it",
}
PLACES = re.compile(r"^results/\w+/(?:chunks/)?(\d{5})(?:/|$)")


@dataclass(frozen=True)
class Code:
    """Parts behind the digests of earlier runs, and of each stage now."""

    before: Mapping[str, Parts] = field(default_factory=dict)
    now: Mapping[str, Parts] = field(default_factory=dict)


def explain(plan: Plan, code: Code, only: str | None = None, everything: bool = False) -> list[str]:
    """Sentences, in the order of the pipeline.

    Args:
        plan: what would run.
        code: what the digests stand for.
        only: the rule to speak about; all that would run when absent.
        everything: name the rules that would not run too.
    """
    told = [only] if only else list(plan.rules)
    lines = []
    for rule in told:
        jobs = [job for job in plan.jobs if job.rule == rule]
        lines += [_sentence(plan, group, why) for why, group in _alike(jobs, code)]
        if not jobs and (everything or only):
            lines.append(f"{rule} would not run: nothing that it depends on changed")
    if not plan.jobs and not (everything or only):
        return ["nothing would run"]
    first = [rule for rule in plan.rules if rule in CHECKPOINTS and any(job.rule == rule for job in plan.jobs)]
    return [*lines, AFTERWARDS.format(" and ".join(first))] if first and not only else lines


def _alike(jobs: Sequence[Planned], code: Code) -> list[tuple[str, list[Planned]]]:
    """Jobs that would run for the same reasons, together."""
    groups: dict[str, list[Planned]] = {}
    for job in jobs:
        groups.setdefault("; ".join(reasons(job, code)), []).append(job)
    return list(groups.items())


def _sentence(plan: Plan, jobs: Sequence[Planned], why: str) -> str:
    rule, total = jobs[0].rule, plan.chunks[jobs[0].rule]
    chunks = [job.chunk for job in jobs if job.chunk]
    where = ""
    if chunks:
        where = (
            f" for all {_count(total, 'chunk')}" if len(chunks) == total else f" for {len(chunks)} of {total} chunks"
        )
        where += f" ({_listed(chunks)})" if len(chunks) < total else ""
    return f"{rule} would run{where} because {why}"


def reasons(job: Planned, code: Code) -> list[str]:
    """Why a job would run, each reason a clause."""
    if not job.ran_before:
        return ["it has not run yet"]
    found = ["it was interrupted while it wrote"] if job.interrupted else []
    found += _of_parameters(job, code)
    found += ["its command in the rule is another one"] if job.rule_changed else []
    found += _of_inputs(job)
    found += [f"its output is missing: {_listed(job.missing)}"] if job.missing and not job.after else []
    if not found and job.after:
        found = [f"it reads what {_listed(job.after)} would write anew"]
    if not found and job.missing:
        found = [f"its output is missing: {_listed(job.missing)}"]
    return found or ["of something that only `snakemake --dry-run` tells"]


def _of_inputs(job: Planned) -> list[str]:
    found = []
    if job.changed and "tables" not in job.now:
        found.append(f"its input changed: {_listed(_places(job.changed))}")
    if job.after & CHECKPOINTS:
        return found  # its chunks are not known yet
    came, gone = _chunks(job.came) - _chunks(job.gone), _chunks(job.gone) - _chunks(job.came)
    if came:
        found.append(f"there {'is' if len(came) == 1 else 'are'} {_count(len(came), 'chunk')} more: {_listed(came)}")
    if gone:
        found.append(f"there {'is' if len(gone) == 1 else 'are'} {_count(len(gone), 'chunk')} fewer: {_listed(gone)}")
    if (job.came or job.gone) and not (came or gone or {"tables", "settings"} & {*job.now}):
        found.append(f"it reads other files than before: {_listed(_places(job.came | job.gone))}")
    return found


def _of_parameters(job: Planned, code: Code) -> list[str]:
    """What became of parameters. Snakemake keeps old values without their names, so each is told by its looks."""
    left = [_value(text) for text in sorted(job.was)]
    found: list[str] = []
    for name in (*DOCUMENTS, *sorted({*job.now} - {*DOCUMENTS})):
        if name not in job.now:
            continue
        now = _value(job.now[name])
        if name in DOCUMENTS:
            found += _of_document(job, name, _document(now), _nearest(_document(now), left))
        elif name == "code":
            found += _of_code(code.before.get(_first(left, code.before)), code.now.get(job.rule, {}))
        else:
            found.append(SAID.get(name, f"its parameter {name} is another one"))
    return found


def _of_document(job: Planned, name: str, now: dict[str, Any], before: dict[str, Any]) -> list[str]:
    if name == "tables":
        return _of_files(changed_parts(before, now), asked_anew="settings" in job.now)
    if name in ("codes", "config") and job.after:
        return []  # the release tells the code and the configuration of stages that run before it anyway
    if name == "codes":
        return [f"it tells the code of {_listed(sorted(changed_parts(before, now)))}, which changed"]
    prefix = "" if name == "config" else f"{name if name != 'settings' else job.rule}."
    changes = changed_parts(_flat(before, prefix), _flat(now, prefix))
    parents = {option.rpartition(".")[0] for option in changes}  # null, where there are options below it now, or were
    changes = {option: change for option, change in changes.items() if option not in parents}
    return [f"{option} is {_shown(new)}, it was {_shown(old)}" for option, (old, new) in changes.items()]


def _of_files(changes: Mapping[str, tuple[str | None, str | None]], asked_anew: bool) -> list[str]:
    """What became of files; which are asked for is no news where another option names them."""
    found: dict[str, list[str]] = {"changed": [], "came": [], "went": []}
    for label, (before, now) in changes.items():
        found["came" if before in GONE else "went" if now in GONE else "changed"].append(label)
    told = ["changed"] if asked_anew else list(found)
    return [f"a file {what}: {_listed(found[what])}" for what in told if found[what]]


def _of_code(before: Parts | None, now: Parts) -> list[str]:
    if before is None:
        return ["its code changed (in what, is not noted any more)"]
    changes = changed_parts(before, now)
    files = [label for label in changes if Path(label).suffix]
    found = [f"{_count(len(files), 'module')} changed: {_listed(files)}"] if files else []
    packages = ((name, *change) for name, change in changes.items() if name not in files)
    return found + [f"{name} is {new or 'not needed'}, it was {old or 'not needed'}" for name, old, new in packages]


def _document(value: Any) -> dict[str, Any]:
    try:
        found = json.loads(value)
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _nearest(now: Mapping[str, Any], left: list[Any]) -> dict[str, Any]:
    """Of the old values the document with the most keys in common; it is taken out of `left`."""
    likeness = [len({*_document(one)} & {*now}) / max(1, len({*_document(one)} | {*now})) for one in left]
    if not left or not max(likeness):
        return {}
    return _document(left.pop(likeness.index(max(likeness))))


def _first(left: Iterable[Any], known: Mapping[str, Parts]) -> str:
    return next((one for one in left if isinstance(one, str) and one in known), "")


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _flat(content: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """Options by their full name; values as JSON."""
    flat: dict[str, str] = {}
    for name, value in content.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = json.dumps(value, ensure_ascii=False)
    return flat


def _shown(value: str | None) -> str:
    """As a person would write it."""
    return "not set" if value in (None, "null") else value.strip('"')


def _places(paths: Iterable[str]) -> list[str]:
    """Folders of chunks in place of their files, names in place of long paths."""
    found = {path[: match.end(1)] if (match := PLACES.match(path)) else _short(path) for path in paths}
    return sorted(found)


def _short(path: str) -> str:
    return "/".join(Path(path).parts[-2:]) if Path(path).is_absolute() else path


def _chunks(paths: Iterable[str]) -> set[str]:
    return {match[1] for path in paths if (match := PLACES.match(path))}


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = len(ordered) - MOST
    return ", ".join(ordered[:MOST]) + (f" and {more} more" if more > 0 else "")


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"

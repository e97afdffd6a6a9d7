"""Whether a record of processing is as it was written: every line, their order, and the end."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from radcurate.audit.chain import FOLDER, HEAD, RECORD, START, Entry, Head, home_of_heads, parse, read_head, seal_of
from radcurate.keys import Key

MOST = 5  # findings that are told


@dataclass(frozen=True)
class Verdict:
    """Entries that were read, and what is wrong with the record; `notes` are no faults."""

    entries: Sequence[Entry]
    problems: Sequence[str]
    notes: Sequence[str] = field(default_factory=tuple)


def verify(results: Path, key: Key) -> Verdict:
    """Check a run's record against its chain, its seals and the heads that are known here."""
    folder = results / FOLDER
    try:
        text = (folder / RECORD).read_text(errors="replace")
    except OSError:
        return Verdict((), [f"there is no record: results/{FOLDER}/{RECORD} can't be read"])
    parts = text.split("\n")
    problems = ["the last line is not finished: a write was cut off, or somebody cut the file"] if parts[-1] else []
    entries = [parse(line) for line in parts[:-1]]
    whole = [entry for entry in entries if entry is not None]
    if not entries:
        problems.append("the record is empty")
    problems += _of_chain(entries, key)
    problems += _of_heads(whole, folder, key)
    return Verdict(whole, problems, _notes(whole, key))


def _of_chain(entries: Sequence[Entry | None], key: Key) -> list[str]:
    problems, previous = [], START
    for place, entry in enumerate(entries, start=1):
        if entry is None:
            problems.append(f"line {place} is no entry")
            previous = ""
            continue
        found = _of_entry(entry, place, previous, key)
        if found:
            problems.append(f"line {place}: {found}")
        previous = entry.digest
    return [*problems[:MOST], *([f"and {len(problems) - MOST} lines more"] if len(problems) > MOST else [])]


def _of_entry(entry: Entry, place: int, previous: str, key: Key) -> str | None:
    if entry.digest != entry.expected_digest():
        return "it was edited"
    if entry.number != place:
        return f"it is entry {entry.number}: lines were removed, inserted or moved"
    if entry.previous != previous:
        return "it does not follow the line before: lines were removed, inserted or moved"
    if entry.key_id == key.key_id and not hmac.compare_digest(entry.seal, seal_of(key, entry.digest)):
        return "its seal does not hold: it was written without the key"
    return None


def _of_heads(entries: Sequence[Entry], folder: Path, key: Key) -> list[str]:
    """What the heads say: the one beside the record, and this user's own."""
    if not entries:
        return []
    beside = read_head(folder / HEAD)
    if beside is None:
        return ["the head beside the record is missing: whether its end was cut off can't be seen"]
    own = read_head(home_of_heads() / f"{entries[0].record}.json")
    named = [("the head beside the record", beside), *([("your own head of it", own)] if own else [])]
    return [problem for name, head in named if (problem := _of_head(name, head, entries, key))]


def _of_head(name: str, head: Head, entries: Sequence[Entry], key: Key) -> str | None:
    if head.key_id == key.key_id and not head.holds(key):
        return f"{name} was edited"
    if head.number > len(entries):
        return f"the end was cut off: {name} saw {head.number} entries, there are {len(entries)}"
    if head.number < 1 or entries[head.number - 1].digest != head.digest:
        return f"entry {head.number} is not the one that {name} saw"
    return None


def _notes(entries: Sequence[Entry], key: Key) -> list[str]:
    foreign = sum(entry.key_id != key.key_id for entry in entries)
    known = bool(entries) and read_head(home_of_heads() / f"{entries[0].record}.json") is not None
    notes = [f"{foreign} entries are sealed with another key, of which only the chain was checked"] if foreign else []
    return (
        notes
        if known or not entries
        else [*notes, "you have no head of this record: an older copy put back would not show"]
    )

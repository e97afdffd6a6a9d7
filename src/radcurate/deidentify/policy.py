"""The allow-list: which attributes of which kind of object stay and how, as tables that stewards edit (`config/allowlist/`).

What is no row goes. A row that would keep free text as it stands is refused: texts need a vocabulary.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from radcurate.deidentify.options import DECAY, OPTIONS, Rule, claimed, configured
from radcurate.deidentify.safe_private import FILE, Place, SafeAttribute, load_safe_private
from radcurate.deidentify.values import BULK_VRS, NUMBER_VRS, TEXT_VRS
from radcurate.deidentify.vocabulary import Vocabulary, load_vocabulary
from radcurate.dicom.dictionary import uid_of
from radcurate.dicom.elements import dictionary_vr, keyword
from radcurate.errors import CurationError
from radcurate.settings import Deidentify

COLUMNS = ("tag", "keyword", "action", "value", "option", "reason", "source")
KINDS = ("image", "rtstruct", "rtdose", "rtplan", "seg")
FAMILIES = "families.yaml"
# action → the VRs that it can work on
ACTIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "keep": NUMBER_VRS,  # a number stays a number
        "generalise": frozenset({"DS", "IS"}),  # a number in steps
        "keep_if_listed": TEXT_VRS,
        "keep_if_matches": TEXT_VRS,
        "words": TEXT_VRS,  # listed words stay, others go
        "roi_name": TEXT_VRS,  # all words listed, or a number instead
        "empty": TEXT_VRS | {"PN", "DA", "TM", "DT", "AS", "SQ", "AE"},
        "replace": TEXT_VRS,
        "pseudonym": frozenset({"PN", "LO", "SH"}),
        "uid": frozenset({"UI"}),
        "date": frozenset({"DA", "DT"}),
        "time": frozenset({"TM"}),
        "age": frozenset({"AS"}),
        "sequence": frozenset({"SQ"}),
        "code": frozenset({"SQ"}),
        "lut": frozenset({"US", "OW"}),
        "pixels": BULK_VRS,
    }
)
_NUMBER = r"-?[\d.]+(e\d+)?"
_VALUES = {
    "keep": re.compile(rf"({_NUMBER}\.\.{_NUMBER})?"),
    "generalise": re.compile(rf"{_NUMBER}\.\.{_NUMBER}/[\d.]+"),
    "date": re.compile(f"({DECAY})?"),
    "time": re.compile(f"({DECAY})?"),
}
_TAG = re.compile(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)")


@dataclass(frozen=True)
class Family:
    """One family of SOP classes: what kind of object it is and what happens to its attributes, by tag."""

    name: str
    kind: str
    rules: Mapping[int, Rule]


@dataclass(frozen=True)
class Policy:
    """The families by SOP class UID, the vocabulary, the options that are claimed, and a digest over all of it."""

    families: Mapping[str, Family]
    vocabulary: Vocabulary
    options: tuple[str, ...]
    digest: str
    age: str = "years"  # years | five_years | remove
    private: Mapping[Place, SafeAttribute] = field(default_factory=dict)  # empty unless asked for


def load_policy(folder: Path, vocabulary: Path, settings: Deidentify) -> Policy:
    """Read the tables of the folder and the vocabulary, and apply the settings.

    Raises:
        CurationError: a table can't be read, or a row is wrong; the message names the line.
    """
    words, content = load_vocabulary(vocabulary)
    raw = {path.name: _bytes(path) for path in sorted(folder.glob("*.csv"))}
    raw[FAMILIES] = _bytes(folder / FAMILIES)
    tables = {name.removesuffix(".csv"): _rules(name, table, words) for name, table in raw.items() if name != FAMILIES}
    active = {name: _active(rules, settings) for name, rules in tables.items()}
    families = _families(raw[FAMILIES], active)
    options = claimed((rule for family in families.values() for rule in family.rules.values()), settings)
    private: Mapping[Place, SafeAttribute] = {}
    if settings.safe_private:
        private, raw[FILE] = load_safe_private(folder.parent / FILE)
    return Policy(families, words, options, _digest(raw, content, settings), settings.age, private)


def load_tables(folder: Path, vocabulary: Path) -> dict[str, list[Rule]]:
    """The rows of each table, whatever the settings; raises as `load_policy` does."""
    return _tables(_files(folder), load_vocabulary(vocabulary)[0])


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: _bytes(path) for path in [*sorted(folder.glob("*.csv")), folder / FAMILIES]}


def _tables(raw: Mapping[str, bytes], words: Vocabulary) -> dict[str, list[Rule]]:
    return {name.removesuffix(".csv"): _rules(name, table, words) for name, table in raw.items() if name != FAMILIES}


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CurationError(
            "the allow-list can't be read",
            wanted=f"a folder with {FAMILIES} and the tables that it names",
            found=type(error).__name__,
            fix="set deidentify.allowlist; config/allowlist shows the form",
        ) from None


def _digest(raw: Mapping[str, bytes], vocabulary: bytes, settings: Deidentify) -> str:
    """16 digits over tables, vocabulary and every setting that decides what stays."""
    choices = settings.model_dump(mode="json", include=set(CHOICES))
    parts = [*(raw[name] for name in sorted(raw)), vocabulary, json.dumps(choices, sort_keys=True).encode()]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:16]


CHOICES = ("path", "dates", "age", "sex", "size", "weight", "device_identity", "safe_private")


def _active(rules: Iterable[Rule], settings: Deidentify) -> list[Rule]:
    return [new for rule in rules if (new := configured(rule, settings)) is not None]


def _families(raw: bytes, tables: Mapping[str, list[Rule]]) -> dict[str, Family]:
    """Families by SOP class UID."""
    try:
        declared = yaml.safe_load(raw)
        found = {name: _family(name, parts, tables) for name, parts in declared.items()}
        return {_uid(text): found[name] for name, parts in declared.items() for text in parts["sop_classes"]}
    except (yaml.YAMLError, UnicodeError, AttributeError, KeyError, TypeError) as error:
        raise CurationError(
            f"{FAMILIES} of the allow-list can't be used",
            wanted="family: {kind, tables, sop_classes}",
            found="a syntax error" if isinstance(error, yaml.YAMLError) else f"another form ({error})",
            fix="compare with config/allowlist/families.yaml in the repository",
        ) from None


def _uid(text: str) -> str:
    uid = text if text[0] == "1" else uid_of(text)
    if uid is None:
        raise AttributeError(f"no SOP class {text}")
    return uid


def _family(name: str, parts: Mapping[str, Any], tables: Mapping[str, list[Rule]]) -> Family:
    rules: dict[int, Rule] = {}
    for table in parts["tables"]:
        for rule in tables[table]:
            if rule.tag in rules:
                raise CurationError(
                    "an attribute is in two tables of a family",
                    wanted="one row per tag",
                    found=f"{rule.keyword} again in {table}.csv",
                    fix="remove one of the two, or take a table out of the family",
                    where=("family", name),
                )
            rules[rule.tag] = rule
    if parts["kind"] not in KINDS:
        raise KeyError(parts["kind"])
    return Family(name, parts["kind"], rules)


def _rules(name: str, raw: bytes, words: Vocabulary) -> list[Rule]:
    try:
        rows = list(csv.DictReader(io.StringIO(raw.decode())))
    except UnicodeError:
        raise CurationError(
            "a table of the allow-list can't be read", wanted="UTF-8", found="other bytes", fix="save it as UTF-8"
        ) from None
    rules: dict[int, Rule] = {}
    for number, row in enumerate(rows, start=2):
        line = f"{number} of {name}"
        rule = _rule(row, line)
        if rule.tag in rules:
            raise _wrong(line, "one row per tag", f"a second row for {rule.keyword}", "remove one of the two")
        _check_vocabulary(rule, words, line)
        rules[rule.tag] = rule
    return list(rules.values())


def _rule(row: Mapping[str, str | None], line: str) -> Rule:
    if set(row) != set(COLUMNS) or any(value is None for value in row.values()):
        raise _wrong(
            line, "the columns " + ", ".join(COLUMNS), "other columns", "see config/allowlist in the repository"
        )
    text = {name: (row[name] or "").strip() for name in COLUMNS}
    match = _TAG.fullmatch(text["tag"])
    tag = int(match[1] + match[2], 16) if match else 0
    if not match or not dictionary_vr(tag) or keyword(tag) != text["keyword"]:
        raise _wrong(
            line,
            "a public tag (GGGG,EEEE) with its keyword",
            f"{text['tag']} {text['keyword']}",
            "take both from PS3.6",
        )
    _check_action(text["action"], tag, line)
    if text["option"] and text["option"] not in OPTIONS:
        raise _wrong(line, "an option among " + ", ".join(OPTIONS), text["option"], "correct or empty it")
    form = _VALUES.get(text["action"])
    if form and not form.fullmatch(text["value"]):
        raise _wrong(
            line,
            "as value limits such as 0..99999, for generalise 0..700/5, for a date or time nothing or decay",
            text["value"],
            "correct or empty it",
        )
    if not text["reason"]:
        raise _wrong(line, "a reason", "none", "say why this attribute is kept")
    return Rule(tag, text["keyword"], text["action"], text["value"], text["option"], text["reason"], text["source"])


def _check_action(action: str, tag: int, line: str) -> None:
    if action not in ACTIONS:
        near = difflib.get_close_matches(action, ACTIONS, n=1)
        raise _wrong(
            line,
            "an action among " + ", ".join(ACTIONS),
            action or "none",
            f"did you mean {near[0]}?" if near else "remove the row to remove the attribute",
        )
    vrs = set(dictionary_vr(tag).split(" or "))
    if not vrs & ACTIONS[action]:
        found = f"{action} for {keyword(tag)}, which is {dictionary_vr(tag)}"
        raise _wrong(line, "an action that fits the VR", found, "texts need keep_if_listed, keep_if_matches or words")


def _check_vocabulary(rule: Rule, words: Vocabulary, line: str) -> None:
    known = {
        "keep_if_listed": rule.keyword in words.values,
        "keep_if_matches": rule.keyword in words.patterns or rule.keyword in words.words,
    }
    if not known.get(rule.action, True):
        raise _wrong(
            line, f"accepted values of {rule.keyword} in the vocabulary", "none", "add them to vocabulary.yaml"
        )


def _wrong(line: str, wanted: str, found: str, fix: str) -> CurationError:
    return CurationError("a row of the allow-list is wrong", wanted=wanted, found=found, fix=fix, where=("line", line))

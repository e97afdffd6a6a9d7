"""The allow-list: which attributes may stay and how, as a table that stewards edit (`config/allowlist.csv`).

What is no row goes. A row that would keep free text as it stands is refused: texts need a vocabulary.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from radcurate.deidentify.values import BULK_VRS, NUMBER_VRS, TEXT_VRS
from radcurate.deidentify.vocabulary import Vocabulary, load_vocabulary
from radcurate.dicom.elements import dictionary_vr, keyword
from radcurate.errors import CurationError

COLUMNS = ("tag", "keyword", "action", "value", "option", "reason", "source")
# action → the VRs that it can work on
ACTIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "keep": NUMBER_VRS,  # a number stays a number
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
# options of PS3.15 E.3 that a row may rely on: DICOM code and meaning (PS3.16 CID 7050)
OPTIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "modified_dates": ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
        "patient_characteristics": ("113108", "Retain Patient Characteristics Option"),
        "clean_descriptors": ("113105", "Clean Descriptors Option"),
    }
)
DEFAULT_LIMITS = "-1e6..1e6"  # a longer number in a technical text attribute is more likely an identifier
_LIMITS = re.compile(r"-?[\d.]+(e\d+)?\.\.-?[\d.]+(e\d+)?")
_TAG = re.compile(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)")


@dataclass(frozen=True)
class Rule:
    """What happens to one attribute, at any depth."""

    tag: int
    keyword: str
    action: str
    value: str
    option: str
    reason: str
    source: str

    @property
    def limits(self) -> tuple[float, float]:
        """Smallest and largest number that `keep` lets stand: those of the row, or a million either way."""
        low, _, high = (self.value or DEFAULT_LIMITS).partition("..")
        return float(low), float(high)


@dataclass(frozen=True)
class Policy:
    """The rules by tag, the vocabulary, and a digest over both tables."""

    rules: Mapping[int, Rule]
    vocabulary: Vocabulary
    digest: str

    @property
    def options(self) -> tuple[str, ...]:
        """Options of PS3.15 that at least one row relies on, sorted."""
        return tuple(sorted({rule.option for rule in self.rules.values() if rule.option}))


def load_policy(allowlist: Path, vocabulary: Path) -> Policy:
    """Read both tables.

    Raises:
        CurationError: a table can't be read, or a row is wrong; the message names the line.
    """
    words, content = load_vocabulary(vocabulary)
    try:
        raw = allowlist.read_bytes()
        rows = list(csv.DictReader(io.StringIO(raw.decode())))
    except (OSError, UnicodeError) as error:
        raise CurationError(
            "the allow-list can't be read",
            wanted="a CSV table in UTF-8",
            found=type(error).__name__,
            fix="set deidentify.allowlist; config/allowlist.csv shows the form",
        ) from None
    rules: dict[int, Rule] = {}
    for line, row in enumerate(rows, start=2):
        rule = _rule(row, line)
        if rule.tag in rules:
            raise _wrong(line, "one row per tag", f"a second row for {rule.keyword}", "remove one of the two")
        _check_vocabulary(rule, words, line)
        rules[rule.tag] = rule
    digest = hashlib.sha256(hashlib.sha256(raw).digest() + hashlib.sha256(content).digest()).hexdigest()[:16]
    return Policy(rules, words, digest)


def _rule(row: Mapping[str, str | None], line: int) -> Rule:
    if set(row) != set(COLUMNS) or any(value is None for value in row.values()):
        raise _wrong(
            line, "the columns " + ", ".join(COLUMNS), "other columns", "see config/allowlist.csv in the repository"
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
    if text["action"] == "keep" and text["value"] and not _LIMITS.fullmatch(text["value"]):
        raise _wrong(line, "limits such as 0..99999 as the value of keep", text["value"], "correct or empty it")
    if not text["reason"]:
        raise _wrong(line, "a reason", "none", "say why this attribute is kept")
    return Rule(tag, text["keyword"], text["action"], text["value"], text["option"], text["reason"], text["source"])


def _check_action(action: str, tag: int, line: int) -> None:
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


def _check_vocabulary(rule: Rule, words: Vocabulary, line: int) -> None:
    known = {
        "keep_if_listed": rule.keyword in words.values,
        "keep_if_matches": rule.keyword in words.patterns or rule.keyword in words.words,
    }
    if not known.get(rule.action, True):
        raise _wrong(
            line, f"accepted values of {rule.keyword} in the vocabulary", "none", "add them to vocabulary.yaml"
        )


def _wrong(line: int, wanted: str, found: str, fix: str) -> CurationError:
    return CurationError(
        "a row of the allow-list is wrong", wanted=wanted, found=found, fix=fix, where=("line", str(line))
    )

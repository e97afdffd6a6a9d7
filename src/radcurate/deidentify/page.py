"""The page `docs/reference/deidentification.md`: what stays, how and why, told from the tables themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from pydicom.uid import UID

from radcurate.deidentify.options import DECAY, OPTIONS, STEPS, Rule
from radcurate.deidentify.policy import Family, Policy, load_policy, load_tables
from radcurate.deidentify.safe_private import FILE, load_safe_private
from radcurate.settings import Deidentify

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "keep": "numbers stay if they are numbers of the VR, lie within the row's limits (without limits: a million either way), are no day written as digits and none of the patient's own numbers",
        "generalise": "numbers as with keep, rounded to a step",
        "keep_if_listed": "a text stays if `config/vocabulary.yaml` lists it for the attribute and it isn't a word of the patient's name",
        "keep_if_matches": "a text stays if a pattern or the words that the vocabulary has for the attribute fit it, and it holds no word or number of the patient's own",
        "words": "listed words of a description stay, others are left out; so are the patient's own",
        "roi_name": "the name of a region stays if every word is listed and none is the patient's own, else it becomes its number, such as ROI 3",
        "empty": "present without a value",
        "replace": "a fixed value",
        "pseudonym": "the patient's keyed pseudonym",
        "uid": "a keyed UID, the same for the same original in every object and run; registered UIDs stay",
        "date": "shifted by the patient's secret number of whole weeks, or the year only (YYYY0101); an unparsable date goes",
        "time": "a valid time of day stays; with years only, just where decay and dynamics need it",
        "age": "whole years, or the first of a bin of five; 90 and over is 090Y",
        "sequence": "items are rewritten by the same tables, at any depth",
        "code": "items as with sequence; a code stays if its scheme and value are known, its meaning is written anew",
        "lut": "a table of as many entries as its descriptor says, if it isn't text",
        "pixels": "the samples as they are; see the rules of the container",
    }
)
CLAIMS: Mapping[str, str] = MappingProxyType(
    {
        "clean_descriptors": "always",
        "clean_structured_content": "never: reports are quarantined",
        "modified_dates": "with `dates: shift`",
        "patient_characteristics": "if one of age, sex, size, weight stays",
        "device_identity": "with `device_identity: true`",
        "safe_private": "with `safe_private: true`",
    }
)
_INTRODUCTION = """# De-identification: what stays, how and why

Generated from `config/allowlist/`, `config/vocabulary.yaml` and `config/safe_private.csv` by `make docs`; edit there. Why the rules
are what they are: `docs/decisions/deidentify.md`.

**What is in no table below goes**: every other attribute of the standard, private attributes, overlays, curves, icons, comments,
addresses, procedure steps, request attributes, original attributes, referenced persons, the preamble, the old file meta group and
whatever follows the data set. A row of the tables says what may stay, and a value stays only if it is one that the attribute may have."""


def reference_page(folder: Path, vocabulary: Path) -> str:
    """Markdown for the default settings, with every row that some setting activates.

    Args:
        folder: the allow-list.
        vocabulary: the accepted values.
    """
    policy = load_policy(folder, vocabulary, Deidentify(device_identity=True))
    tables = load_tables(folder, vocabulary)
    parts = [
        _INTRODUCTION,
        _families(policy),
        _actions(),
        _options(tables),
        _despite(tables),
        _tables(tables),
        _values(policy),
        _private(folder.parent / FILE),
    ]
    return "\n\n".join(parts) + "\n"


def _families(policy: Policy) -> str:
    found: dict[str, tuple[Family, list[str]]] = {}
    for uid, family in policy.families.items():
        found.setdefault(family.name, (family, []))[1].append(UID(uid).name)
    rows = [
        (
            f"`{name}`",
            "; ".join(classes),
            str(len(family.rules)),
        )
        for name, (family, classes) in found.items()
    ]
    return (
        "## Families\n\nAn object of no family is quarantined. Their tables: `config/allowlist/families.yaml`.\n\n"
        + _table(("family", "SOP classes", "attributes that may stay"), rows)
    )


def _actions() -> str:
    return "## Actions\n\n" + _table(
        ("action", "what it does"), [(f"`{name}`", text) for name, text in MEANINGS.items()]
    )


def _options(tables: Mapping[str, Sequence[Rule]]) -> str:
    counts = Counter(rule.option for rules in tables.values() for rule in rules)
    rows = [
        (
            code,
            meaning,
            CLAIMS[name],
            str(counts[name]) if counts[name] else ("see below" if name == "safe_private" else "0"),
        )
        for name, (code, meaning) in OPTIONS.items()
    ]
    basic = ("113100", "Basic Application Confidentiality Profile", "always", "")
    steps = ", ".join(f"{keyword} to {step}" for keyword, step in sorted(STEPS.items()))
    return "\n\n".join(
        [
            "## Options of PS3.15",
            "Written to (0012,0064), together with (0012,0062), (0012,0063) and (0028,0303). A row whose option isn't asked for counts as absent.",
            _table(("code", "option", "claimed", "rows"), [basic, *rows]),
            f"`rounded` rounds {steps} (m, kg). Settings: `config/README.md`, section deidentify.",
        ]
    )


def _despite(tables: Mapping[str, Sequence[Rule]]) -> str:
    """Attributes that the basic profile removes, empties or replaces."""
    found: dict[str, Rule] = {rule.keyword: rule for rules in tables.values() for rule in rules if ": " in rule.source}
    rows = [
        (rule.keyword, rule.source.partition(": ")[2], f"`{rule.action}`", _option(rule))
        for rule in sorted(found.values(), key=lambda rule: rule.tag)
    ]
    return "\n\n".join(
        [
            "## Attributes of PS3.15 table E.1-1 (2026c) that stay in some form",
            "X remove, Z empty or dummy, D dummy, U new UID. With `dates: year` no option lets dates and times stay: dates become "
            "their year, times go, except those that decay and dynamics need (value `decay` in the tables).",
            _table(("attribute", "basic profile", "action", "option that lets it stay"), rows),
        ]
    )


def _option(rule: Rule) -> str:
    return OPTIONS[rule.option][0] + " " + rule.option.replace("_", " ") if rule.option else ""


def _tables(tables: Mapping[str, Sequence[Rule]]) -> str:
    parts = ["## Tables"]
    for name, rules in tables.items():
        groups: dict[tuple[str, str, str], list[Rule]] = {}
        for rule in rules:
            groups.setdefault((rule.reason, rule.action, _option(rule)), []).append(rule)
        rows = [
            (", ".join(_named(rule) for rule in group), f"`{action}`", reason, option)
            for (reason, action, option), group in sorted(groups.items())
        ]
        parts += [f"### {name}", _table(("attributes", "action", "why", "option"), rows)]
    return "\n\n".join(parts)


def _named(rule: Rule) -> str:
    return f"{rule.keyword} ({rule.value})" if rule.value and rule.value != DECAY else rule.keyword


def _values(policy: Policy) -> str:
    words = policy.vocabulary
    counts = [
        ("whole values", f"{len(words.values)} attributes", str(sum(map(len, words.values.values())))),
        ("patterns", f"{len(words.patterns)} attributes", ", ".join(sorted(words.patterns))),
        ("words", f"{len(words.words)} attributes", ", ".join(sorted(words.words))),
        ("descriptions", "StudyDescription, SeriesDescription, labels", f"{len(words.description_words)} words"),
        ("regions", "ROIName, SegmentLabel", f"{len(words.region_words)} words"),
        (
            "coding schemes",
            ", ".join(words.coding_schemes),
            "codes of the dictionaries of PS3.16; SNOMED CT by check digit",
        ),
    ]
    return "## Values\n\nAll in `config/vocabulary.yaml`; what was blanked: `radcurate review values`.\n\n" + _table(
        ("kind", "for", "accepted"), counts
    )


def _private(path: Path) -> str:
    attributes, _ = load_safe_private(path)
    creators = Counter(creator for creator, _, _ in attributes)
    sources = Counter(source for one in attributes.values() for source in one.source.split("|"))
    kinds = Counter(one.vr for one in attributes.values())
    return "\n\n".join(
        [
            "## Safe private attributes",
            f"Off unless `deidentify.safe_private: true`. `config/{FILE}` lists {len(attributes)} attributes of {len(creators)} creators: "
            + ", ".join(f"{count} from {source}" for source, count in sorted(sources.items()))
            + "; by VR: "
            + ", ".join(f"{vr} {count}" for vr, count in sorted(kinds.items()))
            + ". The reservation of the block has to name the creator, the VR has to be the listed one (or unknown), numbers have "
            "to pass as with keep, texts have to consist of listed words; sequences are rewritten inside. Never: dates, times, UIDs, "
            "long texts, bytes.",
            ", ".join(f"{creator} {count}" for creator, count in sorted(creators.items())) + ".",
        ]
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)])

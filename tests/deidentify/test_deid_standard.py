"""The tables against PS3.15 E.1-1, edition 2026c, under every configuration: no less is taken away than is claimed."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from deidentify.deid_objects import ALLOWLIST, RULES, VOCABULARY
from paths import ROOT
from radcurate.deidentify.options import Rule
from radcurate.deidentify.policy import Policy, load_policy
from radcurate.settings import Deidentify

with (ROOT / "tests/golden/ps315_e1_2026c.csv").open() as stream:
    STANDARD = {row["tag"]: row for row in csv.DictReader(stream)}
COLUMNS = {
    "modified_dates": "rtn_long_modif_dates",
    "patient_characteristics": "rtn_pat_chars",
    "clean_descriptors": "clean_desc",
    "clean_structured_content": "clean_struct_cont",
    "device_identity": "rtn_dev_id",
    "safe_private": "rtn_safe_priv",
}
# what the basic profile's letters let an action do; a sequence's attributes are judged one by one
BASIC = {
    "Z": {"empty", "replace", "pseudonym", "date", "sequence"},
    "D": {"replace", "pseudonym", "date"},
    "U": {"uid", "sequence"},
    "X": set(),
}
# with years only, PET's decay needs these times; the decision is written down in docs/decisions/deidentify.md
TIMES_OF_DAY = {
    "SeriesTime",
    "AcquisitionTime",
    "ContentTime",
    "RadiopharmaceuticalStartTime",
    "RadiopharmaceuticalStopTime",
    "RadiopharmaceuticalStartDateTime",
    "RadiopharmaceuticalStopDateTime",
}
CHARACTERISTICS = (
    {},
    {"age": "five_years", "size": "rounded", "weight": "rounded"},
    {"age": "remove", "sex": "remove", "size": "remove", "weight": "remove"},
    {"age": "remove", "sex": "remove", "size": "remove"},
)
CONFIGURATIONS = [
    Deidentify(dates=dates, device_identity=device, safe_private=private, **patient)
    for dates, device, private, patient in itertools.product(
        ("shift", "year"), (False, True), (False, True), CHARACTERISTICS
    )
]


def tag_of(rule: Rule) -> str:
    return f"({rule.tag >> 16:04X},{rule.tag & 0xFFFF:04X})"


def violations(rules: Iterable[Rule], claimed: Iterable[str], settings: Deidentify) -> set[str]:
    """Keywords that stay although the basic profile and the claimed options would not let them."""
    return {rule.keyword for rule in rules if not _allowed(rule, set(claimed), settings)}


def _allowed(rule: Rule, claimed: set[str], settings: Deidentify) -> bool:
    entry = STANDARD.get(tag_of(rule))
    if entry is None or not set(entry["basic"]) & set("XZDUC"):
        return True
    if any(rule.action in BASIC.get(letter, set()) for letter in entry["basic"]):
        return "U" not in entry["basic"].split("/") or rule.action in ("uid", "sequence")
    if rule.option in claimed and entry[COLUMNS[rule.option]]:
        return rule.action != "keep" or entry[COLUMNS[rule.option]] == "K"
    return settings.dates == "year" and rule.keyword in TIMES_OF_DAY


def policy(settings: Deidentify) -> Policy:
    return load_policy(ALLOWLIST, VOCABULARY, settings)


@pytest.mark.parametrize("number", range(len(CONFIGURATIONS)))
def test_no_family_keeps_what_ps315_removes(number: int) -> None:
    settings = CONFIGURATIONS[number]
    found = policy(settings)
    for family in found.families.values():
        assert not violations(family.rules.values(), found.options, settings), family.name


def test_every_row_quotes_the_standard() -> None:
    for path in sorted(ALLOWLIST.glob("*.csv")):
        for row in csv.DictReader(path.open()):
            entry = STANDARD.get(row["tag"])
            assert row["source"] == (f"PS3.15 E.1-1: {entry['basic']}" if entry else "not in PS3.15 E.1-1"), row


def rule_of(keyword: str) -> Rule:
    return next(rule for rule in RULES.values() if rule.keyword == keyword)


@pytest.mark.parametrize(
    ("keyword", "changes"),
    [
        ("AccessionNumber", {"action": "keep_if_matches"}),
        ("StudyInstanceUID", {"action": "keep_if_listed"}),
        ("PatientAge", {"option": ""}),
        ("PatientWeight", {"option": "clean_descriptors"}),
        ("StudyDescription", {"option": "patient_characteristics"}),
        ("StudyTime", {"option": "safe_private"}),
        ("SeriesDate", {"action": "empty", "option": ""}),
        ("ROIName", {"option": ""}),
        ("SliceThickness", {"tag": 0x00101000, "keyword": "OtherPatientIDs"}),
        ("SliceThickness", {"tag": 0x00181000, "keyword": "DeviceSerialNumber", "option": "device_identity"}),
    ],
)
def test_a_planted_row_is_noticed(keyword: str, changes: dict[str, Any]) -> None:
    rule = replace(rule_of(keyword), **changes)
    claimed = ["clean_descriptors", "modified_dates", "patient_characteristics"]
    assert violations([rule], claimed, Deidentify()) == {rule.keyword}


def test_an_option_that_is_not_claimed_allows_nothing() -> None:
    settings = Deidentify(dates="year")
    found = policy(Deidentify())
    assert "StudyTime" in violations(
        found.families["1.2.840.10008.5.1.4.1.1.2"].rules.values(), policy(settings).options, settings
    )


def test_overlays_curves_and_icons_are_in_no_table() -> None:
    assert not [
        rule for rule in RULES.values() if rule.tag >> 24 in (0x50, 0x60) or rule.keyword == "IconImageSequence"
    ]


@pytest.mark.parametrize("settings", CONFIGURATIONS, ids=lambda settings: "")
def test_options_are_claimed_only_when_something_relies_on_them(settings: Deidentify) -> None:
    found = policy(settings)
    assert "clean_descriptors" in found.options and "clean_structured_content" not in found.options
    assert ("modified_dates" in found.options) is (settings.dates == "shift")
    assert ("device_identity" in found.options) is settings.device_identity
    assert ("safe_private" in found.options) is settings.safe_private
    kept = {settings.age, settings.sex, settings.size, settings.weight} != {"remove"}
    assert ("patient_characteristics" in found.options) is kept

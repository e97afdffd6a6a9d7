"""Why a rule would run, in words. What Snakemake finds is played here; tests/pipeline asks it itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from radcurate.reruns.explain import Code, explain, reasons
from radcurate.reruns.planned import Plan, Planned

RULES = ("inventory", "consent", "deidentify", "extract", "protect", "gate", "release")
NO_CODE = Code()


def job(rule: str = "protect", chunk: str | None = None, **found: Any) -> Planned:
    return Planned(rule=rule, chunk=chunk, ran_before=found.pop("ran_before", True), **found)


def changed(rule: str, old: Mapping[str, Any], new: Mapping[str, Any], name: str = "settings", **found: Any) -> Planned:
    """A job whose parameter was another one, as Snakemake writes both."""
    return job(rule, was=frozenset({repr(json.dumps(old))}), now={name: repr(json.dumps(new))}, **found)


def test_an_option_is_told_with_both_values() -> None:
    one = changed("protect", {"k": 5, "l": 1}, {"k": 10, "l": 1})
    assert explain(Plan([one], RULES, {"protect": 1}), NO_CODE) == [
        "protect would run because protect.k is 10, it was 5"
    ]


def test_options_inside_options_are_told_by_their_full_name() -> None:
    one = changed("extract", {"ct": None, "mr": None}, {"ct": {"bin_size": 50}, "mr": None})
    assert reasons(one, NO_CODE) == ["extract.ct.bin_size is 50, it was not set"]


def test_each_old_document_is_held_to_the_one_it_resembles() -> None:
    old = {"settings": {"policy": "public", "reference": None}, "deidentify": {"dates": "shift", "path": "safe_harbor"}}
    new = {"settings": {"policy": "public", "reference": None}, "deidentify": {"dates": "year", "path": "safe_harbor"}}
    one = job(
        "gate",
        was=frozenset(repr(json.dumps(part)) for part in old.values()),
        now={name: repr(json.dumps(part)) for name, part in new.items()},
    )
    assert reasons(one, NO_CODE) == ["deidentify.dates is year, it was shift"]


def test_modules_and_packages_are_named() -> None:
    before = {"features/bins.py": "1", "numpy": "2.3.1", "old.py": "1", "same.py": "1"}
    now = {"features/bins.py": "2", "numpy": "2.4.6", "scipy": "1.17.1", "same.py": "1"}
    one = job("extract", was=frozenset({"'aaaaaaaaaaaaaaaa'"}), now={"code": "'bbbbbbbbbbbbbbbb'"})
    assert reasons(one, Code({"aaaaaaaaaaaaaaaa": before}, {"extract": now})) == [
        "2 modules changed: features/bins.py, old.py",
        "numpy is 2.4.6, it was 2.3.1",
        "scipy is 1.17.1, it was not needed",
    ]
    assert reasons(one, NO_CODE) == ["its code changed (in what, is not noted any more)"]


def test_chunks_with_the_same_reason_are_told_together() -> None:
    path = "results/consent/chunks/{}/series.parquet"
    jobs = [job("deidentify", name, changed=frozenset({path.format(name)})) for name in ("00002", "00003")]
    lines = explain(Plan(jobs, RULES, {"deidentify": 8}), NO_CODE)
    assert lines == [
        "deidentify would run for 1 of 8 chunks (00002) because its input changed: results/consent/chunks/00002",
        "deidentify would run for 1 of 8 chunks (00003) because its input changed: results/consent/chunks/00003",
    ]
    same = [changed("deidentify", {"dates": "year"}, {"dates": "shift"}, chunk=name) for name in ("00002", "00003")]
    assert explain(Plan(same, RULES, {"deidentify": 2}), NO_CODE) == [
        "deidentify would run for all 2 chunks because deidentify.dates is shift, it was year"
    ]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"ran_before": False}, "it has not run yet"),
        ({"interrupted": True}, "it was interrupted while it wrote"),
        ({"rule_changed": True}, "its command in the rule is another one"),
        ({"missing": frozenset({"results/protect/seal.json"})}, "its output is missing: results/protect/seal.json"),
        ({"after": frozenset({"extract"})}, "it reads what extract would write anew"),
        ({"changed": frozenset({"/project/config/columns.yaml"})}, "its input changed: config/columns.yaml"),
        ({"came": frozenset({"results/extract/00004/features.parquet"})}, "there is 1 chunk more: 00004"),
        ({"gone": frozenset({"results/extract/00004/features.parquet"})}, "there is 1 chunk fewer: 00004"),
        ({"came": frozenset({"config/own.py"})}, "it reads other files than before: config/own.py"),
        ({"was": frozenset({"'x'"}), "now": {"key_id": "'y'"}}, "the key is another one"),
        ({"was": frozenset({"'x'"}), "now": {"source": "'y'"}}, "the export changed"),
        ({"was": frozenset({"''"}), "now": {"decided": "'y'"}}, "people decided something else about it"),
        ({"was": frozenset({"1"}), "now": {"odd": "2"}}, "its parameter odd is another one"),
        ({}, "of something that only `snakemake --dry-run` tells"),
    ],
)
def test_every_kind_of_reason(found: dict[str, Any], told: str) -> None:
    assert reasons(job(**found), NO_CODE) == [told]


def test_files_that_changed_came_or_went() -> None:
    old = {"config/a.yaml": "1", "config/b.yaml": "1", "config/c.yaml": "absent"}
    new = {"config/a.yaml": "2", "config/c.yaml": "1", "config/d.yaml": "1"}
    told = ["a file changed: config/a.yaml", "a file came: config/c.yaml, config/d.yaml", "a file went: config/b.yaml"]
    assert reasons(changed("gate", old, new, "tables"), NO_CODE) == told


def test_before_a_checkpoint_nothing_is_said_of_chunks() -> None:
    gone = frozenset({"results/extract/00004/features.parquet"})
    one = job("protect", gone=gone, after=frozenset({"consent"}))
    assert reasons(one, NO_CODE) == ["it reads what consent would write anew"]
    lines = explain(Plan([job("consent", interrupted=True), one], RULES, {"consent": 1, "protect": 1}), NO_CODE)
    assert lines[-1].startswith("what follows is known once consent ran")


def test_the_release_repeats_no_reason_of_the_stages_before_it() -> None:
    found = changed("release", {"protect": {"k": 1}}, {"protect": {"k": 2}}, "config")
    assert reasons(found, NO_CODE) == ["protect.k is 2, it was 1"]
    after = changed("release", {"protect": {"k": 1}}, {"protect": {"k": 2}}, "config", after=frozenset({"gate"}))
    assert reasons(after, NO_CODE) == ["it reads what gate would write anew"]


def test_nothing_and_all_are_told() -> None:
    nothing = Plan([], RULES, {})
    assert explain(nothing, NO_CODE) == ["nothing would run"]
    assert explain(nothing, NO_CODE, only="gate") == ["gate would not run: nothing that it depends on changed"]
    assert len(explain(nothing, NO_CODE, everything=True)) == len(RULES)


def test_many_names_are_cut() -> None:
    one = job("gate", came=frozenset(f"results/verify/{number:05d}/series.parquet" for number in range(9)))
    assert reasons(one, NO_CODE) == ["there are 9 chunks more: 00000, 00001, 00002, 00003, 00004 and 4 more"]

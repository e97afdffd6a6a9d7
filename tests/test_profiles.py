"""The profiles: complete, and of one mind with the rules."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from paths import ROOT
from radcurate.operation.memory import memory

PROFILES = sorted(path.parent.name for path in (ROOT / "profiles").glob("*/config.yaml"))
CLUSTERS = [name for name in PROFILES if name != "default"]
RULES = {path.stem: path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk")}
PER_CHUNK = {name for name, text in RULES.items() if re.search(rf'log:\n\s+"results/logs/{name}/{{chunk}}\.log"', text)}


def profile(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text())
    return content


def names_of(entries: list[str]) -> set[str]:
    return {entry.split("=")[0] for entry in entries}


def test_the_rules_of_a_chunk_are_known() -> None:
    assert {"deidentify", "redact", "deface", "verify", "extract"} == PER_CHUNK
    assert CLUSTERS


@pytest.mark.parametrize("name", CLUSTERS)
def test_all_stages_of_a_chunk_go_into_one_submission(name: str) -> None:
    groups = dict(entry.split("=") for entry in profile(name)["groups"])
    assert groups == dict.fromkeys(PER_CHUNK, "chunk")
    assert names_of(profile(name)["group-components"]) == {"chunk"}


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_cluster_runs_what_a_single_machine_does(name: str) -> None:
    ours, plain = profile(name), profile("default")
    assert {option: ours.get(option) for option in plain if option != "cores"} == {
        option: value for option, value in plain.items() if option != "cores"
    }


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_rule_with_a_pool_has_its_cores_set(name: str) -> None:
    with_pool = {rule for rule, text in RULES.items() if "--threads {threads}" in text}
    assert names_of(profile(name)["set-threads"]) == with_pool


@pytest.mark.parametrize("name", CLUSTERS)
def test_what_a_cluster_takes_away_is_made_again(name: str) -> None:
    assert profile(name)["retries"] >= 1
    assert profile(name)["latency-wait"] > 60  # a folder may be remembered that long over NFS


@pytest.mark.parametrize("rule", sorted(RULES))
def test_memory_grows_with_each_attempt(rule: str) -> None:
    [asked] = re.findall(r"mem_mb=plan\.memory\((.*)\)", RULES[rule])
    parts = [part.strip() for part in asked.split(",")]
    needed = memory(
        megabytes=sum(int(part) for part in parts if part.isdigit()),
        each=sum(int(part.removeprefix("each=")) for part in parts if part.startswith("each=")),
    )
    assert needed(None, 2, 3) == 3 * needed(None, 2, 1) > 0
    assert (needed(None, 4, 1) > needed(None, 1, 1)) == (rule in PER_CHUNK)

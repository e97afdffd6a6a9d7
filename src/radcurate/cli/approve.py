"""`radcurate approve`: a named person signs a paper for the tables of this run, or an exception from a criterion."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from pathlib import Path
from typing import Any

from radcurate.cli._record import record
from radcurate.cli._run import PROJECT, run_config
from radcurate.errors import CurationError
from radcurate.governance.approve import Person, approval, exception
from radcurate.governance.documents import KINDS, Document, documents, terms_name
from radcurate.governance.overrides import OVERRIDE, PEOPLE
from radcurate.governance.papers import Papers, read_papers
from radcurate.governance.policy import Policy, load_policy
from radcurate.governance.signatures import APPROVALS, OVERRIDES, Signature, people, sheet, with_signature
from radcurate.identity.files import write_private
from radcurate.keys import Key, load_key
from radcurate.settings import Config
from radcurate.stages._evidence import Reader, judged_tables
from radcurate.workflow import Run, paper_paths, resolve

RESULTS = Path("results")


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.set_defaults(verb=approve)
    parser.add_argument(
        "paper", choices=[*KINDS, OVERRIDE, "list"], help="what is signed; list: what each is worth now"
    )
    parser.add_argument("--criterion", metavar="MEASURE", help="override: the measure that may be exceeded")
    parser.add_argument("--by", default="", metavar="NAME", help="who answers for it")
    parser.add_argument("--role", default="", metavar="ROLE", help="as what: expert, steward, ethics committee …")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; it is printed in the release")
    parser.add_argument(
        "--date", default=datetime.date.today().isoformat(), metavar="YYYY-MM-DD", help="today by default"
    )
    parser.add_argument("--configfile", type=Path, nargs="+", default=[], help="as the run was told; later files win")


def approve(chosen: argparse.Namespace) -> int:
    """Add the signature to the steward's papers."""
    config = run_config(chosen.configfile)
    key = load_key(Path(config.key_file), run_folder=Path.cwd())
    policy = load_policy(Path(Run(config, PROJECT, key).policy())).policy
    papers = read_papers(paper_paths(config, PROJECT))
    if chosen.paper == "list":
        return _list(policy, papers, key)
    person = Person(chosen.by, chosen.role, chosen.date, chosen.reason)
    if chosen.paper == OVERRIDE:
        return _override(chosen.criterion, person, policy, papers, config, key)
    one = approval(chosen.paper, person, policy, papers, _tables(key), key)
    record(
        key,
        "approve",
        {"paper": chosen.paper, "policy": policy.name, "by": one.by, "role": one.role, "tables": dict(one.judged)},
    )
    _write(APPROVALS, papers, one, config)
    print(f"{chosen.paper}: signed by {one.by} for policy {policy.name}; run snakemake again", file=sys.stderr)
    return 0


def _override(measure: str | None, person: Person, policy: Policy, papers: Papers, config: Config, key: Key) -> int:
    if not measure:
        raise CurationError(
            "an exception from what?",
            wanted="the measure of the criterion",
            found="nothing",
            fix="--criterion MEASURE, as results/gate/refusal.json names it",
        )
    one = exception(measure, person, policy, _refusal(), key)
    record(key, "override", {"criterion": measure, "policy": policy.name, "by": one.by, "role": one.role})
    _write(OVERRIDES, papers, one, config)
    before = [
        two
        for two in sheet(papers, OVERRIDES, key).genuine
        if (two.criterion, two.policy, two.numbers, dict(two.judged))
        == (one.criterion, one.policy, one.numbers, dict(one.judged))
    ]
    lack = PEOPLE - len(people([*before, one]))
    told = "run snakemake again" if lack <= 0 else "it counts when another person signs too"
    print(f"{measure}: exception signed by {one.by}; {told}", file=sys.stderr)
    return 0


def _list(policy: Policy, papers: Papers, key: Key) -> int:
    """One line a paper."""
    terms = terms_name(papers, policy.name, policy.tier)
    found = documents(papers, sheet(papers, APPROVALS, key), policy.documents, _tables(key), policy.name, terms)
    for one in found:
        print(_line(one))
    return 1 if any(one.missing or one.voided for one in found) else 0


def _line(one: Document) -> str:
    who = f"{one.by}, {one.role}, {one.date}; " if one.by else ""
    return f"{one.kind:22}  {'owed' if one.owed else '':4}  {one.status:10}  {who}{one.detail}"


def _tables(key: Key) -> dict[str, str]:
    """Digests of the tables that are judged, once their seals were checked."""
    reader = Reader(RESULTS, key)
    if not (reader.check("protect") and reader.check("attack")):
        raise CurationError(
            "there is nothing to judge yet",
            wanted="results/protect and results/attack, as their stages wrote them",
            found="; ".join(reader.problems),
            fix="run snakemake first; it ends at the gate, and its refusal says what is missing",
        )
    return judged_tables(reader)


def _refusal() -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((RESULTS / "gate" / "refusal.json").read_text())
    except (OSError, ValueError):
        raise CurationError(
            "nothing was refused",
            wanted="results/gate/refusal.json",
            found="none",
            fix="run snakemake first; exceptions are made from what the gate refuses",
        ) from None
    return content


def _write(name: str, papers: Papers, one: Signature, config: Config) -> None:
    path = resolve(f"{config.gate.governance}/{name}", PROJECT)
    if not path.exists():
        own = Path(config.gate.governance).expanduser()
        path = (own if own.is_dir() else PROJECT / config.gate.governance) / name
    write_private(path, with_signature(papers, name, one))

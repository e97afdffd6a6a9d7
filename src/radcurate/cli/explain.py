"""`radcurate explain`: why a rule would run, in words."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import yaml

from radcurate.cli._run import PROJECT, run_config
from radcurate.errors import CurationError
from radcurate.reruns.explain import Code
from radcurate.reruns.explain import explain as sentences
from radcurate.reruns.notes import read_notes
from radcurate.reruns.planned import plan
from radcurate.workflow import package_code, stages

RESULTS = Path("results")


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.set_defaults(verb=explain)
    parser.add_argument(
        "rule", nargs="?", choices=stages(), metavar="RULE", help="the rule to explain; or all that run"
    )
    parser.add_argument("--all", action="store_true", help="name the rules that would not run too")
    parser.add_argument("--configfile", type=Path, nargs="+", default=[], help="as the run was told; later files win")
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="as the run was told")
    parser.add_argument("--profile", type=Path, default=PROJECT / "profiles" / "default", help="as the run was told")


def explain(chosen: argparse.Namespace) -> int:
    """Print a sentence for each rule and reason."""
    run_config(chosen.configfile)  # explains what is wrong with them
    planned = plan(PROJECT, chosen.configfile, _options(chosen.config), chosen.profile)
    code = package_code()
    parts = {stage: code.parts(f"radcurate.stages.{stage}") for stage in stages()}
    for line in sentences(planned, Code(read_notes(RESULTS).digests, parts), chosen.rule, chosen.all):
        print(line)
    return 0


def _options(pairs: list[str]) -> dict[str, Any]:
    """KEY=VALUE as Snakemake reads them.

    Raises:
        CurationError: no `=`, or a value that is no YAML.
    """
    found = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        try:
            found[name] = yaml.safe_load(value)
        except yaml.YAMLError:
            sign = ""
        if not sign:
            raise CurationError(
                "an option can't be read", wanted="KEY=VALUE", found="something else", fix="correct --config"
            )
    return found

"""`radcurate demo`: the synthetic cohort, the whole pipeline on it, and the pictures before and after."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from radcurate.errors import CurationError
from radcurate.keys import create_key, load_key

DEMO_KEY = Path("~/.config/radcurate/demo.key")
DEMO_FOLDER = Path("demo")
RESULTS = Path("results")


def add(parser: argparse.ArgumentParser) -> None:
    """No options."""
    parser.set_defaults(verb=demo)


def demo(_chosen: argparse.Namespace) -> int:
    """The whole pipeline on invented patients, with a key of its own."""
    from radcurate.cli.report import HTML, write_report
    from radcurate.demo import make_cohort

    project = Path(__file__).resolve().parents[3]
    if not (project / "Snakefile").is_file():
        raise CurationError(
            "no Snakefile",
            wanted="a checkout of the project",
            found="an installed package",
            fix="run `make demo` there",
        )
    if not DEMO_KEY.expanduser().exists():
        create_key(DEMO_KEY)
    _refuse_foreign_results(DEMO_FOLDER / "export")
    if not DEMO_FOLDER.exists():
        print("making the synthetic cohort in demo/ …", file=sys.stderr)
        unfinished = DEMO_FOLDER.with_name(".demo-unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        make_cohort(unfinished)
        unfinished.rename(DEMO_FOLDER)
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "-s",
        str(project / "Snakefile"),
        "--profile",
        str(project / "profiles" / "default"),
    ]
    command += ["--configfile", str(project / "config" / "demo.yaml"), "--quiet", "rules"]
    code = subprocess.run(command, check=False).returncode
    if code == 0:
        write_report(RESULTS, load_key(DEMO_KEY))
        print(f"the report, with the pictures before and after: {RESULTS / 'report' / HTML}", file=sys.stderr)
    return code


def _refuse_foreign_results(export: Path) -> None:
    mark = RESULTS / ".input"
    own = load_key(DEMO_KEY).file_code(str(export.resolve()))
    if mark.exists() and mark.read_text().strip() != own:
        raise CurationError(
            "results/ holds a run on other data",
            wanted="no results, or the demo's own",
            found="results of another input",
            fix="move results/ away, or run the demo in another checkout",
        )

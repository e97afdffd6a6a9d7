"""The `radcurate` command: verbs that are no stage."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from radcurate.errors import CurationError
from radcurate.keys import create_key, load_key

DEMO_KEY = Path("~/.config/radcurate/demo.key")
DEMO_FOLDER = Path("demo")
RESULTS = Path("results")


def main(arguments: list[str] | None = None) -> None:
    """Run one verb; exit 0 when it did what was asked, 1 with an explanation otherwise."""
    chosen = _parser().parse_args(arguments)
    try:
        sys.exit(chosen.verb(chosen))
    except CurationError as error:
        print(f"radcurate: {error}", file=sys.stderr)
        sys.exit(1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="radcurate", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    keys = _verb(verbs, "keys", keys_new, "make a project key")
    keys.add_argument("what", choices=["new"])
    keys.add_argument("file", type=Path, help="where to; outside the run folder")
    _verb(verbs, "demo", demo, "make the synthetic cohort and run the pipeline on it")
    _verb(verbs, "summary", summary, "what the run in results/ came to")
    check = _verb(verbs, "verify-release", verify_release, "check a release against its checksums, offline")
    check.add_argument("folder", type=Path)
    return parser


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    function: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text, description=text)
    parser.set_defaults(verb=function)
    return parser


def keys_new(chosen: argparse.Namespace) -> int:
    """Make a key; prints its name, never its value."""
    if chosen.file.expanduser().resolve().is_relative_to(Path.cwd()):
        raise CurationError(
            "a key does not belong into the run folder",
            wanted="a file outside it",
            found="a file below the working directory",
            fix="name another place, such as ~/.config/radcurate/key",
        )
    key = create_key(chosen.file)
    print(
        f"key {key.key_id} written, mode 0600. Keep a copy in a safe place: pseudonyms can't be made again without it."
    )
    return 0


def demo(_chosen: argparse.Namespace) -> int:
    """The whole pipeline on invented patients, with a key of its own."""
    from radcurate.demo import make_cohort

    project = Path(__file__).resolve().parents[2]
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
    return subprocess.run(command, check=False).returncode


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


def summary(_chosen: argparse.Namespace) -> int:
    """One screen about the run in results/."""
    from radcurate.release.summary import render

    print(render(RESULTS))
    return 0


def verify_release(chosen: argparse.Namespace) -> int:
    """Every file of a release against SHA256SUMS; needs nothing but the folder."""
    from radcurate.release.check import check_release

    problems = check_release(chosen.folder)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{chosen.folder}: " + (f"{len(problems)} problems" if problems else "every file is as released"))
    return 1 if problems else 0


if __name__ == "__main__":
    main()

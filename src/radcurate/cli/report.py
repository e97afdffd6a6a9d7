"""`radcurate report`: one page about the whole run, and a page for each series whose pictures were changed.

For whoever answers for a release: people can be recognised on the pages, so they stay in the restricted zone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from radcurate.cli._report_pages import series_pages
from radcurate.cli._run import run_config
from radcurate.identity.files import private_folder, write_private
from radcurate.keys import Key, load_key
from radcurate.report import page as html
from radcurate.stages._report import HTML as HTML
from radcurate.stages._report import write_private_report

RESULTS = Path("results")
MOST_PICTURES = 9  # on the page about the run; those that need a look first


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.set_defaults(verb=report)
    parser.add_argument("--configfile", type=Path, nargs="+", default=[], help="as the run was told; later files win")


def report(chosen: argparse.Namespace) -> int:
    """Write the pages."""
    key = load_key(Path(run_config(chosen.configfile).key_file), run_folder=Path.cwd())
    pages = write_report(RESULTS, key)
    print(f"{pages} series were changed: open {RESULTS / 'report' / HTML}", file=sys.stderr)
    return 0


def write_report(results: Path, key: Key) -> int:
    """Write results/report anew (0700); how many series have a page.

    Args:
        results: of a run that has come past deface.
        key: of the project.

    Raises:
        CurationError: the run hasn't come past deface, or a seal doesn't hold.
    """
    pages, pictures = [], []
    found = series_pages(results, key)
    first = next(found, None)  # says what is wrong before anything is removed
    out = private_folder(results / "report")
    for old in out.glob("*.html"):
        old.unlink()
    for one in [] if first is None else [first, *found]:
        write_private(out / one.name, one.content)
        pages.append((one.name, one.title, one.done))
        pictures += [(-one.doubt, one.name, one.picture)] if one.picture else []
    gallery = [picture for _, _, picture in sorted(pictures, key=lambda item: item[:2])[:MOST_PICTURES]]
    if not write_private_report(results, key, gallery, pages):
        lines = [html.link(name, title) + ": " + html.text(done) for name, title, done in pages]
        body = "".join(f"<li>{line}</li>" for line in lines)
        write_private(
            out / HTML,
            html.document(
                "report",
                ["<h1>What cleaning did to the pictures</h1><p>The gate has not judged yet.</p>", f"<ul>{body}</ul>"],
            ),
        )
    return len(pages)

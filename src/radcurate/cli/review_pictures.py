"""`radcurate review pictures`: a page for each series that redact or deface set aside, in a private folder outside the run.

What is drawn into pixels is read again for the page, and stands nowhere else: tables hold a keyed hash of it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from radcurate.cli._review_page import Finding, Page, index, page
from radcurate.cli._run import decisions_file, run_config
from radcurate.cli._set_aside import STAGES, SetAside, set_aside
from radcurate.cli._shown import crop, framed
from radcurate.errors import CurationError
from radcurate.governance.decisions import Decisions, read_decisions
from radcurate.identity.files import private_folder, refuse_here, write_private
from radcurate.keys import load_key
from radcurate.redact.found import Box, Hit, Picture, Pictures, Place
from radcurate.redact.look import look
from radcurate.redact.pictures import open_series
from radcurate.redact.seeds import seeds_of

RESULTS = Path("results")
INDEX = "index.html"
MOST_FRAMES, MOST_FINDINGS = 12, 200  # of a page
AFTER = {1: "first", 2: "after cleaning"}


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.set_defaults(verb=review)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="new folder for the pages (0700), outside the run"
    )
    parser.add_argument("--configfile", type=Path, nargs="+", default=[], help="as the run was told; later files win")
    parser.add_argument("--series", nargs="+", help="these series only")


def review(chosen: argparse.Namespace) -> int:
    """Write the pages."""
    out = chosen.out.expanduser()
    refuse_here(out, "pictures of patients")
    config = run_config(chosen.configfile)
    key = load_key(Path(config.key_file), run_folder=Path.cwd())
    decisions = {stage: read_decisions(decisions_file(config, stage)) for stage in STAGES}
    waiting = [one for one in set_aside(RESULTS, key) if not chosen.series or one.series in chosen.series]
    _fresh(out)
    pages = []
    for one in waiting:
        content = _page(one, decisions[one.stage])
        write_private(out / content.name, page(content))
        pages.append(content)
    write_private(out / INDEX, index(pages))
    print(f"{len(pages)} series wait for a person: open {INDEX} in the folder that you named", file=sys.stderr)
    return 0


def _fresh(out: Path) -> None:
    """A private folder for the pages; those of an earlier review go, what else lies there is not ours."""
    if out.exists() and any(out.iterdir()) and not (out / INDEX).is_file():
        raise CurationError(
            "the folder isn't empty",
            wanted="a new folder, or one with an earlier review",
            found="other files",
            fix="name another folder",
        )
    private_folder(out)
    for old in out.glob("S-*.html"):
        old.unlink()


def _page(one: SetAside, decisions: Decisions) -> Page:
    opened, problem = _opened(one)
    places = _places(one, opened)
    read: dict[Place, Picture] = {}
    texts: dict[Place, Sequence[Hit]] = {}
    if opened is not None:
        for place in dict.fromkeys(places[:MOST_FRAMES]):
            try:
                read[place] = opened.read(place)
                if one.boxes:
                    texts[place] = look(Pictures([place], opened.read), seeds_of([]), strict=True).hits
            except CurationError as error:
                problem = error.problem
    facts = [*_facts(one.checks), *([("pictures", problem)] if problem else [])]
    findings = _findings(one, read, texts)
    return Page(
        series=one.series,
        stage=one.stage,
        chunk=one.chunk,
        modality=str(one.row["modality"]),
        reason=str(one.row["reason"]),
        remedy=str(one.row["remedy"]),
        evidence=one.evidence,
        decided=_decided(one, decisions),
        facts=tuple(facts),
        findings=tuple(findings[:MOST_FINDINGS]),
        left_out=max(0, len(findings) - MOST_FINDINGS),
        pictures=tuple(_pictures(one, read)),
    )


def _opened(one: SetAside) -> tuple[Pictures | None, str]:
    """The pictures of a series, or why they can't be shown: that may be what it was set aside for."""
    if not one.files:
        return None, "no files"
    try:
        return open_series(one.files), ""
    except CurationError as error:
        return None, error.problem


def _places(one: SetAside, opened: Pictures | None) -> list[Place]:
    """Frames with findings, or the first, the middle and the last one."""
    if opened is None or not opened.places:
        return []
    if one.boxes:
        return list(dict.fromkeys(_place(one, row) for row in one.boxes))
    every = opened.places
    return [every[0], every[len(every) // 2], every[-1]]


def _place(one: SetAside, row: Mapping[str, Any]) -> Place:
    names = [path.name for path in one.files]
    return Place(names.index(row["name"]), int(row["frame"]))


def _box(row: Mapping[str, Any]) -> Box:
    return Box(int(row["top"]), int(row["left"]), int(row["bottom"]), int(row["right"]))


def _findings(one: SetAside, read: Mapping[Place, Picture], texts: Mapping[Place, Sequence[Hit]]) -> list[Finding]:
    found: list[Finding] = []
    for row in sorted(one.boxes, key=lambda row: (not row["sure"], row["name"], row["frame"], row["top"], row["left"])):
        place, box = _place(one, row), _box(row)
        words = [hit.text for hit in texts.get(place, ()) if _share(box, hit.box) and hit.text]
        found.append(
            Finding(
                file=str(row["name"]),
                frame=int(row["frame"]),
                place=f"{box.top}–{box.bottom}, {box.left}–{box.right}",
                kind=str(row["kind"]),
                sure=bool(row["sure"]),
                confidence=float(row["confidence"]),
                looked=AFTER.get(int(row["pass_number"]), ""),
                text=" ".join(dict.fromkeys(words)),
                crop=crop(read[place], box) if place in read and len(found) < MOST_FINDINGS else b"",
            )
        )
    return found


def _share(box: Box, other: Box) -> bool:
    """Whether at least half of the smaller one lies in the other."""
    rows = min(box.bottom, other.bottom) - max(box.top, other.top)
    columns = min(box.right, other.right) - max(box.left, other.left)
    areas = [(one.bottom - one.top) * (one.right - one.left) for one in (box, other)]
    return rows > 0 and columns > 0 and 2 * rows * columns >= min(areas)


def _pictures(one: SetAside, read: Mapping[Place, Picture]) -> list[tuple[str, bytes]]:
    drawn = [(path.stem.removeprefix(f"{one.series}_").replace("_", " "), path.read_bytes()) for path in one.drawings]
    for place, picture in read.items():
        boxes = [(_box(row), bool(row["sure"])) for row in one.boxes if _place(one, row) == place]
        drawn.append((f"file {place.file + 1} of {len(one.files)}, frame {place.frame}", framed(picture, boxes)))
    return drawn


def _facts(checks: Mapping[str, Any]) -> list[tuple[str, str]]:
    told = []
    for name, value in checks.items():
        if value is not None and name != "series":
            told.append((name.replace("_", " "), f"{value:.3g}" if isinstance(value, float) else str(value)))
    return told


def _decided(one: SetAside, decisions: Decisions) -> str:
    decision = decisions.of(one.stage, one.series, one.evidence)
    if decision:
        return f"Decided by {decision.by} on {decision.date}: {decision.decision}. The next run takes it."
    if decisions.void(one.stage, one.series, one.evidence):
        return "There is a decision on this series, but on something else than what is found now; it doesn't count."
    return ""

"""How many lines of text are found in pictures that `redact` has not seen, how many clean pictures are flagged, and what it costs.

A line is found when at least 95 % of its drawn pixels lie in boxes that are sure. Goals: issue of the project. The part
`tuning` is for fixing thresholds, `final` for the count: its patients and three of its fonts are in no tuning.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.bases import PART_OF, PARTS, SOURCES
from benchmarks.figure import Figure
from benchmarks.texted import Case, cases, stack_case
from benchmarks.texts import Line
from radcurate.redact.found import Hit, Pictures, Place
from radcurate.redact.look import look
from radcurate.redact.seeds import seeds_of

PICTURES = {"tuning": 240, "final": 320}  # with text, and as many without
PLANES = 100
COVERED = 0.95  # of a line's drawn pixels
FULL, FAINT = (0.9, 9.0), (0.2, 0.3)  # contrast
NEAR_512 = (200_000, 330_000)  # pixels of a picture whose time counts
GROUPS: dict[str, Callable[[Line, Case], object]] = {
    "size": lambda line, case: line.size,
    "contrast": lambda line, case: round(line.contrast * 20) / 20,
    "font": lambda line, case: line.font,
    "turn": lambda line, case: line.turn,
    "look": lambda line, case: line.look,
    "pixels": lambda line, case: case.kind,
    "modality": lambda line, case: case.modality,
    "about": lambda line, case: line.about,
    "header": lambda line, case: "knows it" if case.header and line.about != "technical" else "silent",
}


@dataclass
class Tally:
    """What was found of what there is."""

    lines: list[tuple[Line, Case, bool, bool]] = field(default_factory=list)  # found surely, found with doubts
    clean: list[tuple[Case, bool, bool]] = field(default_factory=list)  # flagged surely, with doubts
    seconds: list[tuple[float, int]] = field(default_factory=list)  # CPU time and pixels of each picture
    beyond: list[float] = field(default_factory=list)  # share of a picture in boxes that hold no drawn pixel nearby

    def share(self, chosen: Callable[[Line, Case], bool], doubts: bool = False) -> tuple[float, int]:
        """Found share of the lines that `chosen` takes, and how many these are."""
        found = [doubtful if doubts else sure for line, case, sure, doubtful in self.lines if chosen(line, case)]
        return (sum(found) / len(found) if found else float("nan")), len(found)


def figures() -> list[Figure]:
    """The final count."""
    data = os.environ.get("RADCURATE_TEST_DATA")
    if not data:
        print("redact: RADCURATE_TEST_DATA is not set, so nothing is measured", file=sys.stderr)
        return []
    if importlib.util.find_spec("matplotlib") is None:
        print("redact: its fonts come with matplotlib: uv sync --inexact --group peers", file=sys.stderr)
        return []
    tally = measure(cases(Path(data), "final", PICTURES["final"]))
    _explain(tally)
    return [*_figures(tally), *volume_figures(Path(data), "final")]


def measure(series: Iterable[Case], misses: bool = False) -> Tally:
    """Look at every case."""
    tally = Tally()
    for case in series:
        start = time.process_time()
        hits = look(case.pictures, seeds_of(case.header), case.strict).hits
        spent = time.process_time() - start
        pixels = int(np.prod(case.pictures.read(case.pictures.places[0]).values.shape[:2]))
        tally.seconds.append((spent / len(case.pictures.places), pixels))
        _count(tally, case, hits, misses)
    return tally


def _count(tally: Tally, case: Case, hits: Sequence[Hit], misses: bool) -> None:
    by_place: dict[Place, list[Hit]] = defaultdict(list)
    for hit in hits:
        by_place[hit.place].append(hit)
    if not case.lines:
        tally.clean.append((case, any(hit.sure for hit in hits), bool(hits)))
        if hits and misses:
            print(f"clean, {case.name}, {case.kind}: {_told(hits)}", file=sys.stderr)
    for place, lines in case.lines.items():
        here = by_place[place]
        for line in lines:
            sure, doubtful = _covered(line, [hit for hit in here if hit.sure]), _covered(line, here)
            tally.lines.append((line, case, sure, doubtful))
            if misses and not sure:
                words = (
                    f"{line.font}, {line.size} px, {line.turn}°, {line.contrast:.2f}, {line.look}, {tuple(line.box)}"
                )
                print(f"missed, {case.name}, {case.kind}: '{line.text}' {words}: {_told(here)}", file=sys.stderr)
        tally.beyond.append(_beyond(case, place, lines, here))


def _told(hits: Sequence[Hit]) -> str:
    told = [
        f"{tuple(hit.box)} {hit.kind} {'sure' if hit.sure else 'doubt'} {hit.confidence:.2f} '{hit.text}'"
        for hit in hits[:6]
    ]
    return "; ".join(told) or "nothing"


def _covered(line: Line, hits: Sequence[Hit]) -> bool:
    inside = np.zeros(line.ink.shape, bool)
    for hit in hits:
        top, left = hit.box.top - line.box.top, hit.box.left - line.box.left
        bottom, right = hit.box.bottom - line.box.top, hit.box.right - line.box.left
        inside[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = True
    return bool(inside[line.ink].mean() >= COVERED)


def _beyond(case: Case, place: Place, lines: Sequence[Line], hits: Sequence[Hit], margin: int = 10) -> float:
    """Share of a picture that sure boxes take away from any text."""
    away = np.zeros(case.pictures.read(place).values.shape[:2], bool)
    for hit in hits:
        if hit.sure:
            away[hit.box.top : hit.box.bottom, hit.box.left : hit.box.right] = True
    for line in lines:
        away[
            max(0, line.box.top - margin) : line.box.bottom + margin,
            max(0, line.box.left - margin) : line.box.right + margin,
        ] = False
    return float(away.mean())


def _figures(tally: Tally) -> list[Figure]:
    large = tally.share(lambda line, _: line.size >= 12 and FULL[0] <= line.contrast < FULL[1])[0]
    small = tally.share(lambda line, _: line.size <= 11 and FULL[0] <= line.contrast < FULL[1])[0]
    faint = tally.share(lambda line, _: FAINT[0] <= line.contrast < FAINT[1])[0]
    flagged = sum(sure for _, sure, _ in tally.clean) / max(1, len(tally.clean))
    near = [spent for spent, pixels in tally.seconds if NEAR_512[0] <= pixels <= NEAR_512[1]]
    return [
        Figure("redact, lines found, 12 px and more, full contrast", large, 0.99, "of lines", at_most=False),
        Figure("redact, lines found, 8 to 11 px, full contrast", small, 0.95, "of lines", at_most=False),
        Figure("redact, lines found, 25 % contrast", faint, 0.85, "of lines", at_most=False),
        Figure("redact, clean pictures flagged", flagged, 0.01, "of pictures"),
        Figure("redact, one picture of about 512 × 512", max(near, default=float("nan")), 3.0, "CPU-s"),
    ]


def _explain(tally: Tally) -> None:
    """What is behind the figures."""
    say = lambda text: print(text, file=sys.stderr)  # noqa: E731
    for name, group in GROUPS.items():
        values = sorted(
            {group(line, case) for line, case, *_ in tally.lines}, key=lambda value: (str(type(value)), value)
        )
        told = []
        for value in values:
            share, count = tally.share(partial(_is, group, value))
            told.append(f"{value}: {share:.2f} of {count}")
        say(f"redact, by {name}: " + ", ".join(told))
    share, count = tally.share(lambda *_: True)
    say(f"redact, all {count} lines: {share:.3f}, with doubts {tally.share(lambda *_: True, doubts=True)[0]:.3f}")
    strict = [doubt for case, _, doubt in tally.clean if case.strict]
    say(
        f"redact, clean: {sum(sure for _, sure, _ in tally.clean)} of {len(tally.clean)} flagged surely; strictly looked at, "
        f"{sum(strict)} of {len(strict)} go to a person"
    )
    say(f"redact, picture taken away from text: {np.mean(tally.beyond or [0.0]):.4f} on average")
    say(f"redact, CPU-s a picture: {np.mean([spent for spent, _ in tally.seconds]):.2f} on average")


def _is(group: Callable[[Line, Case], object], value: object, line: Line, case: Case) -> bool:
    return group(line, case) == value


def volume_figures(data: Path, part: str, most: int = 3, misses: bool = False) -> list[Figure]:
    """Stacks of 100 planes with text on all planes, on some, on none; of the text on some, what planes alone would have told."""
    stacks = [
        source for source in SOURCES if PART_OF[source.group] == part and source.crops == 1 and source.part is None
    ]
    stacks = [source for source in stacks if source.kind in ("sarcoma", "head", "body") and source.modality != "PT"]
    chosen = sorted(stacks, key=lambda source: (source.kind, source.group))[:: max(1, len(stacks) // most)][:most]
    found = []
    for writing in ("all", "some", "none"):
        series = [stack_case(data, source, part, PLANES, writing) for source in chosen]
        tally = measure(series, misses)
        slowest = max(spent for spent, _ in tally.seconds)
        found.append(Figure(f"redact, 100 planes, text on {writing}, CPU time", slowest, 0.3, "CPU-s a plane"))
        if writing == "none":
            flagged = sum(sure for _, sure, _ in tally.clean) / len(tally.clean)
            found.append(Figure("redact, 100 planes without text, stacks flagged", flagged, 0.01, "of stacks"))
            continue
        share, count = tally.share(lambda line, _: line.contrast >= FULL[0])
        print(f"redact, 100 planes, text on {writing}: {share:.3f} of {count} lines at full contrast", file=sys.stderr)
        if writing == "some":
            found.append(
                Figure("redact, 100 planes, lines lost that a plane alone tells", _lost(series, tally), 0, "lines")
            )
        else:
            found.append(Figure("redact, 100 planes, text on all, found", share, 0.99, "of lines", at_most=False))
    return found


def _lost(series: Sequence[Case], tally: Tally) -> int:
    """Lines that are found on their plane alone, and missed in the stack."""
    alone = measure(
        replace(case, pictures=Pictures([place], case.pictures.read), lines={place: lines})
        for case in series
        for place, lines in case.lines.items()
    )
    return sum(one[2] and not other[2] for one, other in zip(alone.lines, tally.lines, strict=True))


def main() -> int:
    """Measure one part, or some of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS, default="tuning")
    parser.add_argument("--limit", type=int, help="pictures with text, and as many without")
    parser.add_argument("--first", type=int, default=0, help="where to begin")
    parser.add_argument("--volumes", action="store_true", help="stacks instead of single pictures")
    parser.add_argument(
        "--misses", action="store_true", help="tell every line that is missed, every clean picture flagged"
    )
    chosen = parser.parse_args()
    data = Path(os.environ["RADCURATE_TEST_DATA"])
    if chosen.volumes:
        print("\n".join(map(str, volume_figures(data, chosen.part, chosen.limit or 3, chosen.misses))))
        return 0
    last = chosen.first + (chosen.limit or PICTURES[chosen.part] - chosen.first)
    tally = measure(cases(data, chosen.part, last, chosen.first), chosen.misses)
    _explain(tally)
    print("\n".join(map(str, _figures(tally))))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""From the tables of a run to the tables of a release, and what was measured on both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from radcurate.errors import CurationError
from radcurate.privacy import report
from radcurate.privacy.classes import classes
from radcurate.privacy.coding import combine, encode
from radcurate.privacy.columns import Columns
from radcurate.privacy.hierarchies import Ladder
from radcurate.privacy.measures import C, Risk, Sensitive, ranks, risk, sensitive
from radcurate.privacy.report import Group
from radcurate.privacy.rows import SUBJECT, Pair, generalise, in_order, ladders, recode, select, subjects
from radcurate.privacy.search import Board, Cohort, Solution, Targets, search

STRUCTURE = ("modality", "roi_label")  # what a table can't hide: it says what was measured


@dataclass(frozen=True)
class Protected:
    """What `protect` makes.

    Attributes:
        released: the tables to share.
        kept: the patients in them, by their codes in the run.
        groups: patients and suppressed patients by group of each quasi-identifier; names rare groups, so not to share.
        document: measures.json; holds no value of a patient.
    """

    released: Pair
    kept: frozenset[str]
    groups: list[Group]
    document: dict[str, Any]


def protect(pair: Pair, columns: Columns, targets: Targets, code: Callable[[str, str], str]) -> Protected:
    """Generalise and suppress until every class of patients keeps k, l and t, with the least loss of information.

    Args:
        pair: measured rows only; others are not for release.
        code: (letter, internal code) to release code.

    Raises:
        CurationError: a declared quasi-identifier or sensitive column is absent, or its hierarchy doesn't fit.
    """
    _check_sensitive(columns, targets)
    pair = Pair(in_order(pair.features, columns), pair.acquisition)
    coded = Pair(recode(pair.features, columns, code), recode(pair.acquisition, columns, code))
    steps, values = ladders(coded, columns)
    who = subjects(coded)
    cohort = Cohort(who.codes, [found.codes for found in values], steps, _sensitive(coded, columns))
    board = Board(cohort)
    solution = search(board, targets)
    released = _release(coded, columns, steps, solution)
    kept = frozenset(pair.features[SUBJECT].filter(pa.array(solution.kept[who.codes])).to_pylist())
    suppressed = int((~solution.kept).sum())
    after = measure(released, columns, suppressed, targets.c)
    groups = report.by_group(cohort, solution.kept)
    document = {
        "before": measure(coded, columns, c=targets.c).document(),
        "after": after.document(),
        "structure": _structure(released, columns).document(),
        **report.outcome(targets, after, suppressed, int(who.codes.size), released.features.num_rows, solution),
        "reachable": _coarsest(board, targets.c).document(),
        **report.losses(steps, solution, board),
        "suppression_gap": report.gaps(groups),
        **report.columns_of(columns, pair, released),
        "sensitive": columns.named("sensitive"),
    }
    return Protected(released, kept, groups, document)


def measure(pair: Pair, columns: Columns, suppressed: int = 0, c: float = C) -> Risk:
    """Risk of a pair of tables as anybody who holds them can measure it; `c` is that of recursive (c, l)."""
    who = subjects(pair)
    cells = [encode(pair.column(name), name).codes for name in columns.named("quasi_identifier")]
    return risk(classes(who.codes, combine(cells, who.codes.size)), _sensitive(pair, columns), suppressed, c)


def _sensitive(pair: Pair, columns: Columns) -> dict[str, Sensitive]:
    who = subjects(pair).codes
    coded = {name: encode(pair.column(name), name) for name in columns.named("sensitive")}
    return {name: sensitive(who, found.codes, ranks(found)) for name, found in coded.items()}


def _structure(pair: Pair, columns: Columns) -> Risk:
    """The same against somebody who also counts a patient's regions and knows their modality and label."""
    shown = [name for name in STRUCTURE if name in pair.features.column_names]
    who = subjects(pair)
    cells = [encode(pair.column(name), name).codes for name in [*columns.named("quasi_identifier"), *shown]]
    return risk(classes(who.codes, combine(cells, who.codes.size), counted=True), {})


def _coarsest(board: Board, c: float) -> Risk:
    """Risk at the coarsest levels without suppression: no k or l above it can be reached."""
    return risk(board.groups(tuple(ladder.most for ladder in board.ladders)), board.sensitive, c=c)


def _release(pair: Pair, columns: Columns, steps: list[Ladder], solution: Solution) -> Pair:
    rows = solution.kept[subjects(pair).codes]
    chosen = {ladder.column: (ladder, rung) for ladder, rung in zip(steps, solution.node, strict=True)}
    kept = pair.only(rows)
    # what features has already is not told a second time, perhaps finer
    doubled = [
        name
        for name in pair.features.column_names
        if (entry := columns.find(name)) is not None and entry.role not in ("identifier", "technical")
    ]
    features = select(generalise(kept.features, chosen), columns)
    return Pair(features, select(generalise(kept.acquisition, _absent(chosen, doubled)), columns, doubled))


def _absent(chosen: dict[str, tuple[Ladder, int]], names: list[str]) -> dict[str, tuple[Ladder, int]]:
    return {name: step for name, step in chosen.items() if name not in names}


def _check_sensitive(columns: Columns, targets: Targets) -> None:
    if targets.about_values and not columns.named("sensitive"):
        raise CurationError(
            "l or t is asked for and no column is sensitive",
            wanted="a column with role sensitive, or protect.l: 1 and protect.t: 1",
            found="none",
            fix="declare the sensitive columns in config/columns.yaml",
        )

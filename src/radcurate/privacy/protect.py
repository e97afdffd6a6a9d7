"""From the tables of a run to the tables of a release: who stays, what is shown of them, and what that tells of them.

Features are not looked at here: which rows stay doesn't depend on their values, see `account`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from radcurate.errors import CurationError
from radcurate.privacy.choice import Choice, Method, Scene, choose, labels, scene
from radcurate.privacy.classes import classes
from radcurate.privacy.coding import Coded, Ints, codes_of, combine, encode
from radcurate.privacy.columns import Columns
from radcurate.privacy.explain import at_risk
from radcurate.privacy.marginal import marginal
from radcurate.privacy.measures import C, Risk, ranks, risk, sensitive
from radcurate.privacy.rows import SUBJECT, Pair, order_of, recode, relabel
from radcurate.privacy.search import Targets
from radcurate.privacy.vectors import Owners, Treatment, kinds, owners
from radcurate.privacy.ways import ways
from radcurate.tables import PROTECT_AT_RISK

STRUCTURE = ("modality", "roi_label")  # what a table can't hide: it says what was measured


@dataclass(frozen=True)
class Protected:
    """What `protect` decides.

    Attributes:
        released: the tables to share, without features.
        rows: row of the given features for each released one, shape (released row,).
        found, choice: all rows that could be released, by their identifiers, and what is chosen of them.
        owners: whose the released rows are; `chosen`: the same rows in the order of `found`.
        place: row of `found` for each released row, shape (released row,).
        before, after: measured on all rows, and on the released tables; `structure`: by who counts regions too.
        ways: what else could be done; see `tables.PROTECT_WAYS`.
        at_risk: `PROTECT_AT_RISK`, under the codes of the run.
        marginal: what each column costs; utility_privacy.json.
    """

    released: Pair
    rows: Ints
    found: Scene
    choice: Choice
    owners: Owners
    chosen: Owners
    place: Ints
    before: dict[str, Any]
    after: Risk
    structure: Risk
    sizes: dict[str, Any]
    ways: list[dict[str, Any]]
    at_risk: pa.Table
    marginal: list[dict[str, Any]]


def protect(
    pair: Pair,
    columns: Columns,
    targets: Targets,
    code: Callable[[str, str], str],
    treatment: Treatment = Treatment(),  # noqa: B008
    method: Method = "full_domain",
    features: Sequence[str] = (),
) -> Protected:
    """Generalise and suppress until every class of patients keeps k, l and t, with the least loss of information.

    Args:
        pair: measured rows only; others are not for release. Columns of features may be left out.
        code: (letter, internal code) to release code.
        treatment: what is to be done to features.
        method: one level per column for everybody, or regions with labels of their own.
        features: columns of features that were left out.

    Raises:
        CurationError: a declared quasi-identifier or sensitive column is absent, or its hierarchy doesn't fit.
    """
    _check_sensitive(columns, targets)
    order = order_of(pair.features, columns)
    pair = Pair(pair.features.take(pa.array(order)), pair.acquisition)
    coded = Pair(recode(pair.features, columns, code), recode(pair.acquisition, columns, code))
    found = scene(coded, columns, treatment, _held(coded, columns))
    choice = choose(found, targets, treatment, method)
    released, place = _release(coded, columns, found, choice, features)
    kind, tried = kinds(pair, treatment), ways(found, targets, treatment, choice, method)
    return Protected(
        released=released,
        rows=order[place],
        found=found,
        choice=choice,
        owners=owners(pair, kind, place),
        chosen=owners(pair, kind, np.flatnonzero(choice.rows)),
        place=place,
        before=measure(coded, columns, c=targets.c).document() | sizes(coded, columns),
        after=measure(released, columns, choice.suppressed, targets.c),
        structure=_structure(released, columns),
        sizes=sizes(released, columns),
        ways=[way.document() for way in tried],
        at_risk=_at_risk(pair, found, choice, targets.k),
        marginal=marginal(found, released, columns, choice, tried),
    )


def _at_risk(pair: Pair, found: Scene, choice: Choice, k: int) -> pa.Table:
    """`PROTECT_AT_RISK`, under the patients' codes of the run."""
    example = np.empty(found.n_subjects, dtype=np.int64)
    example[found.subject] = np.arange(found.subject.size)
    names = pair.features[SUBJECT].take(pa.array(example)).combine_chunks()
    lines = at_risk(found, k)
    who = pa.array(lines.subject)
    told = [names.take(who), lines.columns, pa.array(lines.size), pa.array(lines.minimal)]
    content = pa.table([*told, pa.array(choice.kept[lines.subject])], schema=PROTECT_AT_RISK.arrow)
    return content.sort_by("subject") if content.num_rows else content


def measure(pair: Pair, columns: Columns, suppressed: int = 0, c: float = C) -> Risk:
    """Risk of a pair of tables as anybody who holds them can measure it; `c` is that of recursive (c, l)."""
    who = pair.subject
    held = {name: sensitive(who, found.codes, ranks(found)) for name, found in _held(pair, columns).items()}
    return risk(_classes(pair, columns), held, suppressed, c)


def _classes(pair: Pair, columns: Columns) -> Ints:
    who = pair.subject
    return classes(
        who, combine([codes_of(pair.column(name), name) for name in columns.named("quasi_identifier")], who.size)
    )


def sizes(pair: Pair, columns: Columns) -> dict[str, dict[str, int]]:
    """How many classes have how many patients."""
    sizes, count = np.unique(np.bincount(_classes(pair, columns)), return_counts=True)
    return {"sizes": {str(size): int(number) for size, number in zip(sizes.tolist(), count.tolist(), strict=True)}}


def _held(pair: Pair, columns: Columns) -> dict[str, Coded]:
    return {name: encode(pair.column(name), name) for name in columns.named("sensitive")}


def _structure(pair: Pair, columns: Columns) -> Risk:
    """The risk against somebody who also counts a patient's regions and knows their modality and label."""
    shown = [name for name in STRUCTURE if name in pair.features.column_names]
    who = pair.subject
    cells = [codes_of(pair.column(name), name) for name in [*columns.named("quasi_identifier"), *shown]]
    return risk(classes(who, combine(cells, who.size), counted=True), {})


def _release(pair: Pair, columns: Columns, found: Scene, choice: Choice, features: Sequence[str]) -> tuple[Pair, Ints]:
    """The tables, rows in the order of the release codes, which tells nothing; and the row of the scene for each."""
    kept, shown = pair.only(choice.rows), labels(found, choice)
    # what features has already is not told a second time, perhaps finer
    doubled = {
        name
        for name in [*pair.features.column_names, *features]
        if (entry := columns.find(name)) is not None and entry.role not in ("identifier", "technical")
    }
    by_row = {name: texts for name, texts in shown.items() if name in doubled}
    by_series = {
        name: kept.by_series(texts)
        for name, texts in shown.items()
        if name not in doubled and name in kept.acquisition.column_names
    }
    told = relabel(kept.features, by_row).select(columns.released(pair.features.column_names))
    names = [name for name in columns.released(pair.acquisition.column_names) if name not in doubled]
    scans = relabel(kept.acquisition, by_series).select(names)
    order = order_of(told, columns)
    released = Pair(told.take(pa.array(order)), scans.take(pa.array(order_of(scans, columns))))
    return released, np.flatnonzero(choice.rows)[order]


def _check_sensitive(columns: Columns, targets: Targets) -> None:
    if targets.about_values and not columns.named("sensitive"):
        raise CurationError(
            "l or t is asked for and no column is sensitive",
            wanted="a column with role sensitive, or protect.l: 1 and protect.t: 1",
            found="none",
            fix="declare the sensitive columns in config/columns.yaml",
        )

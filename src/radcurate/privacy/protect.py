"""From the tables of a run to the tables of a release, and what was measured on both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from radcurate.errors import CurationError
from radcurate.privacy import report, utility
from radcurate.privacy.choice import Choice, Method, Scene, choose, labels, reachable, scene
from radcurate.privacy.classes import classes
from radcurate.privacy.coding import Coded, Ints, Reals, combine, encode
from radcurate.privacy.columns import Columns
from radcurate.privacy.explain import at_risk
from radcurate.privacy.marginal import marginal
from radcurate.privacy.measures import C, Risk, ranks, risk, sensitive
from radcurate.privacy.report import Group
from radcurate.privacy.rows import SERIES, SUBJECT, Pair, in_order, recode, relabel, select, subjects
from radcurate.privacy.search import Targets
from radcurate.privacy.vectors import ROI, Treatment, Vectors, vectors
from radcurate.privacy.ways import ways

STRUCTURE = ("modality", "roi_label")  # what a table can't hide: it says what was measured


@dataclass(frozen=True)
class Protected:
    """What `protect` makes.

    Attributes:
        released: the tables to share.
        kept: the patients in them, by their codes in the run.
        regions: the regions in them, by their codes in the run.
        groups: what each group of each quasi-identifier paid; names rare groups, so not to share.
        distortion: for each feature and modality how far it was moved.
        ways: what else could be done; see `tables.PROTECT_WAYS`.
        at_risk: who would be told by which columns, by code of the run; see `tables.PROTECT_AT_RISK`.
        marginal: what each column costs; utility_privacy.json.
        document: measures.json; holds no value of a patient.
    """

    released: Pair
    kept: frozenset[str]
    regions: frozenset[str]
    groups: list[Group]
    distortion: list[dict[str, Any]]
    ways: list[dict[str, Any]]
    at_risk: list[dict[str, Any]]
    marginal: list[dict[str, Any]]
    document: dict[str, Any]


def protect(
    pair: Pair,
    columns: Columns,
    targets: Targets,
    code: Callable[[str, str], str],
    treatment: Treatment = Treatment(),  # noqa: B008
    method: Method = "full_domain",
) -> Protected:
    """Generalise and suppress until every class of patients keeps k, l and t, with the least loss of information.

    Args:
        pair: measured rows only; others are not for release.
        code: (letter, internal code) to release code.
        treatment: what is done to features.
        method: one level per column for everybody, or regions with labels of their own.

    Raises:
        CurationError: a declared quasi-identifier or sensitive column is absent, or its hierarchy doesn't fit.
    """
    _check_sensitive(columns, targets)
    pair = Pair(in_order(pair.features, columns), pair.acquisition)
    coded = Pair(recode(pair.features, columns, code), recode(pair.acquisition, columns, code))
    found = scene(coded, columns, treatment, _held(coded, columns))
    choice = choose(found, targets, treatment, method)
    kept = Pair(pair.features.filter(pa.array(choice.rows)), pair.acquisition)
    moved = vectors(kept, columns, treatment, lambda name: int(code("N", name)[2:], 16))
    released = _release(coded, columns, found, choice, moved if treatment.changes else None)
    groups = report.by_group(found, choice, _spread(choice, utility.distortion_of_rows(moved)))
    distortion = list(utility.distortions(kept, moved, treatment, targets.k))
    after = measure(released, columns, choice.suppressed, targets.c)
    document = {
        "method": method,
        "before": measure(coded, columns, c=targets.c).document() | _sizes(coded, columns),
        "after": after.document() | _sizes(released, columns),
        "structure": _structure(released, columns).document(),
        **report.outcome(targets, after, choice),
        "reachable": reachable(found, choice, targets.c).document(),
        **report.losses(found, choice),
        "suppression_gap": report.gaps(groups),
        "features": report.features(treatment, moved, found, choice),
        "utility": {"distortion": utility.summary(distortion)},
        **report.columns_of(columns, pair, released),
        "sensitive": columns.named("sensitive"),
    }
    tried = ways(found, targets, treatment, choice, method)
    return Protected(
        released=released,
        kept=frozenset(kept.features[SUBJECT].to_pylist()),
        regions=frozenset(kept.features[ROI].to_pylist() if ROI in kept.features.column_names else ()),
        groups=groups,
        distortion=distortion,
        ways=[way.document() for way in tried],
        at_risk=list(_at_risk(pair, found, choice, targets.k)),
        marginal=marginal(found, released, columns, choice, tried),
        document=document,
    )


def _at_risk(pair: Pair, found: Scene, choice: Choice, k: int) -> Iterator[dict[str, Any]]:
    """Rows of `PROTECT_AT_RISK`, under the patients' codes of the run."""
    names = dict(zip(found.subject.tolist(), pair.features[SUBJECT].to_pylist(), strict=True))
    for line in at_risk(found, k):
        told = {"subject": names[line.subject], "columns": list(line.columns), "size": line.size}
        yield told | {"minimal": line.minimal, "released": bool(choice.kept[line.subject])}


def measure(pair: Pair, columns: Columns, suppressed: int = 0, c: float = C) -> Risk:
    """Risk of a pair of tables as anybody who holds them can measure it; `c` is that of recursive (c, l)."""
    who = subjects(pair).codes
    held = {name: sensitive(who, found.codes, ranks(found)) for name, found in _held(pair, columns).items()}
    return risk(_classes(pair, columns), held, suppressed, c)


def _classes(pair: Pair, columns: Columns) -> Ints:
    who = subjects(pair).codes
    return classes(
        who, combine([encode(pair.column(name), name).codes for name in columns.named("quasi_identifier")], who.size)
    )


def _sizes(pair: Pair, columns: Columns) -> dict[str, dict[str, int]]:
    """How many classes have how many patients."""
    sizes, count = np.unique(np.bincount(_classes(pair, columns)), return_counts=True)
    return {"sizes": {str(size): int(number) for size, number in zip(sizes.tolist(), count.tolist(), strict=True)}}


def _held(pair: Pair, columns: Columns) -> dict[str, Coded]:
    return {name: encode(pair.column(name), name) for name in columns.named("sensitive")}


def _structure(pair: Pair, columns: Columns) -> Risk:
    """The same against somebody who also counts a patient's regions and knows their modality and label."""
    shown = [name for name in STRUCTURE if name in pair.features.column_names]
    who = subjects(pair)
    cells = [encode(pair.column(name), name).codes for name in [*columns.named("quasi_identifier"), *shown]]
    return risk(classes(who.codes, combine(cells, who.codes.size), counted=True), {})


def _release(pair: Pair, columns: Columns, found: Scene, choice: Choice, moved: Vectors | None) -> Pair:
    kept = pair.only(choice.rows)
    shown = labels(found, choice)
    # what features has already is not told a second time, perhaps finer
    doubled = [
        name
        for name in pair.features.column_names
        if (entry := columns.find(name)) is not None and entry.role not in ("identifier", "technical")
    ]
    features = relabel(kept.features, {name: texts for name, texts in shown.items() if name in doubled})
    if moved is not None:
        features = utility.with_values(features, moved)
    of_series = {
        name: _by_series(kept, texts)
        for name, texts in shown.items()
        if name not in doubled and name in kept.acquisition.column_names
    }
    return Pair(select(features, columns), select(relabel(kept.acquisition, of_series), columns, doubled))


def _by_series(pair: Pair, texts: list[str | None]) -> list[str | None]:
    """The labels of the rows of features for the rows of acquisition."""
    known = dict(zip(pair.features[SERIES].to_pylist(), texts, strict=True))
    return [known[series] for series in pair.acquisition[SERIES].to_pylist()]


def _spread(choice: Choice, values: Reals) -> Reals:
    """Values of the released rows in the place of all rows, shape (row,); NaN elsewhere."""
    out = np.full(choice.rows.size, np.nan)
    out[choice.rows] = values
    return out


def _check_sensitive(columns: Columns, targets: Targets) -> None:
    if targets.about_values and not columns.named("sensitive"):
        raise CurationError(
            "l or t is asked for and no column is sensitive",
            wanted="a column with role sensitive, or protect.l: 1 and protect.t: 1",
            found="none",
            fix="declare the sensitive columns in config/columns.yaml",
        )

"""harmonise: remove the scanner's accent from features (ComBat), parameters stored. Off by default."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from radcurate import tables
from radcurate.attack.site import Guess, guess_site
from radcurate.harmonise.effect import group_document, public
from radcurate.harmonise.groups import Regions, apply_groups, fit_groups, statistics, stretches
from radcurate.harmonise.parameters import Parameters, as_table, from_table, sums_table
from radcurate.keys import Key
from radcurate.seals import check_seal, write_seal
from radcurate.settings import Harmonise
from radcurate.stages._command import command
from radcurate.stages._folders import chosen_chunks, write_json
from radcurate.stages._ranges import RANGES

log = logging.getLogger("radcurate")
Reals = npt.NDArray[np.float64]
REPORT, DETAILS = "report.json", "details.json"
WRITTEN = [DETAILS, "features.parquet", "parameters.parquet", RANGES, REPORT, "statistics.parquet"]


@dataclass(frozen=True)
class Measured:
    """What extract measured: all chunks together, rows by region."""

    features: pa.Table
    acquisition: pa.Table
    ranges: pa.Table


def from_results(settings: Harmonise, results: Path, out: Path, key: Key, parameters: list[Path]) -> None:
    """`run` on the chunks of this run: those that consent wrote."""
    run(settings, [results / "extract" / chunk for chunk in chosen_chunks(results)], out, key, parameters)


def run(settings: Harmonise, extract: list[Path], out: Path, key: Key, parameters: list[Path]) -> None:
    """Harmonise the features of all chunks of `extract`, by fitting, or with the given parameters.

    Raises:
        CurationError: a region without a site, a site that given parameters don't know, or parameters of another form.
    """
    sealed = {chunk: check_seal(chunk, key) for chunk in extract}
    measured = _measured(extract, [chunk for chunk in extract if RANGES in sealed[chunk]])
    given = from_table(tables.read(parameters[0])) if parameters else None
    batch, by = (given.batch, given.by) if given else (settings.batch, settings.by)
    features = given.features if given else _chosen(measured.features, settings)
    regions = _regions(measured, features, batch, by, _covariates(given) if given else settings.covariates)
    used = given or _fitted(regions, batch, by, settings)
    values = apply_groups(regions, used.groups)
    out.mkdir(parents=True, exist_ok=True)
    tables.write(out / "features.parquet", _replaced(measured.features, regions, values))
    tables.write(out / RANGES, _ranges(measured, regions, used))
    tables.write(out / "parameters.parquet", as_table(used))
    sums = {group.kind: statistics(regions.of(group.kind), group.design) for group in used.groups if group.model}
    tables.write(out / "statistics.parquet", sums_table(sums, regions.features, settings.least_patients))
    details = _document(regions, values, used, given is not None)
    write_json(out / DETAILS, details)
    write_json(out / REPORT, public(details))
    write_seal(out, WRITTEN, key)
    _say(details)


def _fitted(regions: Regions, batch: str, by: tuple[str, ...], settings: Harmonise) -> Parameters:
    groups = fit_groups(regions, settings.empirical_bayes, settings.most_skewness)
    return Parameters(batch, by, settings.empirical_bayes, regions.features, tuple(groups))


def _measured(chunks: list[Path], with_ranges: list[Path]) -> Measured:
    return Measured(
        _joined(chunks, "features.parquet", tables.EXTRACT_FEATURES),
        _joined(chunks, "acquisition.parquet", tables.EXTRACT_ACQUISITION),
        _joined(with_ranges, RANGES, tables.EXTRACT_RANGES),
    )


def _joined(chunks: list[Path], name: str, schema: tables.Schema) -> pa.Table:
    found = [tables.read(chunk / name) for chunk in sorted(chunks)] or [tables.table(schema, [])]
    content = pa.concat_tables(found, promote_options="permissive").combine_chunks()
    return content.sort_by("roi" if "roi" in content.column_names else "series")


def _chosen(features: pa.Table, settings: Harmonise) -> tuple[str, ...]:
    """Feature columns that the settings name, sorted."""
    base = {name for name, _ in tables.EXTRACT_FEATURES.columns}
    return tuple(
        sorted(
            name
            for name in features.column_names
            if name not in base and _fits(name, settings.features) and not _fits(name, settings.without)
        )
    )


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _regions(
    measured: Measured, features: tuple[str, ...], batch: str, by: Sequence[str], covariates: Sequence[str]
) -> Regions:
    """The measured rows of features; a feature that wasn't measured here is missing."""
    content = _rows(measured.features)
    columns = {name: content[name].to_pylist() for name in {*by, *covariates, "subject", "series"}}
    kinds = list(zip(*(_words(columns[name]) for name in by), strict=True)) if by else [()] * content.num_rows
    return Regions(
        subject=columns["subject"],
        site=_batch(content, measured.acquisition, batch),
        kind=kinds,
        covariates={name: columns[name] for name in covariates},
        features=features,
        values=_values(content, features),
    )


def _covariates(given: Parameters) -> list[str]:
    """Columns that given parameters were made with."""
    return sorted({one.name for group in given.groups for one in group.design})


def _rows(features: pa.Table) -> pa.Table:
    """The rows that were measured."""
    return features.filter(pa.array([status == tables.OK for status in features["status"].to_pylist()], pa.bool_()))


def _words(column: list[Any]) -> list[str]:
    return ["" if value is None else str(value) for value in column]


def _batch(content: pa.Table, acquisition: pa.Table, batch: str) -> list[str | None]:
    if batch in content.column_names:
        return list(content[batch].to_pylist())
    told = dict(zip(acquisition["series"].to_pylist(), acquisition[batch].to_pylist(), strict=True))
    return [told.get(series) for series in content["series"].to_pylist()]


def _values(content: pa.Table, features: tuple[str, ...]) -> Reals:
    values = np.full((content.num_rows, len(features)), np.nan)
    for place, name in enumerate(features):
        if name in content.column_names:
            values[:, place] = content[name].cast(pa.float64()).fill_null(np.nan).to_numpy()
    return values


def _replaced(features: pa.Table, regions: Regions, values: Reals) -> pa.Table:
    """All rows and columns of `features`, with the harmonised values; a missing value stays as it was."""
    ok = np.flatnonzero([status == tables.OK for status in features["status"].to_pylist()])
    for place, name in enumerate(regions.features):
        if name in features.column_names:
            features = _with(features, name, ok, values[:, place])
    return features


def _with(content: pa.Table, name: str, rows: npt.NDArray[np.int64], values: Reals) -> pa.Table:
    column = content[name].combine_chunks()
    missing = column.is_null().to_numpy(zero_copy_only=False)
    new = np.array(column.cast(pa.float64()).fill_null(np.nan))
    new[rows] = values
    place = content.column_names.index(name)
    return content.set_column(place, content.schema.field(place), pa.array(new, column.type, mask=missing))


def _ranges(measured: Measured, regions: Regions, used: Parameters) -> pa.Table:
    """Ranges of harmonised features, mapped as their values are; a variance by the square of the stretch."""
    roi = {code: row for row, code in enumerate(_rows(measured.features)["roi"].to_pylist())}
    content = measured.ranges
    rows = np.array([number for number, code in enumerate(content["roi"].to_pylist()) if code in roi], dtype=np.int64)
    here = regions.only(np.array([roi[code] for code in content["roi"].to_pylist() if code in roi], dtype=np.int64))
    for part in (tables.LOW, tables.HIGH, tables.MEAN, tables.VARIANCE):
        names = tuple(name + part for name in regions.features)
        found = Regions(here.subject, here.site, here.kind, here.covariates, names, _values(content, names)[rows])
        if part == tables.VARIANCE:
            values = found.values / stretches(found, used.groups) ** 2
        else:
            values = apply_groups(found, used.groups)
        for place, name in enumerate(names):
            if name in content.column_names:
                content = _with(content, name, rows, values[:, place])
    return content


def _document(regions: Regions, values: Reals, used: Parameters, given: bool) -> dict[str, Any]:
    kinds = [(group, np.flatnonzero([kind == group.kind for kind in regions.kind])) for group in used.groups]
    there = [(group, rows) for group, rows in kinds if rows.size]
    done = [(group.model, rows) for group, rows in there if group.model]
    changed = sorted({regions.features[place] for model, _ in done for place in np.flatnonzero(model.changes)})
    return {
        "method": "combat",
        "batch": used.batch,
        "by": list(used.by),
        "empirical_bayes": used.empirical_bayes,
        "parameters": "given" if given else "fitted",
        "columns": changed,
        "regions": len(regions.site),
        "harmonised_regions": sum(rows.size for _, rows in done),
        "groups": [group_document(used.by, group, regions.only(rows), values[rows]) for group, rows in there],
        "site_guess": _guesses(regions, values, [(group.kind, rows) for group, rows in there if group.model], used.by),
    }


def _guesses(
    regions: Regions, values: Reals, kinds: list[tuple[tuple[str, ...], npt.NDArray[np.int64]]], by: tuple[str, ...]
) -> dict[str, Any]:
    """How well the site can be told from the features of the most frequent harmonised kind, before and after."""
    if not kinds:
        nothing = {"applies": False, "detail": "nothing was harmonised"}
        return {"kind": None, "before": nothing, "after": nothing}
    kind, rows = max(kinds, key=lambda one: (one[1].size, one[0]))
    here = regions.only(rows)
    guessed = [guess_site(table[rows], here.features, here.subject, here.site) for table in (regions.values, values)]
    told = [_guess(one) for one in guessed]
    return {"kind": dict(zip(by, kind, strict=True)), "before": told[0], "after": told[1]}


def _guess(found: Guess | str) -> dict[str, Any]:
    if isinstance(found, str):
        return {"applies": False, "detail": found}
    share = found.share
    numbers = {"rate": share.rate, "low": share.low, "high": share.high, "chance": share.chance, "p": found.p}
    return {"applies": True, **numbers, "columns": [name for name, _ in found.columns[:5]]}


def _say(details: Mapping[str, Any]) -> None:
    guess = details["site_guess"]
    told = (
        f"; the {details['batch']} guessed with balanced accuracy {guess['before']['rate']:.2f} before, "
        f"{guess['after']['rate']:.2f} after"
        if guess["before"]["applies"] and guess["after"]["applies"]
        else ""
    )
    if guess["before"]["applies"] and guess["after"]["applies"] and guess["after"]["low"] > guess["before"]["rate"]:
        log.warning("harmonise: the %s can be told better than before: lower harmonise.most_skewness", details["batch"])
    left = [group["reason"] for group in details["groups"] if not group["harmonised"]]
    log.info(
        "harmonise: %d features, %d of %d regions, parameters %s%s%s",
        len(details["columns"]), details["harmonised_regions"], details["regions"], details["parameters"], told,
        f"; {len(left)} kinds left as measured, such as: {left[0]}" if left else "",
    )  # fmt: skip


if __name__ == "__main__":
    command(from_results)

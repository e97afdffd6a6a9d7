"""Features on their way through protect: brought into the order of the release, treated, written, read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from radcurate import tables
from radcurate.privacy.coding import Ints, Reals
from radcurate.privacy.protect import Protected
from radcurate.privacy.values import Values
from radcurate.privacy.vectors import Treatment, treat
from radcurate.stages._measured import Files, beside, in_places

FEATURES = "features.parquet"


@dataclass(frozen=True)
class Written:
    """Features of the release, in its order; `group` as `vectors.Treated` has it. Untreated, `after` is `before`."""

    before: Values
    after: Values
    group: Ints


@dataclass(frozen=True)
class Route:
    """Where values come from and go to.

    Attributes:
        files: tables of the measured regions, `n_rows` of them.
        features: columns of features among them.
        names: columns of the release.
        out: folder of the stage.
        scratch: folder that is nobody else's and goes when the stage ends.
    """

    files: Files
    n_rows: int
    features: list[str]
    names: list[str]
    out: Path
    scratch: Path


def write_features(
    way: Route, made: Protected, about: pa.Table, treatment: Treatment, draw: Callable[[str], int]
) -> Written:
    """Write features.parquet; `about`: its columns that are no features; `draw`: see `treat`."""
    own = way.files.only(way.features)
    measured = in_places(way.files, way.features, made.rows, way.n_rows, way.scratch) if way.features else iter([about])
    after = _values(way, way.out / FEATURES, about)
    if not treatment.changes:
        _write(way, about, own, measured)
        return Written(after, after, np.arange(len(made.owners.subjects)))
    tables.write_stream(way.scratch / FEATURES, own if way.features else about.schema, measured)
    before = _values(way, way.scratch / FEATURES, about)
    treated = treat(before, made.owners, treatment, draw)
    own = pa.schema([(name, pa.float64()) for name in way.features])
    _write(way, about, own, (_table(values, own) for values in treated.parts) if way.features else iter([about]))
    return Written(before, after, treated.group)


def _write(way: Route, about: pa.Table, own: pa.Schema, parts: Iterator[pa.Table]) -> None:
    fields = {field.name: field for field in [*about.schema, *own]}
    schema = pa.schema([fields[name] for name in way.names])
    tables.write_stream(way.out / FEATURES, schema, beside(about, parts, schema))


def _values(way: Route, path: Path, about: pa.Table) -> Values:
    if not way.features:
        return Values((), about.select, lambda: iter([about]))
    return Values(tuple(way.features), partial(_columns, path), lambda: tables.read_parts(path, way.features))


def _columns(path: Path, names: tuple[str, ...]) -> pa.Table:
    return tables.read(path, columns=names)


def _table(values: Reals, schema: pa.Schema) -> pa.Table:
    """Values, shape (row, column), as a table."""
    return pa.table([pa.array(np.ascontiguousarray(column)) for column in values.T], schema=schema)

"""Parameters of a fit, and the sums that it was made from, as tables: no row of a patient in either.

The sums of a site with few patients come near to their values; they are left out of the table of sums.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.harmonise.combat import Model
from radcurate.harmonise.design import Covariate
from radcurate.harmonise.federated import Moments
from radcurate.harmonise.groups import Group, Kind

ABOUT = b"radcurate.harmonise"
FORMAT = 1


@dataclass(frozen=True)
class Parameters:
    """A fit and how it was made.

    Attributes:
        batch: the column that was harmonised by.
        by: the columns that say what can be compared.
        empirical_bayes: whether features steadied each other.
        features: names, in the order of the models' arrays.
        groups: one per kind.
    """

    batch: str
    by: tuple[str, ...]
    empirical_bayes: bool
    features: tuple[str, ...]
    groups: tuple[Group, ...]


def as_table(found: Parameters) -> pa.Table:
    """Rows of `HARMONISE_PARAMETERS`, with the design in the table's metadata."""
    rows = [row for group in found.groups if group.model for row in _rows(group, group.model, found.features)]
    about = {
        "format": FORMAT,
        "batch": found.batch,
        "by": found.by,
        "empirical_bayes": found.empirical_bayes,
        "features": found.features,
        "groups": [
            {"kind": group.kind, "design": [asdict(one) for one in group.design], "reason": group.reason}
            for group in found.groups
        ],
    }
    content = tables.table(tables.HARMONISE_PARAMETERS, rows)
    return content.replace_schema_metadata({ABOUT: json.dumps(about, sort_keys=True)})


def _rows(group: Group, model: Model, features: Sequence[str]) -> Iterator[dict[str, Any]]:
    for place, feature in enumerate(features):
        for number, site in enumerate(model.sites):
            yield {
                "kind": json.dumps(group.kind),
                "feature": feature,
                "site": site,
                "n": int(model.n[number, place]),
                "mean": float(model.mean[place]),
                "beta": model.beta[place].tolist(),
                "shift": float(model.shift[number, place]),
                "stretch": float(model.stretch[number, place]),
                "outcome": model.outcome[place],
            }


def from_table(content: pa.Table) -> Parameters:
    """The parameters in a table that `as_table` made.

    Raises:
        CurationError: another table, or one that lacks rows.
    """
    try:
        about = json.loads((content.schema.metadata or {})[ABOUT])
        if about["format"] != FORMAT or not content.schema.equals(tables.HARMONISE_PARAMETERS.arrow):
            raise ValueError
        rows: dict[str, list[dict[str, Any]]] = {}
        for row in content.to_pylist():
            rows.setdefault(row["kind"], []).append(row)
        features = tuple(about["features"])
        groups = tuple(_group(one, rows.get(json.dumps(one["kind"])), features) for one in about["groups"])
        return Parameters(about["batch"], tuple(about["by"]), about["empirical_bayes"], features, groups)
    except (KeyError, ValueError, TypeError):
        raise CurationError(
            "harmonise.parameters is no table of parameters",
            wanted="results/harmonise/parameters.parquet of another run, whole",
            found="another table, or one that was changed",
            fix="name that file, or remove harmonise.parameters to fit anew",
        ) from None


def _group(about: Mapping[str, Any], rows: list[dict[str, Any]] | None, features: tuple[str, ...]) -> Group:
    design = tuple(
        Covariate(one["name"], one["middle"], None if one["levels"] is None else tuple(one["levels"]))
        for one in about["design"]
    )
    kind = tuple(about["kind"])
    return Group(kind, design, _model(rows, features) if rows else None, about["reason"])


def _model(rows: list[dict[str, Any]], features: tuple[str, ...]) -> Model:
    cells = {(row["site"], row["feature"]): row for row in rows}
    sites = tuple(sorted({row["site"] for row in rows}))
    first = [cells[sites[0], feature] for feature in features]

    def of_all(name: str) -> Any:
        return np.array([[cells[site, feature][name] for feature in features] for site in sites])

    return Model(
        sites,
        of_all("n").astype(np.int64),
        np.array([row["mean"] for row in first], dtype=np.float64),
        np.array([row["beta"] for row in first], dtype=np.float64).reshape(len(features), -1),
        of_all("shift").astype(np.float64),
        of_all("stretch").astype(np.float64),
        tuple(row["outcome"] for row in first),
    )


def sums_table(sums: Mapping[Kind, Mapping[str, Moments]], features: Sequence[str], least: int) -> pa.Table:
    """Rows of `HARMONISE_STATISTICS` of the sites with `least` patients at least."""
    rows = [
        {"kind": json.dumps(kind), "site": site, "feature": feature, **_sums(part, place)}
        for kind, sites in sums.items()
        for site, part in sites.items()
        if part.patients >= least
        for place, feature in enumerate(features)
    ]
    return tables.table(tables.HARMONISE_STATISTICS, rows)


def _sums(part: Moments, place: int) -> dict[str, Any]:
    return {
        "patients": part.patients,
        "n": int(part.n[place]),
        "x": part.x[place].tolist(),
        "y": float(part.y[place]),
        "xx": part.xx[place].ravel().tolist(),
        "xy": part.xy[place].tolist(),
        "yy": float(part.yy[place]),
    }


def sums_of(content: pa.Table, kind: Kind, features: Sequence[str]) -> dict[str, Moments]:
    """Sums of each site for one kind, from one or more hospitals' tables put together."""
    rows = {(row["site"], row["feature"]): row for row in content.to_pylist() if row["kind"] == json.dumps(kind)}
    sites = sorted({site for site, _ in rows})
    return {site: _moments([rows[site, feature] for feature in features]) for site in sites}


def _moments(rows: list[dict[str, Any]]) -> Moments:
    def stacked(name: str) -> Any:
        return np.array([row[name] for row in rows], dtype=np.float64)

    x = stacked("x").reshape(len(rows), -1)
    return Moments(
        rows[0]["patients"],
        np.array([row["n"] for row in rows], dtype=np.int64),
        x,
        stacked("y"),
        stacked("xx").reshape(len(rows), x.shape[1], x.shape[1]),
        stacked("xy").reshape(len(rows), x.shape[1]),
        stacked("yy"),
    )

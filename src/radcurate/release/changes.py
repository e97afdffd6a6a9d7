"""What differs between a release and the one before: what, why, and with what effect.

Everything is found by comparing the two releases' own files. Patients are counted, never named: whoever left must not
stand in the new release. Where fewer patients than the crowd are in both, nothing is told about values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from radcurate.release.dictionary import FEATURE
from radcurate.release.drift import drift
from radcurate.release.manifest import ROLE
from radcurate.tables.stored import Large, texts

Json = Mapping[str, Any]
Rows = tuple[pa.Array, pa.Array]
TOLD = 20  # features that are told by name, those that changed most first
MEASURES = ("k", "l", "l_entropy", "l_recursive", "t", "t_ordered", "prosecutor_max", "prosecutor_mean", "unique_share")
ATTACKED = ("rate", "low", "high", "chance")


@dataclass(frozen=True)
class Edition:
    """A release as its own files tell it.

    Attributes:
        name: such as `radiomics-1`.
        digest: SHA-256 of its SHA256SUMS; empty for the one being written.
        about: provenance.json.
        verdict: verdict.json; empty where a release has none.
        risk: risk.json; likewise.
        features: features.parquet, with the roles of its columns.
        acquisition: acquisition.parquet.
    """

    name: str
    digest: str
    about: Json
    verdict: Json
    risk: Json
    features: Large
    acquisition: Large


def compare(before: Edition | None, now: Edition, crowd: int) -> dict[str, Any]:
    """All differences, as plain data for changes.json.

    Args:
        before: the release before; None for a first one.
        now: the one being written.
        crowd: patients that must be in both before anything is told about values.
    """
    if before is None:
        return {"release": now.name, "previous": None}
    return {
        "release": now.name,
        "previous": {"release": before.name, "digest": before.digest},
        "what": _what(before, now),
        "why": _why(before, now),
        "effect": _effect(before, now, crowd),
        "drift": _drift(before, now, crowd),
    }


# what


def _what(before: Edition, now: Edition) -> dict[str, Any]:
    regions = _members(before.features, now.features, "roi")
    return {
        "patients": _members(before.features, now.features, "subject"),
        "regions": regions | _regions(before.features, now.features, shared_rows(before.features, now.features)),
        "columns": {
            "features": _columns(before.features, now.features),
            "acquisition": _columns(before.acquisition, now.acquisition),
        },
        "levels": _different(_levels(before), _levels(now)),
        "series": _outcomes(before.verdict, now.verdict),
    }


def _members(before: Large, now: Large, name: str) -> dict[str, int]:
    old, fresh = (_different_values(content, name) for content in (before, now))
    both = int(pc.sum(pc.is_in(fresh, value_set=old)).as_py() or 0)
    return {"before": len(old), "now": len(fresh), "left": len(old) - both, "joined": len(fresh) - both}


def _different_values(content: Large, name: str) -> pa.Array:
    return content[name].cast(pa.string()).unique() if name in content.column_names else pa.array([], pa.string())


def _columns(before: Large, now: Large) -> dict[str, list[str]]:
    old, fresh = before.column_names, now.column_names
    return {
        "gone": [name for name in old if name not in fresh],
        "new": [name for name in fresh if name not in old],
        "other_type": [
            name for name in fresh if name in old and before.schema.field(name).type != now.schema.field(name).type
        ],
    }


def _regions(before: Large, now: Large, rows: Rows) -> dict[str, int]:
    """Regions in both, and in how many of them some value differs; `provenance` names a record, so it isn't compared."""
    shared = [name for name in now.column_names if name in before.column_names and name not in ("roi", "provenance")]
    differs = np.zeros(len(rows[0]), bool)
    for name in shared:
        differs |= ~_same(_taken(before, name, rows[0]), _taken(now, name, rows[1]))
    return {"in_both": len(differs), "changed": int(differs.sum())}


def shared_rows(before: Large, now: Large) -> Rows:
    """Where the regions that both have lie in either table, in the same order, shape (region,) each."""
    codes = [_different_values(content, "roi") for content in (before, now)]
    both = codes[0].filter(pc.is_in(codes[0], value_set=codes[1])).drop_null().sort()
    if not len(both):
        return both.cast(pa.int32()), both.cast(pa.int32())
    found = [pc.index_in(both, content["roi"].cast(pa.string()).combine_chunks()) for content in (before, now)]
    return found[0], found[1]


def _taken(content: Large, name: str, rows: pa.Array) -> pa.ChunkedArray:
    return content[name].take(rows)


def _same(one: pa.ChunkedArray, other: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Equal values by row; missing is equal to missing."""
    if pa.types.is_floating(one.type) and pa.types.is_floating(other.type):
        a, b = one.to_numpy(), other.to_numpy()
        return np.asarray((a == b) | (np.isnan(a) & np.isnan(b)))
    pairs = zip(texts(one), texts(other), strict=True)
    return np.fromiter((a == b for a, b in pairs), bool, len(one))


def _levels(edition: Edition) -> dict[str, Any]:
    found: dict[str, Any] = edition.verdict.get("protection", {}).get("levels", {})
    return found


def _outcomes(before: Json, now: Json) -> list[dict[str, Any]]:
    counts = [{_outcome(row): row["series"] for row in verdict.get("conservation", [])} for verdict in (before, now)]
    names = ("outcome", "stage", "reason")
    return [
        dict(zip(names, key, strict=True)) | {"before": counts[0].get(key, 0), "now": counts[1].get(key, 0)}
        for key in sorted(set(counts[0]) | set(counts[1]))
        if counts[0].get(key, 0) != counts[1].get(key, 0)
    ]


def _outcome(row: Json) -> tuple[str, str, str]:
    return str(row["outcome"]), str(row["stage"]), str(row["reason"] or "")


# why


def _why(before: Edition, now: Edition) -> dict[str, Any]:
    old, fresh = before.about, now.about
    return {
        "settings": _different(_flat(old.get("settings", {})), _flat(fresh.get("settings", {}))),
        "policy": _different(*({key: one.get(key) for key in ("policy", "policy_digest")} for one in (old, fresh))),
        "limits": _different(_limits(before.verdict), _limits(now.verdict)),
        "code": [row["name"] for row in _different(old.get("code", {}), fresh.get("code", {}))],
        "packages": _different(old.get("versions", {}), fresh.get("versions", {})),
        "environment": old.get("environment_digest") != fresh.get("environment_digest"),
        "key": old.get("key_id") != fresh.get("key_id"),
        "source_files": _result(old, "inputs") != _result(fresh, "inputs"),
        "consent": _result(old, "consent") != _result(fresh, "consent"),
        "overrides": _different(_overrides(before.verdict), _overrides(now.verdict)),
    }


def _different(before: Json, now: Json) -> list[dict[str, Any]]:
    """Entries that differ, by name."""
    return [
        {"name": name, "before": before.get(name), "now": now.get(name)}
        for name in sorted(set(before) | set(now))
        if before.get(name) != now.get(name) or (name in before) != (name in now)
    ]


def _flat(content: Json, above: str = "") -> dict[str, Any]:
    """Nested settings as `stage.option`."""
    found: dict[str, Any] = {}
    for name, value in content.items():
        found |= _flat(value, f"{above}{name}.") if isinstance(value, Mapping) else {f"{above}{name}": value}
    return found


def _limits(verdict: Json) -> dict[str, str]:
    return {f"{one['name']} ({one['measure']})": one["allowed"] for one in verdict.get("findings", [])}


def _overrides(verdict: Json) -> dict[str, str]:
    return {str(one.get("name", one.get("measure"))): "overridden" for one in verdict.get("overrides", [])}


def _result(about: Json, stage: str) -> Any:
    return about.get("results", {}).get(stage)


# effect


def _effect(before: Edition, now: Edition, crowd: int) -> dict[str, Any]:
    return {
        "protection": _different(_protection(before.verdict), _protection(now.verdict)),
        "attacks": _different(_attacks(before.risk), _attacks(now.risk)),
        "criteria": _different(_measured(before.verdict), _measured(now.verdict)),
        "features": _feature_changes(before.features, now.features, crowd),
    }


def _protection(verdict: Json) -> dict[str, Any]:
    protection = verdict.get("protection", {})
    after = protection.get("after") or {}
    told = {name: after.get(name) for name in MEASURES if name in after}
    return told | {name: protection[name] for name in ("ncp", "suppressed_subjects") if name in protection}


def _attacks(risk: Json) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, attack in risk.get("attacks", {}).items():
        found |= {f"{name}.{key}": attack.get(key) for key in ATTACKED if attack.get("applies")}
    return found


def _measured(verdict: Json) -> dict[str, Any]:
    return {one["measure"]: one["measured"] for one in verdict.get("findings", []) if one.get("applies")}


def _feature_changes(before: Large, now: Large, crowd: int) -> dict[str, Any]:
    """How far the values of each feature moved in regions that both have, as a share of the larger of the two."""
    names = shared_features(before, now)
    rows = shared_rows(before, now)
    people = len(_taken(now, "subject", rows[1]).unique()) if "subject" in now.column_names else 0
    if people < max(crowd, 1):
        return {"compared": 0, "detail": f"fewer than {max(crowd, 1)} patients are in both"}
    found = [
        (name, *_moved(_taken(before, name, rows[0]).to_numpy(), _taken(now, name, rows[1]).to_numpy()))
        for name in names
    ]
    changed = [row for row in found if row[1] > 0]
    changed.sort(key=lambda row: (-row[3], -row[1], row[0]))
    keys = ("feature", "regions", "median", "largest")
    return {
        "compared": len(names),
        "unchanged": len(names) - len(changed),
        "changed": [dict(zip(keys, row, strict=True)) for row in changed[:TOLD]],
    }


def _moved(before: npt.NDArray[np.float64], now: npt.NDArray[np.float64]) -> tuple[int, float, float]:
    """Regions with another value, median and largest relative change; a value that came or went counts as 1."""
    size = np.fmax(np.abs(before), np.abs(now))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(size > 0, np.abs(now - before) / size, 0.0)
    share = np.where(np.isnan(before) != np.isnan(now), 1.0, np.where(np.isnan(before) & np.isnan(now), 0.0, share))
    share = np.where(np.isnan(share), 1.0, share)
    return int((share > 0).sum()), float(np.median(share)), float(share.max())


def shared_features(before: Large, now: Large) -> list[str]:
    """Feature columns that both have, as numbers."""
    return [name for name in _features(now) if name in set(_features(before))]


def _features(content: Large) -> list[str]:
    return [
        field.name
        for field in content.schema
        if pa.types.is_floating(field.type) and (field.metadata or {}).get(ROLE) == FEATURE.encode()
    ]


def _drift(before: Edition, now: Edition, crowd: int) -> dict[str, Any]:
    names: Sequence[str] = shared_features(before.features, now.features)
    if not names or "subject" not in before.features.column_names or "subject" not in now.features.column_names:
        return {"measured": False, "detail": "no feature, or no patients' codes, in both"}
    return drift(before.features, now.features, names, fewest=max(crowd, 5))

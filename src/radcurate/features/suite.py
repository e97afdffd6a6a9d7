"""The conformance suite for features and engines that extensions register: golden values, IBSI's reference values,
strange regions, laws. Every problem is one sentence; none is a reason to go on."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterator, Sequence

import numpy as np

from radcurate.features import engine
from radcurate.features.catalogue import Column, catalogue
from radcurate.features.conformance import is_right, results
from radcurate.features.crosscheck import tolerance
from radcurate.features.engine import Engine
from radcurate.features.extend import CORE, REGISTERED, Golden
from radcurate.features.families import FAMILIES
from radcurate.features.phantom import digital_phantom
from radcurate.features.prepare import Prepared, prepare
from radcurate.features.profile import Profile
from radcurate.features.reasons import ENGINE_ERROR, NOT_IN_ENGINE
from radcurate.features.region import Region
from radcurate.features.resample import Flags, Floats

GOLDEN_TOLERANCE = 1e-6
NAME = re.compile(r"[a-z0-9_]+")
NATIVE = {"discretisation": "fixed_bin_size", "bin_size": 1, "textures": ["2D", "2.5D", "3D"]}
SHAPE = (7, 8, 9)


def check() -> list[str]:
    """Problems of everything that is registered; empty where there are none."""
    problems = [problem for tag in REGISTERED.tags for problem in _of_feature(tag)]
    columns = [column for column in catalogue() if column.tag in REGISTERED.tags]
    if columns:
        problems += _of_columns(engine.find(CORE), columns)
    for name in REGISTERED.engines:
        problems += _of_columns(engine.find(name), catalogue(name))
        problems += _against_reference(engine.find(name))
    return problems


def _of_feature(tag: str) -> Iterator[str]:
    """It has a proper name, a formula, and a golden value for each of its columns and no others."""
    (feature,) = (one for family in FAMILIES.values() for one in family.features if one.tag == tag)
    if not NAME.fullmatch(tag):
        yield f"{tag}: a tag is made of small letters, digits and _"
    if not inspect.getdoc(feature.function):
        yield f"{tag}: the function has no docstring, which is the formula in the documentation"
    columns = {column.name for column in catalogue() if column.tag == tag}
    golden = {name for name in columns if (CORE, name) in REGISTERED.golden}
    yield from (f"{name}: no golden value" for name in sorted(columns - golden))


def _of_columns(one: Engine, columns: Sequence[Column]) -> Iterator[str]:
    phantom = digital_phantom()
    found = one.compute(phantom, columns)
    wanted = {name: golden for (owner, name), golden in REGISTERED.golden.items() if owner == one.name}
    known = {column.name for column in columns}
    yield from (f"{name}: a golden value and no such column" for name in sorted(wanted.keys() - known))
    yield from (
        f"{name}: {found.values.get(name)} on the digital phantom, golden value {golden.value} ({golden.made_by})"
        for name, golden in sorted(wanted.items())
        if name in known and not _agrees(found.values.get(name, math.nan), golden)
    )
    yield from (
        f"{name}: a golden value that nobody vouches for" for name, golden in wanted.items() if not golden.made_by
    )
    if not wanted:
        yield f"{one.name}: no golden value at all"
    for name, region in strange_regions().items():
        yield from (f"{name}: {problem}" for problem in _of_outcome(one, region, columns))
    yield from _laws(one, columns)


def _agrees(value: float, golden: Golden) -> bool:
    if math.isnan(golden.value):
        return math.isnan(value)
    return math.isclose(value, golden.value, rel_tol=GOLDEN_TOLERANCE, abs_tol=1e-12)


def _of_outcome(one: Engine, region: Prepared, columns: Sequence[Column]) -> Iterator[str]:
    """A value, or NaN with a reason, for every column; nothing raised, not even inside."""
    try:
        found = one.compute(region, columns)
    except Exception as error:
        yield f"{one.name} raises {type(error).__name__}"
        return
    for column in columns:
        value, reason = found.values.get(column.name), found.reasons.get(column.name)
        if value is None or math.isinf(value):
            yield f"{column.name}: neither a number nor NaN"
        elif math.isnan(value) != (reason is not None):
            yield f"{column.name}: {value} with the reason {reason}"
        elif reason == ENGINE_ERROR:
            yield f"{column.name}: the function raises {_raised(region, column)}"


def _raised(region: Prepared, column: Column) -> str:
    """What the family of a column raises; nothing is known of other engines."""
    try:
        FAMILIES[column.group].compute(Region(region), column.aggregation, {column.tag})
    except Exception as error:
        return type(error).__name__
    return "an exception"


def _laws(one: Engine, columns: Sequence[Column]) -> Iterator[str]:
    """Twice the same bits; the same bits for the same region elsewhere in a larger image."""
    values, mask = _noise(), _ball()
    first = one.compute(_prepared(values, mask), columns).values
    again = one.compute(_prepared(values.copy(), mask.copy()), columns).values
    yield from (f"{name}: other bits when computed again" for name in _differing(first, again))
    wide = np.pad(values, ((3, 1), (2, 5), (4, 3)), mode="constant", constant_values=3.0)
    moved = one.compute(_prepared(wide, np.pad(mask, ((3, 1), (2, 5), (4, 3)))), columns).values
    unmoved = [column for column in columns if column.group != "loc"]  # local peaks look beyond the region
    kept = {column.name for column in unmoved}
    yield from (f"{name}: changes when the region is moved" for name in _differing(first, moved, 1e-9) if name in kept)


def _differing(first: dict[str, float], second: dict[str, float], allowed: float = 0.0) -> list[str]:
    return [
        name
        for name, value in first.items()
        if not (math.isnan(value) and math.isnan(second[name]))
        and not math.isclose(value, second[name], rel_tol=allowed, abs_tol=allowed)
    ]


def _against_reference(one: Engine) -> Iterator[str]:
    """IBSI's values of the digital phantom, and agreement with radcurate's engine, for the columns that it has."""
    columns = catalogue(one.name)
    phantom = digital_phantom()
    found = one.compute(phantom, columns)
    values = {name: value for name, value in found.values.items() if found.reasons.get(name) != NOT_IN_ENGINE}
    for result in results():
        if result.dataset == "digital_phantom" and result.name in values:
            value = values[result.name]
            if not is_right(value, result.reference, result.tolerance):
                yield f"{result.name}: {value} on the digital phantom, IBSI's reference value is {result.reference}"
    region = _prepared(_noise(), _ball())
    own, core = one.compute(region, columns), engine.find(CORE).compute(region, columns)
    for name in sorted(values):
        if not math.isclose(own.values[name], core.values[name], rel_tol=tolerance(name), abs_tol=1e-9) and not (
            math.isnan(own.values[name]) and math.isnan(core.values[name])
        ):
            yield f"{name}: {own.values[name]} where radcurate's engine has {core.values[name]}"


def strange_regions() -> dict[str, Prepared]:
    """Regions that features must survive, by what is strange about them."""
    noise = _noise()
    one, two, plane, border, parts = (np.zeros(SHAPE, dtype=bool) for _ in range(5))
    one[3, 4, 4] = True
    two[3, 4, 4:6] = True
    plane[3, 2:6, 2:7] = True
    border[:2, :3, :3] = True
    parts[1:3, 1:3, 1:3] = parts[5:7, 6:8, 6:9] = True
    nothing = Profile.model_validate({**NATIVE, "range": [1000, 2000]})
    return {
        "one voxel": _prepared(noise, one),
        "two voxels": _prepared(noise, two),
        "one plane": _prepared(noise, plane),
        "at the border": _prepared(noise, border),
        "two components": _prepared(noise, parts),
        "flat": _prepared(np.full(SHAPE, 3.0), _ball()),
        "empty after re-segmentation": prepare(noise, _ball(), (1.0, 1.0, 1.0), nothing),
        "negative values": _prepared(noise - 50, _ball()),
    }


def _prepared(values: Floats, mask: Flags) -> Prepared:
    return prepare(values, mask, (1.0, 1.0, 1.0), Profile.model_validate(NATIVE))


def _noise() -> Floats:
    """Whole numbers from 1 to 6."""
    return np.random.default_rng(0).integers(1, 7, SHAPE).astype(np.float64)


def _ball() -> Flags:
    axes = np.meshgrid(*[np.arange(n) - (n - 1) / 2 for n in SHAPE], indexing="ij")
    inside: Flags = sum(axis**2 for axis in axes) <= 3.2**2
    return inside

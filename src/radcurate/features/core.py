"""radcurate's own engine: all families of IBSI-1 on one prepared region."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from radcurate.features.catalogue import Column
from radcurate.features.engine import NOT_IN_ENGINE, Outcome
from radcurate.features.families import FAMILIES
from radcurate.features.families.family import Family
from radcurate.features.prepare import Prepared
from radcurate.features.problems import TooManyLevelsError
from radcurate.features.region import Region

NAME = "radcurate"


def compute(prepared: Prepared, columns: Iterable[Column]) -> Outcome:
    """Values of `columns` for one region; NaN with a reason where there is none. Never raises for a strange region."""
    groups: dict[tuple[str, str], list[Column]] = {}
    for column in columns:
        groups.setdefault((column.group, column.aggregation), []).append(column)
    region = Region(prepared)
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for (group, aggregation), members in groups.items():
        tags = {column.tag for column in members}
        known = tags & {feature.tag for feature in FAMILIES[group].features} if group in FAMILIES else set()
        found, failure = _family(FAMILIES[group], region, aggregation, known) if known else ({}, None)
        for column in members:
            value = found.get(column.tag, np.nan)
            values[column.name] = value if np.isfinite(value) else np.nan
            if column.tag not in known:
                reasons[column.name] = NOT_IN_ENGINE
            elif not np.isfinite(value):
                reasons[column.name] = failure or region.once(why_undefined, FAMILIES[group].needs_of(column.tag))
    return Outcome(values, reasons)


def _family(family: Family, region: Region, aggregation: str, tags: set[str]) -> tuple[dict[str, float], str | None]:
    """Values by tag, and why the family as a whole has none."""
    if family.needs == "intensity" and not region.prepared.intensity.any():
        return {}, "empty_after_resegmentation"
    try:
        return family.compute(region, aggregation, tags), None
    except TooManyLevelsError:
        return {}, "too_many_levels"
    except MemoryError:
        return {}, "out_of_memory"
    except Exception as error:  # one family must not cost the others; tests see to it that this doesn't happen
        return {}, f"engine_{type(error).__name__}"


def why_undefined(prepared: Prepared, needs: str = "intensity") -> str:
    """Why a feature that `needs` this mask has no value on this region, as a short code."""
    n = int((prepared.intensity if needs == "intensity" else prepared.morphology).sum())
    if n == 0:
        return "empty_after_resegmentation"
    if n <= 2:
        return "one_voxel" if n == 1 else "two_voxels"
    if needs != "intensity":
        return "undefined"
    levels = prepared.levels[prepared.intensity]
    return "one_level" if levels.min() == levels.max() else "undefined"

"""radcurate's own engine: all families of IBSI-1 on one prepared region."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable

from radcurate.features.catalogue import Column
from radcurate.features.engine import Outcome
from radcurate.features.families import FAMILIES
from radcurate.features.families.family import Family
from radcurate.features.prepare import Prepared
from radcurate.features.problems import TooManyLevelsError
from radcurate.features.reasons import ENGINE_ERROR, NOT_IN_ENGINE, OUT_OF_MEMORY, TOO_MANY_LEVELS
from radcurate.features.region import Region

NAME = "radcurate"


def compute(prepared: Prepared, columns: Iterable[Column]) -> Outcome:
    """Values of `columns` for one region; NaN with a reason where there is none. Never raises for a strange region."""
    asked = list(columns)
    groups: dict[tuple[str, str], list[Column]] = {}
    for column in asked:
        groups.setdefault((column.group, column.aggregation), []).append(column)
    region = Region(prepared)
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for (group, aggregation), members in groups.items():
        tags = {column.tag for column in members}
        known = tags & {feature.tag for feature in FAMILIES[group].features} if group in FAMILIES else set()
        found, why = _family(FAMILIES[group], region, aggregation, known) if known else ({}, {})
        for column in members:
            values[column.name] = found.get(column.tag, math.nan)
            if math.isnan(values[column.name]):
                reasons[column.name] = why.get(column.tag, NOT_IN_ENGINE)
    return Outcome({column.name: values[column.name] for column in asked}, reasons)


def _family(
    family: Family, region: Region, aggregation: str, tags: set[str]
) -> tuple[dict[str, float], dict[str, str]]:
    """Values and reasons by tag."""
    try:
        return family.explained(region, aggregation, tags)
    except TooManyLevelsError:
        return {}, dict.fromkeys(tags, TOO_MANY_LEVELS)
    except MemoryError:
        return {}, dict.fromkeys(tags, OUT_OF_MEMORY)
    except Exception:  # one family must not cost the others; tests see to it that this doesn't happen
        logging.getLogger(__name__).debug("family %s failed", family.group, exc_info=True)
        return {}, dict.fromkeys(tags, ENGINE_ERROR)

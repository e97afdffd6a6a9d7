"""The families of IBSI-1, a module each, in the order of the reference manual."""

from __future__ import annotations

from radcurate.features.families.family import Family
from radcurate.features.families.statistics import STATISTICS

FAMILIES: dict[str, Family] = {family.group: family for family in (STATISTICS,)}

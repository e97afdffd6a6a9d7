"""The families of IBSI-1, a module each, in the order of the reference manual."""

from __future__ import annotations

from radcurate.features.families.cooccurrence import COOCCURRENCE
from radcurate.features.families.dependence import DEPENDENCE
from radcurate.features.families.distance_zone import DISTANCE_ZONE
from radcurate.features.families.family import Family
from radcurate.features.families.histogram import HISTOGRAM
from radcurate.features.families.local_intensity import LOCAL_INTENSITY
from radcurate.features.families.morphology import MORPHOLOGY
from radcurate.features.families.run_length import RUN_LENGTH
from radcurate.features.families.size_zone import SIZE_ZONE
from radcurate.features.families.statistics import STATISTICS
from radcurate.features.families.tone_difference import TONE_DIFFERENCE
from radcurate.features.families.volume_histogram import VOLUME_HISTOGRAM

FAMILIES: dict[str, Family] = {
    family.group: family
    for family in (
        MORPHOLOGY,
        LOCAL_INTENSITY,
        STATISTICS,
        HISTOGRAM,
        VOLUME_HISTOGRAM,
        COOCCURRENCE,
        RUN_LENGTH,
        SIZE_ZONE,
        DISTANCE_ZONE,
        TONE_DIFFERENCE,
        DEPENDENCE,
    )
}

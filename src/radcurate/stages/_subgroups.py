"""Sex, age, site and scanner of each patient, from the tables of a run, for the question whom it loses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from radcurate.governance.fairness import age_band
from radcurate.keys import Key

Row = Mapping[str, Any]
DEVICES = ("image", "picture")  # contours name the maker of a program


def subgroups(found: Iterable[Row], deidentified: Iterable[Row], key: Key) -> dict[str, dict[str, tuple[str, ...]]]:
    """Patient -> axis -> its groups, sorted; an axis that nothing tells is absent.

    Args:
        found: rows of the inventory's series: the site of who never gets further comes from there, as its code.
        deidentified: rows of deidentify's series.
        key: of the project, for the code of a site.
    """
    told: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    ages: dict[str, float] = {}
    for row in found:
        if row["institution"]:
            told[row["subject"]]["site"].add(key.site(row["institution"]))
    for row in deidentified:
        subject, age = row["subject"], row["age"]
        for axis in ("sex", "site", *(["manufacturer"] if row["kind"] in DEVICES else [])):
            if row[axis]:
                told[subject][axis].add(str(row[axis]))
        if age is not None:
            ages[subject] = min(age, ages.get(subject, age))
    for subject, age in ages.items():  # at the first study
        if band := age_band(age):
            told[subject]["age"].add(band)
    return {
        subject: {axis: tuple(sorted(names)) for axis, names in sorted(axes.items())}
        for subject, axes in sorted(told.items())
    }

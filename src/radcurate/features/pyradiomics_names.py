"""What pyradiomics calls the features of IBSI (`pyradiomics.csv`), without importing it."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files


@cache
def names() -> dict[str, str]:
    """IBSI tag without aggregation -> pyradiomics' own name, of all that it computes."""
    text = files("radcurate.features").joinpath("pyradiomics.csv").read_text(encoding="utf-8")
    return {row["tag"]: row["source"] for row in csv.DictReader(text.splitlines())}

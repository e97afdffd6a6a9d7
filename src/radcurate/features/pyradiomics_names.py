"""What pyradiomics calls the features of IBSI (`pyradiomics.csv`), without importing it."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

CLASSES = {
    "morph": "shape",
    "stat": "firstorder",
    "ih": "firstorder",
    "cm": "glcm",
    "rlm": "glrlm",
    "szm": "glszm",
    "ngt": "ngtdm",
    "ngl": "gldm",
}


@cache
def names() -> dict[str, str]:
    """IBSI tag without aggregation -> pyradiomics' own name, of all that it computes."""
    text = files("radcurate.features").joinpath("pyradiomics.csv").read_text(encoding="utf-8")
    return {row["tag"]: row["source"] for row in csv.DictReader(text.splitlines())}


def full_name(tag: str) -> str | None:
    """`glcm_MaximumProbability` for `cm_joint_max`; None where pyradiomics has no such feature."""
    own, group = names().get(tag), tag.partition("_")[0]
    if own is None:
        return None
    return f"{CLASSES[group]}_{own}" + (" of grey levels" if group == "ih" else "")

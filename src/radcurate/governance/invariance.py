"""Measures of what cleaning did to features, from extract's comparison with the exported images (requirement D07)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from radcurate.governance.conservation import Outcome
from radcurate.governance.evidence import Evidence
from radcurate.governance.value import Value
from radcurate.tables import OK


def unproven_regions(evidence: Evidence, _: list[Outcome]) -> Value:
    """Measured regions of which it isn't shown that no bit changed, or that what changed lies where features look."""
    proven, told = 0, set()
    for row in evidence.invariance:
        proven += _proven(row)
        told |= {str(row["reason"])} if row["reason"] else set()
    reasons = sorted(told)
    return Value(float(evidence.regions.get(OK, 0) - proven), ", ".join(reasons[:3]))


def _proven(row: Mapping[str, Any]) -> bool:
    return row["basis"] == "within_reach" or (row["basis"] in ("same_input", "out_of_reach") and not row["different"])


def largest_change(evidence: Evidence, _: list[Outcome]) -> Value:
    """Of all features of the regions that cleaning came near to."""
    near = [row for row in evidence.invariance if row["different"]]
    if not near:
        return Value(0.0)
    worst = max(near, key=lambda row: row["largest_change"])
    told = f"{', '.join(worst['changed'][:3])} of {worst['roi']}; {len(near)} regions changed"
    if not math.isfinite(worst["largest_change"]):
        return Value(None, f"a value before or after cleaning only: {told}")
    return Value(float(worst["largest_change"]), told)

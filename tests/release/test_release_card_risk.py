"""The card tells a risk that is a number, and one that is a document."""

from __future__ import annotations

import pytest

from radcurate.release.card_risk import attack_section
from report_tools import attack


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"applies": False, "detail": "no column is sensitive"}, "inference: does not apply"),
        ({"applies": True, "rate": 0.25, "high": 0.5}, "inference: 0.25"),
        (0.125, "inference: 0.125"),
        (None, "inference: not measured"),
    ],
)
def test_a_risk_in_any_form(found: object, told: str) -> None:
    document = attack()
    document["risk"]["inference"] = found
    assert told in attack_section(document)[0]

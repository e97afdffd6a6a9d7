"""Who may be contacted: a plain yes in the row that counts, nothing else."""

from __future__ import annotations

from datetime import date

import pytest

from radcurate.governance.recontact import answer

TODAY = date(2026, 1, 1)


def row(recontact: str, day: str = "2024-01-01", **more: str) -> dict[str, str]:
    cells = {"patient": "A1", "model": "dynamic", "purposes": "research", "withdrawn": "", "date": day}
    return {**cells, "recontact": recontact, **more}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row("yes")], "yes"),
        ([row("YES ")], "yes"),
        ([row("no")], "no"),
        ([row("unknown")], "unknown"),
        ([row("")], "unknown"),
        ([], "no_record"),
        ([row("yes", patient="B2")], "no_record"),
        ([row("yes"), row("no", "2025-01-01")], "no"),
        ([row("no"), row("yes", "2025-01-01")], "yes"),
        ([row("yes"), row("no", "2027-01-01")], "yes"),  # not yet
        ([row("yes", "2027-01-01")], "unknown"),
        ([row("yes"), row("no")], "no"),
        ([row("yes"), row("")], "unknown"),
        ([row("yes", withdrawn="2025-05-05")], "withdrawn"),
        ([row("yes", withdrawn="2024-02-02"), row("yes", "2025-01-01")], "yes"),
        ([row("yes"), row("perhaps", "2023-01-01")], "unknown"),  # a row that can't be relied on
    ],
)
def test_only_a_plain_yes_counts(rows: list[dict[str, str]], expected: str) -> None:
    assert answer([row("no", patient="C3"), *rows], "A1 ", TODAY) == expected

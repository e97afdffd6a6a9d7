"""Microaggregation as `protect` does it, published twice: one withdrawal, and the means give the patient's own values away."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from radcurate.attack.differencing import attack_differencing
from radcurate.attack.subtraction import subtracted
from radcurate.attack.views import View
from radcurate.privacy.microaggregation import microaggregate

Reals = npt.NDArray[np.float64]
N, K, GONE = 60, 5, 3
FEATURES = tuple(f"f{number:02}" for number in range(20))
MEASURED = np.random.default_rng(0).normal(size=(N, len(FEATURES)))


def release(patients: list[int]) -> View:
    made = microaggregate(MEASURED[patients], np.arange(len(patients)), np.zeros(len(patients), dtype=np.int64), K)
    kept = np.flatnonzero(made.kept)
    names = [f"P{patients[row]}" for row in kept]
    shown = {name: frozenset({(("sex", "*"),)}) for name in names}
    return View(shown, names, [f"R{name}" for name in names], [("CT",)] * len(names), FEATURES, made.values[kept])


def sums(found: View) -> tuple[list[list[float]], list[Reals]]:
    """Of each group who is in it (0 or 1 for each patient) and the sum of their values."""
    groups: dict[bytes, list[int]] = {}
    for row, digest in enumerate(found.digests(FEATURES)):
        groups.setdefault(digest, []).append(row)
    names = [{found.owner[row] for row in rows} for rows in groups.values()]
    who = [[float(f"P{patient}" in group) for patient in range(N)] for group in names]
    return who, [len(rows) * found.values[rows[0]] for rows in groups.values()]


def test_a_withdrawal_is_found_and_its_values_really_follow_from_the_two_releases() -> None:
    before, after = release(list(range(N))), release([patient for patient in range(N) if patient != GONE])
    found = attack_differencing({"demo-1": before}, after, K)
    assert found.found is not None and found.found.successes >= 1 and not found.controls_failed
    assert subtracted(before, after, K)[f"P{GONE}"] == 1
    both = [sums(one) for one in (before, after)]
    equations, totals = np.array(both[0][0] + both[1][0]), np.array(both[0][1] + both[1][1])
    weights = np.linalg.lstsq(equations.T, np.eye(N)[GONE], rcond=None)[0]
    np.testing.assert_allclose(weights @ equations, np.eye(N)[GONE], atol=1e-9)
    np.testing.assert_allclose(weights @ totals, MEASURED[GONE], atol=1e-6)

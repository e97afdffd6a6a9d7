"""206 real patients with lung tumours (generalized ComBat's example), measured again by simulation, and the gate's limit.

Groups of eleven pass the public limit, two bins per feature don't.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from attack.attack_tables import table
from finished_run import FinishedRun, Row, make_run, policy
from radcurate.attack.fingerprint import attack_fingerprint
from radcurate.attack.found import RAW, Attack
from radcurate.attack.records import Records
from radcurate.attack.reextraction import reextractions
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.privacy.microaggregation import microaggregate

K = 11
MEASURES = ("attack.fingerprint_top1", "attack.fingerprint_top5", "attack.controls_failed")


@pytest.fixture(scope="module")
def cohort(real_data: Path) -> Records:
    file = real_data / "generalized_combat" / "Example" / "Sandy-Captk.csv"
    lines = [line.split(",") for line in file.read_text(encoding="utf-8-sig").splitlines()]
    names, rows = lines[0][1:], [line for line in lines[1:] if len(line) > 1]
    values = [[_number(cell) for cell in row[1:]] for row in rows]
    return table(np.array(values), [row[0] for row in rows], names=names)


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def grouped(cohort: Records, k: int) -> Records:
    rows = np.arange(len(cohort.subject))
    found = microaggregate(cohort.values, rows, np.zeros_like(rows), k)
    assert found.kept.all()
    return replace_values(cohort, found.values)


def binned(cohort: Records) -> Records:
    """Two bins per feature: below and above the median."""
    return replace_values(cohort, (cohort.values > np.nanmedian(cohort.values, axis=0)).astype(float))


def replace_values(cohort: Records, values: np.ndarray) -> Records:
    return table(values, cohort.subject, names=cohort.names)


def attacked(cohort: Records, released: Records) -> Attack:
    return attack_fingerprint(released, cohort, reextractions(cohort))


def test_plain_features_find_everybody(cohort: Records) -> None:
    found = attacked(cohort, cohort)
    assert (len(cohort.patients), len(cohort.names)) == (206, 102)
    assert found.found is not None and found.found.low > 0.99


def test_groups_of_eleven_keep_the_public_limit(cohort: Records) -> None:
    found = attacked(cohort, grouped(cohort, K))
    assert found.found is not None
    assert found.found.high <= 1 / K + 1e-12
    assert found.further["top5"].high <= 5 / K + 1e-12
    assert found.numbers["smallest_class"] == K and found.numbers["found_mostly"] == 0
    assert found.controls_failed == [] and found.positive is not None and found.positive.on == RAW


def test_two_bins_find_nearly_everybody(cohort: Records) -> None:
    found = attacked(cohort, binned(cohort))
    assert found.found is not None and found.found.low > 0.9
    assert found.controls_failed == []


def test_smaller_groups_protect_less(cohort: Records) -> None:
    rates = [attacked(cohort, grouped(cohort, k)).found for k in (2, 5, 11, 40)]
    shares = [found.rate for found in rates if found is not None]
    assert shares == sorted(shares, reverse=True) and len(set(shares)) == 4


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return make_run(tmp_path_factory.mktemp("run"), Key(bytes(range(32))))


def public_limits(folder: Path) -> Path:
    """The policy `controlled` with the limits of `public` for the fingerprint."""
    content = yaml.safe_load(policy("controlled").read_text())
    public = yaml.safe_load(policy("public").read_text())["criteria"]
    limits = {one["measure"]: one for one in public if one["measure"] in MEASURES}
    assert limits["attack.fingerprint_top1"]["max"] == "1/11"
    others = [one for one in content["criteria"] if one["measure"] not in limits]
    file = folder / "own.yaml"
    file.write_text(yaml.safe_dump({**content, "name": "own", "criteria": [*others, *limits.values()]}))
    return file


def measured(run: FinishedRun, found: Attack) -> None:
    def change(content: Row) -> None:
        content["attacks"]["fingerprint"] = found.document()

    run.attack(change)


def test_the_gate_passes_groups_of_eleven(cohort: Records, run: FinishedRun, tmp_path: Path) -> None:
    measured(run, attacked(cohort, grouped(cohort, K)))
    verdict = run.gate(file=public_limits(tmp_path))
    findings = {one["measure"]: one["holds"] for one in verdict["findings"]}
    assert all(findings[name] for name in MEASURES)


def test_the_gate_refuses_two_bins(cohort: Records, run: FinishedRun, tmp_path: Path) -> None:
    measured(run, attacked(cohort, binned(cohort)))
    with pytest.raises(CurationError):
        run.gate(file=public_limits(tmp_path))
    failed = [one["measure"] for one in run.refusal()["findings"] if not one["holds"]]
    assert failed == ["attack.fingerprint_top1", "attack.fingerprint_top5"]

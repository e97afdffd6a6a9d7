"""The register of risks: arithmetic by hand, and mitigations that count only when they are proven."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from finished_run import GOVERNANCE
from radcurate.errors import CurationError
from radcurate.governance.dpia import REQUIRED, Proof, Register, assess
from radcurate.governance.papers import parse
from radcurate.governance.value import Value

SHARE = st.floats(0, 1)


def proof(number=0.5, limited=True, holds=True, applies=True):
    return lambda name: Proof(Value(number, applies=applies), "results/some.json", limited, holds)


def register(likelihood=0.5, impact=3, mitigations=(), covers="breach", risk_benefit="more good than harm"):
    risk = {"name": "some risk", "covers": covers, "likelihood": likelihood, "impact": impact, "why": "because"}
    content = {"risk_benefit": risk_benefit, "risks": [{**risk, "mitigations": list(mitigations)}]}
    return parse(yaml.safe_dump(content).encode(), Register, "dpia.yaml")


def by_measure(factor=0.5, measure="protect.k"):
    return {"name": "a mitigation", "measure": measure, "factor": factor}


def by_paper(factor=0.5):
    return {"name": "a promise", "document": "data_use_terms", "factor": factor}


def residual(found):
    return found.risks[0].risk, found.risks[0].residual


def test_risk_is_likelihood_times_impact():
    assert residual(assess(register(0.2, 3), proof(), ())) == pytest.approx((0.6, 0.6))


@given(SHARE, st.floats(1, 4), SHARE, SHARE)
def test_what_is_left_by_hand(likelihood, impact, first, second):
    found = assess(register(likelihood, impact, [by_measure(first), by_paper(second)]), proof(), {"data_use_terms"})
    total = likelihood * impact
    assert residual(found) == pytest.approx((total, total * first * second))
    assert found.max == pytest.approx(total * first * second)
    assert 0 <= found.max <= total + 1e-12  # a mitigation never makes it worse


def test_no_likelihood_no_risk():
    assert residual(assess(register(0.0, 4), proof(), ())) == (0, 0)


@pytest.mark.parametrize(
    "unproven",
    [
        proof(limited=False),  # the policy sets no limit on it
        proof(holds=False),
        proof(number=None),
        proof(number=None, applies=False),
    ],
)
def test_a_mitigation_that_is_not_proven_does_not_count(unproven):
    found = assess(register(0.5, 2, [by_measure(0.1)]), unproven, ())
    assert residual(found) == (1.0, 1.0) and found.unproven() == ["a mitigation"]
    assert not found.risks[0].mitigations[0].counts and found.risks[0].mitigations[0].detail


def test_a_promise_that_is_not_signed_does_not_count():
    assert residual(assess(register(0.5, 2, [by_paper(0.1)]), proof(), {"ethics"})) == (1.0, 1.0)


def test_a_measured_factor():
    assert residual(assess(register(1.0, 3, [by_measure("measured")]), proof(0.2), ())) == pytest.approx((3.0, 0.6))


@pytest.mark.parametrize("number", [5.0, -0.1])
def test_a_measure_that_is_no_share_is_no_factor(number):
    assert residual(assess(register(1.0, 3, [by_measure("measured")]), proof(number), ())) == (3.0, 3.0)


def test_a_measured_likelihood():
    found = assess(register({"measure": "attack.linkage"}, 2), proof(0.25), ())
    assert residual(found) == (0.5, 0.5) and found.risks[0].likelihood_from == "attack.linkage"


@pytest.mark.parametrize("applies", [True, False])
def test_a_likelihood_that_was_not_measured_is_taken_for_certain(applies):
    found = assess(register({"measure": "attack.linkage"}, 2), proof(None, applies=applies), ())
    assert residual(found) == (2.0, 2.0) and "taken for certain" in found.risks[0].likelihood_from


@given(SHARE, SHARE)
def test_more_likely_is_never_less_risk(one, other):
    low, high = sorted((one, other))
    left = [assess(register(p, 3, [by_measure(0.3)]), proof(), ()).max for p in (low, high)]
    assert left[0] <= left[1]


def test_no_register_misses_every_required_risk():
    found = assess(None, proof(), ())
    assert found.missing == REQUIRED and found.max is None


@pytest.mark.parametrize("covers", REQUIRED)
def test_the_shipped_register_has_what_is_required(covers):
    shipped = parse((GOVERNANCE / "dpia.yaml").read_bytes(), Register, "dpia.yaml")
    assert shipped.missing() == []
    less = Register(risks=tuple(risk for risk in shipped.risks if risk.covers != covers))
    assert less.missing() == [covers]


@pytest.mark.parametrize(
    "change",
    [
        {"likelihood": 1.1},
        {"likelihood": -0.1},
        {"likelihood": "often"},
        {"impact": 0},
        {"impact": 5},
        {"mitigations": [{"name": "nothing", "factor": 0.5}]},
        {"mitigations": [{**by_measure(), "document": "ethics"}]},
        {"mitigations": [by_measure(1.5)]},
        {"mitigations": [by_paper("measured")]},
    ],
)
def test_numbers_out_of_range_are_refused(change):
    with pytest.raises(CurationError, match=r"dpia\.yaml can't be used"):
        register(**change)

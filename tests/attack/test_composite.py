"""R by hand, and its laws."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.attack.composite import SCENARIOS, Exponents, composite, document
from radcurate.errors import CurationError

shares = st.floats(0, 1)
powers = st.builds(Exponents, *[st.floats(0.1, 5)] * 3)


def test_by_hand():
    assert composite(0.5, 0.2, 0.4) == pytest.approx(0.04)
    assert composite(0.25, 0.04, 1.0, Exponents(0.5, 0.5, 3)) == pytest.approx(0.1)
    assert composite(0.5, 1.0, 0.4, Exponents(2, 1, 1)) == pytest.approx(0.1)
    assert composite(1, 1, 1, Exponents(3, 2, 7)) == 1


@given(shares, shares, shares, powers, st.integers(0, 2))
def test_any_zero_makes_it_zero(p_ri, u, s, exponents, which):
    factors = [p_ri, u, s]
    factors[which] = 0.0
    assert composite(*factors, exponents) == 0


@given(shares, shares, shares, powers, st.integers(0, 2), shares)
def test_never_falls_where_a_factor_rises(p_ri, u, s, exponents, which, more):
    factors = [p_ri, u, s]
    higher = [*factors]
    higher[which] = max(factors[which], more)
    assert 0 <= composite(*factors, exponents) <= composite(*higher, exponents) <= 1


@given(shares, shares, shares, powers, st.sampled_from(["alpha", "beta", "gamma"]), st.floats(1, 4))
def test_a_higher_exponent_never_raises_it(p_ri, u, s, exponents, name, times):
    sharper = replace(exponents, **{name: getattr(exponents, name) * times})
    assert composite(p_ri, u, s, sharper) <= composite(p_ri, u, s, exponents) + 1e-15


def test_recipients_keep_their_order():
    assert SCENARIOS["public"] > SCENARIOS["controlled"] > SCENARIOS["internal"] > 0
    found = document(0.3, 0.2, "controlled", Exponents())
    risks = [found["scenarios"][name]["R"] for name in ("public", "controlled", "internal")]
    assert risks == sorted(risks, reverse=True) and len(set(risks)) == 3
    assert found["R"] == risks[1] and found["s"] == SCENARIOS["controlled"]


@pytest.mark.parametrize("factors", [(-0.1, 0, 0), (0, 1.1, 0), (0, 0, float("nan"))])
def test_factors_out_of_range(factors):
    with pytest.raises(CurationError, match="out of range"):
        composite(*factors)


def test_exponents_out_of_range():
    with pytest.raises(CurationError, match="exponent beta"):
        composite(0.1, 0.1, 0.1, Exponents(1, 0, 1))

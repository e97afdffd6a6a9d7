"""Sine, cosine and the bell curve against NumPy's, which have the last bit from the processor."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from radcurate.features.filters.waves import bell, wave


@given(st.lists(st.floats(-100, 100), min_size=1))
def test_waves(turns):
    cosine, sine = wave(turns)
    exact = np.asarray(turns, dtype=np.longdouble)
    exact = (exact - np.rint(exact)) * 2 * np.longdouble("3.14159265358979323846264338327950288")
    np.testing.assert_allclose(cosine, np.cos(exact).astype(float), rtol=0, atol=4e-16)
    np.testing.assert_allclose(sine, np.sin(exact).astype(float), rtol=0, atol=4e-16)


def test_quarter_turns_are_exact():
    cosine, sine = wave([0, 0.25, 0.5, 0.75, 1, -0.25])
    assert cosine.tolist() == [1, 0, -1, 0, 1, 0] and sine.tolist() == [0, 1, 0, -1, 0, -1]


@given(st.lists(st.floats(0, 2000), min_size=1))
def test_bell(square):
    np.testing.assert_allclose(bell(square), np.exp(-np.asarray(square) / 2), rtol=1e-15, atol=1e-300)

"""Complex products against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from radcurate.features.kernels.spectra import products


@pytest.mark.parametrize("shape", [(3, 4, 5), (4, 5), (2, 3, 4, 5)])
def test_products(shape):
    random = np.random.default_rng(0)
    values, factors = (random.normal(size=part) + 1j * random.normal(size=part) for part in (shape, (4, 5)))
    np.testing.assert_allclose(products(values, factors), values * factors, rtol=0, atol=1e-14)
    turned = np.moveaxis(values, -1, -2)
    np.testing.assert_allclose(products(turned, factors.T), turned * factors.T, rtol=0, atol=1e-14)


def test_nothing():
    assert products(np.zeros((3, 0), dtype=complex), np.zeros(0, dtype=complex)).shape == (3, 0)

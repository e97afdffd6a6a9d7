import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from radiomics import cShape

from radcurate.features.hull import hull
from radcurate.features.kernels.mesh import count_cubes, row_sums
from radcurate.features.pyradiomics_mesh import kinds

SPACING = st.sampled_from([0.5, 0.977, 1.0, 3.27])


@given(
    st.integers(0, 10_000),
    st.tuples(*[st.integers(1, 9)] * 3),
    st.tuples(SPACING, SPACING, SPACING),
    st.floats(0.1, 0.95),
)
@settings(max_examples=150, deadline=None)
def test_equals_pyradiomics_own_mesh(seed, shape, spacing, share):
    """Any mask, also with holes, single voxels and voxels that touch by a corner."""
    mask = np.random.default_rng(seed).random(shape) < share
    mask.flat[seed % mask.size] = True
    area, volume, diameters = cShape.calculate_coefficients(np.pad(mask, 1), np.array(spacing))
    found = kinds(spacing).mesh(count_cubes(mask))
    assert (found.area, found.volume) == pytest.approx((area, volume), rel=1e-9)
    assert hull(row_sums(mask), spacing).diameter == pytest.approx(diameters[3], rel=1e-9)

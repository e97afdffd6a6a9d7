import numpy as np
import pytest
from feature_tools import ball
from hypothesis import given, settings
from hypothesis import strategies as st
from radiomics import cShape

from radcurate.features.mesh import mesh

SPACING = st.sampled_from([0.5, 0.977, 1.0, 3.27])


@given(
    st.integers(0, 10_000),
    st.tuples(*[st.integers(1, 6)] * 3),
    st.tuples(SPACING, SPACING, SPACING),
    st.floats(0.1, 0.95),
)
@settings(max_examples=150, deadline=None)
def test_equals_pyradiomics_own_mesh(seed, shape, spacing, share):
    """Any mask, also with holes, single voxels and voxels that touch by a corner."""
    mask = np.random.default_rng(seed).random(shape) < share
    mask.flat[seed % mask.size] = True
    area, volume, diameters = cShape.calculate_coefficients(np.pad(mask, 1), np.array(spacing))
    found = mesh(mask, spacing)
    assert (found.area, found.volume, found.diameter) == pytest.approx((area, volume, diameters[3]), rel=1e-9)


def test_one_voxel_is_an_octahedron():
    found = mesh(np.ones((1, 1, 1), dtype=bool), (2.0, 2.0, 2.0))
    assert found.volume == pytest.approx(8 / 6)
    assert found.area == pytest.approx(8 * np.sqrt(3) / 2)
    assert found.diameter == pytest.approx(2)


def test_a_large_ball_has_the_volume_of_a_ball():
    found = mesh(ball((43, 43, 43), 20.0), (1.0, 1.0, 1.0))
    assert found.volume == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.01)
    assert found.diameter == pytest.approx(41, abs=0.5)


def test_place_does_not_matter():
    small = np.zeros((4, 5, 6), dtype=bool)
    small[1:3, 1:4, 2:4] = True
    far = np.pad(small, ((30, 0), (7, 2), (0, 90)))
    near, away = mesh(small, (1.0, 0.7, 3.0)), mesh(far, (1.0, 0.7, 3.0))
    assert (near.area, near.diameter) == (away.area, away.diameter)
    assert near.volume == pytest.approx(away.volume, rel=1e-9)

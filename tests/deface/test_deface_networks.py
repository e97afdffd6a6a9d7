"""deepbet's networks as onnxruntime runs them, against torch."""

import numpy as np
import pytest

from radcurate.deface.networks import DIVISOR, DRAWER, FINDER, brain_probability, linknet, weights
from radcurate.errors import CurationError

# torch 2.13.0 (CPU, one thread) on `picture()`, torch.jit.load of deepbet 1.0.2's archives: mean, and six voxels
VOXELS = [(32, 32, 32), (32, 12, 32), (20, 32, 40), (32, 50, 20), (8, 32, 32), (40, 40, 14)]
TORCH = {
    FINDER: (0.1114437, [0.9999986, 0.0076383, 1.0, 1.6e-07, 2.7e-06, 4.48e-05]),
    DRAWER: (0.3675647, [0.9999970, 0.1281916, 0.9999999, 2.95e-05, 0.9999994, 5.345e-04]),
}


def picture(side=64):
    """Something like a head: a folded ball in a dark shell in a bright one."""
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, side)] * 3, indexing="ij")
    radius = np.sqrt((x / 0.8) ** 2 + y**2 + (z / 0.9) ** 2)
    folds = 0.75 + 0.1 * np.sin(9 * x) * np.cos(11 * y) * np.sin(7 * z)
    values = np.where(radius < 0.55, folds, np.where(radius < 0.65, 0.1, np.where(radius < 0.8, 0.6, 0.0)))
    return ((values - values.mean()) / values.std() * 0.226 + 0.449).astype(np.float32)


@pytest.mark.parametrize("name", [FINDER, DRAWER])
def test_what_torch_says(name):
    mean, voxels = TORCH[name]
    found = brain_probability(name, picture())
    assert found.mean(dtype=np.float64) == pytest.approx(mean, abs=1e-5)
    assert [found[voxel] for voxel in VOXELS] == pytest.approx(voxels, abs=1e-3)


def test_the_same_every_time():
    first, second = (brain_probability(FINDER, picture(32)) for _ in range(2))
    assert np.array_equal(first, second)


def test_sides_that_do_not_divide_are_told():
    with pytest.raises(ValueError, match="multiples"):
        brain_probability(FINDER, np.zeros((DIVISOR, DIVISOR, DIVISOR + 1), np.float32))


def test_an_archive_that_is_none_says_what_to_do():
    with pytest.raises(CurationError, match="deepbet"):
        weights("../../deepbet/__init__.py")


def test_a_layer_that_is_missing_is_no_network():
    arrays = weights(FINDER)
    del arrays["down2.block1.downsample.0.weight"]
    whole = linknet(weights(FINDER))
    assert linknet(arrays) != whole  # the block would add what went in, which has another size
    with pytest.raises(KeyError):
        linknet({name: values for name, values in arrays.items() if name != "conv.0.weight"})

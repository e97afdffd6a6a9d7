"""Filters read as much around a region as they say, and no more; there, they give the bits of the whole image."""

from __future__ import annotations

import numpy as np
import pytest
from filter_tools import CUBES, ENDLESS, EVERY, GABOR, LOCAL, chosen, filtered, texture
from hypothesis import given, settings
from hypothesis import strategies as st

from radcurate.features.filters import EVERYWHERE, margin, respond

SHAPE = (23, 34, 38)


def around(box, reach):
    """The box with its margin, and the box's place in that."""
    wide = tuple(
        slice(max(part.start - more, 0), min(part.stop + more, n))
        for part, more, n in zip(box, reach, SHAPE, strict=True)
    )
    inner = tuple(
        slice(part.start - whole.start, part.stop - whole.start) for part, whole in zip(box, wide, strict=True)
    )
    return wide, inner


@st.composite
def boxes(draw):
    starts = [draw(st.integers(0, n - 1)) for n in SHAPE]
    return tuple(slice(start, draw(st.integers(start + 1, n))) for start, n in zip(starts, SHAPE, strict=True))


@settings(deadline=None, max_examples=60)
@given(choice=st.sampled_from(LOCAL), box=boxes(), boundary=st.sampled_from(["zero", "nearest", "mirror"]))
def test_a_region_with_its_margin_gives_the_bits_of_the_whole_image(choice, box, boundary):
    values, choice = texture(SHAPE), {**choice, "boundary": boundary}
    whole = filtered(choice, values)
    wide, inner = around(box, margin([chosen(choice)], CUBES))
    for label, found in respond(chosen(choice), values[wide], CUBES, inner):
        assert np.array_equal(found, whole[label][box])


@settings(deadline=None, max_examples=20)
@given(choice=st.sampled_from(GABOR), box=boxes(), boundary=st.sampled_from(["zero", "nearest", "mirror"]))
def test_what_is_convolved_by_fourier_transforms_of_the_part_differs_by_rounding(choice, box, boundary):
    values, choice = texture(SHAPE), {**choice, "boundary": boundary}
    whole = filtered(choice, values)
    wide, inner = around(box, margin([chosen(choice)], CUBES))
    for label, found in respond(chosen(choice), values[wide], CUBES, inner):
        np.testing.assert_allclose(found, whole[label][box], rtol=0, atol=1e-9)


@pytest.mark.parametrize("choice", LOCAL, ids=str)
def test_the_margin_is_not_wider_than_needed(choice):
    """A change at the far end of the margin reaches the voxel, along the axis where the filter reads furthest."""
    if choice.get("subbands") == ["LLH", "HHH"]:
        pytest.skip("à trous kernels end with a zero")
    values, place = texture(SHAPE), (11, 17, 19)
    before = filtered(choice, values)
    reach = margin([chosen(choice)], CUBES)
    axis = int(np.argmax(reach))
    moved = set()
    for side in (-1, 1):
        for across in np.ndindex(*[3] * 3):
            spot = [at + step - 1 for at, step in zip(place, across, strict=True)]
            spot[axis] = place[axis] + side * reach[axis]
            planted = values.copy()
            planted[tuple(spot)] += 1e6
            after = filtered(choice, planted)
            moved |= {label for label in before if after[label][place] != before[label][place]}
            beyond = list(spot)
            beyond[axis] += side
            planted = values.copy()
            planted[tuple(beyond)] += 1e6
            after = filtered(choice, planted)
            assert all(after[label][place] == before[label][place] for label in before)
        if moved:
            break
    assert moved


@pytest.mark.parametrize("choice", [*ENDLESS, {"kind": "mean", "size": 3, "boundary": "periodic"}], ids=str)
def test_what_reads_everything_says_so(choice):
    reach = margin([chosen(choice)], CUBES)
    assert reach == (EVERYWHERE if choice.get("dimension") != "2D" else (0, *EVERYWHERE[1:]))


def test_the_margin_of_several_filters_is_the_widest():
    both = [chosen({"kind": "mean", "size": 9, "dimension": "2D"}), chosen({"kind": "log", "sigma": 1})]
    assert margin(both, (2.0, 1.0, 1.0)) == (2, 4, 4)
    assert margin([], CUBES) == (0, 0, 0)


@pytest.mark.parametrize("choice", EVERY, ids=str)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5, 1), (2, 1, 3)])
def test_the_smallest_images_have_responses(choice, shape):
    for found in filtered(choice, texture(shape)).values():
        assert found.shape == shape and np.isfinite(found).all()

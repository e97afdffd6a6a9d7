"""A head has the measures of a head, and its masks are where they belong."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from radcurate.demo.anatomy import head, head_ct
from radcurate.demo.chest import chest
from radcurate.demo.face import FaceShape
from radcurate.demo.geometry import SAGITTAL, Geometry, rotation
from radcurate.demo.scanner import T1, T2, expected_signal
from radcurate.demo.tissue import Tissue

GRID = Geometry((60, 88, 72), (4.0, 3.0, 3.0)).centred((0, -10, -30))


@pytest.fixture(scope="module", params=[1, 2])
def body(request):
    return head(GRID, request.param)


def test_measures_of_a_head(body):
    brain_ml = body.masks["brain"].sum() * GRID.voxel_ml
    assert 1100 < brain_ml < 1900
    solid = ndimage.binary_fill_holes(body.tissue != Tissue.AIR) & ~body.masks["ears"]
    cranium = solid[35:]  # above the ears
    columns = np.flatnonzero(cranium.any(axis=(0, 1)))
    rows = np.flatnonzero(cranium.any(axis=(0, 2)))
    assert 135 < (np.ptp(columns) + 1) * 3 < 172
    assert 175 < (np.ptp(rows) + 1) * 3 < 215


def test_the_nose_is_the_foremost_point_and_lies_in_the_face(body):
    air = body.tissue == Tissue.AIR
    first = np.where((~air).any(axis=1), (~air).argmax(axis=1), 999)
    plane, column = np.unravel_index(first.argmin(), first.shape)
    x, _, z = GRID.to_patient((plane, first[plane, column], column))
    assert abs(x) < 15 and -80 < z < -45
    assert body.masks["face"][plane, first[plane, column] + 1, column]


def test_masks_do_not_contradict_each_other(body):
    masks = body.masks
    assert not (masks["skull"] & masks["brain"]).any()
    assert not (masks["face"] & masks["brain"]).any()
    assert (masks["tumour"] <= masks["brain"]).all()
    assert (masks["face"] <= masks["skin"]).all()
    sides = GRID.to_patient(np.argwhere(masks["ears"]))[:, 0]
    assert (sides < -50).any() and (sides > 50).any()


def test_contrast_of_the_brain(body):
    t1, t2 = (expected_signal(body, weighting, blur=0) for weighting in (T1, T2))
    for image, order in ((t1, 1), (t2, -1)):
        csf, grey, white = (
            np.median(image[(body.tissue == t) & ~body.masks["tumour"]])
            for t in (Tissue.CSF, Tissue.GREY, Tissue.WHITE)
        )
        assert order * csf < order * grey < order * white


def test_numbers_of_ct():
    image, masks = head_ct(3, (5.0, 4.0, 4.0))
    assert image.shape == masks["brain"].shape == (48, 64, 50)
    assert np.median(image[masks["brain"]]) == pytest.approx(34, abs=6)
    assert np.percentile(image[masks["skull"]], 75) > 350
    assert image.min() == pytest.approx(-1000, abs=1)


def test_the_body_does_not_depend_on_the_grid():
    shape = FaceShape()
    axial, sagittal = (
        head(grid, 4, shape=shape)
        for grid in (GRID, Geometry((66, 80, 88), (3.0, 3.0, 3.0), axes=SAGITTAL).centred((0, -10, -30)))
    )
    index = np.rint(sagittal.geometry.to_index(GRID.to_patient(np.argwhere(axial.masks["brain"])))).astype(int)
    inside = (index >= 0).all(axis=1) & (index < sagittal.geometry.shape).all(axis=1)
    assert sagittal.masks["brain"][tuple(index[inside].T)].mean() > 0.95


def test_people_differ():
    one, two = (head(GRID, seed).tissue for seed in (5, 6))
    assert (one != two).mean() > 0.05


def test_geometry_goes_there_and_back():
    grid = Geometry((5, 6, 7), (3.0, 2.0, 1.0)).turned(rotation((10, -5, 3))).centred((1, 2, 3))
    index = np.array([[0, 0, 0], [4, 5, 6], [1.5, 2.5, 0.25]])
    np.testing.assert_allclose(grid.to_index(grid.to_patient(index)), index, atol=1e-9)
    np.testing.assert_allclose(grid.to_patient((2, 2.5, 3)), (1, 2, 3), atol=1e-3)
    assert grid.voxel_ml == pytest.approx(0.006)


def test_a_chest_has_lungs_and_a_tumour_in_the_body():
    grid = Geometry((22, 64, 64), (8.0, 5.8, 5.8)).centred()
    body = chest(grid, 2)
    lungs = body.masks["lungs"].sum() * grid.voxel_ml
    assert 1200 < lungs < 4500
    assert 4 < body.masks["tumour"].sum() * grid.voxel_ml < 60
    assert (body.masks["tumour"] <= body.masks["body"]).all()

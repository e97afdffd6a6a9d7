"""NIfTI masks: recognised by content, matched by grid."""

from __future__ import annotations

from itertools import permutations, product
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_files import mask, mask_affine
from radcurate.dicom.chunk import Grid, place_masks
from radcurate.dicom.geometry import Geometry
from radcurate.dicom.nifti import Mask, affine_of, read_mask, same_grid
from radcurate.dicom.tree import Found


def read(path: Path) -> Mask | str:
    return read_mask(path.parent, Found(path.name, 0, 0))


def geometry(seed: int) -> Geometry:
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    axes = tuple(float(v) for v in (*turn[:, 0], *turn[:, 1]))
    return Geometry((0,), (3.0, 2.0, 1.5), (-10.0, -20.0, 5.0), axes, ())  # type: ignore[arg-type]


def test_the_affine_of_a_series_is_that_of_its_mask() -> None:
    axial = Geometry((0,), (3.0, 2.0, 1.5), (-10.0, -20.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), ())
    np.testing.assert_allclose(affine_of(axial), mask_affine())


@given(
    st.sampled_from(list(permutations(range(3)))), st.sampled_from(list(product((1, -1), repeat=3))), st.integers(0, 99)
)
def test_a_grid_is_the_same_in_any_axis_order_and_direction(
    order: tuple[int, ...], signs: tuple[int, ...], seed: int
) -> None:
    shape, affine = (8, 7, 6), affine_of(geometry(seed))
    turning = np.stack([np.array(order), np.array(signs)], axis=1)
    image = nibabel.Nifti1Image(np.zeros(shape, np.uint8), affine).as_reoriented(turning)
    assert same_grid(image.shape, image.affine, shape, affine)
    moved = image.affine.copy()
    moved[:3, 3] += affine[:3, 0] / 2
    assert not same_grid(image.shape, moved, shape, affine)
    assert not same_grid((8, 7, 5), affine, shape, affine)


@pytest.mark.parametrize("scale", [1.02, 0.98])
def test_a_grid_of_other_spacing_is_another(scale: float) -> None:
    affine = mask_affine()
    other = affine.copy()
    other[:3, 0] *= scale
    assert not same_grid((8, 8, 4), affine, (8, 8, 4), other)


@pytest.mark.parametrize("name", ["m.nii", "m.nii.gz", "m.NII.GZ"])
def test_a_mask_is_read(tmp_path: Path, name: str) -> None:
    found = read(mask(tmp_path / name))
    assert isinstance(found, Mask)
    assert found.shape == (8, 8, 4)


def test_whole_numbers_kept_as_reals_are_labels(tmp_path: Path) -> None:
    assert isinstance(read(mask(tmp_path / "m.nii.gz", labels=3, dtype=np.float32)), Mask)


def test_a_trailing_axis_of_one_is_no_axis(tmp_path: Path) -> None:
    values = np.zeros((4, 4, 3, 1), np.uint8)
    values[1, 1, 1] = 1
    nibabel.Nifti1Image(values, np.eye(4)).to_filename(tmp_path / "m.nii")
    found = read(tmp_path / "m.nii")
    assert isinstance(found, Mask)
    assert found.shape == (4, 4, 3)


PLANTED = {
    "not_a_mask": np.arange(1000, dtype=np.int16).reshape(10, 10, 10),
    "empty_mask": np.zeros((4, 4, 4), np.uint8),
}


@pytest.mark.parametrize("reason", PLANTED)
def test_what_is_no_mask_is_named(tmp_path: Path, reason: str) -> None:
    nibabel.Nifti1Image(PLANTED[reason], np.eye(4)).to_filename(tmp_path / "m.nii.gz")
    assert read(tmp_path / "m.nii.gz") == reason


@pytest.mark.parametrize(
    "values",
    [
        np.full((3, 3, 3), 0.5, np.float32),
        np.full((3, 3, 3), -1, np.int16),
        np.full((3, 3, 3), np.nan, np.float32),
        np.ones((3, 3), np.uint8),
        np.ones((3, 3, 3, 2), np.uint8),
        np.ones((3, 3, 3), np.complex64),
    ],
)
def test_other_images_are_no_masks(tmp_path: Path, values: np.ndarray) -> None:
    nibabel.Nifti1Image(values, np.eye(4)).to_filename(tmp_path / "m.nii")
    assert read(tmp_path / "m.nii") == "not_a_mask"


def test_files_that_can_t_be_read_are_reasons(tmp_path: Path) -> None:
    assert read(tmp_path / "none.nii") == "vanished"
    for name in ("cut.nii", "cut.nii.gz"):
        path = mask(tmp_path / name)
        path.write_bytes(path.read_bytes()[:-30])
        assert read(path) in ("truncated", "damaged")
    (tmp_path / "text.nii").write_text("no image")
    assert read(tmp_path / "text.nii") in ("damaged", "truncated")


def grid(uid: str, usable: bool = True) -> Grid:
    return Grid(uid, usable, (8, 8, 4), mask_affine())


@pytest.mark.parametrize(
    ("grids", "image", "reason"),
    [
        ([grid("a")], "a", None),
        ([grid("a"), grid("b", usable=False)], "a", None),
        ([grid("b", usable=False)], "b", None),
        ([grid("a"), grid("b")], None, "ambiguous_grid"),
        ([], None, "no_grid"),
    ],
)
def test_a_mask_goes_to_the_one_series_of_its_grid(
    tmp_path: Path, grids: list[Grid], image: str | None, reason: str | None
) -> None:
    found = read(mask(tmp_path / "m.nii"))
    assert isinstance(found, Mask)
    plan = place_masks([found], grids)
    assert list(plan.by_image) == ([image] if image else [])
    assert [why for _, why in plan.unplaced] == ([reason] if reason else [])

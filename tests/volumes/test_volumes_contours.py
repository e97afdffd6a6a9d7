"""Contours to masks: laws, odd cases, and real cohorts voxel by voxel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from volume_files import data_set, item, sequence

from radcurate.volumes.contours import fill, rasterise
from radcurate.volumes.grid import Grid
from radcurate.volumes.image import read_volume
from radcurate.volumes.masks import read_rois
from radcurate.volumes.problems import VolumeError

GRID = Grid((9, 60, 70), (2.0, 0.8, 0.9), (-20.0, 10.0, 50.0), np.eye(3)[::-1])


def circle(centre: tuple[float, float, float], radius: float, n: int = 200) -> np.ndarray:
    """A circle in mm around an index of `GRID`, in its planes."""
    turn = np.linspace(0, 2 * np.pi, n, endpoint=False)
    points = np.tile(GRID.to_patient(centre), (n, 1))
    return points + radius * np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=1)


def mask_of(*contours: np.ndarray, grid: Grid = GRID) -> np.ndarray:
    return rasterise(contours, grid).mask


@settings(max_examples=40)
@given(st.floats(5, 20), st.floats(28, 32), st.floats(32, 36))
def test_area_of_a_disk(radius: float, row: float, column: float) -> None:
    area = mask_of(circle((4, row, column), radius, 400)).sum() * 0.8 * 0.9
    assert area == pytest.approx(np.pi * radius**2, rel=0.06)


@given(st.floats(-500, 500), st.floats(-500, 500), st.floats(-500, 500))
def test_moving_image_and_contour_together_changes_nothing(x: float, y: float, z: float) -> None:
    contour = circle((4, 30, 35), 12.3)
    moved = Grid(GRID.shape, GRID.spacing, tuple(np.array(GRID.origin) + np.array([x, y, z])), GRID.axes)  # type: ignore[arg-type]
    np.testing.assert_array_equal(mask_of(contour + np.array([x, y, z]), grid=moved), mask_of(contour))


polygon = st.lists(st.tuples(st.integers(-2, 42), st.integers(-2, 42)), min_size=3, max_size=12).map(
    lambda p: np.array(p) / 2.0
)


@given(polygon)
def test_direction_and_first_point_do_not_matter(points: np.ndarray) -> None:
    expected = fill([points], (22, 22))
    np.testing.assert_array_equal(fill([points[::-1]], (22, 22)), expected)
    np.testing.assert_array_equal(fill([np.roll(points, 2, axis=0)], (22, 22)), expected)


@given(polygon)
def test_fill_equals_a_point_by_point_even_odd_test(points: np.ndarray) -> None:
    rows, columns = np.mgrid[:22, :22]
    inside = np.zeros((22, 22), dtype=bool)
    for (r0, c0), (r1, c1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if r0 == r1:
            continue
        crosses = (rows >= min(r0, r1)) & (rows < max(r0, r1))
        inside ^= crosses & (columns >= np.round(c0 + (rows - r0) * (c1 - c0) / (r1 - r0), 6))
    np.testing.assert_array_equal(fill([points], (22, 22)), inside)


def test_neighbours_share_no_voxel_and_leave_no_gap() -> None:
    left = np.array([[2, 2], [2, 10], [10, 10], [10, 2]], dtype=float)
    right = left + np.array([0, 8])
    both = np.array([[2, 2], [2, 18], [10, 18], [10, 2]], dtype=float)
    a, b = fill([left], (30, 30)), fill([right], (30, 30))
    assert not (a & b).any()
    np.testing.assert_array_equal(a | b, fill([both], (30, 30)))
    assert a.sum() == 64


def test_a_ring_by_xor_and_by_keyhole() -> None:
    outer, inner = circle((4, 30, 35), 18), circle((4, 30, 35), 8)
    ring = mask_of(outer) & ~mask_of(inner)
    np.testing.assert_array_equal(mask_of(outer, inner), ring)
    keyhole = np.concatenate([outer, outer[:1], inner[:1], inner[::-1]])
    np.testing.assert_array_equal(mask_of(keyhole), ring)


def test_a_contour_stored_twice_counts_once() -> None:
    contour = circle((4, 30, 35), 18)
    raster = rasterise([contour, contour.copy()], GRID)
    np.testing.assert_array_equal(raster.mask, mask_of(contour))
    assert raster.notes == ["contours_doubled:1"]


def test_a_contour_between_planes_goes_to_the_nearest() -> None:
    expected = mask_of(circle((4, 30, 35), 12))
    for depth in (3.6, 4.4, 4.5):
        np.testing.assert_array_equal(mask_of(circle((depth, 30, 35), 12)), expected)


def test_finer_contours_do_not_cancel_each_other() -> None:
    """Contours on every half plane: those in the planes count, not their exclusive or with the ones between."""
    contours = [circle((2 + 0.5 * n, 30, 35), 12 + n) for n in range(6)]
    raster = rasterise(contours, GRID)
    for plane, radius in ((2, 12), (3, 14), (4, 16)):
        np.testing.assert_array_equal(raster.mask[plane], mask_of(circle((plane, 30, 35), radius))[plane])
    assert raster.notes[0].startswith("contours_between_planes:")


def test_planes_left_out_stay_empty_and_are_noted() -> None:
    raster = rasterise([circle((2, 30, 35), 12), circle((5, 30, 35), 12)], GRID)
    assert raster.mask.any(axis=(1, 2)).nonzero()[0].tolist() == [2, 5]
    assert raster.notes == ["planes_without_contour:2"]


@pytest.mark.parametrize("centre", [(9.2, 30, 35), (-1.0, 30, 35), (4, 2, 35), (4, 30, 500), (4, 30, 67)])
def test_contours_outside_are_refused(centre: tuple[float, float, float]) -> None:
    with pytest.raises(VolumeError) as caught:
        mask_of(circle((4, 30, 35), 9), circle(centre, 9))
    assert caught.value.reason == "contour_outside"


def test_oblique_images_give_the_mask_of_straight_ones() -> None:
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_euler("xyz", (25, -40, 70), degrees=True)
    oblique = Grid(GRID.shape, GRID.spacing, tuple(turn.apply(GRID.origin)), turn.apply(GRID.axes.copy()))
    contours = [circle((depth, 30.2, 35.1), 12.37 + depth) for depth in range(2, 7)]
    turned = [np.round(turn.apply(contour), 4) for contour in contours]
    difference = mask_of(*turned, grid=oblique) ^ mask_of(*contours)
    assert difference.sum() <= 2  # of thousands: centres within the rounding of an edge


def test_axial_contours_on_a_sagittal_image() -> None:
    """A ball drawn on axial planes 2 mm apart, on the same voxels stored sagittally."""
    sagittal = Grid((70, 60, 9), (0.9, 0.8, 2.0), GRID.origin, GRID.axes[[2, 1, 0]])
    contours = [circle((depth, 30.2, 35.1), np.sqrt(81 - (2 * (depth - 4)) ** 2)) for depth in range(1, 8)]
    raster = rasterise(contours, sagittal)
    np.testing.assert_array_equal(raster.mask, mask_of(*contours).transpose(2, 1, 0))
    assert raster.notes == ["contours_oblique"]


def test_contours_at_an_angle_to_the_image() -> None:
    """A ball drawn on planes 2 mm apart that are turned by 30 degrees: every voxel is as near to them as half a distance."""
    from scipy.spatial.transform import Rotation

    turn, radius = Rotation.from_euler("x", 30, degrees=True), 9.0
    centre = GRID.to_patient((4, 30, 35))
    angles = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    rings = []
    for depth in np.arange(-6, 7, 2.0):
        size = np.sqrt(radius**2 - depth**2)
        ring = np.stack([size * np.cos(angles), size * np.sin(angles), np.full(300, depth)], axis=1)
        rings.append(turn.apply(ring) + centre)
    mask = mask_of(*rings)
    away = GRID.to_patient(np.stack(np.meshgrid(*map(np.arange, GRID.shape), indexing="ij"), axis=-1)) - centre
    depth = away @ turn.apply([0.0, 0.0, 1.0])
    level = np.round(depth / 2) * 2
    inside = (np.linalg.norm(away, axis=-1) ** 2 - depth**2 <= radius**2 - level**2) & (np.abs(level) <= 6)
    assert dice(mask, inside) > 0.995


def test_crossing_orientations_are_refused() -> None:
    upright = (
        circle((4, 30, 35), 8)[:, [2, 0, 1]] - GRID.to_patient((4, 30, 35))[[2, 0, 1]] + GRID.to_patient((4, 30, 35))
    )
    with pytest.raises(VolumeError, match="contour_orientation"):
        mask_of(circle((4, 30, 35), 9), upright * (1, 1, 0.5) + (0, 0, 29))


def structure_set(*regions: tuple[str, list[tuple[str, np.ndarray]]]) -> object:
    header = data_set("RTSTRUCT")
    header.StructureSetROISequence = sequence(
        *(item(ROINumber=n, ROIName=name, ROIGenerationAlgorithm="MANUAL") for n, (name, _) in enumerate(regions, 1))
    )
    header.ROIContourSequence = sequence(
        *(
            item(
                ReferencedROINumber=n,
                ContourSequence=sequence(
                    *(
                        item(ContourGeometricType=kind, ContourData=points.round(4).ravel().tolist())
                        for kind, points in drawn
                    )
                ),
            )
            for n, (_, drawn) in enumerate(regions, 1)
        )
    )
    return header


def test_points_and_open_lines_are_counted_and_a_bad_region_spares_the_others(tmp_path: Path) -> None:
    disk = circle((4, 30, 35), 9)
    header = structure_set(
        ("tumour", [("CLOSED_PLANAR", disk), ("POINT", disk[:1]), ("OPEN_PLANAR", disk[:9])]),
        ("beyond", [("CLOSED_PLANAR", disk + np.array([500, 0, 0]))]),
        ("isocentre", [("POINT", disk[:1])]),
    )
    header.save_as(tmp_path / "s.dcm", enforce_file_format=True)  # type: ignore[attr-defined]
    tumour, beyond, isocentre = read_rois(tmp_path / "s.dcm", "rtstruct", GRID)
    assert (tumour.label, tumour.number, tumour.method, tumour.problem) == ("tumour", 1, "MANUAL", None)
    assert tumour.notes == ("contours_ignored:2",)
    np.testing.assert_array_equal(tumour.mask, mask_of(disk.round(4)))
    assert beyond.problem is not None and beyond.problem.reason == "contour_outside" and not beyond.mask.any()
    assert isocentre.problem is not None and isocentre.problem.reason == "empty"


def test_all_regions_bad_is_an_error(tmp_path: Path) -> None:
    header = structure_set(("beyond", [("CLOSED_PLANAR", circle((4, 30, 35), 9) + np.array([500, 0, 0]))]))
    header.save_as(tmp_path / "s.dcm", enforce_file_format=True)  # type: ignore[attr-defined]
    with pytest.raises(VolumeError, match="contour_outside"):
        read_rois(tmp_path / "s.dcm", "rtstruct", GRID)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)))


@pytest.mark.slow
def test_sarcoma_cohort_against_its_nifti_masks(real_data: Path) -> None:
    """Masks made by the IBSI validation study's own pipeline (Zwanenburg 2020, Vallieres 2015)."""
    folder = real_data / "ibsi/ibsi_validation"
    scores = []
    for patient in sorted((folder / "dicom").iterdir()):
        for modality in ("CT", "PET", "MR_T1"):
            grid = read_volume(sorted((patient / modality / "image").glob("*.dcm"))).grid
            (own,) = read_rois(next((patient / modality / "mask").iterdir()), "rtstruct", grid)
            (truth,) = read_rois(folder / "nifti" / patient.name / f"{modality}_mask.nii.gz", "nifti", grid)
            scores.append(dice(own.mask, truth.mask))
    assert len(scores) == 27
    assert min(scores) >= 0.999


def test_ibsi_phantom_against_its_nifti_mask(real_data: Path) -> None:
    folder = real_data / "ibsi/ibsi_1_ct_radiomics_phantom"
    grid = read_volume(sorted((folder / "dicom/image").glob("*.dcm"))).grid
    (own,) = read_rois(next((folder / "dicom/mask").iterdir()), "rtstruct", grid)
    (truth,) = read_rois(folder / "nifti/mask/mask.nii.gz", "nifti", grid)
    np.testing.assert_array_equal(own.mask, truth.mask)

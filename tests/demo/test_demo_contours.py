"""Contours, masks and uptake agree with the truth, read by a few lines that share nothing with the writer."""

from __future__ import annotations

import gzip
from datetime import datetime

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from scipy import ndimage

from radcurate.demo.tracing import outlines


def headers_in_order(cohort, series):
    found = [dcmread(cohort.export / f) for f in series["files"]]
    axes = np.reshape([float(v) for v in found[0].ImageOrientationPatient], (2, 3))
    normal = np.cross(*axes)
    return sorted(found, key=lambda h: float(normal @ [float(v) for v in h.ImagePositionPatient])), axes


def crosses(points, row, column):
    """Even-odd rule at the pixel centres of a plane; points (n, 2) as (row, column)."""
    odd = np.zeros(np.broadcast(row, column).shape, bool)
    for (r0, c0), (r1, c1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if r0 != r1:
            within = (row < max(r0, r1)) & (row >= min(r0, r1))
            odd ^= within & (column < c0 + (row - r0) * (c1 - c0) / (r1 - r0))
    return odd


def mask_of_contour(cohort, contour, image, roi=0):
    headers, axes = headers_in_order(cohort, image)
    shape = (len(headers), headers[0].Rows, headers[0].Columns)
    mask = np.zeros(shape, bool)
    origins = np.array([[float(v) for v in h.ImagePositionPatient] for h in headers])
    spacing = [float(v) for v in headers[0].PixelSpacing]
    row, column = np.ogrid[: shape[1], : shape[2]]
    for item in contour.ROIContourSequence[roi].ContourSequence:
        points = np.reshape([float(v) for v in item.ContourData], (-1, 3))
        distance = (points[0] - origins) @ np.cross(*axes)
        plane = int(np.abs(distance).argmin())
        assert abs(distance[plane]) < 0.01
        local = points - origins[plane]
        mask[plane] ^= crosses(
            np.column_stack([local @ axes[1] / spacing[0], local @ axes[0] / spacing[1]]), row, column
        )
    return mask, np.prod(spacing) * np.median(np.diff(origins @ np.cross(*axes))) / 1000


def images_of(cohort, series):
    return cohort.series(series_uid=series["images"][0])[0]


def test_rtstruct_volumes(cohort):
    drawn = [s for s in cohort.series(kind="rtstruct") if s["images"]]
    assert len(drawn) >= 10
    for series in drawn:
        contour = dcmread(cohort.export / series["files"][0])
        assert [r.ROIName for r in contour.StructureSetROISequence] == [x["label"] for x in series["lesions"]]
        for number, lesion in enumerate(series["lesions"]):
            mask, voxel = mask_of_contour(cohort, contour, images_of(cohort, series), number)
            assert mask.sum() == lesion["voxels"]
            assert mask.sum() * voxel == pytest.approx(lesion["volume_ml"], rel=1e-3)


def test_seg_volumes_and_positions(cohort):
    drawn = cohort.series(kind="seg")
    assert len(drawn) >= 5
    for series in drawn:
        dataset = dcmread(cohort.export / series["files"][0])
        frames = np.reshape(dataset.pixel_array, (-1, dataset.Rows, dataset.Columns))
        segment = [
            int(f.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
            for f in dataset.PerFrameFunctionalGroupsSequence
        ]
        for number, lesion in enumerate(series["lesions"], 1):
            assert frames[np.array(segment) == number].sum() == lesion["voxels"]
        headers, _ = headers_in_order(cohort, images_of(cohort, series))
        at = {tuple(map(float, h.ImagePositionPatient)): h.SOPInstanceUID for h in headers}
        for group in dataset.PerFrameFunctionalGroupsSequence:
            position = tuple(map(float, group.PlanePositionSequence[0].ImagePositionPatient))
            source = group.DerivationImageSequence[0].SourceImageSequence[0]
            assert at[position] == source.ReferencedSOPInstanceUID


def test_nifti_masks_lie_on_their_image(cohort):
    for series in cohort.series(kind="nifti"):
        raw = gzip.decompress((cohort.export / series["files"][0]).read_bytes())
        image = nibabel.Nifti1Image.from_bytes(raw)
        mask = np.asarray(image.dataobj)
        assert mask.sum() == series["lesions"][0]["voxels"]
        assert np.linalg.det(image.affine[:3, :3]).__abs__() / 1000 * mask.sum() == pytest.approx(
            series["lesions"][0]["volume_ml"], rel=1e-4
        )
        headers, _ = headers_in_order(cohort, images_of(cohort, series))
        assert mask.shape == (headers[0].Columns, headers[0].Rows, len(headers))
        first, last = ([float(v) for v in headers[i].ImagePositionPatient] for i in (0, -1))
        here = image.affine @ [0, 0, len(headers) - 1, 1]
        np.testing.assert_allclose(np.multiply(image.affine[:3, 3], (-1, -1, 1)), first, atol=1e-3)
        np.testing.assert_allclose(here[:3] * (-1, -1, 1), last, atol=1e-3)


def references(contour):
    frame = contour.ReferencedFrameOfReferenceSequence[0]
    series = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    inner = {i.ReferencedSOPInstanceUID for i in series.ContourImageSequence}
    return frame.FrameOfReferenceUID, series.SeriesInstanceUID, inner


def test_links_resolve_as_far_as_the_truth_says(cohort):
    seen = set()
    for series in cohort.series(kind="rtstruct"):
        if not series["images"]:
            continue
        headers, _ = headers_in_order(cohort, images_of(cohort, series))
        frame, uid, instances = references(dcmread(cohort.export / series["files"][0]))
        present = {h.SOPInstanceUID for h in headers}
        resolved = (
            "instance"
            if instances <= present
            else "series"
            if uid == headers[0].SeriesInstanceUID
            else "frame_of_reference"
            if frame == headers[0].FrameOfReferenceUID
            else None
        )
        assert resolved == series["link"]
        assert resolved == "instance" or not instances & present
        seen.add(resolved)
    assert seen == {"instance", "series", "frame_of_reference"}


def test_holes_are_second_contours_in_a_plane(cohort):
    kinds = set()
    for series in cohort.series(kind="rtstruct"):
        contour = dcmread(cohort.export / series["files"][0])
        items = contour.ROIContourSequence[0].ContourSequence
        if not series["images"]:
            continue
        mask, _ = mask_of_contour(cohort, contour, images_of(cohort, series))
        hollow = any((ndimage.binary_fill_holes(plane) & ~plane).sum() > 4 for plane in mask)
        if hollow:
            kinds |= {i.ContourGeometricType for i in items}
    assert kinds == {"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"}


def suvbw(header):
    """QIBA's vendor-neutral formula for BQML and START, from the header alone."""
    drug = header.RadiopharmaceuticalInformationSequence[0]
    scan = datetime.strptime(header.SeriesDate + header.SeriesTime[:6], "%Y%m%d%H%M%S")
    if "RadiopharmaceuticalStartDateTime" in drug:
        injected = datetime.strptime(drug.RadiopharmaceuticalStartDateTime[:14], "%Y%m%d%H%M%S")
    else:
        injected = datetime.strptime(header.SeriesDate + drug.RadiopharmaceuticalStartTime[:6], "%Y%m%d%H%M%S")
    left = float(drug.RadionuclideTotalDose) * 2 ** (
        -(scan - injected).total_seconds() / float(drug.RadionuclideHalfLife)
    )
    activity = header.pixel_array * float(header.RescaleSlope) + float(header.RescaleIntercept)
    return activity * float(header.PatientWeight) * 1000 / left


def test_uptake_of_the_lesions(cohort):
    drawn = [s for s in cohort.truth["series"] if s["lesions"] and s["lesions"][0]["suv_max"] is not None]
    assert len(drawn) == 4
    for series in drawn:
        headers, _ = headers_in_order(cohort, images_of(cohort, series))
        assert {h.Units for h in headers} == {"BQML"} and {h.DecayCorrection for h in headers} == {"START"}
        suv = np.stack([suvbw(h) for h in headers])
        hot = suv > 0.45 * suv.max()
        lesion = series["lesions"][0]
        assert suv.max() == pytest.approx(lesion["suv_max"], rel=1e-3)
        assert lesion["suv_max"] > 5 > 3 > np.median(suv[suv > 0.2])
        if series["kind"] == "rtstruct":
            mask, _ = mask_of_contour(cohort, dcmread(cohort.export / series["files"][0]), images_of(cohort, series))
            assert suv[mask].mean() == pytest.approx(lesion["suv_mean"], rel=1e-3)
            assert (hot & mask).sum() > 0.5 * hot.sum()


def test_one_injection_is_before_midnight(cohort):
    days = []
    for series in cohort.series(kind="image", modality="PT"):
        header = dcmread(cohort.export / series["files"][0], stop_before_pixels=True)
        drug = header.RadiopharmaceuticalInformationSequence[0]
        days.append(str(drug.get("RadiopharmaceuticalStartDateTime", header.SeriesDate))[:8] != header.SeriesDate)
    assert sum(days) == 1


def test_pet_and_ct_share_a_frame_of_reference(cohort):
    for pet in cohort.series(kind="image", modality="PT"):
        others = cohort.series(patient=pet["patient"], kind="image", modality="CT")
        frames = {
            dcmread(cohort.export / s["files"][0], stop_before_pixels=True).FrameOfReferenceUID for s in [pet, *others]
        }
        assert others and len(frames) == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9))
def test_outlines_hold_exactly_the_pixels_inside(seed, rows, columns):
    field = np.random.default_rng(seed).normal(size=(rows, columns))
    row, column = np.ogrid[:rows, :columns]
    mask = np.zeros((rows, columns), bool)
    for outline in outlines(field):
        mask ^= crosses(outline, row, column)
    np.testing.assert_array_equal(mask, field < 0)

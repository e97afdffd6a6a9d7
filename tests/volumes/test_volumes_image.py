"""Reading images: order, rescale, stored bits, multi-frame, refusals."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from volume_files import data_set, item, plane, put_pixels, save, sequence

from radcurate.volumes.image import Volume, read_volume, stored_frames
from radcurate.volumes.problems import VolumeError

RANDOM = np.random.default_rng(5)
STACK = RANDOM.integers(0, 3000, (5, 6, 4)).astype(np.int16)


def reason(paths: list[Path], **options: Any) -> str:
    with pytest.raises(VolumeError) as caught:
        read_volume(paths, **options)
    return caught.value.reason


def stack(folder: Path, depths: list[float] | None = None, modality: str = "CT", **attributes: Any) -> list[Path]:
    depths = depths if depths is not None else [2.0 * number for number in range(len(STACK))]
    return save(folder, [plane(STACK[n % 5], (-3, 7, depth), modality, **attributes) for n, depth in enumerate(depths)])


def test_planes_are_sorted_by_position_whatever_the_files_order(tmp_path: Path) -> None:
    paths = stack(tmp_path)
    volume = read_volume([paths[n] for n in (3, 0, 4, 2, 1)])
    np.testing.assert_array_equal(volume.values, STACK.astype(float) - 1024)
    assert volume.paths == tuple(paths)
    assert (volume.unit, volume.values.dtype) == ("HU", np.float32)
    assert (volume.grid.spacing, volume.grid.origin) == ((2, 1.5, 0.75), (-3, 7, 0))
    np.testing.assert_array_equal(volume.grid.to_patient([1, 2, 3]), [-3 + 3 * 0.75, 7 + 2 * 1.5, 2])


def test_slopes_differ_per_slice_and_keep_double_precision(tmp_path: Path) -> None:
    slopes = [0.1 * (number + 1) for number in range(5)]
    planes = [plane(STACK[n], (0, 0, 2.0 * n), "MR", RescaleSlope=slopes[n], RescaleIntercept=n) for n in range(5)]
    volume = read_volume(save(tmp_path, planes))
    expected = STACK * np.round(slopes, 10)[:, None, None] + np.arange(5)[:, None, None]
    assert volume.values.dtype == np.float64
    np.testing.assert_allclose(volume.values, expected, rtol=1e-12)


def test_bits_outside_of_bits_stored_do_not_count(tmp_path: Path) -> None:
    signed = np.array([[-2048, -1], [0, 2047]], dtype=np.int16)
    dirty = ((signed.astype(np.uint16) & 0x0FFF) | 0xA000).astype(np.uint16)  # twelve bits, junk above
    content = plane(dirty.view(np.int16), (0, 0, 0), BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(read_volume(save(tmp_path, [content])).values[0], signed - 1024)


def test_unsigned_values_and_padding_are_left_as_they_are(tmp_path: Path) -> None:
    stored = np.array([[0, 65535], [63536, 7]], dtype=np.uint16)
    content = plane(stored, (0, 0, 0), RescaleIntercept=0, PixelPaddingValue=63536)
    np.testing.assert_array_equal(read_volume(save(tmp_path, [content])).values[0], stored.astype(float))


@pytest.mark.parametrize(
    ("depths", "wanted"),
    [([0, 2, 4, 8, 10], "slice_gap"), ([0, 2, 2, 4, 6], "duplicate_position"), ([0, 2, 4, 6, 9], "slice_gap")],
)
def test_uneven_stacks_are_refused(tmp_path: Path, depths: list[float], wanted: str) -> None:
    assert reason(stack(tmp_path, depths)) == wanted


def test_positions_with_one_decimal_are_even_enough(tmp_path: Path) -> None:
    assert read_volume(stack(tmp_path, [round(1.25 * n - 0.01, 1) for n in range(8)])).grid.spacing[0] == pytest.approx(
        1.25, abs=0.01
    )


def test_gantry_tilt_is_refused_unless_wanted(tmp_path: Path) -> None:
    paths = save(tmp_path, [plane(STACK[n], (0, 0.4 * n, 2.0 * n)) for n in range(5)])
    assert reason(paths) == "gantry_tilt"
    volume = read_volume(paths, allow_tilt=True)
    np.testing.assert_allclose(volume.grid.to_patient([4, 0, 0]), [0, 1.6, 8])


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, "mixed_orientation"),
        ({"PixelSpacing": [1.5, 0.8]}, "mixed_size"),
        ({"ImagePositionPatient": [5, 7, 4]}, "slice_gap"),
        ({"ImagePositionPatient": None}, "no_geometry"),
        ({"RescaleSlope": None}, "no_rescale"),
        ({"PixelData": b"\0" * 20}, "pixels_unreadable"),
    ],
)
def test_what_can_not_be_a_volume_is_named(tmp_path: Path, change: dict[str, Any], wanted: str) -> None:
    planes = [plane(STACK[n], (-3, 7, 2.0 * n)) for n in range(5)]
    for name, value in change.items():
        setattr(planes[2], name, value)
    assert reason(save(tmp_path, planes)) == wanted


def test_no_pixels_and_colour(tmp_path: Path) -> None:
    planes = [plane(STACK[n], (-3, 7, 2.0 * n)) for n in range(2)]
    del planes[1].PixelData
    assert reason(save(tmp_path, planes)) == "no_pixels"
    colour = plane(np.zeros((4, 6), dtype=np.uint8), (0, 0, 0), SamplesPerPixel=3, PhotometricInterpretation="RGB")
    assert reason(save(tmp_path, [colour])) == "colour"


def test_multi_frame_with_functional_groups_in_any_order(tmp_path: Path) -> None:
    order = [2, 0, 4, 1, 3]
    content = data_set("MR")
    put_pixels(content, STACK[order])
    content.NumberOfFrames = 5
    measures = item(PixelSpacing=[1.5, 0.75], SliceThickness=2)
    content.SharedFunctionalGroupsSequence = sequence(
        item(
            PixelMeasuresSequence=sequence(measures),
            PlaneOrientationSequence=sequence(item(ImageOrientationPatient=[0, 1, 0, 0, 0, -1])),
        )
    )
    content.PerFrameFunctionalGroupsSequence = sequence(
        *(
            item(
                PlanePositionSequence=sequence(item(ImagePositionPatient=[-2.0 * n, 5, 6])),
                PixelValueTransformationSequence=sequence(item(RescaleSlope=n + 1, RescaleIntercept=0)),
            )
            for n in order
        )
    )
    volume = read_volume(save(tmp_path, [content]))
    np.testing.assert_array_equal(volume.values, STACK * np.arange(1, 6)[:, None, None].astype(float))
    np.testing.assert_allclose(volume.grid.axes, [[-1, 0, 0], [0, 0, -1], [0, 1, 0]], atol=1e-12)


@pytest.mark.parametrize(
    "syntax",
    ["RLELossless", "DeflatedExplicitVRLittleEndian", "ExplicitVRBigEndian"],
)
def test_transfer_syntaxes_decode_to_the_same_values(tmp_path: Path, syntax: str) -> None:
    planes = [plane(STACK[n], (0, 0, 2.0 * n)) for n in range(5)]
    uid = getattr(pydicom.uid, syntax)
    for content in planes:
        if uid.is_encapsulated:
            content.compress(uid)
    if uid.is_encapsulated:
        paths = save(tmp_path, planes)
    else:
        paths = [tmp_path / f"{n}.dcm" for n in range(5)]
        for path, content in zip(paths, planes, strict=True):
            if not uid.is_little_endian:
                content.PixelData = content.pixel_array.astype(">i2").tobytes()
            content.file_meta.TransferSyntaxUID = uid
            big = not uid.is_little_endian
            pydicom.dcmwrite(path, content, implicit_vr=False, little_endian=not big, force_encoding=True)
    np.testing.assert_array_equal(read_volume(paths).values, STACK.astype(float) - 1024)


@pytest.mark.parametrize(
    ("plain", "packed"),
    [
        ("MR_small.dcm", "MR_small_RLE.dcm"),
        ("MR_small.dcm", "MR_small_jp2klossless.dcm"),
        ("MR_small.dcm", "MR_small_jpeg_ls_lossless.dcm"),
        ("MR_small.dcm", "MR_small_bigendian.dcm"),
        ("emri_small.dcm", "emri_small_jpeg_2k_lossless.dcm"),
        ("emri_small.dcm", "emri_small_RLE.dcm"),
        ("emri_small.dcm", "emri_small_jpeg_ls_lossless.dcm"),
    ],
)
def test_real_compressed_files_hold_the_values_of_the_plain_ones(real_data: Path, plain: str, packed: str) -> None:
    """Pairs made by the authors of pydicom."""
    found = [sorted(real_data.glob(f"pydicom_*/**/{name}")) for name in (plain, packed)]
    if not all(found):
        pytest.skip("this pair isn't among the real data")
    first, second = (list(stored_frames(pydicom.dcmread(paths[0]))) for paths in found)
    assert len(first) == len(second) > 0
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_reason_survives_a_process_pool() -> None:
    error = VolumeError("slice_gap", "planes", wanted="a", found="b", fix="c")
    again = pickle.loads(pickle.dumps(error))
    assert (again.reason, again.text()) == ("slice_gap", error.text())


def test_real_enhanced_and_classic_read_alike(real_data: Path) -> None:
    folder = real_data / "dcmqi/data/segmentations/24x38x3"
    classic: Volume = read_volume(sorted((folder / "image").glob("*.dcm")))
    enhanced = read_volume([folder / "multiframe/mf.dcm"])
    assert classic.grid.equal_to(enhanced.grid)
    np.testing.assert_array_equal(classic.values, enhanced.values)

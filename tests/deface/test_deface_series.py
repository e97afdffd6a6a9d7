"""Only masked voxels of a file change; every other byte stays."""

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from deface_tools import write_dicom
from radcurate.deface.series import compare, load, write_masked
from radcurate.deface.stack import Stack
from radcurate.volumes.grid import Grid
from radcurate.volumes.overlap import overlap
from radcurate.volumes.problems import VolumeError

PLAIN = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]


def small(seed=0, shape=(4, 6, 5)):
    values = np.random.default_rng(seed).integers(0, 900, shape).astype(np.float32)
    origins = np.array([[-3.0, 4.0, 2.5 * k] for k in range(shape[0])])
    return Stack(values, origins, np.array([0.0, 1.5, 0.0]), np.array([1.25, 0.0, 0.0]))


def some_mask(shape=(4, 6, 5)):
    mask = np.zeros(shape, bool)
    mask[1:3, 2:5, 1:4] = True
    return mask


def written(tmp_path, loaded, mask, modality):
    out = tmp_path / "out"
    out.mkdir()
    changed = write_masked(loaded, mask, modality, out)
    return [out / path.name if path.name in changed else path for path in loaded.paths], changed


@pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
@pytest.mark.parametrize("syntax", [*PLAIN, RLELossless, DeflatedExplicitVRLittleEndian], ids=lambda uid: uid.name[:22])
@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_only_masked_voxels_change(tmp_path, modality, syntax, signed):
    loaded = load(write_dicom(small(), tmp_path / "in", modality, syntax, signed=signed))
    mask = some_mask()
    files, changed = written(tmp_path, loaded, mask, modality)
    assert len(changed) == 2
    again = load(files)
    fill = -1000 if modality == "CT" else 0
    assert np.array_equal(again.stack.values[~mask], loaded.stack.values[~mask])
    assert (again.stack.values[mask] == fill).all()
    identity, stack = compare(loaded, files, mask, modality)
    assert identity.outside_equal and identity.inside_filled
    assert np.array_equal(stack.values, again.stack.values)


@pytest.mark.parametrize("syntax", PLAIN, ids=lambda uid: uid.name[:22])
def test_no_byte_outside_the_masked_words_changes(tmp_path, syntax):
    paths = write_dicom(small(), tmp_path / "in", "MR", syntax)
    with paths[1].open("ab") as stream:
        stream.write(b"\xfc\xff\xfc\xff\x00\x00\x00\x00" if syntax == ImplicitVRLittleEndian else b"")
    before = paths[1].read_bytes()
    loaded = load(paths)
    files, _ = written(tmp_path, loaded, some_mask(), "MR")
    after = files[1].read_bytes()
    assert len(after) == len(before)
    different = sum(a != b for a, b in zip(before, after, strict=True))
    assert 0 < different <= 2 * some_mask()[1].sum()


@pytest.mark.parametrize(
    ("syntax", "new"),
    [(RLELossless, RLELossless), (DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian)],
    ids=["coded anew", "decoded"],
)
def test_a_rewritten_file_is_valid_and_keeps_its_header(tmp_path, syntax, new):
    loaded = load(write_dicom(small(), tmp_path / "in", "CT", syntax, said="CHEST"))
    files, _ = written(tmp_path, loaded, some_mask(), "CT")
    before, after = pydicom.dcmread(loaded.paths[1]), pydicom.dcmread(files[1])
    assert after.file_meta.TransferSyntaxUID == new
    assert after.file_meta.MediaStorageSOPInstanceUID == before.SOPInstanceUID == after.SOPInstanceUID
    del before.PixelData, after.PixelData
    assert before == after


def test_a_lost_voxel_is_noticed(tmp_path):
    paths = write_dicom(small(), tmp_path / "in", "MR")
    loaded, mask = load(paths), some_mask()
    files, _ = written(tmp_path, loaded, mask, "MR")
    header = pydicom.dcmread(files[1])
    values = header.pixel_array.copy()
    values[0, 0] += 1
    header.PixelData = values.tobytes()
    header.save_as(files[1])
    identity, _ = compare(loaded, files, mask, "MR")
    assert not identity.outside_equal and identity.inside_filled
    identity, _ = compare(loaded, list(loaded.paths), mask, "MR")
    assert identity.outside_equal and not identity.inside_filled


def test_times_series_change_at_each_time(tmp_path):
    paths = write_dicom(small(0), tmp_path / "one", "MR") + write_dicom(small(1), tmp_path / "two", "MR")
    for path in paths[4:]:
        path.rename(path.with_name("1" + path.name[1:]))
    paths = sorted((tmp_path / "one").iterdir()) + sorted((tmp_path / "two").iterdir())
    loaded = load(paths)
    assert loaded.stack.values.shape[0] == 4 and all(len(place) == 2 for place in loaded.frames)
    _, changed = written(tmp_path, loaded, some_mask(), "MR")
    assert len(changed) == 4


def test_planes_that_are_not_parallel_are_refused(tmp_path):
    paths = write_dicom(small(), tmp_path / "in", "MR")
    header = pydicom.dcmread(paths[0])
    header.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    header.save_as(paths[0])
    with pytest.raises(VolumeError) as caught:
        load(paths)
    assert caught.value.reason == "mixed_orientation"


def test_the_grid_is_that_of_the_planes(tmp_path):
    loaded = load(write_dicom(small(), tmp_path / "in", "MR"))
    expected = Grid((4, 6, 5), (2.5, 1.5, 1.25), (-3.0, 4.0, 0.0), np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]]))
    assert loaded.grid().equal_to(expected)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 7), min_size=6, max_size=6), st.floats(0.5, 3))
def test_overlap_and_distance_agree_with_all_pairs(places, spacing):
    mask, region = np.zeros((8, 8, 8), bool), np.zeros((8, 8, 8), bool)
    mask[tuple(places[:3])] = region[tuple(places[3:])] = True
    grid = Grid((8, 8, 8), (spacing, 1.0, 2.0), (0.0, 0.0, 0.0), np.eye(3))
    found = overlap(mask, [region], grid)
    apart = np.linalg.norm((np.array(places[:3]) - places[3:]) * [spacing, 1.0, 2.0])
    assert found.voxels == int(apart == 0)
    assert found.distance == pytest.approx(apart)

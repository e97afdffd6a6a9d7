"""Reading a series with equal elements read once, against pydicom reading each file alone."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.pixels import iter_pixels
from volume_files import plane, save

from radcurate.volumes.contours import read_structures
from radcurate.volumes.instances import native_frames, read_instances


def series(folder: Path) -> list[Path]:
    values = np.arange(24, dtype=np.int16).reshape(4, 6)
    return save(folder, [plane(values + 7 * place, (0, 0, 2 * place)) for place in range(3)])


def test_files_read_as_pydicom_reads_them(tmp_path: Path) -> None:
    paths = series(tmp_path)
    for found, path in zip(read_instances(paths), paths, strict=True):
        assert found == pydicom.dcmread(path)


@pytest.mark.parametrize("folder", ["ibsi/ibsi_validation/dicom/STS_001", "pydicom_testfiles", "fnndsc_data"])
def test_real_files_read_as_pydicom_reads_them(real_data: Path, folder: str) -> None:
    paths = [path for path in sorted((real_data / folder).rglob("*")) if path.is_file()][:250]
    compared = 0
    for path in paths:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                wanted = pydicom.dcmread(path, force=True)
                shown = [str(element) for element in wanted]
            except Exception:  # what pydicom can't read is none of our business here
                continue
            (found,) = read_instances([path])
            assert [str(element) for element in found] == shown, path.name
            frames = native_frames(found)
            if frames is not None:
                assert all(np.array_equal(a, b) for a, b in zip(iter_pixels(wanted, raw=True), frames, strict=True))
        compared += 1
    assert compared > 40


def test_a_change_to_one_file_is_seen(tmp_path: Path) -> None:
    paths = series(tmp_path)
    changed = pydicom.dcmread(paths[1])
    changed.RescaleSlope = 3
    changed.save_as(paths[1])
    assert [float(header.RescaleSlope) for header in read_instances(paths)] == [1, 3, 1]


@pytest.mark.parametrize(
    "change",
    [{"BitsAllocated": 12}, {"Rows": 5}, {"SamplesPerPixel": 3}, {"PixelRepresentation": None}],
)
def test_frames_that_do_not_fit_are_left_to_pydicom(tmp_path: Path, change: dict[str, object]) -> None:
    (path, *_) = series(tmp_path)
    header = read_instances([path])[0]
    assert native_frames(header) is not None
    for name, value in change.items():
        setattr(header, name, value)
    assert native_frames(header) is None


def test_contour_numbers_are_those_of_decimal_strings() -> None:
    written = b"1.5\\-2\\ 3e-1 \\4\\5\\6.25\\7\\8\\9 "
    contour = pydicom.Dataset()
    contour.ContourGeometricType = "CLOSED_PLANAR"
    item = pydicom.Dataset()
    item.ROINumber, item.ROIName = 1, "GTV"
    contours = pydicom.Dataset()
    contours.ReferencedROINumber, contours.ContourSequence = 1, [contour]
    header = pydicom.Dataset()
    header.StructureSetROISequence, header.ROIContourSequence = [item], [contours]
    tag = pydicom.tag.Tag("ContourData")
    raw = pydicom.dataelem.RawDataElement(tag, "DS", len(written), written, 0, False, True)
    contour._dict[tag] = raw
    (found,) = read_structures(header)
    assert found.contours[0].tolist() == [[1.5, -2, 0.3], [4, 5, 6.25], [7, 8, 9]]

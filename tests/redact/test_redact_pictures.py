"""Reading pictures: every way to store them, and each reason not to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import uid
from pydicom.dataset import Dataset

from radcurate.redact.found import Box, Place
from radcurate.redact.pictures import open_series
from radcurate.volumes import stored
from radcurate.volumes.problems import VolumeError
from redact.redact_files import plane, write_image

SYNTAXES = [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, "1.2.840.10008.1.2.1.98"]


def noise(shape: tuple[int, ...], kind: str, bits: int, seed: int = 0) -> np.ndarray[Any, Any]:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if kind == "i" else (0, 2**bits)
    width = 8 if bits <= 8 else 16 if bits <= 16 else 32
    return np.random.default_rng(seed).integers(low, high, shape).astype(f"{kind}{width // 8}")


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(SYNTAXES),
    st.sampled_from(["u", "i"]),
    st.integers(2, 32),
    st.sampled_from([1, 3]),
    st.integers(0, 1),
    st.integers(1, 3),
)
def test_values_come_back(
    tmp_path_factory: pytest.TempPathFactory, syntax: str, kind: str, bits: int, samples: int, planar: int, frames: int
) -> None:
    values = noise((frames, 5, 7, 3) if samples == 3 else (frames, 5, 7), "u" if samples == 3 else kind, bits)
    coded = None
    if syntax == SYNTAXES[-1]:
        ordered = np.moveaxis(values, -1, 1) if samples == 3 and planar else values
        coded = [np.ascontiguousarray(frame).tobytes() for frame in ordered]
    path = tmp_path_factory.mktemp("x") / "a.dcm"
    write_image(path, values, syntax=syntax, stored=bits, planar=planar, coded=coded)
    pictures = open_series([path])
    assert pictures.places == [Place(0, frame) for frame in range(frames)]
    for number, picture in enumerate(pictures):
        assert np.array_equal(picture.values, values[number])
        assert picture.values.dtype.isnative
        assert picture.beyond is None


def test_what_stands_in_unused_bits_is_drawn(tmp_path: Path) -> None:
    values = noise((1, 40, 50), "u", 12)
    drawn = np.zeros((40, 50), dtype=bool)
    drawn[10:20, 5:30] = True
    written = values | (drawn.astype(np.uint16) << 12)
    picture = next(iter(open_series([write_image(tmp_path / "a", written, stored=12)])))
    assert np.array_equal(picture.values, values[0])
    assert picture.beyond is not None
    assert np.array_equal(picture.beyond, drawn)


def test_the_sign_and_padding_are_nothing_beyond(tmp_path: Path) -> None:
    values = noise((1, 40, 50), "i", 12)
    unsigned = noise((1, 40, 50), "u", 12)
    unsigned[0, :3] = 0xF830
    pictures = [
        open_series([write_image(tmp_path / "a", values, stored=12)]),
        open_series([write_image(tmp_path / "b", values & 0xFFF, stored=12)]),
        open_series([write_image(tmp_path / "c", unsigned, stored=12, PixelPaddingValue=0xF830)]),
    ]
    assert all(next(iter(found)).beyond is None for found in pictures)
    assert np.array_equal(next(iter(pictures[1])).values, values[0])


def test_an_overlay_is_drawn_on_its_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    drawn = np.zeros((6, 8), dtype=bool)
    drawn[2:4, 1:7] = True
    write_image(path, noise((3, 20, 30), "u", 8))
    dataset = stored.pydicom.dcmread(path)
    for element, vr, value in [
        (0x10, "US", 6),
        (0x11, "US", 8),
        (0x50, "SS", [3, -1]),
        (0x15, "IS", 1),
        (0x51, "US", 2),
    ]:
        dataset.add_new((0x6002, element), vr, value)
    dataset.add_new((0x6002, 0x3000), "OW", np.packbits(drawn.ravel(), bitorder="little").tobytes())
    dataset.save_as(path)
    found = [picture.beyond for picture in open_series([path])]
    assert found[0] is None and found[2] is None
    expected = np.zeros((20, 30), dtype=bool)
    expected[2:8, :6] = drawn[:, 2:]
    assert np.array_equal(found[1], expected)


def test_a_palette_comes_with_its_first_index(tmp_path: Path) -> None:
    table = np.arange(16, dtype=np.uint16) * 257 * 16
    more = {}
    for colour in ("Red", "Green", "Blue"):
        more[f"{colour}PaletteColorLookupTableDescriptor"] = [16, 4, 16]
        more[f"{colour}PaletteColorLookupTableData"] = table.tobytes()
    path = write_image(tmp_path / "a", noise((1, 9, 9), "u", 4), photometric="PALETTE COLOR", **more)
    picture = next(iter(open_series([path])))
    assert picture.first_index == 4
    assert picture.palette is not None
    assert np.array_equal(picture.palette[:, 1], table >> 8)


def test_regions_of_ultrasound_without_nonsense(tmp_path: Path) -> None:
    def region(x0: int, y0: int, x1: int, y1: int, form: int = 1) -> Dataset:
        item = Dataset()
        item.RegionSpatialFormat = form
        item.RegionLocationMinX0, item.RegionLocationMinY0 = x0, y0
        item.RegionLocationMaxX1, item.RegionLocationMaxY1 = x1, y1
        return item

    regions = [
        region(2, 3, 10, 8),
        region(9, 9, 3, 12),
        region(0, 0, 500, 500),
        region(60, 60, 70, 70),
        region(0, 0, 5, 5, 5),
    ]
    path = write_image(tmp_path / "a", noise((1, 20, 30), "u", 8), SequenceOfUltrasoundRegions=regions)
    assert next(iter(open_series([path]))).regions == (Box(3, 2, 9, 11), Box(0, 0, 20, 30))


def test_planes_are_in_order_along_their_normal(tmp_path: Path) -> None:
    distances = [4.0, 1.0, 3.0, 0.0, 2.0]
    files = [write_image(tmp_path / f"{n}", noise((1, 6, 6), "u", 8), **plane(d)) for n, d in enumerate(distances)]
    pictures = open_series(files[::-1])
    assert pictures.volume
    assert [distances[place.file] for place in pictures.places] == [0.0, 1.0, 2.0, 3.0, 4.0]
    twice = [write_image(tmp_path / f"{n}b", noise((1, 6, 6), "u", 8), **plane(d)) for n, d in enumerate(distances)]
    phases = open_series([*files, *twice])
    assert [place.file for place in phases.places[:5]] == [6, 2, 8, 4, 0]
    assert not open_series(files[:4]).volume
    other = write_image(tmp_path / "9", noise((1, 6, 7), "u", 8), **plane(9.0))
    assert not open_series([*files, other]).volume


BAD: list[tuple[str, dict[str, Any]]] = [
    ("no_frames", {"NumberOfFrames": 0}),
    ("pixel_layout", {"Rows": 0}),
    ("pixel_layout", {"BitsStored": 20, "HighBit": 19}),
    ("unknown_photometric", {"PhotometricInterpretation": "HSV"}),
    ("unknown_photometric", {"SamplesPerPixel": 4}),
    ("too_small", {"Rows": 1, "Columns": 1}),
    ("pixel_data_short", {"Rows": 60}),
    ("frame_too_large", {"Rows": 60_000, "Columns": 60_000}),
    ("palette", {"PhotometricInterpretation": "PALETTE COLOR"}),
]


@pytest.mark.parametrize(("reason", "more"), BAD, ids=[f"{reason}-{next(iter(more))}" for reason, more in BAD])
def test_bad_input_has_its_reason(tmp_path: Path, reason: str, more: dict[str, Any]) -> None:
    path = write_image(tmp_path / "a", noise((1, 20, 30), "u", 12), stored=12, **more)
    with pytest.raises(VolumeError) as told:
        open_series([path])
    assert told.value.reason == reason


def test_no_pixels_no_header_no_codestream(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a", noise((1, 20, 30), "u", 8))
    dataset = stored.pydicom.dcmread(path)
    del dataset.PixelData
    dataset.save_as(tmp_path / "none")
    dataset.FloatPixelData = np.zeros((20, 30), np.float32).tobytes()
    dataset.save_as(tmp_path / "float")
    (tmp_path / "text").write_bytes(b"")
    for name, reason in [("none", "no_pixels"), ("float", "float_pixels"), ("text", "unreadable_header")]:
        with pytest.raises(VolumeError) as told:
            open_series([tmp_path / name])
        assert told.value.reason == reason
    for frame, reason in [(b"\xff\x4f\xff\x51 broken", "pixels_unreadable"), (b"\0\0", "frame_empty")]:
        coded = write_image(tmp_path / "c", noise((1, 20, 30), "u", 8), syntax=uid.JPEG2000Lossless, coded=[frame])
        pictures = open_series([coded])
        with pytest.raises(VolumeError) as told:
            pictures.read(Place(0, 0))
        assert told.value.reason == reason
    two = write_image(
        tmp_path / "d", noise((2, 20, 30), "u", 8), syntax=uid.JPEG2000Lossless, coded=[b"\xff\x4f\xff\x51"]
    )
    with pytest.raises(VolumeError) as told:
        open_series([two]).read(Place(0, 1))
    assert told.value.reason == "pixels_unreadable"

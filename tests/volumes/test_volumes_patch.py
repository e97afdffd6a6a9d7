"""New values in single pixels: nothing else of a file changes, whatever way its pixels are stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import uid
from pydicom.pixels import get_encoder

from radcurate.volumes.patch import Patch, patch_file, patched
from radcurate.volumes.problems import VolumeError
from radcurate.volumes.stored import Reader, beyond, open_pixels, value_bits
from redact.redact_files import JPEG_BASELINE, write_image

PLAIN = [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian]


def frames_of(path: Path) -> list[np.ndarray[Any, Any]]:
    pixels, _ = open_pixels(path)
    reader = Reader(pixels)
    return [value_bits(reader.words(frame)[0], pixels) for frame in range(pixels.frames)]


def noise(shape: tuple[int, ...], kind: str, bits: int, seed: int = 0) -> np.ndarray[Any, Any]:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if kind == "i" else (0, 2**bits)
    return (
        np.random.default_rng(seed)
        .integers(low, high, shape)
        .astype(f"{kind}{1 if bits <= 8 else 2 if bits <= 16 else 4}")
    )


def some_patch(values: np.ndarray[Any, Any], seed: int = 1) -> Patch:
    """New values in most of a part."""
    generator = np.random.default_rng(seed)
    part = values[2:7, 3:9]
    return Patch(2, 3, generator.permutation(part.ravel()).reshape(part.shape), generator.random(part.shape[:2]) < 0.8)


def inside(values: np.ndarray[Any, Any], patch: Patch) -> np.ndarray[Any, Any]:
    mask = np.zeros(values.shape[:2], dtype=bool)
    mask[patch.part] = patch.mask
    return mask


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(PLAIN),
    st.sampled_from(["u", "i"]),
    st.integers(2, 32),
    st.sampled_from([1, 3]),
    st.integers(0, 1),
    st.integers(0, 4),
    st.booleans(),
)
def test_no_byte_beside_the_words_changes(
    tmp_path_factory: pytest.TempPathFactory,
    syntax: str,
    kind: str,
    bits: int,
    samples: int,
    planar: int,
    lift: int,
    wide: bool,
) -> None:
    folder = tmp_path_factory.mktemp("x")
    values = noise((3, 9, 11, 3) if samples == 3 else (3, 9, 11), "u" if samples == 3 else kind, bits)
    lift = min(lift, values.dtype.itemsize * 8 - bits)
    words = values << values.dtype.type(lift)
    path = write_image(folder / "a", words, syntax=syntax, stored=bits, high=bits + lift - 1, planar=planar, wide=wide)
    patch = some_patch(values[1])
    before = path.read_bytes()
    written = patch_file(path, folder / "b", {1: [patch]})
    assert path.read_bytes() == before
    after = (folder / "b").read_bytes()
    assert len(after) == len(before)
    differing = sum(a != b for a, b in zip(before, after, strict=True))
    assert differing <= patch.mask.sum() * samples * values.dtype.itemsize
    found = frames_of(folder / "b")
    expected = patched(values[1], [patch])
    assert np.array_equal(found[1], expected)
    assert np.array_equal(found[0], values[0]) and np.array_equal(found[2], values[2])
    moved = (expected != values[1]).any(axis=-1) if samples == 3 else expected != values[1]
    assert written.how == "patched"
    assert written.changed == moved.sum()


def test_nothing_stays_in_unused_bits_of_changed_pixels(tmp_path: Path) -> None:
    values = noise((1, 9, 11), "u", 12)
    path = write_image(tmp_path / "a", values | np.uint16(0x5000), stored=12)
    patch = Patch(2, 3, values[0, 2:7, 3:9], np.ones((5, 6), dtype=bool))
    written = patch_file(path, tmp_path / "b", {0: [patch]})
    pixels, _ = open_pixels(tmp_path / "b")
    odd = beyond(Reader(pixels).words(0)[0], pixels)
    assert odd is not None
    assert np.array_equal(odd, ~inside(values[0], patch))
    assert written.changed == 0  # no value did


def test_a_link_to_the_source_is_replaced_and_not_written_to(tmp_path: Path) -> None:
    values = noise((1, 9, 11), "u", 8)
    path = write_image(tmp_path / "a", values)
    before = path.read_bytes()
    (tmp_path / "b").hardlink_to(path)
    patch_file(path, tmp_path / "b", {0: [some_patch(values[0])]})
    assert path.read_bytes() == before != (tmp_path / "b").read_bytes()


def j2k(frame: np.ndarray[Any, Any], photometric: str, stored: int, lossy: bool = False) -> bytes:
    """A frame as JPEG 2000; lossy at 20:1."""
    encoder = get_encoder(uid.JPEG2000 if lossy else uid.JPEG2000Lossless)
    more: dict[str, Any] = {"compression_ratios": [20]} if lossy else {}
    return bytes(
        encoder.encode(
            frame, rows=frame.shape[0], columns=frame.shape[1], samples_per_pixel=3 if frame.ndim == 3 else 1,
            number_of_frames=1, bits_allocated=frame.dtype.itemsize * 8, bits_stored=stored,
            pixel_representation=int(frame.dtype.kind == "i"), planar_configuration=0, photometric_interpretation=photometric,
            **more,
        )
    )  # fmt: skip


def smooth(shape: tuple[int, ...], kind: str, top: int) -> np.ndarray[Any, Any]:
    grid = np.add.outer(np.arange(shape[1]), np.arange(shape[2]))
    values = (np.sin(grid / 9.0) + 1) / 2 * top
    stacked = np.stack([np.roll(values, 3 * frame, 1) for frame in range(shape[0])])
    stacked = np.stack([stacked, stacked[..., ::-1], stacked / 2], axis=-1) if len(shape) == 4 else stacked
    return (stacked + np.random.default_rng(3).integers(0, 5, shape)).astype(kind)


@pytest.mark.parametrize(
    ("photometric", "shape", "kind", "stored", "lossy"),
    [
        ("MONOCHROME2", (3, 40, 50), "u1", 8, True),
        ("MONOCHROME1", (3, 40, 50), "u2", 12, True),
        ("MONOCHROME2", (3, 40, 50), "i2", 16, False),
        ("YBR_RCT", (3, 40, 50, 3), "u1", 8, False),
        ("RGB", (3, 40, 50, 3), "u1", 8, False),
    ],
)
def test_other_frames_of_jpeg_2000_keep_their_code(
    tmp_path: Path, photometric: str, shape: tuple[int, ...], kind: str, stored: int, lossy: bool
) -> None:
    values = smooth(shape, kind, 200 if stored == 8 else 3000)
    coded = [j2k(frame, photometric, stored, lossy) for frame in values]
    syntax = uid.JPEG2000 if lossy else uid.JPEG2000Lossless
    path = write_image(
        tmp_path / "a",
        values,
        syntax=syntax,
        stored=stored,
        photometric=photometric,
        coded=coded,
        LossyImageCompression="01",
    )
    before = frames_of(path)
    patch = some_patch(before[1])
    written = patch_file(path, tmp_path / "b", {1: [patch]})
    assert written.how == "recoded"
    after = frames_of(tmp_path / "b")
    assert np.array_equal(after[1], patched(before[1], [patch]))
    assert np.array_equal(after[0], before[0]) and np.array_equal(after[2], before[2])
    old, new = (Reader(open_pixels(tmp_path / name)[0]).coded() for name in "ab")
    assert new[0] == old[0] and new[2] == old[2] and new[1] != old[1]
    header = pydicom.dcmread(tmp_path / "b")
    assert header.LossyImageCompression == "01"
    assert np.array_equal(pydicom.pixels.pixel_array(header, raw=True, index=1), after[1])


@pytest.mark.parametrize("shape", [(3, 40, 50), (3, 40, 50, 3)], ids=["grey", "colour"])
@pytest.mark.parametrize("syntax", [uid.RLELossless, "1.2.840.10008.1.2.1.98", "1.2.840.10008.1.2.8.1"])
def test_other_ways_without_loss(tmp_path: Path, syntax: str, shape: tuple[int, ...]) -> None:
    import zlib

    values = smooth(shape, "u1" if len(shape) == 4 else "u2", 200)
    if syntax == uid.RLELossless:
        options: dict[str, Any] = {
            "rows": 40, "columns": 50, "samples_per_pixel": (values.ndim == 4 and 3) or 1, "number_of_frames": 1,
            "bits_allocated": values.dtype.itemsize * 8, "bits_stored": values.dtype.itemsize * 8, "pixel_representation": 0,
            "planar_configuration": 0, "photometric_interpretation": "RGB" if values.ndim == 4 else "MONOCHROME2",
        }  # fmt: skip
        coded = [bytes(get_encoder(uid.RLELossless).encode(frame, **options)) for frame in values]
    else:
        coded = [frame.tobytes() for frame in values]
        if syntax.endswith(".8.1"):
            coded = [zlib.compress(frame, wbits=-15) for frame in coded]
    path = write_image(tmp_path / "a", values, syntax=syntax, coded=coded)
    patch = some_patch(values[1])
    assert patch_file(path, tmp_path / "b", {1: [patch]}).how == "recoded"
    after = frames_of(tmp_path / "b")
    assert np.array_equal(after[1], patched(values[1], [patch]))
    assert np.array_equal(after[0], values[0]) and np.array_equal(after[2], values[2])


@pytest.mark.parametrize(("shape", "photometric"), [((3, 40, 50), "MONOCHROME2"), ((3, 40, 50, 3), "YBR_FULL_422")])
def test_lossy_jpeg_is_decoded_and_says_so(tmp_path: Path, shape: tuple[int, ...], photometric: str) -> None:
    values = smooth(shape, "u1", 200)
    coded = [cv2.imencode(".jpg", frame)[1].tobytes() for frame in values]
    path = write_image(tmp_path / "a", values, syntax=JPEG_BASELINE, coded=coded, photometric=photometric)
    before = frames_of(path)
    patch = some_patch(before[1])
    assert patch_file(path, tmp_path / "b", {1: [patch]}).how == "decoded"
    after = frames_of(tmp_path / "b")
    assert np.array_equal(after[1], patched(before[1], [patch]))
    assert np.array_equal(after[0], before[0]) and np.array_equal(after[2], before[2])
    header = pydicom.dcmread(tmp_path / "b")
    assert header.file_meta.TransferSyntaxUID == uid.ExplicitVRLittleEndian
    assert (header.LossyImageCompression, header.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
    old = pydicom.pixels.pixel_array(path, index=0)
    assert np.array_equal(pydicom.pixels.pixel_array(header, index=0), old)  # as colours too


def test_single_bits_are_packed_across_frames(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 2, (3, 9, 11)).astype(np.uint8)
    path = write_image(tmp_path / "a", values)
    header = pydicom.dcmread(path)
    header.BitsAllocated = header.BitsStored = 1
    header.HighBit = 0
    packed = np.packbits(values.ravel(), bitorder="little").tobytes()
    header.PixelData = packed + b"\0" * (len(packed) % 2)
    header.save_as(path)
    patch = Patch(2, 3, 1 - values[1, 2:7, 3:9], np.ones((5, 6), dtype=bool))
    assert patch_file(path, tmp_path / "b", {1: [patch]}).changed == 30
    after = frames_of(tmp_path / "b")
    assert np.array_equal(after[1], patched(values[1], [patch]))
    assert np.array_equal(after[0], values[0]) and np.array_equal(after[2], values[2])


def test_too_much_for_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = smooth((2, 40, 50), "u1", 200)
    coded = [cv2.imencode(".jpg", frame)[1].tobytes() for frame in values]
    path = write_image(tmp_path / "a", values, syntax=JPEG_BASELINE, coded=coded)
    monkeypatch.setattr("radcurate.volumes.patch.LONGEST", 1000)
    with pytest.raises(VolumeError) as told:
        patch_file(path, tmp_path / "b", {0: [some_patch(values[0])]})
    assert told.value.reason == "decoded_too_large"
    assert not (tmp_path / "b").exists()

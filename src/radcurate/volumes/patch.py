"""Writing new values into single pixels of a file, the one place where pixels change.

A file whose words lie there as they are is copied byte by byte, and only the words of changed pixels are overwritten. Of a
compressed file whose transfer syntax has a lossless way to write a frame that can be written here (RLE, JPEG 2000,
deflated or plain frames) only the changed frames are coded anew; the code of all others is copied. Every other file is
decoded, frame by frame, and becomes Explicit VR Little Endian, since encoding anew would change other frames or hang on
a codec. What lossy compression once did to the pixels stays told (PS3.3 C.7.6.1.1.5).
"""

from __future__ import annotations

import io
import shutil
import struct
import warnings
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import get_encoder

from radcurate.dicom.container import DEFLATED_FRAMES, RLE, WHOLE_FRAMES
from radcurate.volumes.problems import VolumeError
from radcurate.volumes.stored import UNDEFINED, Flags, Pixels, Reader, Words, open_pixels, unswapped, value_bits

How = Literal["patched", "recoded", "decoded"]
LONGEST = 0xFFFFFFFE  # bytes of a value (PS3.5 7.1.1)
LOSSY = {
    "1.2.840.10008.1.2.4.50": "ISO_10918_1",
    "1.2.840.10008.1.2.4.51": "ISO_10918_1",
    "1.2.840.10008.1.2.4.81": "ISO_14495_1",
}
_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0\0\0\0\0"


@dataclass(frozen=True, eq=False)
class Patch:
    """New values for a part of a frame.

    Args:
        top, left: of the part, in pixels of the frame.
        values: stored values, shape (row, column) or (row, column, sample) as frames are decoded.
        mask: which of them are to be written, shape (row, column).
    """

    top: int
    left: int
    values: Words
    mask: Flags

    @property
    def part(self) -> tuple[slice, slice]:
        """Where it lies in a frame."""
        rows, columns = self.mask.shape
        return slice(self.top, self.top + rows), slice(self.left, self.left + columns)


@dataclass(frozen=True)
class Written:
    """What became of a file: pixels whose value is another one now, and how it was written."""

    changed: int
    how: How


Patches = Mapping[int, Sequence[Patch]]  # by frame, from 0


def patch_file(path: Path, target: Path, patches: Patches) -> Written:
    """Write a file with new values in some pixels; every other stored value is what it was.

    In changed pixels the bits that are no part of the value become copies of the sign, or zero: nothing stays in them.

    Args:
        path: the file, which is left alone even where `target` is a link to it.
        target: the new file, in an existing folder.
        patches: for the frames that change.

    Raises:
        VolumeError: of the reasons of `volumes.stored`, and decoded_too_large.
    """
    pixels, _ = open_pixels(path)
    target.unlink(missing_ok=True)
    if pixels.plain or pixels.swapped:
        return Written(_in_place(pixels, target, patches), "patched")
    reader = Reader(pixels)
    coded = _coded_anew(pixels, reader, patches)
    if coded is not None:
        frames, changed = coded
        _replace_frames(pixels, target, frames)
        return Written(changed, "recoded")
    return Written(_decode_all(pixels, reader, target, patches), "decoded")


def patched(values: Words, patches: Sequence[Patch]) -> Words:
    """A copy of a frame's values with new ones in it."""
    result = values.copy()
    for patch in patches:
        result[patch.part][patch.mask] = patch.values[patch.mask]
    return result


def _in_place(pixels: Pixels, target: Path, patches: Patches) -> int:
    shutil.copyfile(pixels.path, target)
    planar = pixels.samples > 1 and pixels.planar
    shape = (pixels.frames, *((pixels.samples, pixels.rows, pixels.columns) if planar else pixels.shape))
    count = pixels.per_frame * pixels.frames
    words = unswapped(pixels) if pixels.swapped else np.memmap(target, pixels.kind, "r+", pixels.start, (count,))
    frames = words[:count].reshape(shape)
    changed = 0
    for number, some in patches.items():
        frame = np.moveaxis(frames[number], 0, -1) if planar else frames[number]
        changed += sum(_put(frame, patch, pixels) for patch in some)
    if isinstance(words, np.memmap):
        words.flush()
    else:
        with target.open("r+b") as out:
            out.seek(pixels.start)
            out.write(words.view(np.uint16).byteswap().tobytes())
    return changed


def _put(frame: Words, patch: Patch, pixels: Pixels) -> int:
    """Overwrite words; how many pixels have another value."""
    part = frame[patch.part]
    before = value_bits(np.array(part[patch.mask]), pixels)
    new = patch.values[patch.mask]
    shift = pixels.high + 1 - pixels.stored
    part[patch.mask] = (new.astype(np.int64) << shift).astype(pixels.kind, casting="unsafe")
    differs: NDArray[np.bool_] = np.asarray(before != new)
    return int(np.count_nonzero(differs.any(axis=-1) if differs.ndim > 1 else differs))


def _new_frame(pixels: Pixels, reader: Reader, number: int, patches: Sequence[Patch]) -> tuple[Words, str, int]:
    """A decoded frame with its patches, its photometry, and how many pixels changed."""
    words, photometric = reader.words(number)
    words = words.astype(words.dtype.newbyteorder("="))
    return words, photometric, sum(_put(words, patch, replace(pixels, syntax="")) for patch in patches)


def _coded_anew(pixels: Pixels, reader: Reader, patches: Patches) -> tuple[list[bytes], int] | None:
    """All frames, those with patches coded anew; None where that can't be done without loss."""
    if not pixels.encapsulated or pixels.table is not None or pixels.bits < 8:
        return None
    frames, total = list(reader.coded()), 0
    for number, some in patches.items():
        words, photometric, changed = _new_frame(pixels, reader, number, some)
        data = _encoded(pixels, words, photometric)
        if data is None or not _comes_back(pixels, data, words, photometric):
            return None
        frames[number] = data
        total += changed
    return frames, total


def _encoded(pixels: Pixels, words: Words, photometric: str) -> bytes | None:
    if pixels.syntax in WHOLE_FRAMES | DEFLATED_FRAMES:
        ordered = np.moveaxis(words, -1, 0) if pixels.samples > 1 and pixels.planar else words
        raw = np.ascontiguousarray(ordered).astype(ordered.dtype.newbyteorder("<")).tobytes()
        if pixels.syntax in WHOLE_FRAMES:
            return raw
        stream = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        return stream.compress(raw) + stream.flush()
    if pixels.syntax in RLE:
        return _by_pydicom(uid.RLELossless, pixels, words, pixels.photometric, pixels.bits)
    if pixels.syntax in (uid.JPEG2000, uid.JPEG2000Lossless) and pixels.photometric not in ("YBR_ICT", "PALETTE COLOR"):
        return _by_pydicom(uid.JPEG2000Lossless, pixels, words, pixels.photometric, pixels.stored)
    return None


def _by_pydicom(syntax: str, pixels: Pixels, words: Words, photometric: str, precision: int) -> bytes | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            encoder = get_encoder(uid.UID(syntax))
            return bytes(
                encoder.encode(
                    np.ascontiguousarray(words),
                    rows=pixels.rows,
                    columns=pixels.columns,
                    samples_per_pixel=pixels.samples,
                    number_of_frames=1,
                    bits_allocated=pixels.bits,
                    bits_stored=precision,
                    pixel_representation=int(pixels.signed),
                    planar_configuration=0,
                    photometric_interpretation=photometric,
                )
            )
    except Exception:  # what a codec refuses is decoded instead
        return None


def _comes_back(pixels: Pixels, data: bytes, words: Words, photometric: str) -> bool:
    try:
        found, told = Reader(pixels, [data] * pixels.frames).words(0)
    except VolumeError:
        return False
    return told == photometric and bool(np.array_equal(found, words))


def _replace_frames(pixels: Pixels, target: Path, frames: list[bytes]) -> None:
    """The file with other fragments: one a frame, and a table of offsets where it had one."""
    padded = [frame + b"\0" * (len(frame) % 2) for frame in frames]
    with pixels.path.open("rb") as source, target.open("wb") as out:
        out.write(source.read(pixels.start))
        table = _table(padded) if source.read(8)[4:] != b"\0\0\0\0" else b""
        out.write(_ITEM + struct.pack("<L", len(table)) + table)
        for frame in padded:
            out.write(_ITEM + struct.pack("<L", len(frame)) + frame)
        out.write(_END)
        source.seek(pixels.start)
        _skip_fragments(source)
        shutil.copyfileobj(source, out)


def _table(frames: list[bytes]) -> bytes:
    places = np.cumsum([0, *(8 + len(frame) for frame in frames[:-1])])
    return places.astype("<u4").tobytes() if places[-1] < UNDEFINED else b""


def _skip_fragments(stream: BinaryIO) -> None:
    while (head := stream.read(8))[:4] == _ITEM:
        stream.seek(int.from_bytes(head[4:], "little"), io.SEEK_CUR)


def _decode_all(pixels: Pixels, reader: Reader, target: Path, patches: Patches) -> int:
    """Write all frames as they are decoded, one after the other."""
    size = -(-pixels.per_frame * pixels.frames * pixels.bits // 8)
    if size > LONGEST:
        raise VolumeError(
            "decoded_too_large",
            "the decoded frames don't fit into one file",
            wanted="at most 4 GiB of decoded pixels",
            found="more",
            fix="export fewer frames a file, or leave the series out",
        )
    header = pydicom.dcmread(pixels.path, force=True, stop_before_pixels=True)
    for tag in [
        tag for tag in sorted(header.keys()) if tag >= 0x7FE00001
    ]:  # tables of offsets, and all of a deflated file
        del header[tag]
    words, photometric, changed = _new_frame(pixels, reader, 0, patches.get(0, ()))
    _describe(header, pixels, photometric)
    with target.open("wb") as out:
        header.save_as(out, implicit_vr=False, little_endian=True, enforce_file_format=True)
        out.write(b"\xe0\x7f\x10\x00" + (b"OW" if pixels.bits > 8 else b"OB") + b"\0\0")
        out.write(struct.pack("<L", size + size % 2))
        left = _write_words(out, words, pixels.bits, np.zeros(0, np.uint8))
        for number in range(1, pixels.frames):
            words, _, more = _new_frame(pixels, reader, number, patches.get(number, ()))
            left = _write_words(out, words, pixels.bits, left)
            changed += more
        out.write(np.packbits(left, bitorder="little").tobytes() + b"\0" * (size % 2))
    return changed


def _write_words(out: BinaryIO, words: Words, bits: int, left: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Append a frame; single bits are packed across frames (PS3.5 8.1.1), what fills no byte is for the next frame."""
    if bits > 1:
        out.write(np.ascontiguousarray(words).astype(words.dtype.newbyteorder("<"), copy=False).tobytes())
        return left
    every = np.concatenate([left, words.astype(np.uint8).ravel()])
    whole = every.size // 8 * 8
    out.write(np.packbits(every[:whole], bitorder="little").tobytes())
    return every[whole:]


def _describe(header: Dataset, pixels: Pixels, photometric: str) -> None:
    """What the header must say of decoded frames."""
    if not hasattr(header, "file_meta"):
        header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    if pixels.samples > 1:
        header.PhotometricInterpretation = photometric
        header.PlanarConfiguration = 0
    if pixels.syntax in LOSSY and not header.get("LossyImageCompression"):
        header.LossyImageCompression = "01"
        header.LossyImageCompressionMethod = LOSSY[pixels.syntax]

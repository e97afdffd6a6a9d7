"""The stored values of one file, frame by frame: where they lie, how they are written, and decoded one at a time.

Every photometric interpretation, depth and transfer syntax that can be decoded; what can't be is told apart by a code.
"""

from __future__ import annotations

import math
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import encaps, uid
from pydicom.dataset import Dataset
from pydicom.pixels import get_decoder

from radcurate.dicom import values
from radcurate.dicom.container import DEFLATED_FRAMES, ENCAPSULATED, WHOLE_FRAMES
from radcurate.volumes.problems import VolumeError

Words = NDArray[Any]  # (row, column) or (row, column, sample)
Flags = NDArray[np.bool_]
UNDEFINED = 0xFFFFFFFF
PIXEL_DATA = 0x7FE00010
ONE_SAMPLE = frozenset({"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"})
THREE_SAMPLES = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
# bytes of one decoded frame: a worker holds it, a part of its file and what looking at it takes, within 2.5 GB
LARGEST_NATIVE = 1 << 30
LARGEST_CODED = 600 << 20  # decoders hold 4 bytes a sample beside it
BLOCK = 1 << 22  # values looked at together, so that no second copy of a large frame is needed


@dataclass(frozen=True, eq=False)
class Pixels:
    """How the pixel data of a file are written (PS3.3 C.7.6.3).

    start, length: offset and bytes of the value of PixelData; length is UNDEFINED where frames are encapsulated, and start
    is 0 where the whole data set is deflated.
    """

    path: Path
    syntax: str
    start: int
    length: int
    rows: int
    columns: int
    samples: int
    frames: int
    bits: int  # of a word: BitsAllocated
    stored: int  # of its value: BitsStored
    high: int  # place of the highest of these
    signed: bool
    planar: bool  # one colour after the other
    photometric: str
    wide: bool = False  # written as OW
    padding: tuple[int, ...] = ()  # words that stand for "no image here"
    table: tuple[bytes, bytes] | None = None  # extended offsets and lengths

    @property
    def encapsulated(self) -> bool:
        """Whether each frame is coded by itself."""
        return self.syntax in ENCAPSULATED

    @property
    def plain(self) -> bool:
        """Whether the file holds the words of every value as they are, so that they can be read and written in place."""
        native = not self.encapsulated and self.start > 0 and self.bits > 1
        return native and not self.swapped and self.photometric != "YBR_FULL_422"

    @property
    def swapped(self) -> bool:
        """Whether bytes stand in each other's place, as big endian has it for bytes in words (PS3.5 8.1.1)."""
        return self.bits == 8 and self.wide and self.syntax == uid.ExplicitVRBigEndian

    @property
    def kind(self) -> np.dtype[Any]:
        """Type of a word, in the file's byte order."""
        order = ">" if self.syntax == uid.ExplicitVRBigEndian else "<"
        return np.dtype(f"{order}{'i' if self.signed else 'u'}{max(self.bits, 8) // 8}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a decoded frame."""
        return (self.rows, self.columns) if self.samples == 1 else (self.rows, self.columns, self.samples)

    @property
    def per_frame(self) -> int:
        """Values of a frame."""
        return math.prod(self.shape)


def open_pixels(path: Path) -> tuple[Pixels, Dataset]:
    """How a file's pixels are written, and its header without them.

    Raises:
        VolumeError: unreadable_header, no_pixels, float_pixels, no_frames, pixel_layout, unknown_photometric, too_small,
            frame_too_large, transfer_syntax, pixel_data_short.
    """
    header, tag, wide, start, length = _header(path)
    if tag in (0x7FE00008, 0x7FE00009):
        raise _problem("float_pixels", "pixels are not whole numbers", "whole numbers in PixelData", "floating point")
    if tag != PIXEL_DATA:
        raise _problem("no_pixels", "an image has no pixels", "pixel data in each instance", "none")
    pixels = replace(_described(path, header, start, length), wide=wide)
    _require_sound(pixels)
    return pixels, header


def _header(path: Path) -> tuple[Dataset, int, bool, int, int]:
    """Header, tag of the pixel data (0: none), whether they are OW, offset and length of their value."""
    try:
        with warnings.catch_warnings(), path.open("rb") as stream:
            warnings.simplefilter("ignore")
            header = pydicom.dcmread(stream, force=True, stop_before_pixels=True)
            if not len(header):
                raise ValueError
            if _syntax(header) == uid.DeflatedExplicitVRLittleEndian:
                whole = pydicom.dcmread(path, force=True)
                return whole, next((t for t in (PIXEL_DATA, 0x7FE00008, 0x7FE00009) if t in whole), 0), False, 0, 0
            at = stream.tell()
            head = stream.read(12)
    except Exception:  # pydicom raises many kinds on malformed headers
        raise _problem("unreadable_header", "a header can't be read", "a DICOM file", "a damaged one") from None
    implicit, little = header.original_encoding
    order: Literal["little", "big"] = "little" if little else "big"
    if len(head) < 8:
        return header, 0, False, 0, 0
    tag = int.from_bytes(head[:2], order) << 16 | int.from_bytes(head[2:4], order)
    wide = 4 if implicit else 8
    return header, tag, head[4:6] == b"OW", at + wide + 4, int.from_bytes(head[wide : wide + 4], order)


def _syntax(header: Dataset) -> str:
    named = values.text(getattr(header, "file_meta", Dataset()), "TransferSyntaxUID")
    if named:
        return named
    implicit, little = header.original_encoding
    if implicit:
        return str(uid.ImplicitVRLittleEndian)
    return str(uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian)


def _described(path: Path, header: Dataset, start: int, length: int) -> Pixels:
    def whole(keyword: str, default: int) -> int:
        found = values.whole(header, keyword)
        return default if found is None else found

    bits = whole("BitsAllocated", 0)
    stored = whole("BitsStored", bits)
    offsets = (header.get("ExtendedOffsetTable"), header.get("ExtendedOffsetTableLengths"))
    return Pixels(
        path,
        _syntax(header),
        start,
        length,
        rows=whole("Rows", 0),
        columns=whole("Columns", 0),
        samples=whole("SamplesPerPixel", 1),
        frames=whole("NumberOfFrames", 1),
        bits=bits,
        stored=stored,
        high=whole("HighBit", stored - 1),
        signed=whole("PixelRepresentation", 0) == 1,
        planar=whole("PlanarConfiguration", 0) == 1,
        photometric=values.text(header, "PhotometricInterpretation").upper(),
        padding=tuple(
            int(found)
            for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit")
            if (found := values.whole(header, keyword)) is not None
        ),
        table=offsets if all(isinstance(part, bytes) and part for part in offsets) else None,
    )


def _require_sound(pixels: Pixels) -> None:
    if pixels.frames < 1:
        raise _problem("no_frames", "an image has no frames", "at least one", "none")
    if min(pixels.rows, pixels.columns) < 1 or pixels.bits not in (1, 8, 16, 32):
        raise _problem(
            "pixel_layout", "the header describes no image", "rows, columns and 1, 8, 16 or 32 bits", "others"
        )
    if not 1 <= pixels.stored <= pixels.high + 1 <= pixels.bits:
        raise _problem("pixel_layout", "the header describes no image", "stored bits within the words", "others")
    if pixels.samples != _samples(pixels.photometric):
        raise _problem(
            "unknown_photometric",
            "what a pixel means is not told",
            "grey, palette, RGB or YBR with its samples",
            "other",
        )
    if min(pixels.rows, pixels.columns) == 1:
        raise _problem("too_small", "an image of a single line has nothing to look at", "two rows and columns", "one")
    size = pixels.per_frame * max(1, pixels.bits // 8)
    if size > (LARGEST_CODED if pixels.encapsulated else LARGEST_NATIVE):
        raise _problem(
            "frame_too_large", "a frame doesn't fit into memory", "at most 1 GiB, 0.6 compressed", "a larger one"
        )
    if pixels.encapsulated != (pixels.length == UNDEFINED) or not _decodable(pixels.syntax):
        raise _problem(
            "transfer_syntax", "pixels can't be decoded", "a known transfer syntax for still images", "another"
        )
    samples = 2 if pixels.photometric == "YBR_FULL_422" else pixels.samples
    wanted = (pixels.rows * pixels.columns * samples * pixels.frames * pixels.bits + 7) // 8
    there = min(pixels.length, pixels.path.stat().st_size - pixels.start)
    if not pixels.encapsulated and pixels.start and there < wanted:
        raise _problem("pixel_data_short", "there are fewer pixels than the header says", "whole pixel data", "a part")


def _samples(photometric: str) -> int:
    return 1 if photometric in ONE_SAMPLE else 3 if photometric in THREE_SAMPLES else 0


def _decodable(syntax: str) -> bool:
    if syntax in WHOLE_FRAMES | DEFLATED_FRAMES:
        return True
    try:
        return bool(get_decoder(uid.UID(syntax)).is_available)
    except NotImplementedError:
        return False


class Reader:
    """Decodes single frames of a file. Coded frames are kept as long as the reader; decoded ones are not kept.

    Args:
        pixels: of `open_pixels`.
        coded: the coded frames, where they are not to be those of the file.
    """

    def __init__(self, pixels: Pixels, coded: list[bytes] | None = None) -> None:
        self.pixels = pixels
        self._coded = coded

    def words(self, frame: int) -> tuple[Words, str]:
        """The words of a frame with all their bits, shape (row, column) or (row, column, sample), and their photometry.

        Raises:
            VolumeError: frame_empty, pixels_unreadable.
        """
        if self.pixels.plain:
            return self._plain(frame), self.pixels.photometric
        if self.pixels.swapped:
            first = frame * self.pixels.per_frame
            return _shaped(
                unswapped(self.pixels)[first : first + self.pixels.per_frame], self.pixels
            ), self.pixels.photometric
        if self.pixels.bits == 1 and not self.pixels.encapsulated and self.pixels.start:
            return self._bits(frame), self.pixels.photometric
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self._decoded(frame)
        except VolumeError:
            raise
        except Exception:  # whatever decoders raise, and its text may quote the data
            raise _unreadable() from None

    def _plain(self, frame: int) -> Words:
        pixels = self.pixels
        step = pixels.per_frame * pixels.kind.itemsize
        with pixels.path.open("rb") as stream:
            stream.seek(pixels.start + frame * step)
            words = np.fromfile(stream, pixels.kind, pixels.per_frame)
        if words.size < pixels.per_frame:
            raise _unreadable()
        return _shaped(words, pixels)

    def _bits(self, frame: int) -> Words:
        """Frames of single bits follow each other without a gap, from the lowest bit of each byte."""
        first, count = frame * self.pixels.per_frame, self.pixels.per_frame
        with self.pixels.path.open("rb") as stream:
            stream.seek(self.pixels.start + first // 8)
            packed = np.fromfile(stream, np.uint8, (first % 8 + count + 7) // 8)
        return np.unpackbits(packed, bitorder="little")[first % 8 : first % 8 + count].reshape(self.pixels.shape)

    def _decoded(self, frame: int) -> tuple[Words, str]:
        pixels = self.pixels
        if not pixels.encapsulated:  # packed bits, colour with fewer samples, or a deflated file
            header = pydicom.dcmread(pixels.path, force=True)
            decoder = get_decoder(uid.UID(pixels.syntax))
            found, told = decoder.as_array(header, index=frame, raw=True, correct_unused_bits=False)
            return _fitting(found, pixels), _photometric(told)
        data = self.coded()[frame]
        if not data.strip(b"\0"):
            raise _problem("frame_empty", "a frame has no pixels", "each frame coded", "an empty one")
        if pixels.syntax in DEFLATED_FRAMES:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, pixels.per_frame * 4 + 1)
        if pixels.syntax in WHOLE_FRAMES | DEFLATED_FRAMES:
            return _decode(str(uid.ExplicitVRLittleEndian), data, pixels, 0, 1)
        return _decode(pixels.syntax, encaps.encapsulate([data]), pixels, 0, 1)

    def coded(self) -> list[bytes]:
        """The frames of an encapsulated file, coded.

        Raises:
            VolumeError: pixels_unreadable, where the file doesn't tell which fragments make which frame.
        """
        if self._coded is None:
            pixels = self.pixels
            try:
                with pixels.path.open("rb") as stream:
                    stream.seek(pixels.start)
                    self._coded = list(
                        encaps.generate_frames(stream, number_of_frames=pixels.frames, extended_offsets=pixels.table)
                    )
            except Exception:  # pydicom raises many kinds on malformed fragments
                raise _unreadable() from None
        if len(self._coded) < self.pixels.frames:
            raise _unreadable()
        return self._coded


def unswapped(pixels: Pixels) -> Words:
    """All bytes of a file whose bytes are swapped, in their right order; an even number."""
    count = (pixels.per_frame * pixels.frames + 1) // 2
    with pixels.path.open("rb") as stream:
        stream.seek(pixels.start)
        return np.fromfile(stream, np.uint16, count).byteswap().view(pixels.kind)


def _decode(syntax: str, data: bytes, pixels: Pixels, frame: int, frames: int) -> tuple[Words, str]:
    found, told = get_decoder(uid.UID(syntax)).as_array(
        data,
        index=frame,
        raw=True,
        correct_unused_bits=False,
        rows=pixels.rows,
        columns=pixels.columns,
        samples_per_pixel=pixels.samples,
        number_of_frames=frames,
        bits_allocated=pixels.bits,
        bits_stored=pixels.stored,
        pixel_representation=int(pixels.signed),
        planar_configuration=int(pixels.planar),
        photometric_interpretation=pixels.photometric,
        pixel_keyword="PixelData",
        pixel_vr="OW" if pixels.bits > 8 else "OB",
    )
    return _fitting(found, pixels), _photometric(told)


def _photometric(told: Mapping[str, object]) -> str:
    """Of decoded values, in which every pixel has its own colour."""
    found = str(told["photometric_interpretation"])
    return "YBR_FULL" if found == "YBR_FULL_422" else found


def _fitting(words: Words, pixels: Pixels) -> Words:
    if words.shape != pixels.shape:
        raise _unreadable()
    return words


def _shaped(words: Words, pixels: Pixels) -> Words:
    if pixels.samples > 1 and pixels.planar:
        return np.ascontiguousarray(np.moveaxis(words.reshape(pixels.samples, pixels.rows, pixels.columns), 0, -1))
    return words.reshape(pixels.shape)


def unused_bits(pixels: Pixels) -> int:
    """Mask of the bits of a word that are no part of its value."""
    return ((1 << pixels.bits) - 1) & ~(((1 << pixels.stored) - 1) << (pixels.high + 1 - pixels.stored))


def beyond(words: Words, pixels: Pixels) -> Flags | None:
    """Where something stands in bits that are no part of the value, shape (row, column); None where nothing does.

    Copies of the sign and the padding value are nothing.
    """
    unused = unused_bits(pixels)
    if not unused or pixels.bits < 8:
        return None
    flat = words.reshape(pixels.rows, -1)
    step = max(1, BLOCK // flat.shape[1])
    blocks = [_odd(flat[row : row + step], unused, pixels) for row in range(0, pixels.rows, step)]
    if not any(block is not None for block in blocks):
        return None
    result = np.zeros(flat.shape, dtype=bool)
    for place, block in enumerate(blocks):
        if block is not None:
            result[place * step : (place + 1) * step] = block
    whole = result.reshape(words.shape)
    return whole if pixels.samples == 1 else np.asarray(whole.any(axis=-1))


def _odd(words: Words, unused: int, pixels: Pixels) -> Flags | None:
    raw = words.view(np.dtype(words.dtype.str.replace("i", "u")))
    mask = raw.dtype.type(unused)
    if not int(np.bitwise_or.reduce(raw, axis=None)) & unused:
        return None
    found = np.asarray((raw & mask) != 0)
    if pixels.signed:
        above = unused & ~((1 << (pixels.high + 1)) - 1)
        found &= ~(((raw >> raw.dtype.type(pixels.high)) & raw.dtype.type(1) == 1) & ((raw & mask) == above))
    for padding in pixels.padding:
        found &= raw != raw.dtype.type(padding % (1 << pixels.bits))
    return np.asarray(found, dtype=bool) if found.any() else None


def value_bits(words: Words, pixels: Pixels) -> Words:
    """The values without what stands beyond them: cut to the stored bits and sign-extended, in the machine's byte order."""
    native = words.astype(words.dtype.newbyteorder("="), copy=False)
    if not unused_bits(pixels) or pixels.bits < 8:
        return native
    width = native.dtype.itemsize * 8
    native <<= native.dtype.type(width - 1 - pixels.high)
    native >>= native.dtype.type(width - pixels.stored)
    return native


def _unreadable() -> VolumeError:
    return _problem("pixels_unreadable", "pixels can't be decoded", "whole pixel data", "a broken code stream or table")


def _problem(reason: str, sentence: str, wanted: str, found: str) -> VolumeError:
    return VolumeError(reason, sentence, wanted=wanted, found=found, fix="export the series again, or leave it out")

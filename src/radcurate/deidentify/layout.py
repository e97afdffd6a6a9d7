"""What a header declares about its pixels (PS3.3 C.7.6.3)."""

from __future__ import annotations

from dataclasses import dataclass

from radcurate.dicom.elements import DataSet
from radcurate.dicom.problems import EXPORT_AGAIN, Unsafe

ROWS, COLUMNS, SAMPLES, FRAMES = 0x00280010, 0x00280011, 0x00280002, 0x00280008
PHOTOMETRIC, PLANAR, SIGNED, PADDING, PADDING_LIMIT = 0x00280004, 0x00280006, 0x00280103, 0x00280120, 0x00280121
BITS, BITS_STORED, HIGH_BIT = 0x00280100, 0x00280101, 0x00280102


@dataclass(frozen=True)
class Layout:
    """Declared shape of the pixel data."""

    rows: int
    columns: int
    samples: int
    frames: int
    bits: int
    photometric: str
    stored: int = 0  # bits of a sample that are its value; 0 means all
    high: int = 0  # place of the highest of them
    signed: bool = False
    padding: frozenset[int] = frozenset()  # values outside of the image, as bits of a sample

    @property
    def length(self) -> int:
        """Bytes of native pixel data without padding."""
        values = self.rows * self.columns * self.frames * (2 if self.photometric == "YBR_FULL_422" else self.samples)
        return -(-values * self.bits // 8)

    @property
    def frame_length(self) -> int:
        """Bytes of one native frame, bits packed."""
        return -(-self.rows * self.columns * self.samples * self.bits // 8)

    @property
    def unused(self) -> int:
        """Mask of the bits of a sample that are no part of its value."""
        stored = self.stored or self.bits
        return (1 << self.bits) - 1 & ~(((1 << stored) - 1) << (self.high + 1 - stored if self.stored else 0))


def short(elements: DataSet, tag: int, little: bool, default: int = 0) -> int:
    """The value of a US element; `default` where it is absent or no single value."""
    element = elements.get(tag)
    return (
        int.from_bytes(element.value, "little" if little else "big") if element and len(element.value) == 2 else default
    )


def layout(elements: DataSet, little: bool) -> Layout:
    """The layout that a data set declares.

    Raises:
        Unsafe: it declares none, or one that contradicts itself.
    """
    photometric = elements.get(PHOTOMETRIC)
    bits = short(elements, BITS, little)
    stored = short(elements, BITS_STORED, little)
    found = Layout(
        rows=short(elements, ROWS, little),
        columns=short(elements, COLUMNS, little),
        samples=short(elements, SAMPLES, little, 1),
        frames=_frames(elements),
        bits=bits,
        photometric=photometric.value.strip(b" \0").decode("ascii", "replace") if photometric else "",
        stored=stored,
        high=short(elements, HIGH_BIT, little, max(stored - 1, 0)),
        signed=short(elements, SIGNED, little) == 1,
        padding=frozenset(short(elements, tag, little) for tag in (PADDING, PADDING_LIMIT) if tag in elements),
    )
    if min(found.rows, found.columns, found.samples, found.frames, bits) < 1 or (bits != 1 and (bits % 8 or bits > 64)):
        raise Unsafe("pixel_layout", EXPORT_AGAIN)
    if stored and not stored <= found.high + 1 <= bits:
        raise Unsafe("pixel_layout", EXPORT_AGAIN)
    return found


def _frames(elements: DataSet) -> int:
    """NumberOfFrames, 1 where it is absent or empty, 0 where it is no number."""
    element = elements.get(FRAMES)
    text = element.value.strip(b" \0") if element else b""
    if not text:
        return 1
    return int(text) if text.isdigit() and len(text) < 10 else 0

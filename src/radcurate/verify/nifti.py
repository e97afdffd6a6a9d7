"""Where a NIfTI file's text is: gzip's own fields, header, extensions, and what follows the voxels."""

from __future__ import annotations

import gzip
import io
import struct
import zlib

from radcurate.verify.layout import UnreadableError

GRID = 1e-3  # mm
GZIP = b"\x1f\x8b"
EXTENSION = 1 << 20  # bytes
Stretch = tuple[str, bytes]


def stretches(data: bytes) -> list[Stretch]:
    """Named stretches of bytes that are no voxels.

    Raises:
        UnreadableError: unreadable or truncated.
    """
    result: list[Stretch] = []
    if data[:2] == GZIP:
        stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        head = _gzip_head(data)
        try:
            inner = stream.decompress(data)
        except zlib.error:
            raise UnreadableError("unreadable") from None
        if not stream.eof:
            raise UnreadableError("truncated")
        result += [("gzip header", data[10:head]), ("behind gzip", stream.unused_data)]
        data = inner
    begin, end = _voxels(data)
    return [*result, ("NIfTI header", data[:begin]), ("behind the voxels", data[end:])]


def same_labels(old: bytes, new: bytes) -> bool:
    """Whether a mask has the labels and the grid of its source, read by nibabel."""
    import nibabel  # large, and needed for few series
    import numpy as np

    try:
        fresh = gzip.decompress(new) if new[:2] == GZIP else new
        before, after = (nibabel.Nifti1Image.from_bytes(data) for data in (_plain(old, 16 * len(fresh)), fresh))
        grids = np.allclose(before.affine, after.affine, rtol=0, atol=GRID)
        return grids and np.array_equal(np.asanyarray(before.dataobj), np.asanyarray(after.dataobj))
    except Exception:  # a damaged header raises almost anything, and quotes its content
        return False


def _plain(data: bytes, most: int) -> bytes:
    """A mask unpacked; no more of it than the widest numbers and a long extension take."""
    return gzip.GzipFile(fileobj=io.BytesIO(data)).read(most + EXTENSION) if data[:2] == GZIP else data


def _gzip_head(data: bytes) -> int:
    """Length of a gzip header (RFC 1952): extra field, file name, comment, checksum."""
    flags, position = data[3], 10
    try:
        if flags & 4:
            position += 2 + struct.unpack_from("<H", data, position)[0]
        for bit in (8, 16):
            if flags & bit:
                position = data.index(b"\0", position) + 1
    except (ValueError, struct.error):
        raise UnreadableError("unreadable") from None
    return position + (2 if flags & 2 else 0)


def _voxels(data: bytes) -> tuple[int, int]:
    """First and last byte of the voxels of NIfTI-1 or -2 in one file."""
    for order in "<>":
        if len(data) >= 4:
            size = struct.unpack_from(order + "i", data)[0]
            if size == 348 and data[344:347] == b"n+1":
                return _extent(data, struct.unpack_from(order + "8h", data, 40), struct.unpack_from(order + "h", data, 72)[0],
                               int(struct.unpack_from(order + "f", data, 108)[0]))  # fmt: skip
            if size == 540 and data[4:7] == b"n+2":
                return _extent(data, struct.unpack_from(order + "8q", data, 16), struct.unpack_from(order + "h", data, 14)[0],
                               struct.unpack_from(order + "q", data, 168)[0])  # fmt: skip
    raise UnreadableError("unreadable")


def _extent(data: bytes, dimensions: tuple[int, ...], bits: int, offset: int) -> tuple[int, int]:
    if not 1 <= dimensions[0] <= 7 or bits <= 0 or offset < 352:
        raise UnreadableError("unreadable")
    voxels = 1
    for size in dimensions[1 : dimensions[0] + 1]:
        voxels *= max(size, 1)
    end = offset + -(-voxels * bits // 8)
    if end > len(data):
        raise UnreadableError("truncated")
    return offset, end

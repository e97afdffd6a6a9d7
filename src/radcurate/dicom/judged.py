"""The bytes of a file that the inventory judged it by, as one digest: later stages tell by it that they have the same file.

A file changed under its old size and time may say another patient's name. Everything before the pixel values and everything
behind them counts, of an object without pixels all of it; the pixel values are first read by deidentify, which records them.
"""

from __future__ import annotations

from typing import BinaryIO

from blake3 import blake3

from radcurate.dicom.limits import STEP

LENGTH = 16  # bytes of a digest


def of_bytes(data: bytes | memoryview, head: int, tail: int) -> str:
    """BLAKE3 of the first `head` and the last `tail` bytes of a whole file, 32 hexadecimal digits."""
    data = memoryview(data)
    digest = blake3(data[:head])
    if tail:
        digest.update(data[len(data) - tail :])
    return str(digest.hexdigest(length=LENGTH))


def of_file(stream: BinaryIO, size: int, head: int, tail: int) -> str:
    """As `of_bytes`, of an open file of `size` bytes."""
    digest = blake3()
    for start, length in ((0, head), (size - tail, tail)):
        stream.seek(start)
        while length > 0 and (part := stream.read(min(length, STEP))):
            digest.update(part)
            length -= len(part)
    return str(digest.hexdigest(length=LENGTH))

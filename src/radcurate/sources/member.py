"""What archives of all kinds come down to: a name, a kind, a content that is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

BLOCK = 1 << 20


class Readable(Protocol):
    """A binary stream."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


@dataclass(frozen=True)
class Member:
    """One entry of an archive.

    kind: file | folder | link (symbolic) | hard (another name of an earlier member) | device.
    target: where a link leads, as written.
    """

    name: str = field(repr=False)
    kind: str
    size: int
    content: Callable[[], Iterable[bytes]] = field(repr=False)
    target: str = field(default="", repr=False)


def blocks(stream: Readable) -> Iterator[bytes]:
    """The content of a stream in blocks of a megabyte."""
    while block := stream.read(BLOCK):
        yield block

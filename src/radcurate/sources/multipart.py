"""The parts of a multipart answer (RFC 2046 section 5.1), as they arrive, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

BLOCK = 1 << 18
LONGEST_HEAD = 1 << 16  # bytes of the headers of a part


class Multipart:
    """An answer in parts, read from front to back.

    Args:
        read: gives at most so many bytes, none at the end.
        boundary: of the answer's Content-Type.

    Raises:
        EOFError: from any method, where the answer ends before its last boundary: the last part is not whole then.
    """

    def __init__(self, read: Callable[[int], bytes], boundary: str) -> None:
        self._read, self._mark = read, b"\r\n--" + boundary.encode("latin-1", "replace")
        self._held = bytearray(b"\r\n")  # so that a boundary at the very start is one
        self._skip = 0  # bytes held that belong to no body

    def parts(self) -> Iterator[Iterator[bytes]]:
        """The bodies of the parts; each must be read before the next is asked for, what is left of it is passed over."""
        for _ in self._until_mark():  # what comes before the first boundary
            pass
        while not self._at_end():
            self._skip_head()
            body = self._until_mark()
            yield body
            for _ in body:
                pass

    def _at_end(self) -> bool:
        """Whether the boundary that was just passed is the last one."""
        self._fill(2)
        return self._held[:2] == b"--"

    def _skip_head(self) -> None:
        """Pass over the rest of the boundary's line and the headers, to the empty line."""
        while b"\r\n\r\n" not in self._held:
            if len(self._held) > LONGEST_HEAD:
                raise EOFError
            self._more()
        del self._held[: self._held.index(b"\r\n\r\n") + 4]
        self._held[:0] = b"\r\n"  # an empty body: the boundary follows at once, and its line break is the head's
        self._skip = 2

    def _until_mark(self) -> Iterator[bytes]:
        """The bytes up to the next boundary, which is passed."""
        skip, self._skip = self._skip, 0
        while True:
            at = self._held.find(self._mark)
            if at >= 0:
                block = bytes(self._held[skip:at])
                del self._held[: at + len(self._mark)]
                if block:
                    yield block
                return
            safe = len(self._held) - len(self._mark)
            if safe > skip:
                block = bytes(self._held[skip:safe])
                del self._held[:safe]
                skip = 0
                yield block
            self._more()

    def _fill(self, count: int) -> None:
        while len(self._held) < count:
            self._more()

    def _more(self) -> None:
        block = self._read(BLOCK)
        if not block:
            raise EOFError
        self._held += block

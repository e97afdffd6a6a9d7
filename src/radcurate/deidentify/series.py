"""The files of one series, one after the other: quickly where they are ordinary, strictly otherwise, both held to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from radcurate.deidentify.digests import Digests, digest, file_digests
from radcurate.deidentify.fast import Notes, Quick, Shortcut, has_exact_pixels
from radcurate.deidentify.instance import Facts, Rewritten, rewrite_instance
from radcurate.deidentify.rewrite import Rewriter

SpareUids = Callable[[], Mapping[int, str]]


class WaysDifferError(Exception):
    """The quick and the strict way made different files of the same one: the quick way must not be taken."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """A new file in parts, what was done, and digests of the source and of it."""

    parts: tuple[bytes | memoryview, ...]
    notes: Notes
    source: Digests
    written: Digests
    facts: Facts | None  # None where the quick way was taken


@dataclass(slots=True)
class SeriesRewriter:
    """Rewrites the files of one series; `shortcut` None takes the strict way for all."""

    rewriter: Rewriter
    shortcut: Shortcut | None

    def head(self, data: bytes) -> Quick | None:
        """The quick way's new header, or None where the strict way has to be taken. For `rewrite`, which looks at the pixels.

        Apart from it, so that headers can be made one after the other: pixels in between would push everything that
        they need out of the processor's caches, which doubles their cost.

        Raises:
            Unsafe: the file can't be rewritten safely.
        """
        return self.shortcut.head(data) if self.shortcut else None

    def rewrite(self, data: bytes, quick: Quick | None, spare_uids: SpareUids, both_ways: bool) -> NewFile:
        """One file.

        Args:
            data: the source's bytes.
            quick: what `head` made of it.
            spare_uids: new UIDs for a source without them, asked for only where needed.
            both_ways: take the strict way too, and insist on the same result.

        Raises:
            Unsafe: it can't be rewritten safely.
            WaysDifferError: the two ways disagree.
        """
        if quick is not None and not has_exact_pixels(data, quick):
            quick = None
        if quick is not None and not both_ways:
            return _quick_file(data, quick, None)
        strict = rewrite_instance(data, self.rewriter, spare_uids())
        if quick is None:
            return NewFile((strict.data,), strict.notes, file_digests(data), file_digests(strict.data), strict.facts)
        if not _alike(data, quick, strict):
            raise WaysDifferError
        return _quick_file(data, quick, strict.facts)


def _quick_file(data: bytes, quick: Quick, facts: Facts | None) -> NewFile:
    """The pixel values are the source's own bytes, so they are hashed once and written from where they lie."""
    values = memoryview(data)[quick.pixel_start :]
    pixels = digest(values)
    source = Digests(digest(memoryview(data)[: quick.pixel_start]), pixels)
    return NewFile((quick.head, values), quick.notes, source, Digests(digest(quick.head), pixels), facts)


def _alike(data: bytes, quick: Quick, strict: Rewritten) -> bool:
    same = quick.head == strict.data[: len(quick.head)]
    return same and data[quick.pixel_start :] == strict.data[len(quick.head) :] and quick.notes == strict.notes

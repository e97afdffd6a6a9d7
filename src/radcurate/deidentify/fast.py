"""The slices of a series, each rewritten for little more than its copy: what became of an element once is remembered.

Every element is still decided by `Rewriter.element`, and every file that is not an ordinary single-frame image in little
endian goes the strict way of `instance`. Both ways write the same bytes; the tests hold them to each other, and so does the
stage, with the first file of each series.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from radcurate.deidentify import pixels
from radcurate.deidentify.actions import SIBLING_ACTIONS
from radcurate.deidentify.instance import FINISH_TAGS, SERIES, SOP_CLASS, SOP_INSTANCE, STUDY, admit, finish
from radcurate.deidentify.rewrite import Note, Rewriter
from radcurate.deidentify.scope import Scope
from radcurate.dicom.container import file_head
from radcurate.dicom.elements import PIXEL_DATA, UNDEFINED, DataSet, Element, Encoding
from radcurate.dicom.encode import encode
from radcurate.dicom.split import Split, Splitter, parse

Notes = frozenset[Note]
Known = tuple[bytes, Notes]  # what to write for an element (nothing: it went), and what is said of it
LARGEST = 60_000  # bytes; what is longer might have to be written in another encoding
REMEMBERED = 4096  # bytes; longer elements seldom return
MOST = 10_000  # elements remembered; a slice has about ten of its own
# elements that decide whether the file may pass, how others are read and how many bytes its pixels have
FRAME_TAGS = (
    0x00080005, 0x00080008, SOP_CLASS, 0x00080201, 0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280010, 0x00280011,
    0x00280100, 0x00280101, 0x00280102, 0x00280103, 0x00280301,
)  # fmt: skip
REQUIRED = (SOP_CLASS, SOP_INSTANCE, STUDY, SERIES)
_TOGETHER = FINISH_TAGS - {SOP_INSTANCE}  # decided as one; the instance's own UID alone differs in every slice
_NOTHING: Known = (b"", frozenset())
_META_UID = b"\x02\x00\x03\x00UI"


@dataclass(frozen=True, slots=True)
class Quick:
    """A new file in two parts: its bytes up to the pixel values, and where those begin in the source."""

    head: bytes
    pixel_start: int
    notes: Notes


@dataclass(slots=True)
class _Frame:
    """What slices with the same describing elements share."""

    scope: Scope
    encoding: Encoding
    shape: pixels.Layout
    before_uid: bytes  # of the new file, up to the instance UID of the meta group, whose length counts it as empty
    after_uid: bytes
    pixel_head: bytes  # tag, VR and length
    pixel_notes: Notes
    known: dict[bytes, Known] = field(default_factory=dict)  # by the element's bytes
    finished: dict[tuple[bytes | None, ...], tuple[dict[int, bytes], Notes]] = field(default_factory=dict)


class _Doubt(Exception):  # noqa: N818 - no error: the strict way is asked
    """The file is not as ordinary as it looked."""


@dataclass(slots=True)
class Shortcut:
    """Rewrites the ordinary files of one series; gives None for those that have to go the strict way."""

    rewriter: Rewriter
    _splitter: Splitter = field(default_factory=Splitter)
    _frames: dict[tuple[bytes | str | None, ...], _Frame | None] = field(default_factory=dict)
    _unions: dict[tuple[Notes, ...], Notes] = field(default_factory=dict)

    def rewrite(self, data: bytes) -> Quick | None:
        """The new file, or None where `rewrite_instance` has to decide.

        Raises:
            Unsafe: as `rewrite_instance` does.
        """
        found = self._splitter.split(data, len(data))
        if found is None or not found.pixel_start or found.pixel_length == UNDEFINED:
            return None
        raws = dict(zip(found.tags, found.raws, strict=True))
        frame = self._frame(data, found, raws)
        if frame is None:
            return None
        pixel_values = Element(PIXEL_DATA, "OW", memoryview(data)[found.pixel_start :])  # type: ignore[arg-type]
        if pixels.exact_native(pixel_values, frame.shape)[1]:
            return None
        try:
            return self._assemble(found, raws, frame)
        except _Doubt:
            return None

    def _assemble(self, found: Split, raws: Mapping[int, bytes], frame: _Frame) -> Quick:
        known = frame.known
        outcomes = [known.get(raw) or self._learn(tag, raw, frame) for tag, raw in raws.items()]
        together, notes = self._finished(raws, frame)
        pieces = dict(zip(found.tags, [data for data, _ in outcomes], strict=True))
        uid = pieces[SOP_INSTANCE][8:]
        pieces.update(together)
        key = (notes, frame.pixel_notes, *[one for _, one in outcomes])
        if key not in self._unions:
            self._unions[key] = frozenset().union(*key)
        head = [_with_uid(frame, uid), *[pieces[tag] for tag in sorted(pieces)], frame.pixel_head]
        return Quick(b"".join(head), found.pixel_start, self._unions[key])

    def _learn(self, tag: int, raw: bytes, frame: _Frame) -> Known:
        """Let the rewriter decide about an element that was not seen before."""
        outcome = _NOTHING if tag in _TOGETHER else self._decided(tag, raw, frame)
        if len(raw) <= REMEMBERED:
            if len(frame.known) >= MOST:
                frame.known.clear()
            frame.known[raw] = outcome
        return outcome

    def _decided(self, tag: int, raw: bytes, frame: _Frame) -> Known:
        rule = frame.scope.family.rules.get(tag)
        if len(raw) > LARGEST or (rule is not None and rule.action in SIBLING_ACTIONS):
            raise _Doubt
        self.rewriter.notes.clear()
        new = self.rewriter.element(parse(raw, frame.encoding), frame.scope)
        return encode({tag: new}, frame.encoding) if new else b"", frozenset(self.rewriter.notes)

    def _finished(self, raws: Mapping[int, bytes], frame: _Frame) -> tuple[dict[int, bytes], Notes]:
        """The elements that are decided together: identity, age, markers."""
        key = tuple(raws.get(tag) for tag in _TOGETHER)
        if key not in frame.finished:
            frame.finished[key] = self._finish(raws, frame)
        return frame.finished[key]

    def _finish(self, raws: Mapping[int, bytes], frame: _Frame) -> tuple[dict[int, bytes], Notes]:
        old = {tag: parse(raws[tag], frame.encoding) for tag in sorted(_TOGETHER & raws.keys())}
        self.rewriter.notes.clear()
        new = _rewritten(old, self.rewriter, frame.scope)
        if not all(tag in new and new[tag].value for tag in (STUDY, SERIES)):
            raise _Doubt
        new[SOP_INSTANCE] = Element(SOP_INSTANCE, "UI", b"0")
        finish(new, old, self.rewriter, {})
        del new[SOP_INSTANCE]
        return {tag: encode({tag: element}, frame.encoding) for tag, element in new.items()}, frozenset(
            self.rewriter.notes
        )

    def _frame(self, data: bytes, found: Split, raws: Mapping[int, bytes]) -> _Frame | None:
        """What is known for files with these describing elements; None where they go the strict way."""
        head = data[found.pixel_head : found.pixel_start]
        key = (found.transfer_syntax, head, *[raws.get(tag) for tag in FRAME_TAGS])
        if key not in self._frames:
            self._frames[key] = self._new_frame(found, head, raws)
        return self._frames[key]

    def _new_frame(self, found: Split, head: bytes, raws: Mapping[int, bytes]) -> _Frame | None:
        if not all(tag in raws for tag in REQUIRED) or found.pixel_length % 2:
            return None
        old = {tag: parse(raws[tag], found.encoding) for tag in FRAME_TAGS if tag in raws}
        family = admit(old, self.rewriter)
        if family.kind != "image":
            return None
        scope = self.rewriter.scope(old, found.encoding.little, family)
        new = _rewritten(old, self.rewriter, scope)
        self.rewriter.notes.clear()
        vr = head[4:6].decode() if found.encoding.explicit else ""
        pixel = self.rewriter.element(Element(PIXEL_DATA, vr, b""), scope)
        if pixel is None or SOP_CLASS not in new:
            return None
        sop_class = new[SOP_CLASS].value.strip(b" \0").decode("ascii")
        before, after = _around_uid(found.transfer_syntax, sop_class)
        length = struct.pack("<L", found.pixel_length)
        pixel_head = encode({PIXEL_DATA: pixel}, found.encoding)[:-4] + length
        shape = pixels.layout(new, found.encoding.little)
        return _Frame(scope, found.encoding, shape, before, after, pixel_head, frozenset(self.rewriter.notes))


def _rewritten(old: DataSet, rewriter: Rewriter, scope: Scope) -> DataSet:
    decided = ((tag, rewriter.element(element, scope)) for tag, element in old.items())
    return {tag: element for tag, element in decided if element is not None}


def _around_uid(transfer_syntax: str, sop_class: str) -> tuple[bytes, bytes]:
    """The start of a new file before and after the instance UID in its meta group."""
    whole = file_head(transfer_syntax, sop_class, "")
    place = whole.index(_META_UID)
    return whole[:place], whole[place + 8 :]


def _with_uid(frame: _Frame, uid: bytes) -> bytes:
    """The start of a new file, up to its data set, for a padded instance UID."""
    before, after = frame.before_uid, frame.after_uid
    length = struct.unpack_from("<L", before, 140)[0] + len(uid)
    start = before[:140] + struct.pack("<L", length) + before[144:]
    return start + _META_UID + struct.pack("<H", len(uid)) + uid + after

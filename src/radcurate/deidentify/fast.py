"""The slices of a series, each rewritten for little more than its copy: what became of an element once is remembered.

Every element is still decided by the `Rewriter`, and every file that is not an ordinary single-frame image in little endian
goes the strict way of `instance`. Both ways write the same bytes; the tests hold them to each other, and so does the stage,
with the first and the last file of each series.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from radcurate.deidentify.actions import SIBLING_ACTIONS
from radcurate.deidentify.hidden import judge_bits
from radcurate.deidentify.instance import FINISH_TAGS, SERIES, SOP_CLASS, SOP_INSTANCE, STUDY, admit, finish
from radcurate.deidentify.layout import Layout, layout
from radcurate.deidentify.pixels import exact_native
from radcurate.deidentify.rewrite import Leaf, Note, Rewriter
from radcurate.deidentify.scope import Scope
from radcurate.dicom.container import file_head
from radcurate.dicom.elements import PIXEL_DATA, SHORT_VRS, UNDEFINED, DataSet, Element, Encoding
from radcurate.dicom.encode import encode_element, encode_value
from radcurate.dicom.split import Split, Splitter, parse, value_of

Notes = frozenset[Note]
Known = tuple[bytes, Notes]  # what to write for an element (nothing: it went), and what is said of it
LARGEST = 60_000  # bytes; what is longer might have to be written in another encoding
REMEMBERED = 4096  # bytes; longer elements seldom return
MOST = 10_000  # elements remembered; a slice has about ten of its own
# elements that decide whether the file may pass, how others are read and how many bytes its pixels have
FRAME_TAGS = (
    0x00080005, 0x00080008, SOP_CLASS, 0x00080201, 0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280010, 0x00280011,
    0x00280100, 0x00280101, 0x00280102, 0x00280103, 0x00280120, 0x00280121, 0x00280301,
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
    shape: Layout = field(repr=False)  # of the pixels
    little: bool


@dataclass(slots=True)
class _Frame:
    """What slices with the same describing elements share."""

    scope: Scope
    encoding: Encoding
    shape: Layout
    before_uid: bytes  # of the new file, up to the instance UID of the meta group, whose length counts it as empty
    after_uid: bytes
    pixel_head: bytes  # tag, VR and length
    pixel_length: int
    pixel_notes: Notes
    known: dict[bytes, Known] = field(default_factory=dict)  # by the element's bytes
    leaves: dict[tuple[int, str], Leaf | None] = field(default_factory=dict)  # by tag and VR as written
    varying: set[int] = field(default_factory=set)  # tags whose bytes have differed between slices
    last: Split | None = None
    finished: dict[tuple[bytes | None, ...], tuple[dict[int, bytes], Notes]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A header as stretches that all slices share, around elements that differ.

    A stretch is bytes of whole elements that end where they end in the plan's own file, so that equal bytes are equal elements.
    """

    syntax: str
    stretches: tuple[bytes, ...]  # one more than `tags`; the last ends with the head of the pixel data
    written: tuple[bytes, ...]  # what is written for each stretch
    tags: tuple[int, ...]  # the elements between, ascending
    place_of_uid: int  # of the instance's UID among them
    notes: Notes  # of everything in the stretches


class _Doubt(Exception):  # noqa: N818 - no error: the strict way is asked
    """The file is not as ordinary as it looked."""


@dataclass(slots=True)
class Shortcut:
    """Rewrites the ordinary files of one series; gives None for those that have to go the strict way."""

    rewriter: Rewriter
    _splitter: Splitter = field(default_factory=Splitter)
    _frames: dict[tuple[bytes | str | None, ...], _Frame | None] = field(default_factory=dict)
    _unions: dict[tuple[Notes, ...], Notes] = field(default_factory=dict)
    _plan: tuple[_Plan, _Frame] | None = None

    def rewrite(self, data: bytes) -> Quick | None:
        """The new file, or None where `rewrite_instance` has to decide.

        Raises:
            Unsafe: as `rewrite_instance` does.
        """
        quick = self.head(data)
        return quick if quick is not None and has_exact_pixels(data, quick) else None

    def head(self, data: bytes) -> Quick | None:
        """As `rewrite`, before anybody has looked at the pixels: see `has_exact_pixels`."""
        if self._plan is not None:
            try:
                quick = self._follow(data, *self._plan)
            except _Doubt:
                return None
            if quick is not None:
                return quick
        found = self._splitter.split(data, len(data))
        if found is None or not found.pixel_start or found.pixel_length == UNDEFINED:
            return None
        raws = dict(zip(found.tags, found.raws, strict=True))
        frame = self._frame(data, found, raws)
        if frame is None:
            return None
        try:
            quick = self._assemble(found, raws, frame)
        except _Doubt:
            return None
        self._make_plan(data, found, raws, frame)
        return quick

    def _follow(self, data: bytes, plan: _Plan, frame: _Frame) -> Quick | None:
        """The new file of a slice that differs from the plan's only where slices may; None for another one."""
        syntax, position = self._splitter.begin(data)
        if syntax != plan.syntax:
            return None
        outcomes: list[Known] = []
        for stretch, tag in zip(plan.stretches, plan.tags, strict=False):
            position += len(stretch)
            if not data.startswith(stretch, position - len(stretch)):
                return None
            found, size = self._splitter.element_at(data, position, frame.encoding)
            if found != tag or size < 8:
                return None
            raw = data[position : position + size]
            outcomes.append(frame.known.get(raw) or self._learn(tag, raw, frame))
            position += size
        if not data.startswith(plan.stretches[-1], position):
            return None
        position += len(plan.stretches[-1])
        if len(data) - position != frame.pixel_length:
            return None
        parts = [_start(frame, outcomes[plan.place_of_uid][0])]
        for written, outcome in zip(plan.written, outcomes, strict=False):
            parts += (written, outcome[0])
        parts.append(plan.written[-1])
        notes = self._union((plan.notes, *[notes for _, notes in outcomes]))
        return Quick(b"".join(parts), position, notes, frame.shape, frame.encoding.little)

    def _make_plan(self, data: bytes, found: Split, raws: Mapping[int, bytes], frame: _Frame) -> None:
        """Find out from the slice before what differs between slices."""
        before, frame.last, self._plan = frame.last, found, None
        if before is None or before.tags != found.tags:
            return
        frame.varying.update(
            tag for tag, old, new in zip(found.tags, before.raws, found.raws, strict=True) if old != new
        )
        if SOP_INSTANCE not in frame.varying or frame.varying & _TOGETHER:
            return
        together, notes = self._finished(raws, frame)
        outcomes = {tag: frame.known.get(raw) or self._learn(tag, raw, frame) for tag, raw in raws.items()}
        pieces = {tag: outcome[0] for tag, outcome in outcomes.items()} | together
        varying = tuple(tag for tag in found.tags if tag in frame.varying)
        same = [outcome[1] for tag, outcome in outcomes.items() if tag not in frame.varying]
        head = data[found.pixel_head : found.pixel_start]
        plan = _Plan(
            found.transfer_syntax,
            tuple(_between(raws, varying, head)),
            tuple(_between(pieces, varying, frame.pixel_head)),
            varying,
            varying.index(SOP_INSTANCE),
            self._union((notes, frame.pixel_notes, *same)),
        )
        self._plan = plan, frame

    def _assemble(self, found: Split, raws: Mapping[int, bytes], frame: _Frame) -> Quick:
        known = frame.known
        outcomes = [known.get(raw) or self._learn(tag, raw, frame) for tag, raw in raws.items()]
        together, notes = self._finished(raws, frame)
        pieces = dict(zip(found.tags, [data for data, _ in outcomes], strict=True))
        start = _start(frame, pieces[SOP_INSTANCE])
        pieces.update(together)
        head = [start, *[pieces[tag] for tag in sorted(pieces)], frame.pixel_head]
        union = self._union((notes, frame.pixel_notes, *[one for _, one in outcomes]))
        return Quick(b"".join(head), found.pixel_start, union, frame.shape, frame.encoding.little)

    def _union(self, lists: tuple[Notes, ...]) -> Notes:
        if lists not in self._unions:
            self._unions[lists] = frozenset().union(*lists)
        return self._unions[lists]

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
        vr, value = value_of(raw, frame.encoding)
        plain = vr in SHORT_VRS  # others may hold a sequence
        if plain:
            if (tag, vr) not in frame.leaves:
                frame.leaves[tag, vr] = self.rewriter.leaf(tag, vr, frame.scope)
            leaf = frame.leaves[tag, vr]
            if leaf is not None:
                new_value, note = self.rewriter.decide(leaf, value, frame.scope)
                return encode_value(tag, leaf.vr, new_value or b"", frame.encoding), _alone(note)
        self.rewriter.notes.clear()
        new = self.rewriter.element(Element(tag, vr, value) if plain else parse(raw, frame.encoding), frame.scope)
        return encode_element(new, frame.encoding) if new else b"", frozenset(self.rewriter.notes)

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
        return {tag: encode_element(element, frame.encoding) for tag, element in new.items()}, frozenset(
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
        if self.rewriter.policy.private:  # a private element depends on the creator beside it
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
        pixel_head = encode_element(pixel, found.encoding)[:-4] + length
        shape = layout(new, found.encoding.little)
        notes = frozenset(self.rewriter.notes)
        return _Frame(scope, found.encoding, shape, before, after, pixel_head, found.pixel_length, notes)


@lru_cache(maxsize=1 << 12)
def _alone(note: Note) -> Notes:
    return frozenset([note])


def has_exact_pixels(data: bytes, quick: Quick) -> bool:
    """Whether there are as many bytes as pixels, and nothing in their unused bits.

    Raises:
        Unsafe: there are too few, or there is something.
    """
    values = memoryview(data)[quick.pixel_start :]
    if len(values) == quick.shape.length:
        judge_bits(values, quick.shape, quick.little)
        return True
    return not exact_native(Element(PIXEL_DATA, "OW", bytes(values)), quick.shape, quick.little)[1]


def _between(pieces: Mapping[int, bytes], varying: Sequence[int], last: bytes) -> Iterator[bytes]:
    """The pieces before, between and after those that vary, each run of them joined."""
    run: list[bytes] = []
    for tag in sorted(pieces):
        if tag in varying:
            yield b"".join(run)
            run = []
        else:
            run.append(pieces[tag])
    yield b"".join([*run, last])


def _rewritten(old: DataSet, rewriter: Rewriter, scope: Scope) -> DataSet:
    decided = ((tag, rewriter.element(element, scope)) for tag, element in old.items())
    return {tag: element for tag, element in decided if element is not None}


def _around_uid(transfer_syntax: str, sop_class: str) -> tuple[bytes, bytes]:
    """The start of a new file before and after the instance UID in its meta group."""
    whole = file_head(transfer_syntax, sop_class, "")
    place = whole.index(_META_UID)
    return whole[:place], whole[place + 8 :]


def _start(frame: _Frame, instance: bytes) -> bytes:
    """The start of a new file, up to its data set, for its element of the instance UID.

    Raises:
        _Doubt: that element is empty.
    """
    uid = instance[8:]
    if not uid:
        raise _Doubt
    before, after = frame.before_uid, frame.after_uid
    length = struct.unpack_from("<L", before, 140)[0] + len(uid)
    start = before[:140] + struct.pack("<L", length) + before[144:]
    return start + _META_UID + struct.pack("<H", len(uid)) + uid + after

"""A data set under the policy: element by element, at every depth, each step noted without its value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from radcurate.deidentify import age, codes, dates, uids, values
from radcurate.deidentify.policy import Policy, Rule
from radcurate.dicom.elements import DataSet, Element, dictionary_vr, is_private, keyword, tag_text
from radcurate.keys import Key

KEEP, BLANK, REMOVE = "keep", "blank", "remove"
NOT_ALLOWED, PRIVATE = "not in the allow-list", "private attribute"
START_TIME, START_MOMENT, STOP_MOMENT = 0x00181072, 0x00181078, 0x00181079
ROI_NUMBER, SEGMENT_NUMBER = 0x30060022, 0x00620004
CODE_VALUE, LONG_CODE, SCHEME, MEANING = 0x00080100, 0x00080119, 0x00080102, 0x00080104


@dataclass(frozen=True)
class Patient:
    """What is secret or keyed about one patient."""

    subject: str
    dates: dates.DateRule = field(repr=False)
    own_words: frozenset[str] = field(default=frozenset(), repr=False)  # casefolded words of the patient's names
    own_numbers: frozenset[float] = field(default=frozenset(), repr=False)  # numbers in the patient's identifiers


@dataclass(frozen=True)
class Note:
    """One thing that was done: where, what, why. Never a value."""

    path: str
    keyword: str
    action: str
    reason: str


@dataclass
class Rewriter:
    """Applies a policy to the data sets of one patient; `notes` collects what was done since it was emptied."""

    policy: Policy
    key: Key = field(repr=False)
    patient: Patient
    notes: set[Note] = field(default_factory=set)
    _uids: dict[str, str] = field(default_factory=dict, repr=False)

    def data_set(self, elements: DataSet, little: bool) -> DataSet:
        """The allowed part of a top-level data set, rewritten. Pixel data is taken over as it is (see `pixels`)."""
        return self._items(elements, _scope(elements, little))

    def _items(self, elements: DataSet, scope: Scope) -> DataSet:
        scope = scope.inside(elements)
        result: DataSet = {}
        for tag in sorted(elements):
            new = self._element(elements[tag], scope)
            if new is not None:
                result[tag] = new
        if self.patient.dates.mode == "year":
            self._forget_moments(elements, result, scope)
        return result

    def _element(self, element: Element, scope: Scope) -> Element | None:
        rule = self.policy.rules.get(element.tag)
        if rule is None or (rule.action == "pixels" and scope.path):
            self._gone(element.tag, scope, PRIVATE if is_private(element.tag) else NOT_ALLOWED)
            return None
        if rule.action in ("sequence", "code"):
            return self._sequence(element, rule, scope)
        if element.items is not None or (element.fragments is not None and rule.action != "pixels"):
            self._gone(element.tag, scope, "has another VR than the standard says")
            return None
        if rule.action == "pixels":
            self._note(element.tag, scope, KEEP, rule.reason)
            return replace(element, vr=_bulk_vr(element, scope))
        vr = values.resolve_vr(element.tag, element.vr, scope.signed, scope.bits)
        if vr is None:
            self._gone(element.tag, scope, "has another VR than the standard says")
            return None
        return self._value(element, vr, rule, scope)

    def _value(self, element: Element, vr: str, rule: Rule, scope: Scope) -> Element:
        """A single element with a value: its rule's handler gives new bytes, or None for a value that may not stay."""
        new = _HANDLERS[rule.action](self, Value(element.value, vr, rule, scope))
        if new is None:
            self._note(rule.tag, scope, BLANK, f"value is not accepted for {vr}: {rule.action}")
            new = b""
        elif rule.action in (KEEP, "lut") or new.strip(b" \0") == element.value.strip(b" \0"):
            self._note(rule.tag, scope, KEEP, rule.reason)
        else:
            self._note(rule.tag, scope, rule.action, rule.reason)
        return Element(element.tag, vr, new)

    def _sequence(self, element: Element, rule: Rule, scope: Scope) -> Element | None:
        if element.items is None and element.value.strip(b"\0 "):
            self._gone(element.tag, scope, "has another VR than the standard says")
            return None
        inner = scope.below(element.tag)
        items: list[DataSet] = []
        for item in element.items or []:
            new = self._items(item, inner)
            if rule.action == "code":
                code = self._code(item, inner)
                if code is None:
                    continue
                new |= code
            items.append(new)
        self._note(element.tag, scope, rule.action, rule.reason)
        return Element(element.tag, "SQ", items=items)

    def _code(self, item: DataSet, scope: Scope) -> DataSet | None:
        """Scheme, value and looked-up meaning of a code item; None where the code is not one that may stay."""
        scheme = _ascii(item.get(SCHEME))
        value = _ascii(item.get(CODE_VALUE)) or _ascii(item.get(LONG_CODE))
        meaning = codes.accepted(scheme, value, self.policy.vocabulary.coding_schemes)
        if meaning is None:
            self._note(CODE_VALUE, scope, REMOVE, "code is not in a known scheme")
            return None
        self._note(CODE_VALUE, scope, KEEP, "code of a known scheme")
        where = CODE_VALUE if len(value) <= 16 else LONG_CODE
        vr = "SH" if where == CODE_VALUE else "UC"
        return {
            where: Element(where, vr, value.encode()),
            SCHEME: Element(SCHEME, "SH", scheme.encode()),
            MEANING: Element(MEANING, "LO", meaning.encode()),
        }

    def _forget_moments(self, elements: DataSet, result: DataSet, scope: Scope) -> None:
        """With years only, an injection before midnight would lie after the scan: its time of day says enough."""
        moment = result.pop(START_MOMENT, None)
        result.pop(STOP_MOMENT, None)
        if moment is None:
            return
        clock = moment.value.decode("ascii").strip()[8:]
        if clock and not result.get(START_TIME, Element(START_TIME, "TM")).value:
            result[START_TIME] = Element(START_TIME, "TM", clock.encode())
        self._note(START_MOMENT, scope, REMOVE, "years only: the start time stays")

    def _gone(self, tag: int, scope: Scope, reason: str) -> None:
        self._note(tag, scope, REMOVE, reason)

    def _note(self, tag: int, scope: Scope, action: str, reason: str) -> None:
        self.notes.add(Note(scope.path + tag_text(tag), keyword(tag), action, reason))

    def uid(self, original: str) -> str:
        """The replacement of a UID, remembered: references repeat it."""
        if original not in self._uids:
            self._uids[original] = uids.new_uid(original, self.key, self.policy.vocabulary.sop_classes)
        return self._uids[original]


@dataclass(frozen=True)
class Scope:
    """Where in the object an element stands and what its interpretation depends on."""

    little: bool
    signed: bool
    bits: int
    zone: str | None
    charsets: tuple[str, ...] = ("ISO_IR 6",)
    path: str = ""
    item: DataSet = field(default_factory=dict, repr=False)

    def inside(self, elements: DataSet) -> Scope:
        """The scope of the elements of this data set or item; it may name character sets of its own."""
        named = elements.get(0x00080005)
        charsets = tuple(values.components(_ascii(named))) if named else self.charsets
        return replace(self, charsets=charsets, item=elements)

    def below(self, tag: int) -> Scope:
        """The scope of the items of a sequence."""
        return replace(self, path=self.path + tag_text(tag) + ">")


@dataclass(frozen=True)
class Value:
    """Bytes of a value with all that is needed to judge them."""

    raw: bytes
    vr: str
    rule: Rule
    scope: Scope

    def text(self) -> str | None:
        """The value as text; None where it isn't text in the file's character sets."""
        charsets = self.scope.charsets if self.vr not in ("CS", "DA", "TM", "DT", "AS") else ("ISO_IR 6",)
        return values.decode_text(self.raw, charsets)


def _scope(elements: DataSet, little: bool) -> Scope:
    def number(tag: int) -> int:
        element = elements.get(tag)
        return int.from_bytes(element.value[:2], "little" if little else "big") if element else 0

    zone = _ascii(elements.get(0x00080201))
    valid = len(zone) == 5 and zone[0] in "+-" and zone[1:].isdigit()
    return Scope(little, number(0x00280103) == 1, number(0x00280100), zone if valid else None)


def _ascii(element: Element | None) -> str:
    """A short technical text; empty where it is absent or not ASCII."""
    return (values.decode_text(element.value, ("ISO_IR 6",)) or "") if element and element.value.isascii() else ""


def _bulk_vr(element: Element, scope: Scope) -> str:
    allowed = dictionary_vr(element.tag).split(" or ")
    if element.fragments is not None or (len(allowed) > 1 and scope.bits <= 8 and element.vr != "OW"):
        return "OB"
    return element.vr if element.vr in allowed else allowed[-1]


def _keep(rewriter: Rewriter, value: Value) -> bytes | None:
    """Numbers that are valid, within the row's limits and none of the patient's own."""
    new = values.number(value.vr, value.raw, value.scope.little, values.largest_count(value.rule.tag))
    if not new:
        return new
    readings = values.readings(value.vr, new, value.scope.little)
    if value.vr in ("DS", "IS"):
        low, high = value.rule.limits
        if readings and not (low <= min(readings) and max(readings) <= high):
            return None
    return None if not rewriter.patient.own_numbers.isdisjoint(readings) else new


def _listed(rewriter: Rewriter, value: Value) -> bytes | None:
    return _by_component(value, lambda part: rewriter.policy.vocabulary.listed(value.rule.keyword, part))


def _matching(rewriter: Rewriter, value: Value) -> bytes | None:
    return _by_component(value, lambda part: rewriter.policy.vocabulary.matching(value.rule.keyword, part))


def _by_component(value: Value, accept: Callable[[str], str | None]) -> bytes | None:
    """The accepted components in their places, others empty; None where none is accepted."""
    text = value.text()
    if text is None:
        return None
    parts = values.components(text)
    kept = [(accept(part) or "") if part else "" for part in parts]
    if any(parts) and not any(kept):
        return None
    return "\\".join(kept).encode()


def _words(rewriter: Rewriter, value: Value) -> bytes | None:
    text = value.text()
    if text is None:
        return None
    kept = rewriter.policy.vocabulary.describe(text, rewriter.patient.own_words)
    return _shortened(kept, 16 if value.vr in ("SH", "CS") else 64, value.vr)


def _shortened(text: str, limit: int, vr: str) -> bytes:
    """As many whole words as fit."""
    if vr == "CS":
        text = "".join(char for char in text.upper() if char.isascii() and (char.isalnum() or char in " _"))
    while len(text) > limit:
        text = text.rpartition(" ")[0]
    return text.encode()


def _roi_name(rewriter: Rewriter, value: Value) -> bytes | None:
    text = value.text()
    kept = rewriter.policy.vocabulary.region(text, rewriter.patient.own_words) if text else None
    return kept.encode() if kept else _numbered(value.scope)


def _numbered(scope: Scope) -> bytes:
    """`ROI 3` or `Segment 3`, from the number in the same item."""
    for tag, name in ((ROI_NUMBER, b"ROI"), (SEGMENT_NUMBER, b"Segment")):
        element = scope.item.get(tag)
        if element is None:
            continue
        if tag == ROI_NUMBER:
            number = values.number("IS", element.value, scope.little) or b""
        else:
            number = str(int.from_bytes(element.value[:2], "little" if scope.little else "big")).encode()
        return (name + b" " + number.strip()).strip()
    return b"ROI"


def _empty(rewriter: Rewriter, value: Value) -> bytes | None:
    return b""


def _replace(rewriter: Rewriter, value: Value) -> bytes | None:
    return value.rule.value.encode()


def _pseudonym(rewriter: Rewriter, value: Value) -> bytes | None:
    return rewriter.patient.subject.encode()


def _uid(rewriter: Rewriter, value: Value) -> bytes | None:
    found = values.uids(value.raw)
    return None if found is None else "\\".join(rewriter.uid(part) for part in found).encode()


def _date(rewriter: Rewriter, value: Value) -> bytes | None:
    rule, zone = rewriter.patient.dates, value.scope.zone
    change = rule.date if value.vr == "DA" else lambda part: rule.moment(part, zone)
    return _each(value, change)


def _time(rewriter: Rewriter, value: Value) -> bytes | None:
    return _each(value, values.time)


def _age(rewriter: Rewriter, value: Value) -> bytes | None:
    def change(text: str) -> str | None:
        years = age.years_of(text)
        return None if years is None else age.age_text(years)

    return _each(value, change)


def _each(value: Value, change: Callable[[str], str | None]) -> bytes | None:
    text = value.text()
    new = values.each(text, change) if text is not None else None
    return None if new is None else new.encode()


def _lut(rewriter: Rewriter, value: Value) -> bytes | None:
    """A lookup table, if it has as many entries as its descriptor says (PS3.3 C.11.1.1.1)."""
    descriptor = value.scope.item.get(0x00283002)
    if descriptor is None or len(descriptor.value) != 6:
        return None
    order = "little" if value.scope.little else "big"
    entries = int.from_bytes(descriptor.value[:2], order) or 65536  # type: ignore[arg-type]
    return value.raw if len(value.raw) in (entries + entries % 2, 2 * entries) else None


_HANDLERS: dict[str, Callable[[Rewriter, Value], bytes | None]] = {
    "keep": _keep,
    "keep_if_listed": _listed,
    "keep_if_matches": _matching,
    "words": _words,
    "roi_name": _roi_name,
    "empty": _empty,
    "replace": _replace,
    "pseudonym": _pseudonym,
    "uid": _uid,
    "date": _date,
    "time": _time,
    "age": _age,
    "lut": _lut,
}

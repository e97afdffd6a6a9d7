"""A data set under the policy: element by element, at every depth, each step noted without its value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from radcurate.deidentify import codes, safe_private, uids, values
from radcurate.deidentify.actions import HANDLERS, SIBLING_ACTIONS
from radcurate.deidentify.options import Rule
from radcurate.deidentify.people import says_number
from radcurate.deidentify.policy import Family, Policy
from radcurate.deidentify.scope import Decision, Note, Patient, Scope, Value, ascii_text, inner_scope, top_scope
from radcurate.dicom.elements import DataSet, Element, dictionary_vr, is_private, keyword, tag_text
from radcurate.keys import Key

__all__ = ["Note", "Patient", "Rewriter"]

KEEP, BLANK, REMOVE = "keep", "blank", "remove"
NOT_ALLOWED, PRIVATE = "not in the allow-list", "private attribute"
OTHER_VR = "has another VR than the standard says"
START_TIME, START_MOMENT, STOP_MOMENT = 0x00181072, 0x00181078, 0x00181079
CODE_VALUE, LONG_CODE, SCHEME, MEANING = 0x00080100, 0x00080119, 0x00080102, 0x00080104
MEMO_LIMIT = 512  # decisions remembered for one place: positions and UIDs are new in every image
MEMO_BYTES = 256  # longer values (contours, tables) hardly repeat


class Leaf(NamedTuple):
    """The rule of an attribute with the VR it is read by, and what is said of its values."""

    rule: Rule
    vr: str
    stays: bool  # a value that is accepted is not changed
    kept: Note
    changed: Note
    blanked: Note


@dataclass
class Rewriter:
    """Applies a policy to the data sets of one patient; `notes` collects what was done since it was emptied.

    `on_blank` is told path, keyword and value of what was blanked or shortened; only a steward's review may listen.
    """

    policy: Policy
    key: Key = field(repr=False)
    patient: Patient
    notes: set[Note] = field(default_factory=set)
    on_blank: Callable[[str, str, str], None] | None = field(default=None, repr=False)
    _uids: dict[str, str] = field(default_factory=dict, repr=False)
    _memos: dict[tuple[object, ...], dict[tuple[int, str, bytes], Decision]] = field(default_factory=dict, repr=False)

    def data_set(self, elements: DataSet, little: bool, family: Family) -> DataSet:
        """The allowed part of a top-level data set, rewritten. Pixel data is taken over as it is (see `pixels`)."""
        return self._items(elements, self.scope(elements, little, family))

    def scope(self, elements: DataSet, little: bool, family: Family) -> Scope:
        """The scope for `element` of the elements of a top-level data set."""
        return self._remembering(top_scope(elements, little, family))

    def element(self, element: Element, scope: Scope) -> Element | None:
        """The new form of one element, None where it goes: the one place where an element is decided."""
        if self.policy.private and is_private(element.tag):
            return self._private(element, scope)
        if element.items is None and element.fragments is None and len(element.value) <= MEMO_BYTES:
            return self._remembered(element, scope)
        rule = self._rule(element, scope)
        if rule is None:
            return self._done(element, scope, self._gone(element.tag, scope, _unlisted(element.tag)))
        if rule.action in ("sequence", "code"):
            return self._sequence(element, rule, scope)
        return self._done(element, scope, self._decide(element, rule, scope))

    def _private(self, element: Element, scope: Scope) -> Element | None:
        """A private element that is known to be safe; never remembered, because its creator stands beside it."""
        found = safe_private.rule_of(element, scope, self.policy.private)
        if found is None:
            return self._done(element, scope, self._gone(element.tag, scope, PRIVATE))
        rule, vr = found
        if rule.action != "sequence":
            return self._done(element, scope, self._value(element, vr, rule, scope))
        items = safe_private.items_of(element, scope)
        if items is None:
            return self._done(element, scope, self._gone(element.tag, scope, OTHER_VR))
        return self._sequence(Element(element.tag, "SQ", items=items), rule, scope)

    def _remembered(self, element: Element, scope: Scope) -> Element | None:
        """`element` for a short value: what was decided once is not decided again."""
        place = (element.tag, element.vr, element.value)
        known = scope.memo.get(place)
        if known is None:
            rule = self._rule(element, scope)
            if rule is None:
                known = self._gone(element.tag, scope, _unlisted(element.tag))
            elif rule.action in ("sequence", "code"):
                return self._sequence(element, rule, scope)
            else:
                known = self._decide(element, rule, scope)
            if rule is None or rule.action not in SIBLING_ACTIONS:
                if len(scope.memo) >= MEMO_LIMIT:
                    scope.memo.clear()
                scope.memo[place] = known
        return self._done(element, scope, known)

    def _done(self, element: Element, scope: Scope, decision: Decision) -> Element | None:
        self.notes.add(decision.note)
        if decision.blanked and self.on_blank is not None:
            text = values.decode_text(element.value, scope.charsets)
            self.on_blank(decision.note.path, decision.note.keyword, text or element.value.decode("latin-1"))
        return decision.element

    def _rule(self, element: Element, scope: Scope) -> Rule | None:
        rule = scope.family.rules.get(element.tag)
        return None if rule is not None and rule.action == "pixels" and scope.path else rule

    def _items(self, elements: DataSet, scope: Scope) -> DataSet:
        result: DataSet = {}
        for tag in sorted(elements):
            new = self.element(elements[tag], scope)
            if new is not None:
                result[tag] = new
        if self.policy.private:
            result |= safe_private.reservations(result, elements)
        return result

    def _decide(self, element: Element, rule: Rule, scope: Scope) -> Decision:
        if element.items is not None or (element.fragments is not None and rule.action != "pixels"):
            return self._gone(element.tag, scope, OTHER_VR)
        if rule.action == "pixels":
            new = replace(element, vr=_bulk_vr(element, scope))
            return Decision(new, _note(element.tag, scope, KEEP, rule.reason))
        vr = values.resolve_vr(element.tag, element.vr, scope.signed, scope.bits)
        if vr is None:
            return self._gone(element.tag, scope, OTHER_VR)
        return self._value(element, vr, rule, scope)

    def leaf(self, tag: int, written: str, scope: Scope) -> Leaf | None:
        """What is the same for all values of an attribute at one place; None where each has to be decided by `element`."""
        rule = scope.family.rules.get(tag)
        if rule is None or rule.action not in HANDLERS or rule.action in SIBLING_ACTIONS or self.on_blank is not None:
            return None
        vr = values.resolve_vr(tag, written, scope.signed, scope.bits)
        return _leaf(rule, vr, scope) if vr is not None else None

    def decide(self, leaf: Leaf, value: bytes, scope: Scope) -> tuple[bytes | None, Note]:
        """New bytes of a single value, or None for one that may not stay, as the rule's handler gives them."""
        new = HANDLERS[leaf.rule.action](self, Value(value, leaf.vr, leaf.rule, scope))
        if new is None:
            return None, leaf.blanked
        same = leaf.stays or new.strip(b" \0") == value.strip(b" \0")
        return new, leaf.kept if same else leaf.changed

    def _value(self, element: Element, vr: str, rule: Rule, scope: Scope) -> Decision:
        """A single element with a value."""
        new, note = self.decide(_leaf(rule, vr, scope), element.value, scope)
        if new is None and rule.action == "lut":  # an empty one can't be read without the descriptor it lacks
            return self._gone(element.tag, scope, "doesn't fit its descriptor")
        if new is None:
            return Decision(Element(element.tag, vr, b""), note, blanked=True)
        shortened = note.action in ("words", "roi_name", "keep_if_listed", "keep_if_matches")
        return Decision(Element(element.tag, vr, new), note, blanked=shortened)

    def _sequence(self, element: Element, rule: Rule, scope: Scope) -> Element | None:
        if element.items is None and element.value.strip(b"\0 "):
            return self._done(element, scope, self._gone(element.tag, scope, OTHER_VR))
        items: list[DataSet] = []
        for item in element.items or []:
            inner = self._remembering(inner_scope(scope, element.tag, item))
            new = self._items(item, inner)
            if rule.action == "code":
                code = self._code(item, inner)
                if code is None:
                    continue
                new |= code
            if self.patient.dates.mode == "year":
                self._forget_moments(new, inner.path)
            items.append(new)
        self.notes.add(_note(element.tag, scope, rule.action, rule.reason))
        return Element(element.tag, "SQ", items=items)

    def _code(self, item: DataSet, scope: Scope) -> DataSet | None:
        """Scheme, value and looked-up meaning of a code item; None where the code is not one that may stay."""
        scheme = ascii_text(item.get(SCHEME))
        value = ascii_text(item.get(CODE_VALUE)) or ascii_text(item.get(LONG_CODE))
        meaning = codes.accepted(scheme, value, self.policy.vocabulary.coding_schemes)
        patient = self.patient
        known = meaning is not None and meaning != value  # a code of a dictionary says nothing of a patient
        if meaning is None or (not known and says_number(value, patient.own_digits)):
            self.notes.add(_note(CODE_VALUE, scope, REMOVE, "code is not in a known scheme"))
            return None
        self.notes.add(_note(CODE_VALUE, scope, KEEP, "code of a known scheme"))
        where = CODE_VALUE if len(value) <= 16 else LONG_CODE
        vr = "SH" if where == CODE_VALUE else "UC"
        return {
            where: Element(where, vr, value.encode()),
            SCHEME: Element(SCHEME, "SH", scheme.encode()),
            MEANING: Element(MEANING, "LO", meaning.encode()),
        }

    def finish_moments(self, new: DataSet) -> None:
        """The same at the top level, where elements may have been decided one by one."""
        if self.patient.dates.mode == "year":
            self._forget_moments(new, "")

    def _forget_moments(self, new: DataSet, path: str) -> None:
        """With years only, an injection before midnight would lie after the scan: its time of day says enough."""
        moment = new.pop(START_MOMENT, None)
        new.pop(STOP_MOMENT, None)
        if moment is None:
            return
        clock = moment.value.decode("ascii").strip()[8:]
        if clock and not new.get(START_TIME, Element(START_TIME, "TM")).value:
            new[START_TIME] = Element(START_TIME, "TM", clock.encode())
        note = Note(path + tag_text(START_MOMENT), keyword(START_MOMENT), REMOVE, "years only: the start time stays")
        self.notes.add(note)

    def _gone(self, tag: int, scope: Scope, reason: str) -> Decision:
        return Decision(None, _note(tag, scope, REMOVE, reason))

    def _remembering(self, scope: Scope) -> Scope:
        """The scope with the memo of all scopes like it."""
        object.__setattr__(scope, "memo", self._memos.setdefault(scope.place, scope.memo))
        return scope

    def uid(self, original: str) -> str:
        """The replacement of a UID, remembered: references repeat it."""
        if original not in self._uids:
            self._uids[original] = uids.new_uid(original, self.key, self.policy.families)
        return self._uids[original]


def _unlisted(tag: int) -> str:
    return PRIVATE if is_private(tag) else NOT_ALLOWED


def _note(tag: int, scope: Scope, action: str, reason: str) -> Note:
    return _note_at(scope.path, tag, action, reason)


def _leaf(rule: Rule, vr: str, scope: Scope) -> Leaf:
    return Leaf(
        rule,
        vr,
        rule.action in (KEEP, "lut"),
        _note(rule.tag, scope, KEEP, rule.reason),
        _note(rule.tag, scope, rule.action, rule.reason),
        _note(rule.tag, scope, BLANK, f"value is not accepted for {vr}: {rule.action}"),
    )


@lru_cache(maxsize=1 << 14)
def _note_at(path: str, tag: int, action: str, reason: str) -> Note:
    return Note(path + tag_text(tag), keyword(tag), action, reason)


def _bulk_vr(element: Element, scope: Scope) -> str:
    allowed = dictionary_vr(element.tag).split(" or ")
    if element.fragments is not None or (len(allowed) > 1 and scope.bits <= 8 and element.vr != "OW"):
        return "OB"
    return element.vr if element.vr in allowed else allowed[-1]

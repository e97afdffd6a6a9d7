"""Where an element stands, and what its bytes mean there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from radcurate.deidentify import dates, values
from radcurate.deidentify.options import Rule
from radcurate.deidentify.people import digits_of
from radcurate.dicom.elements import DataSet, Element, tag_text

if TYPE_CHECKING:
    from radcurate.deidentify.policy import Family

CHARSET, ZONE, SIGNED, BITS = 0x00080005, 0x00080201, 0x00280103, 0x00280100
ASCII_VRS = frozenset({"CS", "DA", "TM", "DT", "AS"})


@dataclass(frozen=True)
class Patient:
    """What is secret or keyed about one patient."""

    subject: str
    dates: dates.DateRule = field(repr=False)
    own_words: frozenset[str] = field(default=frozenset(), repr=False)  # casefolded words of the patient's names
    own_numbers: frozenset[float] = field(default=frozenset(), repr=False)  # numbers in the patient's identifiers

    @cached_property
    def own_digits(self) -> frozenset[str]:
        """The digits of `own_numbers`."""
        return digits_of(self.own_numbers)


class Note(NamedTuple):
    """One thing that was done: where, what, why. Never a value."""

    path: str
    keyword: str
    action: str
    reason: str


class Decision(NamedTuple):
    """What becomes of one element: the new one (None: it goes), the note, and whether something of its value was lost."""

    element: Element | None
    note: Note
    blanked: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """The data set or item an element stands in; `memo` holds decisions made for the same place, bytes and encoding."""

    family: Family
    little: bool
    signed: bool
    bits: int
    zone: str | None
    charsets: tuple[str, ...]
    path: str
    item: DataSet = field(repr=False)
    memo: dict[tuple[int, str, bytes], Decision] = field(repr=False)

    @property
    def place(self) -> tuple[object, ...]:
        """What decisions that don't depend on the item's other elements depend on, besides the element."""
        return (self.family.name, self.little, self.signed, self.bits, self.zone, self.charsets, self.path)


@dataclass(frozen=True, slots=True)
class Value:
    """Bytes of a value with all that is needed to judge them."""

    raw: bytes
    vr: str
    rule: Rule
    scope: Scope

    def text(self) -> str | None:
        """The value as text; None where it isn't text in the file's character sets."""
        charsets: Sequence[str] = ("ISO_IR 6",) if self.vr in ASCII_VRS else self.scope.charsets
        return values.decode_text(self.raw, charsets)


def top_scope(elements: DataSet, little: bool, family: Family) -> Scope:
    """The scope of a top-level data set, with a memo of its own."""

    def number(tag: int) -> int:
        element = elements.get(tag)
        return int.from_bytes(element.value[:2], "little" if little else "big") if element else 0

    zone = ascii_text(elements.get(ZONE))
    valid = len(zone) == 5 and zone[0] in "+-" and zone[1:].isdigit()
    return Scope(
        family,
        little,
        signed=number(SIGNED) == 1,
        bits=number(BITS),
        zone=zone if valid else None,
        charsets=named_charsets(elements) or ("ISO_IR 6",),
        path="",
        item=elements,
        memo={},
    )


def inner_scope(outer: Scope, tag: int, item: DataSet) -> Scope:
    """The scope of an item of the sequence `tag`, with a memo of its own; it may name character sets of its own."""
    return Scope(
        outer.family,
        outer.little,
        outer.signed,
        outer.bits,
        outer.zone,
        named_charsets(item) or outer.charsets,
        outer.path + tag_text(tag) + ">",
        item,
        {},
    )


def named_charsets(elements: DataSet) -> tuple[str, ...] | None:
    """The character sets that a data set names; None where it names none."""
    named = elements.get(CHARSET)
    return tuple(values.components(ascii_text(named))) if named else None


def ascii_text(element: Element | None) -> str:
    """A short technical text; empty where it is absent or not ASCII."""
    return (values.decode_text(element.value, ("ISO_IR 6",)) or "") if element and element.value.isascii() else ""

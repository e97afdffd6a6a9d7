"""What each action of the allow-list does with a value: new bytes, or None for a value that may not stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

from radcurate.deidentify import age, values
from radcurate.deidentify.people import is_number, says_number, says_word
from radcurate.deidentify.scope import Scope, Value

if TYPE_CHECKING:
    from radcurate.deidentify.rewrite import Rewriter

ROI_NUMBER, REFERENCED_ROI, SEGMENT_NUMBER, LUT_DESCRIPTOR = 0x30060022, 0x30060084, 0x00620004, 0x00283002
DESCRIPTORS = MappingProxyType({0x00281201: 0x00281101, 0x00281202: 0x00281102, 0x00281203: 0x00281103})
LONGEST_TEXT, MOST_VALUES = 256, 16  # of a private text
SHORT = 256  # bytes; in longer values numbers look like anybody's by chance
SIBLING_ACTIONS = frozenset({"roi_name", "lut", "pixels"})  # depend on other elements of the item, or are large


def _keep(rewriter: Rewriter, value: Value) -> bytes | None:
    """Numbers that are valid, within the row's limits, no date and none of the patient's own."""
    new = values.number(value.vr, value.raw, value.scope.little, values.largest_count(value.rule.tag))
    if not new:
        return new
    readings = values.readings(value.vr, new, value.scope.little)
    if not readings:
        return new
    low, high = value.rule.limits
    least, most = min(readings), max(readings)
    if not (low <= least and most <= high) or (most > 1e6 and values.holds_date(readings)):
        return None
    patient = rewriter.patient
    if not patient.own_numbers.isdisjoint(readings):
        return None
    if patient.own_digits and value.vr in ("DS", "IS") and len(new) <= SHORT:
        parts = new.decode("ascii").split("\\")
        return None if any(is_number(part, patient.own_digits) for part in parts) else new
    return new


def _generalise(rewriter: Rewriter, value: Value) -> bytes | None:
    """Numbers within the row's limits, rounded to its step."""
    kept = _keep(rewriter, value)
    if not kept:
        return kept
    step = Decimal(value.rule.value.partition("/")[2])
    parts = [part.strip() for part in kept.decode("ascii").split("\\")]
    return "\\".join(str((Decimal(part) / step).quantize(Decimal(1)) * step) if part else "" for part in parts).encode()


def _listed(rewriter: Rewriter, value: Value) -> bytes | None:
    words = rewriter.policy.vocabulary
    own = frozenset() if value.rule.keyword in words.essential else rewriter.patient.own_words
    return _by_component(rewriter, value, own, lambda part: words.listed(value.rule.keyword, part))


def _matching(rewriter: Rewriter, value: Value) -> bytes | None:
    words, own = rewriter.policy.vocabulary, rewriter.patient.own_words
    return _by_component(rewriter, value, own, lambda part: words.matching(value.rule.keyword, part))


def _by_component(
    rewriter: Rewriter, value: Value, own: frozenset[str], accept: Callable[[str], str | None]
) -> bytes | None:
    """The accepted components without the patient's own words in their places, others empty; None where none is left."""
    text = value.text()
    if text is None or says_number(text, rewriter.patient.own_digits):
        return None
    parts = values.components(text)
    kept = [(accept(part) or "") if part and not says_word(part, own) else "" for part in parts]
    if any(parts) and not any(kept):
        return None
    return "\\".join(kept).encode()


def _words(rewriter: Rewriter, value: Value) -> bytes | None:
    text = value.text()
    if text is None:
        return None
    kept = rewriter.policy.vocabulary.describe(text, rewriter.patient.own_words)
    if says_number(kept, rewriter.patient.own_digits):
        return None
    return _shortened(kept, 16 if value.vr in ("SH", "CS") else 64, value.vr)


def _shortened(text: str, limit: int, vr: str) -> bytes:
    """As many whole words as fit."""
    if vr == "CS":
        text = "".join(char for char in text.upper() if char.isascii() and (char.isalnum() or char in " _"))
    while len(text) > limit:
        text = text.rpartition(" ")[0]
    return text.encode()


def _safe_text(rewriter: Rewriter, value: Value) -> bytes | None:
    """A short text of a vendor's own, if it consists of listed words and small numbers."""
    words, own = rewriter.policy.vocabulary, rewriter.patient.own_words
    text = value.text()
    if text is None or len(text) > LONGEST_TEXT or text.count("\\") > MOST_VALUES:
        return None
    return _by_component(rewriter, value, own, lambda part: part if words.is_plain(part) else None)


def _roi_name(rewriter: Rewriter, value: Value) -> bytes | None:
    text = value.text()
    patient = rewriter.patient
    kept = rewriter.policy.vocabulary.region(text, patient.own_words) if text else None
    return kept.encode() if kept and not says_number(kept, patient.own_digits) else _numbered(value.scope)


def _numbered(scope: Scope) -> bytes:
    """`ROI 3` or `Segment 3`, from the number in the same item."""
    for tag, name in ((ROI_NUMBER, b"ROI"), (REFERENCED_ROI, b"ROI"), (SEGMENT_NUMBER, b"Segment")):
        element = scope.item.get(tag)
        if element is None:
            continue
        if tag != SEGMENT_NUMBER:
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
    return _each(rewriter, value, change)


def _time(rewriter: Rewriter, value: Value) -> bytes | None:
    own = rewriter.patient.own_digits
    return _each(rewriter, value, lambda part: None if says_number(part, own) else values.time(part))


def _age(rewriter: Rewriter, value: Value) -> bytes | None:
    def change(text: str) -> str | None:
        years = age.years_of(text)
        return None if years is None else age.age_text(years, rewriter.policy.age)

    return _each(rewriter, value, change)


def _each(rewriter: Rewriter, value: Value, change: Callable[[str], str | None]) -> bytes | None:
    text = value.text()
    count = values.largest_count(value.rule.tag)
    if text is None or (count is not None and text.count("\\") >= count):
        return None
    new = values.each(text, change)
    return None if new is None else new.encode()


def _lut(rewriter: Rewriter, value: Value) -> bytes | None:
    """A lookup table, if it has as many entries as its descriptor says (PS3.3 C.11.1.1.1) and spells no name."""
    descriptor = value.scope.item.get(DESCRIPTORS.get(value.rule.tag, LUT_DESCRIPTOR))
    if descriptor is None or len(descriptor.value) != 6:
        return None
    order = "little" if value.scope.little else "big"
    entries = int.from_bytes(descriptor.value[:2], order) or 65536  # type: ignore[arg-type]
    if len(value.raw) not in (entries + entries % 2, 2 * entries):
        return None
    spelt = value.raw.replace(b"\0", b"").decode("latin-1")
    return None if values.is_typed(value.raw) or says_word(spelt, rewriter.patient.own_words) else value.raw


HANDLERS: Mapping[str, Callable[[Rewriter, Value], bytes | None]] = MappingProxyType(
    {
        "keep": _keep,
        "generalise": _generalise,
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
        "safe_text": _safe_text,
    }
)

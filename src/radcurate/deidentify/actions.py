"""What each action of the allow-list does with a value: new bytes, or None for a value that may not stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

from radcurate.deidentify import age, values
from radcurate.deidentify.scope import Scope, Value

if TYPE_CHECKING:
    from radcurate.deidentify.rewrite import Rewriter

ROI_NUMBER, SEGMENT_NUMBER, LUT_DESCRIPTOR = 0x30060022, 0x00620004, 0x00283002
SIBLING_ACTIONS = frozenset({"roi_name", "lut", "pixels"})  # depend on other elements of the item, or are large


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


def _generalise(rewriter: Rewriter, value: Value) -> bytes | None:
    """Numbers within the row's limits, rounded to its step."""
    kept = _keep(rewriter, value)
    if not kept:
        return kept
    step = Decimal(value.rule.value.partition("/")[2])
    parts = [part.strip() for part in kept.decode("ascii").split("\\")]
    return "\\".join(str((Decimal(part) / step).quantize(Decimal(1)) * step) if part else "" for part in parts).encode()


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
        return None if years is None else age.age_text(years, rewriter.policy.age)

    return _each(value, change)


def _each(value: Value, change: Callable[[str], str | None]) -> bytes | None:
    text = value.text()
    new = values.each(text, change) if text is not None else None
    return None if new is None else new.encode()


def _lut(rewriter: Rewriter, value: Value) -> bytes | None:
    """A lookup table, if it has as many entries as its descriptor says (PS3.3 C.11.1.1.1)."""
    descriptor = value.scope.item.get(LUT_DESCRIPTOR)
    if descriptor is None or len(descriptor.value) != 6:
        return None
    order = "little" if value.scope.little else "big"
    entries = int.from_bytes(descriptor.value[:2], order) or 65536  # type: ignore[arg-type]
    return value.raw if len(value.raw) in (entries + entries % 2, 2 * entries) else None


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
    }
)

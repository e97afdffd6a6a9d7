"""An object under construction: technical values that have to survive, and identifiers, each noted where it is put.

sheet = Sheet()
sheet.hold("SliceThickness", "2.5")
sheet.plant("description", "SeriesDescription", who.surname(), "CHEST {}")
step = sheet.item("RequestAttributesSequence")
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

from radcurate.canary.invent import Secret
from radcurate.canary.raw import Element, Rows, Value
from radcurate.canary.specimen import Kept, Plant


@dataclass
class Sheet:
    """A data set or item; `plants` and `kept` are shared with its items."""

    elements: Rows = field(default_factory=dict)
    plants: list[Plant] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    path: str = ""

    def put(self, place: str | int, value: Value, vr: str = "") -> None:
        """Set an attribute that is neither planted nor has to survive."""
        tag = tag_of(place)
        self.elements[tag] = Element(tag, vr or _vr(tag), value)
        self.plants[:] = [plant for plant in self.plants if plant.where != self.path + _name(tag)]

    def hold(self, keyword: str, value: Value) -> None:
        """Set a technical attribute that has to survive."""
        self.put(keyword, value)
        self.keep(keyword, value)

    def keep(self, keyword: str, value: Value) -> None:
        """Note that a technical attribute, set already or in bytes, has to survive."""
        self.forget(keyword)
        self.kept.append(Kept(self.path + keyword, keyword, _text(value)))

    def forget(self, place: str | int) -> None:
        """Note that an attribute doesn't have to survive after all."""
        self.kept[:] = [kept for kept in self.kept if kept.where != self.path + _name(place)]

    def plant(
        self, kind: str, place: str | int, secret: Secret, form: str = "{}", value: Value | None = None, vr: str = ""
    ) -> None:
        """Set an attribute to an identifier.

        Args:
            kind: kind of place.
            place: keyword or tag.
            secret: the identifier.
            form: text around it.
            value: what is written instead of the text, for numbers and for texts in bytes.
            vr: the VR it is written with, instead of the standard's.
        """
        self.put(place, form.format(secret.value) if value is None else value, vr)
        self.note(kind, place, secret)

    def note(self, kind: str, place: str | int, secret: Secret) -> None:
        """Note an identifier that is there already."""
        name = _name(place)
        self.plants.append(Plant(kind, self.path + name, secret.category, name, secret.value, secret.hipaa))
        self.forget(place)

    def item(self, place: str | int, open: bool = False, un: bool = False) -> Sheet:
        """A new item of a sequence.

        Args:
            place: keyword or tag of the sequence.
            open: written with undefined lengths.
            un: written as UN.
        """
        tag = tag_of(place)
        sequence = self.elements.setdefault(tag, Element(tag, "SQ", items=[], open=open, un=un))
        items = sequence.items = sequence.items if sequence.items is not None else []
        number = f"[{len(items)}]" if items else ""
        inner = Sheet({}, self.plants, self.kept, f"{self.path}{_name(place)}{number}>")
        items.append(inner.elements)
        return inner

    def vr(self, place: str | int) -> str:
        """The VR an attribute has by the standard."""
        return _vr(tag_of(place))

    def block(self, group: int, creator: str) -> int:
        """Reserve the next private block of a group; the tag of its element 00 (PS3.5 7.8.1)."""
        number = next(n for n in range(0x10, 0x100) if group << 16 | n not in self.elements)
        self.put(group << 16 | number, creator, "LO")
        return group << 16 | number << 8


def tag_of(place: str | int) -> int:
    """The tag of a keyword; a tag stays."""
    found = tag_for_keyword(place) if isinstance(place, str) else place
    if found is None:
        raise ValueError(f"no such keyword: {place}")
    return int(found)


def _vr(tag: int) -> str:
    return "LO" if tag >> 16 & 1 else dictionary_VR(tag).partition(" or ")[0]


def _name(place: str | int) -> str:
    tag = tag_of(place)
    return keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _text(value: Value) -> str:
    if isinstance(value, bytes):
        return value.decode("ascii").strip()
    return value if isinstance(value, str) else "\\".join(f"{number:.10g}" for number in value)

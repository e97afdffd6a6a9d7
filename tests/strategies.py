"""Generated files with planted identifiers: any tag, VR, nesting, character set and transfer syntax (hypothesis)."""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from functools import cache

from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary

from radcurate.canary import Plant, objects
from radcurate.canary.invent import Inventor
from radcurate.canary.raw import BIG, DEFLATED, EXPLICIT, IMPLICIT, Element, File, Rows, Value, write
from radcurate.canary.sheet import Sheet

SYNTAXES = st.sampled_from([EXPLICIT, EXPLICIT, IMPLICIT, IMPLICIT, BIG, DEFLATED])
FAMILIES = {"ct": objects.ct, "mr": objects.mr, "pt": objects.pet}
TEXT_VRS = [
    "AE",
    "AS",
    "CS",
    "DA",
    "DS",
    "DT",
    "IS",
    "LO",
    "LT",
    "PN",
    "SH",
    "ST",
    "TM",
    "UI",
    "OB",
    "OW",
    "UN",
    "UC",
    "UR",
    "UT",
]
NUMBER_VRS = ["UL", "SL", "FD", "UV", "SV"]
PUBLIC = sorted(tag for tag, entry in DicomDictionary.items() if 0x00080000 < tag < 0x7FE00000 and "SQ" not in entry[0])
SEQUENCES = sorted(tag for tag, entry in DicomDictionary.items() if 0x00080000 < tag < 0x7FE00000 and "SQ" in entry[0])
# what the object is and how its pixels are laid out: changing these makes another object, see the tests of quarantine
NEEDED = {
    0x00080005,
    0x00080016,
    0x00080018,
    0x00280002,
    0x00280004,
    0x00280008,
    0x00280010,
    0x00280011,
    0x00280100,
    0x00100020,
}
FORMS = (
    "{}", "{}", "{}", "CHEST {}", "CHEST\\{}", "GTV {}", "{}^JOHN", "DOE^{}=", "1.2.{}", "12\\{}", "{}\\1", "B30f {}", "FDG-{}", "{}.0", "Dr.{},MD",
    " {} ", "{}.25", "10.{}", "000{}", "axial/{}", "{}\0{}", "*se2d1_{}", "\n{}\n", "{}^^^^", "T1{}", "3.{}e0",
)  # fmt: skip
SCRIPTS = (
    ("ISO_IR 100", "latin-1", "äöüßéèñçøåÄÖÜ"), ("ISO_IR 144", "iso8859-5", "жшюяфЫЭбдлц"), ("ISO_IR 126", "iso8859-7", "ψωξφΣΔλπ"),
    ("ISO_IR 192", "utf-8", "漢字名前王李škůñ"), ("GB18030", "gb18030", "张伟国强德华"), ("ISO_IR 13", "shift_jis", "ﾔﾏﾀﾞﾓﾄ"),
    ("ISO_IR 6", "ascii", string.ascii_letters), ("", "ascii", string.ascii_letters),
)  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """A file and what is planted in it, once or more often. ids, dates: what the hospital knows of the patient."""

    data: bytes = field(repr=False)
    plants: tuple[Plant, ...]
    ids: tuple[str, ...]
    dates: tuple[str, ...]
    pixels: bytes = field(repr=False)


@dataclass(frozen=True)
class Secrets:
    """One value of each category, and the character set that the file names."""

    word: str
    script: str
    code: str
    number: str
    day: str
    uid: str
    charset: str
    codec: str

    def plants(self) -> tuple[Plant, ...]:
        """To be looked for."""
        rows = (
            ("name", self.word, "A"), ("name", self.script, "A"), ("id", self.code, "H"), ("id", self.number, "H"),
            ("date", self.day, "C"), ("uid", self.uid, "R"),
        )  # fmt: skip
        return tuple(Plant("generated", "anywhere", category, "", value, letter) for category, value, letter in rows)


@st.composite
def secrets(draw: st.DrawFn) -> Secrets:
    """Values that nobody could take for technical ones."""
    charset, codec, letters = draw(st.sampled_from(SCRIPTS))
    middle = draw(st.text(string.ascii_letters, min_size=5, max_size=10))
    script = "".join(draw(st.lists(st.sampled_from(letters), min_size=4, max_size=7)))
    number = draw(st.integers(300_000_000, 999_999_999).filter(lambda n: all(n.to_bytes(4, "big"))))
    year, month, day = draw(st.tuples(st.integers(1921, 1999), st.integers(2, 12), st.integers(1, 28)))
    return Secrets(
        f"Qx{middle}Zv", f"qz{script}qz" if script.isascii() else script, f"MRN{number ^ 0x155}X", str(number),
        f"{year}{month:02d}{day:02d}", f"1.2.826.0.1.{number}.{number ^ 0x2AA}.{day}", charset, codec,
    )  # fmt: skip


def tags(kept: list[int]) -> st.SearchStrategy[int]:
    """Mostly attributes of the allow-list, since what isn't on it goes anyway."""
    anything = st.integers(0x00080000, 0xFFFCFFFC)
    private = st.builds(
        lambda group, number: (group * 2 + 1) << 16 | number, st.integers(4, 0x40), st.integers(0x10, 0x10FF)
    )
    many = st.sampled_from(kept)
    return st.one_of(many, many, many, many, st.sampled_from(PUBLIC), private, anything).filter(
        lambda tag: tag not in NEEDED and not 0x7FE00000 <= tag < 0x7FE10000
    )


@st.composite
def leaf(draw: st.DrawFn, secret: Secrets, kept: list[int]) -> Element:
    """An element with one of the secrets, in text or as a number, with its own VR or another."""
    tag = draw(tags(kept))
    entry = DicomDictionary.get(tag)
    own = entry[0].split(" or ")[0] if entry else "LO"
    vr = (
        own if own not in ("SQ", "NONE", "OB/OW", "NA") and draw(st.integers(0, 3)) else draw(st.sampled_from(TEXT_VRS))
    )
    if vr in NUMBER_VRS and draw(st.booleans()):
        count = draw(st.integers(0, 2))
        return Element(tag, vr, (*([1] * count), int(secret.number)))
    value = draw(st.sampled_from([secret.word, secret.script, secret.code, secret.number, secret.day, secret.uid]))
    form = draw(st.sampled_from(FORMS))
    return Element(tag, vr, _padded(form.replace("{}", value).encode(secret.codec, "replace"), vr))


def _padded(raw: bytes, vr: str) -> Value:
    size = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "AT": 4, "FD": 8, "UV": 8, "SV": 8}.get(vr, 2)
    return raw + b" " * (-len(raw) % size)


@st.composite
def rows(draw: st.DrawFn, secret: Secrets, kept: list[int], sequences: list[int], depth: int) -> Rows:
    """A few elements, some of them sequences to `depth`."""
    found: Rows = {}
    for _ in range(draw(st.integers(1, 4))):
        if depth and not draw(st.integers(0, 2)):
            tag = draw(
                st.one_of(st.sampled_from(sequences), st.sampled_from(SEQUENCES), st.integers(0x00091001, 0x000910FF))
            )
            items = [draw(rows(secret, kept, sequences, depth - 1)) for _ in range(draw(st.integers(0, 2)))]
            found[tag] = Element(tag, "SQ", items=items, open=draw(st.booleans()), un=not draw(st.integers(0, 4)))
        else:
            element = draw(leaf(secret, kept))
            found[element.tag] = element
    return found


@cache
def _base(family: str) -> Sheet:
    return FAMILIES[family](Inventor(f"generated {family}"))


@st.composite
def planted_files(draw: st.DrawFn, kept: list[int], sequences: list[int]) -> Planted:
    """A whole file.

    Args:
        draw: of hypothesis.
        kept: tags of the allow-list that are no sequences.
        sequences: tags of its sequences.
    """
    secret = draw(secrets())
    base = _base(draw(st.sampled_from(sorted(FAMILIES))))
    mixed = base.elements | draw(rows(secret, kept, sequences, 4))
    mixed[0x00100020] = Element(0x00100020, "LO", secret.number)
    charset = f"{secret.charset}\\{secret.word}" if not draw(st.integers(0, 9)) else secret.charset
    mixed[0x00080005] = Element(0x00080005, "CS", charset)
    value = base.elements[0x7FE00010].value
    pixels = b"".join(int(number).to_bytes(2, "little") for number in value if isinstance(value, tuple))
    hidden = secret.word.encode()
    file = File(
        mixed, str(base.elements[0x00080016].value), secret.uid, draw(SYNTAXES), "latin-1",
        preamble=draw(st.sampled_from([b"", hidden])), tail=draw(st.sampled_from([b"", b"", b"\n" + hidden])),
    )  # fmt: skip
    return Planted(write(file), secret.plants(), (secret.number, secret.code), (secret.day,), pixels)

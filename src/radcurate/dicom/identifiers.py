"""Values of a header that name a person, a place or a day, at any depth: what a later, independent search looks for.

Better one too many than one too few; only values that identify nobody are dropped.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.values import convert_SQ

from radcurate.dicom.lazy import UNDEFINED, Decoder, Lazy, quick_value
from radcurate.dicom.split import value_of
from radcurate.dicom.values import Elements

PRIVATE = "private"  # held back until all names and numbers of the patient are known, see `keep_private`
_TOOLKITS = r"pydicom|offis|dcmtk|gdcm|dcm4che|merge|highdicom|leadtools|clearcanvas|fo-?dicom|dicomobjects"
WELL_KNOWN_ROOT = "1.2.840.10008."
NUMERIC = ("US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT", "IS", "DS", "US or SS", "US or SS or OW")
BULK = ("OB", "OW", "OF", "OD", "OL", "OV", "OB or OW")
BINARY = frozenset((*NUMERIC, *BULK, "TM", "AS"))
_OPAQUE = frozenset((b"OB", b"OW", b"OF", b"OD", b"OL", b"OV"))
ALONE = frozenset(
    ("AE", "CS", "DA", "DT", "LO", "LT", "OB", "PN", "SH", "ST", "UC", "UI", "UR", "UT")
)  # read without others
PLAIN = BINARY - {"OB"}  # tell nothing wherever they stand
LONG_TEXT = frozenset(("LT", "ST", "UT", "UC"))
MOST_KEPT = 64  # bytes of an element that are remembered as they are; of a longer one, a hash
MOST_FACT = 1 << 16  # characters
MOST_PRIVATE = 1024  # bytes; a longer private value is a document, whose parts are found by their own tags

_ID = re.compile(
    r"ID$|IDs$|Identifier|Identification$|SerialNumber|AETitle|ApplicationEntityTitle|Address|Telephone|Telecom|StationName"
    r"|Institution|OrderNumber|AccessionNumber|IssuerOf|RetrieveU|MedicalRecord|MilitaryRank|BranchOfService"
    r"|OfResidence|PatientLocation|PerformedLocation|RequestingService|Sponsor|ClinicalTrialSite|CoordinatingCenter"
    r"|EthicsCommittee|DestinationAE|PrivateInformation|Occupation|InsurancePlan|Barcode|RegistrationNumber|DeviceLabel"
)
_TEXT = re.compile(
    r"Description|Comment|Label$|Reason|History|Notes?$|Allerg|Alerts|Observation|Title|EthnicGroup|Religious"
    r"|ProtocolName|ROIName|BodyPart$|Interpretation|Admitting|SpecialNeeds|PatientState|Instructions|TextValue|Findings"
)
_NO_UID = re.compile(r"ClassUID|TransferSyntaxUID|CodingSchemeUID|MappingResourceUID|ContextUID|ContextGroup")
_UID = re.compile(r"[0-9.]+")
_NO_PERSON = re.compile(
    r"none|unknown|anonym(ous|ized|ised)?|de-?identified|removed|patient|test|null|n/?a|no ?name|name|ct|mr|mri|pt|pet|sr|seg|us"
    r"|rtstruct|axial|sagittal|coronal|localizer|scout|original|primary|derived|secondary|[\W_0]*"
)


class Fact(NamedTuple):
    """One identifying value as written in the source."""

    category: str  # name | id | uid | date | text | private
    keyword: str
    value: str


@dataclass(slots=True)
class Collector:
    """Gathers facts of one patient from many headers; equal raw elements are looked at once."""

    facts: set[Fact] = field(default_factory=set)
    seen: set[tuple[int, str | None, str, bytes | int]] = field(default_factory=set)
    raws: dict[tuple[bool, bytes], set[bytes | int]] = field(default_factory=lambda: defaultdict(set))  # by decoder
    like: object = None  # of the last header in pieces

    def add(self, dataset: Dataset | None) -> None:
        """Take in a data set (or file meta) with everything nested in it."""
        if dataset is None:
            return
        for element in list(dataset.values()):
            try:
                self._element(dataset, element)
            except Exception:  # one malformed element hides no other
                continue

    def add_lazy(self, lazy: Lazy) -> None:
        """Take in a header in pieces; of one like those before, only the new pieces are looked at.

        Raises:
            Doubt: to be read with pydicom.
        """
        tags = lazy.own if lazy.like is not None and lazy.like is self.like else lazy.raws
        seen, nested = self.raws[lazy.decoder.encoding.explicit, lazy.decoder.charset], set[int]()
        for tag in tags:
            raw = lazy.raws[tag]
            if len(raw) > MOST_PRIVATE + 12 and _is_opaque(raw, lazy.decoder_of(tag)):
                continue  # to find out whether it was seen would cost more than all the rest
            mark = raw if len(raw) <= MOST_KEPT else hash(raw)
            if mark in seen:
                continue
            seen.add(mark)
            vr = raw[4:6].decode() if lazy.decoder_of(tag).encoding.explicit else _vr(tag, None)
            if vr in ALONE and raw[4:8] != UNDEFINED:
                self._alone(lazy, tag, vr, raw)
            elif _vr(tag, vr) not in PLAIN:
                nested.add(tag)
        for dataset in lazy.elements(nested) if nested else ():
            self.add(dataset)
        self.like = lazy.like

    def _alone(self, lazy: Lazy, tag: int, vr: str, raw: bytes) -> None:
        written, value = value_of(raw, lazy.decoder_of(tag).encoding)
        if not value or self._known(lazy.decoder_of(tag), tag, written or None, value):
            return
        try:
            parts = quick_value(vr, value) or lazy.decoder_of(tag).element(tag, raw).value
        except Exception:  # one malformed element hides no other
            return
        self._value(lazy, tag, vr, parts)

    def _element(self, dataset: Dataset, element: Any) -> None:
        tag, vr = int(element.tag), element.VR
        if isinstance(element, RawDataElement):
            if element.value is None or self._known(dataset, tag, vr, element.value) or _vr(tag, vr) in PLAIN:
                return
            element = dataset[BaseTag(tag)]
        self._value(dataset, tag, element.VR, element.value)

    def _value(self, dataset: Elements, tag: int, vr: str, value: Any) -> None:
        if vr == "SQ":
            for item in value or ():
                self.add(item)
        elif isinstance(value, bytes):
            self._bytes(dataset, tag, value)
        elif vr not in BINARY:
            keyword = _keyword(tag)
            for part in _values(value):
                self.facts.update(classify(tag, keyword, vr, part))

    def _known(self, source: Dataset | Decoder, tag: int, vr: str | None, value: bytes) -> bool:
        """Whether this was taken in before, in the same character set."""
        mark = (tag, vr, str(source.original_character_set), value if len(value) <= MOST_KEPT else hash(value))
        if mark in self.seen:
            return True
        self.seen.add(mark)
        return False

    def _bytes(self, dataset: Elements, tag: int, value: bytes) -> None:
        """UN and OB may hold a sequence (PS3.5 6.2.2) or plain text."""
        if value[:4] == b"\xfe\xff\x00\xe0":
            for item in unwrap(value, dataset):
                self.add(item)
        elif len(value) <= MOST_PRIVATE:
            text = _printable(value)
            if text and tag >> 16 & 1:
                self.facts.update(Fact(PRIVATE, _keyword(tag), part) for part in _values(text.split("\\")))
            elif text:
                keyword = _keyword(tag)
                self.facts.update(
                    f for part in _values(text.split("\\")) for f in classify(tag, keyword, _vr(tag, None), part)
                )


def _is_opaque(raw: bytes, decoder: Decoder) -> bool:
    """Whether an element holds bytes that are neither a sequence nor short enough for a text."""
    return decoder.encoding.explicit and raw[4:6] in _OPAQUE and raw[12:16] != b"\xfe\xff\x00\xe0"


def classify(tag: int, keyword: str, vr: str, value: str) -> Iterator[Fact]:
    """Facts in one value; nothing where it identifies nobody. Of a document its beginning, which finds it as well."""
    value = value[:MOST_FACT]
    if vr == "UI":
        if is_instance_uid(keyword, value):
            yield Fact("uid", keyword, value)
    elif vr in ("DA", "DT"):
        day = "".join(value.split(".")[:3])[:8] if vr == "DA" else value[:8]
        if re.fullmatch(r"(1[89]|2\d)\d{6}", day):
            yield Fact("date", keyword, day)
    elif vr == "PN":
        if is_telling(value.replace("^", "").replace("=", "")):
            yield Fact("name", keyword, value)
    elif keyword == "ImplementationVersionName":
        if not re.search(_TOOLKITS, value, re.IGNORECASE):
            yield Fact("text", keyword, value)
    elif is_telling(value):
        category = PRIVATE if tag >> 16 & 1 or vr == "CS" else _category(keyword, vr)
        if category != PRIVATE or len(value) <= MOST_PRIVATE:
            yield Fact(category, keyword, value)


def _category(keyword: str, vr: str) -> str:
    """id, text, or held back: a technical attribute such as SequenceName, into which somebody may type a name."""
    if _ID.search(keyword) or vr == "UR":
        return "id"
    return "text" if vr in LONG_TEXT or _TEXT.search(keyword) else PRIVATE


def is_instance_uid(keyword: str, value: str) -> bool:
    """A UID that was made for this patient's objects, not one of the standard or of a maker's software."""
    return (
        len(value) > 8
        and not value.startswith(WELL_KNOWN_ROOT)
        and not _is_fixed_uid(keyword)
        and bool(_UID.fullmatch(value))
    )


@lru_cache(maxsize=8192)
def _is_fixed_uid(keyword: str) -> bool:
    return bool(_NO_UID.search(keyword))


def is_telling(value: str) -> bool:
    """Whether a text can identify somebody: more than two characters and no word such as NONE or CT."""
    plain = value.strip().casefold()
    return len(plain) > 2 and not _NO_PERSON.fullmatch(plain)


def unwrap(value: bytes, dataset: Elements) -> list[Dataset]:
    """Items of a sequence that is kept as bytes, implicit or explicit; empty when it is none."""
    explicit = bool(re.fullmatch(rb"[A-Z]{2}", value[12:14]))
    for implicit in (not explicit, explicit):
        try:
            found: Sequence = convert_SQ(value, implicit, True, dataset.original_character_set)
            if any(len(item) for item in found):
                return list(found)
        except Exception:  # pydicom raises many kinds; the other encoding is tried
            continue
    return []


def path_facts(path: str) -> Iterator[Fact]:
    """Facts in the names of a file and its folders; counters and everyday words are dropped."""
    folder, _, name = path.rpartition("/")
    yield from _folder_facts(folder)
    yield from _name_facts(_SUFFIX.sub("", name))


@lru_cache(maxsize=1024)
def _folder_facts(path: str) -> tuple[Fact, ...]:
    return tuple(fact for part in path.split("/") for fact in _name_facts(part))


def _name_facts(part: str) -> Iterator[Fact]:
    embedded = _EMBEDDED_UID.findall(part)
    for uid in embedded:
        yield Fact("uid", "file_name", uid)
    if not embedded and is_telling(part) and not _GENERIC.fullmatch(part):
        yield Fact("id" if re.search(r"\d", part) else "text", "file_name", part)


_SUFFIX = re.compile(r"(\.(dcm|dicom|ima|img|nii|gz))+$", re.IGNORECASE)
# UIDs made of a UUID (PS3.5 B.2) have three components only; taken for a number of the patient's, their 25 would be too
_EMBEDDED_UID = re.compile(r"\d+(?:\.\d+){5,}|(?<![\d.])2\.25\.\d{8,}")
_GENERIC = re.compile(
    r"(\.?(dicom|dcm|dicomdir|images?|img|im|i|data|series|study|studies|patients?|scans?|slices?|frames?|files?|export|input"
    r"|ct|mr|mri|pt|pet|cr|sr|us|nm|dx|mg|sc|se|st|pa|s|rt|rs|rtss|rtst|rtstruct|struct|seg|segmentation|nifti|nii|masks?|roi"
    r"|instance|vol|volume|head|chest|abdomen|raw|t1|t2|flair|a|z)?[-_. ]?(0\d*|\d{1,6})?)(\.\d{1,4})?",
    re.IGNORECASE,
)


def keep_private(facts: Iterable[Fact]) -> set[Fact]:
    """Facts of a patient; those held back are kept, as `id`, where they hold one of the patient's names or numbers.

    A file name that holds one becomes `id` too. Case, accents, blanks and punctuation don't matter: MULLERHANS is found
    for Müller^Hans.
    """
    facts = set(facts)
    needles = _needles(facts)
    return {kept for fact in facts if (kept := _keep(fact, needles)) is not None}


def _keep(fact: Fact, needles: set[str]) -> Fact | None:
    held_back = fact.category == PRIVATE
    if held_back or (fact.keyword == "file_name" and fact.category == "text"):
        if _holds(fact.value, needles):
            return Fact("id", fact.keyword, fact.value)
        return None if held_back else fact
    return fact


def _needles(facts: set[Fact]) -> set[str]:
    """Names, parts of names and numbers of a patient, folded."""
    words: set[str] = set()
    for fact in facts:
        if fact.category == "name":
            words.update((fact.value, *re.split(r"[\^=,; ]+", fact.value)))
        elif fact.category == "id" and fact.keyword in _NUMBERS:
            words.add(fact.value)
    folded = {form for word in words if is_telling(word) for form in _folded(word)}
    return {word for word in folded if len(word) > 2}


_NUMBERS = ("PatientID", "OtherPatientIDs", "AccessionNumber", "StudyID", "AdmissionID")


def _holds(value: str, needles: set[str]) -> bool:
    """Whether a word of the value is a needle, or a needle of four characters or more lies anywhere in it."""
    words = {form for word in re.split(r"[^\w]+", value) for form in _folded(word)}
    if words & needles:
        return True
    whole = _folded(value)
    return any(len(needle) > 3 and needle in form for needle in needles for form in whole)


def _folded(value: str) -> set[str]:
    """Letters and digits only, lower case, as müller, muller and mller: accents kept, stripped, or lost with their letter."""
    plain, folded = value.lower(), value.casefold()
    stripped = (unicodedata.normalize("NFKD", text) for text in (plain, folded))
    ascii_only = ("".join(c for c in text if c.isascii() and c.isalnum()) for text in (plain, *stripped))
    return {"".join(c for c in folded if c.isalnum()), *ascii_only}


def _values(value: Any) -> list[str]:
    parts = value if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue" else [value]
    return [text for part in parts if part is not None and (text := str(part).strip(" \0\t\r\n"))]


def _printable(value: bytes) -> str:
    """The value as text where nearly all of it is; "" otherwise."""
    body = value.strip(b"\0 ")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    good = sum(character.isprintable() or character.isspace() for character in text)
    return text if text and good >= 0.95 * len(text) else ""


@lru_cache(maxsize=8192)
def _vr(tag: int, vr: str | None) -> str:
    if vr not in (None, "UN"):
        return str(vr)
    try:
        return str(dictionary_VR(tag))
    except KeyError:
        return "UN"


@lru_cache(maxsize=8192)
def _keyword(tag: int) -> str:
    return keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"

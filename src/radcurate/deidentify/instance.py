"""One file in, one file out: read strictly, rewrite under the policy, check what the object needs, mark, write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from radcurate.deidentify import age, pixels
from radcurate.deidentify.dates import parse_date
from radcurate.deidentify.markers import MARKER_TAGS, markers
from radcurate.deidentify.objects import refusal
from radcurate.deidentify.policy import Family
from radcurate.deidentify.rewrite import START_MOMENT, START_TIME, STOP_MOMENT, Note, Rewriter
from radcurate.deidentify.values import decode_text
from radcurate.dicom.container import Source, read_file, write_file
from radcurate.dicom.elements import DataSet, Element
from radcurate.dicom.problems import EXPORT_AGAIN, Unsafe

SOP_CLASS, SOP_INSTANCE, MODALITY = 0x00080016, 0x00080018, 0x00080060
STUDY_DATE, SERIES_DATE, ACQUISITION_DATE = 0x00080020, 0x00080021, 0x00080022
NAME, PATIENT_ID, BIRTH_DATE, SEX, AGE = 0x00100010, 0x00100020, 0x00100030, 0x00100040, 0x00101010
STUDY, SERIES, FRAME_OF_REFERENCE = 0x0020000D, 0x0020000E, 0x00200052
CHARSET, CONTOURS, SEGMENTS = 0x00080005, 0x30060039, 0x00620002
DVH, BEAMS, BRACHY_SETUPS = 0x30040050, 0x300A00B0, 0x300A0230
MANUFACTURER = 0x00080070
MOMENTS = (START_TIME, START_MOMENT, STOP_MOMENT)
FINISH_TAGS = frozenset(
    [CHARSET, SOP_INSTANCE, STUDY, SERIES, NAME, PATIENT_ID, BIRTH_DATE, AGE, STUDY_DATE, SERIES_DATE, ACQUISITION_DATE]
) | {*MOMENTS, *MARKER_TAGS}


@dataclass(frozen=True)
class Facts:
    """What later stages need to know of an instance, all of it after the rules."""

    sop_instance: str
    study: str
    frame_of_reference: str | None
    sex: str | None
    age: int | None
    study_date: str | None  # YYYY-MM-DD
    manufacturer: str | None


@dataclass(frozen=True)
class Rewritten:
    """A new file, what it says, and what was done to it."""

    data: bytes
    facts: Facts
    notes: frozenset[Note]


def rewrite_instance(data: bytes, rewriter: Rewriter, spare_uids: Mapping[int, str]) -> Rewritten:
    """De-identify one file.

    Args:
        data: the source file's bytes.
        rewriter: policy, key and patient.
        spare_uids: new study, series and instance UIDs by tag, used where the source has none.

    Raises:
        Unsafe: the file can't be rewritten safely.
    """
    source = read_file(data)
    rewriter.notes.clear()
    family = admit(source.elements, rewriter)
    new = rewriter.data_set(source.elements, source.encoding.little, family)
    _check_content(family.kind, new, source.elements)
    _fit_pixels(new, source, rewriter)
    years = finish(new, source.elements, rewriter, spare_uids)
    if source.trailing:
        rewriter.notes.add(Note("end of file", "trailing", "remove", "bytes after the data set"))
    sop_class, sop_instance = _text(new, SOP_CLASS), _text(new, SOP_INSTANCE)
    written = write_file(new, source.transfer_syntax, source.encoding, sop_class, sop_instance)
    return Rewritten(written, facts_of(new, years), frozenset(rewriter.notes))


def admit(elements: DataSet, rewriter: Rewriter) -> Family:
    """The family of the object, if it is one whose header can be judged; its pixels are for the stages after this.

    Raises:
        Unsafe: it is none.
    """
    family = rewriter.policy.families.get(_text(elements, SOP_CLASS))
    if family is None:
        raise refusal(_text(elements, SOP_CLASS))
    return family


def _check_content(kind: str, new: DataSet, old: DataSet) -> None:
    """The object has what makes it useful: pixels, contours or segments. Losing them silently would be worse than refusing."""
    bulk = sum(tag in new for tag in pixels.BULK)
    if bulk > 1 or (kind in ("image", "seg") and not bulk):
        raise Unsafe("no_pixel_data", EXPORT_AGAIN)
    if kind == "rtstruct" and CONTOURS not in new:
        raise Unsafe("no_contours", "export the contours again; the object has none")
    if kind == "rtdose" and not bulk and DVH not in new:
        raise Unsafe("no_dose", EXPORT_AGAIN)
    if kind == "rtplan" and BEAMS not in new and BRACHY_SETUPS not in new:
        raise Unsafe("no_beams", EXPORT_AGAIN)
    if kind == "seg" and SEGMENTS not in new:
        raise Unsafe("no_segments", EXPORT_AGAIN)


def _fit_pixels(new: DataSet, source: Source, rewriter: Rewriter) -> None:
    comments = rewriter.policy.vocabulary.encoder_comments
    if pixels.fit(new, source.transfer_syntax, source.encoding.little, comments):
        rewriter.notes.add(Note("(7FE0,0010)", "PixelData", "cut", "bytes that are no pixels"))


def finish(new: DataSet, old: DataSet, rewriter: Rewriter, spare_uids: Mapping[int, str]) -> int | None:
    """What every object must have, whether or not the source had it; the age to tell. Touches only `FINISH_TAGS`.

    Args:
        new: the rewritten data set, changed in place.
        old: the source's, of which only `FINISH_TAGS` are read.
        rewriter: policy and patient.
        spare_uids: as for `rewrite_instance`.
    """
    subject = rewriter.patient.subject.encode()
    new[NAME] = Element(NAME, "PN", subject)
    new[PATIENT_ID] = Element(PATIENT_ID, "LO", subject)
    new[CHARSET] = Element(CHARSET, "CS", b"ISO_IR 192")
    for tag, uid in spare_uids.items():
        if tag not in new or not new[tag].value:
            new[tag] = Element(tag, "UI", uid.encode())
    rewriter.finish_moments(new)
    new |= markers(rewriter.policy.digest, rewriter.policy.options, rewriter.patient.dates.mode)
    return _age(old, new, rewriter.policy.age)


def _age(old: DataSet, new: DataSet, mode: str) -> int | None:
    """Age in years from PatientAge or, failing that, from birth and study date; then written as PatientAge."""
    if mode == "remove":
        return None
    years = age.years_of(_text(new, AGE))
    if years is None:
        years = age.years_between(parse_date(_text(old, BIRTH_DATE)), _first_date(old))
        if years is not None:
            years = age.coarse(years, mode)
            new[AGE] = Element(AGE, "AS", age.age_text(years, mode).encode())
    return years


def _first_date(elements: DataSet) -> date | None:
    found = (parse_date(_text(elements, tag)) for tag in (STUDY_DATE, SERIES_DATE, ACQUISITION_DATE))
    return next((day for day in found if day is not None), None)


def facts_of(new: DataSet, years: int | None) -> Facts:
    """The facts of a rewritten data set whose age is `years`."""
    day = _first_date(new)
    return Facts(
        sop_instance=_text(new, SOP_INSTANCE),
        study=_text(new, STUDY),
        frame_of_reference=_text(new, FRAME_OF_REFERENCE) or None,
        sex=_text(new, SEX) or None,
        age=years,
        study_date=day.isoformat() if day else None,
        manufacturer=_text(new, MANUFACTURER) or None,
    )


def _text(elements: DataSet, tag: int) -> str:
    """A technical text in ASCII; empty where absent."""
    element = elements.get(tag)
    return (decode_text(element.value, ("ISO_IR 6",)) or "") if element else ""

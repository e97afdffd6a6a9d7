"""Every rule of de-identification is switched off in turn, over an identifier that it keeps out: verify must notice.

The rules are the rows of the tables themselves, so a new row is covered as soon as it is written. A rule whose removal
nobody notices fails here: either it does nothing, or verify is blind where it works.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.datadict import DicomDictionary, keyword_for_tag
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless
from verify_files import codestream, compressed, jpeg_segment, jpeg_tail
from verify_pairs import SHIFT, SPARE, YEAR, identity_of, policy, rewriter_for, verdict_on

from radcurate.deidentify import actions, codes, instance, markers, rewrite
from radcurate.deidentify.dates import DateRule
from radcurate.deidentify.instance import rewrite_instance
from radcurate.deidentify.options import Rule
from radcurate.deidentify.policy import Family
from radcurate.deidentify.rewrite import Rewriter
from radcurate.dicom.elements import Element, dictionary_vr
from radcurate.dicom.problems import Unsafe
from radcurate.verify import keep
from radcurate.verify.examine import Searcher, examine_bytes
from radcurate.verify.layout import LONG_FORM, PIXEL_DATA, read_layout
from radcurate.verify.needles import make_needles
from radcurate.verify.pixels import same_pixels

POLICY = policy(device_identity=True)
NAME, NUMBER, UID_OF_SOURCE, DAY = "Quxworth", "7734219", "1.2.3.4.5.99.1.77", "20200310"
FAMILIES = {family.name: (uid, family) for uid, family in POLICY.families.items()}
MODALITIES = {"nm": "NM", "pt": "PT", "mr": "MR", "seg": "SEG", "rtstruct": "RTSTRUCT", "rtdose": "RTDOSE", "rtplan": "RTPLAN", "us": "US", "xray": "DX", "sc": "OT"}  # fmt: skip
LAYOUT = ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel", "NumberOfFrames", "PhotometricInterpretation", "PlanarConfiguration")  # fmt: skip
OFFSETS = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")  # written anew, whatever was there
FINISHED = frozenset(instance.FINISH_TAGS)


def base(uid: str, family: Family) -> Dataset:
    """A small object of the family, under the identity that is planted elsewhere."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID, ds.StudyInstanceUID, ds.SeriesInstanceUID = (
        uid,
        UID_OF_SOURCE,
        "1.2.3.4.1",
        "1.2.3.4.2",
    )
    ds.PatientName, ds.PatientID, ds.StudyDate = f"{NAME}^Zebulon", f"MRN{NUMBER}", DAY
    ds.Modality = MODALITIES.get(family.name.removeprefix("enhanced_"), "CT")
    item = Dataset()
    if family.kind == "rtstruct":
        ds.ROIContourSequence = [item]
    elif family.kind == "rtplan":
        ds.BeamSequence = [item]
    else:
        ds.Rows, ds.Columns, ds.BitsAllocated, ds.BitsStored, ds.HighBit = 4, 6, 16, 16, 15
        ds.PixelRepresentation, ds.SamplesPerPixel, ds.PhotometricInterpretation = 0, 1, "MONOCHROME2"
        ds.PixelData = bytes(range(48))
    if family.kind == "seg":
        ds.SegmentSequence = [item]
    return ds


def file_of(ds: Dataset, extra: Element | None = None) -> bytes:
    """The object as a file; an element that pydicom wouldn't write is put in as bytes, in place of the one that is there."""
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, ds, enforce_file_format=True)
    data = stream.getvalue()
    if extra is None:
        return data
    layout = read_layout(data)
    value = extra.value + b" " * (len(extra.value) % 2)
    head = struct.pack("<HH", extra.tag >> 16, extra.tag & 0xFFFF) + extra.vr.encode()
    long = extra.vr in LONG_FORM
    head += b"\0\0" + struct.pack("<L", len(value)) if long else struct.pack("<H", len(value))
    own = layout.at.get(extra.tag)
    if own:
        return data[: own.begin] + head + value + data[own.end :]
    end = layout.pixels[0][0] - 12 if layout.pixels else len(data)
    if extra.tag == PIXEL_DATA:
        return data[:end] + head + data[end + 12 :] + value
    place = next((top.begin for top in layout.tops if top.tag > extra.tag), end)
    return data[:place] + head + value + data[place:]


def planted(rule: Rule) -> Element:
    """An attribute with an identifier in it, of the kind that its VR can hold."""
    vr = dictionary_vr(rule.tag).split(" or ")[0]
    if vr == "SQ":
        comment = NAME.encode()
        item = struct.pack("<HH2sH", 0x0008, 0x0104, b"LO", len(comment)) + comment
        return Element(rule.tag, "SQ", struct.pack("<HHL", 0xFFFE, 0xE000, len(item)) + item)
    text = {"DA": DAY, "DT": DAY + "101500", "UI": UID_OF_SOURCE, "DS": NUMBER, "IS": NUMBER, "AS": "095Y"}.get(
        vr, NAME
    )
    return Element(rule.tag, vr, (text.upper() if vr == "CS" else text).encode())


def left_alone(monkeypatch: pytest.MonkeyPatch, tag: int) -> None:
    """Let one attribute through as it is, wherever it stands."""
    known = Rewriter.element
    monkeypatch.setattr(Rewriter, "element", lambda self, e, scope: e if e.tag == tag else known(self, e, scope))


def dropped(monkeypatch: pytest.MonkeyPatch, tag: int) -> None:
    """Forget the rule of one attribute."""
    known = Rewriter.element
    monkeypatch.setattr(Rewriter, "element", lambda self, e, scope: None if e.tag == tag else known(self, e, scope))


class Bench:
    """One file, the rows of its patient, and what verify says after each way of rewriting it."""

    def __init__(self, folder: Path, data: bytes, dates: DateRule = SHIFT) -> None:
        self.folder, self.data, self.dates = folder, data, dates
        self.rows = identity_of(data)
        self.policy = POLICY if dates.mode == "shift" else policy(dates="year")

    def cleaned(self) -> bytes:
        return rewrite_instance(self.data, rewriter_for(self.rows, self.policy, self.dates), SPARE).data

    def reason(self, cleaned: bytes | None = None, **job: object) -> str | None:
        new = self.cleaned() if cleaned is None else cleaned
        return verdict_on(self.folder, self.data, new, self.rows, reread=False, devices=True, **job).reason


RULES = [(name, rule) for name, (_, family) in sorted(FAMILIES.items()) for rule in family.rules.values()]
SEEN_FIRST = list({rule.tag: (name, rule) for name, rule in reversed(RULES)}.values())


def unnoticed(folder: Path, name: str, rule: Rule) -> str | None:
    """What is wrong with a row: None when its removal is noticed."""
    uid, family = FAMILIES[name]
    bench = Bench(folder, file_of(base(uid, family), planted(rule)))
    try:
        honest = bench.cleaned()
    except Unsafe:
        return None if rule.keyword in ("SOPClassUID", *LAYOUT) or rule.action in ("pixels", "sequence") else "refused"
    if bench.reason(honest) is not None:
        return f"refuses what is clean: {bench.reason(honest)}"
    with pytest.MonkeyPatch.context() as patch:
        left_alone(patch, rule.tag)
        try:
            mutated = bench.cleaned()
        except Unsafe:
            return None
    if mutated == honest:
        return None if rule.tag in FINISHED or rule.keyword in OFFSETS else "does nothing"
    return None if bench.reason(mutated) else "nobody notices"


def failures(folder: Path, rules: list[tuple[str, Rule]]) -> list[str]:
    found = ((name, rule, unnoticed(folder, name, rule)) for name, rule in rules)
    return [f"{name} {rule.keyword} ({rule.action}): {problem}" for name, rule, problem in found if problem]


def test_a_fifth_of_the_attributes_is_watched(tmp_path: Path) -> None:
    assert failures(tmp_path, SEEN_FIRST[::5]) == []


@pytest.mark.slow
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_row_of_every_family_is_watched(tmp_path: Path, family: str) -> None:
    assert failures(tmp_path, [(name, rule) for name, rule in RULES if name == family]) == []


PARENTS = {
    "PixelMeasuresSequence": "SharedFunctionalGroupsSequence",
    "PlanePositionSequence": "PerFrameFunctionalGroupsSequence",
    "PlaneOrientationSequence": "SharedFunctionalGroupsSequence",
    "PixelValueTransformationSequence": "SharedFunctionalGroupsSequence",
    "FrameContentSequence": "PerFrameFunctionalGroupsSequence",
    "MRTimingAndRelatedParametersSequence": "SharedFunctionalGroupsSequence",
    "MREchoSequence": "PerFrameFunctionalGroupsSequence",
    "MRDiffusionSequence": "PerFrameFunctionalGroupsSequence",
    "SegmentIdentificationSequence": "PerFrameFunctionalGroupsSequence",
    "ContourSequence": "ROIContourSequence",
}
VALUES = {"Units": "BQML", "DecayCorrection": "START", "PhotometricInterpretation": "MONOCHROME2", "SegmentationType": "FRACTIONAL", "ContourGeometricType": "CLOSED_PLANAR", "DoseUnits": "GY", "DoseType": "PHYSICAL", "DoseSummationType": "PLAN"}  # fmt: skip
OWED = [row for rows in keep.rows().values() for row in rows if row.kind in ("number", "must", "time")]
OF_MODALITY = {"CT": "ct", "MR": "mr", "PT": "pt", "NM": "nm", "SEG": "seg", "RTSTRUCT": "rtstruct", "RTDOSE": "rtdose", "image": "ct", "*": "ct"}  # fmt: skip


def holding(row: keep.Kept) -> Dataset | None:
    """An object whose family keeps the attribute, with a value in it."""
    name = OF_MODALITY[min(row.modalities)]
    within = keyword_for_tag(row.within) if row.within else ""
    if PARENTS.get(within, "").endswith("FunctionalGroupsSequence") and name in ("ct", "mr", "pt"):
        name = "enhanced_" + name
    uid, family = FAMILIES[name]
    ds = base(uid, family)
    place = ds
    for step in filter(None, (PARENTS.get(within), within)):
        inner = Dataset()
        setattr(place, step, [inner])
        place = inner
    if row.keyword not in ds or place is not ds:
        vr = dictionary_vr(row.tag).split(" or ")[0]
        count = int(re.match(r"\d+", DicomDictionary[row.tag][1])[0])  # type: ignore[index]
        value = VALUES.get(row.keyword, "101500" if vr == "TM" else 1)
        place.add_new(row.tag, vr, value if count == 1 else [value] * count)
    return ds


@pytest.mark.parametrize("row", OWED, ids=lambda row: f"{row.within:08x}-{row.keyword}-{min(row.modalities)}")
def test_a_technical_attribute_that_is_lost_is_missed(tmp_path: Path, monkeypatch, row: keep.Kept) -> None:
    bench = Bench(tmp_path, file_of(holding(row)))
    try:
        assert bench.reason() is None
    except Unsafe:
        assert row.keyword in LAYOUT
        return
    dropped(monkeypatch, row.tag)
    try:
        assert bench.reason() is not None
    except Unsafe:
        assert row.keyword in ("SOPClassUID", *LAYOUT)


def test_the_list_of_technical_attributes_is_held_to_the_allow_list() -> None:
    """What verify insists on is what the tables keep: else every file would fail."""
    for row in OWED:
        assert any(row.tag in family.rules for _, family in FAMILIES.values()), row.keyword


def ct(**changes: object) -> Dataset:
    ds = base(*FAMILIES["ct"])
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    return ds


def other_tags(private: bool) -> Callable[[pytest.MonkeyPatch], None]:
    """Let attributes through that no row names."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        known = Rewriter.element

        def element(self, e, scope):
            new = known(self, e, scope)
            return e if new is None and bool(e.tag >> 16 & 1) == private else new

        patch.setattr(Rewriter, "element", element)

    return mutate


def patched(owner: object, name: str, value: object) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setattr(owner, name, value)


def with_overlay() -> Dataset:
    ds = ct()
    ds.add_new(0x60000010, "US", 4)
    ds.add_new(0x60004000, "LT", NAME)
    return ds


def with_private() -> Dataset:
    ds = ct()
    ds.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(8, "CS", "IMAGE NUM 4")
    return ds


def with_icon() -> Dataset:
    icon = base(*FAMILIES["ct"])
    for name in ("PatientName", "PatientID", "StudyDate", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        delattr(icon, name)
    icon.ImageComments = NAME
    return ct(IconImageSequence=[icon])


def with_code() -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "Z7", "99LOCAL", NAME
    return ct(AnatomicRegionSequence=[code])


def as_it_is(rewriter: Rewriter, value: rewrite.Value) -> bytes:
    return value.raw


def handler(action: str) -> Callable[[pytest.MonkeyPatch], None]:
    """The check of values of one action switched off, for all attributes."""
    return lambda patch: patch.setattr(rewrite, "HANDLERS", {**actions.HANDLERS, action: as_it_is})


def without_own_words(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(actions, "says_word", lambda text, words: False)
    patch.setattr("radcurate.deidentify.vocabulary.Vocabulary.describe", lambda self, text, forbidden=frozenset(): text)


def unclaimed(option: str) -> Callable[[pytest.MonkeyPatch], None]:
    """The option's attributes stay, and the file doesn't say so."""

    def marks(digest, options, mode):
        return markers.markers(digest, tuple(o for o in options if o != option), mode)

    return patched(instance, "markers", marks)


def with_removed_dates(digest, options, mode):
    return {**markers.markers(digest, options, mode), 0x00280303: Element(0x00280303, "CS", b"REMOVED")}


VALUE_RULES: dict[str, tuple[Dataset, Callable[[pytest.MonkeyPatch], None]]] = {
    "unknown tags kept": (ct(ImageComments=f"for {NAME}"), other_tags(private=False)),
    "overlay kept": (with_overlay(), other_tags(private=False)),
    "icon kept": (with_icon(), other_tags(private=False)),
    "colour profile kept": (ct(ICCProfile=f"desc {NAME} ".encode()), other_tags(private=False)),
    "private kept, though it tells nothing": (with_private(), other_tags(private=True)),
    "UIDs kept": (ct(), patched(Rewriter, "uid", lambda self, original: original)),
    "any code scheme": (with_code(), patched(codes, "accepted", lambda scheme, code, schemes: NAME)),
    "any listed value": (ct(BodyPartExamined=NAME.upper()), handler("keep_if_listed")),
    "any matching value": (ct(ConvolutionKernel=NAME), handler("keep_if_matches")),
    "any word": (ct(SeriesDescription=f"{NAME} AXIAL"), handler("words")),
    "any number": (ct(SliceThickness=NUMBER), handler("keep")),
    "any age": (ct(PatientAge="095Y"), handler("age")),
    "any time": (ct(StudyTime=NUMBER), handler("time")),
    "values that should be empty": (ct(AccessionNumber="ACC-998877"), handler("empty")),
    "own words kept": (ct(PatientName="Willis^Ann", SeriesDescription="CIRCLE OF WILLIS"), without_own_words),
    "no marks": (ct(), patched(instance, "markers", lambda *args: {})),
    "patient characteristics without their option": (ct(PatientAge="050Y"), unclaimed("patient_characteristics")),
    "descriptors without their option": (ct(SeriesDescription="AXIAL"), unclaimed("clean_descriptors")),
    "an option that isn't true": (ct(), patched(instance, "markers", with_removed_dates)),
}


@pytest.mark.parametrize("name", sorted(VALUE_RULES))
def test_a_rule_for_values_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    ds, mutate = VALUE_RULES[name]
    bench = Bench(tmp_path, file_of(ds))
    assert bench.reason() is None
    mutate(monkeypatch)
    assert bench.reason() is not None


def test_text_that_the_file_itself_says_is_burned_in_is_noticed(tmp_path: Path) -> None:
    assert Bench(tmp_path, file_of(ct(BurnedInAnnotation="YES"))).reason() == "burned_in_text"


def test_dates_that_are_not_shifted_are_noticed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, file_of(ct(AcquisitionDate=DAY)))
    assert bench.reason() is None
    bench.dates = DateRule("shift", 0)
    assert bench.reason() in ("dates_kept", "identifier_found")


def test_dates_that_are_shifted_by_days_are_noticed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, file_of(ct(AcquisitionDate="20200312")))
    bench.dates = DateRule("shift", 10)
    assert bench.reason() == "dates_uneven"


def test_dates_that_are_shifted_unevenly_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, file_of(ct(AcquisitionDate="20200312")))
    known = DateRule.date
    monkeypatch.setattr(DateRule, "date", lambda self, text: "20200903" if text == "20200312" else known(self, text))
    assert bench.reason() == "dates_uneven"


def test_days_that_are_left_where_only_years_are_claimed_are_noticed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, file_of(ct()), YEAR)
    assert bench.reason() is None
    bench.dates = SHIFT
    assert bench.reason() == "dates_kept"


CONTAINER: dict[str, Callable[[bytes], bytes]] = {
    "preamble kept": lambda data: b"II*\0" + data[4:],
    "bytes after the data set kept": lambda data: data + b"\0\0\0\0",
    "excess pixel bytes kept": lambda data: _longer(data, b"\0\0"),
    "one pixel changed": lambda data: data[:-2] + bytes([data[-2] ^ 1]) + data[-1:],
    "pixels cut short": lambda data: _longer(data, b"", cut=2),
    "another patient": lambda data: data.replace(b"P-00112233445566aa", b"P-00112233445566ab"),
    "meta of another object": lambda data: data.replace(b"2.25.", b"2.26.", 1),
    "source application copied": lambda data: _with_meta(data, 0x00020016, b"AE", NAME.upper().encode()),
    "private information copied": lambda data: _with_meta(data, 0x00020100, b"UI", b"1.2.3.44"),
}


def _longer(data: bytes, more: bytes, cut: int = 0) -> bytes:
    """Native pixels with other bytes at their end, and the length that goes with it."""
    start = read_layout(data).pixels[0][0]
    value = data[start : len(data) - cut] + more
    return data[: start - 4] + struct.pack("<L", len(value)) + value


def _with_meta(data: bytes, tag: int, vr: bytes, value: bytes) -> bytes:
    """One more element at the end of the meta group."""
    value += b" " * (len(value) % 2)
    extra = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr + struct.pack("<H", len(value)) + value
    layout = read_layout(data)
    length = struct.pack("<L", int.from_bytes(layout.raw(0x00020000), "little") + len(extra))
    end = max(top.end for top in layout.tops if top.tag >> 16 == 2)
    return data[:140] + length + data[144:end] + extra + data[end:]


@pytest.mark.parametrize("name", sorted(CONTAINER))
def test_a_rule_for_the_container_is_watched(tmp_path: Path, name: str) -> None:
    bench = Bench(tmp_path, file_of(ct()))
    honest = bench.cleaned()
    assert bench.reason(honest) is None
    assert bench.reason(CONTAINER[name](honest)) is not None


@pytest.mark.parametrize("marker", [0xFE, 0xE1, 0xE2], ids=["comment", "Exif", "ICC"])
def test_a_segment_of_a_jpeg_that_is_kept_is_noticed(marker: int) -> None:
    searcher = Searcher(make_needles(identity_of(file_of(ct())), 4))
    assert not examine_bytes(jpeg_segment(marker)("NORM"), "a.dcm", searcher).finds.hits
    assert examine_bytes(jpeg_segment(marker)(NAME), "a.dcm", searcher).finds.hits


def test_a_comment_that_goes_changes_no_picture() -> None:
    for build in (jpeg_segment(0xFE), jpeg_segment(0xE1), jpeg_tail, lambda text: compressed(JPEG2000Lossless, codestream(text))):  # fmt: skip
        plain, telling = read_layout(build("")), read_layout(build(NAME))
        assert same_pixels(telling, plain)
        changed = bytearray(telling.data)
        changed[telling.fragments[0][1] - 40] ^= 4
        assert not same_pixels(telling, read_layout(bytes(changed)))

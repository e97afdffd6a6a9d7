"""Identifiers around the data set and in what is bulk: file meta, preamble, behind the end, profiles, overlays, icons, code streams."""

from __future__ import annotations

from base64 import b64decode

from radcurate.canary import objects
from radcurate.canary.build import element, specimen
from radcurate.canary.invent import Inventor, Secret
from radcurate.canary.raw import BIG, DEFLATED, IMPLICIT, Element, Rows, even
from radcurate.canary.sheet import Sheet
from radcurate.canary.specimen import Plant, Specimen

_JPEG, _JPEG_2000, _RLE = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.5"
# 16 by 16 pixels each, written by Pillow
_PICTURE = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4z"
    "NDL/wAALCAAQABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAABwD/xAAXEAEAAwAAAAAAAAAAAAAAAAAFACIy/9oACAEBAAA/ADccfNYgDj5rIcfNYgDj5rP/"
    "2Q=="
)
_PICTURE_2000 = b64decode(
    "/0//UQApAAAAAAAQAAAAEAAAAAAAAAAAAAAAEAAAABAAAAAAAAAAAAABBwEB/1IADAAAAAEAAQQEAAH/XAAHQEBISFD/ZAAlAAFDcmVhdGVkIGJ5IE9wZW5K"
    "UEVHIHZlcnNpb24gMi41LjT/kAAKAAAAAABIAAH/k9+BQBIrZtcPYOVS50caTTXEVAr4h8HKTkL66L3RYpFzW3D+XEE0LBXTYD/A+QJA+QIANqGZzz2mNF//2Q=="
)


def specimens() -> list[Specimen]:
    """The specimens of this module."""
    return [_meta(), _behind(), _bulk(), _jpeg(), _jpeg_2000(), _run_length(), _deflated(), _big(), _implicit()]


def _meta() -> Specimen:
    who = Inventor("meta")
    sheet = objects.ct(who)
    meta: Rows = {}
    for kind, place, vr, secret in (
        ("file meta: implementation", "ImplementationClassUID", "UI", who.uid()),
        ("file meta: implementation", "ImplementationVersionName", "SH", Secret(who.word()[:16], "name", "A")),
        (
            "file meta: application entity",
            "SourceApplicationEntityTitle",
            "AE",
            Secret(who.word().upper()[:16], "name", "A"),
        ),
        ("file meta: application entity", "SendingApplicationEntityTitle", "AE", who.other("WS")),
        ("file meta: application entity", "ReceivingApplicationEntityTitle", "AE", who.other("AE")),
        ("file meta: presentation address", "SourcePresentationAddress", "UR", who.link()),
        ("file meta: presentation address", "ReceivingPresentationAddress", "UR", who.address()),
        ("file meta: private information", "PrivateInformationCreatorUID", "UI", who.uid()),
    ):
        meta |= element(place, vr, secret.value)
        sheet.note(kind, place, secret)
    name, number = who.spoken(), who.social()
    meta |= element("PrivateInformation", "OB", f"\x01{name.value}|{number.value}\0".encode())
    sheet.note("file meta: private information", "PrivateInformation", name)
    sheet.note("file meta: private information", "PrivateInformation", number)
    unknown = who.record()
    meta |= element(0x000200F0, "LO", unknown.value)
    sheet.note("file meta: unknown element", 0x000200F0, unknown)
    first, second = who.spoken(), who.plan()
    sheet.plants.extend(_plants("preamble", first, second))
    preamble = b"II*\0" + f"{first.value} {second.value}".encode()
    return specimen("meta", "ct", sheet, meta=meta, preamble=preamble)


def _plants(place: str, *secrets: Secret) -> list[Plant]:
    return [Plant(place, place, secret.category, place, secret.value, secret.hipaa) for secret in secrets]


def _behind() -> Specimen:
    """Behind the last pixel, in the padding, behind the data set."""
    who = Inventor("behind")
    sheet = objects.mr(who)
    excess, padding, tail, mail = who.spoken(), who.name(), who.name(), who.mail()
    native = sheet.elements[0x7FE00010]
    native.value = _packed(native.value) + f"  {excess.value}  ".encode()
    sheet.note("excess bytes of the pixel data", "PixelData", excess)
    sheet.plant("trailing padding", "DataSetTrailingPadding", padding)
    sheet.plants.extend(_plants("bytes after the data set", tail, mail))
    return specimen("behind", "mr", sheet, tail=f"\n{tail.value}\n{mail.value}\n".encode())


def _packed(value: object) -> bytes:
    numbers = value if isinstance(value, tuple) else ()
    return b"".join(int(number).to_bytes(2, "little") for number in numbers)


def _bulk() -> Specimen:
    """ICC profiles, overlays, curves, audio, icons, spectra: bytes in which anything can stand."""
    who = Inventor("bulk")
    sheet = objects.ct(who)
    sheet.plant("ICC profile", "ICCProfile", name := who.spoken(), value=_profile(name.value))
    optics = sheet.item("OpticalPathSequence")
    optics.plant("ICC profile", "ICCProfile", serial := who.serial(), value=_profile(serial.value))
    for group in (0x6000, 0x6002, 0x601E):
        secret = who.spoken()
        sheet.put(group << 16 | 0x10, (objects.SIDE,), "US")
        sheet.put(group << 16 | 0x11, (objects.SIDE,), "US")
        sheet.plant(
            "overlay bits", group << 16 | 0x3000, secret, value=even(secret.value.encode().ljust(32, b"\0")), vr="OW"
        )
    sheet.plant("overlay text", 0x60000022, who.spoken(), "seen by {}", vr="LO")
    sheet.plant("overlay text", 0x60001500, who.surname(), vr="LO")
    sheet.plant("curve", 0x50003000, curve := who.record(), value=even(curve.value.encode()), vr="OW")
    sheet.plant("curve", 0x50000030, who.surname(), vr="SH")
    sheet.plant("curve", 0x50002500, who.spoken(), vr="LO")
    sheet.plant("audio", 0x5000200C, voice := who.biometric(), value=even(voice.value.encode()), vr="OW")
    sheet.plant("audio", 0x5000200E, who.spoken(), "dictated by {}", vr="LT")
    icon = sheet.item("IconImageSequence")
    for keyword, number in (
        ("SamplesPerPixel", 1),
        ("Rows", 16),
        ("Columns", 16),
        ("BitsAllocated", 8),
        ("PixelRepresentation", 0),
    ):
        icon.put(keyword, (number,))
    icon.put("PhotometricInterpretation", "MONOCHROME2")
    face = who.photo()
    icon.plant("icon image", "PixelData", face, value=(face.value + " ").encode().ljust(256, b"\x7f"), vr="OB")
    icon.plant("icon image", "ImageComments", who.photo(), "photo {}")
    private = sheet.block(0x0029, "PORTRAIT 1.0")
    sheet.plant(
        "photograph in a private element", private | 0x10, shot := who.photo(), value=_commented(shot.value), vr="OB"
    )
    sheet.plant(
        "lookup table", "RedPaletteColorLookupTableData", red := who.spoken(), value=even(red.value.encode()), vr="OW"
    )
    sheet.plant(
        "encapsulated document", "EncapsulatedDocument", pdf := who.spoken(), value=even(f"%PDF {pdf.value}".encode())
    )
    sheet.plant(
        "spectroscopy data", "SpectroscopyData", word := who.code_word(), value=word.value.encode().ljust(32, b"\0")
    )
    sheet.plant("pixel data provider", "PixelDataProviderURL", who.link())
    return specimen("bulk", "ct", sheet)


def _profile(text: str) -> bytes:
    """The head of an ICC profile and a description tag."""
    tag = b"desc\0\0\0\0" + text.encode()
    return even(
        (128 + 16 + len(tag)).to_bytes(4, "big")
        + bytes(32)
        + b"acsp"
        + bytes(88)
        + b"\0\0\0\1desc\0\0\0\x90"
        + bytes(4)
        + tag
    )


def _commented(text: str, marker: int = 0xFE) -> bytes:
    """A JPEG picture with a segment of text before the rest."""
    content = text.encode()
    return _PICTURE[:20] + bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content + _PICTURE[20:]


def _compressed(sheet: Sheet, fragments: list[bytes]) -> None:
    """Replace the pixels by one compressed frame of 8 bits."""
    for keyword, number in (("BitsAllocated", 8), ("BitsStored", 8), ("HighBit", 7)):
        sheet.hold(keyword, (number,))
    sheet.elements[0x7FE00010] = Element(0x7FE00010, "OB", fragments=fragments)


def _jpeg() -> Specimen:
    who = Inventor("jpeg")
    sheet = objects.ct(who)
    comment, exif, resource, thumbnail, end = who.spoken(), who.serial(), who.place(), who.photo(), who.name()
    stream = _PICTURE[:20]
    for marker, content in (
        (0xFE, comment.value.encode()), (0xE1, b"Exif\0\0" + exif.value.encode()), (0xED, b"Photoshop 3.0\0" + resource.value.encode()),
        (0xE0, b"JFXX\0\x10" + thumbnail.value.encode()),
    ):  # fmt: skip
        stream += bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content
    for kind, secret in (
        ("JPEG comment", comment), ("JPEG application segment", exif), ("JPEG application segment", resource),
        ("JPEG application segment", thumbnail), ("after the end of the code stream", end),
    ):  # fmt: skip
        sheet.note(kind, "PixelData", secret)
    _compressed(sheet, [stream + _PICTURE[20:] + end.value.encode()])
    return specimen("jpeg", "ct", sheet, _JPEG)


def _jpeg_2000() -> Specimen:
    who = Inventor("jpeg 2000")
    sheet = objects.mr(who)
    comment, code, end = who.spoken(), who.record(), who.name()
    stream = _PICTURE_2000[:-2]
    head = stream.index(b"\xff\x64")
    for content in (b"\0\1" + comment.value.encode(), b"\0\0" + code.value.encode()):
        stream = stream[:head] + b"\xff\x64" + (len(content) + 2).to_bytes(2, "big") + content + stream[head:]
    for kind, secret in (
        ("JPEG 2000 comment", comment),
        ("JPEG 2000 comment", code),
        ("after the end of the code stream", end),
    ):
        sheet.note(kind, "PixelData", secret)
    _compressed(sheet, [stream + b"\xff\xd9" + end.value.encode()])
    return specimen("jpeg_2000", "mr", sheet, _JPEG_2000)


def _run_length() -> Specimen:
    who = Inventor("run length")
    sheet = objects.mr(who)
    rows = b"".join(b"\xf1" + bytes([9 * row]) for row in range(objects.SIDE))  # each row of one grey
    end = who.spoken()
    sheet.note("after the last run", "PixelData", end)
    _compressed(sheet, [(1).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(56) + rows + end.value.encode()])
    return specimen("run_length", "mr", sheet, _RLE)


def _deflated() -> Specimen:
    who = Inventor("deflated")
    sheet = objects.ct(who)
    for keyword, secret in (
        ("PatientComments", who.spoken()),
        ("StudyDescription", who.record()),
        ("InstitutionName", who.town()),
        ("PatientTelephoneNumbers", who.phone()),
    ):
        sheet.plant("deflated data set", keyword, secret)
    return specimen("deflated", "ct", sheet, DEFLATED)


def _big() -> Specimen:
    who = Inventor("big endian")
    sheet = objects.mr(who)
    sheet.plant("big endian", "InstitutionName", who.town())
    sheet.plant("big endian", "PatientComments", who.spoken())
    number = who.record()
    sheet.plant("big endian", "LargestImagePixelValue", number, value=(int(number.value),), vr="UL")
    tag = sheet.block(0x0019, "HIS EXPORT 1.0")
    sheet.plant("big endian", tag | 0x01, number := who.record(), value=(int(number.value),), vr="UL")
    step = sheet.item("RequestAttributesSequence", open=True)
    step.plant("big endian", "ScheduledProcedureStepDescription", who.spoken(), "for {}")
    return specimen("big_endian", "mr", sheet, BIG)


def _implicit() -> Specimen:
    who = Inventor("implicit")
    sheet = objects.pet(who)
    sheet.plant("implicit", "PatientAddress", who.place())
    sheet.plant("implicit", "OtherPatientIDs", who.record())
    tag = sheet.block(0x0009, "SPI-P Release 1")
    sheet.plant("private, implicit", tag | 0x04, who.spoken(), vr="LO")
    sheet.plant("private, implicit", tag | 0x05, who.address(), vr="LO")
    inner = sheet.item(tag | 0x06)
    inner.plant("private, implicit", "PatientName", who.name())
    return specimen("implicit", "pt", sheet, IMPLICIT)

"""A plain search for planted identifiers, with nothing of the program in it: slow and simple."""

from __future__ import annotations

import io
import re
import struct
import warnings
from collections.abc import Iterator

import pydicom

from radcurate.canary import Plant

CODECS = (
    "utf-8", "latin-1", "iso8859-2", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9", "cp1252", "utf-16-le",
    "utf-16-be", "utf-32-le", "shift_jis", "iso2022_jp", "euc_jp", "euc_kr", "gb18030", "gbk", "tis-620",
)  # fmt: skip
GENERIC = {"street", "https", "portrait", "example"}


def left(plant: Plant, content: bytes) -> bool:
    """Whether anything of the identifier is in `content` (lower case, see `searchable`)."""
    return any(needle in content for needle in needles(plant))


def searchable(data: bytes) -> bytes:
    """A file's bytes in lower case, without the values of native pixels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(io.BytesIO(data))
        pixels = native_pixels(ds)
    return (data.replace(pixels, b"") if len(pixels) > 64 else data).lower()


def native_pixels(ds: pydicom.Dataset) -> bytes:
    """The declared values of native pixel data; nothing of compressed ones."""
    if "PixelData" not in ds or (
        ds.file_meta.TransferSyntaxUID.is_compressed and not ds.file_meta.TransferSyntaxUID.is_deflated
    ):
        return b""
    count = int(ds.Rows) * int(ds.Columns) * int(ds.get("SamplesPerPixel", 1)) * int(ds.get("NumberOfFrames") or 1)
    return bytes(ds.PixelData)[: -(-count * int(ds.BitsAllocated) // 8)]


def needles(plant: Plant) -> set[bytes]:
    """What of a plant must not be found."""
    texts = set(_dates(plant.value) if plant.category == "date" else _texts(plant.value))
    forms = {form for text in texts for form in (text, text.lower(), text.upper(), text.title())}
    found = {_encoded(form, codec) for form in forms for codec in CODECS}
    if plant.category == "id" and plant.value.isdigit() and len(plant.value) >= 6:
        found |= set(_numbers(int(plant.value)))
    return {needle for needle in found if len(needle) >= 4}


def _encoded(text: str, codec: str) -> bytes:
    """In lower case as far as bytes have one; empty where the codec can't write it."""
    try:
        return text.encode(codec).lower()
    except UnicodeEncodeError:
        return b""


def _texts(value: str) -> Iterator[str]:
    """The whole value, its words of five letters and its numbers of five digits; of other scripts two letters count."""
    yield value
    for word in re.findall(r"[^\W\d_]+", value):
        if word.lower() not in GENERIC and len(word) >= (5 if word.isascii() else 2):
            yield word
    if value.count(".") < 4:
        yield from re.findall(r"\d{5,}", value)


def _dates(value: str) -> Iterator[str]:
    year, month, day = value[:4], value[4:6], value[6:8]
    for form in (
        "{y}{m}{d}",
        "{y}-{m}-{d}",
        "{y}.{m}.{d}",
        "{y}/{m}/{d}",
        "{d}.{m}.{y}",
        "{d}/{m}/{y}",
        "{m}/{d}/{y}",
        "{d}{m}{y}",
        "{m}{d}{y}",
    ):
        yield form.format(y=year, m=month, d=day)


def _numbers(number: int) -> Iterator[bytes]:
    """As a binary number of any size and byte order, in lower case as the rest; zeros and ones stand everywhere."""
    for order in "<>":
        for code in "LQfd":
            raw = struct.pack(order + code, number) if code != "L" or number < 2**32 else b""
            if len(raw.strip(b"\0\1")) >= 3:
                yield raw.lower()

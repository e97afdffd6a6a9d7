"""The instances of a series as data sets, equal elements read once.

Slices of a series share nearly all elements byte for byte. `split` cuts an ordinary file into them, so that pydicom has to
understand each only once; every other file is pydicom's alone. Data sets share elements: they are to be read, not changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.filereader import data_element_generator
from pydicom.tag import BaseTag

from radcurate.dicom.elements import UNDEFINED, Encoding
from radcurate.dicom.split import Split, Splitter

CHARSET, PIXEL_DATA = 0x00080005, 0x7FE00010
PLAIN = ("US", "DS", "IS", "CS", "DA", "TM")  # of what geometry, rescale and SUV are made
Element: TypeAlias = DataElement | RawDataElement


def read_instances(paths: Iterable[Path]) -> list[Dataset]:
    """What `pydicom.dcmread` makes of each file, without file meta where the pixels are native."""
    reader = _Reader()
    return [reader.read(path) for path in paths]


class _Reader:
    def __init__(self) -> None:
        self._splitter = Splitter()
        self._known: dict[tuple[Encoding, bytes], Element | None] = {}

    def read(self, path: Path) -> Dataset:
        data = path.read_bytes()
        pieces = self._splitter.split(data, len(data))
        found = None
        if pieces is not None and pieces.pixel_start and pieces.pixel_length != UNDEFINED:
            found = self._dataset(data, pieces)
        return pydicom.dcmread(BytesIO(data), force=True) if found is None else found

    def _dataset(self, data: bytes, pieces: Split) -> Dataset | None:
        """The data set of an ordinary file with native pixels; None where an element is not to be understood alone."""
        elements: dict[BaseTag, Element] = {}
        for tag, raw in zip(pieces.tags, pieces.raws, strict=True):
            element = self._element(pieces.encoding, tag, raw)
            if element is None:
                return None
            elements[element.tag] = element
        pixels = data[pieces.pixel_start :]
        implicit = not pieces.encoding.explicit
        tag = BaseTag(PIXEL_DATA)
        vr = None if implicit else data[pieces.pixel_head + 4 : pieces.pixel_head + 6].decode()
        elements[tag] = RawDataElement(tag, vr, len(pixels), pixels, pieces.pixel_start, implicit, True)
        dataset = Dataset(elements)
        dataset.set_original_encoding(implicit, True, dataset._character_set)
        return dataset

    def _element(self, encoding: Encoding, tag: int, raw: bytes) -> Element | None:
        """What pydicom reads in these bytes, understood at once so that all data sets have it; None if not one element."""
        place = (encoding, raw)
        if place not in self._known:
            stream = BytesIO(raw)
            try:
                found = [_understood(e) for e in data_element_generator(stream, not encoding.explicit, True)]
            except Exception:  # pydicom raises many kinds on malformed values
                found = []
            alone = len(found) == 1 and found[0].tag == tag and stream.tell() == len(raw)
            self._known[place] = found[0] if alone else None
        return self._known[place]


def _understood(element: Element) -> Element:
    """With its value, where that takes nothing else of the file; text and UIDs are hardly asked for and wait."""
    plain = isinstance(element, RawDataElement) and element.VR in PLAIN and not element.tag.is_private
    return convert_raw_data_element(element) if plain else element


def native_frames(header: Dataset) -> NDArray[np.generic] | None:
    """Stored values of a native grey-scale image, shape (frame, row, column), not to be written to.

    None where pydicom has to decode them, or to say what is wrong with them.
    """
    if header.get("PixelData") is None or getattr(header, "file_meta", None) is not None:
        return None  # what has file meta may be compressed
    bits, signed, samples = (header.get(name) for name in ("BitsAllocated", "PixelRepresentation", "SamplesPerPixel"))
    shape = (header.get("NumberOfFrames") or 1, header.get("Rows"), header.get("Columns"))
    if bits not in (8, 16, 32) or signed not in (0, 1) or samples != 1:
        return None
    if not all(isinstance(n, int) and n > 0 for n in shape):
        return None
    kind = np.dtype(f"<{'i' if signed else 'u'}{bits // 8}")
    wanted = math.prod(shape) * kind.itemsize
    pixels = header.PixelData
    if len(pixels) != wanted + wanted % 2:
        return None
    return np.frombuffer(pixels, kind, math.prod(shape)).reshape(shape)

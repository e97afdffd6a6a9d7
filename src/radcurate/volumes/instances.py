"""The instances of a series as data sets, equal elements read once.

Slices of a series share nearly all elements byte for byte. `split` cuts an ordinary file into them, so that pydicom has to
understand each only once; every other file is pydicom's alone. Data sets share elements: they are to be read, not changed.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.filereader import data_element_generator
from pydicom.tag import BaseTag, Tag

from radcurate.dicom.elements import UNDEFINED, Encoding, dictionary_vr
from radcurate.dicom.split import Split, Splitter

ROWS, COLUMNS, NUMBER_OF_FRAMES = Tag("Rows"), Tag("Columns"), Tag("NumberOfFrames")
BITS_ALLOCATED, PIXEL_REPRESENTATION = Tag("BitsAllocated"), Tag("PixelRepresentation")
SAMPLES_PER_PIXEL, PIXEL_DATA = Tag("SamplesPerPixel"), Tag("PixelData")
PLAIN = ("US", "DS", "IS", "CS", "DA", "TM")  # of what geometry, rescale and SUV are made
Element: TypeAlias = DataElement | RawDataElement


def read_instances(paths: Iterable[Path]) -> list[Dataset]:
    """What `pydicom.dcmread` makes of each file, without file meta where the pixels are native."""
    reader = _Reader()
    return [reader.read(path) for path in paths]


def value(header: Dataset, tag: BaseTag) -> Any:
    """Value of an element, None where it is absent or empty; by its tag, since looking up keywords takes most of the time."""
    if tag not in header:
        return None
    found = header[tag].value
    return None if found == "" else found


class _Reader:
    def __init__(self) -> None:
        self._splitter = Splitter()
        self._known: dict[tuple[Encoding, bytes], Element | None] = {}
        self._last: Split | None = None
        self._elements: list[Element] = []  # of the last file
        self._settled = False

    def read(self, path: Path) -> Dataset:
        data = path.read_bytes()
        pieces = self._splitter.split(data, len(data))
        found = None
        if pieces is not None and pieces.pixel_start and pieces.pixel_length != UNDEFINED:
            found = self._dataset(data, pieces)
        return pydicom.dcmread(BytesIO(data), force=True) if found is None else found

    def _dataset(self, data: bytes, pieces: Split) -> Dataset | None:
        """The data set of an ordinary file with native pixels; None where an element is not to be understood alone."""
        found = self._understand(pieces)
        if found is None:
            return None
        elements = {element.tag: element for element in found}
        pixels = data[pieces.pixel_start :]
        implicit = not pieces.encoding.explicit
        vr = None if implicit else data[pieces.pixel_head + 4 : pieces.pixel_head + 6].decode()
        elements[PIXEL_DATA] = RawDataElement(PIXEL_DATA, vr, len(pixels), pixels, pieces.pixel_start, implicit, True)
        dataset = Dataset(elements)
        dataset.set_original_encoding(implicit, True, dataset._character_set)
        return dataset

    def _understand(self, pieces: Split) -> list[Element] | None:
        """All elements; those that are byte for byte the last file's are not even looked up."""
        last = self._last
        if last is None or last.tags != pieces.tags or last.encoding != pieces.encoding:
            found = [self._element(pieces.encoding, *one) for one in zip(pieces.tags, pieces.raws, strict=True)]
            self._settled = False
        else:
            if not self._settled:  # what two slices have in common the others have too, and it is asked for each time
                self._elements, self._settled = [_understood(element) for element in self._elements], True
            found = [*self._elements]
            for place, same in enumerate(map(operator.eq, pieces.raws, last.raws)):
                if not same:
                    found[place] = self._element(pieces.encoding, pieces.tags[place], pieces.raws[place])
        whole = [element for element in found if element is not None]
        if len(whole) < len(found):
            return None
        self._last, self._elements = pieces, whole
        return whole

    def _element(self, encoding: Encoding, tag: int, raw: bytes) -> Element | None:
        """What pydicom reads in these bytes; None if that is not one element."""
        place = (encoding, raw)
        if place not in self._known:
            stream = BytesIO(raw)
            try:
                found = list(data_element_generator(stream, not encoding.explicit, True))
            except Exception:  # pydicom raises many kinds on malformed values
                found = []
            alone = len(found) == 1 and found[0].tag == tag and stream.tell() == len(raw)
            self._known[place] = found[0] if alone else None
        return self._known[place]


def _understood(element: Element) -> Element:
    """With its value, where that takes nothing else of the file; text and UIDs are hardly asked for and wait."""
    if not isinstance(element, RawDataElement) or element.tag.is_private:
        return element
    if (element.VR or dictionary_vr(int(element.tag))) not in PLAIN:
        return element
    try:
        return convert_raw_data_element(element)
    except Exception:  # whoever asks for it hears what is wrong
        return element


def native_frames(header: Dataset) -> NDArray[np.generic] | None:
    """Stored values of a native grey-scale image, shape (frame, row, column), not to be written to.

    None where pydicom has to decode them, or to say what is wrong with them.
    """
    if PIXEL_DATA not in header or getattr(header, "file_meta", None) is not None:
        return None  # what has file meta may be compressed
    bits, signed, samples = (value(header, tag) for tag in (BITS_ALLOCATED, PIXEL_REPRESENTATION, SAMPLES_PER_PIXEL))
    shape = (value(header, NUMBER_OF_FRAMES) or 1, value(header, ROWS), value(header, COLUMNS))
    if bits not in (8, 16, 32) or signed not in (0, 1) or samples != 1:
        return None
    if not all(isinstance(n, int) and n > 0 for n in shape):
        return None
    kind = np.dtype(f"<{'i' if signed else 'u'}{bits // 8}")
    wanted = math.prod(shape) * kind.itemsize
    pixels = value(header, PIXEL_DATA)
    if pixels is None or len(pixels) != wanted + wanted % 2:
        return None
    return np.frombuffer(pixels, kind, math.prod(shape)).reshape(shape)

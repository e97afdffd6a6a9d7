"""What is found in pictures: words shared by looking, cleaning and the stage.

Rows and columns count pixels of one frame from 0, from its upper left corner as stored. Frames are counted from 0 within
their file, files by their place in the sorted list of a series' files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Stored = NDArray[Any]  # values as the file stores them: (row, column) or (row, column, sample)
Flags = NDArray[np.bool_]


class Place(NamedTuple):
    """One frame of a series."""

    file: int
    frame: int


class Box(NamedTuple):
    """A part of a frame: rows top … bottom − 1, columns left … right − 1."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, eq=False)
class Picture:
    """One frame as it is stored, with what is needed to look at it. Nothing here is a header value that names anybody."""

    place: Place
    values: Stored  # YBR stays YBR, a palette's are indices
    photometric: str  # PhotometricInterpretation as pydicom's decoder hands it over
    bits_stored: int
    palette: NDArray[np.uint8] | None = None  # (entry, 3)
    first_index: int = 0  # of the palette: the stored value of its first entry
    beyond: Flags | None = (
        None  # drawn in bits of the words that are no part of the value (an overlay of old), or in (60xx,3000)
    )
    # parts of the picture that show the image, from SequenceOfUltrasoundRegions; nothing where the header tells none
    regions: tuple[Box, ...] = ()


@dataclass(frozen=True, eq=False)
class Pictures:
    """The frames of a series, decoded one at a time so that memory stays bounded.

    places: all frames, in order of file and frame; of a volume, in order along its normal. read: decodes one. volume: planes
    of one image, parallel, so that what is constant over them is no anatomy.
    """

    places: Sequence[Place]
    read: Callable[[Place], Picture]
    volume: bool = False

    def __iter__(self) -> Iterator[Picture]:
        return (self.read(place) for place in self.places)


@dataclass(frozen=True)
class Hit:
    """Something found in one frame.

    sure: is text (or another mark) by recognition, by this patient's own words, or by standing still over frames; a hit that
    is not sure is for a person where the modality is looked at strictly, and is passed over elsewhere.
    """

    place: Place
    box: Box
    # text | identity (one of the patient's own words) | mark (drawn, but nothing that reads) | overlay | region (of a steward)
    kind: str
    sure: bool
    confidence: float  # 0 … 1, of the recognition; 1 where nothing was to be recognised
    text: str = field(default="", repr=False)  # stays in memory: tables hold its keyed hash
    # the pixels that are drawn, within the box: (bottom − top, right − left); None: not told apart from their background
    strokes: Flags | None = field(default=None, repr=False)

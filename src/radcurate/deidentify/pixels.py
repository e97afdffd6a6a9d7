"""Pixel data: exactly as many bytes as the header declares, never re-encoded (PS3.3 C.7.6.3, PS3.5 section 8, annex A).

What lies behind the last pixel is no pixel and goes; fewer bytes than declared are a contradiction and never filled up; bits
of a sample that are no part of its value must be empty, or the file is refused: they can hold an overlay, or a text.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from re import Pattern

import numpy as np

from radcurate.deidentify.codestream import Frame, clean_frame
from radcurate.deidentify.fragments import frames_of
from radcurate.deidentify.hidden import judge_bits, judge_coded
from radcurate.deidentify.layout import Layout, layout, short
from radcurate.dicom.elements import PIXEL_DATA, DataSet, Element
from radcurate.dicom.problems import EXPORT_AGAIN, Unsafe, damaged

__all__ = ["DOUBLE", "FLOAT", "LENGTHS", "OFFSETS", "Layout", "exact_encapsulated", "exact_native", "layout", "short"]
FLOAT, DOUBLE = 0x7FE00008, 0x7FE00009
OFFSETS, LENGTHS = 0x7FE00001, 0x7FE00002
_FLOATS = {FLOAT: 32, DOUBLE: 64}

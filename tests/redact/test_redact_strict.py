"""Which series are looked at strictly."""

import numpy as np
import pytest
from pydicom.uid import CTImageStorage

from radcurate.redact.strict import said_of, strictly
from redact.redact_files import write_image

LENIENT = ("CT", "MR", "PT")
CT = {"SOPClassUID": CTImageStorage, "Modality": "CT"}


def said(folder, values=None, **more):
    values = np.zeros((1, 8, 8), np.uint16) if values is None else values
    paths = [write_image(folder / f"{n}.dcm", values, **more) for n in range(2)]
    return said_of(paths)


def test_a_slice_is_looked_at_leniently(tmp_path):
    found = said(tmp_path, **CT)
    assert not found.drawn and found.burned_in == () and not strictly(found, "CT", LENIENT)


@pytest.mark.parametrize("modality", ["US", "CR", "DX", "MG", "XA", "RF", "OT", "SC", "NM", "XC", "new"])
def test_every_modality_that_is_not_listed_is_strict(tmp_path, modality):
    assert strictly(said(tmp_path, **CT), modality, LENIENT)


@pytest.mark.parametrize(
    "change",
    [
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.4"},
        {"ConversionType": "WSD"},
        {"BurnedInAnnotation": "YES"},
        {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]},
        {"ImageType": ["DERIVED", "SECONDARY", "DOSE_INFO"]},
        {"stored": 8},
        {"values": np.zeros((1, 8, 8), np.uint8)},
        {"values": np.zeros((1, 8, 8, 3), np.uint8)},
    ],
)
def test_what_says_that_it_is_drawn_is_strict(tmp_path, change):
    assert strictly(said(tmp_path, **{**CT, **change}), "CT", LENIENT)


def test_one_file_is_enough(tmp_path):
    write_image(tmp_path / "a.dcm", np.zeros((1, 8, 8), np.uint16), **CT)
    write_image(tmp_path / "b.dcm", np.zeros((1, 8, 8), np.uint16), **CT, BurnedInAnnotation="YES")
    found = said_of(sorted(tmp_path.iterdir()))
    assert found.burned_in == (1,) and strictly(found, "CT", LENIENT)

"""The packed data dictionary is pydicom's."""

from __future__ import annotations

import gzip
from importlib.resources import files

from pydicom.datadict import DicomDictionary, RepeatersDictionary
from pydicom.uid import CTImageStorage, UID_dictionary

from radcurate.dicom import dictionary


def test_the_packed_table_is_what_pydicom_says() -> None:
    """After a new pydicom: write `dictionary.packed()` to the file anew."""
    content = files("radcurate.dicom").joinpath(dictionary.TABLE).read_bytes()
    assert gzip.decompress(content) == gzip.decompress(dictionary.packed())


def test_everything_is_found() -> None:
    for tag, entry in DicomDictionary.items():
        assert dictionary.attribute(tag) == (entry[0], entry[1], entry[4])
    for uid, entry in UID_dictionary.items():
        assert dictionary.uid_keyword(uid) == entry[4]
    assert set(dictionary.dictionary().repeating) == set(RepeatersDictionary)


def test_what_is_not_listed_is_not_found() -> None:
    assert dictionary.attribute(0x00091010) is None
    assert dictionary.uid_keyword("1.2.3") is None
    assert dictionary.uid_of("NoSuchStorage") is None
    assert dictionary.uid_of("CTImageStorage") == CTImageStorage

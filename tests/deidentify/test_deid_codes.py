"""Meanings of codes: the packed table is pydicom's dictionaries, and odd codes find nothing in it."""

from __future__ import annotations

import gzip
from importlib.resources import files

import pytest
from pydicom.sr._concepts_dict import concepts

from radcurate.deidentify import codes


def test_the_packed_table_is_what_the_dictionaries_say() -> None:
    """After a new pydicom: write `codes.concept_table()` to the file anew."""
    packed = files("radcurate.deidentify").joinpath(codes.TABLE).read_bytes()
    assert gzip.decompress(packed) == gzip.decompress(codes.concept_table())


def test_every_concept_is_found() -> None:
    for scheme, names in concepts.items():
        for name in list(names.values())[::7]:
            for code in name:
                assert codes.meaning(scheme, code) is not None, (scheme, code)


def test_old_snomed_codes_have_the_meaning_of_the_new() -> None:
    assert codes.meaning("SRT", "T-62000") == codes.meaning("SNM3", "T-62000") == codes.meaning("SCT", "10200004")


@pytest.mark.parametrize(
    ("scheme", "code"), [("SCT", ""), ("", ""), ("SCT", "10200004\tLiver"), ("X\nSCT", "10200004")]
)
def test_what_is_no_code_has_no_meaning(scheme: str, code: str) -> None:
    assert codes.meaning(scheme, code) is None

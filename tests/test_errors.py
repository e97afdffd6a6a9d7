"""Errors say wanted, found, fix; unexpected ones tell their place and nothing they quote."""

from __future__ import annotations

import pickle

from radcurate.errors import CurationError, place_of


def test_text_has_all_parts_in_order() -> None:
    error = CurationError("no", wanted="a", found="b", fix="c", where=("series", "S-1"))
    assert str(error).splitlines() == ["no", "  wanted: a", "  found:  b", "  fix:    c", "  series: S-1"]


def test_errors_survive_a_process_boundary() -> None:
    error = CurationError("no", wanted="a", found="b", fix="c", where=("file", "12ab"))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_the_place_of_an_error_holds_no_value() -> None:
    try:
        int("Meier^Hans")
    except ValueError as error:
        assert "Meier" not in place_of(error) and "ValueError" in place_of(error)

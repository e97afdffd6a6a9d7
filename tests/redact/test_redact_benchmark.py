"""The benchmark's pictures: the same every time, its parts share nobody, and what it says was drawn is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.bases import PART_OF, PARTS, SOURCES, bases
from benchmarks.redact import PICTURES, _covered
from benchmarks.texted import Case, cases
from benchmarks.texts import FONTS, ONLY_FINAL, rendered

from radcurate.redact.found import Box, Hit, Place

pytest.importorskip("matplotlib", reason="the fonts come with matplotlib, of the group `peers`, which is not installed")


def some(real_data: Path, part: str) -> list[Case]:
    return [case for number in (0, 3, 7) for case in cases(real_data, part, number + 1, number)]


def test_no_patient_is_in_both_parts_and_each_kind_is_in_both() -> None:
    for kind in {source.kind for source in SOURCES}:
        parts = {PART_OF[source.group] for source in SOURCES if source.kind == kind}
        assert parts == set(PARTS)


def test_there_are_enough_pictures(real_data: Path) -> None:
    assert sum(len(bases(real_data, part)) for part in PARTS) >= 300
    assert PICTURES["final"] >= 300
    assert len(set(FONTS) - ONLY_FINAL) >= 7


@pytest.mark.parametrize("part", PARTS)
def test_cases_are_the_same_every_time(real_data: Path, part: str) -> None:
    for one, other in zip(some(real_data, part), some(real_data, part), strict=True):
        assert one.name == other.name and one.header == other.header
        for place in one.pictures.places:
            assert np.array_equal(one.pictures.read(place).values, other.pictures.read(place).values)


@pytest.mark.parametrize("part", PARTS)
def test_text_is_where_the_truth_says_and_nowhere_else(real_data: Path, part: str) -> None:
    for clean, written in zip(some(real_data, part)[::2], some(real_data, part)[1::2], strict=True):
        assert not clean.lines and written.lines
        for place, lines in written.lines.items():
            before, after = clean.pictures.read(place), written.pictures.read(place)
            changed = np.zeros(after.values.shape[:2], bool)
            if after.beyond is not None:
                changed |= after.beyond
            elif after.photometric != "PALETTE COLOR" and written.modality not in (
                "US",
                "OT",
            ):  # those have other noise too
                changed |= (before.values != after.values).reshape(*changed.shape, -1).any(axis=2)
            else:
                continue
            for line in lines:
                assert changed[line.box.top : line.box.bottom, line.box.left : line.box.right][line.ink].mean() > 0.9
                changed[line.box.top : line.box.bottom, line.box.left : line.box.right] = False
            assert not changed.any()


@pytest.mark.parametrize("font", FONTS)
def test_sizes_are_those_of_the_fonts(font: str) -> None:
    ink = rendered("HXE", font, 22, smooth=False)
    assert 12 <= (ink > 0.3).any(axis=1).sum() <= 19  # capitals


def test_a_line_counts_only_when_it_is_covered(real_data: Path) -> None:
    line = next(iter(some(real_data, "tuning")[1].lines.values()))[0]
    whole = Hit(Place(0, 0), line.box, "text", True, 1.0)
    half = Box(line.box.top, line.box.left, line.box.bottom, (line.box.left + line.box.right) // 2)
    assert _covered(line, [whole])
    assert not _covered(line, [Hit(Place(0, 0), half, "text", True, 1.0)])
    assert not _covered(line, [])

"""Stacks: text on one plane, on all of them, and below the noise of each is found without looking at all of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from radcurate.redact.found import Box, Hit, Picture, Pictures, Place
from radcurate.redact.look import Look, look
from radcurate.redact.seeds import Seeds, seeds_of

NAME = seeds_of([{"category": "name", "keyword": "PatientName", "value": "DOE^JANE"}])
PLANES = 14


def planes(count: int = PLANES, noise: float = 15, side: int = 256) -> list[np.ndarray]:
    """A body that changes slowly from plane to plane, with noise of its own in each: about 0 … 1000."""
    random = np.random.default_rng(3)
    row, column = np.mgrid[:side, :side] / side
    made = []
    for plane in range(count):
        wide = 0.1 + 0.002 * plane
        body = (row - 0.5) ** 2 + (column - 0.5) ** 2 < wide
        organ = (row - 0.5) ** 2 + (column - 0.4 - 0.004 * plane) ** 2 < 0.02
        made.append(np.clip(body * 400.0 + organ * 250 + noise * random.standard_normal((side, side)), 0, 1000))
    return made


def ink(text: str, at: tuple[int, int], side: int = 256) -> np.ndarray:
    paper = np.zeros((side, side), np.uint8)
    cv2.putText(paper, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255,), 1, cv2.LINE_AA)
    return paper / 255.0


def volume(frames: list[np.ndarray]) -> Pictures:
    stored = [frame.astype(np.int16) for frame in frames]
    places = [Place(number, 0) for number in range(len(stored))]
    return Pictures(places, lambda place: Picture(place, stored[place.file], "MONOCHROME2", 16), volume=True)


def covered(found: Look, place: Place, drawn: np.ndarray) -> bool:
    under = np.zeros(drawn.shape, bool)
    for hit in found.hits:
        if hit.place == place and hit.sure:
            under[hit.box.top : hit.box.bottom, hit.box.left : hit.box.right] = True
    return bool(under[drawn > 0.3].mean() > 0.95)


def test_clean_planes_have_no_text_and_cost_one_full_look() -> None:
    found = look(volume(planes()), NAME, False)
    assert (found.hits, found.looked) == ((), 1)


@pytest.mark.parametrize("plane", [0, 6, PLANES - 1])
@pytest.mark.slow
def test_text_on_one_plane_only_is_found_there_and_nowhere_else(plane: int) -> None:
    frames, drawn = planes(), ink("DOE JANE 4711", (60, 100))
    frames[plane] = frames[plane] * (1 - drawn) + 1000 * drawn
    found = look(volume(frames), NAME, False)
    assert {hit.place for hit in found.hits} == {Place(plane, 0)}
    assert covered(found, Place(plane, 0), drawn) and found.hits[0].kind == "identity"
    assert found.looked <= 3


def test_text_on_all_planes_is_found_on_all_with_few_full_looks() -> None:
    frames, drawn = planes(), ink("DOE JANE 4711", (60, 100))
    found = look(volume([frame * (1 - drawn) + 1000 * drawn for frame in frames]), NAME, False)
    assert all(covered(found, Place(plane, 0), drawn) for plane in range(PLANES))
    assert found.looked <= 3


@pytest.mark.slow
def test_text_below_the_noise_of_each_plane_is_found_in_their_mean() -> None:
    drawn = ink("DOE JANE 4711", (60, 100))
    frames = [frame + 60 * drawn for frame in planes(count=24, noise=60)]
    one = look(volume(frames[:1]), Seeds(), False)
    assert not covered(one, Place(0, 0), drawn)  # a plane alone doesn't show it
    found = look(volume(frames), Seeds(), False)
    assert all(covered(found, Place(plane, 0), drawn) for plane in range(24))


@pytest.mark.slow
def test_what_changes_from_plane_to_plane_is_found_too() -> None:
    frames = planes()
    drawn = [ink(f"DOE {1000 + 37 * plane}", (20, 20 + 8 * plane)) for plane in range(PLANES)]
    found = look(volume([frame * (1 - d) + 1000 * d for frame, d in zip(frames, drawn, strict=True)]), NAME, False)
    assert all(covered(found, Place(plane, 0), drawn[plane]) for plane in range(PLANES))


@pytest.mark.slow
def test_text_on_some_planes_leaves_the_others_alone() -> None:
    frames, drawn = planes(), ink("DOE JANE 4711", (60, 100))
    for plane in range(5, 10):
        frames[plane] = frames[plane] * (1 - drawn) + 1000 * drawn
    found = look(volume(frames), NAME, False)
    assert {hit.place.file for hit in found.hits} == set(range(5, 10))
    assert all(covered(found, Place(plane, 0), drawn) for plane in range(5, 10))


@pytest.mark.slow
def test_a_plane_of_another_size_is_looked_at_by_itself() -> None:
    frames, drawn = planes(), ink("DOE JANE 4711", (60, 100), side=300)
    frames[5] = np.clip(ink("DOE JANE 4711", (60, 100), side=300) * 1000, 0, 1000)
    found = look(volume(frames), NAME, False)
    assert {hit.place for hit in found.hits} == {Place(5, 0)} and covered(found, Place(5, 0), drawn)


@pytest.mark.slow
def test_hits_keep_within_their_frame() -> None:
    frames, drawn = planes(), ink("DOE JANE", (0, 10))
    found = look(volume([frame * (1 - drawn) + 1000 * drawn for frame in frames]), NAME, False)
    assert found.hits and all(_within(hit) for hit in found.hits)


def _within(hit: Hit) -> bool:
    return Box(0, 0, 256, 256) == Box(
        min(0, hit.box.top), min(0, hit.box.left), max(256, hit.box.bottom), max(256, hit.box.right)
    )

"""Looking at single pictures: what is planted is found, what is none is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from radcurate.redact.found import Picture, Pictures, Place
from radcurate.redact.look import look, second_look
from radcurate.redact.seeds import Seeds

NOBODY = Seeds()


def tissue(rows: int = 256, columns: int = 256, seed: int = 0) -> np.ndarray:
    """Smooth round shapes with noise: 0 … 1000."""
    random = np.random.default_rng(seed)
    row, column = np.mgrid[:rows, :columns]
    body = ((row - rows / 2) / rows) ** 2 + ((column - columns / 2) / columns) ** 2 < 0.16
    texture = cv2.GaussianBlur(random.standard_normal((rows, columns)), (0, 0), 12)
    return np.clip(body * (500 + 1500 * texture) + 15 * random.standard_normal((rows, columns)), 0, 1000)


def draw(picture: np.ndarray, text: str, at: tuple[int, int], value: float, size: float = 0.6) -> np.ndarray:
    shape = np.zeros(picture.shape[:2], np.uint8)
    cv2.putText(shape, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, (255,), 1, cv2.LINE_AA)
    share = shape / 255.0
    return picture * (1 - share) + value * share


def series(*frames: np.ndarray, photometric: str = "MONOCHROME2", bits: int = 16) -> Pictures:
    made = {Place(0, n): Picture(Place(0, n), frame, photometric, bits) for n, frame in enumerate(frames)}
    return Pictures(tuple(made), made.__getitem__)


@pytest.mark.parametrize("value", [1000, 0], ids=["bright", "dark"])
def test_a_name_is_found_where_it_was_drawn(value: int) -> None:
    frame = draw(np.clip(tissue() + 300, 0, 1000), "DOE JANE 1970", (40, 130), value).astype(np.int16)
    (hit,) = look(series(frame), NOBODY, False).hits
    assert hit.sure and hit.text.replace(" ", "").upper() == "DOEJANE1970"
    assert hit.box.top <= 120 and hit.box.bottom >= 132 and hit.box.left <= 41 and hit.box.right >= 180


@pytest.mark.parametrize("seed", range(3))
def test_tissue_has_no_text(seed: int) -> None:
    found = look(series(tissue(seed=seed).astype(np.uint16)), NOBODY, False)
    assert (found.hits, found.looked, found.refused, found.covered) == ((), 1, None, 0.0)


def test_what_an_overlay_draws_in_spare_bits_is_found_though_no_value_shows_it() -> None:
    drawn = draw(np.zeros((256, 256)), "MILLER 4711", (40, 60), 1.0) > 0.5
    picture = Picture(Place(0, 0), tissue().astype(np.uint16), "MONOCHROME2", 12, beyond=drawn)
    hits = look(Pictures((picture.place,), lambda _: picture), NOBODY, False).hits
    assert [hit.kind for hit in hits] == ["overlay"] and hits[0].sure


def test_text_that_was_not_filled_is_residual() -> None:
    frame = draw(tissue(), "DOE JANE", (40, 130), 1000).astype(np.int16)
    pictures = series(frame)
    hits = look(pictures, NOBODY, False).hits
    assert second_look(pictures, NOBODY, False, hits).hits
    clean = series(tissue().astype(np.int16))
    assert second_look(clean, NOBODY, False, hits).hits == ()


def test_text_is_not_shown_where_a_hit_is_printed() -> None:
    (hit,) = look(series(draw(tissue(), "DOE JANE", (40, 130), 1000).astype(np.int16)), NOBODY, False).hits
    assert "DOE" not in repr(hit)


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (7, 7)])
def test_a_picture_too_small_for_letters_has_none(shape: tuple[int, int]) -> None:
    assert look(series(np.zeros(shape, np.uint8), bits=8), NOBODY, True).hits == ()

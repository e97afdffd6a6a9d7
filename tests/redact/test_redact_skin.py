"""Marks in the skin: gone by a second reading, and nothing else changed."""

from __future__ import annotations

import numpy as np
import pytest

from radcurate.redact.skin import LEAST_CORRELATION, body_of, correlation, likeness, smoothed
from radcurate.volumes.problems import VolumeError
from redact.skin_phantoms import SPACING, trunk

NONE = np.zeros((50, 150, 180), dtype=bool)


@pytest.mark.parametrize("angle", [0.0, 45.0, 200.0])
@pytest.mark.parametrize(("ink", "relief"), [(250.0, 0.0), (0.0, 2.0), (80.0, 1.0)])
def test_a_mark_is_gone_and_the_rest_is_there(angle: float, ink: float, relief: float) -> None:
    values, mark = trunk(angle, ink, relief)
    plain, _ = trunk(angle, seed=1)
    before = values.copy()
    found = smoothed(values, SPACING, mark, NONE, "CT")
    assert np.array_equal(values, before)
    assert np.array_equal(found.values[~found.changed], values[~found.changed])
    assert found.gone, found.correlation
    # not only unlike the mark, but like a trunk without one
    error = np.abs(found.values - plain)[found.changed]
    assert np.median(error) < 40
    assert found.changed.mean() < 0.1


@pytest.mark.parametrize(
    ("modality", "angle", "ink", "relief"), [("CT", 30.0, 200.0, 0.0), ("CT", 120.0, 0.0, 2.0), ("MR", 0.0, 300.0, 0.0)]
)
def test_what_was_not_smoothed_is_told(modality: str, angle: float, ink: float, relief: float) -> None:
    """The control: a volume in which the mark is still there does not pass; nor does one blurred or only half done."""
    values, mark = trunk(angle, ink, relief, modality=modality)
    assert likeness(values, values, SPACING, mark, modality) > 0.999
    half = mark.copy()
    half[:25] = False
    part = smoothed(values, SPACING, half, NONE, modality)
    assert likeness(values, part.values, SPACING, mark, modality) > LEAST_CORRELATION
    found = smoothed(values, SPACING, mark, NONE, modality)
    assert found.gone
    assert found.correlation == likeness(values, found.values, SPACING, mark, modality)


def test_the_fill_knows_nothing_of_the_mark() -> None:
    """Two marks in the same place leave the same skin, where only the ink differs."""
    one, mark = trunk(0.0, ink=250.0)
    other, _ = trunk(0.0, ink=60.0)
    first, second = (smoothed(values, SPACING, mark, NONE, "CT").values for values in (one, other))
    body = body_of(first, "CT")[0]
    inner = mark & body & (np.indices(mark.shape)[1] < 75 - 55 + 12)
    assert np.abs(first - second)[inner].max() < 1


def test_a_region_of_interest_is_not_touched() -> None:
    values, mark = trunk(0.0, ink=250.0)
    deep = NONE.copy()
    deep[20:30, 32:60, 80:100] = True  # 12 mm below the skin
    found = smoothed(values, SPACING, mark, deep, "CT")
    assert np.array_equal(found.values[deep], values[deep])
    near = NONE.copy()
    near[20:30, 22:60, 80:100] = True
    with pytest.raises(VolumeError) as told:
        smoothed(values, SPACING, mark, near, "CT")
    assert told.value.reason == "skin_over_roi"


def test_a_mark_beside_the_skin_is_refused() -> None:
    values, _ = trunk()
    inside = NONE.copy()
    inside[20:30, 70:80, 80:100] = True
    with pytest.raises(VolumeError) as told:
        smoothed(values, SPACING, inside, NONE, "CT")
    assert told.value.reason == "no_skin"
    with pytest.raises(VolumeError) as told:
        smoothed(np.full((5, 6, 7), -1000, np.float32), SPACING, np.ones((5, 6, 7), dtype=bool), NONE[:5, :6, :7], "CT")
    assert told.value.reason == "no_body"


def test_correlation_is_normalised() -> None:
    pattern = np.random.default_rng(0).normal(size=200)
    assert correlation(pattern, 3 * pattern + 7) == pytest.approx(1)
    assert correlation(pattern, -pattern) == pytest.approx(1)
    assert correlation(pattern, np.ones(200)) == 0
    assert correlation(pattern, np.random.default_rng(1).normal(size=200)) < 0.2


def test_a_raised_mark_counts_by_its_height() -> None:
    """Where only the ink was taken out the letters still stand up."""
    values, mark = trunk(0.0, relief=2.0)
    body, _ = body_of(values, "CT")
    flat = np.where(mark & body, np.maximum(values, 20), values).astype(np.float32)
    assert likeness(values, flat, SPACING, mark, "CT") > 0.5

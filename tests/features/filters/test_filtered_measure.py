"""Regions on filtered images: from the image to the values."""

from __future__ import annotations

import numpy as np
import pytest
from filter_tools import EVERY, response, texture

from radcurate.features import measure as measuring
from radcurate.features.catalogue import columns_for
from radcurate.features.engine import Engine, Outcome, find
from radcurate.features.measure import measure
from radcurate.features.profile import Profile

LOG = {"kind": "log", "sigma": 1}


def averages(prepared, columns):
    """An engine that knows nothing but a region's mean."""
    inside = prepared.values[prepared.intensity]
    value = float(inside.mean()) if inside.size else np.nan
    reasons = {} if inside.size else {column.name: "empty" for column in columns}
    return Outcome({column.name: value for column in columns}, reasons)


ENGINE = Engine("averages", averages, "radcurate")


def measured(values, mask, filters, spacing=(1.0, 1.0, 1.0), **choices):
    profile = Profile.model_validate({"bin_number": 32, "filters": filters, **choices})
    columns = [column for column in columns_for(profile) if column.tag == "stat_mean"]
    return measure(values, mask, spacing, profile, None, ENGINE, columns).outcome


def block(shape=(20, 24, 26), size=5):
    mask = np.zeros(shape, dtype=bool)
    mask[8 : 8 + size, 9 : 9 + size, 10 : 10 + size] = True
    return mask


@pytest.mark.parametrize("choice", EVERY, ids=str)
def test_a_region_has_the_values_of_the_whole_response(choice):
    values, mask = texture((20, 24, 26)), block()
    found = measured(values, mask, [choice]).values
    assert found.pop("stat_mean") == pytest.approx(values[mask].mean())
    if choice["kind"] != "wavelet":
        ((_, value),) = found.items()
        assert value == pytest.approx(response(choice, values)[mask].mean(), abs=1e-9)


def test_many_filters_at_once_give_what_each_gives_alone():
    values, mask = texture((20, 24, 26)), block()
    together = measured(values, mask, EVERY)
    apart: dict[str, float] = {}
    for choice in EVERY:
        apart |= measured(values, mask, [choice]).values
    assert together.values == apart and not together.reasons


def test_resegmentation_looks_at_the_image_itself():
    values, mask = texture((20, 24, 26)), block()
    found = measured(values, mask, [LOG], range=[0, None]).values
    kept = mask & (values >= 0)
    assert found["log_1__stat_mean"] == pytest.approx(response(LOG, values)[kept].mean())
    assert found["log_1__stat_mean"] != pytest.approx(response(LOG, values)[mask].mean())


@pytest.mark.parametrize("corner", [(0, 0, 0), (19, 23, 25)])
def test_one_voxel_in_a_corner(corner):
    values, mask = texture((20, 24, 26)), np.zeros((20, 24, 26), dtype=bool)
    mask[corner] = True
    found = measured(values, mask, [LOG, {"kind": "mean", "size": 3}])
    assert found.values["log_1__stat_mean"] == pytest.approx(response(LOG, values)[corner])
    assert found.values["mean_3__stat_mean"] == pytest.approx(response({"kind": "mean", "size": 3}, values)[corner])


def test_a_voxel_beyond_the_margin_changes_no_bit_and_one_inside_does():
    values, mask = texture((20, 24, 26)), block()
    before = measured(values, mask, [LOG]).values
    for place, changed in (
        ((10, 11, 19), False),
        ((10, 11, 18), True),
    ):  # the region ends at 14, the filter reads 4 more
        planted = values.copy()
        planted[place] += 1000
        after = measured(planted, mask, [LOG]).values
        assert after["stat_mean"] == before["stat_mean"]
        assert (after["log_1__stat_mean"] != before["log_1__stat_mean"]) == changed


def test_the_grid_is_that_of_the_features():
    values, mask = texture((20, 24, 26)), block()
    found = measured(values, mask, [LOG], spacing=(2.0, 1.0, 1.0), voxel_size=1).values
    assert np.isfinite(found["log_1__stat_mean"]) and found["log_1__stat_mean"] != found["stat_mean"]


def test_without_memory_there_is_a_reason(monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(measuring, "respond", full)
    found = measured(texture((20, 24, 26)), block(), [LOG])
    assert found.reasons == {"log_1__stat_mean": "out_of_memory"}
    assert np.isnan(found.values["log_1__stat_mean"]) and np.isfinite(found.values["stat_mean"])


def test_an_empty_region_after_resegmentation_is_empty_on_every_image():
    found = measured(texture((20, 24, 26)), block(), [LOG], range=[90_000, None])
    assert set(found.reasons) == {"stat_mean", "log_1__stat_mean"}


def test_another_engine_agrees_on_filtered_images():
    values, mask = np.round(texture((20, 24, 26))), block(size=7)
    profile = Profile.model_validate(
        {"bin_number": 16, "filters": [LOG, {"kind": "wavelet", "family": "haar", "subbands": ["LLH"]}]}
    )
    columns = columns_for(profile)
    own, other = (
        measure(values, mask, (1.0, 1.0, 1.0), profile, None, find(name), columns).outcome
        for name in ("radcurate", "pyradiomics")
    )
    shared = [
        column.name
        for column in columns
        if column.image and other.reasons.get(column.name) != "not_in_engine" and column.name not in own.reasons
    ]
    assert len(shared) > 250
    for name in shared:
        assert other.values[name] == pytest.approx(own.values[name], rel=1e-6, abs=1e-9), name

"""Two engines on the same regions, and what is told about their agreement."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest
from feature_tools import ball, native, noise, prepared

from radcurate.features import engine
from radcurate.features.catalogue import catalogue
from radcurate.features.crosscheck import agreement, differences, is_chosen, tolerance
from radcurate.features.engine import Outcome
from radcurate.features.reasons import NOT_IN_ENGINE

COLUMNS = [column for column in catalogue() if column.name in ("stat_mean", "stat_var", "stat_skew", "morph_volume")]
NAN, INF = math.nan, math.inf
TOLD = {"modality": "CT", "engine": "radcurate", "second_engine": "pyradiomics"}


def told(rows):
    """Of two tables, as two chunks have them."""
    return agreement(pa.Table.from_pylist(part) for part in (rows[::2], rows[1::2]) if part)


def outcome(**values):
    return Outcome(values, {name: "one_voxel" for name, value in values.items() if math.isnan(value)})


def test_one_line_per_feature_that_both_have():
    first = outcome(stat_mean=1.0, stat_var=2.0, stat_skew=NAN, morph_volume=8.0)
    second = Outcome(
        {"stat_mean": 1.0, "stat_var": NAN, "stat_skew": NAN, "morph_volume": NAN},
        {"stat_var": "broken", "stat_skew": "one_voxel", "morph_volume": NOT_IN_ENGINE},
    )
    found = {row["feature"]: row["difference"] for row in differences(COLUMNS, first, second)}
    assert found == {"stat_mean": 0.0, "stat_var": INF}


def test_a_planted_disagreement_is_told():
    """Ten regions agree, then one is off by a thousandth, and one has no value."""
    rows = [{**TOLD, "feature": "stat_mean", "difference": 1e-9} for _ in range(10)]
    (well,) = told(rows)
    assert (well["regions"], well["within"], well["one_sided"]) == (10, 1.0, 0)
    (found,) = told([*rows, {**rows[0], "difference": 1e-3}, {**rows[0], "difference": INF}])
    assert (found["regions"], found["one_sided"], found["largest_difference"]) == (12, 1, 1e-3)
    assert found["within"] == pytest.approx(10 / 12) and found["tolerance"] == 1e-6


def test_shape_may_differ_by_a_mesh():
    assert tolerance("morph_volume") == 2e-3 and tolerance("stat_mean") == 1e-6
    row = {**TOLD, "feature": "morph_volume", "difference": 1.9e-3}
    assert told([row])[0]["within"] == 1.0 and told([{**row, "difference": 2.1e-3}])[0]["within"] == 0.0


def test_no_value_of_either_is_no_distold():
    (found,) = told([{**TOLD, "feature": "stat_mean", "difference": INF}])
    assert found["largest_difference"] is None and found["within"] == 0.0


def test_the_sample_is_the_share_that_was_asked_for_and_grows_with_it():
    names = [(f"{number:064x}", "0" * 64) for number in range(4000)]
    tenth = {name for name in names if is_chosen(*name, 0.1)}
    assert 320 < len(tenth) < 480
    assert tenth < {name for name in names if is_chosen(*name, 0.3)}
    assert all(is_chosen(*name, 1.0) for name in names) and not any(is_chosen(*name, 0.0) for name in names)


def test_both_engines_agree_on_statistics():
    region = prepared(noise((9, 9, 9)), ball(), native())
    columns = [column for column in COLUMNS if column.name in ("stat_mean", "stat_var")]
    first, second = (engine.find(name).compute(region, columns) for name in ("radcurate", "pyradiomics"))
    assert all(row["difference"] < 1e-12 for row in differences(columns, first, second))

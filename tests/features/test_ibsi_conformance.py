"""Both engines against the reference values of IBSI-1: digital phantom and configurations A to E of the CT phantom.

A value is right when it differs, rounded to three significant digits, by no more than the reference's tolerance.
Run with -s to see the table.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter

import numpy as np
import pytest
from ibsi_phantoms import digital_from_nifti
from ibsi_table import COMPUTE, Measured, measure_all, reference_values, table, values_of

from radcurate.features import conformance, core
from radcurate.features.catalogue import catalogue, columns_for
from radcurate.features.conformance import COMPLIANT, CONFIGURATIONS, DEVIATING, NOT_COMPARED, is_right, results
from radcurate.features.families import FAMILIES
from radcurate.features.families.family import NOT_IBSI
from radcurate.features.profile import Profile

# Typed wrongly in the reference table; the codes of the IBSI reference manual, 3.4.7 and 3.4.8.
MENDED = {"ih_p10": "GPMT", "ih_p90": "OZ0C"}
REFERENCE = {
    "digital_phantom": 482,
    "config_a": 346,
    "config_b": 346,
    "config_c": 210,
    "config_d": 210,
    "config_e": 210,
}
BY_PYRADIOMICS = {
    "digital_phantom": 395,
    "config_a": 278,
    "config_b": 278,
    "config_c": 161,
    "config_d": 161,
    "config_e": 161,
}


@pytest.fixture(scope="session")
def reference(real_data) -> list[dict[str, str]]:
    rows = reference_values(real_data)
    if rows is None:
        pytest.skip("ibsi/ibsi1_reference.csv is not beside the folder with real data")
    return rows


@pytest.fixture(scope="session")
def measured(real_data, reference) -> Measured:
    return measure_all(real_data)


def right(reference, values: dict[str, dict[str, float]]) -> tuple[Counter[str], Counter[str], list[str]]:
    """Values that were compared and that are right, by configuration, and the columns that are wrong somewhere."""
    compared, good, wrong = Counter(), Counter(), []
    for row in reference:
        name, tag = row["dataset"], row["tag"]
        if tag in values.get(name, {}):
            compared[name] += 1
            met = is_right(values[name][tag], float(row["value"]), float(row["tolerance"]))
            good[name] += met
            wrong += [] if met else [f"{name}: {tag}"]
    return compared, good, wrong


def test_the_rule_itself():
    assert is_right(9.3649, 9.31, 0.06) and is_right(9.25, 9.31, 0.06)
    assert not is_right(9.38, 9.31, 0.06) and not is_right(9.2449, 9.31, 0.06) and not is_right(math.nan, 9.31, 0.06)
    assert is_right(0.05674, 0.0567, 0.0)


@pytest.mark.parametrize("source", ["nifti", "dicom"])
def test_radcurate_meets_every_reference_value(reference, measured, source):
    """1,804 of 1,804 from NIfTI, and all 1,322 of the CT phantom from DICOM with an RTSTRUCT."""
    compared, good, wrong = right(reference, measured[f"radcurate_{source}"])
    show(f"radcurate, {source}", compared, good)
    assert not wrong
    assert compared == good == {name: n for name, n in REFERENCE.items() if name in compared}
    assert set(compared) == set(CONFIGURATIONS) - ({"digital_phantom"} if source == "dicom" else set())


@pytest.mark.parametrize("source", ["nifti", "dicom"])
def test_pyradiomics_meets_every_reference_value_that_it_computes(reference, measured, source):
    """1,434 of 1,434, of 1,804 reference values."""
    compared, good, wrong = right(reference, measured[f"pyradiomics_{source}"])
    show(f"pyradiomics, {source}", compared, good)
    assert not wrong
    assert compared == good == {name: n for name, n in BY_PYRADIOMICS.items() if name in compared}


def show(title, compared, good):
    print(f"\n{title:30} {'reference':>9} {'computed':>9} {'right':>6}")
    for name in compared:
        print(f"{name:30} {REFERENCE[name]:9} {compared[name]:9} {good[name]:6}")
    print(f"{'in total':30} {sum(REFERENCE[n] for n in compared):9} {compared.total():9} {good.total():6}")


PLANTED = {
    "stat_var": lambda sample: sample.variance * sample.n / (sample.n - 1),  # with the correction that IBSI leaves out
    "stat_kurt": lambda sample: float((sample.deviations**4).mean()) / sample.variance**2,  # with pyradiomics' 3
    "ivh_i10": lambda histogram: histogram.i10 + histogram.step,
    "loc_peak_loc": lambda near: float(near.means.max()),
}


@pytest.mark.parametrize("tag", PLANTED)
def test_a_wrong_function_is_found(reference, real_data, monkeypatch, tag):
    family = FAMILIES[tag.partition("_")[0]]
    planted = [
        dataclasses.replace(feature, function=PLANTED[tag]) if feature.tag == tag else feature
        for feature in family.features
    ]
    columns = [column for column in columns_for(Profile(bin_number=8)) if column.group == family.group]
    phantom = digital_from_nifti(real_data)
    before = values_of(core.compute, phantom, "digital_phantom", columns)
    assert not right(reference, {"digital_phantom": before})[2]
    monkeypatch.setattr(family, "features", planted)
    found = values_of(core.compute, phantom, "digital_phantom", columns)
    assert right(reference, {"digital_phantom": found})[2] == [f"digital_phantom: {tag}"]


def test_the_committed_table_is_what_is_measured(reference, measured):
    """To seven digits, so that another machine's rounding isn't a difference; `ibsi_table.py` writes it again."""
    expected = [line.split(",") for line in table(reference, measured).splitlines()]
    committed = conformance.files("radcurate.features").joinpath(conformance.TABLE).read_text(encoding="utf-8")
    lines = [line.split(",") for line in committed.splitlines()]
    assert [line[:4] for line in lines] == [line[:4] for line in expected]
    assert [[bool(part) for part in line] for line in lines] == [[bool(part) for part in line] for line in expected]
    ours = np.array([[float(part or 0) for part in line[4:]] for line in lines[1:]])
    theirs = np.array([[float(part or 0) for part in line[4:]] for line in expected[1:]])
    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-9)


def test_the_table_has_every_reference_value_once(reference):
    told = Counter((row["dataset"], row["tag"], float(row["value"]), float(row["tolerance"])) for row in reference)
    assert Counter((r.dataset, r.name, r.reference, r.tolerance) for r in results()) == told
    assert Counter(result.dataset for result in results()) == REFERENCE


@pytest.mark.parametrize("engine", COMPUTE)
def test_only_what_is_right_everywhere_is_called_compliant(engine):
    compared = {}
    for result in results():
        for source in ("nifti", "dicom"):
            if f"{engine}_{source}" in result.measured:
                compared.setdefault(result.name, []).append(result.is_right(f"{engine}_{source}"))
    for column in catalogue(engine):
        if column.code == NOT_IBSI:
            assert column.conformance == NOT_IBSI and column.name not in compared
        elif column.name in compared:
            assert (column.conformance == COMPLIANT) == all(compared[column.name]), column.name
        else:
            assert engine != "radcurate", f"{column.name} was never compared"
            assert column.conformance == NOT_COMPARED


def test_one_wrong_value_takes_the_word_away(monkeypatch):
    """Planted: a value beyond its tolerance in one configuration of five, and one that is missing."""
    changed = []
    for result in results():
        if (result.name, result.dataset) == ("stat_mean", "config_c"):
            result = dataclasses.replace(result, measured={**result.measured, "radcurate_dicom": result.reference * 2})
        if (result.name, result.dataset) == ("ih_mode", "config_d"):
            result = dataclasses.replace(result, measured={**result.measured, "radcurate_nifti": math.nan})
        changed.append(result)
    monkeypatch.setattr(conformance, "results", lambda: tuple(changed))
    conformance._verdicts.cache_clear()
    try:
        assert conformance.verdict("radcurate", "stat_mean") == conformance.verdict("radcurate", "ih_mode") == DEVIATING
        assert conformance.verdict("pyradiomics", "stat_mean") == COMPLIANT
        assert conformance.verdict("radcurate", "stat_var") == COMPLIANT
        assert conformance.verdict("radcurate", "own_feature") == NOT_COMPARED
    finally:
        conformance._verdicts.cache_clear()


def test_catalogue_names_what_the_reference_names(reference):
    known = {row["tag"]: row for row in reference}
    assert {column.name for column in catalogue() if column.code != NOT_IBSI} == set(known)
    for column in catalogue():
        if column.code != NOT_IBSI:
            row = known[column.name]
            assert column.code == MENDED.get(column.name, row["code"])
            assert (column.family, column.feature, column.aggregation) == (
                row["family"],
                row["feature"],
                row["aggregation"],
            )

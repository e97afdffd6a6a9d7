"""Kinds of regions are harmonised apart; parameters and sums survive the way through a file."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pyarrow as pa
import pytest

from radcurate.errors import CurationError
from radcurate.harmonise.combat import fit
from radcurate.harmonise.effect import effects, group_document, public
from radcurate.harmonise.groups import (
    CONFOUNDED,
    FEW,
    ONE_SITE,
    SHAPELESS,
    Regions,
    apply_groups,
    fit_groups,
    statistics,
    stretches,
)
from radcurate.harmonise.parameters import ABOUT, Parameters, as_table, from_table, sums_of, sums_table

FEATURES = ("f0", "f1", "f2", "f3", "f4")
BY = ("modality", "roi_label")


def regions(rows: int = 120, seed: int = 4) -> Regions:
    """CT and MR regions of three sites; age and sex act on all features, site moves and stretches them."""
    chance = np.random.default_rng(seed)
    place = chance.integers(0, 3, rows)
    age, sex = chance.integers(30, 80, rows), chance.integers(0, 2, rows)
    values = chance.normal(size=(rows, 5)) * np.array([1, 3, 0.4])[place][:, None] + chance.normal(0, 4, (3, 5))[place]
    values += np.outer(age - 55, np.linspace(0.02, 0.1, 5)) + np.outer(sex, np.linspace(1, -1, 5))
    return Regions(
        subject=[f"P-{number // 2}" for number in range(rows)],
        site=[f"H-{site}" for site in place],
        kind=[("CT" if number % 3 else "MR", "GTV") for number in range(rows)],
        covariates={"sex": ["FM"[one] for one in sex], "age": [float(one) for one in age]},
        features=FEATURES,
        values=values,
    )


def test_kinds_do_not_touch_each_other() -> None:
    both = regions()
    alone = both.of(("CT", "GTV"))
    rows = [number for number, kind in enumerate(both.kind) if kind == ("CT", "GTV")]
    np.testing.assert_array_equal(
        apply_groups(both, fit_groups(both, True))[rows], apply_groups(alone, fit_groups(alone, True))
    )


def test_a_kind_of_one_site_is_left_as_it_is_and_says_why() -> None:
    found = regions()
    found = dataclasses.replace(
        found, site=["H-0" if kind[0] == "MR" else site for kind, site in zip(found.kind, found.site, strict=True)]
    )
    groups = fit_groups(found, True)
    assert [(group.kind[0], group.reason) for group in groups] == [("CT", ""), ("MR", ONE_SITE)]
    out, rows = apply_groups(found, groups), [number for number, kind in enumerate(found.kind) if kind[0] == "MR"]
    np.testing.assert_array_equal(out[rows], found.values[rows])


def test_a_kind_with_too_few_regions_says_so() -> None:
    found = regions()
    few = found.only(np.array([0, 3]))
    few = dataclasses.replace(few, site=["H-0", "H-1"], covariates={})
    (group,) = fit_groups(few, True)
    assert group.model is None and group.reason == FEW
    (group,) = fit_groups(dataclasses.replace(found, covariates={}).of(("CT", "GTV")), True, 0.0)
    assert group.model is None and group.reason == SHAPELESS


def test_a_covariate_that_follows_the_site_is_not_harmonised_away() -> None:
    found = regions()
    found = dataclasses.replace(
        found,
        covariates={"sex": ["M" if site == "H-0" else "F" for site in found.site], "age": found.covariates["age"]},
    )
    groups = fit_groups(found, True)
    assert {group.reason for group in groups} == {CONFOUNDED}
    np.testing.assert_array_equal(apply_groups(found, groups), found.values)


def test_a_region_without_a_site_is_an_error() -> None:
    found = regions()
    with pytest.raises(CurationError, match="not every region has a site"):
        fit_groups(dataclasses.replace(found, site=[None, *found.site[1:]]), True)


def test_the_biological_effect_stays_and_the_accent_goes() -> None:
    found = regions(rows=600)
    groups = fit_groups(found, True)
    out = apply_groups(found, groups)
    for group in groups:
        rows = np.flatnonzero([kind == group.kind for kind in found.kind])
        told = effects(found.only(rows), out[rows], group)
        assert [one.term for one in told] == ["sex=M", "age"]
        for one in told:
            assert one.features == 5 and one.correlation is not None and one.correlation > 0.9
            assert one.after > 0.75 * one.before
    sites = np.array(found.site)
    gaps = [
        np.ptp([table[sites == site].mean(axis=0) for site in sorted(set(sites))], axis=0)
        for table in (found.values, out)
    ]
    assert gaps[1].max() < gaps[0].max() / 5


def test_without_covariates_a_planted_effect_of_the_case_mix_is_lost_and_with_them_it_is_kept() -> None:
    """Site H-1 treats older patients: only with age kept is the difference between sites that age explains kept."""
    chance = np.random.default_rng(8)
    site = np.repeat([0, 1], 300)
    age = chance.normal(45, 6, 600) + 20 * site
    values = 0.2 * age[:, None] + chance.normal(0, 0.5, (600, 4)) + 3.0 * site[:, None] * np.array([1, -1, 2, 0.5])
    found = Regions(
        [f"P{n}" for n in range(600)], [f"H-{one}" for one in site], [("CT", "GTV")] * 600,
        {"age": age.tolist()}, ("a", "b", "c", "d"), values,
    )  # fmt: skip
    bare = dataclasses.replace(found, covariates={})
    kept, lost = (apply_groups(one, fit_groups(one, True)) for one in (found, bare))
    gap = 0.2 * (age[site == 1].mean() - age[site == 0].mean())
    assert np.allclose(kept[site == 1].mean(axis=0) - kept[site == 0].mean(axis=0), gap, atol=0.3)
    assert np.abs(lost[site == 1].mean(axis=0) - lost[site == 0].mean(axis=0)).max() < 0.3


def parameters(found: Regions) -> Parameters:
    return Parameters("site", BY, True, FEATURES, tuple(fit_groups(found, True)))


def test_parameters_survive_a_file_and_are_applied_bit_by_bit() -> None:
    found = regions()
    used = parameters(found)
    again = from_table(as_table(used))
    np.testing.assert_array_equal(apply_groups(found, again.groups), apply_groups(found, used.groups))
    np.testing.assert_array_equal(stretches(found, again.groups), stretches(found, used.groups))
    assert (again.batch, again.by, again.features) == (used.batch, used.by, used.features)


def test_an_unseen_site_is_refused() -> None:
    found = regions()
    used = parameters(found)
    with pytest.raises(CurationError, match="a site that the parameters don't know"):
        apply_groups(dataclasses.replace(found, site=["H-9", *found.site[1:]]), used.groups)


@pytest.mark.parametrize("damage", ["no metadata", "another format", "a row lost", "another table"])
def test_another_table_is_no_table_of_parameters(damage: str) -> None:
    content = as_table(parameters(regions()))
    if damage == "no metadata":
        content = content.replace_schema_metadata(None)
    elif damage == "another format":
        about = json.loads(content.schema.metadata[ABOUT]) | {"format": 99}
        content = content.replace_schema_metadata({ABOUT: json.dumps(about)})
    elif damage == "a row lost":
        content = content.slice(1)
    else:
        content = pa.table({"site": ["H-0"]})
    with pytest.raises(CurationError, match="no table of parameters"):
        from_table(content)


def test_sums_of_two_hospitals_give_the_pooled_fit() -> None:
    """Each hospital writes its table of sums; nothing else is needed for the fit over both."""
    found = regions()
    kind = ("CT", "GTV")
    here = found.of(kind)
    design = next(group.design for group in fit_groups(found, True) if group.kind == kind)
    written = []
    for site in sorted({str(one) for one in here.site}):
        own = here.only(np.flatnonzero([one == site for one in here.site]))
        written.append(sums_table({kind: statistics(own, design)}, FEATURES, least=2))
    sums = sums_of(pa.concat_tables(written), kind, FEATURES)
    model, pooled = fit(sums, True), fit(statistics(here, design), True)
    for name in ("mean", "beta", "shift", "stretch"):
        np.testing.assert_allclose(getattr(model, name), getattr(pooled, name), rtol=1e-10)


def test_sums_of_few_patients_are_not_written() -> None:
    found = regions(rows=20)
    sums = {("CT", "GTV"): statistics(found.of(("CT", "GTV")), ())}
    few = {site for site, part in sums["CT", "GTV"].items() if part.patients < 4}
    assert few
    assert not few & set(sums_table(sums, FEATURES, least=4)["site"].to_pylist())


def test_what_goes_out_counts_nobody() -> None:
    found = regions()
    used = parameters(found)
    out = apply_groups(found, used.groups)
    groups = [
        group_document(BY, group, found.of(group.kind), out[[kind == group.kind for kind in found.kind]])
        for group in used.groups
    ]
    document = {"method": "combat", "regions": 120, "harmonised_regions": 120, "groups": groups}
    told = json.dumps(public(document))
    assert '"regions"' not in told and "patient" not in told and "H-0" not in told
    assert groups[0]["patients"] == len({s for s, k in zip(found.subject, found.kind, strict=True) if k[0] == "CT"})

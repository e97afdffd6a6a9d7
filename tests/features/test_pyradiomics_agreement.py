"""pyradiomics computes what the engine computes: textures and statistics to 1e-6, features of the mesh to 0.2 %.

Both get the same prepared volumes. Shape comes from pyradiomics' own classes, which search all pairs of vertices of their
own mesh; the engine `pyradiomics` replaces that search by code that both engines share.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter

import numpy as np
import pytest
import SimpleITK
from feature_tools import by_pyradiomics, native, prepared
from oracle_tools import Table, ct_phantom, each, tumours, without_planes
from other_definitions import (
    DEFINITIONS,
    explained,
    flat_direction,
    lonely_voxel,
    no_pair,
    no_pair_in_a_direction,
    special,
)
from radiomics import shape

from radcurate.features import core, pyradiomics
from radcurate.features.engine import Outcome
from radcurate.features.prepare import Prepared

ON_MESH = ("volume", "area_mesh", "av", "comp_1", "comp_2", "sph_dispr", "sphericity")
AXES = ("morph_pca_maj_axis", "morph_pca_min_axis", "morph_pca_least_axis")


def limit(name: str) -> float:
    """Largest relative difference of a column."""
    return 2e-3 if name.removeprefix("morph_") in ON_MESH else 1e-6


def shape_by_pyradiomics(region: Prepared) -> dict[str, float]:
    """Shape features by IBSI tag, by pyradiomics alone.

    Its principal moments are over n, IBSI's reference values over n - 1.
    """
    image, mask = (SimpleITK.GetImageFromArray(array) for array in (region.values, region.morphology.astype(np.uint8)))
    for one in (image, mask):
        one.SetSpacing(region.spacing[::-1])
    calculator = shape.RadiomicsShape(image, mask, label=1)
    calculator.enableAllFeatures()
    found = {name: float(np.squeeze(value)) for name, value in calculator.execute().items()}
    n = int(region.morphology.sum())
    wanted = {tag: source for tag, source in pyradiomics.names().items() if tag.startswith("morph_")}
    for name in ("Compactness1", "Compactness2", "SphericalDisproportion"):
        found[name] = float(np.squeeze(getattr(calculator, f"get{name}FeatureValue")()))
    return {tag: found[source] * (np.sqrt(n / (n - 1)) if tag in AXES else 1) for tag, source in wanted.items()}


def compared(name: str, region: Prepared) -> tuple[Table, Table, Counter[str]]:
    """Differences on the region, on what is left of it without special planes, and definitions by the values they explain."""
    whole, plain, excused = Table(), Table(), Counter[str]()
    columns = by_pyradiomics(region.profile)
    theirs = pyradiomics.compute(region, columns)
    whole.add(name, columns, core.compute(region, columns), Outcome(theirs.values | shape_by_pyradiomics(region), {}))
    for place in whole.beyond(limit):
        if explained(place[0], region):
            excused[explained(place[0], region)[0]] += 1
            del whole.differences[place]
    left = without_planes(region, special)
    by_plane = [column for column in columns if column.dimension in ("2D", "2.5D")]
    plain.add(name, by_plane, core.compute(left, by_plane), pyradiomics.compute(left, by_plane))
    return whole, plain, excused


def check(whole: Table, plain: Table, excused: Counter[str]) -> None:
    """Print the tables and fail where anything is beyond its limit."""
    print(f"\nwhole regions:\n{whole.text(limit)}\nwithout special planes:\n{plain.text(limit)}")
    print("\n".join(["left out as a matter of definition:", *(f"{n:>5} {reason}" for reason, n in excused.items())]))
    assert whole.beyond(limit) == {}
    assert plain.beyond(limit) == {}


def test_the_ct_phantom(real_data):
    whole, plain, excused = compared("CT phantom", ct_phantom(real_data))
    check(whole, plain, excused)
    assert len(whole.differences) + excused.total() == len(by_pyradiomics(ct_phantom(real_data).profile)) > 390


@pytest.mark.slow
def test_the_sarcoma_cohort(real_data):
    """9 patients, CT, MR and PET, from DICOM and RTSTRUCT, prepared as shipped."""
    whole, plain, excused = Table(), Table(), Counter[str]()
    for name, region in each(tumours(real_data)):
        one, other, some = compared(name, region)
        whole.differences |= one.differences
        plain.differences |= other.differences
        excused += some
    check(whole, plain, excused)
    assert len({region for _, region in whole.differences}) == 27
    assert excused.total() < 0.05 * len(whole.differences)


def test_a_wrong_value_is_found(real_data):
    """One voxel of another level."""
    region = ct_phantom(real_data)
    columns = [column for column in by_pyradiomics(region.profile) if column.group == "ngl"]
    theirs = pyradiomics.compute(region, columns)
    levels = region.levels.copy()
    levels[tuple(np.argwhere(region.intensity)[10_000])] += 1
    table = Table()
    table.add("changed", columns, core.compute(dataclasses.replace(region, levels=levels), columns), theirs)
    assert table.beyond(limit)


SINGLE = [[0, 0, 0], [0, 2, 0], [0, 0, 0]]
ROW = [[0, 0, 0], [1, 2, 2], [0, 0, 0]]
BLOCK = [[1, 2, 3], [2, 3, 1], [3, 3, 2]]
LONELY = [[1, 2, 0, 0], [2, 1, 0, 0], [2, 1, 0, 3]]


@pytest.mark.parametrize(
    ("plane", "traits"),
    [
        (SINGLE, {"no_pair_in_a_direction", "no_pair", "lonely_voxel"}),
        (ROW, {"no_pair_in_a_direction"}),
        (BLOCK, set()),
        (LONELY, {"lonely_voxel"}),
        (np.ones((3, 3), dtype=int), {"flat_direction"}),
        ([[2, 2, 0], [3, 3, 2], [1, 1, 3]], set()),
    ],
)
def test_planes_that_definitions_are_about(plane, traits):
    rules = (no_pair_in_a_direction, no_pair, flat_direction, lonely_voxel)
    assert {rule.__name__ for rule in rules if rule(np.array(plane))} == traits


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.plane.__name__)
def test_each_definition_explains_a_difference(definition):
    """And nothing that isn't there: with a plane of its kind something differs, without that plane nothing does."""
    plane = {"no_pair_in_a_direction": ROW, "no_pair": SINGLE, "flat_direction": [[1] * 3] * 3, "lonely_voxel": SINGLE}
    levels = np.stack([np.array(BLOCK), np.array(plane[definition.plane.__name__]), np.array(BLOCK).T])
    region = prepared(levels, levels > 0, native(range=[1, None]))
    columns = [column for column in by_pyradiomics(region.profile) if re.fullmatch(definition.columns, column.name)]
    table, left = Table(), without_planes(region, special)
    table.add("with", columns, core.compute(region, columns), pyradiomics.compute(region, columns))
    assert table.beyond(limit) and all(explained(name, region) for name, _ in table.beyond(limit))
    table = Table()
    table.add("without", columns, core.compute(left, columns), pyradiomics.compute(left, columns))
    assert not table.beyond(limit) and not any(explained(column.name, left) for column in columns)

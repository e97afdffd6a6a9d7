"""pyradiomics computes what the engine computes: textures and statistics to 1e-6, features of the mesh to 0.2 %.

Both get the same prepared volumes. Shape comes from pyradiomics' own classes, which search all pairs of vertices of their
own mesh; the engine `pyradiomics` replaces that search by code that both engines share.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import SimpleITK
from feature_tools import by_pyradiomics, native, prepared
from oracle_tools import Table, ct_phantom, each, tumours, without_planes
from radiomics import shape

from radcurate.features import core, pyradiomics
from radcurate.features.engine import Outcome
from radcurate.features.prepare import Prepared

ON_MESH = ("volume", "area_mesh", "av", "comp_1", "comp_2", "sph_dispr", "sphericity")
AXES = ("morph_pca_maj_axis", "morph_pca_min_axis", "morph_pca_least_axis")
# Directions to the later neighbours in a plane, (row, column).
DIRECTIONS = ((0, 1), (1, -1), (1, 0), (1, 1))


def limit(name: str) -> float:
    """Largest relative difference of a column."""
    return 2e-3 if name.removeprefix("morph_") in ON_MESH else 1e-6


def pairs(levels: np.ndarray, step: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Levels of the first and of the second voxel of each pair of neighbours in a plane, 0 being outside."""
    down, across = step
    rows, columns = levels.shape
    left, right = max(-across, 0), columns - max(across, 0)
    first, second = levels[: rows - down, left:right], levels[down:, left + across : right + across]
    both = (first > 0) & (second > 0)
    return first[both], second[both]


def neighbours(levels: np.ndarray) -> np.ndarray:
    """Number of the 8 neighbours in the region, shape (row, column)."""
    inside = np.pad(levels > 0, 1).astype(int)
    return sum(np.roll(inside, (down, across), (0, 1)) for down in (-1, 0, 1) for across in (-1, 0, 1))[1:-1, 1:-1] - 1


def no_pair_in_a_direction(levels: np.ndarray) -> bool:
    """A direction in which no voxel of the plane has a neighbour."""
    return any(not pairs(levels, step)[0].size for step in DIRECTIONS)


def no_pair(levels: np.ndarray) -> bool:
    """No voxel of the plane has a neighbour."""
    return all(not pairs(levels, step)[0].size for step in DIRECTIONS)


def flat_direction(levels: np.ndarray) -> bool:
    """A direction in which all pairs of the plane have one and the same level."""
    found = [np.concatenate(pairs(levels, step)) for step in DIRECTIONS]
    return any(both.size and both.min() == both.max() for both in found)


def lonely_voxel(levels: np.ndarray) -> bool:
    """A voxel without a neighbour in its plane."""
    return bool((neighbours(levels)[levels > 0] == 0).any())


@dataclass(frozen=True)
class Definition:
    """A difference that is one of definition.

    Attributes:
        columns: pattern of the columns that it is about.
        plane: planes of levels that it is about, shape (row, column).
        reason: what either does.
    """

    columns: str
    plane: Callable[[np.ndarray], bool]
    reason: str


# In each the engine does what the reference manual says, and z-rad does so too where it takes the plane.
DEFINITIONS = (
    Definition(
        r"rlm_.*_2D_(avg|comb)",
        no_pair_in_a_direction,
        "every voxel is in a run in every direction, be it a run of one; pyradiomics drops directions with such runs only",
    ),
    Definition(
        r"cm_.*_2D_(avg|comb)",
        no_pair,
        "a plane without pairs has no matrix and doesn't count in the mean; pyradiomics counts it as 0",
    ),
    Definition(
        r"cm_.*_2D_avg",
        no_pair_in_a_direction,
        "the mean is over all matrices that hold a pair; pyradiomics takes the mean of each plane, then that of the planes",
    ),
    Definition(
        r"cm_(corr|info_corr1)_2D_(avg|comb)",
        flat_direction,
        "0/0 has no value and doesn't count in the mean; pyradiomics counts it as 1 (corr) or 0 (info_corr1)",
    ),
    Definition(
        r"ngt_.*_(2D|2_5D)",
        lonely_voxel,
        "a voxel without neighbours has no mean of them and isn't counted; pyradiomics counts it as without difference",
    ),
)


def special(levels: np.ndarray) -> bool:
    """A plane that one of the definitions is about."""
    return bool(levels.any()) and any(definition.plane(levels) for definition in DEFINITIONS)


def explained(name: str, region: Prepared) -> list[str]:
    """Reasons of the definitions that are about this column and about one of the planes of the region."""
    about = [definition for definition in DEFINITIONS if re.fullmatch(definition.columns, name)]
    planes = [plane for plane in region.levels if about and plane.any()]
    return [definition.reason for definition in about if any(definition.plane(plane) for plane in planes)]


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

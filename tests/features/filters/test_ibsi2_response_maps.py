"""The filters against the reference response maps of IBSI-2 on its digital phantoms.

A map is right when no voxel is further from the reference than 1 % of the reference's range. Run with -s for the table.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from radcurate.features.filters import respond
from radcurate.features.filters.choices import Filter

SPACING = (2.0, 2.0, 2.0)
PLANES = {"dimension": "2D"}
ENERGY = {"rotation_invariant": True, "pooling": "max", "energy": 7}
POOLED = {"rotation_invariant": True, "pooling": "max", "energy": None}
PLAIN = {"rotation_invariant": False, "energy": None}
E5L5S5 = {"kind": "laws", "kernels": "E5L5S5", "boundary": "zero"}
E3W5R5 = {"kind": "laws", "kernels": "E3W5R5", "boundary": "mirror"}
L5S5 = {"kind": "laws", "kernels": "L5S5", "boundary": "mirror", **PLANES}
NARROW = {"kind": "gabor", "sigma": 10, "wavelength": 4, "aspect": 0.5, "boundary": "zero"}
WIDE = {"kind": "gabor", "sigma": 20, "wavelength": 8, "aspect": 2.5, "boundary": "mirror"}
DB2 = {"kind": "wavelet", "family": "db2", "subbands": ["LHL"], "boundary": "zero"}
COIF1 = {"kind": "wavelet", "family": "coif1", "subbands": ["HHL"], "boundary": "periodic"}
HAAR = {"kind": "wavelet", "family": "haar", "level": 2, "rotation_invariant": True, "boundary": "mirror"}
LOG3 = {"kind": "log", "sigma": 3, "boundary": "zero"}

# Configurations of the reference manual of IBSI-2 (arXiv:2006.05470, chapter 5): map, phantom, filter.
TESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "1.a.1": ("checkerboard", {"kind": "mean", "size": 15, "boundary": "zero"}),
    "1.a.2": ("checkerboard", {"kind": "mean", "size": 15, "boundary": "nearest"}),
    "1.a.3": ("checkerboard", {"kind": "mean", "size": 15, "boundary": "periodic"}),
    "1.a.4": ("checkerboard", {"kind": "mean", "size": 15, "boundary": "mirror"}),
    "1.b.1": ("impulse", {"kind": "mean", "size": 15, "boundary": "zero", **PLANES}),
    "2.a": ("impulse", LOG3),
    "2.b": ("checkerboard", {"kind": "log", "sigma": 5, "boundary": "mirror"}),
    "2.c": ("checkerboard", {"kind": "log", "sigma": 5, "boundary": "mirror", **PLANES}),
    "3.a.1": ("impulse", E5L5S5 | PLAIN),
    "3.a.2": ("impulse", E5L5S5 | POOLED),
    "3.a.3": ("impulse", E5L5S5 | ENERGY),
    "3.b.1": ("checkerboard", E3W5R5 | PLAIN),
    "3.b.2": ("checkerboard", E3W5R5 | POOLED),
    "3.b.3": ("checkerboard", E3W5R5 | ENERGY),
    "3.c.1": ("checkerboard", L5S5 | PLAIN),
    "3.c.2": ("checkerboard", L5S5 | POOLED),
    "3.c.3": ("checkerboard", L5S5 | ENERGY),
    "4.a.1": ("impulse", NARROW | {"angle": 60}),
    "4.a.2": ("impulse", NARROW | {"angle_step": 45, "orthogonal_planes": True}),
    "4.b.1": ("sphere", WIDE | {"angle": 225}),
    "4.b.2": ("sphere", WIDE | {"angle_step": 22.5, "orthogonal_planes": True}),
    "5.a.1": ("impulse", DB2),
    "5.a.2": ("impulse", DB2 | {"rotation_invariant": True}),
    "6.a.1": ("sphere", COIF1),
    "6.a.2": ("sphere", COIF1 | {"rotation_invariant": True}),
    "7.a.1": ("checkerboard", HAAR | {"subbands": ["LLL"]}),
    "7.a.2": ("checkerboard", HAAR | {"subbands": ["HHH"]}),
    "8.a.1": ("checkerboard", {"kind": "simoncelli", "level": 1}),
    "8.a.2": ("checkerboard", {"kind": "simoncelli", "level": 2}),
    "8.a.3": ("checkerboard", {"kind": "simoncelli", "level": 3}),
    "9.a": ("impulse", {"kind": "riesz", "order": [1, 0, 0], "of": LOG3}),
    "9.b.1": ("sphere", {"kind": "riesz", "order": [0, 2, 0], "of": LOG3}),
    "10.b.1": ("pattern_1", {"kind": "riesz", "order": [0, 2, 0], "of": {"kind": "simoncelli", "level": 1}}),
}
WITHIN = 0.01


def volume(path: Path) -> np.ndarray:
    import nibabel

    return np.ascontiguousarray(np.asanyarray(nibabel.load(path).dataobj, dtype=np.float64).transpose(2, 1, 0))


def response(choice: dict[str, Any], values: np.ndarray, spacing=SPACING) -> np.ndarray:
    chosen = TypeAdapter(Filter).validate_python(choice)
    ((_, found),) = respond(chosen, values, spacing)
    return found


def deviation(found: np.ndarray, reference: np.ndarray) -> float:
    """The largest of all voxels, as a share of the reference's range."""
    return float(np.abs(found - reference).max() / (reference.max() - reference.min()))


@pytest.fixture(scope="session")
def maps(real_data: Path) -> Path:
    folder = real_data.parent / "ibsi" / "ibsi2_response_maps"
    if not folder.is_dir():
        pytest.skip("ibsi/ibsi2_response_maps is not beside the folder with real data")
    return folder


@pytest.fixture(scope="session")
def phantoms(real_data: Path) -> dict[str, np.ndarray]:
    folder = real_data / "ibsi" / "ibsi_2_digital_phantom" / "nifti"
    names = {phantom for phantom, _ in TESTS.values()}
    return {name: volume(folder / name / "image" / f"{name}.nii.gz") for name in names}


def test_every_reference_map_has_a_test(maps):
    names = {path.name.removesuffix("-ValidCRM.nii.gz").replace("_", ".") for path in maps.glob("*.nii.gz")}
    assert names == set(TESTS) and len(names) == 33


@pytest.mark.parametrize("name", TESTS)
def test_response_map(name, maps, phantoms):
    phantom, choice = TESTS[name]
    found = response(choice, phantoms[phantom])
    off = deviation(found, volume(maps / f"{name.replace('.', '_')}-ValidCRM.nii.gz"))
    print(f"{name:8} {off:.1e}")
    assert off <= WITHIN


@pytest.mark.parametrize(
    ("name", "planted"),
    [
        ("1.a.4", {"boundary": "zero"}),
        ("2.b", {"sigma": 5.2}),
        ("3.a.2", {"kernels": "E5L5E5"}),
        ("4.b.1", {"angle": 226}),
        ("5.a.1", {"subbands": ["LLH"]}),
        ("6.a.2", {"rotation_invariant": False}),
        ("7.a.1", {"boundary": "periodic"}),
        ("8.a.2", {"level": 1}),
        ("9.b.1", {"order": [2, 0, 0]}),
    ],
)
def test_a_wrong_choice_fails(name, planted, maps, phantoms):
    phantom, choice = TESTS[name]
    found = response(choice | planted, phantoms[phantom])
    assert deviation(found, volume(maps / f"{name.replace('.', '_')}-ValidCRM.nii.gz")) > WITHIN


def test_one_wrong_voxel_fails():
    reference = np.zeros((3, 3, 3))
    reference[0, 0, 0] = 1
    found = reference.copy()
    found[2, 1, 1] = 0.011
    assert deviation(reference, reference) == 0 and deviation(found, reference) > WITHIN

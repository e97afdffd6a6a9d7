from pathlib import Path

import pytest
import yaml

from radcurate.errors import CurationError
from radcurate.features.profile import Profile, load_profile, load_profiles

SHIPPED = Path(__file__).resolve().parents[2] / "config" / "extraction"


def test_shipped_profiles_are_valid_and_say_what_the_documentation_says():
    found = load_profiles(SHIPPED, {})
    assert set(found) == {"CT", "MR", "PT"}
    ct, mr, pt = found["CT"], found["MR"], found["PT"]
    assert (ct.unit, ct.range, ct.bin_size, ct.rounding) == ("HU", (-1000, 400), 25, 1)
    assert (mr.discretisation, mr.normalisation) == ("fixed_bin_number", "none")
    assert (pt.unit, pt.bin_size, pt.bin_anchor) == ("SUVbw", 0.25, 0)
    assert all(profile.dimension == "3D" and profile.voxel_size for profile in found.values())


def test_single_keys_can_be_changed():
    changed = load_profile(SHIPPED / "ct.yaml", {"voxel_size": 1, "range": [-500, None]})
    assert changed.voxel_size == 1 and changed.range == (-500, None) and changed.bin_size == 25
    assert changed.digest != load_profile(SHIPPED / "ct.yaml").digest


def test_unknown_key_suggests_the_nearest():
    with pytest.raises(CurationError) as caught:
        load_profile(SHIPPED / "ct.yaml", {"voxelsize": 1})
    assert "extract.ct.voxelsize" in caught.value.problem and caught.value.fix == "did you mean voxel_size?"


@pytest.mark.parametrize(
    "change",
    [
        {"voxel_size": 0},
        {"image_interpolation": "sinc"},
        {"range": [400, -1000]},
        {"bin_size": None},
        {"bin_anchor": -500},
        {"bin_anchor": 0, "range": None},
        {"discretisation": "fixed_bin_number"},
        {"normalisation": "zscore"},
        {"normalisation": "zscore", "normalisation_region": "somewhere"},
        {"normalisation": "zscore", "normalisation_region": "contour:"},
        {"textures": []},
    ],
)
def test_choices_that_contradict_each_other_are_refused(change):
    with pytest.raises(CurationError):
        load_profile(SHIPPED / "ct.yaml", change)


def test_missing_or_broken_file(tmp_path):
    with pytest.raises(CurationError):
        load_profile(tmp_path / "ct.yaml")
    (tmp_path / "ct.yaml").write_text("a: [")
    with pytest.raises(CurationError):
        load_profile(tmp_path / "ct.yaml")


def test_every_option_has_a_meaning_and_shipped_keys_exist():
    assert all(field.description for field in Profile.model_fields.values())
    for path in SHIPPED.glob("*.yaml"):
        assert set(yaml.safe_load(path.read_text())) <= set(Profile.model_fields)

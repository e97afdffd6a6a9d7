import dataclasses

import numpy as np
import pytest
from feature_tools import ball, native

from radcurate import tables
from radcurate.features import provenance
from radcurate.features.profile import Profile

SOURCE = provenance.Source(
    unit="HU",
    voxel_size=(2.0, 2.0, 2.0),
    scale=None,
    segmentation_source="rtstruct",
    segmentation_method="MANUAL",
    segmentation_notes=(),
    image_digest="a" * 64,
    mask_digest="b" * 64,
    acquisition_digest="c" * 64,
)


def record(profile=None, **changes):
    return provenance.record(
        profile or Profile(voxel_size=2, bin_number=32), dataclasses.replace(SOURCE, **changes), "pyradiomics"
    )


def test_a_record_fills_every_column_of_the_table():
    found = record()
    assert set(found) | {"provenance"} == {name for name, _ in tables.EXTRACT_PROVENANCE.columns}
    assert provenance.lacking(found) == []


@pytest.mark.parametrize("name", provenance.required())
def test_anything_that_is_missing_is_noticed(name):
    assert provenance.lacking({**record(), name: ""}) == [name]
    without = record()
    del without[name]
    assert provenance.lacking(without) == [name]


def test_statistics_are_owed_where_intensities_are_normalised():
    profile = Profile(bin_number=32, normalisation="zscore", normalisation_region="roi")
    assert provenance.lacking(record(profile, scale=(10.0, 2.0))) == []
    assert "normalisation_mean" in provenance.lacking(record(profile, scale=None))


def test_the_record_says_what_was_done():
    found = record(native(range=[-1000, None], outlier_sigma=3, rounding=1, bin_size=25))
    assert found["resegmentation_range"] == "[-1000, open]" and found["resegmentation_outliers"] == "3 sigma"
    assert found["image_interpolation"] == found["mask_interpolation"] == "none"
    assert (found["discretisation"], found["discretisation_value"]) == ("fixed_bin_size", 25)
    assert found["discretisation_anchor"] == "-1000" and found["segmentation_method"] == "manual"
    assert record(segmentation_method="")["segmentation_method"] == "not recorded"


def test_each_choice_and_each_input_changes_the_digest():
    first = provenance.digest(record())
    others = [
        record(Profile(voxel_size=1, bin_number=32)),
        record(Profile(voxel_size=2, bin_number=16)),
        record(image_digest="d" * 64),
        record(mask_digest="d" * 64),
        record(segmentation_notes=("resampled",)),
    ]
    digests = {provenance.digest(other) for other in others}
    assert len(digests) == len(others) and first not in digests
    assert provenance.digest(record()) == first


def test_digests_of_arrays_see_one_voxel_shape_and_spacing():
    mask = ball()
    other = mask.copy()
    other[0, 0, 0] ^= True
    assert provenance.digest_of_mask(mask) != provenance.digest_of_mask(other)
    assert provenance.digest_of_mask(mask.reshape(9, 81, 1)) != provenance.digest_of_mask(mask)
    values = np.arange(24.0).reshape(2, 3, 4)
    assert provenance.digest_of_image(values, "HU", (1, 1, 1)) != provenance.digest_of_image(values, "HU", (1, 1, 2))
    assert provenance.digest_of_image(values, "HU", (1, 1, 1)) != provenance.digest_of_image(
        values + 1e-9, "HU", (1, 1, 1)
    )
    turned = np.asfortranarray(values)
    assert provenance.digest_of_image(values, "HU", (1, 1, 1)) == provenance.digest_of_image(turned, "HU", (1, 1, 1))

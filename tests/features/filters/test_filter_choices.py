"""Settings of filters: names, and errors that say what to do."""

from __future__ import annotations

import pytest
import yaml
from filter_tools import EVERY, chosen
from pydantic import ValidationError

from radcurate.errors import CurationError
from radcurate.features.catalogue import columns_for
from radcurate.features.profile import Profile, load_profile

LOG = {"kind": "log", "sigma": 1.5}


def names(*filters, **choices):
    return [label for one in Profile(bin_number=32, filters=filters, **choices).filters for label in one.labels]


def test_names_tell_the_parameters():
    assert names(LOG, {"kind": "mean"}) == ["log_1_5", "mean_5"]
    assert names({"kind": "laws", "kernels": "L5E5", "dimension": "2D"}) == ["laws_L5E5_energy7_invariant_2D"]
    assert names({"kind": "wavelet", "family": "haar", "level": 2, "rotation_invariant": True}) == [
        f"wavelet_haar_level2_invariant_{band}" for band in ("LLL", "LLH", "LHH", "HHH")
    ]
    assert names({"kind": "riesz", "order": [1, 0, 0], "of": LOG}) == ["riesz_100_log_1_5"]
    assert names({**LOG, "name": "edges"}) == ["edges"]


def test_every_filter_has_a_name_of_its_own():
    found = [label for choice in EVERY for label in chosen(choice).labels]
    assert len(found) == len(set(found))
    with pytest.raises(ValidationError, match="log_1_5 is there twice"):
        names(LOG, {**LOG, "boundary": "zero"})
    assert names(LOG, {**LOG, "boundary": "zero", "name": "log_zero"}) == ["log_1_5", "log_zero"]


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"kind": "mean", "size": 4}, "odd"),
        ({"kind": "log", "sigma": 0}, "greater than 0"),
        ({"kind": "laws", "kernels": "L5E5"}, "3 of L5"),
        ({"kind": "laws", "kernels": "L5E5W3"}, "3 of L5"),
        ({"kind": "gabor", "sigma": 2, "wavelength": 2, "angle_step": 50}, "divides 180"),
        ({"kind": "gabor", "sigma": 2, "wavelength": 2, "orthogonal_planes": True, "dimension": "2D"}, "3D"),
        ({"kind": "wavelet", "family": "db999"}, "discrete wavelet"),
        ({"kind": "wavelet", "subbands": ["LH"]}, "3 letters"),
        ({"kind": "riesz", "order": [0, 0, 0], "of": LOG}, "only zeros"),
        ({"kind": "riesz", "order": [0, 0, 1], "of": LOG, "dimension": "2D"}, "no z"),
        ({"kind": "riesz", "order": [1, 0, 0], "of": LOG, "dimension": "2D"}, "same dimension"),
        ({"kind": "sobel"}, "sobel"),
        ({**LOG, "name": "a__b"}, "pattern"),
    ],
)
def test_what_makes_no_sense_is_refused(choice, told):
    with pytest.raises(ValidationError, match=told):
        chosen(choice)


def test_a_profile_of_planes_has_filters_of_planes():
    with pytest.raises(ValidationError, match="dimension 2D"):
        names(LOG, dimension="2D", textures=["2D"])
    assert names({**LOG, "dimension": "2D"}, dimension="2D", textures=["2D"]) == ["log_1_5_2D"]


def test_errors_name_the_key_and_the_nearest(tmp_path):
    path = tmp_path / "ct.yaml"
    path.write_text(yaml.safe_dump({"bin_number": 32, "filters": [{"kind": "log", "sigma": 1, "boundry": "zero"}]}))
    with pytest.raises(CurationError) as told:
        load_profile(path)
    assert "extract.ct.filters.0.log.boundry" in str(told.value) and "did you mean boundary?" in str(told.value)
    path.write_text(yaml.safe_dump({"bin_number": 32, "filter": []}))
    with pytest.raises(CurationError, match="did you mean filters"):
        load_profile(path)
    path.write_text(yaml.safe_dump({"bin_number": 32, "filters": [{"kind": "log", "sigm": 1}]}))
    with pytest.raises(CurationError, match="did you mean sigma"):
        load_profile(path)
    path.write_text(yaml.safe_dump({"bin_number": 32, "filters": [{"kind": "log"}]}))
    with pytest.raises(CurationError, match="sigma is missing"):
        load_profile(path)


def test_filters_are_part_of_the_digest():
    plain, filtered, other = (
        Profile(bin_number=32, filters=filters).digest for filters in ((), (LOG,), ({**LOG, "sigma": 2},))
    )
    assert len({plain, filtered, other}) == 3


def test_columns_of_filtered_images_are_named_after_them():
    plain, filtered = (
        columns_for(Profile(bin_number=32, filters=filters)) for filters in ((), (LOG, {"kind": "mean"}))
    )
    assert filtered[: len(plain)] == plain
    more = {column.name: column for column in filtered[len(plain) :]}
    assert "log_1_5__stat_mean" in more and "mean_5__stat_mean" in more
    assert not any(column.group == "morph" for column in more.values())
    column = more["log_1_5__stat_mean"]
    assert (column.image, column.group, column.tag) == ("log_1_5", "stat", "stat_mean")


def test_each_modality_has_its_own_filters():
    ct, mr = Profile(bin_number=32, filters=(LOG,)), Profile(bin_number=32, filters=({"kind": "mean"},))
    both = [column.name for column in columns_for(ct, mr)]
    assert len(both) == len(set(both)) and {"log_1_5__stat_mean", "mean_5__stat_mean"} <= set(both)
    assert "mean_5__stat_mean" not in {column.name for column in columns_for(ct)}

import re
from collections import defaultdict

from radcurate.features.catalogue import catalogue, columns_for, of_image
from radcurate.features.conformance import COMPLIANT, DEVIATING, NOT_COMPARED
from radcurate.features.families import FAMILIES
from radcurate.features.families.family import AGGREGATIONS, NOT_IBSI
from radcurate.features.profile import Profile

GROUPS = {
    "morph": 25,
    "loc": 2,
    "stat": 20,
    "ih": 23,
    "ivh": 6,
    "cm": 25,
    "rlm": 16,
    "szm": 16,
    "dzm": 16,
    "ngt": 5,
    "ngl": 17,
}


def profile(*textures):
    return Profile(bin_number=8, textures=textures)


def test_every_column_has_a_code_or_says_non_ibsi():
    for column in catalogue():
        assert column.code == NOT_IBSI or re.fullmatch(r"[0-9A-Z]{4}(\.[0-9A-Z]{4})?", column.code), column.name
        assert (column.conformance == NOT_IBSI) == (column.code == NOT_IBSI)
        assert column.conformance in (COMPLIANT, DEVIATING, NOT_COMPARED, NOT_IBSI)
        assert column.unit and column.feature and column.family and column.formula


def test_names_are_unique_and_systematic():
    names = [column.name for column in catalogue()]
    assert len(set(names)) == len(names)
    for column in catalogue():
        assert re.fullmatch("[a-z]+_[a-z0-9_]+", column.name.replace("2_5D", "2d").replace("D", "d"))
        assert not column.aggregation or column.name.endswith("_" + column.aggregation.replace(".", "_"))
        assert bool(column.aggregation) == bool(column.aggregation_code)


def test_one_code_is_one_feature():
    features = defaultdict(set)
    for column in catalogue():
        if column.code != NOT_IBSI:
            features[column.code].add((column.family, column.feature))
    assert all(len(names) == 1 for names in features.values())


def test_columns_of_a_dimension():
    found = columns_for(profile("3D"))
    assert len(found) == 212 and {column.dimension for column in found} == {"", "3D"}
    assert len(columns_for(profile("2D", "2.5D", "3D"))) == len(catalogue()) == 484
    assert [column.name for column in columns_for(profile("3D", "2D"))] == [
        column.name for column in columns_for(profile("2D"), profile("3D"), profile("2D"))
    ]
    counted = defaultdict(set)
    for column in catalogue():
        counted[column.group].add(column.feature)
    assert {group: len(features) for group, features in counted.items()} == GROUPS


def test_every_engine_has_the_same_columns():
    names = [column.name for column in catalogue()]
    for engine in ("pyradiomics", "somebody_elses"):
        assert [column.name for column in catalogue(engine)] == names
    assert {column.conformance for column in catalogue("somebody_elses")} == {NOT_COMPARED, NOT_IBSI}


def test_columns_of_a_filtered_image():
    plain = {column.name: column for column in catalogue()}
    for column in plain.values():
        for met in (True, False):
            found = of_image(column, "log_3mm", met)
            assert found.name == "log_3mm__" + column.name
            assert (found.tag, found.group, found.code, found.dimension, found.unit) == (
                column.tag,
                column.group,
                column.code,
                column.dimension,
                column.unit,
            )
            told = column.code == NOT_IBSI or met
            assert found.conformance == (column.conformance if told else NOT_COMPARED)


def test_filters_add_columns_of_families_that_can_be_computed_on_responses():
    choices = {"bin_number": 8, "filters": [{"kind": "log", "sigma": 3}]}
    found = columns_for(Profile.model_validate(choices))
    filtered = [column for column in found if column.image]
    assert found[: len(found) - len(filtered)] == columns_for(profile("3D"))
    assert {column.group for column in found} - {column.group for column in filtered} == {"morph", "loc"}
    assert columns_for(profile("3D"), Profile.model_validate(choices), profile("3D")) == found


def test_families_are_those_of_the_manual_in_its_order():
    assert list(FAMILIES) == list(GROUPS)
    for family in FAMILIES.values():
        assert re.fullmatch("[0-9A-Z]{4}", family.code)
        assert family.aggregations == ("",) or set(family.aggregations) <= set(AGGREGATIONS)

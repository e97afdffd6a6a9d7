import re
from collections import defaultdict

from radcurate.features.catalogue import NOT_IBSI, catalogue, columns_for

GROUPS = {"morph": 14, "stat": 17, "ih": 15, "cm": 25, "rlm": 16, "szm": 16, "ngt": 5, "ngl": 14}


def test_every_column_has_a_code_or_says_non_ibsi():
    for column in catalogue():
        assert column.code == NOT_IBSI or re.fullmatch("[0-9A-Z]{4}", column.code), column.name
        assert (column.conformance == NOT_IBSI) == (column.code == NOT_IBSI)
        assert column.conformance in ("compliant", "deviating", NOT_IBSI)
        assert column.unit and column.feature and column.family and column.source


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
    found = columns_for(["3D"])
    assert len(found) == 163 and {column.dimension for column in found} == {"", "3D"}
    assert len(columns_for(["2D", "2.5D", "3D"])) == len(catalogue()) == 397
    assert [column.name for column in columns_for(["3D", "2D"])] == [
        column.name for column in columns_for(["2D", "3D"])
    ]
    counted = defaultdict(set)
    for column in catalogue():
        counted[column.group].add(column.feature)
    assert {group: len(features) for group, features in counted.items()} == GROUPS

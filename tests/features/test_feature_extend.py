"""Features and engines of one's own: registered with one function and golden values, held to the suite."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from feature_tools import ball, native, noise, prepared

from own_features import EXAMPLE, nothing_registered
from paths import ROOT
from radcurate.cli import main
from radcurate.errors import CurationError
from radcurate.features import engine, extensions, provenance
from radcurate.features.catalogue import catalogue, columns_for
from radcurate.features.engine import Engine, Outcome
from radcurate.features.extend import add_engine, add_family, add_feature
from radcurate.features.families.family import NOT_IBSI, Family
from radcurate.features.families.statistics import STATISTICS
from radcurate.features.phantom import digital_phantom
from radcurate.features.suite import check, strange_regions


@pytest.fixture(autouse=True)
def registries():
    with nothing_registered():
        yield


def register(function, golden, tag="own", made_by="by hand"):
    add_feature(STATISTICS, tag, "Own", {f"stat_{tag}": golden}, made_by)(function)


def good(sample):
    """Largest x."""
    return float(sample.x.max())


def test_the_phantom_is_ibsis(real_data):
    import nibabel

    folder = real_data / "ibsi" / "ibsi_1_digital_phantom" / "nifti"
    image, mask = (
        np.asanyarray(nibabel.load(folder / part).dataobj) for part in ("image/phantom.nii.gz", "mask/mask.nii.gz")
    )
    mine = digital_phantom()
    assert np.array_equal(mine.morphology, mask.transpose(2, 1, 0) > 0)
    assert np.array_equal(mine.values, image.transpose(2, 1, 0))


def test_the_built_in_engine_survives_the_suite():
    """A golden value of each family's first column: what the suite asks of others holds for us."""
    from radcurate.features.suite import _laws, _of_outcome

    core = engine.find("radcurate")
    assert list(_laws(core, catalogue())) == []
    for name, region in strange_regions().items():
        assert list(_of_outcome(core, region, catalogue())) == [], name


def test_the_example_of_the_documentation_conforms(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["check-features", str(EXAMPLE)])
    assert ended.value.code == 0
    assert "2 features, 0 engines, 2 golden values: all conform" in capsys.readouterr().out


def test_the_documentation_shows_the_example_and_what_the_command_says():
    page = (ROOT / "docs" / "howto" / "own-feature.md").read_text()
    assert EXAMPLE.read_text() in page
    assert "2 features, 0 engines, 2 golden values: all conform" in page


def test_an_own_feature_is_a_column_like_any_other():
    extensions.load([EXAMPLE])
    found = {column.name: column for column in columns_for(native())}
    assert found["stat_above_mean"].code == found["own_height"].code == NOT_IBSI
    assert found["own_height"].unit == "mm" and "planes" in found["own_height"].formula
    region = prepared(noise((9, 9, 9)), ball(), native())
    values = engine.find("radcurate").compute(region, list(found.values())).values
    inside = region.values[region.intensity]
    assert values["stat_above_mean"] == np.mean(inside > inside.mean()) and values["own_height"] == 7.0
    other = engine.find("pyradiomics").compute(region, list(found.values()))
    assert other.reasons["own_height"] == "not_in_engine"


def test_what_was_run_is_in_the_record():
    assert provenance.software("radcurate")["extensions"] == "none"
    extensions.load([EXAMPLE])
    told = provenance.software("radcurate")["extensions"]
    assert re.fullmatch(r"own_feature\.py [0-9a-f]{64}", told) and extensions.names(told) == ["own_feature.py"]


@pytest.mark.parametrize(
    ("function", "golden", "wanted"),
    [
        (good, 5.0, "golden value 5.0 (by hand)"),
        (lambda sample: 9.0, 6.0, "no docstring"),
    ],
)
def test_a_wrong_golden_value_and_a_feature_without_formula(function, golden, wanted):
    register(function, golden)
    assert any(wanted in problem for problem in check())


def test_a_feature_without_golden_value():
    add_feature(STATISTICS, "own", "Own", {}, "nobody")(good)
    assert "stat_own: no golden value" in check()


def test_a_golden_value_that_nobody_made():
    register(good, 6.0, made_by="")
    assert any("nobody vouches" in problem for problem in check())


def test_a_golden_value_of_no_column():
    add_feature(STATISTICS, "own", "Own", {"stat_own": 6.0, "stat_onw": 6.0}, "by hand")(good)
    assert any("stat_onw: a golden value and no such column" in problem for problem in check())


def raises(sample):
    """Fails where there are few voxels."""
    return 6.0 if sample.n > 2 else 1 / 0


def endless(sample):
    """Infinite on a flat region."""
    return np.inf if sample.x.min() == sample.x.max() else 6.0


calls = iter(range(10**6))


def forgetful(sample):
    """Another value at each call."""
    return 6.0 + (next(calls) if sample.n != 74 else 0)


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        (raises, "one voxel: stat_own: the function raises ZeroDivisionError"),
        (forgetful, "other bits when computed again"),
    ],
)
def test_a_feature_that_strange_regions_break(function, wanted):
    register(function, 6.0)
    assert any(wanted in problem for problem in check())


def test_an_infinite_value_is_no_value_and_has_a_reason():
    register(endless, 6.0)
    assert check() == []
    region = strange_regions()["flat"]
    (column,) = (column for column in catalogue() if column.name == "stat_own")
    found = engine.find("radcurate").compute(region, [column])
    assert math.isnan(found.values["stat_own"]) and found.reasons["stat_own"]


def test_a_feature_that_depends_on_the_place():
    family = add_family(Family("own", "Own", NOT_IBSI, on_responses=False))
    family.computed_from(lambda region, aggregation: region.prepared)

    def room(prepared):
        """Voxels around the region, which depend on where the image ends."""
        return float(prepared.surroundings.size)

    add_feature(family, "room", "Room", {"own_room": 80.0}, "4 · 4 · 5")(room)
    assert "own_room: changes when the region is moved" in check()


@pytest.mark.parametrize("taken", ["mean", "own"])
def test_a_name_that_is_taken(taken):
    register(good, 6.0)
    with pytest.raises(CurationError, match=f"there is a feature stat_{taken} already"):
        register(good, 6.0, tag=taken)


def test_a_family_that_is_taken():
    with pytest.raises(CurationError, match="there is a family stat already"):
        add_family(Family("stat", "Mine", NOT_IBSI))


# engines


def third(change):
    first = engine.find("radcurate")

    def compute(prepared, columns):
        wanted = list(columns)
        found = first.compute(prepared, wanted)
        return Outcome(found.values | change(found.values), found.reasons)

    return Engine("third", compute, "radcurate")


def test_a_third_engine_that_is_right():
    add_engine(third(lambda values: {}), {"stat_max": 6.0}, "read off")
    assert check() == []


def test_a_third_engine_is_held_to_the_reference_and_to_the_first():
    add_engine(third(lambda values: {"stat_mean": values["stat_mean"] * 1.01}), {"stat_max": 6.0}, "read off")
    problems = check()
    assert any("IBSI's reference value is 2.15" in problem for problem in problems)
    assert any(problem.startswith("stat_mean:") and "radcurate's engine has" in problem for problem in problems)


def test_a_third_engine_without_a_reason_or_a_column():
    core = engine.find("radcurate")

    def compute(prepared, columns):
        found = core.compute(prepared, columns)
        values = dict(found.values)
        values.pop("stat_var")
        return Outcome(values, found.reasons | {"stat_mean": "because"})

    add_engine(Engine("third", compute, "radcurate"), {"stat_max": 6.0}, "read off")
    problems = check()
    assert any("stat_var: neither a number nor NaN" in problem for problem in problems)
    assert any("stat_mean" in problem and "with the reason because" in problem for problem in problems)


# files


def written(tmp_path, text="x = 1\n", name="mine.py"):
    path = tmp_path / name
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_a_file_is_run_once(tmp_path):
    path = written(tmp_path, "from radcurate.features.extend import REGISTERED\nREGISTERED.tags.append('once')\n")
    extensions.load([path])
    extensions.load([path])
    from radcurate.features.extend import REGISTERED

    assert REGISTERED.tags.count("once") == 1


@pytest.mark.parametrize("name", ["mine.txt", "absent.py"])
def test_what_is_no_python_file(tmp_path, name):
    path = tmp_path / name if name.startswith("absent") else written(tmp_path, name=name)
    with pytest.raises(CurationError, match="can't be used"):
        extensions.load([path])


def test_code_never_comes_with_the_data(tmp_path):
    inside = tmp_path / "release"
    inside.mkdir()
    path = written(inside, "raise SystemExit('was run')\n")
    link = tmp_path / "link.py"
    link.symlink_to(path)
    for way in (path, link, inside / ".." / "release" / "mine.py"):
        with pytest.raises(CurationError, match="came with the data"):
            extensions.load([way], never_from=[inside])


def test_a_file_that_everybody_may_write(tmp_path):
    path = written(tmp_path)
    path.chmod(0o666)
    with pytest.raises(CurationError, match="everybody may write"):
        extensions.load([path])


def test_a_file_that_fails_tells_its_kind(tmp_path):
    with pytest.raises(CurationError, match="ZeroDivisionError"):
        extensions.load([written(tmp_path, "1 / 0\n")])


def test_two_files_of_one_name(tmp_path):
    (tmp_path / "other").mkdir()
    with pytest.raises(CurationError, match="another one of that name"):
        extensions.load([written(tmp_path), written(tmp_path / "other")])

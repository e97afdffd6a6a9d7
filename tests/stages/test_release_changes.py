"""CHANGES: equal to the difference that was made; names nobody who left; the words say what the numbers say."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from finished_run import FEATURES, make_run
from radcurate import tables
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.release import versions
from radcurate.release.changes_text import changes_text
from radcurate.settings import Config


@pytest.fixture(scope="module")
def passed(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("changes"), Key(bytes(range(32))))
    run.gate()
    return run


@pytest.fixture
def run(passed, tmp_path):
    return passed.copy(tmp_path)


def told(folder):
    return json.loads((folder / "changes.json").read_text())


def test_a_first_release_has_nothing_to_compare(run):
    folder = run.release()
    assert told(folder) == {"release": "radiomics-1", "previous": None}
    assert "first release" in (folder / "CHANGES.md").read_text()


def test_one_value_of_one_region(run):
    first = run.release()
    before = tables.read_rows(run.results / "protect" / "features.parquet")[0][FEATURES[2]]
    run.edit("protect", "features.parquet", lambda rows: rows[0].update({FEATURES[2]: 2 * before}))
    run.gate()
    found = told(run.release())
    assert found["previous"]["release"] == first.name
    assert found["what"]["regions"] == {
        "before": 22, "now": 22, "left": 0, "joined": 0, "in_both": 22, "changed": 1,
    }  # fmt: skip
    assert found["effect"]["features"] == {
        "compared": 12,
        "unchanged": 11,
        "changed": [{"feature": FEATURES[2], "regions": 1, "median": 0.0, "largest": 0.5}],
    }
    assert found["why"]["settings"] == [] and not found["why"]["source_files"]


def test_another_k_says_what_why_and_the_effect(run):
    run.release()
    run.protect(k=9)
    run.gate()
    config = Config.model_validate({"protect": {"k": 9}})
    folder = run.release(config)
    found = told(folder)
    assert {"name": "protect.k", "before": 5, "now": 9} in found["why"]["settings"]
    page = (folder / "CHANGES.md").read_text()
    assert "| protect.k | 5 | 9 |" in page and "Settings that differ" in page
    before, now = (
        json.loads((folder.parent / name / "verdict.json").read_text()) for name in ("radiomics-1", "radiomics-2")
    )
    measured = {row["name"]: (row["before"], row["now"]) for row in found["effect"]["protection"]}
    for name, pair in measured.items():
        place = [one["protection"].get(name, one["protection"]["after"].get(name)) for one in (before, now)]
        assert pair == tuple(place)


def test_who_left_is_counted_and_not_named(run):
    run.release()
    gone = tables.read_rows(run.results / "protect" / "features.parquet")[0]
    run.edit("protect", "features.parquet", lambda rows: rows[1:])
    run.edit("protect", "acquisition.parquet", lambda rows: [row for row in rows if row["series"] != gone["series"]])
    verdict = run.results / "gate" / "verdict.json"
    judged = json.loads(verdict.read_text())
    from radcurate.stages._evidence import Reader  # what the gate would write, were the books not held as well

    reader = Reader(run.results, run.key)
    for stage in ("protect", "attack"):
        reader.check(stage)
        judged["digests"][stage] = reader.digest(stage)
    verdict.write_text(json.dumps(judged))
    run.reseal("gate")
    folder = run.release()
    found = told(folder)
    assert found["what"]["patients"] == {"before": 22, "now": 21, "left": 1, "joined": 0}
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            assert gone["subject"].encode() not in path.read_bytes(), path.name


def test_below_the_crowd_no_value_is_told(run):
    run.release()
    change = {FEATURES[2]: 77.0}
    run.edit("protect", "features.parquet", lambda rows: rows[0].update(change))
    run.gate()
    from radcurate.release import changes
    from radcurate.stages._changes import _edition

    folder = run.release()
    old, new = (_edition(folder.parent / name, name, "") for name in ("radiomics-1", "radiomics-2"))
    found = changes.compare(old, new, crowd=23)
    assert found["effect"]["features"]["compared"] == 0 and "fewer than 23" in found["effect"]["features"]["detail"]


def test_columns_that_come_and_go(run):
    run.release()
    path = run.results / "protect" / "features.parquet"
    content = tables.read(path)
    tables.write(path, content.drop_columns([FEATURES[1]]))
    run.reseal("protect")
    run.gate()
    found = told(run.release())
    assert found["what"]["columns"]["features"] == {"gone": [FEATURES[1]], "new": [], "other_type": []}


def test_a_run_again_is_the_same_release_whatever_came_before(run):
    """The first release is gone: what the second says about it stays, and nothing new is published."""
    first = run.release()
    run.edit("protect", "features.parquet", lambda rows: rows[0].update({FEATURES[0]: 1.5}))
    run.gate()
    second = run.release()
    shutil.rmtree(first)
    assert run.release() == second and told(second)["previous"]["release"] == "radiomics-1"


def test_a_damaged_release_before_is_not_compared(run):
    first = run.release()
    (first / "acquisition.parquet").write_bytes(b"")
    run.edit("protect", "features.parquet", lambda rows: rows[0].update({FEATURES[0]: 1.5}))
    run.gate()
    with pytest.raises(CurationError, match=r"acquisition\.parquet: changed"):
        run.release()
    assert not (first.parent / "radiomics-2").exists()


def test_the_page_has_no_number_of_its_own(run):
    """Every number on the page stands in changes.json, to the digits shown."""
    run.release()
    run.protect(k=9)
    run.edit("protect", "features.parquet", lambda rows: rows[0].update({FEATURES[0]: 1.5}))
    run.gate()
    folder = run.release(Config.model_validate({"protect": {"k": 9}}))
    found, page = told(folder), (folder / "CHANGES.md").read_text()
    assert page == changes_text(found)
    known = {form for value in numbers(found) for form in (f"{value:.4g}", f"{value:.3g}", f"{value:.2g}", str(value))}
    words = re.sub(r"`[^`]*`", "", page)
    for number in re.findall(r"(?<![\w.-])\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.])", words):
        assert number in known or number in json.dumps(found), number


def numbers(content):
    if isinstance(content, dict):
        return [one for value in content.values() for one in numbers(value)]
    if isinstance(content, list):
        return [one for value in content for one in numbers(value)]
    return [content] if isinstance(content, int | float) and not isinstance(content, bool) else []


@pytest.mark.parametrize(
    ("there", "version", "before"),
    [
        (["1", "2", "10"], "11", "10"),
        (["1", "2", "10"], "2", "1"),
        (["1.9", "1.10", "2.0"], "2.0", "1.10"),
        (["2"], "1", None),
        ([], "1", None),
    ],
)
def test_which_release_comes_before(tmp_path, there, version, before):
    for name in there:
        (tmp_path / f"radiomics-{name}").mkdir()
        (tmp_path / f"radiomics-{name}" / "SHA256SUMS").write_text("")
    (tmp_path / "radiomics-0").mkdir()  # emptied: no release any more
    found = versions.previous(tmp_path, "radiomics", version)
    assert (found and found.name) == (before and f"radiomics-{before}")

"""Who may have what: nothing of the run's own folders goes out, and what has no tier is closed."""

from __future__ import annotations

import pytest
import yaml

from finished_run import GOVERNANCE
from paths import ROOT
from radcurate.errors import CurationError
from radcurate.governance.access import CIRCLES, TIERS, Matrix, access, beyond
from radcurate.governance.papers import parse

MATRIX = parse((GOVERNANCE / "access.yaml").read_bytes(), Matrix, "access.yaml")
# every stage there is, so that a new one is asked about too; and the page about the run
STAGES = [*sorted({path.stem for path in (ROOT / "src/radcurate/stages").glob("[a-z]*.py")} - {"release"}), "report"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("tier", ["public", "controlled"])
def test_nobody_outside_gets_what_a_stage_wrote(stage, tier):
    assert CIRCLES.index(MATRIX.tier_of(f"results/{stage}/00000/series.parquet")) < CIRCLES.index(tier)


@pytest.mark.parametrize("name", ["features.parquet", "acquisition.parquet", "DATA_CARD.md", "checklists/ibsi.csv"])
@pytest.mark.parametrize("tier", TIERS)
def test_what_is_released_may_go_to_all(name, tier):
    assert beyond(access(MATRIX, tier).as_json(), [name]) == []


def test_images_are_not_for_the_public():
    names = ["features.parquet", "images/a/b.dcm"]
    assert beyond(access(MATRIX, "public").as_json(), names) == ["images/a/b.dcm"]
    assert beyond(access(MATRIX, "controlled").as_json(), names) == []


@pytest.mark.parametrize("tier", TIERS)
def test_what_no_pattern_names_is_closed(tier):
    assert beyond(access(MATRIX, tier).as_json(), ["subjects.parquet"]) == ["subjects.parquet"]


def test_without_a_matrix_nothing_may_go():
    assert beyond(access(None, "internal").as_json(), ["features.parquet"]) == ["features.parquet"]


def test_of_several_patterns_the_most_closed_counts():
    rows = [{"pattern": "release/*", "stage": "training", "tier": tier} for tier in ("public", "custodian")]
    matrix = parse(yaml.safe_dump({"artefacts": rows}).encode(), Matrix, "access.yaml")
    assert matrix.tier_of("release/features.parquet") == "custodian"


@pytest.mark.parametrize(
    "change", [{"tier": "everybody"}, {"stage": "sale"}, {"pattern": "features.parquet"}, {"colour": "red"}]
)
def test_a_row_that_can_not_be(change):
    row = {"pattern": "release/*", "stage": "training", "tier": "public", **change}
    with pytest.raises(CurationError, match=r"access\.yaml can't be used"):
        parse(yaml.safe_dump({"artefacts": [row]}).encode(), Matrix, "access.yaml")

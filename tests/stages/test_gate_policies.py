"""Every limit of every shipped policy refuses a run in which just that was planted; a new criterion without a plant fails."""

from __future__ import annotations

import pytest
import yaml
from gate_plants import PLANTS

from finished_run import make_run, policy, write_papers
from radcurate.errors import CurationError
from radcurate.governance.measures import MEASURES, OWED
from radcurate.governance.policy import load_policy
from radcurate.keys import Key

POLICIES = ("public", "controlled", "internal")
LIMITS = [
    (name, criterion.measure)
    for name in POLICIES
    for criterion in load_policy(policy(name)).policy.criteria
    if not criterion.informative
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A clean run for each policy; the one for the public has all its papers signed."""
    found = {}
    for name, k in (("public", 11), ("controlled", 5), ("internal", 5)):
        found[name] = make_run(tmp_path_factory.mktemp(name), Key(bytes(range(32))), k=k)
    write_papers(found["public"])
    return found


@pytest.mark.parametrize("name", POLICIES)
def test_a_clean_run_passes(runs, tmp_path, name):
    verdict = runs[name].copy(tmp_path).gate(name)
    assert verdict["holds"] and verdict["tier"] == name
    assert all(finding["holds"] for finding in verdict["findings"])


@pytest.mark.parametrize(("name", "measure"), LIMITS)
def test_a_planted_violation_of_each_limit_refuses(runs, tmp_path, name, measure):
    run = runs[name].copy(tmp_path)
    PLANTS[measure](run)
    with pytest.raises(CurationError) as caught:
        run.gate(name)
    failed = {finding["measure"]: finding for finding in run.refusal()["findings"] if not finding["holds"]}
    assert measure in failed, sorted(failed)
    text = str(caught.value)
    for part in (failed[measure]["allowed"], failed[measure]["artefact"], failed[measure]["source"]):
        assert part in text
    assert not (run.results / "gate" / "verdict.json").exists() and not (run.results / "gate" / "seal.json").exists()


# measures of which the plants break no limit of a shipped policy: a stricter one that they break
STRICTER = {
    "protect.suppressed_share": {"max": 0.5},
    "protect.ncp": {"max": 0.5},
    "protect.unique_share": {"max": 0.5},
    "protect.l_recursive": {"min": 2},
    "protect.t_ordered": {"max": 0.3},
    "attack.site_excess": {"max": 0.3},
    "attack.singling_out": {"max": 0.1},
    "attack.linkability": {"max": 0.5},
    "attack.inference": {"max": 0.5},
    "attack.composite": {"max": 0.1},
    "dpia.unproven_mitigations": {"max": 0},
}


@pytest.mark.parametrize("measure", sorted(STRICTER))
def test_further_measures_that_a_policy_may_limit(runs, tmp_path, measure):
    run = runs["controlled"].copy(tmp_path)
    content = yaml.safe_load(policy("controlled").read_text())
    content["criteria"] = [one for one in content["criteria"] if one["measure"] != measure]
    entry = {"name": "stricter", "measure": measure, "source": "tests", "help": "nothing helps", **STRICTER[measure]}
    content["criteria"].insert(0, entry)
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump(content))
    PLANTS[measure](run)
    with pytest.raises(CurationError, match="stricter"):
        run.gate(file=own)


def test_every_measure_has_a_plant_that_is_tried():
    informative = {"fairness.flagged"}
    assert set(PLANTS) == set(MEASURES) - informative
    assert {measure for _, measure in LIMITS} | set(STRICTER) == set(PLANTS)
    assert set(OWED) <= {measure for _, measure in LIMITS}

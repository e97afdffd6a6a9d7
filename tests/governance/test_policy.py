"""Policies: what a file may say, and what no file can leave out."""

from __future__ import annotations

import pytest
import yaml

from finished_run import policy
from radcurate.errors import CurationError
from radcurate.governance.measures import MEASURES, OWED
from radcurate.governance.policy import Criterion, load_policy

SHIPPED = ("public", "controlled", "internal")


def written(tmp_path, change):
    """controlled.yaml after `change` of its content."""
    content = yaml.safe_load(policy("controlled").read_text())
    change(content)
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def limits(name):
    found = load_policy(policy(name)).policy.criteria
    return {criterion.measure: criterion.min if criterion.min is not None else criterion.max for criterion in found}


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_policies_load_and_say_why(name):
    loaded = load_policy(policy(name)).policy
    assert loaded.name == name
    assert all(criterion.source and criterion.help for criterion in loaded.criteria)
    assert set(OWED) <= {criterion.measure for criterion in loaded.criteria}


def test_thresholds_of_the_tiers():
    public, controlled, internal = map(limits, SHIPPED)
    assert (public["protect.k"], controlled["protect.k"], internal["protect.k"]) == (11, 5, 1)
    assert public["protect.prosecutor_max"] == pytest.approx(1 / 11) and controlled["protect.prosecutor_max"] == 0.2
    assert (public["protect.t"], controlled["protect.t"]) == (0.2, 0.3)
    assert "protect.t" not in internal


def test_a_fraction_allows_what_it_equals():
    eleventh = Criterion(name="some", measure="protect.k", max="1/11", source="tests", help="none")
    assert eleventh.allows(1 / 11) and not eleventh.allows(0.0910) and not eleventh.allows(float("nan"))


@pytest.mark.parametrize("measure", sorted(OWED))
def test_no_policy_can_leave_out_what_all_owe(tmp_path, measure):
    def drop(content):
        content["criteria"] = [entry for entry in content["criteria"] if entry["measure"] != measure]

    with pytest.raises(CurationError, match=r"leaves out what every policy owes"):
        load_policy(written(tmp_path, drop))


def test_no_policy_can_allow_a_hit(tmp_path):
    def relax(content):
        next(entry for entry in content["criteria"] if entry["measure"] == "verify.hits")["max"] = 1

    with pytest.raises(CurationError, match="a laxer limit"):
        load_policy(written(tmp_path, relax))


def test_an_unknown_measure_suggests_the_nearest(tmp_path):
    def misspell(content):
        content["criteria"].append({**content["criteria"][0], "measure": "protect.kk"})

    with pytest.raises(CurationError, match=r"did you mean protect\.k\?"):
        load_policy(written(tmp_path, misspell))


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["criteria"][0].update(max=3),  # min and max
        lambda content: content["criteria"][0].pop("min"),  # neither
        lambda content: content["criteria"][0].update(min="five"),
        lambda content: content["criteria"][0].update(min="1/0"),
        lambda content: content["criteria"][0].pop("source"),
        lambda content: content["criteria"][0].pop("help"),
        lambda content: content["criteria"][0].update(colour="red"),
        lambda content: content.update(status="anonymous"),  # the status is computed, nobody sets it
        lambda content: content.pop("recipients"),
    ],
)
def test_a_file_that_is_not_a_policy(tmp_path, change):
    with pytest.raises(CurationError, match="the policy can't be used"):
        load_policy(written(tmp_path, change))


@pytest.mark.parametrize("text", ["a: [", "", "- 1", "\x00"])
def test_no_yaml(tmp_path, text):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(CurationError):
        load_policy(path)


def test_no_file(tmp_path):
    with pytest.raises(CurationError, match="no such policy"):
        load_policy(tmp_path / "none.yaml")


def test_measures_say_what_they_are():
    assert all(
        measure.meaning and measure.artefact.startswith(("results/", "config/")) for measure in MEASURES.values()
    )


def test_what_all_owe_can_not_be_only_told(tmp_path):
    def tell(content):
        entry = next(entry for entry in content["criteria"] if entry["measure"] == "verify.hits")
        del entry["max"]
        entry["informative"] = True

    with pytest.raises(CurationError, match="a laxer limit"):
        load_policy(written(tmp_path, tell))


def test_recipients_are_the_public_where_a_policy_does_not_say(tmp_path):
    assert load_policy(written(tmp_path, lambda content: content.pop("tier"))).policy.tier == "public"


@pytest.mark.parametrize("change", [{"tier": "everybody"}, {"documents": ["promise"]}])
def test_no_such_tier_or_paper(tmp_path, change):
    with pytest.raises(CurationError, match="the policy can't be used"):
        load_policy(written(tmp_path, lambda content: content.update(change)))


@pytest.mark.parametrize("limit", [{"max": float("nan")}, {"max": float("inf")}, {"max": 1, "informative": True}, {}])
def test_a_limit_that_limits_nothing(tmp_path, limit):
    def add(content):
        entry = {"name": "some", "measure": "attack.linkage", "source": "tests", "help": "none", **limit}
        content["criteria"].append(entry)

    with pytest.raises(CurationError, match="the policy can't be used"):
        load_policy(written(tmp_path, add))

"""Eleven questions: who or what answers them."""

from __future__ import annotations

import pytest
import yaml

from finished_run import GOVERNANCE
from radcurate.errors import CurationError
from radcurate.governance.dpia import Proof
from radcurate.governance.ethics import N_QUESTIONS, STAGES, Questions, answers, unanswered
from radcurate.governance.measures import MEASURES
from radcurate.governance.papers import parse
from radcurate.governance.value import Value

SHIPPED = yaml.safe_load((GOVERNANCE / "ethics.yaml").read_text())


def read(content):
    return parse(yaml.safe_dump(content).encode(), Questions, "ethics.yaml")


def proof(limited=True, holds=True):
    return lambda name: Proof(Value(0.0), "results/some.json", limited, holds)


def changed(change):
    content = yaml.safe_load(yaml.safe_dump(SHIPPED))
    change(content)
    return content


def test_the_shipped_ones():
    shipped = read(SHIPPED)
    assert len(shipped.questions) == N_QUESTIONS and {one.stage for one in shipped.questions} == set(STAGES)
    assert set(shipped.measures()) <= set(MEASURES)


def test_measures_answer_where_they_hold():
    open_ones = unanswered(answers(read(SHIPPED), proof()))
    assert open_ones == [3, 6, 10, 11]


@pytest.mark.parametrize("unproven", [proof(holds=False), proof(limited=False)])
def test_a_measure_that_does_not_hold_answers_nothing(unproven):
    found = answers(read(SHIPPED), unproven)
    assert not found[0].answered and "conservation.lost_series" in found[0].answer


def test_a_person_answers_with_a_name():
    named = changed(lambda content: content["questions"][2].update(answer="yes, vote 1", by="A. Person"))
    assert 3 not in unanswered(answers(read(named), proof()))
    unnamed = changed(lambda content: content["questions"][2].update(answer="yes"))
    found = answers(read(unnamed), proof())
    assert not found[2].answered and found[2].answer == "an answer without a name"


def test_a_stage_without_a_part_needs_no_answer_and_says_why():
    found = answers(read(SHIPPED), proof())
    assert [one.answered for one in found if one.stage == "training"] == [True, True]
    used = changed(lambda content: content.update(unused={}))
    assert {7, 8} <= set(unanswered(answers(read(used), proof())))


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["questions"].pop(),
        lambda content: content["questions"][1].update(id=1),
        lambda content: content["questions"][10].update(stage="evaluation"),
        lambda content: content["questions"][0].update(stage="sale"),
        lambda content: content.update(unused={"training": "no"}),
        lambda content: content.update(unused={"sale": "there is no such stage"}),
    ],
)
def test_questions_can_not_be_left_out(change):
    with pytest.raises(CurationError, match=r"ethics\.yaml can't be used"):
        read(changed(change))


def test_without_the_paper_there_is_no_answer():
    assert unanswered(answers(None, proof())) is None

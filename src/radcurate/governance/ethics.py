"""Eleven questions over the five stages of a data set's life; answered by this run's measures, or by a named person.

Requirement A24 names Table 2 of the "Ethics by Design" paper, eleven questions over collection, processing, training,
evaluation and deployment. Its wording is not at hand: the questions of `config/governance/ethics.yaml` are derived from
the requirements that the same paper gave (consent, minimisation, bias, access, transparency, review).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import Field, model_validator

from radcurate.governance.dpia import Proof
from radcurate.governance.papers import Section

ETHICS = "ethics.yaml"
STAGES = ("collection", "processing", "training", "evaluation", "deployment")
N_QUESTIONS = 11
Stage = Literal["collection", "processing", "training", "evaluation", "deployment"]


class Question(Section):
    """One question. measures: those of this run that answer it when all of them hold; else `answer` and `by`."""

    id: int = Field(ge=1)
    stage: Stage
    question: str = Field(min_length=10)
    measures: tuple[str, ...] = ()
    answer: str = ""
    by: str = ""


class Questions(Section):
    """The paper. unused: stages that this data set has no part in, each with the reason."""

    unused: dict[Stage, str] = Field(default_factory=dict)
    questions: tuple[Question, ...]

    @model_validator(mode="after")
    def _all_of_them(self) -> Questions:
        if len({question.id for question in self.questions}) != len(self.questions):
            raise ValueError("each question has a number of its own")
        if len(self.questions) < N_QUESTIONS:
            raise ValueError(f"at least {N_QUESTIONS} questions: an unused stage keeps its questions")
        counted = Counter(question.stage for question in self.questions)
        if set(counted) != set(STAGES):
            raise ValueError("questions on " + ", ".join(STAGES))
        if any(len(reason.strip()) < 10 for reason in self.unused.values()):
            raise ValueError("an unused stage needs its reason in words")
        return self

    def measures(self) -> list[str]:
        """Measures that the questions name."""
        return sorted({name for question in self.questions for name in question.measures})


@dataclass(frozen=True)
class Answer:
    """A question in this run."""

    id: int
    stage: str
    question: str
    answered: bool
    answer: str
    by: str
    measures: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def answers(questions: Questions | None, proof: Callable[[str], Proof]) -> tuple[Answer, ...]:
    """Each question with its answer; no question where there is no paper."""
    if questions is None:
        return ()
    return tuple(_answer(question, questions.unused, proof) for question in questions.questions)


def unanswered(found: tuple[Answer, ...]) -> list[int] | None:
    """Numbers of the questions that nobody answered; None where there are no questions."""
    return [answer.id for answer in found if not answer.answered] if found else None


def _answer(question: Question, unused: dict[Stage, str], proof: Callable[[str], Proof]) -> Answer:
    def told(answered: bool, answer: str, by: str) -> Answer:
        return Answer(question.id, question.stage, question.question, answered, answer, by, question.measures)

    if question.stage in unused:
        return told(True, f"does not apply: {unused[question.stage].strip()}", "")
    if question.answer.strip() and question.by.strip():
        return told(True, question.answer.strip(), question.by.strip())
    if question.measures:
        return _by_measures(question, proof, told)
    lack = "an answer without a name" if question.answer.strip() else "not answered"
    return told(False, lack, "")


def _by_measures(question: Question, proof: Callable[[str], Proof], told: Callable[[bool, str, str], Answer]) -> Answer:
    found = {name: proof(name) for name in question.measures}
    failing = [name for name, one in found.items() if not (one.limited and one.holds)]
    if failing:
        return told(False, f"not shown by this run: {', '.join(failing)}", "")
    numbers = [f"{name} {_number(one)}" for name, one in found.items()]
    return told(True, "; ".join(numbers), "measured by this run")


def _number(proof: Proof) -> str:
    return "does not apply" if proof.value.number is None else f"{proof.value.number:.4g}"

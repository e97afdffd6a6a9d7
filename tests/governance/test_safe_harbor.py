"""Safe Harbor, line by line: 18 identifiers planted, 18 caught; take any rule away and exactly its line turns red."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from pydicom.datadict import tag_for_keyword

from deidentify.deid_objects import RULES, SPARE, SUBJECT, TEST_KEY, YEAR, YEAR_POLICY
from finished_run import SAFE_HARBOR
from planted_search import left, searchable
from radcurate.canary import HIPAA, Specimen, specimens
from radcurate.deidentify.instance import rewrite_instance
from radcurate.deidentify.people import numbers_of_dates, numbers_of_ids, words_of_names
from radcurate.deidentify.rewrite import Patient, Rewriter
from radcurate.deidentify.scope import Scope
from radcurate.dicom.elements import Element
from radcurate.errors import CurationError
from radcurate.governance.safe_harbor import (
    EXPERT,
    LETTERS,
    RED,
    Line,
    as_json,
    count_canaries,
    count_hits,
    lines,
    load_table,
    red_lines,
)

TABLE = load_table(SAFE_HARBOR)
RULES_OF_LINES = [(row.letter, keyword) for row in TABLE for keyword in row.attributes]
MEASURES: dict[str, float | None] = {"dates.finer_than_year": 0, "deface.unresolved_faces": 0, "codes.internal": 0}


class WithoutRule(Rewriter):
    """Lets one attribute pass as it is, as if somebody had allowed it."""

    forgotten = 0

    def element(self, element: Element, scope: Scope) -> Element | None:
        return replace(element) if element.tag == self.forgotten else super().element(element, scope)


def rewritten(specimen: Specimen, forgotten: str = "") -> bytes:
    words = words_of_names(specimen.patient_names)
    numbers = numbers_of_ids(specimen.patient_ids) | numbers_of_dates(specimen.patient_dates)
    remover = WithoutRule(YEAR_POLICY, TEST_KEY, Patient(SUBJECT, YEAR, words, numbers))
    remover.forgotten = tag_for_keyword(forgotten) or 0
    return rewrite_instance(specimen.data, remover, SPARE).data


def rows(specimen: Specimen, forgotten: str = "") -> list[dict[str, Any]]:
    content = searchable(rewritten(specimen, forgotten))
    return [
        {"hipaa": plant.hipaa, "kind": f"{specimen.name} {number}", "planted": 1, "seen_before": 1, "cleaned": 1}
        | {"left": int(left(plant, content))}
        for number, plant in enumerate(specimen.plants)
    ]


@cache
def clean_rows(specimen: Specimen) -> tuple[dict[str, Any], ...]:
    return tuple(rows(specimen))


def judged(found: Iterable[dict[str, Any]], hits: Iterable[dict[str, Any]] = (), dates: str = "year") -> list[Line]:
    return lines(TABLE, count_canaries(found), count_hits(hits, TABLE), MEASURES, dates)


def all_rows() -> list[dict[str, Any]]:
    return [row for specimen in specimens() for row in clean_rows(specimen)]


def test_eighteen_categories_are_planted_and_caught() -> None:
    found = judged(all_rows())
    assert [line.letter for line in found] == list(LETTERS) and not red_lines(found)
    for line in found:
        print(f"\n{line.letter} {line.category}: {line.canaries.planted} planted, {line.canaries.left} left", end="")
    assert {row.letter: row.category for row in TABLE} == HIPAA


@pytest.mark.parametrize(("letter", "keyword"), RULES_OF_LINES, ids=lambda word: word)
def test_taking_a_rule_away_turns_exactly_its_line_red(letter: str, keyword: str) -> None:
    touched = {one for one in specimens() if any(keyword in plant.where.split(">") for plant in one.plants)}
    assert touched
    found = [row for one in specimens() for row in (rows(one, keyword) if one in touched else clean_rows(one))]
    assert red_lines(judged(found)) == [letter]


@pytest.mark.parametrize(("letter", "keyword"), RULES_OF_LINES, ids=lambda word: word)
def test_the_table_says_what_the_allow_list_does(letter: str, keyword: str) -> None:
    rule = RULES.get(tag_for_keyword(keyword) or 0)
    assert {row.letter: row.attributes for row in TABLE}[letter][keyword] == (rule.action if rule else "not listed")


@pytest.mark.parametrize("fault", ["planted", "seen_before", "cleaned"])
def test_a_line_without_evidence_is_red(fault: str) -> None:
    found = [row | ({fault: 0} if row["hipaa"] == "E" else {}) for row in all_rows()]
    assert red_lines(judged(found)) == ["E"]
    assert red_lines(judged([row for row in all_rows() if row["hipaa"] != "P"])) == ["P"]


def test_hits_and_measures_count_for_their_line() -> None:
    hits = [{"keyword": "InsurancePlanIdentification", "category": "id", "count": 2}]
    assert red_lines(judged(all_rows(), hits)) == ["I"]
    other = [{"keyword": category, "category": category, "count": 1} for category in ("name", "date", "uid")]
    assert red_lines(judged(all_rows(), other)) == ["A", "C", "R"]
    faces = lines(TABLE, count_canaries(all_rows()), {}, MEASURES | {"deface.unresolved_faces": 1}, "year")
    assert red_lines(faces) == ["Q"]
    unknown = lines(TABLE, count_canaries(all_rows()), {}, MEASURES | {"dates.finer_than_year": None}, "year")
    assert red_lines(unknown) == ["C"]


def test_shifted_dates_are_left_to_the_expert() -> None:
    states = {line.letter: line.state for line in judged(all_rows(), dates="shift")}
    assert states.pop("C") == EXPERT and RED not in states.values()


def test_it_does_not_matter_how_the_cohort_was_cut() -> None:
    assert judged(all_rows() * 3) == judged(all_rows())
    worse = [row | {"left": 1} for row in all_rows() if row["hipaa"] == "B"]
    assert red_lines(judged([*all_rows(), *worse])) == ["B"]


def test_the_file_holds_no_planted_value() -> None:
    text = json.dumps(as_json(judged(all_rows()), "safe_harbor"))
    assert len(json.loads(text)["lines"]) == 18
    assert not [plant for one in specimens() for plant in one.plants if len(plant.value) > 6 and plant.value in text]


@pytest.mark.parametrize(
    "text", ["A: {}", "[]", "{", "Z: {category: x, attributes: {}, treated_by: [], proven_by: []}"]
)
def test_an_incomplete_table_is_refused(tmp_path: Any, text: str) -> None:
    path = tmp_path / "table.yaml"
    path.write_text(text)
    with pytest.raises(CurationError, match="Safe Harbor"):
        load_table(path)

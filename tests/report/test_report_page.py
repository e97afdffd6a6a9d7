"""The report says what the documents say, in both faces, on success and on refusal, whatever is missing."""

from __future__ import annotations

import copy
import re
from dataclasses import replace

import pytest

from radcurate.report.artefact import RUN_CODE, Artefact, percent, plain, resolve, without_codes
from radcurate.report.build import build
from radcurate.report.facts import Facts, Picture, limit_of
from report_tools import COUNTED, DOCUMENTS, artefact, everything, parts, untrue, verdict


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("holds", [True, False])
def test_every_number_is_the_one_it_says_it_is_from(private: bool, holds: bool) -> None:
    facts, documents = everything(private, holds)
    page = build(facts)
    assert not list(untrue(page, documents))
    assert len(parts(page).numbers) > 100


def test_a_wrong_number_is_noticed() -> None:
    facts, documents = everything()
    page = build(facts).replace(b">59<", b">60<", 1)
    assert list(untrue(page, documents)) == ["results/gate/verdict.json#/inventoried: 60 is not 59"]
    changed = copy.deepcopy(documents)
    changed["results/attack/attack.json"]["attacks"]["linkage"]["high"] = 0.5
    assert list(untrue(build(facts), changed))


def test_sections_of_a_whole_run() -> None:
    found = parts(build(everything()[0]))
    names = [
        "main",
        "plain",
        "funnel",
        "cleaning",
        "features",
        "crowds",
        "attacks",
        "harmonised",
        "gate",
        "dpia",
        "groups",
        "papers",
    ]
    assert [name for name in found.ids if not name.endswith("-h")] == names
    assert {f"#{name}" for name in names} <= set(found.links)
    assert len(set(found.ids)) == len(found.ids)


def test_nothing_is_fetched_and_nothing_runs() -> None:
    for holds in (True, False):
        page = build(everything(holds=holds, gallery=[Picture("a head", "S-1.html", b"\x89PNG")])[0])
        found = parts(page)
        assert not {"script", "iframe", "object", "form", "audio", "video"} & set(found.tags)
        assert all(one.startswith("data:") for one in found.fetched)
        assert not re.search(rb"https?://|url\(|@import|\son\w+=", page)


def test_links_of_the_page_lead_to_its_own_parts_or_to_artefacts() -> None:
    found = parts(build(everything()[0]))
    own = {f"#{name}" for name in found.ids}
    files = {path.replace("results/", "../", 1) for path in DOCUMENTS}
    assert set(found.links) <= own | files


def test_a_refusal_says_what_failed_and_what_helps() -> None:
    page = build(everything(holds=False)[0]).decode()
    assert "Nothing was released" in page and "What failed, and what helps" in page
    assert "help for protect.k" in page and "drop field_strength" in page and "help for attack.linkage" in page
    assert "help for verify.hits" not in page
    assert "Released under" not in page


def test_broken_seals_hide_the_rest() -> None:
    facts, _ = everything(holds=False)
    content = verdict(holds=False)
    content["findings"][0] |= {"holds": False, "measured": 1.0, "detail": "results/protect: changed"}
    content |= {"conservation": [], "protection": {}, "inventoried": 0}
    page = build(replace(facts, verdict=artefact("results/gate/refusal.json", content))).decode()
    assert "help for seals.broken" in page and "help for protect.k" not in page


def test_the_public_face_has_no_pictures_and_no_codes_of_the_run() -> None:
    facts, _ = everything(
        private=False,
        gallery=[Picture("a head", "S-ad3dcf7fe2318ec8.html", b"\x89PNG")],
        pages=[("S-ad3dcf7fe2318ec8.html", "S-ad3dcf7fe2318ec8", "face removed")],
    )
    page = build(facts).decode()
    assert "<img" not in page and "restricted zone" not in page
    assert not RUN_CODE.search(page)
    assert "S-ad3dcf7fe2318ec8" in build(replace(facts, private=True)).decode()


@pytest.mark.parametrize("lacking", ["attack", "harmonise", "fairness"])
def test_what_a_run_does_not_have_is_left_out(lacking: str) -> None:
    facts, documents = everything()
    page = build(replace(facts, **{lacking: None}))
    assert not list(untrue(page, documents))
    assert {"attack": "attacks", "harmonise": "harmonised", "fairness": "groups"}[lacking] not in parts(page).ids


def test_a_verdict_of_an_older_version_is_enough() -> None:
    old = {
        key: value
        for key, value in verdict().items()
        if key not in ("dpia", "ethics", "documents", "overrides", "tier")
    }
    old["findings"] = [
        {key: value for key, value in one.items() if key not in ("informative", "overridden", "ways", "help", "detail")}
        for one in old["findings"]
    ]
    page = build(
        Facts(
            "x", False, Artefact("verdict.json", "verdict.json", "verdict.json", "", old), artefact("report.json", {})
        )
    )
    assert not list(untrue(page, {"verdict.json": old}))
    assert b"What the gate compared" in page


def test_values_cannot_become_markup() -> None:
    nasty = '<script>alert(1)</script>"\x00'
    content = verdict()
    content["recipients"] = content["policy"] = nasty
    content["conservation"][1]["reason"] = nasty
    content["findings"][1] |= {"name": nasty, "source": nasty, "meaning": nasty, "artefact": nasty, "detail": nasty}
    content["dpia"]["risks"][0]["name"] = nasty
    content["set_aside_files"] = {nasty: 3}
    facts, documents = everything()
    page = build(replace(facts, verdict=artefact("results/gate/verdict.json", content)))
    assert b"<script" not in page and b"\x00" not in page
    assert not list(untrue(page, documents | {"results/gate/verdict.json": content}))


def test_unknown_and_infinite_numbers_are_told_as_such() -> None:
    assert [plain(value) for value in (None, True, 3, 3.0, 0.12345, float("inf"), float("nan"))] == [
        "not measured", "yes", "3", "3", "0.123", "infinite", "not a number",
    ]  # fmt: skip
    assert [percent(value) for value in (None, 0.0476, 1, 0.999203)] == ["not measured", "4.76 %", "100 %", "99.9 %"]


def test_a_failed_control_is_said() -> None:
    facts, documents = everything()
    content = copy.deepcopy(documents["results/attack/attack.json"])
    content["attacks"]["site"]["controls"]["negative"]["passed"] = False
    assert "✗ failed" in build(replace(facts, attack=artefact("results/attack/attack.json", content))).decode()
    assert "✗ failed" not in build(facts).decode()


@pytest.mark.parametrize(("k", "said"), [(6, False), (1, True), (0, True)])
def test_who_stands_alone_is_not_said_to_look_like_others(k: int, said: bool) -> None:
    facts, documents = everything()
    content = copy.deepcopy(documents["results/gate/verdict.json"])
    content["protection"]["after"]["k"] = k
    page = build(replace(facts, verdict=artefact("results/gate/verdict.json", content))).decode()
    assert ("some patients look like nobody else" in page) == said
    assert ("every patient looks like others" in page) != said


def test_large_cohorts_are_told_in_spans() -> None:
    facts, documents = everything()
    content = copy.deepcopy(documents["results/gate/verdict.json"])
    content["protection"]["after"]["sizes"] = {str(size): 2 for size in range(5, 2000, 7)}
    page = build(replace(facts, verdict=artefact("results/gate/verdict.json", content))).decode()
    assert "11–20" in page and "1001+" in page and len(page) < 200_000


def test_pointers() -> None:
    one = artefact("a.json", {"x/y": {"~z ü": [1, 2]}})
    pointer = one.pointer("x/y", "~z ü", 1)
    assert " " not in pointer and resolve(pointer.partition("#")[2], one.content) == 2
    assert one.at("x/y", "nothing", 3) is None


def test_codes_are_taken_out_of_documents() -> None:
    found = without_codes({"S-ad3dcf7fe2318ec8": ["on P-0123456789ab, of 9", 3, None]})
    assert found == {"…": ["on …, of 9", 3, None]}


@pytest.mark.parametrize(
    ("allowed", "limit"), [("at most 0.05", 0.05), ("at least 5", 5.0), ("none", 0.0), ("", None), ("told", None)]
)
def test_limits_are_read_from_words(allowed: str, limit: float | None) -> None:
    assert limit_of(allowed) == limit


def test_the_same_documents_give_the_same_page() -> None:
    assert build(everything()[0]) == build(everything()[0])
    assert DOCUMENTS["results/report/report.json"] == COUNTED

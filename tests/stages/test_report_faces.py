"""Both faces of the report of a finished run: what is private stays private, every number is the one of its file."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from finished_run import FinishedRun, make_run
from radcurate import workflow
from radcurate.errors import CurationError
from radcurate.governance.fairness import public
from radcurate.keys import Key
from radcurate.report.artefact import RUN_CODE
from radcurate.settings import Config
from radcurate.stages._report import is_current, write_private_report, write_public_report
from report_tools import fairness, parts, untrue


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return make_run(tmp_path_factory.mktemp("clean"), Key(bytes(range(32))))


@pytest.fixture
def run(clean: FinishedRun, tmp_path: Path) -> FinishedRun:
    return clean.copy(tmp_path)


def documents(folder: Path, base: str = "") -> dict[str, Any]:
    found = {}
    for path in folder.rglob("*.json"):
        found[base + path.relative_to(folder).as_posix()] = json.loads(path.read_text())
    return found


def test_the_private_face(run: FinishedRun) -> None:
    run.gate()
    assert write_private_report(run.results, run.key)
    out = run.results / "report"
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}
    page = (out / "report.html").read_bytes()
    assert not list(untrue(page, documents(run.results, "results/")))
    found = parts(page)
    assert {"plain", "funnel", "cleaning", "features", "crowds", "attacks", "gate", "dpia", "groups", "papers"} <= set(
        found.ids
    )
    for target in found.links:
        assert target.startswith("#") or (out / target).exists(), target


def test_the_private_face_of_a_refusal(run: FinishedRun) -> None:
    run.attack(lambda content: content["attacks"]["linkage"].update(high=0.9))
    with pytest.raises(CurationError):
        run.gate()
    assert write_private_report(run.results, run.key)
    page = (run.results / "report" / "report.html").read_bytes()
    assert b"Nothing was released" in page and "help" in parts(page).ids
    assert not list(untrue(page, documents(run.results, "results/")))


def test_a_table_that_was_changed_is_not_shown(run: FinishedRun) -> None:
    run.gate()
    path = run.results / "attack" / "attack.json"
    path.write_text(path.read_text().replace("0", "1"))
    assert write_private_report(run.results, run.key)
    page = (run.results / "report" / "report.html").read_text()
    assert "results/attack: changed after its stage wrote it" in page and 'id="attacks"' not in page


def test_nothing_is_written_before_the_gate_has_judged(run: FinishedRun) -> None:
    assert not write_private_report(run.results, run.key)
    assert not (run.results / "report").exists() and is_current(run.results)


def test_the_report_at_the_end_of_a_run(
    run: FinishedRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(run.results.parent)
    told = workflow.Run(Config(), Path(), run.key)
    workflow.write_report(told)
    assert not (run.results / "report").exists()
    run.gate()
    workflow.write_report(told)
    page = run.results / "report" / "S-old.html"
    page.write_text("pictures")
    workflow.write_report(told)
    assert page.exists()  # nothing new was judged
    run.attack(lambda content: content["attacks"]["linkage"].update(high=0.9))
    with pytest.raises(CurationError):
        run.gate()
    workflow.write_report(told)
    assert not page.exists() and b"Nothing was released" in (run.results / "report" / "report.html").read_bytes()
    assert capsys.readouterr().err.count("report: ") == 2


def test_a_report_that_cannot_be_made_fails_no_run(
    run: FinishedRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(run.results.parent)
    run.gate()
    (run.results / "report").write_text("in the way")
    workflow.write_report(workflow.Run(Config(), Path(), run.key))
    assert "the report was not written" in capsys.readouterr().err


def test_the_public_face(run: FinishedRun) -> None:
    run.gate()
    folder = run.release()
    write_public_report(folder, run.results)
    page = (folder / "report.html").read_bytes()
    assert not list(untrue(page, documents(folder)))
    inside = {run.series(n, kind) for n in range(26) for kind in ("image", "contour")}
    for text in (page.decode(), (folder / "report.json").read_text()):
        assert not RUN_CODE.search(re.sub(r"data:[^\"]*", "", text))
        assert not [code for code in inside if code in text]
    found = parts(page)
    assert "img" not in found.tags
    for target in found.links:
        assert target.startswith("#") or (folder / target).is_file(), target


def test_a_release_holds_its_report_and_is_the_same_again(run: FinishedRun) -> None:
    run.gate()
    folder = run.release()
    before = (folder / "report.html").read_bytes()
    assert b"how this release came about" in before and (folder / "report.json").is_file()
    assert (folder.parent / "report.html").read_bytes() == before  # for `snakemake --report`
    assert run.release() == folder and (folder / "report.html").read_bytes() == before


def test_small_groups_and_sites_are_not_told_outside() -> None:
    found = fairness()
    assert public(found, 6)["axes"]["sex"]["F"] == {"share": 0.3, "expected": 0.5}
    assert public(found, 7)["axes"] == {}  # six women were released; the men tell how many
    assert public(found, 12)["flags"][0] == {"step": "protect", "axis": "sex", "group": "F", "rate": 0.5, "others": 0.0}
    assert public(found, 13)["flags"] == []
    site = found | {
        "flags": [found["flags"][0] | {"axis": "site", "group": "H-2b1c86f7"}],
        "axes": {"site": {"H-2b1c86f7": found["axes"]["sex"]["M"]}},
    }
    assert "H-2b1c86f7" not in json.dumps(public(site, 2))

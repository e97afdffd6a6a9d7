"""The gate tells whom a run loses, and where a group is rarer than it should be; nothing is refused for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finished_run import FinishedRun, make_run
from radcurate import tables
from radcurate.keys import Key
from radcurate.seals import check_seal


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return make_run(tmp_path_factory.mktemp("clean"), Key(bytes(range(32))))


@pytest.fixture
def run(clean: FinishedRun, tmp_path: Path) -> FinishedRun:
    return clean.copy(tmp_path)


def told(run: FinishedRun) -> dict:
    return json.loads((run.results / "gate" / "fairness.json").read_text())


def sexes(run: FinishedRun) -> None:
    """Sex and site in deidentify's tables; every second patient is a woman."""
    for folder in sorted((run.results / "deidentify").iterdir()):
        subjects = {run.key.subject(f"patient {n}"): n for n in range(26)}

        def change(rows: list[dict], subjects: dict = subjects) -> None:
            for row in rows:
                row.update(sex="MF"[subjects[row["subject"]] % 2], age=50.0 + subjects[row["subject"]])

        run.edit(f"deidentify/{folder.name}", "series.parquet", change)


def test_a_run_tells_its_groups(run: FinishedRun) -> None:
    sexes(run)
    verdict = run.gate()
    found = told(run)
    assert found["flagged"] == 0 and found["patients"] == 26
    assert found["axes"]["sex"]["F"]["patients"] == 12 and found["axes"]["sex"]["unknown"]["patients"] == 2
    assert set(found["axes"]["age"]) == {"40-59", "60-79", "unknown"}
    assert found["axes"]["manufacturer"]["ACME"]["patients"] == 24
    assert "fairness.json" in check_seal(run.results / "gate", run.key)
    finding = next(one for one in verdict["findings"] if one["measure"] == "fairness.flagged")
    assert finding["measured"] == 0 and finding["holds"] and finding["informative"]


def test_a_defacer_that_fails_women_is_flagged_and_does_not_refuse(run: FinishedRun) -> None:
    sexes(run)
    women = {run.key.subject(f"patient {n}") for n in range(1, 26, 2)}
    lost: set[str] = set()
    for folder in sorted((run.results / "deface").iterdir()):

        def deface(rows: list[dict]) -> None:
            for row in rows:
                if row["subject"] in women and row["status"] == "ok":
                    row.update(status="quarantined", reason="face_left", remedy="look")
                    lost.add(row["series"])

        run.edit(f"deface/{folder.name}", "series.parquet", deface)
    for stage, name in (("verify", "series.parquet"), ("extract", "series.parquet")):
        for folder in sorted((run.results / stage).iterdir()):
            run.edit(f"{stage}/{folder.name}", name, lambda rows: [row for row in rows if row["series"] not in lost])
    for name in ("features", "acquisition", "crosscheck", "invariance"):
        for folder in sorted((run.results / "extract").iterdir()):
            key = "roi" if name == "crosscheck" else "series"
            rois = {one["roi"] for one in tables.read_rows(folder / "features.parquet")} if key == "roi" else set()
            keep = (lambda rows, rois=rois: [r for r in rows if r["roi"] in rois]) if rois else None
            run.edit(
                f"extract/{folder.name}",
                f"{name}.parquet",
                keep or (lambda rows: [row for row in rows if row.get("series") not in lost]),
            )
    run.protect(k=2)
    run.attack(lambda content: None)
    verdict = run.gate("internal")
    found = told(run)
    flags = {(one["step"], one["axis"], one["group"]) for one in found["flags"]}
    assert ("deface", "sex", "F") in flags
    assert (
        next(one for one in verdict["findings"] if one["measure"] == "fairness.flagged")["measured"] == found["flagged"]
    )


def test_a_rare_group_is_flagged_against_a_reference(run: FinishedRun, tmp_path: Path) -> None:
    sexes(run)
    reference = tmp_path / "reference.csv"
    reference.write_text("axis,group,share\nage,0-19,0.3\nage,60-79,0.2\n")
    run.gate(reference=reference)
    assert [(one["step"], one["group"]) for one in told(run)["flags"]] == [("representation", "0-19")]


def test_a_broken_seal_leaves_nothing_told(run: FinishedRun) -> None:
    run.measure(lambda content: content.update(ncp=0.0), seal=False)
    with pytest.raises(Exception, match="seal"):
        run.gate()
    assert told(run) == {}

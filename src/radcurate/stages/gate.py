"""Compare measurements with the policy; fail the run with reasons, or let it pass."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.governance.conservation import Outcome, outcomes, outcomes_table
from radcurate.governance.fairness import Reference, fairness, read_reference
from radcurate.governance.judge import Desk, judge
from radcurate.governance.measures import safe_harbor_lines
from radcurate.governance.papers import read_papers
from radcurate.governance.policy import PolicyFile, load_policy
from radcurate.governance.safe_harbor import Line, Treatment, as_json, load_table
from radcurate.governance.signatures import APPROVALS, OVERRIDES, sheet
from radcurate.governance.verdict import Verdict, broken_seals, legal_status, refusal_text
from radcurate.keys import Key
from radcurate.seals import SEAL, write_seal
from radcurate.settings import Deidentify, Gate
from radcurate.stages._command import command
from radcurate.stages._evidence import Reader, check_attacked, check_seals, read_evidence
from radcurate.stages._folders import write_json

log = logging.getLogger("radcurate")
VERDICT, REFUSAL, OUTCOMES, SAFE_HARBOR = "verdict.json", "refusal.json", "outcomes.parquet", "safe_harbor.json"
TERMS, FAIRNESS = "terms.md", "fairness.json"
# what any release holds of a patient; the release stage holds every file against the tiers again
RELEASED_TABLES = ("features.parquet", "acquisition.parquet", "provenance.parquet")
IMAGES = ("images.parquet", "images/a series/a file.dcm")


def run(
    settings: Gate,
    results: Path,
    out: Path,
    key: Key,
    policy: Path,
    safe_harbor: Path,
    deidentify: Deidentify,
    papers: list[Path],
    images: int = 0,
    reference: list[Path] = [],  # noqa: B006 - a command line without the option
) -> None:
    """Judge this run's sealed artefacts under `results` by `policy`; write verdict.json, or refusal.json and fail.

    safe_harbor.json has a line for each of the categories of the table `safe_harbor`, whatever the verdict; terms.md is
    the text that the release carries; fairness.json tells whom the run loses.

    Args:
        settings: of the gate.
        results: folder with the results of all stages.
        out: results/gate.
        key: the project key.
        policy: the policy's file.
        safe_harbor: the reviewed table of categories.
        deidentify: its section; HIPAA path and dates.
        papers: the steward's papers that are there.
        images: 1 if the release is to hold images.
        reference: none or one, the population that the release is to speak for.

    Raises:
        CurationError: a criterion doesn't hold, an artefact was changed, or the policy file can't be used.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in (VERDICT, REFUSAL, SAFE_HARBOR, TERMS, FAIRNESS, SEAL):  # of an earlier run
        (out / name).unlink(missing_ok=True)
    file = load_policy(policy)
    desk = read_desk(papers, key)
    population = read_reference(reference[0]) if reference else None
    found = _judge(file, Reader(results, key), deidentify, load_table(safe_harbor), desk, images > 0, population)
    verdict, ends = found.verdict, found.ends
    tables.write(out / OUTCOMES, outcomes_table(ends))
    write_json(out / SAFE_HARBOR, as_json(found.lines, deidentify.path))
    write_json(out / FAIRNESS, found.fairness)
    if not verdict.holds:
        write_json(out / REFUSAL, verdict.as_json())
        raise _refusal(verdict)
    write_json(out / VERDICT, verdict.as_json())
    (out / TERMS).write_bytes(desk.papers.raw.get(verdict.terms["name"], b""))
    write_seal(out, [VERDICT, OUTCOMES, SAFE_HARBOR, TERMS, FAIRNESS], key)
    log.info("gate: policy %s holds, %d criteria, %s", verdict.policy, len(verdict.findings), _counts(ends))


def read_desk(paths: list[Path], key: Key) -> Desk:
    """The papers and signatures at these paths; a text of terms lies in a folder `terms`.

    Raises:
        CurationError: a file can't be read or understood.
    """
    papers = read_papers({(f"terms/{path.name}" if path.parent.name == "terms" else path.name): path for path in paths})
    return Desk(papers, sheet(papers, APPROVALS, key), sheet(papers, OVERRIDES, key))


@dataclass(frozen=True)
class Found:
    """All that the gate found."""

    verdict: Verdict
    ends: list[Outcome]
    lines: list[Line]
    fairness: Mapping[str, Any]


def _judge(
    file: PolicyFile,
    reader: Reader,
    deidentify: Deidentify,
    treatments: tuple[Treatment, ...],
    desk: Desk,
    images: bool,
    reference: Reference | None,
) -> Found:
    """The verdict, what became of each series, the lines of Safe Harbor, whom the run loses; where an artefact can't be read as its stage wrote it, nothing is measured."""
    key_id = reader.key.key_id
    check_seals(reader)
    if not reader.problems:
        check_attacked(reader)
    if not reader.problems:
        try:
            evidence = read_evidence(reader, deidentify.path, deidentify.dates, treatments)
        except CurationError as error:
            reader.problems.append(f"{error.problem} ({error.found})")
        else:
            evidence = replace(evidence, artefacts=(*RELEASED_TABLES, *(IMAGES if images else ())))
            ends = outcomes(evidence)
            evidence = replace(evidence, fairness=fairness(evidence, ends, reference))
            lines = safe_harbor_lines(evidence, ends)
            return Found(judge(file, evidence, ends, key_id, desk), ends, lines, evidence.fairness)
    legal = legal_status(deidentify.path, deidentify.dates, key_id)
    return Found(broken_seals(file, reader.problems, legal), [], [], {})


def _refusal(verdict: Verdict) -> CurationError:
    failed = len(verdict.decisive())
    return CurationError(
        f"nothing is released: {failed} of the criteria of policy {verdict.policy} "
        f"{'does' if failed == 1 else 'do'} not hold\n{refusal_text(verdict)}",
        wanted="every criterion of the policy to hold",
        found=f"{failed} that {'does' if failed == 1 else 'do'} not",
        fix="do what the criteria's help says, then run snakemake again; results/gate/refusal.json holds all criteria",
    )


def _counts(ends: list[Outcome]) -> str:
    released = sum(end.outcome == "released" for end in ends)
    return f"{released} of {len(ends)} series released"


if __name__ == "__main__":
    command(run)

"""Compare measurements with the policy; fail the run with reasons, or let it pass."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.governance.conservation import Outcome, outcomes, outcomes_table
from radcurate.governance.measures import safe_harbor_lines
from radcurate.governance.policy import PolicyFile, load_policy
from radcurate.governance.safe_harbor import Line, Treatment, as_json, load_table
from radcurate.governance.verdict import Verdict, broken_seals, judge, legal_status, refusal_text
from radcurate.keys import Key
from radcurate.seals import SEAL, write_seal
from radcurate.settings import Deidentify, Gate
from radcurate.stages._command import command
from radcurate.stages._evidence import Reader, check_seals, read_evidence

log = logging.getLogger("radcurate")
VERDICT, REFUSAL, OUTCOMES, SAFE_HARBOR = "verdict.json", "refusal.json", "outcomes.parquet", "safe_harbor.json"


def run(
    settings: Gate, results: Path, out: Path, key: Key, policy: Path, safe_harbor: Path, deidentify: Deidentify
) -> None:
    """Judge this run's sealed artefacts under `results` by `policy`; write verdict.json, or refusal.json and fail.

    safe_harbor.json has a line for each of the categories of the table `safe_harbor`, whatever the verdict.

    Raises:
        CurationError: a criterion doesn't hold, an artefact was changed, or the policy file can't be used.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in (VERDICT, REFUSAL, SAFE_HARBOR, SEAL):  # of an earlier run
        (out / name).unlink(missing_ok=True)
    file = load_policy(policy)
    verdict, ends, lines = _judge(file, results, key, deidentify, load_table(safe_harbor))
    tables.write(out / OUTCOMES, outcomes_table(ends))
    _write_json(out / SAFE_HARBOR, as_json(lines, deidentify.path))
    if not verdict.holds:
        _write_json(out / REFUSAL, verdict.as_json())
        raise _refusal(verdict)
    _write_json(out / VERDICT, verdict.as_json())
    write_seal(out, [VERDICT, OUTCOMES, SAFE_HARBOR], key)
    log.info("gate: policy %s holds, %d criteria, %s", verdict.policy, len(verdict.findings), _counts(ends))


def _judge(
    file: PolicyFile, results: Path, key: Key, deidentify: Deidentify, treatments: tuple[Treatment, ...]
) -> tuple[Verdict, list[Outcome], list[Line]]:
    """The verdict, what became of each series, and the lines of Safe Harbor; where an artefact can't be read as its stage wrote it, nothing is measured."""
    reader = Reader(results, key)
    check_seals(reader)
    if not reader.problems:
        try:
            evidence = read_evidence(reader, deidentify.path, deidentify.dates, treatments)
            ends = outcomes(evidence)
            return judge(file, evidence, ends, key.key_id), ends, safe_harbor_lines(evidence, ends)
        except CurationError as error:
            reader.problems.append(f"{error.problem} ({error.found})")
    legal = legal_status(deidentify.path, deidentify.dates, key.key_id)
    return broken_seals(file, reader.problems, legal), [], []


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


def _write_json(path: Path, content: dict[str, Any]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n")
    temporary.replace(path)


if __name__ == "__main__":
    command(run)

"""What the Snakefile enters into the record of processing when a run begins and ends."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from typing import Any

from radcurate.audit.chain import append
from radcurate.audit.outputs import outcome, sealed_outputs
from radcurate.errors import CurationError
from radcurate.workflow import RESULTS, Run


def record_start(run: Run) -> None:
    """Enter what begins: configuration, code and input, as digests.

    Raises:
        SystemExit: the record can't be written; it was explained on stderr.
    """
    told = {"config": _sha256(run.content()), "code": _sha256(run.codes())}
    if run.key:
        told["source"] = run.key.code("source", run.source_state(), length=32)  # names of files could be guessed
    _record(run, "run started", told)


def record_end(run: Run, done: bool) -> None:
    """Enter what came of it: the seals of all stages, the gate's judgement, the release.

    Raises:
        SystemExit: as `record_start`.
    """
    _record(run, "run ended", {"done": done, "outputs": sealed_outputs(RESULTS), **outcome(RESULTS)})


def _record(run: Run, verb: str, facts: Mapping[str, Any]) -> None:
    if run.key is None:
        return
    try:
        append(RESULTS, run.key, verb, facts)
    except CurationError as error:
        print(f"radcurate: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

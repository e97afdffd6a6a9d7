"""What people decided about series that deface set aside, applied to what it found.

`release` lets a series go on as it is, but only where the stage asks whether there is a face (DOUBTS): what was recognised and
couldn't be removed, or what nobody could read, doesn't go out on anybody's word. `shell` cleans the series' whole space again and takes only the shell. `leave_out`
keeps it out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from radcurate import tables
from radcurate.governance.decisions import Decisions, deface_evidence
from radcurate.keys import Key
from radcurate.stages._faces import Result, Space

STAGE, BY_PERSON = "deface", "released_by_person"
RELEASE, SHELL, LEAVE_OUT = "release", "shell", "leave_out"
# reasons that say: a person who looks can tell whether a face is in view
DOUBTS = frozenset(
    [
        "face_uncertain",
        "head_said_but_not_found",
        "head_in_study_but_not_found",
        "few_planes",
        "partners_disagree",
        "pet_alone",
        "no_geometry",
        "mixed_orientation",
        "mixed_size",
        "colour",
    ]
)
Row = dict[str, Any]


def settle(
    spaces: list[Space], results: list[Result], decisions: Decisions, key: Key, clean: Callable[[Space], Result]
) -> list[Result]:
    """The results with what people decided, in the order of their spaces.

    Args:
        spaces, results: as cleaned where nobody decides.
        decisions: of the run's file.
        key: the project key.
        clean: cleans a space.
    """
    return [_settled(space, result, decisions, key, clean) for space, result in zip(spaces, results, strict=True)]


def _settled(space: Space, result: Result, decisions: Decisions, key: Key, clean: Callable[[Space], Result]) -> Result:
    words = {row["series"]: _word(row, result, decisions, key) for row in result.series}
    if SHELL in words.values() and space.settings.style != SHELL:
        shell = replace(space, settings=space.settings.model_copy(update={"style": SHELL}))
        return _settled(shell, clean(shell), decisions, key, clean)
    for row in result.series:
        asked: set[str] = set()
        doubt = row["reason"] in DOUBTS  # of the stage, whatever people said after
        while (word := _word(row, result, decisions, key)) in (RELEASE, LEAVE_OUT) and word not in asked:
            asked.add(str(word))
            _apply(str(word), row, doubt and _check(row, result).get("passed") is None)
        evidence = _evidence(row, result, key)
        if not asked and row["status"] == tables.QUARANTINED and decisions.void(STAGE, row["series"], evidence):
            row["remedy"] = f"what was decided was about something else than what is found now: {row['remedy']}"
    return result


def _apply(word: str, row: Row, doubt: bool) -> None:
    if word == LEAVE_OUT:
        row |= {"reason": "left_out", "remedy": "a person decided so in the file of decisions"}
    elif doubt:
        row |= {"status": tables.OK, "reason": None, "remedy": None, "face": "none", "decision": BY_PERSON}
    else:
        row["remedy"] = f"a person's word alone doesn't release this: {row['remedy']}"


def _word(row: Row, result: Result, decisions: Decisions, key: Key) -> str | None:
    """What a person said about just what was found in a series that is set aside."""
    if row["status"] != tables.QUARANTINED:
        return None
    line = decisions.of(STAGE, row["series"], _evidence(row, result, key))
    return None if line is None else line.decision


def _evidence(row: Row, result: Result, key: Key) -> str:
    return deface_evidence(key, row["series"], row["reason"] or "", {**row, **_check(row, result)})


def _check(row: Row, result: Result) -> Mapping[str, Any]:
    return next((check for check in result.quality if check["series"] == row["series"]), {})

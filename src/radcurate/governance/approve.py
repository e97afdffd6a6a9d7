"""Signing: what a person stands for when approving a paper or an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from radcurate.errors import CurationError
from radcurate.governance.documents import KINDS, bound, lacking, terms_name
from radcurate.governance.measures import OWED
from radcurate.governance.overrides import NEVER, OVERRIDE, excusable
from radcurate.governance.papers import Papers
from radcurate.governance.policy import Policy
from radcurate.governance.signatures import Signature, signed
from radcurate.keys import Key


@dataclass(frozen=True)
class Person:
    """Who signs, when and why."""

    by: str
    role: str
    date: str
    reason: str


def approval(
    kind: str, person: Person, policy: Policy, papers: Papers, tables: Mapping[str, str], key: Key
) -> Signature:
    """A signature under a paper, for the tables as they are now.

    Args:
        kind: one of `documents.KINDS`.
        person: who signs.
        policy: that it is signed for.
        papers: as they lie there now.
        tables: SHA-256 by name of the tables that are judged.
        key: the project key.

    Raises:
        CurationError: the paper isn't there or not complete, or the person isn't named.
    """
    name, model = KINDS[kind]
    if name and name not in papers.raw:
        raise _cant(f"{kind} can't be signed", f"no config/governance/{name}", _start(name))
    if model is not None and (lack := lacking(papers, name, model)):
        raise _cant(f"{kind} can't be signed", lack, f"complete config/governance/{name}")
    terms = terms_name(papers, policy.name, policy.tier)
    return _sign(person, key, paper=kind, policy=policy.name, judged=bound(kind, papers, tables, terms))


def exception(measure: str, person: Person, policy: Policy, refusal: Mapping[str, Any], key: Key) -> Signature:
    """A signature on an exception from a criterion that didn't hold; a second person's makes it count.

    Args:
        measure: of the criterion.
        person: who signs.
        policy: that is judged by.
        refusal: results/gate/refusal.json.
        key: the project key.

    Raises:
        CurationError: nothing was refused because of it, or nobody can wave it through.
    """
    failed = {one["measure"]: one for one in refusal.get("findings", ()) if not one["holds"]}
    if refusal.get("policy") != policy.name or measure not in failed:
        raise _cant(
            f"there is no exception to make from {measure}",
            "failed: " + (", ".join(sorted(failed)) or "nothing"),
            "run snakemake first; name a measure that the refusal lists",
        )
    if not excusable(measure, failed[measure]["measured"], OWED):
        raise _cant(
            f"nobody can wave {measure} through",
            "not measured" if measure not in OWED and measure not in NEVER else "every policy owes it",
            f"do what helps: {failed[measure]['help']}",
        )
    return _sign(
        person,
        key,
        paper=OVERRIDE,
        policy=policy.name,
        judged=dict(refusal["judged"]),
        criterion=measure,
        numbers=refusal["numbers"],
    )


def _sign(person: Person, key: Key, **about: Any) -> Signature:
    try:
        unsigned = Signature(by=person.by, role=person.role, date=person.date, reason=person.reason, **about)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _cant(
            "this can't be signed", f"--{place}: {first['msg']}", "name a person, a role, a reason and a day"
        ) from None
    return signed(unsigned, key)


def _start(name: str) -> str:
    example = name.replace(".yaml", ".example.yaml")
    return f"copy config/governance/{example} to {name} there and fill it"


def _cant(problem: str, found: str, fix: str) -> CurationError:
    return CurationError(problem, wanted="a person who answers for what is there now", found=found, fix=fix)

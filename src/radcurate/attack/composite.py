"""The composite risk R = p_ri^alpha * u^beta * s^gamma: a link that is right, uniqueness, and an adversary who tries.

It is a product, so it is 0 where any factor is: a fingerprint can still match where nobody is unique by
quasi-identifiers. No gate should look at R alone; every attack has its own limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from radcurate.errors import CurationError

# Capability and motive of whoever may hold the release. Defaults of radcurate: only their order is known.
SCENARIOS: Mapping[str, float] = {"public": 1.0, "controlled": 0.4, "internal": 0.1}


@dataclass(frozen=True)
class Exponents:
    """How much each factor counts, above 0."""

    alpha: float = 1.0
    beta: float = 1.0
    gamma: float = 1.0


def composite(p_ri: float, u: float, s: float, exponents: Exponents = Exponents()) -> float:
    """R, between 0 and 1: 0 where any factor is 0, never falling where one rises.

    Args:
        p_ri: chance that a link is right.
        u: share of unique patients.
        s: the adversary's capability and motive.

    Raises:
        CurationError: a factor outside [0, 1], or an exponent that is not above 0.
    """
    for name, value in (("p_ri", p_ri), ("u", u), ("s", s)):
        if not 0 <= value <= 1:
            raise _wrong(f"factor {name}", "0 to 1", value)
    for name in ("alpha", "beta", "gamma"):
        if not getattr(exponents, name) > 0:
            raise _wrong(f"exponent {name}", "above 0", getattr(exponents, name))
    return float(p_ri**exponents.alpha * u**exponents.beta * s**exponents.gamma)


def document(p_ri: float, u: float, scenario: str, exponents: Exponents) -> dict[str, Any]:
    """R for the scenario, and for the others beside it."""
    each = {name: {"s": s, "R": composite(p_ri, u, s, exponents)} for name, s in SCENARIOS.items()}
    return {
        "p_ri": p_ri,
        "u": u,
        "alpha": exponents.alpha,
        "beta": exponents.beta,
        "gamma": exponents.gamma,
        "scenario": scenario,
        **each[scenario],
        "scenarios": each,
    }


def _wrong(what: str, wanted: str, found: float) -> CurationError:
    return CurationError(
        f"the composite risk has a {what} out of range",
        wanted=wanted,
        found=f"{found:g}",
        fix="correct attack.composite",
    )

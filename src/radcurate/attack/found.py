"""What an attack found: how often it succeeded, how sure that is, and whether the attack could have failed or succeeded.

Every attack gives an `Attack`. The positive control runs the same code where it must succeed (the raw table, or a
planted one where the raw table offers nothing); the negative control runs it on a shuffled table, where it must stay
at chance. An attack whose controls fail has measured nothing, and the gate refuses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from scipy.special import betaincinv

CONFIDENCE = 0.95
RAW, PLANTED, SHUFFLED = "raw table", "planted table", "shuffled table"


@dataclass(frozen=True)
class Interval:
    """Bounds of a share between 0 and 1 at a confidence."""

    low: float
    high: float
    confidence: float = CONFIDENCE


def exact(successes: float, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Two-sided Clopper–Pearson interval (Biometrika 1934); no trial tells nothing: 0 to 1.

    Successes may be fractions (ties count 1/s): the lower bound is that of the whole number below, the upper one
    that of the whole number above, so the interval is never narrower than for whole successes.
    """
    if not trials:
        return Interval(0.0, 1.0, confidence)
    below, above, tail = math.floor(successes + 1e-9), math.ceil(successes - 1e-9), (1 - confidence) / 2
    low = float(betaincinv(below, trials - below + 1, tail)) if below > 0 else 0.0
    high = float(betaincinv(above + 1, trials - above, 1 - tail)) if above < trials else 1.0
    return Interval(low, high, confidence)


@dataclass(frozen=True)
class Share:
    """How often something succeeded.

    Attributes:
        trials: how often it was tried.
        successes: how often it succeeded; ties among s count 1/s.
        rate: successes / trials, or another score between 0 and 1 (balanced accuracy).
        low: lower bound of the rate.
        high: upper bound of the rate.
        chance: what guessing gives.
    """

    trials: int
    successes: float
    rate: float
    low: float
    high: float
    chance: float

    def document(self) -> dict[str, Any]:
        """As in attack.json."""
        return {name: getattr(self, name) for name in ("trials", "successes", "rate", "low", "high", "chance")}


def share(successes: float, trials: int, chance: float, at_most: float = 1.0, confidence: float = CONFIDENCE) -> Share:
    """Counted successes with their exact interval; `at_most` is a bound that holds by construction."""
    bounds = exact(successes, trials, confidence)
    rate = successes / trials if trials else 0.0
    return Share(trials, successes, rate, min(bounds.low, rate), max(rate, min(bounds.high, at_most)), chance)


@dataclass(frozen=True)
class Control:
    """The same attack where the answer is known.

    Attributes:
        found: how often it succeeded there.
        passed: positive: it succeeded; negative: it stayed at chance.
        on: `RAW`, `PLANTED` or `SHUFFLED`.
    """

    found: Share
    passed: bool
    on: str

    def document(self) -> dict[str, Any]:
        """As in attack.json."""
        return {**self.found.document(), "passed": self.passed, "on": self.on}


def at_chance(found: Share, on: str = SHUFFLED) -> Control:
    """A negative control: passed when chance lies in the interval, or above it."""
    return Control(found, found.low <= found.chance + 1e-12, on)


@dataclass(frozen=True)
class Attack:
    """What one attack found.

    Attributes:
        name: linkage, fingerprint, site or differencing.
        detail: one sentence: what was done, what uncertainty the interval covers; or why it does not apply.
        found: on what is to be released; None when the attack does not apply.
        positive: control that must succeed; None only when the attack does not apply.
        negative: control that must stay at chance; likewise.
        columns: names of columns that give it away, most telling first, with weights (any scale, larger tells more).
        further: other shares by name, such as top5.
        numbers: other plain numbers or words by name; no value of a patient, no registry row, no code of the run.
    """

    name: Literal["linkage", "fingerprint", "site", "differencing"]
    detail: str
    found: Share | None
    positive: Control | None = None
    negative: Control | None = None
    columns: Sequence[tuple[str, float]] = ()
    further: Mapping[str, Share] = field(default_factory=dict)
    numbers: Mapping[str, float | int | str | bool | None] = field(default_factory=dict)
    confidence: float = CONFIDENCE

    @property
    def applies(self) -> bool:
        """Whether there was something to attack."""
        return self.found is not None

    @property
    def controls_failed(self) -> list[str]:
        """Names of the controls that failed; an attack that applies and lacks a control fails it."""
        controls = {"positive": self.positive, "negative": self.negative}
        return [
            name
            for name, control in controls.items()
            if (control is None and self.applies) or (control is not None and not control.passed)
        ]

    def document(self) -> dict[str, Any]:
        """As in attack.json; numbers of an attack that does not apply are None."""
        empty = dict.fromkeys(("trials", "successes", "rate", "low", "high", "chance"))
        controls = {"positive": self.positive, "negative": self.negative}
        return {
            "applies": self.applies,
            "detail": self.detail,
            **(self.found.document() if self.found else empty),
            "confidence": self.confidence,
            "controls": {name: control.document() for name, control in controls.items() if control},
            "controls_failed": self.controls_failed,
            "columns": [name for name, _ in self.columns],
            "further": {name: found.document() for name, found in self.further.items()},
            "numbers": dict(self.numbers),
        }


def nothing_to_attack(name: Literal["linkage", "fingerprint", "site", "differencing"], why: str) -> Attack:
    """An attack that can't be made on this release, and why."""
    return Attack(name, why, None)

"""Differencing: what a release and the earlier ones reveal together though none of them does alone.

The attacker holds all releases, links their patients (by code, else by equal feature vectors), and knows of the target
what the quasi-identifiers tell and in which of the releases it is: when somebody withdrew, or was first treated, is known
to some. Candidates are the patients with the same course through the releases, each seen at that release's levels
(for republished tables: Byun et al., Secure Data Management 2006; Xiao and Tao, SIGMOD 2007). Where vectors are means of
groups, sums are subtracted too (see `subtraction`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from radcurate.attack.found import PLANTED, Attack, Control, Share, at_chance, nothing_to_attack
from radcurate.attack.subtraction import subtracted
from radcurate.attack.views import View

NAME: Final = "differencing"
LEAST_FEATURES = 3  # that must be equal for two patients with other codes to be one: three tell nearly everybody apart
FAR = 1 << 62


@dataclass(frozen=True)
class Revealed:
    """A patient whom the releases together reveal: among how many candidates, and how."""

    candidates: int
    how: str  # left | joined | combined | subtracted


def attack_differencing(earlier: Mapping[str, View], now: View, k: int) -> Attack:
    """Count the patients whom the release `now` reveals together with earlier ones.

    A patient counts who is left with fewer than k candidates, and fewer than the earlier releases together, or this one
    alone, leave. An earlier release that shows the same as `now` is passed over, so that a rerun finds the same.

    Args:
        earlier: releases by name, oldest first.
        now: what is to be released.
        k: least number of candidates, as the policy asks for classes.
    """
    others = {name: release for name, release in earlier.items() if release.mark != now.mark}
    if k <= 1:
        return nothing_to_attack(NAME, "k is 1: nobody was to be hidden among others")
    if not others:
        return nothing_to_attack(NAME, "there is no earlier release with other content")
    aligned = [_aligned(release, now) for release in others.values()]
    found = revealed([release for release, _ in aligned], now, k)
    everybody = set(now.shown).union(*(release.shown for release, _ in aligned))
    counted = Counter(one.how for one in found.values())
    numbers = {
        "k": k,
        "earlier_releases": len(others),
        "linked_by_features": sum(linked for _, linked in aligned),
        **{how: counted[how] for how in ("left", "joined", "combined", "subtracted")},
        "least_candidates": min((one.candidates for one in found.values()), default=None),
    }
    return Attack(
        NAME,
        _detail(list(others), found, k),
        _share(len(found), len(everybody)),
        _positive(now, k),
        at_chance(_share(len(revealed([now], _reversed(now), k)), len(now.shown))),
        numbers=numbers,
    )


def revealed(earlier: Sequence[View], now: View, k: int) -> dict[str, Revealed]:
    """Patient -> how the release `now` reveals it together with earlier ones whose patients have the same names."""
    before, alone, together = _crowd(earlier), _crowd([now]), _crowd([*earlier, now])
    found = {}
    for name, candidates in together.items():
        if candidates < min(k, before.get(name, FAR), alone.get(name, FAR)):
            how = "left" if name not in alone else "combined" if name in before else "joined"
            found[name] = Revealed(candidates, how)
    for release in earlier:
        for name, candidates in subtracted(release, now, k).items():
            found.setdefault(name, Revealed(candidates, "subtracted"))
    return found


def _crowd(releases: Sequence[View]) -> dict[str, int]:
    """Patient -> how many patients, itself included, went through the releases as it did."""
    courses: dict[str, list[object]] = defaultdict(lambda: [None] * len(releases))
    for number, release in enumerate(releases):
        for name, shown in release.shown.items():
            courses[name][number] = shown
    keys = {name: tuple(course) for name, course in courses.items()}
    sizes = Counter(keys.values())
    return {name: sizes[key] for name, key in keys.items()}


def _aligned(release: View, now: View) -> tuple[View, int]:
    """The release with the names that `now` uses, and how many patients got them by equal features."""
    mine, theirs = set(release.shown) - set(now.shown), set(now.shown) - set(release.shown)
    shared = sorted(set(release.features) & set(now.features))
    if not mine or not theirs or len(shared) < LEAST_FEATURES:
        return release, 0
    here, there = _only(release, shared, mine), _only(now, shared, theirs)
    names: dict[str, str] = {}
    for vector, old in here.items():
        if len(old) == 1 and len(there.get(vector, ())) == 1:
            names[next(iter(old))] = next(iter(there[vector]))
    times = Counter(names.values())
    names = {old: new for old, new in names.items() if times[new] == 1}
    return release.renamed(names), len(names)


def _only(release: View, shared: Sequence[str], patients: set[str]) -> dict[tuple[object, bytes], set[str]]:
    """Vector -> those of `patients` who have it; a vector that lacks nearly all values names nobody."""
    found: dict[tuple[object, bytes], set[str]] = defaultdict(set)
    told = release.told(shared) >= LEAST_FEATURES
    for owner, block, vector, tells in zip(release.owner, release.block, release.digests(shared), told, strict=True):
        if tells and owner in patients:
            found[block, vector].add(owner)
    return found


def _reversed(release: View) -> View:
    return release.of_rows(range(len(release.owner))[::-1])


def _share(successes: int, trials: int) -> Share:
    """Everybody is tried and the attacker knows all there is to know: the share has no uncertainty."""
    rate = successes / trials if trials else 0.0
    return Share(trials, float(successes), rate, rate, rate, 0.0)


def _positive(now: View, k: int) -> Control:
    """Two planted withdrawals: of one patient out of the largest class, and of one out of a group of k with one mean."""
    crowd = _crowd([now])
    victim = min(crowd, key=lambda name: (-crowd[name], name), default="")
    release = now if crowd.get(victim, 0) > 1 else _planted(k, [0.0] * k)
    victim = victim if release is now else release.owner[0]
    by_class = set(revealed([release], release.without(victim), k)) >= {victim}
    whole, rest = _planted(k, [1.0] * k), _planted(k, [1.0, *([2.0] * (k - 1))]).without("planted 0")
    by_mean = set(subtracted(whole, rest, k)) == {"planted 0"}
    return Control(_share(by_class + by_mean, 2), by_class and by_mean, PLANTED)


def _planted(k: int, means: Sequence[float]) -> View:
    """A class of k patients with one feature."""
    names = [f"planted {number}" for number in range(k)]
    shown = {name: frozenset({(("planted", "all"),)}) for name in names}
    return View(shown, names, names, [()] * k, ("planted",), np.array(means)[:, None])


def _detail(names: Sequence[str], found: Mapping[str, Revealed], k: int) -> str:
    against = f"compared with {', '.join(names)}; everybody was tried, so the interval is the share itself"
    if not found:
        return f"{against}; nobody is left with fewer than {k} candidates"
    return (
        f"{against}; {len(found)} patients are left with fewer than {k} candidates: keep the levels of the earlier release, "
        f"and hold changes back until {k} patients of a class have left or joined"
    )

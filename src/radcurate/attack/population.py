"""How many of the released patients are alone in the population, estimated from the classes of the sample.

Whoever is alone in the population is alone in the sample too, so the sample's share is an upper bound. Three models tell
how much lower the truth is; all are rough at small sampling fractions, and a model that doesn't fit gives no number.

- Pitman: the classes are a draw from Pitman's sampling formula (Hoshino, J. Official Statistics 17, 2001).
- Zayatz: classes of the population are distributed as those of the sample (Zayatz, US Bureau of the Census, 1991).
- SNB: size of a class = 1 + a negative binomial number (Chen and McNulty, J. Official Statistics 14, 1998).

Which to believe: Dankar, El Emam, Neisa and Roffey, BMC Medical Informatics and Decision Making 12:66, 2012.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares, minimize
from scipy.special import digamma, expit, gammaln

from radcurate.errors import CurationError

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
SMALL_FRACTION = 0.1  # Dankar et al.: up to it Pitman, above it the smaller of Zayatz and SNB
EDGE = 1e-4  # a shape parameter this close to the end of its range was driven there: the model doesn't fit
LARGEST_THETA = 1e9


@dataclass(frozen=True)
class Estimate:
    """Share of the patients who are alone in the population; `value` is None where the model didn't converge."""

    value: float | None
    converged: bool
    detail: str


@dataclass(frozen=True)
class Chosen:
    """The estimate to go by; `name` is sample where no model gave one, `value` then an upper bound."""

    name: str
    value: float
    detail: str


@dataclass(frozen=True)
class Uniqueness:
    """Uniqueness in the sample and, by three models, in the population."""

    sample: float
    patients: int
    population: int
    pitman: Estimate
    zayatz: Estimate
    snb: Estimate
    chosen: Chosen

    def document(self) -> dict[str, Any]:
        """As in attack.json, with the sampling fraction."""
        return {**asdict(self), "fraction": self.patients / self.population if self.population else 0.0}


@dataclass(frozen=True)
class _Sample:
    """Distinct class sizes, shape (size,), how many classes have each, people in the population."""

    sizes: Ints
    count: Ints
    population: int

    @property
    def n(self) -> int:
        return int((self.sizes * self.count).sum())

    @property
    def classes(self) -> int:
        return int(self.count.sum())

    @property
    def fraction(self) -> float:
        return self.n / self.population

    def of_size(self, size: int) -> int:
        return int(self.count[self.sizes == size].sum())

    @property
    def unique(self) -> float:
        return self.of_size(1) / self.n


def population_uniqueness(sizes: Ints, population: int) -> Uniqueness:
    """Estimate the share of the patients in classes of these sizes who are alone in a population.

    Args:
        sizes: patients in each equivalence class of the sample, shape (class,), each above 0.
        population: people among whom the patients could be, the patients included.

    Raises:
        CurationError: fewer people in the population than in the sample.
    """
    found, count = np.unique(np.asarray(sizes, dtype=np.int64), return_counts=True)
    sample = _Sample(found, count.astype(np.int64), int(population))
    if found.size and found[0] < 1:
        raise ValueError("an equivalence class holds one patient at least")
    if sample.n > population:
        raise CurationError(
            "the population is smaller than the cohort",
            wanted=f"at least {sample.n} people, the patients included",
            found=str(population),
            fix="correct the size of the population in the configuration",
        )
    plain = _plain(sample)
    if plain is not None:
        exact = 0.0 if not sample.n else sample.unique
        return Uniqueness(exact, sample.n, population, plain, plain, plain, Chosen("sample", exact, plain.detail))
    pitman, zayatz, snb = _pitman(sample), _zayatz(sample), _snb(sample)
    chosen = _choose(sample, pitman, zayatz, snb)
    return Uniqueness(sample.unique, sample.n, population, pitman, zayatz, snb, chosen)


def _plain(sample: _Sample) -> Estimate | None:
    """What needs no model."""
    if not sample.n:
        return Estimate(0.0, True, "nobody is in the sample")
    if not sample.of_size(1):
        return Estimate(0.0, True, "nobody is alone in the sample, so nobody in it is alone in the population")
    if sample.n == sample.population:
        return Estimate(sample.unique, True, "the sample is the whole population")
    return None


def _choose(sample: _Sample, pitman: Estimate, zayatz: Estimate, snb: Estimate) -> Chosen:
    """The rule of Dankar et al. 2012; the sample's share where no model gave a number."""
    if sample.fraction <= SMALL_FRACTION:
        order, why = [("pitman", pitman), ("zayatz", zayatz)], f"a sampling fraction of {SMALL_FRACTION} or less"
    else:
        smaller = sorted([("zayatz", zayatz), ("snb", snb)], key=lambda one: (one[1].value is None, one[1].value or 0))
        order, why = [*smaller, ("pitman", pitman)], f"a sampling fraction above {SMALL_FRACTION}"
    for name, estimate in order:
        if estimate.value is not None:
            return Chosen(name, estimate.value, f"{why} (rule of Dankar et al. 2012)")
    return Chosen("sample", sample.unique, "no model converged; the sample's share is an upper bound")


def _zayatz(sample: _Sample) -> Estimate:
    """P(alone in the population | alone in the sample) by Bayes, class sizes of the population as in the sample.

    The chance that one of a class of j is drawn is hypergeometric: j C(N - j, n - 1) / C(N, n).
    """
    if sample.classes == sample.of_size(1):
        return Estimate(None, False, "everybody is alone in the sample, which tells nothing about larger classes")
    n, people, size = sample.n, sample.population, sample.sizes
    drawn = size <= people - n + 1
    rest = np.where(drawn, people - size, n - 1)  # whatever fits; not used where not drawn
    logs = np.log(size) + _log_choose(rest, n - 1) - _log_choose(np.array([people]), n)
    once = np.where(drawn, np.exp(logs), 0.0) * sample.count
    return Estimate(float(sample.unique * once[size == 1].sum() / once.sum()), True, "no fit is needed")


def _log_choose(of: Ints, chosen: int) -> Reals:
    return np.asarray(gammaln(of + 1.0) - gammaln(chosen + 1.0) - gammaln(of - chosen + 1.0), dtype=np.float64)


def _pitman(sample: _Sample) -> Estimate:
    """Maximum likelihood of Pitman's sampling formula, then the chance that a person of N is alone."""
    if sample.classes in (1, sample.n):
        return Estimate(None, False, "all patients are alike, or all differ: no parameter can be fitted")
    slope = _pitman_slope(sample)
    fit = minimize(slope, np.array([0.0, np.log(sample.classes)]), jac=True, method="BFGS", options={"gtol": 1e-7})
    alpha, theta = _pitman_parameters(fit.x)
    problem = _pitman_problem(float(np.abs(fit.jac).max()), alpha, theta)
    if problem:
        return Estimate(None, False, problem)
    people = sample.population
    alone = gammaln(theta + 1) + gammaln(theta + alpha + people - 1) - gammaln(theta + alpha) - gammaln(theta + people)
    value = min(float(np.exp(alone)), sample.unique)
    return Estimate(value, True, f"alpha {alpha:.4g}, theta {theta:.4g}")


def _pitman_parameters(x: Reals) -> tuple[float, float]:
    """Unbounded numbers to 0 < alpha < 1 and theta > -alpha."""
    alpha = float(expit(x[0]))
    return alpha, float(np.exp(min(x[1], 60.0))) - alpha


def _pitman_slope(sample: _Sample) -> Callable[[Reals], tuple[float, Reals]]:
    """Minus the log-likelihood per patient, and its slope, of the two unbounded numbers.

    log L = sum(log(theta + i alpha), i < u) - sum(log(theta + i), i < n) + sum over classes of sum(log(i - alpha), i < size).
    """
    steps = np.arange(1, sample.classes, dtype=np.float64)
    size, count, n = sample.sizes, sample.count, sample.n

    def slope(x: Reals) -> tuple[float, Reals]:
        alpha, theta = _pitman_parameters(x)
        terms = theta + steps * alpha
        inside = gammaln(size - alpha) - gammaln(1 - alpha)
        value = np.log(terms).sum() - (gammaln(theta + n) - gammaln(theta + 1)) + (count * inside).sum()
        by_theta = (1 / terms).sum() - (digamma(theta + n) - digamma(theta + 1))
        by_alpha = (steps / terms).sum() - (count * (digamma(size - alpha) - digamma(1 - alpha))).sum()
        chained = np.array([(by_alpha - by_theta) * alpha * (1 - alpha), by_theta * (theta + alpha)])
        return -float(value) / n, -chained / n

    return slope


def _pitman_problem(slope: float, alpha: float, theta: float) -> str:
    if alpha < EDGE or alpha > 1 - EDGE:
        return f"the likelihood grows towards the edge alpha = {round(alpha)}: the model does not fit"
    if theta > LARGEST_THETA:
        return "the likelihood grows with theta without end: the model does not fit"
    if not slope < 1e-5:
        return "the search for the largest likelihood did not end"
    return ""


def _snb(sample: _Sample) -> Estimate:
    """Moments of the model: expected classes in the sample, expected sample uniques, people in the population."""
    starts = [np.array([a, b]) for a in (-3.0, 0.0, 2.0) for b in (-6.0, -2.0, 1.0)]
    fits = [least_squares(_snb_gap, start, args=(sample,), xtol=1e-15, ftol=1e-15, gtol=1e-15) for start in starts]
    best = min(fits, key=lambda fit: float(np.abs(fit.fun).max()))
    if not np.abs(best.fun).max() < 1e-6:
        return Estimate(None, False, "no parameters give the classes and the lone patients of this sample")
    alpha, beta = _snb_parameters(best.x)
    if beta < 1e-12 or beta > 1 - 1e-9 or alpha > 1e9 or alpha < 1e-12:
        return Estimate(None, False, "a parameter went to the edge of its range: the model does not fit")
    mean = 1 + alpha * (1 - beta) / beta
    value = min(float(np.exp(alpha * np.log(beta)) / mean), sample.unique)
    return Estimate(value, True, f"alpha {alpha:.4g}, beta {beta:.4g}")


def _snb_parameters(x: Reals) -> tuple[float, float]:
    return float(np.exp(np.clip(x[0], -60, 60))), float(expit(x[1]))


def _snb_gap(x: Reals, sample: _Sample) -> Reals:
    """Expected over found, less 1, of classes and of lone patients when each person is drawn with chance n / N.

    A class of 1 + X people, X negative binomial with generating function (beta / (1 - (1 - beta) z))^alpha, has as
    generating function of its drawn members (1 - pi + pi z) times that at 1 - pi + pi z.
    """
    alpha, beta = _snb_parameters(x)
    pi = sample.fraction
    classes = sample.population / (1 + alpha * (1 - beta) / beta)
    left = pi + beta * (1 - pi)
    nobody_else = np.exp(alpha * np.log(beta / left))
    one_else = nobody_else * alpha * (1 - beta) * pi / left
    seen = classes * (1 - (1 - pi) * nobody_else)
    alone = classes * (pi * nobody_else + (1 - pi) * one_else)
    return np.array([seen / sample.classes - 1, alone / sample.of_size(1) - 1])

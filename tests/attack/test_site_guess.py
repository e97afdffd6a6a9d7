"""A site is told where it left an accent, not where it left none, and the columns that give it away are named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attack.attack_tables import people, table
from radcurate.attack import site
from radcurate.attack.found import PLANTED, RAW
from radcurate.attack.site import Guess, attack_site, given_site, guess_site, interval

NAMES = [f"f{column:03d}" for column in range(40)]


def hospitals(patients: int, number: int = 3) -> list[str]:
    return [f"H{row % number}" for row in range(patients)]


def guessed(values: np.ndarray, where: list[str | None], **options: int) -> Guess:
    found = guess_site(values, NAMES, [f"P{row:03d}" for row in range(len(values))], where, **options)
    assert isinstance(found, Guess)
    return found


def test_a_constant_amid_other_values_gives_a_site_away() -> None:
    """No linear classifier sees it: the constant lies in the middle."""
    values, where = people(60, 40), hospitals(60)
    values[np.array(where) == "H1", 7] = 0.01
    found = guessed(values, where)
    assert found.columns[0][0] == "f007" and found.degenerate == 1
    assert found.p == pytest.approx(1 / 20)
    assert found.share.low > 1 / 3


def test_every_site_is_told_by_constants_of_its_own() -> None:
    values, where = people(45, 40), hospitals(45)
    values[:, 3] = [("H1", "H0", "H2").index(name) for name in where]
    found = guessed(values, where, permutations=5)
    assert found.share.rate > 0.9 and found.share.high - found.share.chance > 0.6
    assert found.columns[0] == ("f003", pytest.approx(1.0))


def test_many_weak_columns_give_a_site_away() -> None:
    values, where = people(120, 40), hospitals(120, 2)
    values += 0.5 * (np.array(where) == "H1")[:, None]
    found = guessed(values, where)
    assert found.share.low > 0.6 and found.p <= 0.05


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_told_where_nothing_differs(seed: int) -> None:
    found = guessed(people(48, 40, seed), hospitals(48), permutations=9)
    assert found.share.low <= 1 / 3 and found.share.rate < 0.5
    assert abs(np.mean(found.null) - 1 / 3) < 0.1


def test_the_interval_is_no_narrower_than_with_shuffled_sites() -> None:
    values, where = people(48, 40), hospitals(48)
    plain, with_null = guessed(values, where, permutations=0), guessed(values, where, permutations=5)
    assert plain.share.rate == with_null.share.rate
    half = 2.7764 * np.std(with_null.null, ddof=1)  # Student's 97.5 % point with four degrees of freedom
    assert with_null.share.high == pytest.approx(max(plain.share.high, plain.share.rate + half), abs=1e-4)
    assert with_null.share.low == pytest.approx(max(0, min(plain.share.low, plain.share.rate - half)), abs=1e-4)


def test_a_small_site_counts_as_much_as_a_large_one() -> None:
    """Guessing the large site always is right for nine of ten patients, and no better than chance."""
    found = guessed(people(80, 40), ["H0" if row % 10 else "H1" for row in range(80)], permutations=0)
    assert abs(found.share.rate - 0.5) < 0.25
    assert found.share.chance == 0.5


def test_rows_of_a_patient_stay_together() -> None:
    """Ten rows of each patient are copies: whoever tested on a patient that he trained on would be right always."""
    values = np.repeat(people(24, 40), 10, axis=0)
    who = [f"P{row // 10:03d}" for row in range(240)]
    where = [f"H{row // 10 % 2}" for row in range(240)]
    found = guess_site(values, NAMES, who, where, permutations=9)
    assert isinstance(found, Guess)
    assert found.share.trials == 24 and found.share.rate < 0.85 and found.p > 0.05


def test_order_of_rows_and_columns_does_not_matter() -> None:
    values, where = people(36, 40), hospitals(36)
    values[2, 5] = np.nan
    values[np.array(where) == "H1", 7] = 0.01
    who = [f"P{row:03d}" for row in range(36)]
    rows, columns = np.random.default_rng(1).permutation(36), np.random.default_rng(2).permutation(40)
    first = guess_site(values, NAMES, who, where, permutations=3)
    mixed = values[np.ix_(rows, columns)]
    second = guess_site(mixed, [NAMES[c] for c in columns], [who[r] for r in rows], [where[r] for r in rows], 3)
    assert first == second


@pytest.mark.parametrize(
    ("where", "word"),
    [
        (["H0"] * 12, "1 sites"),
        (["H0"] * 10 + ["H1"] * 2, "1 of them with 3 patients"),
        ([None] * 12, "0 sites"),
        ([], "0 sites"),
    ],
)
def test_too_few_sites(where: list[str | None], word: str) -> None:
    why = guess_site(people(len(where), 40), NAMES, [f"P{row}" for row in range(len(where))], where)
    assert isinstance(why, str) and word in why


def test_no_column() -> None:
    assert "no column" in str(guess_site(np.empty((12, 0)), [], [f"P{row}" for row in range(12)], hospitals(12)))


def test_missing_and_constant_columns() -> None:
    values, where = people(30, 40), hospitals(30, 2)
    values[:, 0], values[:, 1] = np.nan, 4.0
    values[np.array(where) == "H1", 2] = np.nan  # a value that only one hospital can't measure
    found = guessed(values, where, permutations=5)
    assert found.columns[0][0] == "f002"


def test_small_sites_are_left_out_and_counted() -> None:
    found = guessed(people(26, 40), [*hospitals(24), "H8", "H9"], permutations=1)
    assert (found.sites, found.left_out) == (3, 2)


def test_large_cohorts_are_sampled() -> None:
    patients = site.MOST_PATIENTS + 200
    where = ["H0" if row % 400 else "H1" for row in range(patients)]
    found = guessed(people(patients, 40), where, permutations=0)
    assert found.sampled and site.MOST_PATIENTS - 5 < found.share.trials < site.MOST_PATIENTS + 5
    assert sum(name == "H1" for _, name in found.guessed) == 3


def test_interval_of_two_sites_by_hand() -> None:
    """8 of 10 and 6 of 10, exact intervals 0.4439–0.9748 and 0.2624–0.8784 (Clopper and Pearson's tables)."""
    low, high = interval({"a": 8, "b": 6}, {"a": 10, "b": 10})
    assert low == pytest.approx(0.7 - np.hypot(0.8 - 0.4439, 0.6 - 0.2624) / 2, abs=1e-4)
    assert high == pytest.approx(0.7 + np.hypot(0.9748 - 0.8, 0.8784 - 0.6) / 2, abs=1e-4)


@pytest.mark.parametrize("rates", [(0.5, 0.5, 0.5), (0.95, 0.9, 0.2), (1.0, 0.97, 0.99)])
def test_interval_covers(rates: tuple[float, ...]) -> None:
    rng, sizes, hits = np.random.default_rng(3), (6, 10, 25), 0
    for _ in range(600):
        right = {
            place: int(rng.binomial(size, rate)) for place, (size, rate) in enumerate(zip(sizes, rates, strict=True))
        }
        low, high = interval(right, dict(enumerate(sizes)))
        hits += low - 1e-12 <= np.mean(rates) <= high + 1e-12
    assert hits / 600 > 0.94


def test_attack_on_a_plain_release() -> None:
    values, where = people(48, 20), hospitals(48)
    values[:, 3] = [("H1", "H0", "H2").index(name) for name in where]
    raw = table(values)
    found = attack_site(raw, raw, dict(zip(raw.region, where, strict=True)))
    assert found.found is not None and found.found.rate > 0.9
    assert found.columns[0][0] == "f003"
    assert found.controls_failed == [] and found.positive is not None and found.positive.on == RAW


def test_what_offers_nothing_is_attacked_on_a_planted_table() -> None:
    raw = table(people(36, 20))
    found = attack_site(raw, raw, dict(zip(raw.region, hospitals(36), strict=True)))
    assert found.controls_failed == [] and found.positive is not None and found.positive.on == PLANTED


def test_the_protocol_tells_what_the_features_do_not() -> None:
    where = hospitals(36)
    spacing = np.array([[0.7 if name == "H1" else 0.9 if name == "H2" else 0.8] for name in where])
    raw = replace(table(people(36, 20)), extra_names=("row_spacing",), extra=spacing)
    found = attack_site(raw, raw, dict(zip(raw.region, where, strict=True)))
    assert found.found is not None and found.found.low <= 1 / 3
    assert found.further["with_protocol"].low > 0.6


def test_one_site_does_not_apply() -> None:
    raw = table(people(20, 5))
    found = attack_site(raw, raw, dict.fromkeys(raw.region, "H0"))
    assert not found.applies and "two are needed" in found.detail and found.controls_failed == []


def test_trees_that_learn_nothing_fail_the_positive_control(monkeypatch: pytest.MonkeyPatch) -> None:
    real = site.cross_validated

    def blind(rows, *rest):  # type: ignore[no-untyped-def]
        return real(replace(rows, ranks=np.zeros_like(rows.ranks), bins=np.ones_like(rows.bins)), *rest)

    monkeypatch.setattr(site, "cross_validated", blind)
    raw = table(people(36, 20))
    assert attack_site(raw, raw, dict(zip(raw.region, hospitals(36), strict=True))).controls_failed == ["positive"]


def test_trees_that_know_the_answer_fail_the_negative_control(monkeypatch: pytest.MonkeyPatch) -> None:
    real = site.cross_validated

    def told(rows, label, *rest):  # type: ignore[no-untyped-def]
        return replace(real(rows, label, *rest), guess=label)

    monkeypatch.setattr(site, "cross_validated", told)
    raw = table(people(36, 20))
    assert "negative" in attack_site(raw, raw, dict(zip(raw.region, hospitals(36), strict=True))).controls_failed


def test_what_is_left_of_k_by_hand() -> None:
    """Class a: guessed H0, H0, H1 (right: the first two); class b: H1, H1, H0 (right: all)."""
    patients = {"p1": ("a", "H0", "H0"), "p2": ("a", "H0", "H0"), "p3": ("a", "H0", "H1")}
    patients |= {"p4": ("b", "H1", "H1"), "p5": ("b", "H1", "H1"), "p6": ("b", "H0", "H0")}
    found = guessed(people(18, 40), hospitals(18), permutations=0)
    found = replace(found, guessed={(who, real): guess for who, (_, real, guess) in patients.items()})
    classes = {who: kind for who, (kind, _, _) in patients.items()}
    assert given_site(found, classes) == {"k_before": 3, "k_given_guess": 1, "alone_given_guess": 1}

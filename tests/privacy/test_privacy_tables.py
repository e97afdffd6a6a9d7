"""Ten thousand random tables: nothing released breaks a demand, nothing cheaper exists; and optima that are frozen."""

from __future__ import annotations

import csv
import itertools
import math
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import privacy_oracle as oracle
from privacy_cohorts import cohort_of

from radcurate.privacy.hierarchies import AGE_TOP, AGE_WIDTHS, Rule
from radcurate.privacy.mondrian import mondrian
from radcurate.privacy.search import Board, Cohort, Solution, Targets, search

RULES = {
    "age": Rule("age", AGE_WIDTHS, AGE_TOP, weight=2.0),
    "date": Rule("date", least="month", most="year"),
    "site": Rule("mask"),
    "scanner": Rule("scanner", most="1 word"),
}


def table(chance: random.Random) -> list[dict]:
    """Up to 24 rows of up to 12 patients, with missing values, several rows, one value only, ties."""
    ages = chance.choice([[40.0], [40.0, 41.0, 47.0, 90.0, None], [float(a) for a in range(30, 95, 4)]])
    sites = chance.choice([["A1"], ["A1", "A2", "B1", None], ["north", "south", "northeast"]])
    return [
        {
            "subject": f"P{chance.randrange(12):02}",
            "age": chance.choice(ages),
            "date": chance.choice(["2019-01-05", "2019-02-05", "2020-02-05", None]),
            "site": chance.choice(sites),
            "scanner": chance.choice(["Skyra fit", "Skyra", "Verio", None]),
            "s": chance.choice([1, 2, 3, None]),
        }
        for _ in range(chance.randrange(1, 25))
    ]


def demands(chance: random.Random) -> Targets:
    return Targets(
        k=chance.randrange(1, 6),
        l=chance.choice([1, 1, 1, 2, 3]),
        t=chance.choice([1.0, 1.0, 0.5, 0.3]),
        suppression=chance.choice([0.0, 0.1, 0.3, 1.0]),
        l_entropy=chance.choice([1.0, 1.0, 1.0, 1.5, 2.0]),
        l_recursive=chance.choice([1, 1, 1, 2]),
        t_ordered=chance.choice([1.0, 1.0, 0.4]),
    )


def rules(chance: random.Random) -> dict[str, Rule]:
    """Two or three quasi-identifiers."""
    names = chance.sample(["age", "date", "site", "scanner"], chance.choice([1, 2, 2, 3]))
    return {name: RULES[name] for name in names}


def check(seed: int) -> None:
    chance = random.Random(f"table {seed}")
    rows, chosen, targets = table(chance), rules(chance), demands(chance)
    cohort = cohort_of(rows, chosen)
    found = search(Board(cohort), targets)
    assert not broken(rows, cohort, found, targets), f"table {seed} breaks {targets}"
    labels = {one.column: [dict(zip(one.values, row, strict=True)) for row in one.labels] for one in cohort.ladders}
    levels = {one.column: range(one.least, one.most + 1) for one in cohort.ladders}
    weights = {one.column: one.weight for one in cohort.ladders}
    within, anyhow = oracle.optimum(rows, list(chosen), labels, levels, weights, ["s"], targets)
    assert found.within_budget == (within is not None), f"table {seed}"
    assert found.loss == pytest.approx(anyhow if within is None else within, abs=1e-9), f"table {seed}"
    cut = mondrian(cohort, targets)
    number = {subject: place for place, subject in enumerate(sorted({row["subject"] for row in rows}))}
    shown = [
        {"subject": row["subject"], "s": row["s"]}
        | {name: each[cut.region[number[row["subject"]]]] for name, each in zip(chosen, cut.labels, strict=True)}
        for row in rows
        if cut.kept[number[row["subject"]]]
    ]
    values = [oracle.held(shown, "s")]
    assert not any(oracle.breaks(group, values, targets) for group in oracle.groups(shown, list(chosen)))


def broken(rows: list[dict], cohort: Cohort, found: Solution, targets: Targets) -> bool:
    shown = [
        {"subject": row["subject"], "s": row["s"]}
        | {
            one.column: one.labels[rung][codes[place]]
            for one, rung, codes in zip(cohort.ladders, found.node, cohort.values, strict=True)
        }
        for place, row in enumerate(rows)
        if found.kept[cohort.subject[place]]
    ]
    values = [oracle.held(shown, "s")]
    names = [one.column for one in cohort.ladders]
    return any(oracle.breaks(group, values, targets) for group in oracle.groups(shown, names))


@pytest.mark.parametrize("block", range(3))
def test_random_tables(block: int) -> None:
    for seed in range(block * 100, block * 100 + 100):
        check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_ten_thousand_random_tables(block: int) -> None:
    for seed in range(1000 * block, 1000 * block + 1000):
        check(seed)


STROKE = {
    "gender": Rule("value"),
    "age": Rule("age", AGE_WIDTHS, AGE_TOP),
    "hypertension": Rule("value"),
    "ever_married": Rule("value"),
    "work_type": Rule("value"),
    "Residence_type": Rule("value"),
    "avg_glucose_level": Rule("interval", (10, 50, 100)),
    "smoking_status": Rule("value"),
}
ADULT = {name: Rule("value") for name in ("age", "education", "occupation", "relationship", "sex", "native-country")}
# file, rules, k, suppression, loss, share suppressed: what trying every node gives, see the slow test. The complete cases
# of Adult, for which ARX's optima are known (0.22706 and 0.33944), are not in the test data: adult_anonymized_10.csv has
# 29,452 rows and 6 of the 8 columns, ages hidden in three quarters of them.
FROZEN = [
    ("healthcare-dataset-stroke-data", STROKE, 5, 1.0, 0.233063511831, 0.089823874755),
    ("healthcare-dataset-stroke-data", STROKE, 11, 0.05, 0.382583170254, 0.012133072407),
    ("adult_anonymized_10", ADULT, 11, 1.0, 0.024106203103, 0.024106203103),
    ("adult_anonymized_10", ADULT, 25, 0.05, 0.178521712559, 0.014226055071),
]


def real(real_data: Path, name: str, chosen: dict[str, Rule]) -> Cohort:
    """A patient per row."""
    with (real_data / "pycanon" / "data" / "raw" / f"{name}.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    numbers = {column for column, rule in chosen.items() if rule.kind in ("age", "interval")}
    return cohort_of(
        [
            {"subject": f"{place:06}", "s": 0}
            | {column: float(row[column]) if column in numbers else row[column] for column in chosen}
            for place, row in enumerate(rows)
        ],
        chosen,
    )


@pytest.mark.parametrize(("name", "chosen", "k", "budget", "loss", "share"), FROZEN)
def test_frozen_optima(real_data, name, chosen, k, budget, loss, share):
    found = search(Board(real(real_data, name, chosen)), Targets(k, suppression=budget))
    assert found.loss == pytest.approx(loss, abs=1e-9)
    assert 1 - found.kept.mean() == pytest.approx(share, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "chosen", "k", "budget", "loss", "share"), FROZEN)
def test_frozen_optima_are_the_least_of_all_nodes(real_data, name, chosen, k, budget, loss, share):
    least = min(every_node(real(real_data, name, chosen), k, budget))
    assert least == pytest.approx((loss, share), abs=1e-9)


def every_node(cohort: Cohort, k: int, budget: float) -> Iterator[tuple[float, float]]:
    """Loss and share suppressed of each node within budget, with one row per patient, by counting tuples."""
    n = cohort.n_subjects
    finest = [[one.labels[0][code] for code in codes] for one, codes in zip(cohort.ladders, cohort.values, strict=True)]
    costs = [
        [dict(zip(one.labels[0], oracle.ncp(labels, one.labels[0]), strict=True)) for labels in one.labels]
        for one in cohort.ladders
    ]
    for node in itertools.product(*(range(one.least, one.most + 1) for one in cohort.ladders)):
        shown = zip(
            *(
                [one.labels[rung][code] for code in codes]
                for one, rung, codes in zip(cohort.ladders, node, cohort.values, strict=True)
            ),
            strict=True,
        )
        cells = list(shown)
        sizes = Counter(cells)
        each = zip(*([costs[q][rung][label] for label in finest[q]] for q, rung in enumerate(node)), strict=True)
        paid = [sum(cost) / len(node) if sizes[cell] >= k else 1.0 for cell, cost in zip(cells, each, strict=True)]
        out = sum(size for size in sizes.values() if size < k)
        if out <= budget * n + 1e-9:
            yield math.fsum(paid) / n, out / n

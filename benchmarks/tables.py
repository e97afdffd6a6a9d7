"""Tables that benchmarks/privacy.py measures on, and the same measures by pandas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from radcurate.privacy.coding import Ints
from radcurate.privacy.hierarchies import AGE_TOP, AGE_WIDTHS, ANY, Ladder, Rule, ladder
from radcurate.privacy.search import Cohort


def halving(name: str, sizes: Sequence[int]) -> Ladder:
    """A ladder of `sizes[0]` values in ever fewer groups of equal size."""
    n = sizes[0]
    rungs = [tuple(f"{value * size // n}" for value in range(n)) for size in sizes]
    labels = (*rungs, (ANY,) * n)
    return Ladder(
        name, tuple(f"{v:03}" for v in range(n)), tuple(f"{s} groups" for s in (*sizes, 1)), labels, 0, len(sizes)
    )


def adult_like(n: int = 30_162) -> Cohort:
    """As many rows, columns, values and nodes as Adult's complete cases, with its marginal shares, roughly; drawn at random."""
    chance = np.random.default_rng(0)
    skill = chance.normal(size=n)
    age = np.clip((chance.gamma(2.6, 8.3, n)).astype(np.int64), 0, 73)
    steps = [-2.3, -2.1, -1.9, -1.7, -1.5, -1.3, -1.1, 0.2, 0.9, 1.05, 1.2, 1.9, 2.3, 2.5, 2.6]
    young = chance.choice(7, n, p=[0.75, 0.2, 0.02, 0.01, 0.01, 0.005, 0.005])
    old = chance.choice(7, n, p=[0.18, 0.55, 0.17, 0.035, 0.04, 0.024, 0.001])
    values = {
        "sex": chance.choice(2, n, p=[0.676, 0.324]),
        "age": age,
        "race": chance.choice(5, n, p=[0.86, 0.093, 0.03, 0.01, 0.007]),
        "marital": np.where(age < 10, young, old),
        "education": np.digitize(skill + chance.normal(0, 0.3, n), steps),
        "country": np.where(chance.random(n) < 0.912, 0, np.minimum(1 + chance.geometric(0.12, n), 40)),
        "work": chance.choice(7, n, p=[0.739, 0.083, 0.069, 0.043, 0.036, 0.0295, 0.0005]),
        "occupation": np.clip((skill * 2.5 + chance.normal(0, 3, n) + 7).astype(np.int64), 0, 13),
    }
    sizes = {"sex": [2], "race": [5], "marital": [7, 2], "education": [16, 6, 3], "country": [41, 5], "work": [7, 3]}
    ladders = [halving(name, sizes.get(name, [14, 5])) for name in values]
    ladders[1] = ladder("age", [float(17 + year) for year in range(74)], Rule("age", AGE_WIDTHS))
    return Cohort(np.arange(n), [codes.astype(np.int64) for codes in values.values()], ladders, {})


def hospital(n: int) -> Cohort:
    """Patients of 25 hospitals with 40 scanner models over 12 years."""
    chance = np.random.default_rng(1)
    site = np.minimum(chance.geometric(0.12, n) - 1, 24)
    model = (site * 3 + chance.integers(0, 4, n)) % 40
    values = {
        "age": np.clip(chance.normal(62, 14, n), 0, 99).astype(np.int64),
        "sex": chance.integers(0, 2, n),
        "site": site,
        "date": chance.integers(0, 144, n),
        "model": model,
        "kvp": chance.choice(6, n, p=[0.5, 0.2, 0.15, 0.1, 0.04, 0.01]),
    }
    months = [f"{2008 + month // 12}-{month % 12 + 1:02}-01" for month in range(144)]
    ladders = [
        ladder("age", [float(year) for year in range(100)], Rule("age", AGE_WIDTHS, AGE_TOP)),
        halving("sex", [2]),
        halving("site", [25, 5]),
        ladder("date", months, Rule("date", least="month")),
        halving("model", [40, 6]),
        halving("kvp", [6, 2]),
    ]
    return Cohort(np.arange(n), [codes.astype(np.int64) for codes in values.values()], ladders, {})


def pandas_measures(codes: Sequence[Ints], hidden: Ints, c: float) -> tuple[float, ...]:
    """k, distinct, entropy and recursive l, t by total variation and by ranks, as one would write them with group-by."""
    names = [f"q{place}" for place in range(len(codes))]
    frame = pd.DataFrame(dict(zip(names, codes, strict=True))).assign(s=hidden)
    cells = frame.groupby([*names, "s"], sort=False).size().rename("n").reset_index()
    cells["class"] = cells.groupby(names, sort=False).ngroup()
    by = cells.groupby("class")["n"]
    size = by.sum()
    share = cells["n"] / size.to_numpy()[cells["class"]]
    entropy = np.exp((-share * np.log(share)).groupby(cells["class"]).sum())
    falling = cells.sort_values(["class", "n"], ascending=[True, False])
    grouped = falling.groupby("class")["n"]
    tail = size.to_numpy()[falling["class"]] - (grouped.cumsum() - falling["n"])
    recursive = (grouped.transform("first") < c * tail).groupby(falling["class"]).sum().clip(lower=1)
    table = cells.assign(p=share).pivot(index="class", columns="s", values="p").fillna(0.0)
    overall = frame["s"].value_counts(normalize=True).sort_index()
    apart = (table - overall).to_numpy()
    variation = np.abs(apart).sum(axis=1) / 2
    moved = np.abs(np.cumsum(apart, axis=1)).sum(axis=1) / (len(overall) - 1)
    return size.min(), by.count().min(), entropy.min(), recursive.min(), variation.max(), moved.max()

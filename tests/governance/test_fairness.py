"""Who is lost and who is rare: hand-computed tests, and planted groups that must be flagged."""

from __future__ import annotations

from math import comb
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.errors import CurationError
from radcurate.governance.conservation import Outcome
from radcurate.governance.evidence import Evidence, Files, Member, Step
from radcurate.governance.fairness import (
    age_band,
    fairness,
    fisher,
    read_reference,
    wilson,
)


def evidence(people: dict[str, dict[str, tuple[str, ...]]]) -> Evidence:
    import pyarrow as pa

    members = tuple(Member(f"S-{name}", name, "image", "CT", 1, Step(f"S-{name}", "ok")) for name in people)
    return Evidence(
        members=members, chosen=frozenset(), found=Files(0, 0, {}), reported=None, steps={}, files={}, hits=0, regions={},
        faces={}, study_dates={}, features=pa.table({}), acquisition=pa.table({}), provenance=(), protection={},
        feature_columns=(), reasons={}, rows_of={}, hipaa_path="", dates="", subgroups=people,
    )  # fmt: skip


def cohort(
    women: int, men: int, lost: dict[str, str] | None = None, **more: str
) -> tuple[Evidence, list[Outcome], list[str]]:
    """Patients F000 … and M000 …; `lost` maps some to the stage where their only series ended."""
    names = [f"F{n:03d}" for n in range(women)] + [f"M{n:03d}" for n in range(men)]
    people = {name: {"sex": (name[0],), **{axis: (group,) for axis, group in more.items()}} for name in names}
    lost = lost or {}
    ends = [
        Outcome(f"S-{name}", "image", "CT", "quarantined" if name in lost else "released", lost.get(name, "release"))
        for name in names
    ]
    return evidence(people), ends, names


def test_fisher_by_hand() -> None:
    # Fisher's tea: 3 of 4 against 1 of 4: p = (1 + 16 + 16 + 1) / 70
    p, least = fisher(3, 4, 1, 4)
    assert p == pytest.approx(34 / 70) and least == pytest.approx(2 / 70)
    assert fisher(4, 4, 0, 4)[0] == pytest.approx(2 / 70)
    assert fisher(0, 5, 0, 9) == pytest.approx((1.0, 1.0))


@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_fisher_against_counting(n: int, m: int, data: st.DataObject) -> None:
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    weight = {x: comb(n, x) * comb(m, a + b - x) for x in range(n + 1) if 0 <= a + b - x <= m}
    exact = sum(w for w in weight.values() if w <= weight[a]) / comb(n + m, a + b)
    p, least = fisher(a, n, b, m)
    assert p == pytest.approx(exact, rel=1e-7) and least <= p * (1 + 1e-7)


def test_wilson_by_hand() -> None:
    # 2 of 10 at z = 1.96: centre (2 + 1.9207) / 13.8415 = 0.28326, half 1.95996 / 13.8415 * sqrt(1.6 + 0.96036) = 0.22658
    assert wilson(2, 10) == pytest.approx((0.05668, 0.50984), abs=1e-4)
    assert wilson(0, 10)[0] == 0.0 and wilson(10, 10)[1] == 1.0 and wilson(0, 0) == (0.0, 1.0)


def test_a_fair_run_has_no_flag() -> None:
    lost = {f"F{n:03d}": "deface" for n in range(3)} | {f"M{n:03d}": "deface" for n in range(3)}
    found = fairness(*cohort(30, 30, lost)[:2], None)
    assert found["flagged"] == 0 and found["patients"] == 60 and found["released"] == 54
    assert found["axes"]["sex"]["F"] == {"patients": 30, "released": 27, "share": 0.5, "expected": None}


def test_a_defacer_that_fails_for_one_group_is_flagged() -> None:
    data, ends, _ = cohort(20, 20, {f"F{n:03d}": "deface" for n in range(9)})
    found = fairness(data, ends, None)
    flags = {(one["step"], one["axis"], one["group"]) for one in found["flags"]}
    assert ("deface", "sex", "F") in flags and found["flagged"] == len(flags)
    one = next(one for one in found["flags"] if one["step"] == "deface")
    assert (one["patients"], one["hit"], one["rate"], one["others"]) == (20, 9, 0.45, 0.0)
    assert one["p"] == pytest.approx(fisher(9, 20, 0, 20)[0])


def test_the_group_that_is_better_off_is_not_flagged() -> None:
    data, ends, names = cohort(20, 20, {f"M{n:03d}": "redact" for n in range(12)})
    groups = dict(data.subgroups)
    for n, name in enumerate(names):  # three sites, so that each is compared with the others
        groups[name] = {"site": (("H-a", "H-b", "H-c")[n % 3] if name[0] == "F" else "H-d",)}
    found = fairness(evidence(groups), ends, None)
    assert {one["group"] for one in found["flags"]} == {"H-d"}


def test_two_patients_prove_nothing() -> None:
    found = fairness(*cohort(2, 2, {"F000": "deface"})[:2], None)
    assert found["flagged"] == 0


def test_who_was_lost_before_headers_were_read_is_not_called_a_group() -> None:
    data, ends, names = cohort(20, 20, {f"F{n:03d}": "consent" for n in range(10)})
    groups = {name: axes for name, axes in data.subgroups.items() if not (name[0] == "F" and int(name[1:]) < 10)}
    people = evidence({name: groups.get(name, {}) for name in names})
    found = fairness(people, ends, None)
    assert not [one for one in found["comparisons"] if one["step"] == "consent" and one["group"] == "unknown"]
    assert found["axes"]["sex"]["unknown"]["patients"] == 10


def test_under_representation_is_flagged() -> None:
    data, ends, _ = cohort(10, 90)
    found = fairness(data, ends, {"sex": {"F": 0.5, "M": 0.5}})
    flags = [(one["step"], one["group"], one["hit"], one["others"]) for one in found["flags"]]
    assert flags == [("representation", "F", 10, 0.5)]
    assert fairness(*cohort(45, 55)[:2], {"sex": {"F": 0.5, "M": 0.5}})["flagged"] == 0


def test_a_group_that_nobody_belongs_to_is_flagged() -> None:
    found = fairness(*cohort(50, 50)[:2], {"age": {"0-19": 0.2}, "sex": {"O": 0.1}})
    assert [(one["axis"], one["group"]) for one in found["flags"]] == [("sex", "O")]  # nothing is known of ages
    assert found["axes"]["sex"]["O"] == {"patients": 0, "released": 0, "share": 0.0, "expected": 0.1}


def test_several_series_of_a_patient_count_once() -> None:
    data, ends, names = cohort(4, 4, {"F000": "deface"})
    more = [Outcome(f"S-{names[0]}-{n}", "image", "CT", "quarantined", "deface") for n in range(50)]
    members = data.members + tuple(
        Member(end.series, names[0], "image", "CT", 1, Step(end.series, "ok")) for end in more
    )
    twice = Evidence(**{**vars(data), "members": members})
    assert fairness(twice, ends + more, None)["comparisons"] == fairness(data, ends, None)["comparisons"]


@given(st.permutations(range(12)))
def test_order_of_series_does_not_matter(order: list[int]) -> None:
    data, ends, _ = cohort(6, 6, {"F000": "deface", "F001": "redact", "M003": "extract"})
    assert fairness(data, [ends[n] for n in order], None) == fairness(data, ends, None)


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0.0, "0-19"),
        (19.9, "0-19"),
        (20.0, "20-39"),
        (79.9, "60-79"),
        (90.0, "80+"),
        (None, None),
        (float("nan"), None),
    ],
)
def test_age_bands(age: float | None, band: str | None) -> None:
    assert age_band(age) == band


def test_a_reference_is_read(tmp_path: Path) -> None:
    path = tmp_path / "reference.csv"
    path.write_text("axis,group,share\nsex,F,0.51\nsex,M,0.49\nage,80+,0.1\n")
    assert read_reference(path) == {"sex": {"F": 0.51, "M": 0.49}, "age": {"80+": 0.1}}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "axis,group,share\n",
        "group,share\nF,1\n",
        "axis,group,share\nheight,tall,0.5\n",
        "axis,group,share\nsex,F,1.5\n",
        "axis,group,share\nsex,F,nan\n",
        "axis,group,share\nsex,F,0.5\nsex,F,0.5\n",
        "axis,group,share\nsex,F,0.9\nsex,M,0.9\n",
    ],
)
def test_a_reference_that_cannot_be_used(tmp_path: Path, content: str) -> None:
    path = tmp_path / "reference.csv"
    path.write_text(content)
    with pytest.raises(CurationError, match=r"gate\.reference"):
        read_reference(path)


def test_no_reference_file(tmp_path: Path) -> None:
    with pytest.raises(CurationError):
        read_reference(tmp_path / "absent.csv")


def test_chance_alone_flags_one_run_in_twenty_at_most() -> None:
    rng = np.random.default_rng(7)
    runs, alarms = 150, 0
    for _ in range(runs):
        names = [f"p{n}" for n in range(60)]
        people = {
            name: {"sex": ("FM"[rng.integers(2)],), "age": (str(rng.integers(4)),), "site": (f"H-{rng.integers(3)}",)}
            for name in names
        }
        stages = rng.choice(["deface", "redact", "protect", "release"], 60, p=[0.1, 0.1, 0.2, 0.6])
        ends = [
            Outcome(f"S-{name}", "image", "CT", "released" if stage == "release" else "quarantined", str(stage))
            for name, stage in zip(names, stages, strict=True)
        ]
        alarms += fairness(evidence(people), ends, {"sex": {"F": 0.5, "M": 0.5}})["flagged"] > 0
    assert alarms / runs <= 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5


def test_a_patient_of_two_sites_counts_in_both() -> None:
    data, ends, names = cohort(8, 8, {f"F{n:03d}": "deface" for n in range(8)})
    people = {
        name: {"site": ("H-a", "H-b") if name == "F000" else ("H-a" if name[0] == "F" else "H-b",)} for name in names
    }
    found = fairness(evidence(people), ends, None)
    at = {one["group"]: one for one in found["comparisons"] if one["step"] == "deface"}
    assert (at["H-a"]["patients"], at["H-a"]["hit"]) == (8, 8) and (at["H-b"]["patients"], at["H-b"]["hit"]) == (9, 1)
    assert {one["group"] for one in found["flags"]} == {"H-a"}
    assert data.members

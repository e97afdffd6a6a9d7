"""A patient measured again: found in a plain release, not in one of groups, and the attack shows that it can fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attack.attack_tables import in_groups, people, table
from radcurate.attack import fingerprint
from radcurate.attack.fingerprint import attack_fingerprint, match
from radcurate.attack.found import PLANTED, RAW
from radcurate.attack.records import Records
from radcurate.attack.reextraction import reextractions


def test_everybody_is_found_in_a_plain_release() -> None:
    raw = table(people(40, 60))
    found = attack_fingerprint(raw, raw, reextractions(raw))
    assert found.found is not None and found.found.low > 0.95
    assert found.controls_failed == []
    assert found.positive is not None and found.positive.on == RAW


def test_rounding_to_two_bins_hides_nobody() -> None:
    values = people(60, 80)
    raw = table(values)
    found = attack_fingerprint(table((values > 0).astype(float)), raw, reextractions(raw))
    assert found.found is not None and found.found.low > 0.8


@pytest.mark.parametrize("size", [3, 5, 11])
def test_groups_bound_what_can_be_found(size: int) -> None:
    values = people(66, 30)
    raw = table(values)
    found = attack_fingerprint(table(in_groups(values, size)), raw, reextractions(raw))
    assert found.found is not None
    assert found.found.high <= 1 / size + 1e-12
    assert found.further["top5"].high <= min(1, 5 / size) + 1e-12
    assert found.numbers["smallest_class"] == size
    assert found.controls_failed == []


def test_a_small_cohort_in_one_group_is_safe_by_construction() -> None:
    values = people(11, 30)
    raw = table(values)
    found = attack_fingerprint(table(in_groups(values, 11)), raw, reextractions(raw), draws=1)
    assert found.found is not None
    assert found.found.rate == pytest.approx(1 / 11)
    assert found.found.high == pytest.approx(1 / 11)


def test_a_patient_left_out_of_the_groups_is_noticed() -> None:
    values = people(66, 30)
    raw = table(values)
    spoilt = in_groups(values, 11)
    spoilt[40] = values[40]
    found = attack_fingerprint(table(spoilt), raw, reextractions(raw))
    assert found.found is not None
    assert found.numbers["smallest_class"] == 1 and found.numbers["found_mostly"] == 1


def test_the_regions_of_a_patient_are_taken_together() -> None:
    """Two kinds of region, each in groups of its own: alone each hides, together they tell."""
    values = people(60, 20)
    first, second = in_groups(values, 6), in_groups(values[np.r_[0:60:6, 1:60:6, 2:60:6, 3:60:6, 4:60:6, 5:60:6]], 6)
    back = np.empty_like(second)
    back[np.r_[0:60:6, 1:60:6, 2:60:6, 3:60:6, 4:60:6, 5:60:6]] = second
    who = [f"P{row:03d}" for row in range(60)]
    kinds = ["tumour"] * 60 + ["node"] * 60
    raw = table(np.vstack([values, values]), who + who, kinds)
    one = match(table(first), table(values), reextractions(table(values)))
    both = match(table(np.vstack([first, back]), who + who, kinds), raw, reextractions(raw))
    assert min(one.alike) == 6 and min(both.alike) == 1
    assert both.top1 / both.trials > one.top1 / one.trials


def test_whoever_has_the_scan_knows_its_protocol() -> None:
    values = people(44, 20)
    own = [f"spacing {row}" for row in range(44)]
    raw = table(values, protocol=own)
    released = table(in_groups(values, 11), protocol=own)
    found = attack_fingerprint(released, raw, reextractions(raw))
    assert found.found is not None and found.found.high <= 1 / 11 + 1e-12
    assert found.further["same_scan"].low > 0.9


def test_whoever_has_the_scan_can_compute_its_provenance() -> None:
    """A record named by the digests of image and mask leads to its row, however many share the numbers."""
    values = people(44, 20)
    named = replace(table(values), origin=tuple(f"record {row}" for row in range(44)))
    released = replace(named, values=in_groups(values, 11))
    found = attack_fingerprint(released, named, reextractions(named))
    assert found.found is not None and found.found.high <= 1 / 11 + 1e-12
    assert found.further["same_scan"].low > 0.9
    withheld = replace(released, origin=("settings",) * 44)
    assert "same_scan" not in attack_fingerprint(withheld, named, reextractions(named)).further


def test_row_order_does_not_matter() -> None:
    values = people(30, 12)
    values[3, 4] = np.nan
    who = [f"P{row:03d}" for row in range(30)]
    mixed = np.random.default_rng(5).permutation(30)
    plain, other = table(values, who), table(values[mixed], [who[row] for row in mixed])
    first = attack_fingerprint(plain, plain, reextractions(plain)).document()
    assert attack_fingerprint(other, other, reextractions(other)).document() == first


def test_what_offers_nothing_is_attacked_on_a_planted_table() -> None:
    flat = table(np.ones((20, 5)))
    found = attack_fingerprint(flat, flat, reextractions(flat))
    assert found.found is not None
    assert found.found.rate == pytest.approx(1 / 20)
    assert found.positive is not None and found.positive.on == PLANTED and found.positive.passed


def test_an_attack_that_finds_nobody_fails_its_positive_control(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "_scored", lambda records: np.zeros(records.values.shape))
    raw = table(people(40, 60))
    assert attack_fingerprint(raw, raw, reextractions(raw)).controls_failed == ["positive"]


def test_an_attack_that_knows_the_answer_fails_its_negative_control(monkeypatch: pytest.MonkeyPatch) -> None:
    real = fingerprint.ranked

    def told(slices, subject, truths):  # type: ignore[no-untyped-def]
        return [real(slices, subject, [truths[0]])[0] for _ in truths]

    monkeypatch.setattr(fingerprint, "ranked", told)
    raw = table(people(40, 60))
    assert attack_fingerprint(raw, raw, reextractions(raw)).controls_failed == ["negative"]


@pytest.mark.parametrize("patients", [0, 1])
def test_nobody_to_confuse_with(patients: int) -> None:
    raw = table(people(patients, 5))
    found = attack_fingerprint(raw, raw, reextractions(raw))
    assert not found.applies and "two patients" in found.detail


def test_no_features() -> None:
    raw = table(people(10, 0))
    assert "no features" in attack_fingerprint(raw, raw, reextractions(raw)).detail


def test_released_ranges_are_matched_too() -> None:
    """Features in groups, ranges as they were: the ranges give everybody away."""
    values = people(44, 20)
    raw = table(values)
    grouped = table(in_groups(values, 11))
    ends = tuple(name + end for name in raw.names for end in ("_lo", "_hi"))
    both = np.hstack([grouped.values, values[:, np.repeat(np.arange(20), 2)] + np.tile([-0.1, 0.1], 20)])
    leaky = replace(grouped, names=(*grouped.names, *ends), values=both)
    found = attack_fingerprint(leaky, raw, reextractions(raw))
    assert found.found is not None and found.found.low > 0.9
    assert found.numbers["smallest_class"] == 1


def counted_one_by_one(records: Records, whole: bool) -> dict[str, int]:
    """How many patients have the same set of regions, by sets of what the regions are."""
    regions: dict[str, set[object]] = {}
    for row, code in enumerate(records.subject):
        numbers = tuple("none" if np.isnan(value) else value + 0.0 for value in records.values[row].tolist())
        about = (records.protocol[row], *records.origin[row : row + 1]) if whole else ()
        regions.setdefault(code, set()).add((records.modality[row], records.label[row], numbers, about))
    sets = {code: frozenset(found) for code, found in regions.items()}
    return {code: list(sets.values()).count(own) for code, own in sets.items()}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("origin", [False, True])
def test_those_who_look_alike_are_counted_as_one_would(seed: int, origin: bool) -> None:
    rng = np.random.default_rng(seed)
    rows = 60
    values = rng.choice([0.0, -0.0, 1.0, np.nan], (rows, 2))
    who = sorted(f"P{number:02d}" for number in rng.integers(0, 25, rows))
    kinds = rng.choice(["tumour", "node"], rows).tolist()
    records = replace(
        table(values, who, kinds),
        protocol=tuple(rng.choice(["a", "b"], rows).tolist()),
        origin=tuple(rng.choice(["x", "y"], rows).tolist()) if origin else (),
    )
    asked = records.patients[::-2]
    alike, both = fingerprint._alike(records, asked)
    assert alike == [counted_one_by_one(records, whole=False)[code] for code in asked]
    assert both == [counted_one_by_one(records, whole=True)[code] for code in asked]

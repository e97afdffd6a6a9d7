"""The canaries through the rewriter: nothing planted is left in any byte outside the pixels, technical values and pixels stay."""

from __future__ import annotations

import io
import warnings
from collections import Counter
from functools import cache

import numpy as np
import pydicom
import pytest

from deidentify.deid_objects import POLICY, SHIFT, SPARE, SUBJECT, TEST_KEY, YEAR, YEAR_POLICY, ct, to_bytes
from deidentify.test_deid_fast import quick_or_none
from planted_search import left, native_pixels, searchable
from radcurate.canary import HIPAA, Kept, Specimen, specimens
from radcurate.deidentify.dates import DateRule
from radcurate.deidentify.fast import Shortcut
from radcurate.deidentify.instance import rewrite_instance
from radcurate.deidentify.people import numbers_of_dates, numbers_of_ids, words_of_names
from radcurate.deidentify.rewrite import Patient, Rewriter

SPECIMENS = pytest.mark.parametrize("specimen", specimens(), ids=lambda specimen: specimen.name)


@cache
def cleaned(specimen: Specimen, dates: DateRule = SHIFT) -> bytes:
    """The specimen as the run would write it: the patient's names and numbers are known from the hospital's records."""
    rewriter = _rewriter(specimen, dates)
    return rewrite_instance(specimen.data, rewriter, SPARE).data


def _rewriter(specimen: Specimen, dates: DateRule) -> Rewriter:
    words = words_of_names(specimen.patient_names)
    numbers = numbers_of_ids(specimen.patient_ids) | numbers_of_dates(specimen.patient_dates)
    policy = YEAR_POLICY if dates.mode == "year" else POLICY
    return Rewriter(policy, TEST_KEY, Patient(SUBJECT, dates, words, numbers))


def read(data: bytes) -> pydicom.Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(io.BytesIO(data))


@SPECIMENS
@pytest.mark.parametrize("dates", [SHIFT, YEAR], ids=["shift", "year"])
def test_nothing_planted_is_left(specimen: Specimen, dates: DateRule) -> None:
    content = searchable(cleaned(specimen, dates))
    assert not [f"{plant.kind}: {plant.where}" for plant in specimen.plants if left(plant, content)]


@SPECIMENS
def test_pixels_stay(specimen: Specimen) -> None:
    old, new = read(specimen.data), read(cleaned(specimen))
    if "PixelData" not in old:
        assert "PixelData" not in new
    elif native_pixels(old):
        assert native_pixels(new) == native_pixels(old) != b""
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert np.array_equal(new.pixel_array, old.pixel_array)


@SPECIMENS
def test_each_is_of_its_family(specimen: Specimen) -> None:
    assert POLICY.families[specimen.sop_class].name == specimen.family


@pytest.mark.parametrize("dates", [SHIFT, YEAR], ids=["shift", "year"])
def test_the_quick_way_agrees(dates: DateRule) -> None:
    """Alone, after itself, and after canaries of other patients under the same plan."""
    shared = Shortcut(_rewriter(specimens()[0], dates))
    quick = 0
    for specimen in specimens():
        alone = Shortcut(_rewriter(specimen, dates))
        quick += sum(quick_or_none(alone, specimen.data, _rewriter(specimen, dates)) for _ in range(2))
        quick_or_none(shared, specimen.data, _rewriter(specimens()[0], dates))
    print(f"\n{quick} of {2 * len(specimens())} canaries took the quick way, with the same bytes and notes")
    assert quick


def survived(kept: Kept, ds: pydicom.Dataset) -> bool:
    """Whether an attribute has its value; numbers may be written in another way."""
    *above, last = kept.where.split(">")
    for step in above:
        keyword, _, number = step.rstrip("]").partition("[")
        sequence = ds.get(keyword)
        if not sequence or len(sequence) <= int(number or 0):
            return False
        ds = sequence[int(number or 0)]
    if last not in ds:
        return False
    value = ds[last].value
    parts = value if isinstance(value, (list, tuple, pydicom.multival.MultiValue)) else [value]
    wanted = kept.value.split("\\")
    return len(parts) == len(wanted) and all(_same(str(a), b) for a, b in zip(parts, wanted, strict=True))


def _same(found: str, wanted: str) -> bool:
    try:
        return float(found) == pytest.approx(float(wanted), rel=1e-6)
    except ValueError:
        return found.strip() == wanted.strip()


def test_technical_values_are_kept() -> None:
    lost: list[str] = []
    for specimen in specimens():
        ds = read(cleaned(specimen))
        lost += [f"{specimen.name}: {kept.where}" for kept in specimen.keep if not survived(kept, ds)]
    total = sum(len(specimen.keep) for specimen in specimens())
    print(f"\n{total - len(lost)} of {total} technical attributes kept ({1 - len(lost) / total:.2%}); lost: {lost}")
    assert len(lost) <= 0.01 * total


def test_the_count() -> None:
    """What README and the closing note quote."""
    planted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for specimen in specimens():
        content = searchable(cleaned(specimen))
        for plant in specimen.plants:
            planted[plant.hipaa] += 1
            found[plant.hipaa] += left(plant, content)
    kinds = {plant.kind for specimen in specimens() for plant in specimen.plants}
    print(
        f"\n{len(specimens())} specimens, {planted.total()} identifiers planted in {len(kinds)} kinds of place, {found.total()} left"
    )
    for letter, meaning in HIPAA.items():
        print(f"  {letter} {meaning:60s} {planted[letter]:4d} planted, {found[letter]} left")
    assert not found.total()


@pytest.mark.parametrize(("own", "stays"), [("734219", False), ("5734219", True)])
def test_a_time_with_the_patients_own_digits_goes(own: str, stays: bool) -> None:
    """Six digits are found by chance, so that no canary can carry them."""
    rewriter = Rewriter(POLICY, TEST_KEY, Patient(SUBJECT, SHIFT, own_numbers=numbers_of_ids([own])))
    new = read(rewrite_instance(to_bytes(ct(AcquisitionTime="101500.734219")), rewriter, SPARE).data)
    assert (new.AcquisitionTime == "101500.734219") is stays

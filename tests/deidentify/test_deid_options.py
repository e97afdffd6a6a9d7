"""Settings: what stays of the patient and of the device, and what is claimed for it."""

from __future__ import annotations

import io

import pydicom
import pytest
from pydicom.dataset import Dataset

from deidentify.deid_objects import ALLOWLIST, SHIFT, SPARE, SUBJECT, TEST_KEY, VOCABULARY, ct, to_bytes
from radcurate.deidentify.instance import Rewritten, rewrite_instance
from radcurate.deidentify.policy import load_policy
from radcurate.deidentify.rewrite import Patient, Rewriter
from radcurate.settings import Deidentify


def rewritten(ds: Dataset, **settings: object) -> Rewritten:
    policy = load_policy(ALLOWLIST, VOCABULARY, Deidentify(**settings))  # type: ignore[arg-type]
    return rewrite_instance(to_bytes(ds), Rewriter(policy, TEST_KEY, Patient(SUBJECT, SHIFT)), SPARE)


def clean(ds: Dataset, **settings: object) -> Dataset:
    return pydicom.dcmread(io.BytesIO(rewritten(ds, **settings).data))


@pytest.mark.parametrize(
    ("mode", "written", "said"),
    [
        ("years", "047Y", "047Y"), ("five_years", "047Y", "045Y"), ("five_years", "045Y", "045Y"), ("five_years", "089Y", "085Y"),
        ("five_years", "093Y", "090Y"), ("years", "093Y", "090Y"), ("five_years", "018M", "000Y"), ("remove", "047Y", None), ("years", "Doe", "069Y"),
        ("five_years", None, "065Y"), ("remove", None, None),
    ],
)  # fmt: skip
def test_age(mode: str, written: str | None, said: str | None) -> None:
    ds = ct()
    if written:
        ds.PatientAge = written
    result = rewritten(ds, age=mode)
    assert pydicom.dcmread(io.BytesIO(result.data)).get("PatientAge") == said
    assert result.facts.age == (int(said[:3]) if said else None)


@pytest.mark.parametrize(
    ("setting", "weight", "size"),
    [("keep", 72.4, 1.83), ("rounded", 70, 1.85), ("remove", None, None)],
)
def test_weight_and_size(setting: str, weight: float | None, size: float | None) -> None:
    new = clean(ct(PatientWeight="72.4", PatientSize="1.83"), weight=setting, size=setting)
    assert (new.get("PatientWeight"), new.get("PatientSize")) == (weight, size)


def test_sex() -> None:
    assert clean(ct()).PatientSex == "M"
    assert clean(ct(), sex="remove").PatientSex == ""


def test_an_impossible_weight_is_nobodys() -> None:
    assert clean(ct(PatientWeight="7734")).PatientWeight is None
    assert clean(ct(PatientWeight="7734"), weight="rounded").PatientWeight is None


def device() -> Dataset:
    return ct(StationName="CT04", DeviceSerialNumber="45012", GantryID="Quxworth", DeviceUID="1.2.3.4.77")


def test_devices_are_nobodys_business_unless_asked_for() -> None:
    new = clean(device())
    assert not {"StationName", "DeviceSerialNumber", "GantryID", "DeviceUID"} & set(new.dir())
    kept = clean(device(), device_identity=True)
    assert (kept.StationName, kept.DeviceSerialNumber, kept.GantryID) == ("CT04", "45012", "")
    assert kept.DeviceUID == TEST_KEY.uid("1.2.3.4.77")


@pytest.mark.parametrize(
    ("settings", "codes"),
    [
        ({}, {"113100", "113105", "113107", "113108"}),
        ({"device_identity": True}, {"113100", "113105", "113107", "113108", "113109"}),
        ({"safe_private": True}, {"113100", "113105", "113107", "113108", "113111"}),
        ({"age": "remove", "sex": "remove", "size": "remove", "weight": "remove"}, {"113100", "113105", "113107"}),
        ({"dates": "year", "path": "safe_harbor"}, {"113100", "113105", "113108"}),
    ],
)
def test_what_is_claimed(settings: dict[str, object], codes: set[str]) -> None:
    new = clean(ct(), **settings)
    assert {item.CodeValue for item in new.DeidentificationMethodCodeSequence} == codes
    assert all(item.CodingSchemeDesignator == "DCM" for item in new.DeidentificationMethodCodeSequence)


def test_every_setting_changes_the_digest() -> None:
    changes: list[dict[str, object]] = [
        {}, {"age": "five_years"}, {"sex": "remove"}, {"size": "rounded"}, {"weight": "rounded"}, {"device_identity": True},
        {"safe_private": True}, {"dates": "year"}, {"dates": "year", "path": "safe_harbor"},
    ]  # fmt: skip
    digests = [load_policy(ALLOWLIST, VOCABULARY, Deidentify(**one)).digest for one in changes]  # type: ignore[arg-type]
    assert len(set(digests)) == len(digests)

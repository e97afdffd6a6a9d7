"""PET to SUVbw: the rules of QIBA FDG-PET/CT, one by one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import FileDataset
from volume_files import item, plane, save, sequence

from radcurate.volumes.image import read_volume
from radcurate.volumes.problems import VolumeError
from radcurate.volumes.suv import scan_start, suv_factors

DOSE, HALF_LIFE, WEIGHT = 3.7e8, 6586.2, 70.0
STORED = np.array([[0, 100], [2000, 30000]], dtype=np.int16)


def pet(changes: dict[str, Any] | None = None, injection: dict[str, Any] | None = None) -> FileDataset:
    tracer = item(RadionuclideTotalDose=DOSE, RadionuclideHalfLife=HALF_LIFE, RadiopharmaceuticalStartTime="101500.00")
    for name, value in (injection or {}).items():
        setattr(tracer, name, value)
    header = plane(
        STORED, (0, 0, 0), "PT", Units="BQML", DecayCorrection="START", CorrectedImage=["DECY", "ATTN"], PatientWeight=WEIGHT,
        SeriesDate="20200310", SeriesTime="111500", AcquisitionDate="20200310", AcquisitionTime="111500",
    )  # fmt: skip
    header.RadiopharmaceuticalInformationSequence = sequence(tracer)
    for name, value in (changes or {}).items():
        setattr(header, name, value)
    return header


def factor(header: FileDataset) -> float:
    return suv_factors([header])[0]


def after(seconds: float) -> float:
    return WEIGHT * 1000 / (DOSE * 2 ** (-seconds / HALF_LIFE))


def test_start_decays_the_dose_to_the_scan() -> None:
    assert factor(pet()) == pytest.approx(after(3600), rel=1e-12)


def test_values_are_scaled_by_slope_and_factor(tmp_path: Path) -> None:
    paths = save(tmp_path, [pet({"RescaleSlope": 1.25})])
    volume = read_volume(paths)
    assert volume.unit == "SUVbw"
    np.testing.assert_allclose(volume.values[0], STORED * 1.25 * after(3600), rtol=1e-12)


def test_admin_is_not_decayed_again() -> None:
    assert factor(pet({"DecayCorrection": "ADMIN"})) == pytest.approx(after(0))


def test_none_uses_each_planes_own_time_and_the_mean_activity_of_the_frame() -> None:
    header = pet({"DecayCorrection": "NONE", "AcquisitionTime": "113000", "ActualFrameDuration": 120000})
    rate = math.log(2) / HALF_LIFE
    mean = (1 - math.exp(-rate * 120)) / (rate * 120)
    assert factor(header) == pytest.approx(after(75 * 60) / mean, rel=1e-9)


def test_across_midnight() -> None:
    late = {
        "SeriesDate": "20200311",
        "AcquisitionDate": "20200311",
        "SeriesTime": "001000",
        "AcquisitionTime": "001000",
    }
    assert factor(pet(late, {"RadiopharmaceuticalStartTime": "231000"})) == pytest.approx(after(3600))
    assert factor(pet(late, {"RadiopharmaceuticalStartDateTime": "20200310231000.000000+0100"})) == pytest.approx(
        after(3600)
    )


def test_year_only_dates_across_new_year() -> None:
    late = {
        "SeriesDate": "20210101",
        "AcquisitionDate": "20210101",
        "SeriesTime": "001000",
        "AcquisitionTime": "001000",
    }
    assert factor(pet(late, {"RadiopharmaceuticalStartDateTime": "20200101231000"})) == pytest.approx(after(3600))


def test_a_series_time_after_the_acquisition_is_not_used() -> None:
    first, second = pet({"SeriesTime": "153000"}), pet({"SeriesTime": "153000", "AcquisitionTime": "113000"})
    assert scan_start([second, first]).hour == 11
    assert suv_factors([second, first]) == pytest.approx([after(3600)] * 2)  # all beds are corrected to the first


def test_gml_is_suv_already() -> None:
    assert factor(pet({"Units": "GML", "SUVType": "BW"})) == 1
    assert factor(pet({"Units": "GML"})) == 1


@pytest.mark.parametrize(
    ("changes", "injection", "wanted"),
    [
        ({"Units": "CNTS"}, {}, "suv_units"),
        ({"Units": ""}, {}, "suv_units"),
        ({"Units": "GML", "SUVType": "LBM"}, {}, "suv_type"),
        ({"PatientWeight": None}, {}, "suv_weight"),
        ({"PatientWeight": 70000}, {}, "suv_weight"),
        ({"RadiopharmaceuticalInformationSequence": []}, {}, "suv_dose"),
        ({}, {"RadionuclideTotalDose": None}, "suv_dose"),
        ({}, {"RadionuclideTotalDose": 370}, "suv_dose"),
        ({}, {"RadionuclideHalfLife": None}, "suv_half_life"),
        ({}, {"RadiopharmaceuticalStartTime": None}, "suv_time"),
        ({}, {"RadiopharmaceuticalStartDateTime": "20190310101500"}, "suv_time"),
        ({"CorrectedImage": ["DECY"]}, {}, "suv_corrections"),
        ({"DecayCorrection": ""}, {}, "suv_corrections"),
        ({"SeriesTime": "", "AcquisitionTime": ""}, {}, "suv_time"),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, Any], injection: dict[str, Any], wanted: str) -> None:
    with pytest.raises(VolumeError) as caught:
        factor(pet(changes, injection))
    assert caught.value.reason == wanted


def counts(suv: str, activity: str) -> FileDataset:
    header = pet({"Units": "CNTS"})
    block = header.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(0x00, "DS", suv)
    block.add_new(0x09, "DS", activity)
    return header


def test_counts_of_philips_have_factors_of_their_own() -> None:
    assert factor(counts("0.000551", "1.25")) == pytest.approx(0.000551)
    assert factor(counts("0", "1.25")) == pytest.approx(1.25 * after(3600))
    with pytest.raises(VolumeError, match="SUV"):
        factor(counts("0", "0"))

"""PET to standardised uptake values by body weight.

Follows the vendor-neutral rules of the QIBA profile FDG-PET/CT (SUV computation, "happy path") and PS3.3 C.8.9.1:
SUVbw = activity concentration (Bq/ml) x body weight (g) / injected dose (Bq), with the dose decayed to the moment that
the image was decay-corrected to.
"""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta

import pydicom

from radcurate.volumes.problems import VolumeError

DAY = timedelta(days=1)
PHILIPS = "Philips PET Private Group"


def suv_factors(headers: list[pydicom.Dataset]) -> list[float]:
    """For each instance of a PET series the factor from rescaled values to SUVbw (g/ml).

    Raises:
        VolumeError: suv_units, suv_type, suv_weight, suv_dose, suv_half_life, suv_time, suv_corrections.
    """
    units = {str(header.get("Units", "")).strip().upper() for header in headers}
    if units == {"GML"}:
        return [_already_suv(header) for header in headers]
    if units == {"CNTS"} and all(PHILIPS in _creators(header) for header in headers):
        start = scan_start(headers)
        return [_from_counts(header, start) for header in headers]
    if units != {"BQML"}:
        raise _problem(
            "suv_units",
            "the PET can't be turned into SUV",
            "Units BQML or GML",
            "counts, whose factor is a private element that de-identification removes"
            if "CNTS" in units
            else "other Units",
            "set deidentify.safe_private: true for Philips counts, or export the series in Bq/ml or SUV",
        )
    start = scan_start(headers)
    return [_factor(header, start) for header in headers]


def _creators(header: pydicom.Dataset) -> set[str]:
    """Creators of private blocks of group 7053."""
    group = header.group_dataset(0x7053)
    return {str(element.value).strip() for element in group if 0x10 <= element.tag.element <= 0xFF}


def _from_counts(header: pydicom.Dataset, start: datetime) -> float:
    """Factor of Philips counts (QIBA): (7053,xx00) leads to SUVbw, or (7053,xx09) to Bq/ml."""
    block = header.private_block(0x7053, PHILIPS)
    suv, activity = (float(block[number].value or 0) if number in block else 0.0 for number in (0x00, 0x09))
    if suv > 0:
        return suv
    if activity > 0:
        return activity * _factor(header, start)
    raise _problem(
        "suv_units",
        "the PET can't be turned into SUV",
        "the vendor's factor for counts above 0",
        "0",
        "export the series in Bq/ml or SUV",
    )


def _already_suv(header: pydicom.Dataset) -> float:
    if str(header.get("SUVType") or "BW").strip().upper() != "BW":
        raise _problem(
            "suv_type",
            "the PET holds another SUV",
            "SUVType BW",
            "lean mass, surface or ideal weight",
            "export it in Bq/ml or SUVbw",
        )
    return 1.0


def scan_start(headers: list[pydicom.Dataset]) -> datetime:
    """Reference time of a series that is decay-corrected to START.

    It is the earliest acquisition of the series (its first bed). The series' own time is only used where it is
    earlier, or there is no acquisition time: post-processing writes a later one.
    """
    moments = [
        moment
        for header in headers
        for moment in (_acquired(header), _moment(header, "SeriesDate", "SeriesTime"))
        if moment
    ]
    if not moments:
        raise _problem(
            "suv_time",
            "the PET has no scan time",
            "AcquisitionDate/Time or SeriesDate/Time",
            "neither",
            "export it with its times",
        )
    return min(moments)


def _acquired(header: pydicom.Dataset) -> datetime | None:
    return _date_time(header.get("AcquisitionDateTime")) or _moment(header, "AcquisitionDate", "AcquisitionTime")


def _factor(header: pydicom.Dataset, start: datetime) -> float:
    corrected = {str(name).upper() for name in _several(header.get("CorrectedImage"))}
    if corrected and "ATTN" not in corrected:
        raise _problem(
            "suv_corrections",
            "the PET is not attenuation-corrected",
            "ATTN in CorrectedImage",
            "none",
            "use the corrected reconstruction",
        )
    weight, (dose, half_life, injected) = _weight(header), _injection(header, start)
    correction = str(header.get("DecayCorrection") or "").strip().upper()
    grams = weight * 1000
    if correction == "ADMIN":
        return grams / dose
    if correction == "START":
        return grams / (dose * _remaining(injected, start, half_life))
    if correction == "NONE":
        moment = _acquired(header) or start
        frame = float(header.get("ActualFrameDuration") or 0) / 1000
        decay = math.log(2) * frame / half_life
        average = -math.expm1(-decay) / decay if decay else 1.0  # of the activity during the frame
        return grams / (dose * _remaining(injected, moment, half_life) * average)
    raise _problem(
        "suv_corrections",
        "unknown decay correction",
        "DecayCorrection START, ADMIN or NONE",
        "none of them",
        "export the original header",
    )


def _weight(header: pydicom.Dataset) -> float:
    weight = float(header.get("PatientWeight") or 0)
    if not 0.5 <= weight <= 700:
        raise _problem(
            "suv_weight",
            "the PET has no usable body weight",
            "PatientWeight in kg",
            "none, or out of 0.5 to 700",
            "add the weight at the source",
        )
    return weight


def _injection(header: pydicom.Dataset, start: datetime) -> tuple[float, float, datetime]:
    """Dose in Bq, half-life in s, and the moment of injection."""
    items = list(header.get("RadiopharmaceuticalInformationSequence") or [])
    if len(items) != 1:
        raise _problem(
            "suv_dose",
            "the PET has no injected dose",
            "one RadiopharmaceuticalInformationSequence item",
            f"{len(items)}",
            "add the dose at the source",
        )
    dose, half_life = (float(items[0].get(name) or 0) for name in ("RadionuclideTotalDose", "RadionuclideHalfLife"))
    if dose < 1e5:
        raise _problem(
            "suv_dose",
            "the PET has no usable dose",
            "RadionuclideTotalDose in Bq",
            "none, or too small for Bq",
            "correct the dose at the source",
        )
    if half_life <= 0:
        raise _problem(
            "suv_half_life", "the PET has no half-life", "RadionuclideHalfLife in s", "none", "correct it at the source"
        )
    return dose, half_life, _injected(header, items[0], start)


def _injected(header: pydicom.Dataset, item: pydicom.Dataset, start: datetime) -> datetime:
    moment = _date_time(item.get("RadiopharmaceuticalStartDateTime"))
    if moment is None:
        time = _seconds(item.get("RadiopharmaceuticalStartTime"))
        if time is None:
            raise _problem(
                "suv_time",
                "the PET has no time of injection",
                "RadiopharmaceuticalStartDateTime or …StartTime",
                "neither",
                "add it at the source",
            )
        moment = datetime.combine(start.date(), datetime.min.time()) + timedelta(seconds=time)
    if _new_year(moment, start):  # dates reduced to years: only the times of day still tell the interval
        moment = datetime.combine(start.date(), moment.time())
    if start < moment <= start + DAY:  # across midnight
        moment -= DAY
    return moment


def _new_year(injected: datetime, start: datetime) -> bool:
    return (injected.month, injected.day, start.month, start.day) == (1, 1, 1, 1) and abs(
        start.year - injected.year
    ) == 1


def _remaining(injected: datetime, moment: datetime, half_life: float) -> float:
    """Share of the dose that is left at `moment`."""
    elapsed = (moment - injected).total_seconds()
    if not 0 <= elapsed <= 12 * half_life:
        raise _problem(
            "suv_time",
            "injection and scan do not fit together",
            "an injection before the scan, by at most 12 half-lives",
            "another interval",
            "correct the times at the source",
        )
    return float(2.0 ** (-elapsed / half_life))


def _several(value: object) -> list[object]:
    if value is None or value == "":
        return []
    return [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]


def _moment(header: pydicom.Dataset, day: str, time: str) -> datetime | None:
    text, seconds = str(header.get(day) or "").replace(".", "").strip(), _seconds(header.get(time))
    if len(text) != 8 or not text.isdigit() or seconds is None:
        return None
    return _combine(text, seconds)


def _combine(day: str, seconds: float) -> datetime | None:
    try:
        whole = date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        return None
    return datetime.combine(whole, datetime.min.time()) + timedelta(seconds=seconds)


def _date_time(value: object) -> datetime | None:
    """A DT value (PS3.5 6.2) of at least a day and an hour; its offset from UTC is ignored, as times in DICOM are local."""
    text = str(value or "").strip()
    for sign in "+-":
        text = text.split(sign)[0]
    seconds = _seconds(text[8:])
    return _combine(text[:8], seconds) if text[:8].isdigit() and seconds is not None else None


def _seconds(value: object) -> float | None:
    """Seconds since midnight of a TM value (PS3.5 6.2), with or without colons."""
    text = str(value if value is not None else "").replace(":", "").strip()
    whole, _, fraction = text.partition(".")
    if len(whole) not in (2, 4, 6) or not whole.isdigit() or (fraction and not fraction.isdigit()):
        return None
    hours, minutes, seconds = int(whole[:2]), int(whole[2:4] or 0), int(whole[4:6] or 0)
    return hours * 3600 + minutes * 60 + seconds + float(f"0.{fraction or 0}")


def _problem(reason: str, sentence: str, wanted: str, found: str, fix: str) -> VolumeError:
    return VolumeError(reason, sentence, wanted=wanted, found=found, fix=fix)

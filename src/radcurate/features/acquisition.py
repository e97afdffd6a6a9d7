"""Technical attributes of an image series from its cleaned header: the conditions that feature values depend on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pydicom import Dataset
from pydicom.multival import MultiValue

# column -> DICOM keywords, the first one that is there counts. Enhanced objects keep them in functional groups.
TEXTS: dict[str, tuple[str, ...]] = {
    "manufacturer": ("Manufacturer",),
    "model": ("ManufacturerModelName",),
    "software": ("SoftwareVersions",),
    "body_part": ("BodyPartExamined",),
    "patient_position": ("PatientPosition",),
    "kernel": ("ConvolutionKernel",),
    "contrast_agent": ("ContrastBolusAgent",),
    "scanning_sequence": ("ScanningSequence", "EchoPulseSequence"),
    "sequence_variant": ("SequenceVariant",),
    "acquisition_type": ("MRAcquisitionType",),
    "tracer": ("Radiopharmaceutical",),
    "pet_units": ("Units",),
    "decay_correction": ("DecayCorrection",),
    "attenuation_correction": ("AttenuationCorrectionMethod",),
    "scatter_correction": ("ScatterCorrectionMethod",),
    "reconstruction_method": ("ReconstructionMethod", "ReconstructionAlgorithm"),
}
NUMBERS: dict[str, tuple[str, ...]] = {
    "slice_thickness": ("SliceThickness",),
    "kvp": ("KVP",),
    "tube_current": ("XRayTubeCurrent", "XRayTubeCurrentInmA"),
    "exposure": ("Exposure", "ExposureInmAs"),
    "ctdi_vol": ("CTDIvol",),
    "pitch": ("SpiralPitchFactor",),
    "reconstruction_diameter": ("ReconstructionDiameter",),
    "repetition_time": ("RepetitionTime",),
    "echo_time": ("EchoTime", "EffectiveEchoTime"),
    "inversion_time": ("InversionTime",),
    "flip_angle": ("FlipAngle",),
    "field_strength": ("MagneticFieldStrength",),
    "echo_train_length": ("EchoTrainLength",),
    "pixel_bandwidth": ("PixelBandwidth",),
    "averages": ("NumberOfAverages",),
    "half_life": ("RadionuclideHalfLife",),
    "injected_dose": ("RadionuclideTotalDose",),
    "frame_duration": ("ActualFrameDuration",),
}
CODES = {"radionuclide": "RadionuclideCodeSequence", "tracer": "RadiopharmaceuticalCodeSequence"}
# Where enhanced and PET objects keep attributes, in the order they are looked through.
NESTS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "RadiopharmaceuticalInformationSequence")


def attributes(header: Dataset) -> dict[str, str | float | None]:
    """The attributes of one cleaned header under the column names of acquisition.parquet; None where it doesn't tell."""
    places = list(_places(header))
    found: dict[str, str | float | None] = {}
    for column, keywords in TEXTS.items():
        found[column] = _text(_first(places, keywords))
    for column, keywords in NUMBERS.items():
        found[column] = _number(_first(places, keywords))
    for column, keyword in CODES.items():
        coded = _first(places, (keyword,))
        found[column] = (_text(coded[0].get("CodeMeaning")) if coded else None) or found.get(column)
    return found


def _places(header: Dataset) -> Iterator[Dataset]:
    """The header, then the first item of each nest and of the sequences in it."""
    yield header
    for nest in NESTS:
        for item in list(header.get(nest) or [])[:1]:
            yield item
            for element in item:
                if element.VR == "SQ" and element.value:
                    yield element.value[0]


def _first(places: list[Dataset], keywords: tuple[str, ...]) -> Any:
    for keyword in keywords:
        for place in places:
            value = place.get(keyword)
            if value is not None and value != "" and value != []:
                return value
    return None


def _text(value: Any) -> str | None:
    if value is None:
        return None
    parts = value if isinstance(value, (MultiValue, list, tuple)) else [value]
    return "\\".join(str(part).strip() for part in parts) or None


def _number(value: Any) -> float | None:
    if isinstance(value, (MultiValue, list, tuple)):
        value = value[0] if len(value) else None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None

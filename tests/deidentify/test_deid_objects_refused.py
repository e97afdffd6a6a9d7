"""Each kind of object that is no image is refused with its own reason."""

from __future__ import annotations

import pytest
from pydicom import uid

from deidentify.deid_objects import POLICY, ct, rewrite
from radcurate.deidentify.objects import refusal
from radcurate.dicom.problems import Unsafe


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("BasicTextSRStorage", "structured_report"),
        ("XRayRadiationDoseSRStorage", "structured_report"),
        ("KeyObjectSelectionDocumentStorage", "structured_report"),
        ("ProcedureLogStorage", "structured_report"),
        ("EncapsulatedPDFStorage", "encapsulated_document"),
        ("EncapsulatedCDAStorage", "encapsulated_document"),
        ("EncapsulatedSTLStorage", "encapsulated_document"),
        ("VideoEndoscopicImageStorage", "video"),
        ("TwelveLeadECGWaveformStorage", "waveform"),
        ("GrayscaleSoftcopyPresentationStateStorage", "presentation_state"),
        ("RawDataStorage", "raw_data"),
        ("SpatialRegistrationStorage", "no_image"),
        ("RealWorldValueMappingStorage", "no_image"),
        ("ColorPaletteStorage", "no_image"),
        ("VLWholeSlideMicroscopyImageStorage", "sop_class"),
    ],
)
def test_the_reason_tells_the_kind_of_object(name: str, reason: str) -> None:
    with pytest.raises(Unsafe) as verdict:
        rewrite(ct(SOPClassUID=getattr(uid, name)))
    assert verdict.value.reason == reason and verdict.value.remedy


def test_every_storage_class_is_in_a_family_or_refused() -> None:
    for number, entry in uid.UID_dictionary.items():
        if entry[1] == "SOP Class" and number not in POLICY.families:
            verdict = refusal(number)
            assert verdict.reason and verdict.remedy


@pytest.mark.parametrize("sop_class", ["", "1.2.3.4", "not a UID"])
def test_unknown_classes_are_refused(sop_class: str) -> None:
    assert refusal(sop_class).reason in ("no_sop_class", "sop_class")

"""Who is in the cohort: cases with their scans, defects and consent. All names are invented.

Of the first 28, three may not be used (no consent, withdrawn, another purpose). The other 25 fall into five groups of
five by sex, age in steps of 20 years and year of the study; by exact age, hospital and date each of them is alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, JPEG2000Lossless, RLELossless


@dataclass(frozen=True)
class Scan:
    """One image series and what is drawn on it.

    region head | chest; contour rtstruct | seg | nifti | none; link: what of the contour's references resolves
    (instance | series | frame_of_reference | grid); hole: none | planar | xor; visit 0 or 1 (90 days later);
    defect: none | slice_gap; face: whether the face is in the field of view; burned: on which slices name and number are
    drawn into the pixels (none | all | one).
    """

    modality: str
    region: str
    contour: str = "none"
    link: str = "instance"
    weighting: str = "T1"
    plane: str = "axial"
    syntax: UID | None = None
    hole: str = "none"
    visit: int = 0
    defect: str = "none"
    face: bool = True
    body_part: str = ""
    burned: str = "none"

    @property
    def shows_face(self) -> bool:
        """Whether a face is in view."""
        return self.region == "head" and self.face


@dataclass(frozen=True)
class Case:
    """A patient. name as in PatientName; consent broad | dynamic | waiver | none | withdrawn | teaching.

    hostile: keyword of a harmless attribute that somebody typed an identifier into; extras: defects and oddities beside
    the series: mixed_folder, stray (files that are no DICOM), truncated, duplicate, orphan, dicomdir, overnight; pictures of
    other modalities: ultrasound, dose_screen, x_ray.
    """

    hospital: str
    name: str
    sex: str
    age: int
    scans: tuple[Scan, ...]
    consent: str = "broad"
    hostile: str = ""
    extras: tuple[str, ...] = ()

    @property
    def excluded(self) -> str:
        """Reason why none of the patient's series may be used for research, or nothing."""
        return {"none": "no_record", "withdrawn": "withdrawn", "teaching": "other_purpose"}.get(self.consent, "")


def _chest(contour: str = "rtstruct", **more: object) -> Scan:
    return replace(Scan("CT", "chest", contour), **more)  # type: ignore[arg-type]


def _head_ct(contour: str = "rtstruct", **more: object) -> Scan:
    return replace(Scan("CT", "head", contour), **more)  # type: ignore[arg-type]


def _head_mr(contour: str = "seg", **more: object) -> Scan:
    return replace(Scan("MR", "head", contour), **more)  # type: ignore[arg-type]


def _pet(contour: str) -> Scan:
    return Scan("PT", "chest", contour)


CASES: tuple[Case, ...] = (
    Case("A", "Meier^Hans^Jörg", "M", 47, (_head_ct(),), hostile="BodyPartExamined", extras=("stray",)),
    Case("A", "Grünwald-Öhrmann^Käthe", "F", 41, (_head_mr(), _head_mr(weighting="T2", burned="all")), extras=("mixed_folder",)),
    Case("A", "Brüggenkamp^Lutz", "M", 63, (_chest(hole="planar", burned="all"),), hostile="ConvolutionKernel", extras=("truncated", "dose_screen")),
    Case("A", "Zwölfender^Adelheid", "F", 81, (_chest(), _pet("rtstruct")), "dynamic", extras=("x_ray",)),
    Case("A", "Hinterstößer^Wim", "M", 58, (_head_ct("seg"),)),
    Case("A", "Quellmann^Ortrud", "F", 61, (_chest("seg", syntax=JPEG2000Lossless, body_part="HEAD", burned="one"),), "waiver", "AcquisitionNumber"),
    Case("A", "Falkenstiel^Gisela", "F", 49, (_chest(), _chest(visit=1, burned="one")), extras=("ultrasound",)),
    Case("A", "Überreiter^Hedwig^^Dr.", "F", 92, (_head_ct(),)),
    Case("A", "Tannhäusler^Egon", "M", 51, (_chest(),), "none"),
    Case("B", "Thistlewick^Maude^Ann", "F", 64, (_head_mr(plane="sagittal", syntax=ExplicitVRBigEndian),)),
    Case("B", "O'Quillan^Rory", "M", 71, (_head_ct(link="series", body_part="CHEST"),), "dynamic"),
    Case("B", "Brambleford^Agnes", "F", 53, (_chest("nifti", link="grid"),)),
    Case("B", "Pottersmead^Clive^^Mr", "M", 52, (_chest("none"), _pet("seg"))),
    Case("B", "Wexcombe-Hale^Dorothy", "F", 84, (_head_mr("rtstruct", weighting="T2", link="frame_of_reference"),), hostile="SequenceName"),
    Case("B", "Harkwright^Ned", "M", 66, (_chest(),), extras=("duplicate",)),
    Case("B", "Lindqvist Farrow^Edith", "F", 69, (_chest("seg"), _pet("rtstruct")), hostile="Radiopharmaceutical", extras=("overnight",)),
    Case("B", "Osgodby^Miles", "M", 57, (_head_ct(),), "withdrawn"),
    Case("B", "Nettlefold^Joan", "F", 57, (_chest(syntax=DeflatedExplicitVRLittleEndian),), "broad", "ManufacturerModelName"),
    Case("B", "Crowhurstley^Alban", "M", 44, (_chest(hole="xor"),)),
    Case("C", "Beauchêne-Rivaud^Mireille", "F", 72, (_head_mr("nifti", link="grid"),), "dynamic", "ImageType"),
    Case("C", "Châtelguyon^Lucien", "M", 75, (_head_ct("seg", syntax=RLELossless),)),
    Case("C", "Fontbrune^Solange", "F", 45, (_head_ct(face=False),)),
    Case("C", "Wángshì^Xiǎodōng=王世^小东", "M", 55, (_chest("rtstruct"), _pet("seg"))),
    Case("C", "Delacroisette^Éloïse", "F", 86, (_head_mr("none", defect="slice_gap"), _head_mr(weighting="T2", plane="oblique"))),
    Case("C", "Montferrier^Gaspard", "M", 68, (_chest(),), "waiver", extras=("dicomdir",)),
    Case("C", "Sœurlac^Noémie", "F", 78, (_chest(),), extras=("orphan",)),
    Case("C", "Vieilleville^Armand", "M", 60, (_head_ct(),), "teaching"),
    Case("C", "Peyrefleur^Odile", "F", 88, (_chest("seg"),), hostile="ContrastBolusAgent"),
)  # fmt: skip

_SYLLABLES = (
    "bal",
    "dor",
    "fen",
    "gris",
    "hol",
    "kam",
    "lorn",
    "mer",
    "nox",
    "pell",
    "quar",
    "rav",
    "stel",
    "torv",
    "wint",
    "zab",
)


def case(index: int) -> Case:
    """The patient at a position; after the written ones, plain chest CTs of further invented people."""
    if index < len(CASES):
        return CASES[index]
    rest, number = divmod(index, len(_SYLLABLES))
    rest, middle = divmod(rest, len(_SYLLABLES))
    surname = (_SYLLABLES[rest % len(_SYLLABLES)] + _SYLLABLES[middle] + _SYLLABLES[number] + "son").capitalize()
    sex = "MF"[index % 2]
    age = (47, 66, 55, 74)[index // 2 % 4]
    return Case("ABC"[index % 3], f"{surname}^{'Jo' if sex == 'F' else 'Al'}", sex, age, (_chest(),))

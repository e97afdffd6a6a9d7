"""The truth about a cohort, which only tests read: what was planted, what there is, what should become of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from radcurate.demo.planting import Plant


@dataclass
class Identifier:
    """A planted identifier. file: below export/, one that holds it (in its path where place is file_name);
    codec: Python's name of the encoding of its bytes; patient: PatientID."""

    value: str
    kind: str
    place: str
    patient: str
    file: str
    codec: str


@dataclass
class Lesion:
    """A drawn tumour. volume_ml: voxels of its mask; suv: mean and maximum SUVbw within it, for PET."""

    label: str
    volume_ml: float
    voxels: int
    suv_mean: float | None = None
    suv_max: float | None = None


@dataclass
class SeriesTruth:
    """A series of the export.

    kind image | rtstruct | seg | nifti | picture; outcome released | excluded:… | quarantined:…; face: a face is in view;
    has_roi: a contour that can be used is drawn on it (an image without one is quarantined:no_contour);
    images, link: for contours, the SeriesInstanceUIDs of their image and how the reference resolves;
    lesions: for contours what they hold; files below export/.
    """

    patient: str
    series_uid: str
    kind: str
    modality: str
    hospital: str
    outcome: str
    region: str = ""
    face: bool = False
    has_roi: bool = False
    images: list[str] = field(default_factory=list)
    link: str | None = None
    lesions: list[Lesion] = field(default_factory=list)
    transfer_syntax: str = ""
    files: list[str] = field(default_factory=list)


@dataclass
class PatientTruth:
    """Attributes by which somebody could be singled out, and the reason for exclusion (empty: may be used)."""

    patient: str
    hospital: str
    sex: str
    age: int
    study_date: str
    excluded: str


@dataclass
class TextTruth:
    """A line drawn into the pixels of a file. box: top, left, bottom, right; names: whether it names the patient, a date or
    a hospital."""

    series_uid: str
    file: str
    text: str
    box: tuple[int, int, int, int]
    names: bool


@dataclass
class FileTruth:
    """A file that is no part of a series. outcome such as quarantined:not_dicom."""

    file: str
    outcome: str


@dataclass
class Truth:
    """Everything."""

    seed: int
    patients: list[PatientTruth] = field(default_factory=list)
    series: list[SeriesTruth] = field(default_factory=list)
    files: list[FileTruth] = field(default_factory=list)
    identifiers: list[Identifier] = field(default_factory=list)
    texts: list[TextTruth] = field(default_factory=list)

    def planted(self, plants: list[Plant], patient: str, file: str, codec: str) -> None:
        """Note plants of a file."""
        for one in plants:
            self.identifiers.append(Identifier(one.value, one.kind, one.place, patient, file, codec))

    def moved(self, names: dict[str, str]) -> None:
        """Follow files that were renamed."""
        for series in self.series:
            series.files = [names.get(name, name) for name in series.files]
        for identifier in self.identifiers:
            identifier.file = names.get(identifier.file, identifier.file)
        for text in self.texts:
            text.file = names.get(text.file, text.file)

    def write(self, path: Path) -> None:
        """As JSON, the same bytes for the same truth."""
        path.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

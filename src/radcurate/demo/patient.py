"""One patient of the cohort: anatomy, images and contours of each scan, written as their hospital would."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.uid import UID

from radcurate.demo import anatomy, chest, pictures, planting, scanner
from radcurate.demo.body import Body, Tumour
from radcurate.demo.contours import Region, Target, rtstruct, seg
from radcurate.demo.dicom_writer import common_header, image_header, slices, write
from radcurate.demo.geometry import AXIAL, SAGITTAL, Floats, Geometry, rotation
from radcurate.demo.hospitals import HOSPITALS, Hospital
from radcurate.demo.lettering import Box, about, burn
from radcurate.demo.nifti import write_mask
from radcurate.demo.people import Person, Pet, Scanner, Series, Study, uid
from radcurate.demo.planting import Plant, Subject
from radcurate.demo.roster import Case, Scan
from radcurate.demo.truth import Lesion, PatientTruth, SeriesTruth, TextTruth, Truth

SCALE = 0.4  # of burned-in letters: capitals of nine pixels


@dataclass
class Chart:
    """A patient under work. series_count numbers the series within the patient."""

    case: Case
    subject: Subject
    seed: int
    first_day: date
    export: Path
    truth: Truth
    series_count: int = 1
    studies: dict[int, Study] = field(default_factory=dict)

    @property
    def hospital(self) -> Hospital:
        """Where the patient was."""
        return self.subject.hospital

    @property
    def person(self) -> Person:
        """Who the patient is."""
        return self.subject.person

    def study(self, visit: int, region: str) -> Study:
        """The visit's study; the second one is 90 days later."""
        if visit not in self.studies:
            number = self.seed % 100000 * 10 + visit
            late = "overnight" in self.case.extras
            self.studies[visit] = Study(
                uid(self.seed, "study", visit),
                uid(self.seed, "frame", visit),
                self.first_day + timedelta(days=90 * visit),
                "234100" if late else f"{8 + self.seed % 9:02d}{self.seed * 7 % 60:02d}{self.seed * 13 % 60:02d}",
                f"ST{number + 3001:07d}",
                f"{self.hospital.code}{number + 7001:09d}",
                f"{region.title()} staging",
            )
        return self.studies[visit]

    def outcome(self, otherwise: str = "released") -> str:
        """Expected outcome of a series: excluded with its patient, or `otherwise`."""
        return f"excluded:{self.case.excluded}" if self.case.excluded else otherwise


def chart(case: Case, index: int, seed: int, export: Path, truth: Truth) -> Chart:
    """Invent the rest of a patient: number, birth date, address, relatives."""
    rng = np.random.default_rng([seed, index, 41])
    hospital = HOSPITALS[case.hospital]
    first_day = date(2023, 1, 9) + timedelta(days=int(rng.integers(0, 250)))
    born = date(first_day.year - case.age, first_day.month, min(first_day.day, 28)) - timedelta(
        days=int(rng.integers(1, 360))
    )
    weight, size = (float(v) for v in (rng.uniform(52, 98), rng.uniform(1.55, 1.9)))
    n = int(rng.integers(1_000_00, 9_999_99)) * 10 + index % 10
    person = Person(hospital.id_form.format(n=n), case.name, case.sex, case.age, born, round(weight, 1), round(size, 2))
    subject = Subject(
        person,
        hospital,
        index,
        hospital.phone.format(n=int(rng.integers(100000, 999999))),
        hospital.street.format(n=index * 3 + 11),
        f"VK{int(rng.integers(10**8, 10**9))}",
        f"{person.surname[:3]}{('ingersen', 'aberty', 'oulmont')[index % 3]}^{('Ilse', 'Ruth', 'Jean')[index % 3]}",
    )
    truth.patients.append(
        PatientTruth(person.patient_id, case.hospital, case.sex, case.age, first_day.isoformat(), case.excluded)
    )
    return Chart(case, subject, seed * 1009 + index * 31 + 5, first_day, export, truth)


def geometry_of(hospital: Hospital, scan: Scan) -> Geometry:
    """The hospital's grid for a scan, in body coordinates."""
    (planes, pixels), (thick, pixel) = hospital.head if scan.region == "head" else hospital.chest
    if scan.modality == "PT":
        return Geometry((planes, 80, 80), (thick, 4.6, 4.6)).centred()
    if scan.region == "chest":
        return Geometry((planes, pixels, pixels), (thick, pixel, pixel)).centred()
    if scan.plane == "sagittal":
        return Geometry((66, pixels, pixels), (3.0, pixel, pixel), axes=SAGITTAL).centred((0, -10, -30))
    if not scan.face:
        return Geometry((28, pixels, pixels), (3.0, pixel, pixel), axes=AXIAL).centred((0, -4, 44))
    geometry = Geometry((planes, pixels, pixels), (thick, pixel, pixel), axes=AXIAL)
    if scan.plane == "oblique":
        geometry = geometry.turned(rotation((-9.0, 0.0, 0.0)))
    return geometry.centred((0, -10, -30))


def body_of(work: Chart, scan: Scan) -> Body:
    """The patient's anatomy on the grid of a scan; the tumour has grown at the second visit."""
    hollow = 0.45 if scan.hole != "none" else 0.0
    geometry = geometry_of(work.hospital, scan)
    rng = np.random.default_rng([work.seed, 51])
    side, size = float(rng.choice([-1.0, 1.0])), float(rng.uniform(0.85, 1.2)) * (1 + 0.2 * scan.visit)
    a, b, c = (float(v) for v in rng.uniform(0.85, 1.15, 3) * size)
    lobes = float(rng.uniform(1.0, 3.0))
    if scan.region == "head":
        centre = (side * float(rng.uniform(24, 36)), float(rng.uniform(-20, 40)), float(rng.uniform(18, 42)))
        body = anatomy.head(geometry, work.seed, Tumour(centre, (12 * a, 12 * b, 12 * c), hollow, lobes))
    else:
        scale = 22.0 if hollow else 17.0
        centre = (side * float(rng.uniform(70, 92)), float(rng.uniform(-15, 30)), float(rng.uniform(-5, 38)))
        body = chest.chest(geometry, work.seed, Tumour(centre, (scale * a, scale * b, scale * c), hollow, lobes))
    table = np.round(rng.uniform(-30, 30, 3) + np.array([0, -150, 400]), 1)
    origin = tuple(round(float(o + t), 3) for o, t in zip(geometry.origin, table, strict=True))
    return replace(body, geometry=replace(geometry, origin=(origin[0], origin[1], origin[2])))


def write_scan(work: Chart, scan: Scan) -> None:
    """Write an image series and what is drawn on it."""
    body = body_of(work, scan)
    study = work.study(scan.visit, scan.region)
    series = _series(work, scan)
    values = _values(work, scan, body)
    written = _burned(work, scan, values)
    unit = (
        values * np.float32(series.pet.dose_at_scan / (work.person.weight * 1000)) if scan.modality == "PT" else values
    )
    header = image_header(work.person, study, work.hospital.scanners[scan.modality], series, work.hospital.charset)
    plants = _planted(work, header, study, series)
    if work.case.hostile:
        plants += planting.type_into(header, work.case.hostile, work.subject)
    datasets = list(slices(header, unit, body.geometry, last_first=work.hospital.code == "B"))
    note = SeriesTruth(
        work.person.patient_id,
        series.series_uid,
        "image",
        scan.modality,
        work.case.hospital,
        work.outcome(_image_outcome(scan)),
        scan.region,
        scan.shows_face,
        scan.contour != "none" and scan.defect == "none",
    )
    _write_images(work, scan, study, series, datasets, plants, note)
    for plane, text, box in written:
        work.truth.texts.append(TextTruth(series.series_uid, note.files[plane], text, box, names=True))
    if scan.contour != "none":
        write_contour(work, scan, body, values, Target.of(datasets))


def _burned(work: Chart, scan: Scan, values: Floats) -> list[tuple[int, str, Box]]:
    """Draw name and number into planes, in place, in the corners; (plane, line, box) of each."""
    planes = {"none": [], "one": [len(values) // 3], "all": range(len(values))}[scan.burned]
    level = 1500.0 if scan.modality == "CT" else float(values.max())
    found: list[tuple[int, str, Box]] = []
    for plane in planes:
        name, number, _ = about(work.person)
        for text, top in ((name, 3), (number, values.shape[1] - 13)):
            found.append((plane, text, burn(values[plane], text, top, 3, level, SCALE)))
    return found


def write_picture(work: Chart, kind: str) -> None:
    """Write an ultrasound, a dose_screen or an x_ray of the first visit, a file each."""
    scan = work.case.scans[0]
    study = work.study(0, scan.region)
    modality = {"ultrasound": "US", "dose_screen": "CT", "x_ray": "CR"}[kind]
    device = work.hospital.scanners.get(modality) or Scanner(
        "DEMO IMAGING", f"{modality} Two", f"{modality}1", f"{modality}-3301-77042"
    )
    series = replace(_series(work, scan, modality), description=kind.replace("_", " "), protocol="")
    header = common_header(work.person, study, device, series, work.hospital.charset)
    header.SOPInstanceUID, header.InstanceNumber = uid(series.series_uid, 0), 1
    plants = _planted(work, header, study, series)
    if kind == "ultrasound":
        lines = pictures.ultrasound(header, work.person, study, work.hospital.name, work.seed)
    elif kind == "dose_screen":
        lines = pictures.dose_screen(header, work.person, study, work.hospital.name)
    else:
        lines = pictures.chest_x_ray(header, _values(work, scan, body_of(work, scan)))
    note = SeriesTruth(work.person.patient_id, series.series_uid, "picture", modality, work.case.hospital, "")
    note.outcome = work.outcome("quarantined:mostly_text" if kind == "dose_screen" else "excluded:picture")
    note.files = [_path(work, study, series, 1, header.SOPInstanceUID)]
    meta, preamble, meta_plants = planting.file_meta(work.subject, thorough=work.subject.number % 3 == 0)
    write(header, work.export / note.files[0], work.hospital.syntax, preamble, meta)
    for text, box in lines:
        work.truth.texts.append(TextTruth(series.series_uid, note.files[0], text, box, names=kind != "x_ray"))
    plants += [*meta_plants, Plant(str(header.SOPInstanceUID), "uid", "SOPInstanceUID")]
    _finish(work, note, plants, work.hospital.syntax)


def _image_outcome(scan: Scan) -> str:
    """An image that nothing is drawn on gives no features, so it can't be part of a release."""
    if scan.defect == "slice_gap":
        return "quarantined:slice_gap"
    return "quarantined:no_contour" if scan.contour == "none" else "released"


def _series(work: Chart, scan: Scan, modality: str = "") -> Series:
    work.series_count += 1
    late = "overnight" in work.case.extras and scan.modality == "PT"
    pet = Pet(
        dose=2.4e8 + work.seed % 97 * 1e6,
        uptake=3300.0 + work.seed % 13 * 60,
        with_date=work.hospital.code != "A",
    )
    return Series(
        uid(work.seed, "series", work.series_count),
        modality or scan.modality,
        work.series_count,
        f"{scan.region} {scan.modality} {scan.plane}",
        f"{scan.region} {scan.weighting if scan.modality == 'MR' else 'routine'}",
        scan.body_part or ("HEAD" if scan.region == "head" else "CHEST"),
        scan.weighting,
        pet,
        time_offset=3000 if late else 300 * work.series_count,
    )


def _values(work: Chart, scan: Scan, body: Body) -> Floats:
    look, seed = work.hospital.looks[scan.modality], work.seed * 7 + scan.visit
    if scan.modality == "CT":
        return scanner.ct(body, look, seed)
    if scan.modality == "PT":
        return scanner.pt(body, look, seed)
    return scanner.mr(body, look, seed, scanner.T1 if scan.weighting == "T1" else scanner.T2)


def _planted(work: Chart, header: Dataset, study: Study, series: Series) -> list[Plant]:
    if not work.hospital.charset:
        del header.SpecificCharacterSet
    return planting.plant(header, work.subject, study, series)


def _path(work: Chart, study: Study, series: Series, number: int, sop: str) -> str:
    folder = 1 if "mixed_folder" in work.case.extras else series.number
    shown = number + 500 * series.number if "mixed_folder" in work.case.extras else number
    return work.hospital.path(work.person, series.modality, study.day, study.accession, shown, sop, folder)


def _write_images(
    work: Chart,
    scan: Scan,
    study: Study,
    series: Series,
    datasets: list[Dataset],
    plants: list[Plant],
    note: SeriesTruth,
) -> None:
    """Write the slices, all but one in the middle where the defect is a gap; note files and plants."""
    meta, preamble, meta_plants = planting.file_meta(work.subject, thorough=work.subject.number % 3 == 0)
    syntax = scan.syntax or work.hospital.syntax
    lost = len(datasets) // 2 if scan.defect == "slice_gap" else -1
    first_only: list[Plant] = []
    if work.subject.number == 10:
        first_only = planting.hide_at_the_end(datasets[0], work.subject)
    for index, dataset in enumerate(datasets):
        if index != lost:
            name = _path(work, study, series, index + 1, dataset.SOPInstanceUID)
            write(dataset, work.export / name, syntax, preamble, meta)
            note.files.append(name)
    plants = plants + meta_plants + first_only + [Plant(str(datasets[0].SOPInstanceUID), "uid", "SOPInstanceUID")]
    _finish(work, note, plants, syntax)


def _finish(work: Chart, note: SeriesTruth, plants: list[Plant], syntax: UID | str) -> None:
    note.transfer_syntax = str(syntax)
    work.truth.series.append(note)
    first = note.files[0]
    named = [
        Plant(value, kind, "file_name")
        for value, kind in ((work.person.surname, "name"), (work.person.forename, "name"), (note.series_uid, "uid"))
        if value in first
    ]
    work.truth.planted(plants + named, work.person.patient_id, first, work.hospital.codec)


def write_contour(work: Chart, scan: Scan, body: Body, values: Floats, target: Target, orphan: bool = False) -> None:
    """Write what is drawn on a scan as RTSTRUCT, SEG or NIfTI, with its truth."""
    kind = scan.contour
    label = f"GTV {work.person.surname} {work.person.forename}" if work.subject.number % 2 == 0 else "GTV-1"
    regions = [Region(label, body.tumour)]
    if scan.region == "chest" and scan.modality == "CT" and work.subject.number % 4 == 2:
        regions.append(Region("Margin 3 mm", body.tumour - np.float32(3)))
    note = SeriesTruth(
        work.person.patient_id,
        "",
        kind,
        {"rtstruct": "RTSTRUCT", "seg": "SEG", "nifti": "NIFTI"}[kind],
        work.case.hospital,
        work.outcome("quarantined:no_image" if orphan else "released"),
        scan.region,
        images=[target.series_uid] if not orphan else [],
        link=None if orphan else scan.link,
        lesions=[_lesion(r, body, values if scan.modality == "PT" else None) for r in regions],
    )
    if kind == "nifti":
        _write_nifti(work, scan, body, note, label)
    else:
        _write_dicom_contour(work, scan, body, _as_referenced(target, scan, orphan), regions, note)


def _lesion(region: Region, body: Body, suv: Floats | None) -> Lesion:
    count = int(region.mask.sum())
    lesion = Lesion(region.name, count * body.geometry.voxel_ml, count)
    if suv is not None:
        inside = suv[region.mask].astype(float)
        lesion.suv_mean, lesion.suv_max = float(inside.mean()), float(inside.max())
    return lesion


def _as_referenced(target: Target, scan: Scan, orphan: bool) -> Target:
    """What the contour says about its image: instances, then the series, then everything may not exist."""
    if orphan:
        target = replace(target, study_uid=uid(target.study_uid, "lost"), frame_uid=uid(target.frame_uid, "lost"))
    if orphan or scan.link == "frame_of_reference":
        target = replace(target, series_uid=uid(target.series_uid, "lost"))
    if orphan or scan.link in ("series", "frame_of_reference"):
        target = replace(target, instances=[(kind, uid(instance, "lost")) for kind, instance in target.instances])
    return target


def _write_dicom_contour(
    work: Chart, scan: Scan, body: Body, target: Target, regions: list[Region], note: SeriesTruth
) -> None:
    study = work.study(scan.visit, scan.region)
    series = replace(_series(work, scan, note.modality), description="Contours", protocol="Delineation")
    station = Scanner(
        "DEMO THERAPY SYSTEMS", "Outliner 3", f"{work.case.hospital}TPS01", f"TPS-{work.case.hospital}-553", "3.2"
    )
    header = common_header(work.person, study, station, series, work.hospital.charset)
    header.FrameOfReferenceUID = target.frame_uid
    plants = _planted(work, header, replace(study, frame_uid=target.frame_uid), series)
    plants += _contour_names(work, header, regions, note.kind)
    if note.kind == "rtstruct":
        shape = "CLOSEDPLANAR_XOR" if scan.hole == "xor" else "CLOSED_PLANAR"
        dataset = rtstruct(header, body.geometry, target, regions, shape)
    else:
        dataset = seg(header, body.geometry, target, regions)
    note.series_uid = series.series_uid
    note.files = [_path(work, study, series, 1, dataset.SOPInstanceUID)]
    meta, preamble, meta_plants = planting.file_meta(work.subject, thorough=work.subject.number % 3 == 0)
    write(dataset, work.export / note.files[0], work.hospital.syntax, preamble, meta)
    plants += [*meta_plants, Plant(str(dataset.SOPInstanceUID), "uid", "SOPInstanceUID")]
    _finish(work, note, plants, work.hospital.syntax)


def _contour_names(work: Chart, header: Dataset, regions: list[Region], kind: str) -> list[Plant]:
    surname, doctor = work.person.surname, work.hospital.physicians[0]
    plants = []
    if surname in regions[0].name:
        place = "StructureSetROISequence>ROIName" if kind == "rtstruct" else "SegmentSequence>SegmentLabel"
        plants.append(Plant(f"{surname} {work.person.forename}", "name", place))
    if kind == "rtstruct":
        header.StructureSetLabel = surname[:16]
        header.StructureSetName = f"Plan {surname}"
        return [*plants, Plant(surname[:16], "name", "StructureSetLabel"), Plant(surname, "name", "StructureSetName")]
    header.ContentLabel = planting.plain(surname)
    header.ContentCreatorName = doctor
    return [
        *plants,
        Plant(planting.plain(surname), "name", "ContentLabel"),
        Plant(doctor, "name", "ContentCreatorName"),
    ]


def _write_nifti(work: Chart, scan: Scan, body: Body, note: SeriesTruth, label: str) -> None:
    """A mask beside the image's folder, with the patient's name in its own name and its header."""
    image = next(s for s in work.truth.series if s.series_uid == note.images[0])
    folder = Path(image.files[0]).parent
    note.files = [str(folder / f"GTV_{work.person.surname}.nii.gz")]
    described = write_mask(work.export / note.files[0], body.masks["tumour"], body.geometry, label, work.person)
    _finish(work, note, described, "")

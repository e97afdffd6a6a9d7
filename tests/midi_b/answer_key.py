"""An answer key of our own: from what was planted in the canaries and kept in them, and for a small cohort of linked objects."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from midi_b.scorer import Answer
from radcurate.canary import Plant, Specimen, objects, screens, specimens
from radcurate.canary.build import specimen
from radcurate.canary.invent import Inventor
from radcurate.canary.raw import Value
from radcurate.canary.sheet import Sheet

SCREENS = {"us", "sc", "xray"}
ROWS, COLUMNS, DRAWN = 48, 256, 255  # of a screen with text, and the value that it is drawn in
_EXAMINED = ("date of the examination", "date of a frame")
_UIDS = ("identity of objects", "frame of reference", "dimension")


def cohort() -> list[Specimen]:
    """Three patients, each with two visits of two CT slices, contours on them and a screen with burned-in text."""
    return [one for patient in range(3) for visit in range(2) for one in _visit(patient, visit)]


def _visit(patient: int, visit: int) -> Iterator[Specimen]:
    person = Inventor(f"midi patient {patient}")
    name, number, born = person.name().value, person.record().value, person.day().value
    who = Inventor(f"midi visit {patient} {visit}")
    study, series, space, structures, day = *(who.uid().value for _ in range(4)), who.visited().value
    same: dict[str, Value] = {
        "PatientName": name,
        "PatientID": number,
        "PatientBirthDate": born,
        "StudyInstanceUID": study,
    }
    same |= {"StudyDate": day, "SeriesDate": day}
    made: list[tuple[str, str, Sheet]] = []
    images = [who.uid().value for _ in range(2)]
    for place, uid in enumerate(images):
        slice_ = objects.ct(Inventor(f"midi slice {patient} {visit} {place}"))
        _set(slice_, same | {"SeriesInstanceUID": series, "SOPInstanceUID": uid, "FrameOfReferenceUID": space})
        _set(slice_, {"AcquisitionDate": day, "ContentDate": day})
        made.append((f"slice_{place}", "ct", slice_))
    contours = objects.common(Inventor(f"midi contours {patient} {visit}"), objects.RTSTRUCT, "RTSTRUCT")
    _set(contours, same | {"SeriesInstanceUID": structures})
    _link(contours, study, series, space, images)
    made.append(("contours", "rtstruct", contours))
    screen = objects.common(Inventor(f"midi screen {patient} {visit}"), screens.CAPTURE, "OT")
    _draw(screen, number)
    _set(screen, same)
    made.append(("screen", "sc", screen))
    for title, family, sheet in made:
        yield specimen(f"midi_{patient}_{visit}_{title}", family, sheet)


def _draw(screen: Sheet, text: str) -> None:
    """A picture with a line of text on it."""
    picture = np.full((ROWS, COLUMNS), 20, np.uint8)
    cv2.putText(picture, text, (12, 32), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (DRAWN,), 1, cv2.LINE_AA)
    objects.pixels(screen, 8)
    screen.hold("Rows", (ROWS,))
    screen.hold("Columns", (COLUMNS,))
    screen.put("PixelData", picture.tobytes(), "OB")


def _set(sheet: Sheet, values: dict[str, Value]) -> None:
    """Other values for attributes that are there; the plants follow them."""
    for keyword, value in values.items():
        old = next((plant for plant in sheet.plants if plant.where == keyword), None)
        sheet.put(keyword, value)
        if old is not None:
            sheet.plants.append(Plant(old.kind, old.where, old.category, old.keyword, str(value), old.hipaa))


def _link(contours: Sheet, study: str, series: str, space: str, images: list[str]) -> None:
    frame = contours.item("ReferencedFrameOfReferenceSequence")
    frame.put("FrameOfReferenceUID", space)
    visit = frame.item("RTReferencedStudySequence")
    visit.put("ReferencedSOPInstanceUID", study)
    lines = visit.item("RTReferencedSeriesSequence")
    lines.put("SeriesInstanceUID", series)
    region = contours.item("StructureSetROISequence")
    region.hold("ROINumber", "1")
    region.hold("ROIName", "GTV")
    drawn = contours.item("ROIContourSequence")
    drawn.hold("ReferencedROINumber", "1")
    for image in images:
        picture = lines.item("ContourImageSequence")
        picture.put("ReferencedSOPInstanceUID", image)
        contour = drawn.item("ContourSequence")
        contour.hold("ContourGeometricType", "CLOSED_PLANAR")
        contour.hold("NumberOfContourPoints", "3")
        contour.hold("ContourData", "1\\1\\0\\2\\1\\0\\2\\2\\0")
        contour.item("ContourImageSequence").put("ReferencedSOPInstanceUID", image)


def answers() -> tuple[list[Specimen], list[Answer]]:
    """The files and what has to be so."""
    files = [*specimens(), *cohort()]
    return files, [answer for one in files for answer in _of(one)]


def _of(one: Specimen) -> Iterator[Answer]:
    patient = next(plant.value for plant in one.plants if plant.where == "PatientID")
    for plant in one.plants:
        yield from _removed(one, plant)
    drawn = one.name.endswith("_screen")
    if drawn:
        yield Answer(one.name, "pixels_hidden", "PixelData", patient=patient, box=(0, ROWS, 0, COLUMNS))
    for plant in one.plants:
        if plant.kind in _EXAMINED and "UID" not in plant.keyword:
            yield Answer(one.name, "date_shifted", plant.where, patient=patient)
        elif plant.category == "uid" and (plant.kind in _UIDS or plant.kind.startswith("reference of")):
            yield Answer(one.name, "uid_changed", plant.where)
            yield Answer(one.name, "uid_consistent", plant.where)
    for path in (
        "ReferencedFrameOfReferenceSequence>FrameOfReferenceUID",
        "ROIContourSequence>ContourSequence[1]>ContourImageSequence>ReferencedSOPInstanceUID",
    ):
        if one.name.endswith("contours"):
            yield Answer(one.name, "uid_consistent", path)
    yield Answer(one.name, "patid_consistent", "PatientID")
    for path in ("PatientName", "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "PatientSex"):
        yield Answer(one.name, "tag_retained", path)
    for kept in one.keep:
        yield Answer(one.name, "tag_retained", kept.where)
        yield Answer(one.name, "text_notnull", kept.where)
        yield Answer(one.name, "text_retained", kept.where, kept.value)
    if (
        one.family not in ("rtstruct", "rtplan")
        and not drawn
        and not any(plant.where == "PixelData" for plant in one.plants)
    ):
        yield Answer(one.name, "pixels_retained", "PixelData")


def _removed(one: Specimen, plant: Plant) -> Iterator[Answer]:
    for text in {plant.value, *plant.value.replace("=", "^").split("^")}:
        if len(text) >= 4:
            yield Answer(one.name, "text_removed", plant.where, text)

"""Measures of what was cleaned in pixels: text by redact, faces by deface.

They ask what goes out: a series that was set aside owes nothing. Only the control of the face check counts in every series,
since a check that lets an untouched head pass is worth nothing anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from radcurate.governance.conservation import RELEASED, Outcome
from radcurate.governance.evidence import Evidence, FaceCheck
from radcurate.governance.measure import Measure
from radcurate.governance.value import Value

BY_PERSON = "released_by_person"  # redact's decision where somebody looked and said that what is left tells nobody
IDENTITY = "identity"  # a patient's own words: nobody can say that of them
PICTURES = ("image", "picture")


def named(series: list[str]) -> str:
    """A few pseudonyms, for the reader to look up."""
    shown = sorted({name for name in series if name})
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")


def count(series: list[str]) -> Value:
    """How many, and which."""
    return Value(float(len(series)), named(series))


def _shown(ends: list[Outcome]) -> list[str]:
    """Released series with pixels that show something."""
    return [end.series for end in ends if end.outcome == RELEASED and end.kind in PICTURES]


def _images(ends: list[Outcome]) -> list[str]:
    return [end.series for end in ends if end.outcome == RELEASED and end.kind == "image"]


def _looks(evidence: Evidence, ends: list[Outcome]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What redact says of each released series that it has a row for."""
    return ((series, evidence.looks[series]) for series in _shown(ends) if series in evidence.looks)


def _residual(evidence: Evidence, ends: list[Outcome]) -> Value:
    """Boxes in which the second look read something, as the series' row counts them and as they are listed.

    Where a person released the series, only the patient's own words count.
    """
    left: dict[str, int] = {}
    for series, row in _looks(evidence, ends):
        again = [box for box in evidence.boxes.get(series, ()) if box["pass_number"] != 1 and not _excused(row, box)]
        left[series] = max(row["residual"] or 0, len(again))
    return Value(float(sum(left.values())), named([series for series, n in left.items() if n]))


def _excused(row: Mapping[str, Any], box: Mapping[str, Any]) -> bool:
    """Whether a person said of a box that it tells nobody."""
    return bool(row["decision"] == BY_PERSON and box["kind"] != IDENTITY)


def _unlooked(evidence: Evidence, ends: list[Outcome]) -> Value:
    """Released series without a row of redact, or without a frame that was looked at."""
    return count([series for series in _shown(ends) if not (evidence.looks.get(series) or {}).get("looked")])


def _doubts(evidence: Evidence, ends: list[Outcome]) -> Value:
    """Series with text that was neither filled nor judged by a person; doubts count where it is looked at strictly."""
    found = []
    for series, row in _looks(evidence, ends):
        boxes = [box for box in evidence.boxes.get(series, ()) if box["pass_number"] == 1 and not box["filled"]]
        if any(box["sure"] or row["strict"] is not False for box in boxes if not _excused(row, box)):
            found.append(series)
    return count(found)


def _box_overlap(evidence: Evidence, ends: list[Outcome]) -> Value:
    found = {series: row["overlap_voxels"] for series, row in _looks(evidence, ends) if row["overlap_voxels"]}
    return Value(float(sum(found.values())), named(list(found)))


def _faces(evidence: Evidence, ends: list[Outcome]) -> Value:
    """Released images of which the deface stage doesn't say that there is no face, or that it removed it and checked."""
    return count([series for series in _images(ends) if not _face_resolved(evidence.faces.get(series))])


def _face_resolved(check: FaceCheck | None) -> bool:
    """No face, or one that was removed: all checks passed, the untouched control failed them, nothing else changed.

    A series that was cut by the mask of another one of the same head (PET by its CT) has no measure of its own surface,
    and so no control; the other one's count.
    """
    if check is None or check.face not in ("none", "removed"):
        return False
    found = check.measured
    if check.face == "none":
        return found.get("passed") is not False
    proven = all(found.get(name) is True for name in ("passed", "outside_equal", "inside_filled"))
    return proven and (_borrowed(found) or found.get("control_passed") is False)


def _borrowed(found: Mapping[str, Any]) -> bool:
    return found.get("moved") is None and found.get("control_passed") is None


def _removed(evidence: Evidence, ends: list[Outcome]) -> dict[str, Mapping[str, Any]]:
    """Checks of the released series whose face was removed."""
    checks = ((series, evidence.faces[series]) for series in _images(ends) if series in evidence.faces)
    return {series: check.measured for series, check in checks if check.face == "removed"}


def _roi_overlap(evidence: Evidence, ends: list[Outcome]) -> Value:
    """Voxels of released contours that lie where a face was removed."""
    checks = ((series, evidence.faces[series].measured) for series in _images(ends) if series in evidence.faces)
    voxels = {series: found["overlap_voxels"] for series, found in checks if found.get("overlap_voxels")}
    return Value(float(sum(voxels.values())), named(list(voxels)))


def _face_share(evidence: Evidence, ends: list[Outcome]) -> Value:
    return _least(evidence, ends, "moved")


def _brain_dice(evidence: Evidence, ends: list[Outcome]) -> Value:
    return _least(evidence, ends, "brain_dice")


def _least(evidence: Evidence, ends: list[Outcome], name: str) -> Value:
    """Least of a number over the released faces that were measured by themselves; one that lacks it can't be judged."""
    own = {series: found for series, found in _removed(evidence, ends).items() if not _borrowed(found)}
    if not own:
        return Value(None, "no face was removed", applies=False)
    lacking = [series for series, found in own.items() if found.get(name) is None]
    if lacking:
        return Value(None, f"not measured on {named(lacking)}")
    worst = min(own, key=lambda series: (own[series][name], series))
    return Value(float(own[worst][name]), f"on {worst}, of {len(own)}")


def _outside(evidence: Evidence, ends: list[Outcome]) -> Value:
    return count([s for s, found in _removed(evidence, ends).items() if found.get("outside_equal") is not True])


def _controls(evidence: Evidence, _: list[Outcome]) -> Value:
    """Checks that an untouched head passed, or that another control of theirs didn't hold, in all series of the run."""
    wrong = [
        series
        for series, check in evidence.faces.items()
        if check.measured.get("control_passed") is True or check.measured.get("controls_hold") is False
    ]
    return count(wrong)


_REDACT, _BOXES, _QC = (
    "results/redact/*/series.parquet",
    "results/redact/*/boxes.parquet",
    "results/deface/*/qc.parquet",
)
CLEANING = [
    Measure("redact.unlooked_series", _REDACT, "released images that were not looked at for text", _unlooked),
    Measure("redact.residual_text", _BOXES, "places where text was read after cleaning", _residual),
    Measure(
        "redact.unresolved_doubts", _BOXES, "released images with text that was neither filled nor judged", _doubts
    ),
    Measure("redact.box_overlap", _REDACT, "contour voxels where text was removed", _box_overlap),
    Measure("deface.unresolved_faces", _QC, "released images that may still show a face", _faces),
    Measure("deface.overlap_voxels", _QC, "contour voxels inside a removed face", _roi_overlap),
    Measure("deface.face_share", _QC, "least share of a removed face's surface that moved", _face_share),
    Measure(
        "deface.brain_dice", _QC, "least Dice overlap of a brain before and after its face was removed", _brain_dice
    ),
    Measure("deface.outside_changed", _QC, "released images that changed outside of the removed face", _outside),
    Measure("deface.control_passed", _QC, "face checks that an untouched head passes", _controls),
]

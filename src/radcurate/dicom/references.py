"""What a contour says about its image: series, instances, frame of reference, and points that it goes through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from pydicom.dataset import Dataset

from radcurate.dicom import values
from radcurate.dicom.values import Elements

MOST_POINTS = 900  # sampled evenly over all contours; enough to tell one series from another
LARGEST_CONTOUR = 1 << 24  # bytes of a contour that points are taken from, half a million points
Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class References:
    """Reference UIDs in sorted order and sampled points in mm (LPS)."""

    instances: tuple[str, ...]  # named by the contours or frames themselves, or else by the object
    series: tuple[str, ...]
    frames_of_reference: tuple[str, ...]
    points: tuple[Point, ...]
    regions: int  # contours or frames; 0: nothing is drawn


def read_references(dataset: Elements, kind: str, planes: tuple[tuple[float, ...], ...]) -> References:
    """References of an RTSTRUCT (PS3.3 C.8.8.5, C.8.8.6) or a SEG (C.8.20)."""
    return _rtstruct(dataset) if kind == "rtstruct" else _seg(dataset, planes)


def _rtstruct(dataset: Elements) -> References:
    contours = [c for roi in values.items(dataset, "ROIContourSequence") for c in values.items(roi, "ContourSequence")]
    frames = values.items(dataset, "ReferencedFrameOfReferenceSequence")
    studies = [s for frame in frames for s in values.items(frame, "RTReferencedStudySequence")]
    series = [s for study in studies for s in values.items(study, "RTReferencedSeriesSequence")]
    drawn_on = _instances(contours, "ContourImageSequence") or _instances(series, "ContourImageSequence")
    rois = values.items(dataset, "StructureSetROISequence")
    spaces = chain(_texts(frames, "FrameOfReferenceUID"), _texts(rois, "ReferencedFrameOfReferenceUID"))
    filled = [points for points in (_contour_points(c) for c in contours) if points]
    return References(
        drawn_on, _sorted(_texts(series, "SeriesInstanceUID")), _sorted(spaces), _sample(filled), len(filled)
    )


def _seg(dataset: Elements, planes: tuple[tuple[float, ...], ...]) -> References:
    series = values.items(dataset, "ReferencedSeriesSequence")
    groups = values.items(dataset, "SharedFunctionalGroupsSequence") + values.items(
        dataset, "PerFrameFunctionalGroupsSequence"
    )
    derivations = [d for group in groups for d in values.items(group, "DerivationImageSequence")]
    drawn_on = _instances(derivations, "SourceImageSequence") or _instances(series, "ReferencedInstanceSequence")
    rows, columns = values.whole(dataset, "Rows") or 1, values.whole(dataset, "Columns") or 1
    points = [_plane_points(plane, rows, columns) for plane in planes]
    space = values.text(dataset, "FrameOfReferenceUID")
    return References(
        drawn_on,
        _sorted(_texts(series, "SeriesInstanceUID")),
        (space,) if space else (),
        _sample(points),
        values.whole(dataset, "NumberOfFrames") or 0,
    )


def _instances(parents: Iterable[Dataset], keyword: str) -> tuple[str, ...]:
    found = (item for parent in parents for item in values.items(parent, keyword))
    return _sorted(_texts(found, "ReferencedSOPInstanceUID"))


def _texts(datasets: Iterable[Dataset], keyword: str) -> list[str]:
    return [values.text(dataset, keyword) for dataset in datasets]


def _sorted(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({text for text in found if text}))


def _contour_points(contour: Dataset) -> list[Point]:
    """First point and those a third and two thirds along. The raw bytes are split: decoding all of them is slow."""
    try:
        raw = contour.get_item("ContourData").value if "ContourData" in contour else None
    except Exception:
        return []
    if isinstance(raw, bytes) and len(raw) > LARGEST_CONTOUR:
        raw = raw[:LARGEST_CONTOUR].rpartition(b"\\")[0]
    parts = raw.split(b"\\") if isinstance(raw, bytes) else [str(v).encode() for v in (raw or [])]
    count = len(parts) // 3
    points = []
    for index in sorted({0, count // 3, 2 * count // 3}) if count else []:
        try:
            x, y, z = (float(part) for part in parts[3 * index : 3 * index + 3])
        except ValueError:
            return []
        points.append((x, y, z))
    return points


def _plane_points(plane: tuple[float, ...], rows: int, columns: int) -> list[Point]:
    """Three corners of a frame."""
    origin, along_row, along_column, (step_row, step_column) = plane[:3], plane[3:6], plane[6:9], plane[9:]
    right, down = (columns - 1) * step_column, (rows - 1) * step_row

    def at(across: float, below: float) -> Point:
        x, y, z = (o + across * r + below * c for o, r, c in zip(origin, along_row, along_column, strict=True))
        return (x, y, z)

    return [at(0, 0), at(right, 0), at(0, down)]


def _sample(groups: list[list[Point]]) -> tuple[Point, ...]:
    """At most MOST_POINTS, from contours spread evenly."""
    step = max(1, -(-3 * len(groups) // MOST_POINTS))
    return tuple(point for group in groups[::step] for point in group)

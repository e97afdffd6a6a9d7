"""Contours to image series: by instance, by series, or else by frame of reference and geometry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radcurate.dicom.references import References
from radcurate.dicom.series import Series

ON_PLANE = 0.1  # slice distances that a contour may be off its slice
FITS = 0.9  # share of a contour's points that must lie on slices of a series
EQUAL = 0.02  # shares that differ by less fit equally


@dataclass(frozen=True)
class Found:
    """Image series of one contour object; a problem in place of an image."""

    images: tuple[Series, ...]
    link: str | None
    problem: str | None = None


@dataclass(frozen=True)
class Graph:
    """The image series of a patient, to be looked up by what contours refer to."""

    by_series: dict[str, Series]
    by_instance: dict[str, str]  # SOPInstanceUID → SeriesInstanceUID; shared ones are left out
    elsewhere: Callable[[str], bool]  # whether a series UID is another patient's


def graph_of(series: list[Series], elsewhere: Callable[[str], bool]) -> Graph:
    """Index the image series of one patient."""
    images = {s.uid: s for s in series if s.kind == "image"}
    holders: dict[str, set[str]] = defaultdict(set)
    for image in images.values():
        for header in (*image.members, *(h for h, _ in image.dropped)):
            holders[header.sop_instance].add(image.uid)
    return Graph(images, {sop: next(iter(uids)) for sop, uids in holders.items() if len(uids) == 1}, elsewhere)


def link(series: list[Series], elsewhere: Callable[[str], bool]) -> None:
    """Give every contour series of a patient its image series, or a problem."""
    graph = graph_of(series, elsewhere)
    for contour in (s for s in series if s.kind in ("rtstruct", "seg")):
        if not contour.problems:
            _link_series(contour, graph)


def settle_images(series: list[Series], masked: set[str]) -> None:
    """Quarantine contours whose image is, then images that no usable contour or mask (`masked`) belongs to."""
    images = {s.uid: s for s in series if s.kind == "image"}
    contours = [s for s in series if s.kind in ("rtstruct", "seg")]
    for contour in contours:
        if any(images[uid].problems for uid in contour.images):
            contour.problems.add("image_quarantined")
    wanted = masked | {uid for contour in contours if not contour.problems for uid in contour.images}
    for image in images.values():
        if image.uid not in wanted:
            image.problems.add("no_contour")


def _link_series(contour: Series, graph: Graph) -> None:
    found = [_resolve(h.references, h.study, h.frame_of_reference, graph) for h in contour.members if h.references]
    contour.problems.update(f.problem for f in found if f.problem)
    images = {image.uid: image for f in found for image in f.images}
    contour.images = sorted(images)
    contour.link = next((f.link for f in found if f.link), None)
    if len(images) > 1:
        contour.problems.add("several_images")
    if contour.problems or not images:
        return
    image = next(iter(images.values()))
    references = [h.references for h in contour.members if h.references]
    contour.problems.update(_misfits(references, image, graph))


def _resolve(references: References, study: str, space: str, graph: Graph) -> Found:
    drawn_on = {graph.by_instance[sop] for sop in references.instances if sop in graph.by_instance}
    if drawn_on:
        return Found(tuple(graph.by_series[uid] for uid in sorted(drawn_on)), "instance")
    named = [graph.by_series[uid] for uid in references.series if uid in graph.by_series]
    if len(named) == 1:
        return Found((named[0],), "series")
    if not named and any(graph.elsewhere(uid) for uid in references.series):
        return Found((), None, "patient_mismatch")
    candidates = named or _same_space(references, study, space, graph)
    return _best(references, candidates, "series" if named else "frame_of_reference")


def _same_space(references: References, study: str, space: str, graph: Graph) -> list[Series]:
    spaces = {*references.frames_of_reference, space} - {""}
    return [s for s in graph.by_series.values() if s.first.frame_of_reference in spaces and s.first.study == study]


def _best(references: References, candidates: list[Series], how: str) -> Found:
    """The series whose slices the contour lies on; none or several equally good ones are problems."""
    scored = sorted(((share_on_slices(references, s), s.uid, s) for s in candidates), key=lambda t: (-t[0], t[1]))
    fitting = [(share, image) for share, _, image in scored if share >= FITS]
    if not fitting:
        return Found((), None, "no_image")
    if len(fitting) > 1 and fitting[0][0] - fitting[1][0] < EQUAL:
        return Found((), None, "ambiguous_image")
    return Found((fitting[0][1],), how)


def share_on_slices(references: References, image: Series) -> float:
    """Share of a contour's points that lie inside the image series and on one of its slices."""
    index = _index(references, image)
    if index is None:
        return 0.0
    return float((_inside(index, image) & (np.abs(index[:, 0] - np.round(index[:, 0])) <= ON_PLANE)).mean())


def _misfits(references: list[References], image: Series, graph: Graph) -> set[str]:
    """Problems of a link that was made by UIDs: contours elsewhere in space, slices that are not here."""
    found = set()
    indices = [index for r in references if (index := _index(r, image)) is not None]
    if indices and not any(_inside(index, image).any() for index in indices):
        found.add("contour_outside_image")
    named = {sop for r in references for sop in r.instances}
    here = {sop for sop in named if graph.by_instance.get(sop) == image.uid}
    unknown = {sop for sop in named if sop not in graph.by_instance}
    only_this = all(set(r.series) <= {image.uid} for r in references)  # otherwise the rest may be of another series
    if here and unknown and only_this:
        image.problems.add("incomplete")
    return found


def _index(references: References, image: Series) -> npt.NDArray[np.float64] | None:
    """Points in voxels of the image series; shape (point, 3) as (plane, row, column). None without geometry."""
    geometry = image.geometry
    if geometry is None or not references.points or min(geometry.spacing) <= 0:
        return None
    row, column = np.array(geometry.orientation[:3]), np.array(geometry.orientation[3:])
    axes = np.stack([np.cross(row, column), column, row])
    offset = np.array(references.points) - np.array(geometry.origin)
    return np.asarray((offset @ axes.T) / np.array(geometry.spacing))


def _inside(index: npt.NDArray[np.float64], image: Series) -> npt.NDArray[np.bool_]:
    last = np.array(image.shape) - 0.5
    return np.asarray(((index >= -0.5) & (index <= last)).all(axis=1))

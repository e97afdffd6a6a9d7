"""One study at a time: its image series, those that share a frame of reference beside each other, and their contours.

What `deface` does in each process of its pool. Everything a series needs is decided here and comes back as rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from radcurate import losses, tables
from radcurate.deface import render
from radcurate.deface.average import average_face
from radcurate.deface.borrow import Partner, borrow, carried
from radcurate.deface.check import Check, Limits, check
from radcurate.deface.decide import SHELL, TURNED, Plan, in_company, plan, says_head, thinner
from radcurate.deface.detect import LEAST_PLANES
from radcurate.deface.native import on_stack, painted_on, runs_of
from radcurate.deface.quality import Presence
from radcurate.deface.region import Head
from radcurate.deface.series import Identity, Loaded, compare, load, write_masked
from radcurate.deface.stack import Flags, Stack
from radcurate.deface.template import template
from radcurate.errors import CurationError, place_of
from radcurate.settings import Deface
from radcurate.stages._contours import CONTOUR_REMEDIES, touching
from radcurate.stages._folders import files_in, link_files
from radcurate.stages._written import Listing, insist
from radcurate.volumes.problems import VolumeError

VOLUMES = ("CT", "MR", "PT")
REMEDIES = {
    "face_uncertain": "look at the series: leave it out, or export the whole head so that it can be recognised",
    "head_said_but_not_found": "look at the series: leave it out, or correct BodyPartExamined where it shows no head",
    "head_in_study_but_not_found": "look at the series: another one of its study shows a head; leave it out, or release it",
    "few_planes": "look at the series, its few planes may show a profile: leave it out, or release it",
    "two_heads": "look at the series: it seems to show two heads; export one head at a time, or leave it out",
    "empty_volume": "export the series again: its pixels hold nothing, or leave it out",
    "header_turned": "correct the orientation at the source and export again: the image lies otherwise than its header says",
    "partners_disagree": "look at the series: its skin lies elsewhere than in the others of its frame of reference",
    "pet_alone": "export the CT or MR of the same examination too, in the same frame of reference, or leave the PET out",
    "face_left": "look at the pictures of this series; leave it out, or remove its face by other means",
    "checks_disagree": "look at the pictures of this series; leave it out, or remove its face by other means",
    "brain_touched": "look at the pictures of this series; leave it out, or remove its face by other means",
    "check_invalid": "report this as an error of radcurate: its check does not see a face",
    "outside_changed": "report this as an error of radcurate: it changed voxels that it should not",
    "roi_overlap": "draw the contour so that it keeps away from the face, or leave the series out",
    "unreadable_contour": "export the contour again, or leave it out",
    **CONTOUR_REMEDIES,
}
Row = dict[str, Any]
# decisions that say nothing of what else lies in the frame of reference
NO_WITNESS = ("too_few_planes", "field_too_small", "face_absent")
ANEW = "export the series again, or leave it out"
REPORT = "report this as an error of radcurate"


@dataclass(frozen=True)
class Space:
    """Series of one study, with what the pool's process needs."""

    images: tuple[dict[str, Any], ...]  # rows of redact's table
    contours: tuple[dict[str, Any], ...]
    source: Path  # redact's dicom folder
    out: Path  # deface's dicom folder
    pictures: Path
    settings: Deface
    files: Listing = field(default_factory=dict)  # of the images, as redact wrote them


@dataclass
class Result:
    """Rows of series.parquet, qc.parquet and masks.parquet."""

    series: list[dict[str, Any]] = field(default_factory=list)
    quality: list[dict[str, Any]] = field(default_factory=list)
    masks: list[dict[str, Any]] = field(default_factory=list)
    # contours that must go: series -> reason
    contours: dict[str, str] = field(default_factory=dict)


def clean_space(space: Space) -> Result:
    """Decide on and clean all image series of a study.

    CT and MR with a head of their own first; then those without, then PET: they take the decision of a partner in the
    same frame of reference.
    """
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    for row in space.images:
        insist(space.source / row["folder"], space.files.get(row["folder"]))
    result = Result()
    study = Study()
    order = {"CT": 0, "MR": 1}
    rows = sorted(space.images, key=lambda row: (order.get(row["modality"], 2), row["series"]))
    for row in rows:
        link_files(files_in(space.source / row["folder"]), space.out / row["folder"])
        _guarded(space, row, result, partial(_first_look, space, row, study, result))
    for row, made in study.later:
        _guarded(space, row, result, partial(_second_look, space, row, made, study, result))
    for row in (row for row in rows if row["modality"] == "PT"):
        _guarded(space, row, result, partial(_clean_pet, space, row, study, result))
    return result


def lost_space(space: Space, reason: str) -> Result:
    """Rows of a study whose process was lost."""
    result = Result()
    for row in space.images:
        for path in space.pictures.glob(f"{row['series']}_*.png"):
            path.unlink()
        _set_aside(
            space, row, files_in(space.source / row["folder"]), tables.FAILED, reason, losses.REMEDIES[reason], result
        )
    return result


@dataclass
class Study:
    """What is known of a study while its series are worked on.

    partners: decided CT and MR by frame of reference. later: CT and MR in which no face is clear, with their plans.
    """

    partners: dict[str, list[Partner]] = field(default_factory=dict)
    later: list[tuple[Row, Plan]] = field(default_factory=list)
    head: bool = False

    def beside(self, row: Row) -> list[Partner]:
        """Partners in the frame of reference of a series; one without a frame stands alone."""
        return self.partners.setdefault(row["frame_of_reference"] or row["series"], [])


def _guarded(space: Space, row: Row, result: Result, work: Callable[[], None]) -> None:
    """A series that can't be worked on becomes a row; the others go on."""
    files = files_in(space.source / row["folder"])
    try:
        work()
    except CurationError as error:
        reason = error.reason if isinstance(error, VolumeError) else "unreadable"
        _set_aside(space, row, files, tables.QUARANTINED, reason, ANEW, result)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # its message may quote a header value
        _set_aside(space, row, files, tables.FAILED, "unexpected:" + place_of(error), REPORT, result)


def _first_look(space: Space, row: Row, study: Study, result: Result) -> None:
    """CT and MR by themselves; those without a clear face are kept for later."""
    if row["modality"] not in VOLUMES:
        result.series.append(_row(row, face="none", decision="modality_without_volume"))
    elif row["modality"] != "PT":
        files = files_in(space.source / row["folder"])
        loaded = load(files)
        made = plan(loaded.stack, row["modality"], _said(files[0]), template(), space.settings.style)
        study.head |= made.finding.verdict == "head"
        if made.decision == "remove":
            _deface(space, row, loaded, made, study, result)
        else:
            study.later.append((row, replace(made, head=None, mask=None, keep=None)))
            if made.decision == "none" and made.code not in NO_WITNESS:
                study.beside(row).append(Partner(row["series"], "none", loaded.stack.corners()))


def _second_look(space: Space, row: Row, made: Plan, study: Study, result: Result) -> None:
    """CT and MR without a clear face of their own, beside the others of their study."""
    files = files_in(space.source / row["folder"])
    partners = [one for one in study.beside(row) if one.series != row["series"]]
    if partners:
        loaded = load(files)
        made = carried(loaded.stack, row["modality"], made, partners, template())
        if made.decision == "remove":
            _deface(space, row, loaded, made, study, result)
            return
    if study.head:
        made = in_company(made, row["modality"])
    numbers = {"series": row["series"], "said": says_head(_said(files[0])), **_found(made)}
    if made.decision == "none":
        result.series.append(_row(row, face="none", decision=made.code))
        result.quality.append(numbers | {"overlap_voxels": 0})
    else:
        result.quality.append(numbers)
        _set_aside(space, row, files, tables.QUARANTINED, made.code, REMEDIES[made.code], result)


def _deface(space: Space, row: Row, loaded: Loaded, made: Plan, study: Study, result: Result) -> None:
    """Take the face away, check it, and say whether the series may go on."""
    made, mask = _narrowed(space, row, loaded, made)
    cut = _remove(space, row, loaded, mask, result, _painted(space, row, loaded, made, mask))
    numbers = {"series": row["series"], "said": says_head(_said(loaded.paths[0])), **_found(made)}
    reason = cut.reason
    if loaded.stack.values.shape[0] >= LEAST_PLANES:
        checked = _check(space, row, loaded, made, cut)
        numbers |= _checked(checked)
        reason = reason or checked.reason
    if made.finding.pose is not None and made.code.startswith(TURNED):
        reason = reason or "header_turned"
    result.quality.append(numbers | cut.numbers | {"passed": reason is None})
    _conclude(space, row, list(loaded.paths), made.code, cut, reason, result)
    if reason in (None, "roi_overlap") and made.code != "partner_with_face":
        head, flags, _ = _parts(made)
        partner = Partner(row["series"], "remove", loaded.stack.corners(), head.field, flags, head.pose)
        study.beside(row).append(partner)


def _narrowed(space: Space, row: Row, loaded: Loaded, made: Plan) -> tuple[Plan, Flags]:
    """The plan and its mask on the stored pixels; the shell where a contour reaches into more and the steward wants that."""
    mask = _on(made, loaded)
    if space.settings.roi_overlap != "shell" or space.settings.style == "shell" or made.keep is None:
        return made, mask
    touch = touching(row["series"], space.contours, space.source, mask, loaded.grid())
    if not touch.shared.voxels:
        return made, mask
    shell = thinner(made, row["modality"], template())
    return shell, _on(shell, loaded)


def _painted(space: Space, row: Row, loaded: Loaded, made: Plan, mask: Flags) -> NDArray[np.float32] | None:
    """The average face on the stored pixels, where the steward wants one and this head is not narrowed to its shell."""
    if space.settings.style != "reface" or made.code.endswith(SHELL):
        return None
    head, flags, _ = _parts(made)
    return painted_on(average_face(head, flags, row["modality"], template()), head.field, loaded.stack, mask)


def _on(made: Plan, loaded: Loaded) -> Flags:
    head, mask, _ = _parts(made)
    return on_stack(mask, head.field, loaded.stack)


def _parts(made: Plan) -> tuple[Head, Flags, Presence]:
    """Head, mask and presence before of a plan to remove, which has all of them."""
    if made.head is None or made.mask is None or made.before is None:
        raise TypeError("not a plan to remove")
    return made.head, made.mask, made.before


def _check(space: Space, row: Row, loaded: Loaded, made: Plan, cut: _Cut) -> Check:
    head, mask, before = _parts(made)
    limits = Limits(space.settings.least_moved, space.settings.least_brain_dice)
    checked = check(mask, before, head, loaded.stack, cut.stack, row["modality"], template(), limits)
    if space.settings.pictures:
        for name, seen in zip(("before", "after"), checked.seen, strict=True):
            render.write_picture(space.pictures / f"{row['series']}_{name}.png", seen)
    return checked


def _clean_pet(space: Space, row: Row, study: Study, result: Result) -> None:
    files = files_in(space.source / row["folder"])
    loaded, said = load(files), _said(files[0])
    borrowed = borrow(loaded.stack, said, study.beside(row), template())
    numbers: dict[str, Any] = {"series": row["series"], "said": says_head(said)}
    partner = borrowed.partner
    if borrowed.decision == "uncertain":
        result.quality.append(numbers)
        _set_aside(space, row, files, tables.QUARANTINED, borrowed.code, REMEDIES[borrowed.code], result)
    elif borrowed.decision == "none" or partner is None or partner.mask is None or partner.field is None:
        result.series.append(_row(row, face="none", decision=borrowed.code))
        result.quality.append(numbers | {"overlap_voxels": 0})
    else:
        mask = on_stack(partner.mask, partner.field, loaded.stack)
        if not mask.any():
            result.series.append(_row(row, face="none", decision="face_not_in_view"))
            result.quality.append(numbers | {"overlap_voxels": 0})
            return
        cut = _remove(space, row, loaded, mask, result)
        result.quality.append(numbers | cut.numbers | {"passed": cut.reason is None})
        _conclude(space, row, files, borrowed.code, cut, cut.reason, result)


@dataclass(frozen=True)
class _Cut:
    """A series whose masked voxels were written: its stack as read back, numbers, and why it may not be used."""

    stack: Stack
    changed: int
    numbers: dict[str, Any]
    reason: str | None


def _remove(
    space: Space,
    row: Row,
    loaded: Loaded,
    mask: Flags,
    result: Result,
    painted: NDArray[np.float32] | None = None,
) -> _Cut:
    """Write the masked voxels, read them back, and hold contours against the mask."""
    folder = space.out / row["folder"]
    changed = write_masked(loaded, mask, row["modality"], folder, painted)
    identity, written = compare(loaded, [folder / path.name for path in loaded.paths], mask, row["modality"], painted)
    result.masks += _masks(row["series"], loaded, mask)
    touch = touching(row["series"], space.contours, space.source, mask, loaded.grid())
    result.contours |= {**touch.marked, **result.contours} | touch.overlapping()
    numbers = {
        "overlap_voxels": touch.shared.voxels,
        "roi_distance": touch.shared.distance,
        "masked_voxels": int(mask.sum()),
        "changed_voxels": sum(changed.values()),
        **_identity(identity),
    }
    reason = None if identity.outside_equal and identity.inside_filled else "outside_changed"
    return _Cut(written, sum(changed.values()), numbers, reason or ("roi_overlap" if touch.shared.voxels else None))


def _masks(series: str, loaded: Loaded, mask: Flags) -> list[dict[str, Any]]:
    """The removed region as rows, one for each frame that holds some of it."""
    return [
        {"series": series, "name": loaded.paths[frame.file].name, "frame": frame.number, "runs": runs_of(mask[plane])}
        for plane, place in enumerate(loaded.frames)
        if mask[plane].any()
        for frame in place
    ]


def _conclude(
    space: Space, row: Row, files: list[Path], code: str, cut: _Cut, reason: str | None, result: Result
) -> None:
    if reason is None:
        result.series.append(_row(row, face="removed", decision=code, changed_voxels=cut.changed))
    else:
        _set_aside(space, row, files, tables.QUARANTINED, reason, REMEDIES[reason], result)


def _set_aside(
    space: Space, row: Row, files: list[Path], status: str, reason: str, remedy: str, result: Result
) -> None:
    """A series that may not go on: its folder holds redact's files again."""
    link_files(files, space.out / row["folder"])
    result.series.append(_row(row, status=status, reason=reason, remedy=remedy, decision=reason.split(":")[0]))


def _row(row: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    names = ("series", "subject", "kind", "modality", "folder", "n_instances", "images")
    empty = {"status": tables.OK, "reason": None, "remedy": None, "face": None, "decision": None, "changed_voxels": 0}
    return {name: row[name] for name in names} | empty | more


def _found(made: Plan) -> dict[str, Any]:
    """How the head was recognised; only what was measured."""
    finding, pose = made.finding, made.finding.pose
    if pose is None:
        return {"screened": finding.screened}
    numbers = {name: getattr(finding, name) for name in ("screened", "fit", "inside", "scale", "squeeze", "bone")}
    seen = {} if made.before is None else {"face_in_view": made.before.in_view, "presence_before": made.before.agrees}
    return numbers | {"turn": pose.turn} | seen


def _checked(checked: Check) -> dict[str, Any]:
    after, untouched = checked.after, checked.untouched
    return {
        "presence_after": after.present.agrees,
        "moved": after.moved.face,
        "ears_moved": after.moved.ears,
        "likeness": after.likeness,
        "control_moved": untouched.moved.face,
        "control_likeness": untouched.likeness,
        "control_blurred": checked.blurred_likeness,
        "control_passed": checked.untouched_passes,
        "controls_hold": checked.controls_hold,
        "brain_voxels": checked.brain_voxels,
        "brain_lost": checked.brain_lost,
        "brain_dice": after.dice,
    }


def _identity(identity: Identity) -> dict[str, Any]:
    return {
        "outside_equal": identity.outside_equal,
        "inside_filled": identity.inside_filled,
        "outside_sha256": identity.digest,
    }


def _said(path: Path) -> str:
    header = pydicom.dcmread(path, force=True, stop_before_pixels=True, specific_tags=["BodyPartExamined"])
    return str(header.get("BodyPartExamined") or "")

"""One patient space at a time: the image series that share a frame of reference, and their contours.

What `deface` does in each process of its pool. Everything a series needs is decided here and comes back as rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
import SimpleITK as sitk  # noqa: N813

from radcurate import tables
from radcurate.deface import render
from radcurate.deface.borrow import Borrowed, Partner, borrow
from radcurate.deface.check import Check, Limits, check
from radcurate.deface.decide import Plan, plan, says_head
from radcurate.deface.native import on_stack, runs_of
from radcurate.deface.series import Identity, Loaded, compare, load, write_masked
from radcurate.deface.stack import Flags, Stack
from radcurate.deface.template import template
from radcurate.errors import CurationError, place_of
from radcurate.settings import Deface
from radcurate.stages._contours import CONTOUR_REMEDIES, touching
from radcurate.stages._folders import files_in, link_files
from radcurate.volumes.problems import VolumeError

VOLUMES = ("CT", "MR", "PT")
REMEDIES = {
    "face_uncertain": "look at the series: leave it out, or export the whole head so that it can be recognised",
    "head_said_but_not_found": "look at the series: leave it out, or correct BodyPartExamined where it shows no head",
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
ANEW = "export the series again, or leave it out"
REPORT = "report this as an error of radcurate"


@dataclass(frozen=True)
class Space:
    """Series of one frame of reference, with what the pool's process needs."""

    images: tuple[dict[str, Any], ...]  # rows of redact's table
    contours: tuple[dict[str, Any], ...]
    source: Path  # redact's dicom folder
    out: Path  # deface's dicom folder
    pictures: Path
    settings: Deface


@dataclass
class Result:
    """Rows of series.parquet, qc.parquet and masks.parquet."""

    series: list[dict[str, Any]] = field(default_factory=list)
    quality: list[dict[str, Any]] = field(default_factory=list)
    masks: list[dict[str, Any]] = field(default_factory=list)
    # contours that must go: series -> reason
    contours: dict[str, str] = field(default_factory=dict)


def clean_space(space: Space) -> Result:
    """Decide on and clean all image series of a space, CT and MR before PET, which takes their decisions."""
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    result = Result()
    partners: list[Partner] = []
    order = {"CT": 0, "MR": 1}
    for row in sorted(space.images, key=lambda row: (order.get(row["modality"], 2), row["series"])):
        files = files_in(space.source / row["folder"])
        link_files(files, space.out / row["folder"])
        try:
            _clean_series(space, row, files, partners, result)
        except CurationError as error:
            reason = error.reason if isinstance(error, VolumeError) else "unreadable"
            _set_aside(space, row, files, tables.QUARANTINED, reason, ANEW, result)
        except Exception as error:  # its message may quote a header value
            _set_aside(space, row, files, tables.FAILED, "unexpected:" + place_of(error), REPORT, result)
    return result


def _clean_series(
    space: Space, row: dict[str, Any], files: list[Path], partners: list[Partner], result: Result
) -> None:
    if row["modality"] not in VOLUMES:
        result.series.append(_row(row, face="none", decision="modality_without_volume"))
        return
    loaded = load(files)
    said = _said(files[0])
    if row["modality"] == "PT":
        _clean_pet(space, row, loaded, borrow(loaded.stack, said, partners, template()), result, said)
        return
    made = plan(loaded.stack, row["modality"], said, template(), space.settings.style)
    numbers = {"series": row["series"], "said": says_head(said), **_found(made)}
    if made.decision == "uncertain":
        result.quality.append(numbers)
        _set_aside(space, row, files, tables.QUARANTINED, made.code, REMEDIES[made.code], result)
        return
    if made.decision == "none" or made.head is None or made.mask is None or made.before is None:
        partners.append(Partner(row["series"], "none", loaded.stack.corners()))
        result.series.append(_row(row, face="none", decision=made.code))
        result.quality.append(numbers | {"overlap_voxels": 0})
        return
    mask = on_stack(made.mask, made.head.field, loaded.stack)
    cut = _remove(space, row, loaded, mask, result)
    limits = Limits(space.settings.least_moved, space.settings.least_brain_dice)
    checked = check(made.mask, made.before, made.head, loaded.stack, cut.stack, row["modality"], template(), limits)
    if space.settings.pictures:
        for name, seen in zip(("before", "after"), checked.seen, strict=True):
            render.write_picture(space.pictures / f"{row['series']}_{name}.png", seen)
    reason = cut.reason or checked.reason
    result.quality.append(numbers | cut.numbers | _checked(checked) | {"passed": reason is None})
    _conclude(space, row, files, made.code, cut, reason, result)
    if checked.reason is None:
        partners.append(Partner(row["series"], "remove", loaded.stack.corners(), made.head.field, made.mask))


def _clean_pet(
    space: Space, row: dict[str, Any], loaded: Loaded, borrowed: Borrowed, result: Result, said: str
) -> None:
    numbers: dict[str, Any] = {"series": row["series"], "said": says_head(said)}
    files, partner = list(loaded.paths), borrowed.partner
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


def _remove(space: Space, row: dict[str, Any], loaded: Loaded, mask: Flags, result: Result) -> _Cut:
    """Write the masked voxels, read them back, and hold contours against the mask."""
    folder = space.out / row["folder"]
    changed = write_masked(loaded, mask, row["modality"], folder)
    identity, written = compare(loaded, [folder / path.name for path in loaded.paths], mask, row["modality"])
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
    space: Space, row: dict[str, Any], files: list[Path], code: str, cut: _Cut, reason: str | None, result: Result
) -> None:
    if reason is None:
        result.series.append(_row(row, face="removed", decision=code, changed_voxels=cut.changed))
    else:
        _set_aside(space, row, files, tables.QUARANTINED, reason, REMEDIES[reason], result)


def _set_aside(
    space: Space, row: dict[str, Any], files: list[Path], status: str, reason: str, remedy: str, result: Result
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

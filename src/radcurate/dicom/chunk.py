"""All patients of a chunk: their series built, linked and settled. Pure but for a look at doubled files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from radcurate.dicom.header import Header
from radcurate.dicom.links import link, settle_images
from radcurate.dicom.nifti import Mask, affine_of, same_grid
from radcurate.dicom.patients import Register, birth_dates_differ
from radcurate.dicom.series import Digest, Series, build, group


@dataclass
class Patient:
    """Everything of one patient. `strays` are files that form no series here: another patient answers for it, or all were cut off."""

    subject: str
    identity: tuple[str, str]  # PatientID, issuer
    series: list[Series]
    strays: list[tuple[Header, str]]  # with a file reason


@dataclass(frozen=True)
class Grid:
    """Grid of an image series, to be compared with NIfTI masks."""

    uid: str
    usable: bool
    shape: tuple[int, int, int]  # columns, rows, planes
    affine: npt.NDArray[np.float64]


@dataclass
class MaskPlan:
    """Which image series each NIfTI mask belongs to, and why the others belong to none."""

    by_image: dict[str, list[Mask]] = field(default_factory=lambda: defaultdict(list))
    unplaced: list[tuple[Mask, str]] = field(default_factory=list)


def patients(headers: Iterable[Header], register: Register, tolerance: float, digest: Digest) -> Iterator[Patient]:
    """Patients of a chunk in the order of their pseudonyms; contours linked, images not yet settled."""
    found: dict[str, list[Header]] = defaultdict(list)
    for header in headers:
        found[register.subject((header.patient_id, header.issuer))].append(header)
    for subject in sorted(found):
        yield _patient(subject, found[subject], register, tolerance, digest)


def settle(patient: Patient, plan: MaskPlan) -> None:
    """Decide which contours and images go on, masks included."""
    settle_images(patient.series, {uid for uid, masks in plan.by_image.items() if masks})


def grids(patient: Patient) -> Iterator[Grid]:
    """Grids of a patient's image series."""
    for series in patient.series:
        if series.geometry is not None and series.geometry.spacing[0] > 0:
            planes, rows, columns = series.shape
            yield Grid(series.uid, not series.problems, (columns, rows, planes), affine_of(series.geometry))


def place_masks(masks: Iterable[Mask], images: Iterable[Grid]) -> MaskPlan:
    """Give every mask the one image series of its grid; usable series count before quarantined ones."""
    by_shape: dict[tuple[int, ...], list[Grid]] = defaultdict(list)
    for grid in images:
        by_shape[tuple(sorted(grid.shape))].append(grid)
    plan = MaskPlan()
    for mask in sorted(masks, key=lambda m: m.file.path):
        same = [g for g in by_shape[tuple(sorted(mask.shape))] if same_grid(mask.shape, mask.affine, g.shape, g.affine)]
        chosen = [grid for grid in same if grid.usable] or same
        if len(chosen) == 1:
            plan.by_image[chosen[0].uid].append(mask)
        else:
            plan.unplaced.append((mask, "ambiguous_grid" if chosen else "no_grid"))
    return plan


def _patient(subject: str, headers: list[Header], register: Register, tolerance: float, digest: Digest) -> Patient:
    strays: list[tuple[Header, str]] = []
    series = []
    for uid, files in group(headers).items():
        owners = register.owners(uid)
        if owners[0] != subject:
            strays += [(header, "two_patients") for header in files]
        elif all(header.reason for header in files):
            strays += [(header, str(header.reason)) for header in files]
        else:
            series.append(build(uid, files, tolerance, digest))
            series[-1].problems.update({"two_patients"} if len(owners) > 1 else ())
    if birth_dates_differ(headers):
        for one in series:
            one.problems.add("contradictory_patient")
    link(series, lambda uid: bool(owners := register.owners(uid)) and subject not in owners)
    patient_id = headers[0].patient_id
    return Patient(subject, (patient_id, register.issuer((patient_id, headers[0].issuer))), series, strays)

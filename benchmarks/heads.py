"""Every head that is at hand, as a stack, with its brain where somebody else drew one.

The part says what a head was used for: thresholds were fixed on `tuning`; `final` is for the count. Nobody's picture
leaves this: heads are numbers here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import nibabel
import numpy as np
import pydicom
from scipy import ndimage

from radcurate.deface.series import load
from radcurate.deface.stack import Flags, Stack
from radcurate.demo import scanner
from radcurate.demo.anatomy import head
from radcurate.demo.geometry import Geometry, rotation

TUNING, FINAL = "tuning", "final"
SHARES = 0.5  # of a drawn brain's brightest voxel: what counts as brain


@dataclass(frozen=True)
class Case:
    """A head: `open` gives its stack, `brain` flags of the same shape (plane, row, column) where they are known."""

    name: str
    modality: str
    part: str
    open: Callable[[], Stack]
    brain: Callable[[], Flags] | None = None


def heads(data: Path | None) -> Iterator[Case]:
    """Synthetic heads, and those of the folder with real ones, if there is one."""
    for seed, part in ((1, TUNING), (11, FINAL)):
        for modality in ("CT", "MR"):
            yield _synthetic(modality, seed, part)
    yield _synthetic("MR", 12, FINAL, scanner.T2, "T2")
    if data is not None:
        yield from _real(data)


def _synthetic(modality: str, seed: int, part: str, column: int = scanner.T1, word: str = "") -> Case:
    name = f"synthetic {word or modality} {seed}"
    stack = partial(_made, modality, seed, column)
    return Case(name, modality, part, lambda: stack()[0], lambda: stack()[1])


def _made(modality: str, seed: int, column: int) -> tuple[Stack, Flags]:
    """A head as the demo draws them, turned a little by its seed, and its brain."""
    turn = (3.0 * (seed % 3 - 1), 4.0 * (seed % 2), 5.0 * (seed % 5 - 2))
    geometry = Geometry((100, 200, 160), (2.5, 1.25, 1.25)).turned(rotation(turn)).centred((0.0, -12.0, -38.0))
    body = head(geometry, seed)
    look = scanner.Look(noise=8.0 if modality == "CT" else 0.03)
    values = scanner.ct(body, look, seed) if modality == "CT" else scanner.mr(body, look, seed, column)
    plane, row, step = geometry.steps.T
    origins = np.asarray(geometry.origin) + np.arange(len(values))[:, None] * plane
    order = slice(None) if np.cross(step, row) @ plane > 0 else slice(None, None, -1)
    stack = Stack(np.round(values)[order].astype(np.float32), origins[order], np.asarray(row), np.asarray(step))
    return stack, np.asarray(body.masks["brain"])[order]


def _real(data: Path) -> Iterator[Case]:
    templates = data / "apt/x/usr/share/mricron/templates"
    register, fetched = data / "niivue_demo_images/register", data / "mridefacer/data"
    yield Case("inv3", "CT", TUNING, partial(_inv3, data))
    yield Case("adi_brain", "MR", TUNING, partial(_adi, data))
    yield Case("headsq", "CT", FINAL, partial(_headsq, data))
    yield Case("GE (orbits)", "CT", FINAL, lambda: load(sorted((data / "dcm_qa_ct/In/GE").glob("*.dcm"))).stack)
    yield Case("T1_head_ext2", "MR", FINAL, partial(nifti, register / "T1_head_ext2.nii.gz"))
    ch2, ch2bet = templates / "ch2.nii.gz", templates / "ch2bet.nii.gz"
    yield Case("ch2", "MR", FINAL, partial(nifti, ch2), lambda: nifti(ch2bet).values > 0)
    mean, brain = fetched / "head_tmpl.nii.gz", fetched / "head_tmpl_brain.nii.gz"
    yield Case("mridefacer", "MR", FINAL, partial(nifti, mean), partial(_bright, brain))
    # mniMask.nii.gz beside it is one of the head (3.5 l), not of the brain
    yield Case("MNI152", "MR", FINAL, partial(nifti, register / "MNI152_T1_2mm.nii.gz"))


def nifti(path: Path) -> Stack:
    """A NIfTI volume as a stack in LPS."""
    image = nibabel.load(path)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine
    values = np.ascontiguousarray(image.get_fdata(dtype=np.float32).transpose(2, 1, 0))
    origins = affine[:3, 3] + np.arange(len(values))[:, None] * affine[:3, 2]
    return Stack(values, origins, affine[:3, 1], affine[:3, 0])


def _bright(path: Path) -> Flags:
    values = nifti(path).values
    return np.asarray(ndimage.binary_opening(values > SHARES * values.max()))


def _inv3(data: Path) -> Stack:
    """Of InVesalius; its rows run from back to front."""
    values = np.fromfile(data / "apt/inv3/tmpocjcea/matrix.dat", np.int16).reshape(108, 256, 256)
    origins = np.array([[0.0, 0.0, 1.5 * k] for k in range(108)])
    return Stack(values.astype(np.float32), origins, np.array([0, -0.957, 0]), np.array([0.957, 0, 0]))


def _adi(data: Path) -> Stack:
    """The T1 of a folder in which several series lie."""
    folder = data / "fnndsc_data/dicom/adi_brain"
    found = [path for path in sorted(folder.iterdir()) if pydicom.dcmread(path, stop_before_pixels=True).Rows == 192]
    return load(found).stack


def _headsq(data: Path) -> Stack:
    values = [np.fromfile(data / f"vtk_data/Data/headsq/quarter.{k}", np.uint16) for k in range(93, 0, -1)]
    origins = np.array([[0.0, 0.0, 1.5 * k] for k in range(93)])
    coarse = np.stack(values).reshape(93, 64, 64).astype(np.float32) - 1024
    return Stack(coarse, origins, np.array([0, 3.2, 0]), np.array([3.2, 0, 0]))

"""Real heads and limbs (see the `real_data` fixture); pictures of them are never kept."""

import nibabel
import numpy as np
import pydicom
import pytest

from radcurate.deface.decide import plan
from radcurate.deface.detect import find_head
from radcurate.deface.judge import brain_of, own_brain
from radcurate.deface.native import on_stack
from radcurate.deface.quality import moved
from radcurate.deface.series import load
from radcurate.deface.stack import Stack
from radcurate.deface.template import template


def of_nifti(path):
    image = nibabel.load(path)
    affine = np.diag([-1, -1, 1, 1]) @ image.affine
    values = np.ascontiguousarray(image.get_fdata(dtype=np.float32).transpose(2, 1, 0))
    origins = affine[:3, 3] + np.arange(len(values))[:, None] * affine[:3, 2]
    return Stack(values, origins, affine[:3, 1], affine[:3, 0])


def head_ct(folder):
    """inv3 of InVesalius: its rows run from back to front."""
    values = np.fromfile(folder / "apt/inv3/tmpocjcea/matrix.dat", np.int16).reshape(108, 256, 256)
    origins = np.array([[0.0, 0.0, 1.5 * k] for k in range(108)])
    return Stack(values.astype(np.float32), origins, np.array([0, -0.957, 0]), np.array([0.957, 0, 0]))


def by_rows(folder, rows):
    return [p for p in sorted(folder.iterdir()) if pydicom.dcmread(p, stop_before_pixels=True).Rows == rows]


def defaced(stack, modality):
    """The plan, and the share of the facial surface that its mask moves."""
    made = plan(stack, modality, "", template())
    assert made.decision == "remove", made.code
    left = made.head.body & ~made.mask
    return made, moved(made.head.body, left, made.head, template()).face


def test_a_head_ct(real_data):
    made, share = defaced(head_ct(real_data), "CT")
    assert made.finding.bone > 0.15 and share > 0.98
    brain = own_brain(made.head, "CT")
    # there is an opening in this frontal bone, through which the judge draws a few voxels in front of it
    assert brain.sum() * 8e-3 > 1000 and (brain & made.mask).sum() < 1e-4 * brain.sum()


@pytest.mark.slow
def test_a_head_mr_and_its_whole_brain(real_data):
    """ch2 with ch2bet, the brain on the same grid."""
    folder = real_data / "apt/x/usr/share/mricron/templates"
    stack = of_nifti(folder / "ch2.nii.gz")
    made, share = defaced(stack, "MR")
    brain = of_nifti(folder / "ch2bet.nii.gz").values > 0
    assert share > 0.9
    assert not (on_stack(made.mask, made.head.field, stack) & brain).any()
    drawn = brain_of(stack, made.head, "MR")
    assert (drawn & brain).sum() > 0.95 * brain.sum()


@pytest.mark.slow
def test_mr_dicom_of_a_mixed_folder(real_data):
    loaded = load(by_rows(real_data / "fnndsc_data/dicom/adi_brain", 192))
    assert defaced(loaded.stack, "MR")[1] > 0.95


@pytest.mark.slow
def test_other_heads(real_data):
    assert defaced(of_nifti(real_data / "niivue_demo_images/register/T1_head_ext2.nii.gz"), "MR")[1] > 0.95
    values = [np.fromfile(real_data / f"vtk_data/Data/headsq/quarter.{k}", np.uint16) for k in range(93, 0, -1)]
    origins = np.array([[0.0, 0.0, 1.5 * k] for k in range(93)])
    coarse = np.stack(values).reshape(93, 64, 64).astype(np.float32) - 1024
    assert defaced(Stack(coarse, origins, np.array([0, 3.2, 0]), np.array([3.2, 0, 0])), "CT")[1] > 0.93


@pytest.mark.slow
def test_a_tilted_head_with_orbits_only(real_data):
    loaded = load(sorted((real_data / "dcm_qa_ct/In/GE").glob("*.dcm")))
    assert defaced(loaded.stack, "CT")[1] > 0.95


@pytest.mark.slow
def test_the_brain_of_another_template(real_data):
    """mridefacer's head (MIT) with its brain on the same grid."""
    folder = real_data / "mridefacer/data"
    stack = of_nifti(folder / "head_tmpl.nii.gz")
    made, _ = defaced(stack, "MR")
    mask = on_stack(made.mask, made.head.field, stack)
    brain = of_nifti(folder / "head_tmpl_brain.nii.gz").values
    assert (mask & (brain > 0.5 * brain.max())).sum() < 0.0005 * (brain > 0.5 * brain.max()).sum()


def test_limbs_and_a_lung_show_no_head(real_data):
    patient = real_data / "ibsi/ibsi_validation/dicom/STS_008"
    for name, modality in (("CT", "CT"), ("MR_T1", "MR")):
        loaded = load(sorted((patient / name / "image").iterdir()))
        assert find_head(loaded.stack, modality, template()).verdict == "none"
    lung = load(sorted((real_data / "ibsi/ibsi_1_ct_radiomics_phantom/dicom/image").iterdir()))
    assert find_head(lung.stack, "CT", template()).verdict == "none"


@pytest.mark.slow
@pytest.mark.parametrize("number", ["001", "002", "003", "006", "010", "012", "015", "032"])
def test_the_whole_sarcoma_cohort_shows_no_head(real_data, number):
    for name, modality in (("CT", "CT"), ("MR_T1", "MR")):
        folder = real_data / f"ibsi/ibsi_validation/dicom/STS_{number}/{name}/image"
        assert find_head(load(sorted(folder.iterdir())).stack, modality, template()).verdict == "none"

"""Heads are found by what they look like, not by what the header says; the mask takes the face and leaves the brain."""

import numpy as np
import pytest

from deface_tools import blob, planned, synthetic
from radcurate.deface.body import body
from radcurate.deface.decide import plan, says_head
from radcurate.deface.native import on_stack
from radcurate.deface.quality import presence
from radcurate.deface.stack import Field, Stack, to_field
from radcurate.deface.template import template
from radcurate.demo import scanner

MODALITIES = ["CT", "MR"]


def removed(made, modality):
    """The head's field after the mask was filled, and its tissue."""
    field = made.head.field
    filled = np.where(made.mask, np.float32(-1000 if modality == "CT" else 0), field.values)
    after = Field(filled, field.inside, field.origin, field.step)
    return after, body(after, modality)


@pytest.mark.parametrize("modality", MODALITIES)
def test_face_goes_brain_and_braincase_stay(modality):
    stack, tissues, made, mask = planned(modality)
    assert (made.decision, made.code) == ("remove", "head_with_face")
    assert mask[tissues["face"]].mean() > 0.8
    assert mask[tissues["ears"]].mean() > 0.6
    assert not (mask & tissues["brain"]).any()
    heights = np.broadcast_to(stack.origins[:, 2][:, None, None], mask.shape)
    braincase = tissues["skull"] & (heights > 16)  # the brow's bone, at the front, is a part of the face
    assert braincase.sum() > 5000
    assert (mask & braincase).mean() == 0


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_defaced_head_is_not_taken_for_one_with_a_face(modality):
    made = planned(modality)[2]
    after, solid = removed(made, modality)
    assert presence(after, solid, made.finding.pose, template()).agrees < 0.35 < made.before.agrees


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"modality": "MR", "plane": "sagittal"}, id="sagittal", marks=pytest.mark.slow),
        pytest.param(
            {"modality": "MR", "plane": "coronal", "column": scanner.T2}, id="coronal_t2", marks=pytest.mark.slow
        ),
        pytest.param(
            {"modality": "MR", "spacing": (6.5, 1.5, 1.5), "column": scanner.T2}, id="thick_t2", marks=pytest.mark.slow
        ),
        pytest.param({"modality": "CT", "extent": (120, 250, 200)}, id="half_in_view"),
        pytest.param({"modality": "CT", "turn": (0, 0, 25)}, id="turned", marks=pytest.mark.slow),
    ],
)
def test_storage_contrast_and_field_of_view_do_not_matter(change):
    stack, tissues = synthetic(**change)
    made = plan(stack, change["modality"], "", template())
    assert made.decision == "remove"
    mask = on_stack(made.mask, made.head.field, stack)
    assert mask[tissues["face"]].mean() > 0.75
    assert not (mask & tissues["brain"]).any()


def mirrored(stack, axis):
    """The same values under a header that lies about an axis."""
    sign = np.ones(3)
    sign[axis] = -1
    origins = stack.origins * sign
    order = slice(None, None, -1) if axis == 2 else slice(None)
    return Stack(stack.values[order], origins[order], stack.row_step * sign, stack.column_step * sign)


@pytest.mark.parametrize(
    ("axis", "turn"), [(1, "turned_about_z"), pytest.param(2, "turned_about_y", marks=pytest.mark.slow)]
)
def test_a_header_that_lies_about_front_or_top(axis, turn):
    stack, tissues, _, _ = planned("CT")
    lied = mirrored(stack, axis)
    made = plan(lied, "CT", "", template())
    assert (made.decision, made.code, made.finding.pose.turn) == ("remove", "head_with_face_turned", turn)
    mask = on_stack(made.mask, made.head.field, lied)
    face = tissues["face"][::-1] if axis == 2 else tissues["face"]
    assert mask[face].mean() > 0.75


def test_a_limb_is_no_head_even_if_its_header_says_so():
    made = plan(blob(), "CT", "HEAD", template())
    assert made.decision == "none" and made.mask is None


def test_a_stack_of_few_planes_that_is_said_to_be_a_head_is_for_a_person():
    stack = planned("CT")[0]
    few = Stack(stack.values[20:23], stack.origins[20:23], stack.row_step, stack.column_step)
    assert plan(few, "CT", "CHEST", template()).decision == "none"
    assert plan(few, "CT", "BRAIN", template()).code == "head_said_but_not_found"


def test_a_braincase_without_a_face_in_view_is_left():
    stack = planned("CT")[0]
    high = stack.origins[:, 2] > 25
    made = plan(Stack(stack.values[high], stack.origins[high], stack.row_step, stack.column_step), "CT", "", template())
    assert (made.decision, made.code) == ("none", "face_not_in_view")


@pytest.mark.parametrize("said", ["HEAD", "Brain", "HEAD^NECK", "HEADNECK", "head-neck", "C HEAD"])
def test_names_of_the_head(said):
    assert says_head(said)


@pytest.mark.parametrize("said", ["", "CHEST", "FOREARM", "EXTREMITY", "OVERHEAD"])
def test_names_of_other_parts(said):
    assert not says_head(said)


def test_the_field_is_the_mean_of_its_voxels():
    stack = planned("CT")[0]
    field = to_field(stack, 4.0)
    assert field.values[field.inside].mean() == pytest.approx(stack.values.mean(), abs=15)
    assert field.inside.mean() > 0.9

"""The brain is left by the mask, and a judge that knows nothing of the protection sees it when it is not."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deface_tools import planned
from radcurate.deface import brain, judge
from radcurate.deface.brain import believable, inside_of_skull, network_brain, protect
from radcurate.deface.judge import brain_kept, brain_of, own_brain
from radcurate.deface.native import on_stack
from radcurate.deface.stack import Field

MODALITIES = ["CT", "MR"]


def true_brain(modality):
    """Brain of the phantom on its own voxels, without the spinal canal and the sinus that is painted over it."""
    stack, tissues, made, _ = planned(modality)
    heights = np.broadcast_to(stack.origins[:, 2][:, None, None], stack.values.shape)
    solid = stack.values > (-100 if modality == "CT" else 20)
    return tissues["brain"] & (heights > -50) & solid, stack, tissues, made


@pytest.mark.parametrize("modality", MODALITIES)
def test_protection_covers_the_brain_and_leaves_the_face(modality):
    truth, stack, tissues, made = true_brain(modality)
    kept = on_stack(protect(made.head, modality), made.head.field, stack)
    assert (truth & ~kept).sum() < 0.005 * truth.sum()
    assert (kept & tissues["face"]).sum() < 0.001 * tissues["face"].sum()


@pytest.mark.parametrize("modality", MODALITIES)
def test_the_judge_draws_brain_and_nothing_else(modality):
    truth, stack, tissues, made = true_brain(modality)
    drawn = brain_of(stack, made.head, modality)
    assert (truth & drawn).sum() > 0.8 * truth.sum()
    assert (drawn & ~tissues["brain"]).sum() < 0.02 * truth.sum()
    assert not (drawn & tissues["face"]).any()


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_mask_that_cuts_the_brain_is_flagged_and_the_right_one_is_not(modality):
    stack, _, made, mask = planned(modality)
    drawn = brain_of(stack, made.head, modality)
    right = brain_kept(drawn, mask)
    assert (right.lost, right.dice) == (0, 1.0) and right.voxels > 10_000
    deeper = made.head.brain_distance < 0  # nothing
    deeper |= made.head.there[:, 1].reshape(deeper.shape) < -60  # in front of a plane through the frontal lobes
    cut = brain_kept(drawn, on_stack(deeper, made.head.field, stack))
    assert cut.lost > 0 and cut.dice < 0.99
    # and one voxel is enough not to be 1
    one = np.zeros_like(drawn)
    one[tuple(np.argwhere(drawn)[0])] = True
    assert brain_kept(drawn, one).lost == 1 and brain_kept(drawn, one).dice < 1.0


def test_no_brain_in_view_is_not_judged():
    assert brain_kept(np.zeros((2, 2, 2), bool), np.ones((2, 2, 2), bool)).dice == 1.0


def test_a_network_that_sees_noise_is_not_believed():
    made = planned("MR")[2]
    noise = np.random.default_rng(0).uniform(0, 1, made.head.field.values.shape).astype(np.float32)
    field = Field(noise, made.head.field.inside, made.head.field.origin, made.head.field.step)
    head = replace(made.head, field=field)
    assert network_brain(field, head) is None
    # what is left is the mean head's brain
    assert np.array_equal(protect(head, "MR"), head.brain_distance < 2 * brain.MARGIN_MM)


def test_an_open_skull_leaks_neither_into_the_scalp_nor_into_the_face():
    """A craniectomy of 60 mm over the brow: bone turned into soft tissue."""
    truth, stack, tissues, made = true_brain("CT")
    head = made.head
    there = head.there.T.reshape(3, *head.body.shape)
    gap = (head.field.values > 100) & (there[1] < -60) & (abs(there[2] - 20) < 30) & (abs(there[0]) < 30)
    field = replace(head.field, values=np.where(gap, np.float32(45), head.field.values))
    opened = replace(head, field=field)
    inside = inside_of_skull(opened)
    assert gap.sum() > 500 and believable(inside, opened)
    kept = on_stack(protect(opened, "CT"), field, stack)
    assert (truth & ~kept).sum() < 0.005 * truth.sum()
    assert not (kept & tissues["face"]).any()


def test_no_skull_no_inside():
    head = planned("CT")[2].head
    water = replace(head, field=replace(head.field, values=np.full_like(head.field.values, -1000)))
    assert not inside_of_skull(water).any() and not own_brain(water, "CT").any()
    assert not believable(inside_of_skull(water), water)


def test_the_judge_knows_nothing_of_the_protection():
    names = {
        node.module
        for node in ast.walk(ast.parse(Path(judge.__file__).read_text()))
        if isinstance(node, ast.ImportFrom) and node.module
    }
    assert not names & {"radcurate.deface.brain", "radcurate.deface.networks"}

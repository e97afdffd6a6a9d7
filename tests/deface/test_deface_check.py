"""The check passes what was defaced, and nothing else: every signal has a volume that it must refuse."""

import numpy as np
import pytest
from scipy import ndimage

from deface_tools import planned
from radcurate.deface import check as check_module
from radcurate.deface.check import Limits, Signals, check, verdict
from radcurate.deface.native import on_stack
from radcurate.deface.quality import Moved, Presence
from radcurate.deface.stack import Stack
from radcurate.deface.template import template

MODALITIES = ["CT", "MR"]
LIMITS = Limits(moved=0.85, dice=0.995)


def filled(stack, mask, modality):
    values = np.where(mask, np.float32(-1000 if modality == "CT" else 0), stack.values)
    return Stack(values, stack.origins, stack.row_step, stack.column_step)


def checked(modality, mask=None, written=None, limits=LIMITS):
    """The check of the synthetic head, with another mask or another volume than the plan's."""
    stack, _, made, _ = planned(modality)
    mask = made.mask if mask is None else mask
    written = written or filled(stack, on_stack(mask, made.head.field, stack), modality)
    return check(mask, made.before, made.head, stack, written, modality, template(), limits)


def around(modality, change):
    """The synthetic head with its tissue changed within the mask: `change` maps the body's flags."""
    stack, _, made, mask = planned(modality)
    kept = on_stack(change(made.head.body, made.head.field.step), made.head.field, stack)
    return filled(stack, mask & ~kept, modality)


@pytest.mark.parametrize("modality", MODALITIES)
def test_what_was_defaced_passes_and_no_control_does(modality):
    result = checked(modality)
    assert result.reason is None
    assert result.after.moved.face > 0.93 and result.after.likeness < 0.3 and result.after.dice > 0.995
    assert result.untouched.moved == Moved(0.0, 0.0) and not result.untouched_passes
    assert result.untouched.likeness == pytest.approx(1.0) and result.blurred_likeness > 0.5
    assert result.controls_hold


@pytest.mark.parametrize("modality", MODALITIES)
def test_doing_nothing_fails(modality):
    made = planned(modality)[2]
    result = checked(modality, np.zeros_like(made.mask))
    assert result.reason == "face_left" and result.after.moved.face == 0.0


@pytest.mark.parametrize("modality", MODALITIES)
def test_half_a_face_fails(modality):
    made = planned(modality)[2]
    half = made.mask & (made.head.there[:, 0].reshape(made.mask.shape) > 3)
    assert checked(modality, half).reason in ("face_left", "checks_disagree")


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_mask_that_cuts_the_brain_fails(modality):
    made = planned(modality)[2]
    deep = made.mask | ((made.head.there[:, 1] < -50) & (made.head.there[:, 2] < 30)).reshape(made.mask.shape)
    result = checked(modality, deep)
    assert result.reason == "brain_touched" and result.brain_lost > 0


@pytest.mark.slow
@pytest.mark.parametrize("modality", MODALITIES)
def test_a_copy_of_the_face_sunk_into_the_head_fails(modality):
    """Its whole surface moved, yet a depth camera sees the same relief."""
    result = checked(
        modality, written=around(modality, lambda body, step: ndimage.distance_transform_edt(body, sampling=step) > 9)
    )
    assert result.after.moved.face > 0.8 and result.after.likeness > 0.4
    assert result.reason in ("face_left", "checks_disagree")


@pytest.mark.slow
@pytest.mark.parametrize("modality", MODALITIES)
def test_a_blurred_face_fails(modality):
    blur = around(modality, lambda body, step: ndimage.gaussian_filter(body.astype(np.float32), 8 / step) > 0.5)
    assert checked(modality, written=blur).reason in ("face_left", "checks_disagree")


def test_a_check_whose_control_passes_is_worth_nothing(monkeypatch):
    """Limits that nothing can miss: the untouched head would pass, so what was defaced doesn't."""
    monkeypatch.setattr(check_module, "ALIKE", 2.0)
    monkeypatch.setattr(check_module, "PRESENT", 2.0)
    result = checked("CT", limits=Limits(moved=0.0, dice=0.995))
    assert result.untouched_passes and not result.controls_hold and result.reason == "check_invalid"


def test_a_check_that_does_not_see_a_blurred_face_is_worth_nothing(monkeypatch):
    monkeypatch.setattr(check_module, "ALIKE", 0.95)
    result = checked("CT")
    assert not result.untouched_passes and not result.controls_hold and result.reason == "check_invalid"


def signals(moved, agrees, likeness, dice, in_view=0.9, ears=0.9):
    return Signals(Presence(in_view, agrees), Moved(moved, ears), likeness, dice)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (signals(0.97, 0.1, 0.1, 1.0), None),
        (signals(0.97, 0.1, None, 1.0), None),
        (signals(0.80, 0.6, 0.9, 1.0), "face_left"),
        (signals(0.80, 0.1, 0.1, 1.0), "checks_disagree"),
        (signals(0.97, 0.6, 0.1, 1.0), "checks_disagree"),
        (signals(0.97, 0.1, 0.6, 1.0), "checks_disagree"),
        (signals(0.97, 0.1, 0.1, 1.0, ears=0.5), "checks_disagree"),
        (signals(0.97, 0.1, 0.1, 1.0, ears=None), None),
        (signals(0.97, 0.1, 0.1, 0.99), "brain_touched"),
    ],
)
def test_verdicts(after, expected):
    assert verdict(Presence(0.9, 0.95), after, LIMITS) == expected


def test_a_strip_of_brow_has_its_own_limit():
    before = Presence(0.1, 0.95)
    assert verdict(before, signals(0.95, 0.6, None, 1.0, 0.1), LIMITS) is None
    assert verdict(before, signals(0.95, 0.6, 0.9, 1.0, 0.1), LIMITS) is None  # above the eyes a face has no relief
    assert verdict(Presence(0.2, 0.95), signals(0.95, 0.6, 0.9, 1.0, 0.2), LIMITS) == "checks_disagree"
    assert verdict(before, signals(0.95, 0.7, None, 1.0, 0.1), LIMITS) == "checks_disagree"

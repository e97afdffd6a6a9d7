"""Heads that lie otherwise than their header says, two of them, none, and series that see a face in few planes."""

import numpy as np
import pytest

from deface_tools import planned, synthetic, write_dicom
from radcurate.deface.average import average_face
from radcurate.deface.borrow import Partner, carried
from radcurate.deface.decide import Plan, in_company, plan, thinner
from radcurate.deface.detect import Finding, find_head
from radcurate.deface.native import on_stack, painted_on
from radcurate.deface.screen import TURNS
from radcurate.deface.series import compare, load, write_masked
from radcurate.deface.stack import Field, Stack
from radcurate.deface.template import template
from radcurate.deface.turns import exchanged, exchanges


def lying(stack, matrix):
    """The same values under a header that exchanges the axes."""
    return Stack(stack.values, stack.origins @ matrix.T, matrix @ stack.row_step, matrix @ stack.column_step)


def test_the_turns_and_exchanges_are_all_ways_to_set_a_cube_upright():
    found = {
        tuple((np.diag(signs) @ matrix).ravel().astype(int))
        for matrix in [np.eye(3), *exchanges()]
        for signs in TURNS.values()
    }
    assert len(found) == 24
    assert all(np.linalg.det(np.reshape(matrix, (3, 3))) == pytest.approx(1) for matrix in found)


@pytest.mark.parametrize("matrix", exchanges())
def test_an_exchanged_field_has_its_values_at_turned_points(matrix):
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, (4, 5, 6)).astype(np.float32)
    field = Field(values, values > -1, np.array([1.0, 2.0, 3.0]), 2.0)
    turned = exchanged(field, matrix)
    index = np.rint(turned.to_index(field.points() @ matrix.T)).astype(int)
    assert np.array_equal(turned.values[tuple(index)], values.ravel())
    assert np.array_equal(turned.inside[tuple(index)], field.inside.ravel())


@pytest.mark.slow
def test_a_head_that_lies_on_its_side_is_found_and_told():
    stack, tissues, _, _ = planned("CT")
    lied = lying(stack, exchanges()[-1].T)
    made = plan(lied, "CT", "", template())
    assert (made.decision, made.code, made.finding.pose.turn) == ("remove", "head_with_face_turned", "sideways")
    mask = on_stack(made.mask, made.head.field, lied)
    assert mask[tissues["face"]].mean() > 0.75 and not (mask & tissues["brain"]).any()


@pytest.mark.slow
@pytest.mark.parametrize("beside", [True, False])
def test_two_heads_are_for_a_person(beside):
    stack = planned("CT")[0]
    if beside:
        both = Stack(np.concatenate([stack.values] * 2, axis=2), stack.origins, stack.row_step, stack.column_step)
    else:
        origins = np.concatenate([stack.origins, stack.origins + np.array([0, 0, 4.0 * len(stack.origins)])])
        both = Stack(np.concatenate([stack.values] * 2), origins, stack.row_step, stack.column_step)
    made = plan(both, "CT", "", template())
    assert (made.decision, made.code) == ("uncertain", "two_heads")


@pytest.mark.parametrize(("value", "modality"), [(0.0, "MR"), (40.0, "CT"), (-1000.0, "CT")])
def test_an_empty_volume_is_for_a_person(value, modality):
    stack = planned("CT")[0]
    blank = Stack(np.full_like(stack.values, value), stack.origins, stack.row_step, stack.column_step)
    assert plan(blank, modality, "", template()).code == "empty_volume"


def sagittal(planes=3):
    stack, _ = synthetic("MR", "sagittal")
    middle = len(stack.values) // 2
    few = slice(middle, middle + planes)
    return Stack(stack.values[few], stack.origins[few], stack.row_step, stack.column_step)


def test_few_sagittal_planes_may_be_a_profile():
    finding = find_head(sagittal(), "MR", template())
    assert (finding.verdict, finding.code) == ("uncertain", "few_planes")


def test_few_planes_take_the_mask_of_a_partner():
    stack, _, made, _ = planned("CT")
    partner = Partner("S-1", "remove", stack.corners(), made.head.field, made.mask, made.head.pose)
    few = sagittal()
    own = plan(few, "MR", "", template())
    taken = carried(few, "MR", own, [partner], template())
    assert (taken.decision, taken.code) == ("remove", "partner_with_face")
    assert on_stack(taken.mask, taken.head.field, few).any()


def test_few_planes_beside_a_partner_without_a_head_show_none():
    few = sagittal()
    own = Plan("uncertain", "few_planes", Finding("uncertain", "few_planes"))
    quiet = Partner("S-1", "none", few.corners())
    assert carried(few, "MR", own, [quiet], template()).decision == "none"
    far = Partner("S-1", "none", few.corners() + 500.0)
    assert carried(few, "MR", own, [far], template()).decision == "uncertain"


def test_skin_that_lies_elsewhere_than_the_partners_is_for_a_person():
    stack, _, made, _ = planned("CT")
    partner = Partner("S-1", "remove", stack.corners(), made.head.field, made.mask, made.head.pose)
    moved = Stack(stack.values, stack.origins + np.array([0.0, 40.0, 0.0]), stack.row_step, stack.column_step)
    own = Plan("none", "no_head_in_view", Finding("none", "no_head_in_view"))
    assert carried(moved, "CT", own, [partner], template()).code == "partners_disagree"


def test_a_limb_stays_a_limb_beside_a_head():
    own = Plan("none", "no_head_in_view", Finding("none", "no_head_in_view", fit=0.2, inside=0.07, bone=0.05))
    assert in_company(own, "CT").decision == "none"
    weak = Plan("none", "no_head_in_view", Finding("none", "no_head_in_view", fit=0.2, inside=0.07))
    assert in_company(weak, "MR").code == "head_in_study_but_not_found"


def test_the_shell_keeps_what_lies_under_the_skin():
    made = planned("CT")[2]
    shell = thinner(made, "CT", template())
    assert shell.code == "head_with_face_shell"
    assert not (shell.mask & ~made.mask).any()
    taken, whole = ((mask & made.head.body).sum() for mask in (shell.mask, made.mask))
    assert taken < 0.8 * whole


@pytest.mark.parametrize("modality", ["CT", pytest.param("MR", marks=pytest.mark.slow)])
def test_an_average_face_is_drawn_within_the_mask_and_read_back(modality, tmp_path):
    stack, _, made, mask = planned(modality)
    face = average_face(made.head, made.mask, modality, template())
    drawn = np.isfinite(face)
    assert drawn.any() and not (drawn & ~made.mask).any() and (made.mask & ~drawn).any()
    assert face[drawn].min() >= 0
    write_dicom(stack, tmp_path / "in", modality)
    loaded = load(sorted((tmp_path / "in").iterdir()))
    painted = painted_on(face, made.head.field, loaded.stack, mask)
    assert not (np.isfinite(painted) & ~mask).any()
    (tmp_path / "out").mkdir()
    write_masked(loaded, mask, modality, tmp_path / "out", painted)
    paths = [out if (out := tmp_path / "out" / path.name).exists() else path for path in loaded.paths]
    identity, written = compare(loaded, paths, mask, modality, painted)
    assert identity.outside_equal and identity.inside_filled
    at = np.isfinite(painted)
    assert np.abs(written.values[at] - painted[at]).max() <= 0.5
    plain, _ = compare(loaded, paths, mask, modality)
    assert not plain.inside_filled

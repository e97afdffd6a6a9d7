"""The table of heads is the benchmark's, and two face detectors agree with the check."""

from pathlib import Path

import pytest
from benchmarks.deface import MARK, _line, measure
from benchmarks.detectors import detectors, fine_field, portrait
from benchmarks.heads import heads

from deface_tools import planned
from paths import ROOT
from radcurate.deface.stack import Stack

PAGE = (ROOT / "docs/reference/defacing.md").read_text()


def table():
    lines = [line for line in PAGE.split(MARK)[1].splitlines() if line.startswith("| ")]
    return {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]] for line in lines[1:]}


def test_the_page_has_every_head_of_the_benchmark():
    cases = list(heads(Path("/nowhere")))
    assert list(table()) == [case.name for case in cases]
    assert [cells[:2] for cells in table().values()] == [[case.modality, case.part] for case in cases]


def test_no_control_passes_on_any_head_of_the_page():
    assert {cells[10] for cells in table().values()} <= {"no", "–"}


@pytest.mark.slow
def test_a_row_of_the_page_is_what_the_benchmark_measures():
    pytest.importorskip("quickshear", reason="a row of the page has its share: it is in the group `peers`")
    case = next(iter(heads(None)))
    told = [cell.strip() for cell in _line(measure(case, None)).split("|")[2:-1]]
    assert told[:-2] == table()[case.name][:-2]


@pytest.mark.slow
@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_detectors_see_a_face_before_and_none_after(modality):
    found = detectors()
    if found is None:
        pytest.skip("dlib and mediapipe are in the group `peers`, which is not installed")
    stack, _, made, mask = planned(modality)
    values = stack.values.copy()
    values[mask] = -1000 if modality == "CT" else 0
    after = Stack(values, stack.origins, stack.row_step, stack.column_step)
    first, second = (fine_field(one, modality) for one in (stack, after))
    pose = made.head.pose
    assert any(see(portrait(first, pose, angle)) for see in found.values() for angle in (0, 30))
    assert not any(found["mesh"](portrait(second, pose, angle)) for angle in range(0, 360, 30))
    assert not any(found["cnn"](portrait(second, pose, angle)) for angle in (0, 30))

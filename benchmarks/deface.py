"""Every head at hand, defaced as a run does it, and what other tools' masks would have done to the same heads.

`python -m benchmarks.deface` prints the figures; with `--page` it also writes the table in docs/reference/defacing.md.
Heads of the part `final` took no part in fixing a threshold. Where the group `peers` is installed, two face detectors
look at every head from all sides, before and after.
"""

from __future__ import annotations

import argparse
import importlib.resources
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import SimpleITK as sitk  # noqa: N813

from benchmarks.detectors import Detector, detectors, fine_field, portrait
from benchmarks.figure import Figure
from benchmarks.heads import FINAL, Case, heads, nifti
from radcurate.deface.check import Check, Limits, check
from radcurate.deface.decide import Plan, plan
from radcurate.deface.judge import own_brain
from radcurate.deface.native import on_stack
from radcurate.deface.quality import moved
from radcurate.deface.region import Head
from radcurate.deface.stack import Flags, Stack, to_field
from radcurate.deface.template import template
from radcurate.demo import scanner
from radcurate.demo.anatomy import head as synthetic_head
from radcurate.demo.dicom_writer import image_series, write_series
from radcurate.demo.geometry import Geometry
from radcurate.demo.people import Series

PAGE = Path(__file__).resolve().parents[1] / "docs/reference/defacing.md"
MARK = "<!-- heads: python -m benchmarks.deface --page -->"
LIMITS = Limits(moved=0.85, dice=0.995)  # defaults of the settings
AROUND = tuple(range(0, 360, 30))
FRONT = (330, 0, 30)
MOST_SECONDS, MOST_MEMORY, LEAST_FACE, LEAST_EARS, LEAST_SEEN = 30, 2000, 0.98, 0.90, 0.95


@dataclass(frozen=True)
class Row:
    """One head: what was decided and measured; None where it can't be or wasn't."""

    case: Case
    code: str
    result: Check | None = None
    brain_cut: int | None = None  # voxels of somebody else's brain in the mask
    pydeface: float | None = None  # share of the facial surface that its mask moves
    quickshear: float | None = None
    seen_before: int | None = None  # of the views from the front, in how many a detector sees a face
    seen_after: int | None = None  # of all views
    seconds: float = 0.0


def measure(case: Case, found: dict[str, Detector] | None) -> Row:
    """Deface one head in memory and check it."""
    stack, mean = case.open(), template()
    before = time.process_time()
    made = plan(stack, case.modality, "", mean)
    if made.mask is None or made.head is None or made.before is None:
        return Row(case, made.code, seconds=time.process_time() - before)
    mask = on_stack(made.mask, made.head.field, stack)
    written = _filled(stack, mask, case.modality)
    result = check(made.mask, made.before, made.head, stack, written, case.modality, mean, LIMITS)
    seconds = time.process_time() - before
    cut = int((mask & case.brain()).sum()) if case.brain else None
    peers = [moved(made.head.body, made.head.body & ~other, made.head, mean).face for other in _peers(made, case)]
    seen = _detected(stack, written, case.modality, made, found) if found else (None, None)
    return Row(case, made.code, result, cut, *peers, *seen, seconds=seconds)


def _filled(stack: Stack, mask: Flags, modality: str) -> Stack:
    values = np.where(mask, np.float32(-1000 if modality == "CT" else 0), stack.values)
    return Stack(values, stack.origins, stack.row_step, stack.column_step)


def _peers(made: Plan, case: Case) -> tuple[Flags, Flags]:
    """Masks of pydeface and quickshear on the head's field; both are given this project's registration and brain."""
    assert made.head is not None
    return _pydeface(made.head), _quickshear(made.head, case.modality)


def _pydeface(head: Head) -> Flags:
    source = Path(str(importlib.resources.files("pydeface"))) / "data" / "facemask.nii.gz"
    kept = to_field(nifti(source), 2.0)
    index = np.rint(kept.to_index(head.there)).astype(int)
    known = ((index >= 0) & (index < np.array(kept.values.shape)[:, None])).all(axis=0)
    result = np.zeros(head.body.size, bool)
    result[known] = kept.values[tuple(index[:, known])] < 0.5
    return result.reshape(head.body.shape)


def _quickshear(head: Head, modality: str) -> Flags:
    from quickshear import quickshear

    brain = own_brain(head, modality)
    if not brain.any():
        return np.zeros_like(brain)
    affine = np.diag([-head.field.step, -head.field.step, head.field.step, 1.0])
    image, mask = (
        nibabel.Nifti1Image(np.ascontiguousarray(one.transpose(2, 1, 0)).astype(np.uint8), affine)
        for one in (np.ones_like(brain), brain)
    )
    done: Any = quickshear(image, mask)
    return np.asarray(done.dataobj).transpose(2, 1, 0) == 0


def _detected(stack: Stack, written: Stack, modality: str, made: Plan, found: dict[str, Detector]) -> tuple[int, int]:
    """Views from the front in which a face is seen before, and views from all round in which one is seen after.

    The network, which takes seconds a picture, looks from the front only.
    """
    assert made.head is not None
    pose = made.head.pose
    fields = [fine_field(one, modality) for one in (stack, written)]
    before = [portrait(fields[0], pose, angle) for angle in FRONT]
    after = {angle: portrait(fields[1], pose, angle) for angle in AROUND}
    below = portrait(fields[1], pose, 0, 55.0)
    first = sum(found["mesh"](one) or found["cnn"](one) for one in before)
    second = sum(found["mesh"](one) or (angle in FRONT and found["cnn"](one)) for angle, one in after.items()) + found[
        "mesh"
    ](below)
    return first, second


def rows() -> list[Row]:
    """Every head, in order."""
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    data = os.environ.get("RADCURATE_TEST_DATA")
    found = detectors()
    done = []
    for case in heads(Path(data) if data else None):
        done.append(measure(case, found))
        print(_line(done[-1]), file=sys.stderr, flush=True)
    return done


def figures() -> list[Figure]:
    """What was promised."""
    return _figures(rows())


def _figures(found: list[Row]) -> list[Figure]:
    final = [row.result for row in found if row.case.part == FINAL and row.result]
    faces = [one.after.moved.face for one in final if one.after.moved.face is not None]
    ears = [one.after.moved.ears for one in final if one.after.moved.ears is not None]
    cut = [row.brain_cut for row in found if row.brain_cut is not None]
    before = [row.seen_before > 0 for row in found if row.seen_before is not None]
    after = [row.seen_after for row in found if row.seen_after is not None]
    cost, memory = cost_of_one()
    said = [
        Figure("deface: facial surface moved, worst head", min(faces), LEAST_FACE, "", at_most=False),
        Figure("deface: ears moved, worst head", min(ears), LEAST_EARS, "", at_most=False),
        Figure("deface: least Dice of the brain, by the judge", min(one.after.dice for one in final), 1, "", False),
        Figure("deface: voxels of a drawn brain changed, worst head", max(cut), 0, ""),
        Figure("deface: untouched heads that pass the check", sum(one.untouched_passes for one in final), 0, ""),
        Figure("deface: CPU for 512 × 512 × 120", cost, MOST_SECONDS, "s"),
        Figure("deface: memory for 512 × 512 × 120", memory, MOST_MEMORY, "MB"),
    ]
    if before:
        said.append(
            Figure("deface: heads in which a detector sees a face before", np.mean(before), LEAST_SEEN, "", False)
        )
        said.append(Figure("deface: views in which one sees a face after", sum(after), 0, ""))
    return said


def cost_of_one() -> tuple[float, float]:
    """CPU seconds and peak megabytes of a process that defaces a synthetic head of 512 × 512 × 120, files included."""
    geometry = Geometry((120, 512, 512), (1.8, 0.47, 0.47)).centred((0.0, -12.0, -38.0))
    code = (
        "import sys, time; from pathlib import Path; from radcurate.stages._faces import Space, clean_space; "
        "from radcurate.settings import Deface; root = Path(sys.argv[1]); (root / 'p').mkdir(); "
        "row = dict(series='S', subject='P', kind='image', modality='CT', status='ok', folder='S', n_instances=120, "
        "images=[], frame_of_reference='1'); "
        "done = clean_space(Space((row,), (), root, root / 'o', root / 'p', Deface())); "
        "assert done.series[0]['face'] == 'removed', done.series; "
        "print(time.process_time(), Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )
    with tempfile.TemporaryDirectory() as name:
        values = scanner.ct(synthetic_head(geometry, 3), scanner.Look(noise=8.0), 3)
        write_series(image_series(np.round(values), geometry, series=Series(modality="CT")), Path(name) / "S")
        done = subprocess.run([sys.executable, "-c", code, name], check=True, capture_output=True, text=True)
    seconds, kilobytes = (float(word) for word in done.stdout.split()[-2:])
    return seconds, kilobytes / 1024


def _line(row: Row) -> str:
    """A row of the table."""
    share = lambda value: "–" if value is None else f"{100 * value:.1f}"  # noqa: E731
    count = lambda value, of: "–" if value is None else f"{value}/{of}"  # noqa: E731
    one = row.result
    cells = [row.case.name, row.case.modality, row.case.part]
    if one is None:
        return "| " + " | ".join([*cells, row.code, *["–"] * 10]) + " |"
    cells += [row.code if one.reason is None else f"set aside: {one.reason}"]
    cells += [share(one.after.moved.face), share(one.after.moved.ears)]
    cells += [share(row.pydeface), share(row.quickshear)]
    cells += ["–" if one.after.likeness is None else f"{one.after.likeness:.2f}"]
    cells += [
        f"{one.after.dice:.4f}" if one.brain_voxels else "–",
        "–" if row.brain_cut is None else str(row.brain_cut),
    ]
    cells += ["no" if one.controls_hold else "YES"]
    cells += [count(row.seen_before, len(FRONT)), count(row.seen_after, len(AROUND) + 1)]
    return "| " + " | ".join(cells) + " |"


HEADER = """| head | | part | decision | face moved % | ears moved % | pydeface's mask % | quickshear % | likeness | brain's Dice | drawn brain's voxels changed | a control passes | face seen before | face seen after |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"""


def table(found: list[Row]) -> str:
    """The table of the page."""
    return "\n".join([HEADER, *map(_line, found)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", action="store_true", help="write the table into docs/reference/defacing.md")
    arguments = parser.parse_args()
    found = rows()
    said = "\n".join(str(figure) for figure in _figures(found))
    print(table(found), said, sep="\n\n")
    if arguments.page:
        text = PAGE.read_text().split(MARK)[0]
        PAGE.write_text(f"{text}{MARK}\n\n{table(found)}\n\n```\n{said}\n```\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Series of one study beside each other, styles, and headers that lie."""

import numpy as np
import pytest
from test_deface_stage import contour

from deface_tools import chunk, planned, write_dicom
from radcurate import tables
from radcurate.deface.decide import thinner
from radcurate.deface.native import on_stack
from radcurate.deface.stack import Stack
from radcurate.deface.template import template
from radcurate.settings import Deface
from radcurate.stages import deface


def rows(folder):
    return {row["series"]: row for row in tables.read_rows(folder / "series.parquet", tables.DEFACE_SERIES)}


@pytest.mark.slow
def test_the_shell_is_taken_where_a_contour_reaches_deeper(tmp_path, key):
    stack, _, made, mask = planned("CT")
    shell = thinner(made, "CT", template())
    deep = mask & ~on_stack(shell.mask, made.head.field, stack)
    write_dicom(stack, tmp_path / "in/dicom/S-1", "CT")
    contour(tmp_path / "in/dicom/S-tongue", stack, deep & (np.cumsum(deep).reshape(deep.shape) < deep.sum() // 2))
    chunk(tmp_path / "in", key, [("S-1", "CT", "1.1")], [("S-tongue", "nifti", ["S-1"])])
    settings = Deface(pictures=False, roi_overlap="shell")
    deface.run(settings, tmp_path / "in", tmp_path / "decisions.csv", tmp_path / "out", key, 1)
    row = rows(tmp_path / "out")["S-1"]
    assert (row["status"], row["decision"]) == ("ok", "head_with_face_shell")
    assert rows(tmp_path / "out")["S-tongue"]["status"] == "ok"


@pytest.mark.slow
def test_a_header_that_lies_is_set_aside(tmp_path, key):
    stack = planned("CT")[0]
    sign = np.array([1.0, -1.0, 1.0])
    lied = Stack(stack.values, stack.origins * sign, stack.row_step * sign, stack.column_step * sign)
    write_dicom(lied, tmp_path / "in/dicom/S-1", "CT")
    chunk(tmp_path / "in", key, [("S-1", "CT", "1.1")])
    deface.run(Deface(pictures=False), tmp_path / "in", tmp_path / "decisions.csv", tmp_path / "out", key, 1)
    row = rows(tmp_path / "out")["S-1"]
    assert (row["status"], row["reason"]) == ("quarantined", "header_turned")
    for path in sorted((tmp_path / "in/dicom/S-1").iterdir()):
        assert path.samefile(tmp_path / "out/dicom/S-1" / path.name)

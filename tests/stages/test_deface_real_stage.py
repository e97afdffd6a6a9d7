"""Real series without a face go through the stage untouched, byte for byte."""

import shutil

import pytest

from deface_tools import chunk
from radcurate import tables
from radcurate.keys import Key
from radcurate.settings import Deface
from radcurate.stages import deface

SERIES = {
    "S-lung": ("CT", "ibsi/ibsi_1_ct_radiomics_phantom/dicom/image"),
    "S-thigh": ("MR", "ibsi/ibsi_validation/dicom/STS_008/MR_T1/image"),
}


@pytest.mark.slow
def test_no_face_no_change(real_data, tmp_path):
    for series, (_, folder) in SERIES.items():
        shutil.copytree(real_data / folder, tmp_path / "in/dicom" / series)
    key = Key(bytes(range(32)))
    chunk(tmp_path / "in", key, [(series, modality, series) for series, (modality, _) in SERIES.items()])
    deface.run(Deface(), tmp_path / "in", tmp_path / "decisions.csv", tmp_path / "out", key, 1)
    rows = tables.read_rows(tmp_path / "out/series.parquet", tables.DEFACE_SERIES)
    assert {row["series"]: (row["status"], row["face"], row["changed_voxels"]) for row in rows} == dict.fromkeys(
        SERIES, ("ok", "none", 0)
    )
    assert all(row["decision"] for row in rows)
    assert not tables.read_rows(tmp_path / "out/masks.parquet", tables.DEFACE_MASKS)
    for series in SERIES:
        for path in sorted((tmp_path / "in/dicom" / series).iterdir()):
            assert path.samefile(tmp_path / "out/dicom" / series / path.name)

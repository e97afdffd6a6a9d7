"""A second engine on a sample of the regions: from extract's table to what a re-extraction says about it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from extract_tools import Chunk, write_image, write_mask

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.features import engine
from radcurate.features.crosscheck import agreement
from radcurate.features.engine import Engine, Outcome

SHAPE = (8, 9, 10)
N_IMAGES = 6


@pytest.fixture
def chunk(tmp_path, key):
    labels = np.zeros(SHAPE, dtype=np.int16)
    labels[2:6, 2:7, 3:8] = 1
    labels[7, 8, 9] = 2
    made = Chunk(tmp_path / "results", key)
    for number in range(N_IMAGES):
        values = np.random.default_rng(number).integers(-50, 150, SHAPE).astype(np.int16)
        made.add(f"S-ct{number}", "image", "CT", write_image(tmp_path / f"ct{number}", values))
        made.add(
            f"S-mask{number}", "nifti", "SEG", [write_mask(tmp_path / f"{number}.nii.gz", labels)], [f"S-ct{number}"]
        )
    return made


@pytest.fixture
def faulty(monkeypatch):
    """A second engine that is pyradiomics, but for a mean that is one part in a thousand too large, and no variance."""
    monkeypatch.setattr(engine, "_registered", {})
    first = engine.find("pyradiomics")

    def compute(prepared, columns):
        found = first.compute(prepared, columns)
        changed = {"stat_mean": found.values["stat_mean"] * 1.001, "stat_var": float("nan")}
        return Outcome(found.values | changed, found.reasons | {"stat_var": "broken"})

    return engine.register(Engine("faulty", compute, "radcurate"))


def rows(out):
    return tables.read_rows(out / "crosscheck.parquet", tables.EXTRACT_CROSSCHECK)


def test_nothing_is_measured_twice_unless_asked_for(chunk):
    assert rows(chunk.extract(engine="pyradiomics")) == []


def test_a_planted_disagreement_is_in_the_table(chunk, faulty):
    out = chunk.extract(engine="pyradiomics", crosscheck={"engine": "faulty", "share": 1})
    found = rows(out)
    assert {(row["engine"], row["second_engine"], row["subject"]) for row in found} == {
        ("pyradiomics", "faulty", "P-1")
    }
    by_feature = {}
    for row in found:
        by_feature.setdefault(row["feature"], []).append(row["difference"])
    assert by_feature.pop("stat_mean") == pytest.approx([0.001 / 1.001] * 2 * N_IMAGES)
    assert by_feature.pop("stat_var") == [float("inf")] * 2 * N_IMAGES
    assert len(by_feature) > 100 and {value for values in by_feature.values() for value in values} == {0.0}


def test_the_sample_is_a_share_and_always_the_same(chunk, faulty):
    half = {"engine": "faulty", "share": 0.5}
    one = rows(chunk.extract("one", engine="pyradiomics", crosscheck=half))
    two = rows(chunk.extract("two", engine="pyradiomics", crosscheck=half, threads=2))
    assert one == two
    assert 0 < len(Counter(row["roi"] for row in one)) < 2 * N_IMAGES


def test_the_released_values_are_those_of_the_first_engine(chunk, faulty):
    plain = chunk.extract("plain", engine="pyradiomics")
    checked = chunk.extract("checked", engine="pyradiomics", crosscheck={"engine": "faulty", "share": 1})
    assert (plain / "features.parquet").read_bytes() == (checked / "features.parquet").read_bytes()


def test_a_second_engine_that_nobody_knows_stops_the_stage(chunk):
    with pytest.raises(CurationError, match="no engine is called abacus"):
        chunk.extract(engine="pyradiomics", crosscheck={"engine": "abacus", "share": 0.1})


def test_an_engine_is_no_check_of_itself(chunk):
    with pytest.raises(ValueError, match="always agrees with itself"):
        chunk.extract(engine="pyradiomics", crosscheck={"engine": "pyradiomics", "share": 0.1})


def test_both_engines_agree_on_27_real_tumours(real_data, tmp_path, key):
    """Nine patients, three modalities: textures and statistics to 1e-6, shape to 0.2 %, in every region."""
    made = Chunk(tmp_path / "results", key)
    for patient in sorted((real_data / "ibsi" / "ibsi_validation" / "dicom").iterdir()):
        for name, modality in (("CT", "CT"), ("PET", "PT"), ("MR_T1", "MR")):
            files = {part: sorted((patient / name / part).iterdir()) for part in ("image", "mask")}
            series = made.add(f"S-{patient.name}-{name}", "image", modality, files["image"])
            made.add(f"{series}-rs", "rtstruct", "RTSTRUCT", files["mask"], [series])
    out = made.extract(invariance=False, crosscheck={"engine": "pyradiomics", "share": 1}, threads=2)
    found = agreement([tables.read(out / "crosscheck.parquet")])
    assert Counter(row["modality"] for row in found) == {"CT": 163, "PT": 163, "MR": 163}
    assert {(row["regions"], row["one_sided"], row["within"]) for row in found} == {(9, 0, 1.0)}
    assert max(row["largest_difference"] for row in found if not row["feature"].startswith("morph_")) < 1e-9

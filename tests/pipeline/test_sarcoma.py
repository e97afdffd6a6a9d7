"""Nine real patients, three modalities each, through the whole chain (soft-tissue sarcoma, IBSI validation set)."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pydicom
import pytest

from pipeline_tools import tree_digest
from radcurate.keys import load_key
from test_leaks import leaks
from test_reextract import reextract

pytestmark = [pytest.mark.xdist_group("sarcoma"), pytest.mark.slow]

PATIENTS = ["STS_001", "STS_002", "STS_003", "STS_006", "STS_008", "STS_010", "STS_012", "STS_015", "STS_032"]


@pytest.fixture(scope="module")
def source(real_data: Path) -> Path:
    return real_data / "ibsi" / "ibsi_validation" / "dicom"


@pytest.fixture(scope="module")
def sarcoma(source, new_project, tmp_path_factory):
    """The cohort under the policy `internal`, finished."""
    project = new_project()
    folder = tmp_path_factory.mktemp("consent")
    rows = [f"{patient},broad,research,no,,2015-01-01,IRB-1" for patient in PATIENTS]
    header = "patient,model,purposes,recontact,withdrawn,date,governance"
    (folder / "consent.csv").write_text("\n".join([header, *rows]) + "\n")
    key_file = folder / "key"
    key_file.write_text("5a" * 32)
    key_file.chmod(0o600)
    project.configure(
        input=str(source),
        key_file=str(key_file),
        consent={"table": str(folder / "consent.csv"), "waiver": None},
        extract={"ranges": {"perturbations": 10}},
        release={"name": "sarcoma"},
    )
    project = replace(project, key_file=key_file)
    project.snakemake()
    return project


@pytest.fixture(scope="module")
def headers(source) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(source.rglob("*.dcm"))]


def test_every_series_gives_its_row(sarcoma):
    features = pd.read_parquet(sarcoma.release / "features.parquet")
    assert len(features) == 27
    assert features["series"].nunique() == 27
    assert features["modality"].value_counts().to_dict() == {"CT": 9, "MR": 9, "PT": 9}
    assert features["subject"].nunique() == 9


def test_volumes_agree_with_the_masks_beside_the_images(sarcoma, real_data):
    """The released voxel volumes against the NIfTI masks, which no part of the run has seen."""
    import nibabel

    features = pd.read_parquet(sarcoma.release / "features.parquet")
    for modality, name in (("CT", "CT"), ("PT", "PET"), ("MR", "MR_T1")):
        truth = []
        for patient in PATIENTS:
            mask = nibabel.load(real_data / "ibsi" / "ibsi_validation" / "nifti" / patient / f"{name}_mask.nii.gz")
            voxel = abs(float(pd.Series(mask.header.get_zooms()[:3]).prod()))
            truth.append(float((mask.get_fdata() > 0).sum()) * voxel)
        found = sorted(features.loc[features["modality"] == modality, "morph_vol_approx"])
        assert found == pytest.approx(sorted(truth), rel=0.06)


def test_every_number_comes_back_bit_equal(sarcoma, tmp_path):
    """From the release alone, without the key, on other numbers of processes; the images found by their digests."""
    release = Path(shutil.copytree(sarcoma.release, tmp_path / "elsewhere" / sarcoma.release.name))
    done, report = reextract(sarcoma, release, "--images", str(sarcoma.results / "deface"), "--threads", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert report["rebuilt"] == report["regions"] == 27 and not report["versions"]
    for table in report["agreement"].values():
        assert table and not any(found["within"] or found["different"] for found in table.values())


def test_every_feature_has_a_range_around_its_value(sarcoma):
    features = pd.read_parquet(sarcoma.release / "features.parquet").set_index("roi")
    ranges = pd.read_parquet(sarcoma.release / "ranges.parquet").set_index("roi").reindex(features.index)
    names = [name.removesuffix("_lo") for name in ranges if name.endswith("_lo")]
    assert len(names) > 200 and (ranges["perturbations"] == 10).all() and (ranges["overlap"] > 0.85).all()
    for name in names:
        low, value, high = ranges[f"{name}_lo"], features[name], ranges[f"{name}_hi"]
        assert (((low <= value) & (value <= high)) | value.isna()).all(), name
    assert (ranges["morph_volume_hi"] / ranges["morph_volume_lo"]).median() > 1.1


def test_the_release_tells_how_stable_each_feature_is(sarcoma):
    """Volumes are stable, and each modality has features that aren't; the card names them."""
    stability = pd.read_parquet(sarcoma.release / "stability.parquet").set_index(["feature", "modality"])
    assert set(stability.index.get_level_values("modality")) == {"CT", "MR", "PT"}
    assert (stability["regions"].groupby("modality").max() == 9).all()
    card = (sarcoma.release / "DATA_CARD.md").read_text()
    for modality in ("CT", "MR", "PT"):
        assert stability.loc[("morph_volume", modality), "icc"] > 0.95
        own = stability.xs(modality, level="modality")
        unstable = own.index[own["grade"].isin(["moderate", "poor"])]
        assert len(unstable) and all(f"`{name}`" in card for name in unstable)


def test_public_refuses_nine_people_and_keeps_what_was_released(sarcoma, tmp_path):
    project = sarcoma.copy(tmp_path / "project")
    before = tree_digest(project.results / "release")
    project.configure(gate={"policy": "public"})
    done = project.snakemake(ok=False)
    assert done.returncode != 0
    assert re.search(r"\bk\b", done.stderr) and "Traceback" not in done.stderr
    assert tree_digest(project.results / "release") == before


def test_no_id_name_or_uid_is_left(sarcoma, headers):
    values = {"STS_0", "STD_0", "STS-0", "STS 0"}
    for header in headers:
        for element in header.iterall():
            text = str(element.value)
            if (element.VR == "UI" and text.startswith("1.3.")) or element.keyword == "AccessionNumber":
                values.add(text)
    assert len(values) > 1000
    assert leaks(sarcoma.folder, values) == []


def test_no_series_keeps_a_date(sarcoma, headers):
    """Attribute by attribute: shifted by whole weeks, one date of a patient may become another of the same patient."""
    key = load_key(sarcoma.key_file)
    original = defaultdict(set)
    for header in headers:
        for keyword, day in dates(header):
            original[key.series(str(header.SeriesInstanceUID)), keyword].add(day)
    compared = set()
    for path in sorted((sarcoma.results / "deface").glob("*/dicom/*/*.dcm")):
        for keyword, day in dates(pydicom.dcmread(path, stop_before_pixels=True)):
            assert day not in original[path.parent.name, keyword], keyword
            compared.add(path.parent.name)
    assert len(compared) == 54


def dates(header: pydicom.Dataset) -> list[tuple[str, str]]:
    return [
        (element.keyword, str(element.value)) for element in header.iterall() if element.VR == "DA" and element.value
    ]

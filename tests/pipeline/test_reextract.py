"""Every number of a release once more, from its manifest and the images alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pydicom
import pytest

from own_features import EXAMPLE
from pipeline_tools import Project
from radcurate.release import check

OWN = ("--extension", str(EXAMPLE))

pytestmark = pytest.mark.xdist_group("pipeline")


def reextract(project: Project, release: Path, *options: str) -> tuple[subprocess.CompletedProcess[str], dict]:
    """Without the key, in another folder; the report."""
    out = release.parent / "report.json"
    out.unlink(missing_ok=True)
    command = [sys.executable, "-m", "radcurate.cli", "reextract", str(release), "--out", str(out), *options]
    environment = {name: value for name, value in project.environment().items() if "RADCURATE" not in name}
    done = subprocess.run(command, cwd=release.parent, env=environment, capture_output=True, text=True)
    return done, json.loads(out.read_text()) if out.exists() else {}


@pytest.fixture
def release(finished: Project, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished.release, tmp_path / "elsewhere" / finished.release.name))


@pytest.fixture(scope="module")
def with_images(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run with its images, ranges, a second engine and a feature of one's own in the release."""
    project = finished.copy(tmp_path_factory.mktemp("images") / "project")
    project.configure(release={"images": True})
    ranges = {"perturbations": 3, "features": ["stat_*", "morph_volume", "cm_*"]}
    shutil.copyfile(EXAMPLE, project.folder / "config" / "own_feature.py")
    (project.folder / "config" / "own_feature.py").chmod(0o600)
    project.configure(extract={"extensions": ["config/own_feature.py"]})
    project.configure(extract={"ranges": ranges, "crosscheck": {"engine": "pyradiomics", "share": 0.5}})
    project.snakemake()
    return project.release


@pytest.mark.parametrize("threads", [1, 2])
def test_every_number_is_bit_equal_from_the_cleaned_images(finished, release, threads):
    done, report = reextract(finished, release, "--images", str(finished.results / "deface"), "--threads", str(threads))
    assert done.returncode == 0, done.stdout + done.stderr
    assert report["holds"] and report["rebuilt"] == report["regions"] > 5 and not report["absent"]
    assert not report["versions"]
    columns = [found for table in report["agreement"].values() for found in table.values()]
    assert len(columns) > 150 and all(found["equal"] == report["regions"] for found in columns)


def test_a_release_with_images_needs_nothing_else(finished, with_images, tmp_path):
    """But the file of the features that somebody made; a family of one's own that columns.yaml lacks stayed inside."""
    release = Path(shutil.copytree(with_images, tmp_path / "elsewhere" / with_images.name))
    done, report = reextract(finished, release)
    assert done.returncode == 1 and "--extension FILE" in done.stderr
    done, report = reextract(finished, release, *OWN)
    assert done.returncode == 0, done.stdout + done.stderr
    assert report["holds"]
    assert "stat_above_mean" in report["agreement"]["features"] and "own_height" not in report["agreement"]["features"]
    assert set(report["agreement"]) == {"features", "ranges", "stability", "crosscheck"}
    for table in report["agreement"].values():
        assert table and not any(found["within"] or found["different"] for found in table.values())


def test_a_changed_voxel_is_another_image(finished, with_images, tmp_path):
    release = Path(shutil.copytree(with_images, tmp_path / "elsewhere" / with_images.name))
    images = Path(shutil.move(release / "images", tmp_path / "images"))
    listed = pd.read_csv(release / "images.csv")
    path = tmp_path / listed[listed["modality"] == "CT"]["file"].iloc[0]
    (release / check.SUMS).write_text(check.sums(release))
    image = pydicom.dcmread(path)
    if image.file_meta.TransferSyntaxUID.is_compressed:
        image.decompress()
    image.PixelData = image.PixelData[:-2] + bytes([image.PixelData[-2] ^ 1, image.PixelData[-1]])
    image.save_as(path)
    done, report = reextract(finished, release, "--images", str(images), *OWN)
    assert done.returncode == 1
    assert set(report["absent"].values()) == {"no image with its digest"}
    assert report["rebuilt"] == report["regions"] - len(report["absent"])


def test_a_tampered_value_is_found_before_anything_is_computed(finished, release):
    path = release / "features.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    done, report = reextract(finished, release, "--images", str(finished.results / "deface"))
    assert done.returncode == 1 and "features.parquet: changed" in done.stderr and not report


def test_without_images_it_says_so(finished, release):
    done, report = reextract(finished, release)
    assert done.returncode == 1 and "a release without images" in done.stderr and not report

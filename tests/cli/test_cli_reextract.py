"""radcurate reextract on small releases: what it finds, and what it must not miss."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow as pa
import pytest
from extract_tools import Chunk, image, labels, write_image, write_mask

from own_features import EXAMPLE, nothing_registered
from radcurate import tables
from radcurate.cli import main
from radcurate.errors import CurationError
from small_release import change_records, change_value, seal, small_release


@pytest.fixture
def chunk(tmp_path, key):
    """Two CTs of one patient with the same two regions, in one chunk."""
    made = Chunk(tmp_path / "results", key)
    for number in range(2):
        made.add(f"S-ct{number}", "image", "CT", write_image(tmp_path / f"ct{number}", image(number)))
        mask = write_mask(tmp_path / f"{number}.nii.gz", labels())
        made.add(f"S-mask{number}", "nifti", "SEG", [mask], [f"S-ct{number}"])
    return made


@pytest.fixture
def images(chunk, tmp_path):
    """The images and masks under names that say nothing, beside a file that is neither."""
    target = tmp_path / "images"
    for number, folder in enumerate(sorted((chunk.folder / "deface/dicom").iterdir())):
        for place, path in enumerate(sorted(folder.iterdir(), reverse=True)):
            suffix = ".nii.gz" if path.name.endswith(".nii.gz") else ""
            copy = target / f"{number}" / f"{place:x}{suffix}"
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    (target / "notes.txt").write_text("no image")
    return target


@pytest.fixture
def release(chunk, images, tmp_path):
    return small_release(tmp_path / "release", chunk.extract())


def reextract(release, images, threads=1, extra=()):
    """Exit code and report."""
    out = release.parent / "report.json"
    out.unlink(missing_ok=True)
    with pytest.raises(SystemExit) as ended:
        main(["reextract", str(release), "--images", str(images), "--threads", str(threads), "--out", str(out), *extra])
    return ended.value.code, json.loads(out.read_text()) if out.exists() else None


def different(report):
    return {name for table in report["agreement"].values() for name, found in table.items() if found["different"]}


@pytest.mark.parametrize("threads", [1, 3])
def test_every_number_comes_back_whatever_files_are_called(release, images, capsys, threads):
    code, report = reextract(release, images, threads)
    assert code == 0 and report["holds"]
    assert (report["regions"], report["rebuilt"], report["absent"]) == (4, 4, {})
    assert {found["equal"] for found in report["agreement"]["features"].values()} == {4}
    told = capsys.readouterr().out
    assert "4 of 4 rebuilt" in told and "every number is what it was" in told


def test_statistics_of_a_normalisation_come_from_the_record(chunk, images, tmp_path):
    """The voxels that cleaning left alone can't be known outside, and needn't be."""
    chunk.rows[0]["changed_voxels"] = 1
    changes = {"normalisation": "zscore", "normalisation_region": "unchanged", "unit": None, "range": None}
    changes |= {"discretisation": "fixed_bin_number", "bin_number": 16, "rounding": None}
    release = small_release(tmp_path / "release", chunk.extract(ct=changes), ct=changes)
    code, report = reextract(release, images)
    assert code == 0 and report["holds"]


def test_one_changed_voxel(release, images, tmp_path):
    values = image()
    values[0, 0, 0] += 1
    for path in (images / "0").iterdir():
        path.unlink()
    for path in write_image(tmp_path / "changed", values):
        shutil.copyfile(path, images / "0" / path.name)
    code, report = reextract(release, images)
    assert code == 1 and report["rebuilt"] == 2
    assert set(report["absent"].values()) == {"no image with its digest"} and len(report["absent"]) == 2


def test_a_changed_mask(release, images, capsys):
    changed = labels()
    changed[2, 3, 4] = 0
    for folder in images.iterdir():
        for path in folder.glob("*.nii.gz") if folder.is_dir() else []:
            write_mask(path, changed)
    code, report = reextract(release, images)
    assert code == 1 and report["rebuilt"] == 2  # the single voxel is as it was
    assert set(report["absent"].values()) == {"no mask with its digest on its image"}
    assert "FAILED" in capsys.readouterr().out


def test_a_tampered_value_is_found_by_its_checksum_and_without_it_by_its_number(release, images, capsys):
    path = release / "features.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"?")
    code, report = reextract(release, images)
    assert (code, report) == (1, None) and "features.parquet: changed" in capsys.readouterr().err
    path.write_bytes(whole)
    change_value(release, "features", "stat_mean", lambda value: value * 1.01)
    code, report = reextract(release, images)
    assert code == 1 and different(report) == {"stat_mean"} and report["rebuilt"] == 4
    assert report["agreement"]["features"]["stat_mean"]["largest"] == pytest.approx(0.01 / 1.01)
    assert "stat_mean" in capsys.readouterr().out


def test_a_last_digit_is_within_the_tolerance(release, images):
    change_value(release, "features", "stat_var", lambda value: np.nextafter(value, 0))
    code, report = reextract(release, images)
    assert code == 0 and report["agreement"]["features"]["stat_var"]["within"] == 1


def test_a_value_in_place_of_none(release, images):
    """A single voxel has no texture: a number there is different, not unnoticed."""
    single = ["cm_corr_3D_avg", "cm_corr_3D_comb"]
    for name in single:
        change_value(release, "features", name, lambda value: 0.5)
    code, report = reextract(release, images)
    assert code == 1 and different(report) == set(single)


def test_another_profile(release, images, capsys):
    def finer(record):
        record["profile"] = json.dumps({**json.loads(record["profile"]), "bin_size": 10.0}, sort_keys=True)

    change_records(release, finer)
    code, report = reextract(release, images)
    assert code == 1 and report["rebuilt"] == 4
    assert "ih_mean" in different(report) and "stat_mean" not in different(report)


def test_a_record_that_was_edited(release, images, capsys):
    change_records(release, lambda record: record.update(rounding="none"), consistent=False)
    assert reextract(release, images) == (1, None)
    assert "something else than its digest" in capsys.readouterr().err


def test_other_versions_are_told_and_do_no_harm(release, images, capsys):
    change_records(release, lambda record: record.update(numpy="1.0"))
    code, report = reextract(release, images)
    assert code == 0 and report["versions"]["numpy"][0] == "1.0" and report["holds"]
    assert "numpy: 1.0 when it was released" in capsys.readouterr().out


def test_an_option_of_a_later_version(release, images, capsys):
    def unknown(record):
        record["profile"] = json.dumps({**json.loads(record["profile"]), "magic": 1}, sort_keys=True)

    change_records(release, unknown)
    assert reextract(release, images) == (1, None)
    assert "extract.magic" in capsys.readouterr().err


def test_an_engine_that_nobody_knows_here(release, images, capsys):
    change_records(release, lambda record: record.update(engine="abacus"))
    assert reextract(release, images) == (1, None)
    assert "no engine is called abacus" in capsys.readouterr().err


def test_a_release_of_before(release, images, capsys):
    (release / "provenance.json").write_text("{}")
    seal(release)
    assert reextract(release, images) == (1, None)
    assert "settings of extract" in capsys.readouterr().err


def test_a_folder_without_images(release, tmp_path):
    (tmp_path / "nothing").mkdir()
    code, report = reextract(release, tmp_path / "nothing")
    assert code == 1 and report["rebuilt"] == 0 and len(report["absent"]) == 4


# features of one's own


@pytest.fixture
def with_own(chunk, images, tmp_path):
    """A release with the columns of the documentation's example."""
    with nothing_registered():
        extracted = chunk.extract(extensions=[EXAMPLE])
        assert "own_height" in tables.read(extracted / "features.parquet").column_names
        return small_release(tmp_path / "release", extracted)


def test_features_of_ones_own_come_back_with_their_file(with_own, images):
    with nothing_registered():
        code, report = reextract(with_own, images, extra=["--extension", str(EXAMPLE)])
        assert code == 0 and report["holds"] and report["agreement"]["features"]["own_height"]["equal"] == 4


def test_without_their_file_nothing_is_computed(with_own, images, capsys):
    with nothing_registered():
        assert reextract(with_own, images) == (1, None)
    assert "own_feature.py" in (told := capsys.readouterr().err) and "--extension FILE" in told


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("over n.", "over n", set()),
        ("/ sample.n", "/ sample.n * (1 if sample.n == 74 else 2)", {"stat_above_mean"}),  # conforms on the phantom
    ],
)
def test_another_version_of_their_file_is_told_and_its_values_are_compared(
    with_own, images, tmp_path, old, new, wanted
):
    other = tmp_path / "own_feature.py"
    assert old in EXAMPLE.read_text()
    other.write_text(EXAMPLE.read_text().replace(old, new))
    other.chmod(0o600)
    with nothing_registered():
        code, report = reextract(with_own, images, extra=["--extension", str(other)])
    assert "extensions" in report["versions"] and different(report) == wanted and code == bool(wanted)


@pytest.mark.parametrize("place", ["release", "images"])
def test_code_in_the_release_or_beside_its_images_is_never_run(with_own, images, place, capsys):
    planted = (with_own if place == "release" else images) / "own_feature.py"
    planted.write_text("raise SystemExit('was run')\n")
    planted.chmod(0o600)
    seal(with_own)
    with nothing_registered():
        assert reextract(with_own, images, extra=["--extension", str(planted)]) == (1, None)
    assert "came with the data" in capsys.readouterr().err


def test_an_extension_that_does_not_conform_stops_extract(chunk, tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text(EXAMPLE.read_text().replace("24 / 74", "0.5"))
    wrong.chmod(0o600)
    with nothing_registered(), pytest.raises(CurationError, match=r"does not conform[\s\S]*stat_above_mean"):
        chunk.extract(extensions=[wrong])


# real images


def test_a_real_patient_with_three_images_and_their_structure_sets(real_data, tmp_path, key):
    """CT, PET and MR of one patient, with ranges and the recorded statistics of a normalisation: bit-equal."""
    chunk = Chunk(tmp_path / "results", key)
    folder = real_data / "ibsi" / "ibsi_validation" / "dicom" / "STS_003"
    for name, modality in (("CT", "CT"), ("PET", "PT"), ("MR_T1", "MR")):
        files = {part: sorted((folder / name / part).iterdir()) for part in ("image", "mask")}
        chunk.add(f"S-{name}", "image", modality, files["image"])
        chunk.add(f"S-{name}-rs", "rtstruct", "RTSTRUCT", files["mask"], [f"S-{name}"])
    settings = {
        "mr": {"normalisation": "zscore", "normalisation_region": "image"},
        "ranges": {"perturbations": 2, "features": ["stat_*", "cm_*"]},
        "crosscheck": {"share": 1},
    }
    extracted = chunk.extract(**settings)
    assert {row["status"] for row in tables.read_rows(extracted / "series.parquet")} == {"ok"}
    release = small_release(tmp_path / "release", extracted, **settings)
    code, report = reextract(release, folder, threads=2)
    assert code == 0 and (report["regions"], report["rebuilt"]) == (3, 3)
    assert set(report["agreement"]) == {"features", "ranges"}
    assert all(found["equal"] == 3 for table in report["agreement"].values() for found in table.values())


def mark(release, key, value, names=None):
    """Say in the features' metadata what was done to columns after they were measured, and change them."""
    for table in ("features", "ranges"):
        path = release / f"{table}.parquet"
        if path.is_file():
            content = tables.read(path)
            for place, field in enumerate(content.schema):
                base = field.name.removesuffix(tables.LOW).removesuffix(tables.HIGH)
                told = field.metadata or {}
                if told.get(b"radcurate.role") == b"feature" and (names is None or base in names):
                    moved = pa.array([None if old is None else old + 1 for old in content[field.name].to_pylist()])
                    marked = field.with_metadata({**told, key: value.encode()}) if table == "features" else field
                    content = content.set_column(place, marked, moved)
            tables.write(path, content)
    seal(release)


def test_harmonised_features_are_left_out_and_named(release, images, capsys):
    mark(release, "radcurate.harmonised", "combat", ["stat_mean", "stat_var"])
    code, report = reextract(release, images)
    assert code == 0 and report["changed"] == ["stat_mean", "stat_var"]
    assert not {"stat_mean", "stat_var"} & set(report["agreement"]["features"])
    assert len(report["agreement"]["features"]) > 100
    told = capsys.readouterr().out
    assert "2 features were harmonised" in told and "every number is what it was" not in told


def test_a_changed_value_beside_harmonised_ones_is_still_found(release, images):
    mark(release, "radcurate.harmonised", "combat", ["stat_mean"])
    change_value(release, "features", "stat_var", lambda value: value * 1.01)
    code, report = reextract(release, images)
    assert code == 1 and different(report) == {"stat_var"}


@pytest.mark.parametrize(("told", "value"), [("radcurate.microaggregated", "5"), ("radcurate.noise", "0.1")])
def test_a_release_without_a_measured_value_does_not_hold(release, images, told, value):
    mark(release, told, value)
    code, report = reextract(release, images)
    assert code == 1 and not report["holds"] and report["agreement"]["features"] == {}

"""The release: complete, readable by others, the same bytes again, never changed, never half there."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import subprocess
from collections import Counter

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from finished_run import FEATURES, make_run
from radcurate import tables
from radcurate.errors import CurationError
from radcurate.features.catalogue import catalogue
from radcurate.keys import Key
from radcurate.release import dictionary
from radcurate.release.check import check_release
from radcurate.release.descriptions import DESCRIPTIONS
from radcurate.release.summary import render
from radcurate.settings import Config
from radcurate.stages._written import seal

FILES = {
    "CHANGES.md",
    "DATA_CARD.md",
    "SHA256SUMS",
    "TERMS.md",
    "risk.json",
    "acquisition.parquet",
    "attestation.json",
    "changes.json",
    "checklists",
    "croissant.json",
    "crosscheck.parquet",
    "dictionary.csv",
    "dictionary.json",
    "features.parquet",
    "prov.json",
    "provenance.json",
    "provenance.parquet",
    "report.html",
    "report.json",
    "ro-crate-metadata.json",
    "safe_harbor.json",
    "signing_key.pem",
    "verdict.json",
}


@pytest.fixture(scope="module")
def passed(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("passed"), Key(bytes(range(32))))
    run.gate()
    return run


@pytest.fixture
def run(passed, tmp_path):
    return passed.copy(tmp_path)


@pytest.fixture(scope="module")
def released(passed):
    return passed.release()


def digest(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def files(folder):
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def receipt(run):
    return json.loads((run.results / "release" / "release.json").read_text())


def change(run, value=1.5):
    """Another content: one feature value differs; judged anew."""
    run.edit("protect", "features.parquet", lambda rows: rows[0].update({FEATURES[0]: value}))
    run.gate()


def test_what_is_in_it(passed, released):
    assert {path.name for path in released.iterdir()} == FILES
    assert released.name == "radiomics-1"
    told = receipt(passed)
    assert (told["folder"], told["version"], told["rows"], told["patients"]) == ("radiomics-1", "1", 22, 22)
    assert told["digest"] == hashlib.sha256((released / "SHA256SUMS").read_bytes()).hexdigest()
    assert not list(released.parent.glob(".*"))


def test_checksums_hold_here_and_with_the_system_tool(released):
    assert check_release(released) == []
    assert subprocess.run(["sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS"], cwd=released).returncode == 0


def test_anybody_can_read_it(released):
    assert stat.S_IMODE(released.stat().st_mode) == 0o755
    assert {stat.S_IMODE(path.stat().st_mode) for path in released.rglob("*") if path.is_file()} == {0o644}


def test_pandas_and_pyarrow_read_it(released):
    features, acquisition = (
        pd.read_parquet(released / "features.parquet"),
        pd.read_parquet(released / "acquisition.parquet"),
    )
    assert len(features) == 22 and all(features[name].dtype == np.float64 for name in FEATURES)
    assert set(features["series"]) <= set(acquisition["series"])
    records = pd.read_parquet(released / "provenance.parquet")
    assert set(features["provenance"]) == set(records["provenance"])
    assert pq.read_table(released / "features.parquet").num_rows == 22


def test_every_column_tells_what_it_is(released):
    codes = {column.name: column.code for column in catalogue()}
    for name in ("features", "acquisition", "provenance"):
        for field in pq.read_schema(released / f"{name}.parquet"):
            told = {key.decode(): value.decode() for key, value in field.metadata.items()}
            assert told["radcurate.ibsi"] == codes.get(field.name, "non-IBSI")
            assert told["radcurate.role"] and told["radcurate.reason"] and told["radcurate.description"], field.name
    volume = pq.read_schema(released / "features.parquet").field("morph_volume").metadata
    assert (volume[b"radcurate.ibsi"], volume[b"radcurate.unit"]) == (b"RNU0", b"mm3")


def test_the_dictionary_has_every_column(released):
    lines = pd.read_csv(released / "dictionary.csv", keep_default_na=False)
    for name in ("features", "acquisition", "provenance"):
        assert list(lines[lines["table"] == name]["name"]) == pq.read_schema(released / f"{name}.parquet").names
    assert json.loads((released / "dictionary.json").read_text()) == lines.to_dict("records")


@pytest.mark.parametrize(
    "schema", [tables.EXTRACT_FEATURES, tables.EXTRACT_ACQUISITION, tables.EXTRACT_PROVENANCE], ids=lambda s: s.name
)
def test_every_column_that_may_come_has_a_description(schema):
    stays_inside = {"status", "reason"}
    assert {name for name, _ in schema.columns} - stays_inside <= set(DESCRIPTIONS)


def test_file_metadata(released):
    told = pq.read_schema(released / "features.parquet").metadata
    assert told[b"radcurate.status"] == b"pseudonymised" and told[b"radcurate.policy"] == b"controlled"
    assert (told[b"radcurate.release"], told[b"radcurate.version"]) == (b"radiomics", b"1")
    assert (
        told[b"radcurate.provenance"].decode()
        == hashlib.sha256((released / "provenance.json").read_bytes()).hexdigest()
    )


def test_provenance_holds_digests_and_no_secret(passed, released):
    text = (released / "provenance.json").read_text()
    content = json.loads(text)
    assert content["key_id"] == passed.key.key_id and passed.key.secret.hex() not in text
    for name in ("config_digest", "policy_digest", "environment_digest"):
        assert len(content[name]) == 64
    assert {"consent", "deidentify", "redact", "deface", "verify", "extract", "protect", "attack", "inputs"} == set(
        content["results"]
    )
    assert {"gate", "release", "protect"} <= set(content["code"])
    assert str(passed.results.parent) not in text and '"input"' not in text and "key_file" not in text


def test_no_word_that_promises_too_much(released):
    for path in files(released):
        content = path.read_bytes().lower()
        assert not any(word in content for word in (b"anonymous", b"anonymised", b"anonymized")), path.name


def test_no_code_of_the_run(passed, released):
    inside = {row["series"] for row in tables.read_rows(passed.results / "gate" / "outcomes.parquet")}
    inside |= {row["subject"] for row in tables.read_rows(passed.results / "protect" / "subjects.parquet")}
    cells = {
        str(value)
        for name in ("features", "acquisition", "provenance")
        for row in pq.read_table(released / f"{name}.parquet").to_pylist()
        for value in row.values()
    }
    assert not inside & cells
    assert not any(code.encode() in path.read_bytes() for path in files(released) for code in inside)


def test_the_card_counts_what_the_artefacts_count(passed, released):
    card = (released / "DATA_CARD.md").read_text()
    verdict = json.loads((passed.results / "gate" / "verdict.json").read_text())
    features = pd.read_parquet(released / "features.parquet")
    assert f"{features['subject'].nunique()} patients" in card and f"{len(features)} regions" in card
    for tally in verdict["conservation"]:
        assert f"| {tally['outcome']} | {tally['stage']} | {tally['reason'] or ''} | {tally['series']} |" in card
    after = verdict["protection"]["after"]
    assert f"| {verdict['protection']['before']['k']} | {after['k']} |" in card
    lost = Counter(row["outcome"] for row in tables.read_rows(passed.results / "gate" / "outcomes.parquet"))
    assert all(f"{outcome} at" in card for outcome in lost if outcome != "released")
    assert "pseudonymised" in card and "sha256sum -c" in card and "read_parquet" in card


def test_two_runs_give_the_same_bytes(tmp_path, released):
    other = make_run(tmp_path, Key(bytes(range(32))))
    other.gate()
    assert digest(other.release()) == digest(released)


def test_the_same_content_stays_the_release_it_is(run):
    first = run.release()
    before = {path: path.stat().st_mtime_ns for path in files(first)}
    assert run.release() == first
    assert before == {path: path.stat().st_mtime_ns for path in files(first)}


def test_where_things_lie_is_no_content(run):
    first = run.release()
    moved = Config(input="/elsewhere", key_file="/other/key").model_dump() | {"inventory": {"n_chunks": 7}}
    assert run.release(Config.model_validate(moved)) == first


def test_other_content_is_the_next_version(run):
    first = run.release()
    before = digest(first)
    change(run)
    second = run.release()
    assert second.name == "radiomics-2" and digest(first) == before
    assert check_release(second) == []
    assert pq.read_schema(second / "features.parquet").metadata[b"radcurate.version"] == b"2"


def test_a_version_that_is_taken(run):
    first = run.release(version="1.0")
    before = digest(first)
    assert run.release(version="1.0") == first
    change(run)
    with pytest.raises(CurationError, match=r"radiomics-1\.0 exists and has other content"):
        run.release(version="1.0")
    assert digest(first) == before and not list(first.parent.glob(".*"))
    assert not (first.parent / "release.json").exists()
    assert run.release(version="1.1").name == "radiomics-1.1"


def test_a_damaged_release_is_not_taken_for_a_good_one(run):
    first = run.release()
    (first / "features.parquet").write_bytes(b"")
    with pytest.raises(CurationError, match=r"features\.parquet: changed"):
        run.release()


def test_a_refusal_leaves_earlier_releases_alone(run):
    first = run.release()
    before = digest(first.parent)
    run.measure(lambda content: content["after"].update(k=2))
    with pytest.raises(CurationError):
        run.gate()
    assert digest(first.parent) == before
    with pytest.raises(CurationError, match="the gate has not let this run pass"):
        run.release()
    assert digest(first) == {
        name.removeprefix("radiomics-1/"): value for name, value in before.items() if name.startswith("radiomics-1/")
    }


def test_nothing_is_released_that_the_gate_did_not_judge(run):
    run.edit("protect", "features.parquet", lambda rows: rows[1:])
    with pytest.raises(CurationError, match="changed after the gate judged it"):
        run.release()


@pytest.mark.parametrize("name", ["verdict.json", "outcomes.parquet"])
def test_an_edited_verdict(run, name):
    (run.results / "gate" / name).write_bytes((run.results / "gate" / name).read_bytes() + b" ")
    with pytest.raises(CurationError, match="the gate has not let this run pass"):
        run.release()


def test_a_killed_build_is_cleared_away(run):
    stale = run.results / "release" / ".building-1"
    stale.mkdir(parents=True)
    (stale / "half").write_text("half")
    first = run.release()
    assert not stale.exists() and check_release(first) == []


def test_a_failure_leaves_no_half_release(run, monkeypatch):
    monkeypatch.setattr(dictionary, "as_json", lambda lines: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run.release()
    assert list((run.results / "release").iterdir()) == []


# images


@pytest.fixture
def with_images(run):
    """Files for the cleaned series: two CT slices each and a stand-in for a NIfTI mask."""
    for chunk in sorted((run.results / "deface").iterdir()):
        for row in tables.read_rows(chunk / "series.parquet"):
            folder = chunk / "dicom" / row["folder"]
            folder.mkdir(parents=True)
            if row["kind"] != "image":
                (folder / "mask.nii.gz").write_bytes(b"mask")
                continue
            for number in range(2):
                write_slice(folder / f"{number:016x}.dcm", row["subject"], run.key, row["series"], number)
        seal(chunk, ("series.parquet", "qc.parquet"), run.key)
    return run


def write_slice(path, subject, key, series, number):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, CTImageStorage
    item = FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
    item.SOPClassUID, item.SOPInstanceUID = CTImageStorage, key.uid(f"{series}.{number}")
    meta.MediaStorageSOPInstanceUID = item.SOPInstanceUID
    item.SeriesInstanceUID, item.StudyInstanceUID, item.FrameOfReferenceUID = (key.uid(f"{series}{x}") for x in "abc")
    item.PatientID = item.PatientName = subject
    item.PatientSex, item.PatientAge, item.PatientWeight, item.PatientBirthDate = "F", "061Y", "70", "19500203"
    item.StudyDate, item.StudyTime, item.AcquisitionDateTime = "20150302", "101112", "20150302101112"
    item.Manufacturer, item.ConvolutionKernel, item.KVP, item.XRayTubeCurrent = "ACME", "B30f", "120", "200"
    item.private_block(0x0019, "ACME PRIVATE", create=True).add_new(1, "LO", "private text")
    item.DeidentificationMethodCodeSequence = [pydicom.Dataset() for _ in range(2)]
    for code, value in zip(item.DeidentificationMethodCodeSequence, ("113100", "113108"), strict=True):
        code.CodeValue = value
    reference = pydicom.Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = CTImageStorage, key.uid(f"{series}.0")
    reference.ContentDate = "20150302"
    item.ReferencedImageSequence = [reference]
    item.Rows = item.Columns = 2
    item.BitsAllocated, item.PixelData = 8, bytes([number, 1, 2, 3])
    item.save_as(path)


def test_images_carry_the_codes_of_the_release_and_nothing_about_the_patient(with_images):
    run = with_images
    folder = run.release(images=True)
    assert check_release(folder) == []
    listed = pd.read_csv(folder / "images.csv")
    features = pd.read_parquet(folder / "features.parquet")
    images = listed[listed["kind"] == "image"]
    assert set(images["series"]) == set(features["series"]) and set(listed["subject"]) == set(features["subject"])
    inside = {row["subject"] for row in tables.read_rows(run.results / "protect" / "subjects.parquet")}
    uids = {}
    for line in images.itertuples():
        item = pydicom.dcmread(folder / line.file)
        assert item.PatientID == line.subject and str(item.PatientName) == line.subject
        assert (
            "PatientAge" not in item
            and "PatientWeight" not in item
            and not item.PatientSex
            and not item.PatientBirthDate
        )
        assert item.StudyDate == item.ReferencedImageSequence[0].ContentDate == "19000101"
        written = (folder / line.file).read_bytes()
        assert not any(told in written for told in (b"20150302", b"101112", b"ACME", b"B30f", b"private text"))
        assert [code.CodeValue for code in item.DeidentificationMethodCodeSequence] == ["113100"]
        assert item.KVP is None and "XRayTubeCurrent" not in item
        assert item.file_meta.MediaStorageSOPInstanceUID == item.SOPInstanceUID
        uids.setdefault(line.series, {})[item.PixelData[0]] = (
            item.SOPInstanceUID,
            item.ReferencedImageSequence[0].ReferencedSOPInstanceUID,
        )
        assert not any(code.encode() in (folder / line.file).read_bytes() for code in inside)
    for pair in uids.values():  # references still lead to the files they led to
        assert pair[1][1] == pair[0][0] and pair[0][0] != pair[1][0]
    assert "images/" in (folder / "DATA_CARD.md").read_text()


def test_no_uid_of_the_run_is_left_in_an_image(with_images):
    folder = with_images.release(images=True)
    source = next((with_images.results / "deface").glob("*/dicom/*/*.dcm"))
    item = pydicom.dcmread(source)
    old = [item.SOPInstanceUID, item.SeriesInstanceUID, item.StudyInstanceUID, item.FrameOfReferenceUID]
    assert not any(uid.encode() in path.read_bytes() for path in folder.rglob("*.dcm") for uid in old)


def test_images_are_the_same_bytes_again(with_images):
    first = with_images.release(images=True)
    before = digest(first)
    shutil.rmtree(first)
    assert digest(with_images.release(images=True)) == before


def test_pet_images_need_the_weight_and_stay_out_where_a_crowd_is_asked_for(with_images):
    run = with_images
    for chunk in sorted((run.results / "deface").iterdir()):
        run.edit(
            f"deface/{chunk.name}",
            "series.parquet",
            lambda rows: [{**r, "modality": "PT" if r["kind"] == "image" else r["modality"]} for r in rows],
        )
    run.gate()
    folder = run.release(images=True)
    assert pd.read_csv(folder / "images.csv").empty
    assert "weight" in (folder / "DATA_CARD.md").read_text()


def test_the_summary_of_a_release_and_of_a_refusal(run):
    assert "no verdict yet" in render(run.results / "nowhere")
    folder = run.release()
    text = render(run.results)
    assert f"RELEASED results/release/{folder.name}" in text and "consent: other_purpose" in text and "11 after" in text
    assert len(text.splitlines()) < 40
    run.measure(lambda content: content["after"].update(k=2))
    assert "RELEASED" in render(run.results)
    with pytest.raises(CurationError):
        run.gate()
    refusal = render(run.results)
    assert "REFUSED by policy controlled" in refusal and "smallest crowd: 2" in refusal and "protect.k" in refusal


def test_the_summary_does_not_show_the_receipt_of_another_run(run):
    run.release()
    change(run)
    assert "not written yet" in render(run.results)

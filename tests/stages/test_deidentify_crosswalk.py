"""The crosswalk of a real run of inventory, consent and deidentify leads from every new file back to its source."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from inventory_files import Export, mask
from paths import ROOT
from radcurate.errors import CurationError
from radcurate.identity import crosswalk
from radcurate.identity.broker import create_broker, load_identity
from radcurate.keys import Key
from radcurate.settings import Consent, Deidentify, Inventory
from radcurate.stages import consent, deidentify, inventory
from radcurate.stages._crosswalk import write_crosswalk

PATIENTS = ("PAT-70001", "PAT-70002")
HEADING = "patient,model,purposes,recontact,withdrawn,date"


class Project:
    """Two patients in one chunk, and a broker."""

    def __init__(self, base: Path, key: Key) -> None:
        self.base, self.key, self.vault = base, key, base / "vault"
        for number, patient in enumerate(PATIENTS):
            export = Export(base / "in" / patient, patient)
            image, _ = export.image(count=4 + number, IssuerOfPatientID="HOSP")
            export.rtstruct(image)
            export.seg(image)  # has no segments, so it is quarantined and leads nowhere
        mask(base / "in" / "mask.nii.gz")
        (base / "recipients").write_text(create_broker(base / "broker") + "\n")
        inventory.run(Inventory(n_chunks=1), base / "in", base / "run/inventory", key, 1)

    def run(self, patients: tuple[str, ...] = PATIENTS, **options: Any) -> Path:
        """Consent and deidentify for these patients; the folder of the new files."""
        rows = [f"{patient},dynamic,research,yes,,2024-01-01" for patient in patients]
        (self.base / "consent.csv").write_text("\n".join([HEADING, *rows]) + "\n")
        run = self.base / "run"
        consent.run(Consent(), run / "inventory", run / "consent", self.key, self.base / "consent.csv")
        places = {"crosswalk": str(self.vault), "recipients": str(self.base / "recipients")}
        settings, chunk = Deidentify(**places, **options), run / "consent/chunks/00000"
        tables = ROOT / "config/allowlist", ROOT / "config/vocabulary.yaml"
        deidentify.run(settings, chunk, self.base / "in", run / "deidentify/00000", self.key, *tables, 1)
        return run / "deidentify/00000/dicom"

    def rows(self) -> list[dict[str, Any]]:
        identity = load_identity(self.base / "broker")
        return crosswalk.read(self.vault / self.key.key_id / "00000.age", identity)


@pytest.fixture
def project(tmp_path: Path, key: Key, monkeypatch: pytest.MonkeyPatch) -> Project:
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    return Project(tmp_path, key)


def test_every_new_file_leads_back_to_its_source(project: Project) -> None:
    new = [dcmread(path) for path in sorted(project.run().rglob("*.dcm"))]
    old = {}
    for path in sorted((project.base / "in").rglob("*")):
        if path.is_file() and path.suffix != ".gz":
            source = dcmread(path)
            old[source.SOPInstanceUID] = source
    back = {row["new_instance_uid"]: row for row in project.rows() if row["new_instance_uid"]}
    assert len(new) == len(back) == len(old) - 2 == 11
    for made in new:
        row = back[made.SOPInstanceUID]
        source = old[row["instance_uid"]]
        assert row["patient_id"] == source.PatientID and row["issuer"] == "HOSP"
        assert row["subject"] == made.PatientID
        assert (row["new_study_uid"], row["new_series_uid"]) == (made.StudyInstanceUID, made.SeriesInstanceUID)
        assert (row["study_uid"], row["series_uid"]) == (source.StudyInstanceUID, source.SeriesInstanceUID)
        moved = datetime.strptime(made.StudyDate, "%Y%m%d") - datetime.strptime(source.StudyDate, "%Y%m%d")
        assert moved.days == row["days"] != 0


def test_with_years_only_there_is_no_shift_to_tell(project: Project) -> None:
    project.run(dates="year")
    assert {row["days"] for row in project.rows()} == {None}


def test_a_mask_leads_back_too_and_reruns_say_the_same(project: Project) -> None:
    project.run()
    first = project.rows()
    assert sum(row["instance_uid"] is None for row in first) == 1
    project.run()
    assert project.rows() == first


def test_who_withdraws_is_gone_after_the_next_run(project: Project) -> None:
    project.run()
    subject = next(row["released_subject"] for row in project.rows() if row["patient_id"] == "PAT-70002")
    identity = load_identity(project.base / "broker")
    assert crosswalk.find(project.vault, identity, subject)
    project.run(PATIENTS[:1])
    with pytest.raises(CurationError, match="nobody has this pseudonym"):
        crosswalk.find(project.vault, identity, subject)
    assert {row["patient_id"] for row in project.rows()} == {"PAT-70001"}


def test_the_run_folder_holds_no_way_back(project: Project) -> None:
    out = project.run()
    public = (project.base / "recipients").read_bytes().strip()
    for path in sorted(out.parent.rglob("*")):
        assert path.suffix != ".age"
        if path.is_file():
            content = path.read_bytes()
            assert b"PAT-7000" not in content and public not in content and b"AGE-SECRET" not in content


def test_without_the_settings_nothing_is_written(project: Project) -> None:
    run = project.base / "run"
    project.run()
    part = project.vault / project.key.key_id / "00000.age"
    part.unlink()
    write_crosswalk(Deidentify(), run / "consent/chunks/00000", run / "deidentify/00000", project.key)
    assert not part.exists()

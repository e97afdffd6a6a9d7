"""The crosswalk of a real run: whole, for the broker alone, outside everything that is shared, without who withdrew."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline_tools import Project
from radcurate import tables
from radcurate.errors import CurationError
from radcurate.identity import crosswalk
from radcurate.identity.broker import create_broker, load_identity
from radcurate.keys import load_key
from radcurate.stages._folders import entries

pytestmark = [pytest.mark.xdist_group("pipeline"), pytest.mark.slow]


def withdraw(project: Project, patient: str) -> None:
    path = project.data / "consent.csv"
    with path.open(newline="") as stream:
        heading, *rows = list(csv.reader(stream))
    assert any(row[0] == patient for row in rows)
    for row in rows:
        if row[0] == patient:
            row[heading.index("withdrawn")] = row[heading.index("date")]
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([heading, *rows])


def deidentify(project: Project) -> dict[str, str]:
    """Run as far as deidentify; PatientID of everybody who was let through, by the code that a release would have."""
    project.snakemake("--until", "consent")
    chunks = entries(project.results / "consent" / "chunks")
    project.snakemake("--", *(f"results/deidentify/{chunk.name}/series.parquet" for chunk in chunks))
    key = load_key(project.key_file)
    rows = [row for chunk in chunks for row in tables.read_rows(chunk / "series.parquet", tables.INVENTORY_SERIES)]
    return {key.release_code("P", row["subject"]): row["patient_id"] for row in rows}


def test_the_broker_finds_every_patient_until_one_withdraws(new_project: Callable[[], Project], tmp_path: Path) -> None:
    (tmp_path / "recipients").write_text(create_broker(tmp_path / "broker") + "\n")
    vault, identity = tmp_path / "vault", load_identity(tmp_path / "broker")
    project = new_project().with_own_data(tmp_path / "data")
    project.configure(deidentify={"crosswalk": str(vault), "recipients": str(tmp_path / "recipients")})
    patients = deidentify(project)
    assert len(patients) > 3
    for code, patient in patients.items():
        assert {row["patient_id"] for row in crosswalk.find(vault, identity, code)} == {patient}

    secret = (tmp_path / "broker").read_text().splitlines()[-1].encode()
    for path in sorted(project.folder.rglob("*")):
        assert path.suffix != ".age" and (not path.is_file() or secret not in path.read_bytes())

    gone, patient = next(iter(patients.items()))
    withdraw(project, patient)
    assert set(deidentify(project)) == set(patients) - {gone}
    with pytest.raises(CurationError, match="nobody has this pseudonym"):
        crosswalk.find(vault, identity, gone)
    for code in set(patients) - {gone}:
        assert crosswalk.find(vault, identity, code)

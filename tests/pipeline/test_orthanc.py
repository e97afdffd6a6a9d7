"""From a real DICOMweb server to a release, with the server killed on the way."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from orthanc.orthanc_server import PASSWORD, USER, Orthanc
from pipeline_tools import Project, tree_digest


@pytest.fixture(scope="module")
def orthanc(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """It holds the cohort, as far as that is DICOM with all that it needs."""
    server = Orthanc(tmp_path_factory.mktemp("orthanc"))
    server.start()
    server.take(path for path in sorted((cohort / "export").rglob("*")) if path.is_file())
    yield server
    server.kill()


def chests(cohort: Path) -> dict[str, set[str]]:
    """Instances by study, of the patients without pictures of the head: nothing is to be defaced, which takes minutes."""
    studies: dict[str, set[str]] = {}
    heads = set()
    for path in sorted((cohort / "export").rglob("*")):
        try:
            head = dcmread(path, stop_before_pixels=True) if path.is_file() else None
        except InvalidDicomError:
            continue
        if head is None or "StudyInstanceUID" not in head:
            continue
        studies.setdefault(head.StudyInstanceUID, set()).add(head.SOPInstanceUID)
        if head.Modality in ("CT", "MR", "PT") and head.get("BodyPartExamined") != "CHEST" and head.get("PatientID"):
            heads.add(head.StudyInstanceUID) if head.get("BodyPartExamined") else None
    return {study: found for study, found in studies.items() if study not in heads}


def private(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


@pytest.mark.slow
def test_orthanc_to_release(orthanc: Orthanc, new_project: Callable[[], Project], cohort: Path, tmp_path: Path) -> None:
    wanted = chests(cohort)
    project = new_project()
    server = {
        "credentials": private(tmp_path / "credentials", f"user={USER}\npassword={PASSWORD}\n"),
        "studies": private(tmp_path / "studies", "\n".join(wanted)),
        "retries": 1,
        "connections": 1,
        "rate": 2,  # slow enough to be killed on the way
    }
    project.configure(input=f"dicomweb+{orthanc.address}", fetch={"dicomweb": server})

    came = project.results / "fetch" / "files"
    broken = _killed_on_the_way(project, orthanc, came)
    assert "the DICOMweb server does not answer" in broken
    some = {path: path.stat().st_mtime_ns for path in came.rglob("*.dcm")}
    assert 0 < len(some) < sum(map(len, wanted.values()))

    orthanc.start()
    project.configure(fetch={"dicomweb": {**server, "rate": 0}})
    log = project.snakemake().stderr
    assert f"{len(some)} were here" in log
    assert {path: path.stat().st_mtime_ns for path in some} == some
    # it refuses the damaged files of the cohort
    assert {path.stem for path in came.rglob("*.dcm")} == set().union(*wanted.values()) & orthanc.instances()

    assert project.planned() == {}
    _nothing_tells(project, [PASSWORD, orthanc.address, *wanted, str(tmp_path)])

    plain = new_project()
    shutil.copytree(came, tmp_path / "plain")
    plain.configure(input=str(tmp_path / "plain"))
    plain.snakemake()
    assert tree_digest(plain.release) == tree_digest(project.release)

    _one_instance_goes(project, orthanc, came)
    orthanc.kill()
    assert "fetch" not in project.planned()  # a silent server: what was fetched is gone on with


def _killed_on_the_way(project: Project, orthanc: Orthanc, came: Path) -> str:
    """What a run says whose server is killed with some of the files fetched."""
    command = project.command("--until", "fetch")
    with subprocess.Popen(
        command,
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        while not any(came.rglob("*.dcm")) and run.poll() is None:
            time.sleep(0.05)
        orthanc.kill()
        said, _ = run.communicate()
    assert run.returncode != 0
    return said


def _nothing_tells(project: Project, secrets: list[str]) -> None:
    """Neither Snakemake's records nor logs hold the password, the server, a study or a path; results/fetch is private."""
    places = [project.folder / ".snakemake", project.results / "logs"]
    for path in (path for place in places for path in place.rglob("*") if path.is_file()):
        data = path.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in data], path.name
    assert (project.results / "fetch").stat().st_mode & 0o077 == 0


def _one_instance_goes(project: Project, orthanc: Orthanc, came: Path) -> None:
    """An instance that the server has no more: fetch, the inventory and one chunk run again."""
    victim = max(came.rglob("*.dcm"), key=lambda path: len(list(path.parent.iterdir())))
    found = orthanc.request("POST", "/tools/lookup", victim.stem.encode())[1]
    number = found.decode().split('"ID" : "')[1].split('"')[0]
    assert orthanc.request("DELETE", f"/instances/{number}")[0] == 200
    planned = project.planned()
    assert {"fetch", "inventory"} <= set(planned)
    project.snakemake("--until", "consent")
    assert not victim.exists()
    after = project.planned()
    assert "fetch" not in after and "inventory" not in after
    assert after.get("deidentify") == 1

"""`radcurate doctor` and `radcurate status`: what an operator sees."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import yaml

from radcurate.cli import main
from radcurate.keys import create_key


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder with all that a run needs, but no run; whether this machine has a Slurm is not asked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    key = tmp_path.parent / f"{tmp_path.name}-key" / "key"
    create_key(key)
    (tmp_path / "export").mkdir()
    (tmp_path / "consent.csv").write_text("patient\n")
    tell(tmp_path, input="export", key_file=str(key), consent={"table": "consent.csv"})
    return tmp_path


def tell(folder: Path, **options: object) -> None:
    path = folder / "run.yaml"
    content = yaml.safe_load(path.read_text()) if path.exists() else {}
    path.write_text(yaml.safe_dump(content | options))


def doctor(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, list[tuple[str, str, str]]]]:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--configfile", "run.yaml", "--json"])
    found: dict[str, list[tuple[str, str, str]]] = {}
    for each in json.loads(capsys.readouterr().out):
        found.setdefault(each["about"], []).append((each["state"], each["found"], each["remedy"]))
    return int(ended.value.code or 0), found


def faults(found: dict[str, list[tuple[str, str, str]]]) -> set[str]:
    return {about for about, each in found.items() if any(state == "fault" for state, _, _ in each)}


def test_all_is_well(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = doctor(capsys)
    assert faults(found) == set() and code == 0
    assert {"python", "packages", "key", "input", "consent", "policy", "space", "slurm"} <= set(found)


@pytest.mark.parametrize(
    ("about", "options"),
    [
        ("key", {"key_file": "/nowhere/key"}),
        ("input", {"input": "nowhere"}),
        ("input", {"input": "dicomweb+http://pacs.example/dicom-web"}),
        ("input", {"input": "dicomweb+https://pacs.example/x", "fetch": {"dicomweb": {"credentials": "/nowhere"}}}),
        ("consent", {"consent": {"table": "nowhere.csv"}}),
        ("policy", {"gate": {"policy": "nowhere.yaml"}}),
        ("configuration", {"protcet": {"k": 3}}),
    ],
)
def test_what_is_wrong_is_named_with_a_remedy(
    place: Path, capsys: pytest.CaptureFixture[str], about: str, options: dict[str, object]
) -> None:
    tell(place, **options)
    code, found = doctor(capsys)
    assert code == 1 and faults(found) == {about}
    assert all(remedy for each in found.values() for state, _, remedy in each if state == "fault")


def test_archives_and_servers_can_be_inputs(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(place / "x.zip", "w") as archive:
        archive.writestr("a", "a")
    for source in ("x.zip", "dicomweb+https://pacs.example/dicom-web"):
        tell(place, input=source)
        assert faults(doctor(capsys)[1]) == set(), source


def test_a_key_that_others_can_read(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path(yaml.safe_load((place / "run.yaml").read_text())["key_file"]).chmod(0o644)
    code, found = doctor(capsys)
    assert code == 1 and faults(found) == {"key"} and "chmod 600" in found["key"][0][2]


def test_no_place_for_the_heads_of_the_record(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADCURATE_AUDIT_HEADS", str(place / "consent.csv"))  # no folder
    code, found = doctor(capsys)
    assert code == 1 and faults(found) == {"audit"} and "RADCURATE_AUDIT_HEADS" in found["audit"][0][2]


def test_a_lock_that_a_killed_run_left(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / ".snakemake" / "locks").mkdir(parents=True)
    (place / ".snakemake" / "locks" / "0.input.lock").touch()
    code, found = doctor(capsys)
    assert code == 0 and found["lock"][0][0] == "note" and "--unlock" in found["lock"][0][2]


def test_identity_that_others_can_open(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "results" / "inventory").mkdir(parents=True, mode=0o755)
    (place / "results" / "inventory").chmod(0o755)
    code, found = doctor(capsys)
    assert code == 1 and faults(found) == {"permissions"}


def test_chunks_that_are_too_large(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = place / "results" / "inventory" / "chunks" / "00000"
    for each in reversed([folder, *folder.parents]):
        if place in each.parents and not each.exists():
            each.mkdir(mode=0o700)
    pq.write_table(pa.table({"status": ["ok"] * 1000}), folder / "series.parquet")
    code, found = doctor(capsys)
    assert code == 0 and found["chunks"][0][0] == "note" and "n_chunks: 4" in found["chunks"][0][2]


def test_it_says_nothing_of_where_the_export_lies(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "export").rename(place / "Doe_Jane_1950")
    tell(place, input="Doe_Jane_1950")
    with pytest.raises(SystemExit):
        main(["doctor", "--configfile", "run.yaml"])
    assert "Doe" not in capsys.readouterr().out


def test_status_without_a_run(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["status"])
    assert ended.value.code == 0 and "no run here" in capsys.readouterr().out

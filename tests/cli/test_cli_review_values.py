"""`radcurate review values` as typed, on an inventoried export: what is printed, what never is, and that only headers are read."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
import yaml

from inventory_files import Export, tree_state
from paths import ROOT
from radcurate.cli import main
from radcurate.cli.review_values import FIRST_BYTES, _HeaderReader, _places
from radcurate.dicom.container import read_file
from radcurate.keys import create_key
from radcurate.settings import Consent, Inventory
from radcurate.stages import consent, inventory

PATIENTS = {"PAT-70001": "Brannoc^Quill", "PAT-70002": "Ferrant^Isolde", "PAT-70003": "Osk^Wim", "PAT-70004": "Nul^Ada"}
SETTINGS = "my.yaml"
SECRETS = ("Brannoc", "Quill", "Ferrant", "Isolde", "70001", "70002", "70003", "19610203", "20230405", "Secretpath")


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three permitted patients and one without consent, after inventory and consent."""
    base = tmp_path_factory.mktemp("review")
    key = create_key(base / "key")
    for number, (patient, name) in enumerate(PATIENTS.items()):
        export = Export(base / "in" / f"Secretpath{number}", patient)
        more = {
            "PAT-70001": {"ContrastBolusAgent": "GLURBEX", "ConvolutionKernel": "Brannoc", "SeriesDescription": "Thorax Quill Spezialfilter"},
            "PAT-70002": {"ConvolutionKernel": "BRANNOC", "ImageType": ["ORIGINAL", "PRIMARY", "20230405"]},
            "PAT-70003": {"SeriesDescription": "Thorax\x1b[31mred"},
            "PAT-70004": {"BodyPartExamined": "NURHIER"},
        }[patient]  # fmt: skip
        image, _ = export.image(**{"PatientName": name, "BodyPartExamined": "LUNGENSPITZE", **more})
        export.rtstruct(image, PatientName=name)
    inventory.run(Inventory(n_chunks=2), base / "in", base / "run/results/inventory", key, 1)
    rows = [f"{patient},dynamic,research,yes,,2024-01-01" for patient in list(PATIENTS)[:3]]
    (base / "consent.csv").write_text("\n".join(["patient,model,purposes,recontact,withdrawn,date", *rows]) + "\n")
    consent.run(Consent(), base / "run/results/inventory", base / "run/results/consent", key, base / "consent.csv")
    (base / "run/results/.input").write_text(key.file_code(str((base / "in").resolve())) + "\n")
    settings = {"input": str(base / "in"), "key_file": str(base / "key"), "consent": {"table": "consent.csv"}}
    (base / "run/my.yaml").write_text(yaml.safe_dump(settings))
    return base / "run"


def review(
    run_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: object
) -> tuple[int, str, str]:
    monkeypatch.chdir(run_folder)
    with pytest.raises(SystemExit) as ended:
        given = [] if "--configfile" in words else ["--configfile", SETTINGS]
        main(["review", "values", *given, *map(str, words)])
    printed = capsys.readouterr()
    for secret in SECRETS:
        assert secret.casefold() not in (printed.out + printed.err).casefold(), secret
    return int(ended.value.code or 0), printed.out, printed.err


def test_the_table_tells_terms_and_counts_but_nobody(run_folder, capsys, monkeypatch, tmp_path) -> None:
    before = tree_state(run_folder.parent)
    code, out, err = review(run_folder, capsys, monkeypatch, "--csv", tmp_path / "table.csv")
    assert code == 0 and "15 files read" in err
    assert (tmp_path / "table.csv").stat().st_mode & 0o777 == 0o600
    content = (tmp_path / "table.csv").read_text()
    assert not any(secret.casefold() in content.casefold() for secret in SECRETS)
    rows = {(row["keyword"], row["value"]): row for row in csv.DictReader(io.StringIO(content))}
    common = rows["BodyPartExamined", "LUNGENSPITZE"]
    assert (common["files"], common["series"], common["patients"], common["rare"]) == ("12", "3", "3", "no")
    assert rows["ContrastBolusAgent", "GLURBEX"]["rare"] == "yes"
    assert rows["SeriesDescription", "Spezialfilter"]["extend"].startswith("descriptions.words, line ")
    untold = next(row for (keyword, value), row in rows.items() if keyword == "ConvolutionKernel" and value[0] == "(")
    assert (untold["files"], untold["patients"], untold["extend"]) == ("8", "2", "never")
    assert "NURHIER" not in out + content  # no consent, no look
    assert "\x1b" not in out + content
    assert tree_state(run_folder.parent) == before


def test_keyword_and_limit(run_folder, capsys, monkeypatch) -> None:
    _, out, _ = review(run_folder, capsys, monkeypatch, "--keyword", "BodyPartExamined")
    assert "LUNGENSPITZE" in out and "GLURBEX" not in out
    _, out, _ = review(run_folder, capsys, monkeypatch, "--limit", 1)
    assert "more (--limit 0)" in out and out.count("line ") + out.count("never") == 1
    _, out, _ = review(run_folder, capsys, monkeypatch, "--keyword", "Modality")
    assert out == "nothing was blanked\n"


def test_the_result_does_not_depend_on_the_number_of_processes(run_folder, capsys, monkeypatch) -> None:
    one, two = (review(run_folder, capsys, monkeypatch, "--threads", n)[1] for n in (1, 2))
    assert one == two


def test_a_value_that_was_added_to_the_vocabulary_is_gone_from_the_table(
    run_folder, capsys, monkeypatch, tmp_path
) -> None:
    text = (ROOT / "config/vocabulary.yaml").read_text()
    line = _places(ROOT / "config/vocabulary.yaml")["values.BodyPartExamined"]
    lines = text.split("\n")
    assert "BodyPartExamined" in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace("[ABDOMEN,", "[ABDOMEN, Lungenspitze,")
    (tmp_path / "vocabulary.yaml").write_text("\n".join(lines))
    more = tmp_path / "more.yaml"
    more.write_text(yaml.safe_dump({"deidentify": {"vocabulary": str(tmp_path / "vocabulary.yaml")}}))
    _, out, _ = review(run_folder, capsys, monkeypatch, "--configfile", SETTINGS, more)
    assert "LUNGENSPITZE" not in out and "GLURBEX" in out


def test_a_table_inside_the_run_folder_is_refused(run_folder, capsys, monkeypatch) -> None:
    code, _, err = review(run_folder, capsys, monkeypatch, "--csv", "results/table.csv")
    assert code == 1 and "run folder" in err and not (run_folder / "results/table.csv").exists()


def test_another_input_key_or_no_run_is_refused(run_folder, capsys, monkeypatch, tmp_path) -> None:
    (tmp_path / "other").mkdir()
    code, _, err = review(run_folder, capsys, monkeypatch, "--input", tmp_path / "other")
    assert code == 1 and "other data" in err
    code, _, err = review(run_folder, capsys, monkeypatch, "--input", tmp_path / "none")
    assert code == 1 and "no input" in err
    create_key(tmp_path / "key")
    (tmp_path / "more.yaml").write_text(yaml.safe_dump({"key_file": str(tmp_path / "key")}))
    code, _, err = review(run_folder, capsys, monkeypatch, "--configfile", SETTINGS, tmp_path / "more.yaml")
    assert code == 1 and "another folder or key" in err
    code, _, err = review(run_folder, capsys, monkeypatch, "--configfile", tmp_path / "none.yaml")
    assert code == 1 and "configuration can't be read" in err
    settings = run_folder / SETTINGS
    code, _, err = review(tmp_path, capsys, monkeypatch, "--configfile", settings)
    assert code == 1 and "nothing to review" in err


def test_no_more_of_a_file_is_read_than_its_header(tmp_path: Path) -> None:
    import numpy as np
    from pydicom import dcmread

    path = Export(tmp_path).slice("1.2.3", 1.0)
    for padding in (0, 2 * FIRST_BYTES):
        image = dcmread(path)
        image.PixelData = np.zeros(4 * FIRST_BYTES, np.uint8).tobytes()
        image.Rows = image.Columns = 256
        if padding:
            image.private_block(0x0099, "QUXWORTH", create=True).add_new(1, "OB", bytes(padding))
        image.save_as(path)
        whole = read_file(path.read_bytes())
        reader = _HeaderReader()
        for _ in range(2):
            elements, little = reader.read(path)
            assert little and {tag: element for tag, element in whole.elements.items() if tag < 0x7FE00010} == elements
        assert reader.reach < FIRST_BYTES + padding + 10_000

"""The consent table in the forms that programs write it in."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from radcurate.errors import CurationError
from radcurate.governance.consent_table import read_consent

HEADING = "patient,model,purposes,recontact,withdrawn,date"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_a_plain_table(tmp_path: Path) -> None:
    (found,) = read_consent(write(tmp_path / "c.csv", f"{HEADING}\n007,broad,a;b,yes,,2024-01-01\n"))
    assert found == {
        "patient": "007",
        "model": "broad",
        "purposes": "a;b",
        "recontact": "yes",
        "withdrawn": "",
        "date": "2024-01-01",
    }


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{HEADING}\r\n007,broad,a,yes,,2024-01-01\r\n\r\n",
        f"{HEADING.replace(',', ';')}\n007;broad;a;yes;;2024-01-01\n",
        f"{HEADING.replace(',', chr(9))}\n007\tbroad\ta\tyes\t\t2024-01-01\n",
        f"{HEADING.upper()} ,remark\n007,broad,a,yes,,2024-01-01,more\n",
        f"{HEADING},governance\n007,broad,a,yes,,2024-01-01\n",
    ],
)
def test_other_separators_marks_and_columns(tmp_path: Path, text: str) -> None:
    (found,) = read_consent(write(tmp_path / "c.csv", text))
    assert (found["patient"], found["model"], found["purposes"], found["date"]) == ("007", "broad", "a", "2024-01-01")


def test_an_old_code_page_is_read(tmp_path: Path) -> None:
    (found,) = read_consent(
        write(tmp_path / "c.csv", f"{HEADING},governance\n1,broad,a,yes,,2024-01-01,Behörde\n", "cp1252")
    )
    assert found["governance"] == "Behörde"


def test_parquet_with_its_own_kinds(tmp_path: Path) -> None:
    content = {
        "patient": [12, 13],
        "model": ["broad", "broad"],
        "purposes": [["a", "b"], ["a"]],
        "recontact": ["yes", None],
        "withdrawn": [None, datetime(2024, 2, 3)],
        "date": [date(2024, 1, 1), date(2024, 1, 2)],
        "scope": [1.0, float("nan")],
    }
    pq.write_table(pa.table(content), tmp_path / "c.parquet")
    first, second = read_consent(tmp_path / "c.parquet")
    assert (first["patient"], first["purposes"], first["withdrawn"], first["date"], first["scope"]) == (
        "12",
        "a;b",
        "",
        "2024-01-01",
        "1",
    )
    assert (second["recontact"], second["withdrawn"], second["scope"]) == ("", "2024-02-03", "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "no patient"),
        ("patient,model\n1,broad\n", "no purposes, recontact, withdrawn, date"),
        (f"{HEADING}\n", "a heading only"),
        (f"{HEADING},date\n1,broad,a,yes,,2024-01-01,2024-01-02\n", "date more than once"),
        (f"{HEADING}\n1,broad,a,yes,,2024-01-01,x\n", "7"),
        (f'{HEADING}\n"1,broad,a,yes,,2024-01-01\n', "Error"),
    ],
)
def test_a_faulty_table_is_explained(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(CurationError) as error:
        read_consent(write(tmp_path / "c.csv", text))
    assert found in error.value.found


def test_a_misspelt_column_is_recognised(tmp_path: Path) -> None:
    with pytest.raises(CurationError) as error:
        read_consent(
            write(tmp_path / "c.csv", HEADING.replace("purposes", "purpose") + "\n1,broad,a,yes,,2024-01-01\n")
        )
    assert "is purpose meant to be purposes?" in error.value.fix


def test_an_absent_table_and_a_broken_one(tmp_path: Path) -> None:
    with pytest.raises(CurationError, match="no consent table"):
        read_consent(tmp_path / "none.csv")
    (tmp_path / "c.parquet").write_bytes(b"PAR1")
    with pytest.raises(CurationError, match="can't be read"):
        read_consent(tmp_path / "c.parquet")

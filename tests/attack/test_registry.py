"""Registries as people have them, and what is said about those that can't be used."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from told_tools import cohort, raw_of, released_of

from radcurate.attack.linkage import Overlooked, attack_linkage
from radcurate.attack.registry import read_register
from radcurate.attack.synthesis import Synthesis, others, others_for
from radcurate.attack.told import registry_of, words_of
from radcurate.errors import CurationError

PATIENTS = ["P-a", "P-b", "P-c"]


def read(path: Path, columns=None, patients=PATIENTS, code=None):
    return read_register(path, columns or {}, patients, lambda name: f"P-{name}", code)


def write(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "registry.csv"
    path.write_bytes(text.encode(encoding))
    return path


PLAIN = """patient,sex,age,date,site,street
b,M,61,2015-01-05,Univ. Hosp. North,secret lane
a,F,34,20150206,South,secret road
z,,,,,"""


def test_a_plain_registry(tmp_path):
    register = read(write(tmp_path, PLAIN))
    assert register.size == 3
    assert register.person_of.tolist() == [0, 1, -1]
    assert register.words.sexes == ("F", "M")
    assert register.words.sites == ("South", "Univ. Hosp. North")
    assert register.rows.age.tolist()[:2] == [61, 34]
    assert np.isnan(register.rows.age[2]) and np.isnan(register.rows.day[2]) and register.rows.sex[2] == -1
    assert register.rows.day[0] == date(2015, 1, 5).toordinal()


def test_semicolons_other_names_and_latin_letters(tmp_path):
    text = "Fallnr;Geschlecht;Alter;Tag;Klinik\n1;w;063Y;05.01.2015;Universitätsklinikum Nord\n1;w;64;6.2.2016;\n"
    names = {"person": "Fallnr", "sex": "geschlecht", "age": "Alter", "date": "Tag", "site": "Klinik"}
    register = read(write(tmp_path, text, "latin-1"), names)
    assert register.size == 1 and register.person_of is None
    assert register.words.sites == ("Universitätsklinikum Nord",)
    assert register.rows.age.tolist() == [63, 64]


def test_parquet_with_types(tmp_path):
    path = tmp_path / "registry.parquet"
    content = {"sex": [1, 2], "age": [61.5, None], "date": [date(2015, 1, 5), None], "site": ["North", None]}
    pa.parquet.write_table(pa.table(content), path)
    register = read(path)
    assert register.words.sexes == ("F", "M")
    assert register.rows.age[0] == 61.5 and np.isnan(register.rows.age[1])
    assert register.size == 2  # each row somebody of his own


def test_a_registry_without_a_column_says_so_and_the_steward_can_too(tmp_path):
    path = write(tmp_path, "sex,age,date\nM,61,2015-01-05\n")
    with pytest.raises(CurationError, match="has no column for site") as error:
        read(path)
    assert "attack.linkage.columns" in error.value.fix and "3 columns: sex, age, date" in error.value.found
    assert read(path, {"site": ""}).rows.site.tolist() == [-1]


@pytest.mark.parametrize(
    ("text", "columns", "problem"),
    [
        ("a,b\n1,2\n", {}, "has no column for sex, age, date, site"),
        ("sex,age,date,site\n", {}, "has no rows"),
        ("", {}, "has no column"),
        ("sex,age,date,site\nM,old,2015-01-05,North\n", {}, "has ages that can't be read"),
        ("sex,age,date,site\nM,61,01/05/2015,North\n", {}, "has dates that can't be read"),
        ("sex,age,date,site\nM,61,2015-02-30,North\n", {}, "has dates that can't be read"),
        (PLAIN, {"zip": "street"}, "can't have a column for zip"),
        (PLAIN, {"patient": "Nr"}, "has no column for patient"),
        ("sex,age,date,site\nM,61\nM,61,2015-01-05,North\n", {}, "can't be read"),
        ("sex\nM\n", {"sex": "", "age": "", "date": "", "site": ""}, "anything that a release tells"),
    ],
)
def test_what_can_not_be_used(tmp_path, text, columns, problem):
    with pytest.raises(CurationError, match=problem) as error:
        read(write(tmp_path, text), columns)
    for secret in ("old", "01/05", "02-30", "North", "secret"):
        assert secret not in error.value.text()


def test_no_such_file_and_no_parquet(tmp_path):
    with pytest.raises(CurationError, match="can't be read"):
        read(tmp_path / "none.csv")
    path = tmp_path / "registry.parquet"
    path.write_text("no parquet")
    with pytest.raises(CurationError, match="can't be read"):
        read(path)


ROWS = [
    (0, "F", 34.0, "2015-02-06", "South"),
    (1, "M", 61.0, "2015-01-05", "North"),
    (2, "M", 70.0, "2016-01-05", "North"),
]
RAW = raw_of(*ROWS)


def link(register, released=RAW):
    synthesis = Synthesis(20, 10, 1)
    return attack_linkage(released, RAW, np.arange(3), Overlooked(), synthesis, register).attack


def test_a_held_registry_is_searched_too_and_the_worse_counts(tmp_path):
    register = read(write(tmp_path, PLAIN.replace("Univ. Hosp. North", "North").replace("\nz,,,,,", "")))
    coarse = [(patient, sex, "30-39" if patient == 0 else "60-79", "*", "*") for patient, sex, *_ in ROWS]
    found = link(register, released_of(RAW, *coarse))
    assert found.further["registry"].successes == 2
    assert found.found.rate == pytest.approx(2 / 3)
    assert found.numbers["registry_exactly_one"] == 1  # the third is taken for the second: exactly one, and wrong
    assert found.found.high == 1 and found.numbers["registry_truth_known"] is True


def test_where_nobody_knows_the_truth_a_sole_candidate_counts(tmp_path):
    text = "sex,age,date,site\nM,61,2015-01-05,North\nF,90,2015-01-05,North\n"
    found = link(read(write(tmp_path, text)))
    assert found.further["registry"].rate == pytest.approx(1 / 3)
    assert found.numbers["registry_truth_known"] is False


def test_a_hospital_behind_a_code_is_known_to_the_attacker(tmp_path):
    codes = {"North": "H-1", "N. Hosp.": "H-9", "South": "H-2"}
    raw = raw_of(*[(p, s, a, d, codes[site]) for p, s, a, d, site in ROWS])
    text = "sex,age,date,site\nM,61,2015-01-05,North\nM,61,2015-01-05,South\n"
    register = read(write(tmp_path, text), code=codes.get)
    assert register.words.means == {"H-1": {"North"}, "H-2": {"South"}}
    found = attack_linkage(raw, raw, np.arange(3), Overlooked(), Synthesis(20, 10, 1), register).attack
    assert found.numbers["registry_exactly_one"] == pytest.approx(1 / 3)


def test_other_people_resemble_the_cohort_and_come_back_the_same():
    raw = raw_of(*cohort(40))
    words = words_of(raw)
    people = registry_of(raw, words)
    one, two = (others(people, len(words.sites), Synthesis(50, 4, 3), 4) for _ in range(2))
    assert all(
        np.array_equal(getattr(one, name), getattr(two, name)) for name in ("person", "age", "day", "sex", "site")
    )
    assert one.n_people == 200 and set(one.block.tolist()) == {0, 1, 2, 3}
    assert np.bincount(one.block[np.unique(one.person, return_index=True)[1]]).tolist() == [50] * 4
    assert abs(one.age.mean() - people.age.mean()) < 3
    assert set(one.site.tolist()) <= set(people.site.tolist())


def test_how_many_other_people():
    assert others_for(22, None) == 198
    assert others_for(5000, None) == 10_000
    assert others_for(22, 0) == 0

"""protect as a stage: files in, files out, nothing in them that leads back."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.seals import check_seal, write_seal
from radcurate.settings import Protect
from radcurate.stages.protect import run

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = ROOT / "config" / "columns.yaml"
N_CHUNKS = 3


def patients(n: int = 60, seed: int = 1) -> list[dict]:
    """Rows of regions: one or two studies a patient, one or two regions a study."""
    chance = np.random.default_rng(seed)
    rows = []
    for patient in range(n):
        sex, site = chance.choice(["M", "F"]), chance.choice(["H-aaaa0001", "H-aaaa0002"])
        age, year = float(chance.uniform(20, 80)), int(chance.integers(2015, 2019))
        for study in range(int(chance.integers(1, 3))):
            series = f"S-{patient:08x}{study:08x}"
            for region in range(int(chance.integers(1, 3))):
                rows.append(
                    {
                        "roi": f"R-{patient:08x}{study:04x}{region:04x}",
                        "series": series,
                        "contour": series.replace("S-", "S-c"),
                        "subject": f"P-{patient:016x}",
                        "roi_label": "GTV",
                        "modality": "CT",
                        "site": str(site),
                        "sex": str(sex),
                        "age": age + study,
                        "study_date": f"{year + study}-{chance.integers(1, 13):02}-{chance.integers(1, 29):02}",
                        "status": "ok",
                        "reason": None,
                        "provenance": "abc",
                        "stat_mean": float(chance.normal()),
                        "morph_volume": float("nan") if region else 5.0,
                        "mystery": 1.0,
                    }
                )
    return rows


def acquisitions(rows: list[dict]) -> list[dict]:
    found = {}
    for row in rows:
        maker = "SIEMENS" if int(row["subject"][2:], 16) % 2 else "GE"
        model = f"{maker} {int(row['series'][2:], 16) % 3}"
        found[row["series"]] = {
            "series": row["series"],
            "subject": row["subject"],
            "modality": "CT",
            "sex": row["sex"],
            "manufacturer": maker,
            "model": model,
            "kernel": "B30f" if maker == "SIEMENS" else "STANDARD",
            "kvp": 120.0,
            "field_strength": None,
            "reconstruction_method": None,
            "contrast_agent": None,
            "tracer": None,
            "software": "v1",
            "exposure": 12.5,
            "slice_thickness": 3.0,
        }
    return list(found.values())


def write_chunks(
    root: Path,
    rows: list[dict],
    key: Key,
    *,
    n_chunks: int = N_CHUNKS,
    extra: list[dict] | None = None,
    change: Callable[[dict], dict] = dict,
    twice: bool = False,
) -> list[Path]:
    """Chunks of extract: `extra` series rows in the first, acquisition rows changed by `change`, or doubled."""
    folders = []
    for chunk in range(n_chunks):
        folder = root / f"{chunk:05}"
        folder.mkdir(parents=True)
        mine = [row for row in rows if int(row["subject"][2:], 16) % n_chunks == chunk]
        scans = [change(row) for row in acquisitions(mine)]
        write_rows(folder / "features.parquet", mine, rows)
        write_rows(
            folder / "acquisition.parquet", scans * (2 if twice else 1), [change(row) for row in acquisitions(rows)]
        )
        series = [
            ends_of(row, name, kind) for row in mine for name, kind in (("series", "image"), ("contour", "rtstruct"))
        ]
        series = list({row["series"]: row for row in series}.values())
        tables.write_rows(
            folder / "series.parquet", tables.EXTRACT_SERIES, series + (extra or [] if chunk == 0 else [])
        )
        tables.write_rows(folder / "crosscheck.parquet", tables.EXTRACT_CROSSCHECK, compared(mine))
        names = ["features.parquet", "acquisition.parquet", "crosscheck.parquet", "series.parquet"]
        write_seal(folder, names, key)
        folders.append(folder)
    return folders


def write_rows(path: Path, rows: list[dict], like: list[dict]) -> None:
    tables.write(path, pa.Table.from_pylist(rows, schema=pa.Table.from_pylist(like).schema))


def compared(rows: list[dict]) -> list[dict]:
    """A second engine that is farther off the higher the patient's code."""
    told = {"engine": "radcurate", "second_engine": "other", "feature": "stat_mean"}
    names = ("roi", "subject", "modality")
    return [{**told, **{n: row[n] for n in names}, "difference": int(row["subject"][2:], 16) * 1e-7} for row in rows]


def ends_of(row: dict, name: str, kind: str) -> dict:
    modality = "CT" if kind == "image" else "RTSTRUCT"
    return {
        "series": row[name],
        "subject": row["subject"],
        "kind": kind,
        "modality": modality,
        "status": "ok",
        "rois": 1,
    }


def protect(
    tmp_path: Path, key: Key, rows: list[dict] | None = None, *, name: str = "a", columns: Path = COLUMNS, **options
) -> Path:
    made = {word: options.pop(word) for word in ("n_chunks", "extra", "change", "twice") if word in options}
    chunks = write_chunks(tmp_path / name / "extract", patients() if rows is None else rows, key, **made)
    out = tmp_path / name / "protect"
    run(Protect(**options), chunks, out, key, columns)
    return out


def measures(out: Path) -> dict:
    return json.loads((out / "measures.json").read_text())


def test_a_release_keeps_k(tmp_path, key):
    out = protect(tmp_path, key, k=5)
    found = measures(out)
    assert found["holds"] and found["unmet"] == []
    assert found["before"]["k"] == 1
    assert found["after"]["k"] >= 5
    assert found["suppressed_share"] <= 0.2
    assert check_seal(out, key).keys() == {
        "features.parquet",
        "acquisition.parquet",
        "crosscheck.parquet",
        "subjects.parquet",
        "series.parquet",
        "groups.parquet",
        "measures.json",
        "provenance.parquet",
        "distortion.parquet",
        "at_risk.parquet",
        "ways.parquet",
        "utility_privacy.json",
        "ranges.parquet",
        "stability.parquet",
    }


def read(out: Path, name: str) -> list[dict]:
    return tables.read_rows(out / name)


def declared_as(tmp_path: Path, **entries: str) -> Path:
    """The shipped table of columns with entries added or replaced."""
    content = yaml.safe_load(COLUMNS.read_text())
    content["columns"] |= {name: yaml.safe_load(entry) for name, entry in entries.items()}
    path = tmp_path / "columns.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def test_classes_counted_in_the_files_themselves(tmp_path, key):
    """What anybody can count who joins the two tables: sets of tuples, by dictionary."""
    out = protect(tmp_path, key, k=5)
    acquisition = {row["series"]: row for row in read(out, "acquisition.parquet")}
    quasi = ["sex", "site", "age", "study_date", "manufacturer", "model", "kernel"]
    shown: dict[str, set] = {}
    for row in read(out, "features.parquet"):
        both = acquisition[row["series"]] | row
        shown.setdefault(row["subject"], set()).add(tuple(both[name] for name in quasi))
    sizes = Counter(frozenset(seen) for seen in shown.values())
    assert min(sizes.values()) == measures(out)["after"]["k"] >= 5


def test_regions_with_labels_of_their_own(tmp_path, key):
    """Mondrian: the same k, counted in the files; nothing else in the release changes."""
    plain, out = protect(tmp_path, key, k=5), protect(tmp_path, key, name="b", k=5, method="mondrian")
    found = measures(out)
    acquisition = {row["series"]: row for row in read(out, "acquisition.parquet")}
    quasi = ["sex", "site", "age", "study_date", "manufacturer", "model", "kernel"]
    shown: dict[str, set] = {}
    for row in read(out, "features.parquet"):
        both = acquisition[row["series"]] | row
        shown.setdefault(row["subject"], set()).add(tuple(both[name] for name in quasi))
    sizes = Counter(frozenset(seen) for seen in shown.values())
    assert min(sizes.values()) == found["after"]["k"] >= 5 and found["holds"]
    assert found["method"] == "mondrian" and found["ncp"] < 0.6
    values = [{row["roi"]: row["stat_mean"] for row in read(folder, "features.parquet")} for folder in (plain, out)]
    assert all(values[1][roi] == value for roi, value in values[0].items() if roi in values[1])
    assert {row["method"] for row in [found, measures(plain)]} == {"mondrian", "full_domain"}
    for row in read(out, "ways.parquet"):
        assert row["change"] != "as_configured" or row["k"] == found["after"]["k"]


def test_regions_change_no_byte_with_chunks_and_order(tmp_path, key):
    one = protect(tmp_path, key, name="one", method="mondrian", noise=0.0)
    two = protect(tmp_path, key, patients()[::-1], name="two", n_chunks=1, method="mondrian", noise=0.0)
    names = ["features.parquet", "acquisition.parquet", "measures.json", "ways.parquet", "at_risk.parquet"]
    assert [name for name in names if (one / name).read_bytes() != (two / name).read_bytes()] == []


def test_no_code_of_the_run_reaches_the_release(tmp_path, key):
    rows = patients()
    out = protect(tmp_path, key, rows)
    inside = {row[name] for row in rows for name in ("subject", "series", "contour", "roi", "site")}
    for name in ("features.parquet", "acquisition.parquet", "measures.json"):
        content = (out / name).read_text() if name.endswith("json") else str(read(out, name))
        assert not [code for code in inside if code in content]
    assert {row["subject"] for row in read(out, "features.parquet")} == {
        row["code"] for row in read(out, "subjects.parquet") if row["status"] == "released"
    }


def test_the_codes_join_the_two_tables(tmp_path, key):
    out = protect(tmp_path, key)
    features, acquisition = read(out, "features.parquet"), read(out, "acquisition.parquet")
    assert {row["series"] for row in features} == {row["series"] for row in acquisition}
    assert {row["subject"] for row in features} == {row["subject"] for row in acquisition}


def test_another_key_gives_other_codes(tmp_path, key):
    one = protect(tmp_path, key, name="one")
    two = protect(tmp_path, Key(bytes(32)), name="two")
    codes = [{row["subject"] for row in read(out, "features.parquet")} for out in (one, two)]
    assert not codes[0] & codes[1]


def test_only_declared_columns_are_released(tmp_path, key):
    out = protect(tmp_path, key)
    names = read(out, "features.parquet")[0].keys() | read(out, "acquisition.parquet")[0].keys()
    assert not names & {"mystery", "status", "reason", "software", "exposure"}
    found = measures(out)
    assert "mystery" in found["undeclared_columns"] and "mystery" in found["dropped_columns"]
    assert set(found["released_columns"]) == set(names) == set(found["reasons"])
    assert all(found["reasons"].values())


def test_acquisition_does_not_tell_finer_what_features_coarsen(tmp_path, key):
    out = protect(tmp_path, key)
    assert "sex" in read(out, "features.parquet")[0]
    assert "sex" not in read(out, "acquisition.parquet")[0]


def test_a_unique_scanner_is_not_released(tmp_path, key):
    rows = patients()
    odd = rows[0]["series"]
    out = protect(
        tmp_path, key, rows, change=lambda row: row | ({"model": "Prototype 7"} if row["series"] == odd else {})
    )
    assert "Prototype 7" not in str(read(out, "acquisition.parquet")) + (out / "measures.json").read_text()
    assert measures(out)["holds"]


def test_agreement_of_engines_is_counted_over_released_patients_only(tmp_path, key):
    rows = [{**row, "sex": "O"} if row["subject"].endswith("f") else row for row in patients()]
    out = protect(tmp_path, key, rows, k=5)
    kept = {row["subject"] for row in tables.read_rows(out / "subjects.parquet") if row["status"] == "released"}
    assert 0 < len(kept) < 60
    (row,) = tables.read_rows(out / "crosscheck.parquet", tables.PROTECT_CROSSCHECK)
    numbers = [int(one["subject"][2:], 16) for one in rows if one["subject"] in kept]
    assert (row["modality"], row["feature"], row["regions"]) == ("CT", "stat_mean", len(numbers))
    assert row["largest_difference"] == pytest.approx(max(numbers) * 1e-7)
    assert row["within"] == pytest.approx(np.mean(np.array(numbers) <= 10))


def test_an_undeclared_column_of_the_agreement_stays_inside(tmp_path, key):
    out = protect(tmp_path, key, columns=declared_as(tmp_path, one_sided="{role: identifier, reason: kept back}"))
    assert "one_sided" not in read(out, "crosscheck.parquet")[0] and "within" in read(out, "crosscheck.parquet")[0]


def test_failed_regions_are_no_rows(tmp_path, key):
    rows = patients()
    for row in rows[::7]:
        row |= {"status": "failed", "reason": "too_small"}
    out = protect(tmp_path, key, rows)
    assert measures(out)["n_rows"] == sum(row["status"] == "ok" for row in rows)


def test_every_series_that_extract_passed_on_has_one_end(tmp_path, key):
    rows = patients(40)
    rows[0] |= {"sex": "O", "age": 101.0, "site": "H-00000009"}
    caps = declared_as(tmp_path, sex="{role: quasi_identifier, hierarchy: value, most: value, reason: must stay}")
    unmeasured = {
        "series": "S-unmeasured",
        "subject": rows[-1]["subject"],
        "kind": "image",
        "modality": "CT",
        "status": "ok",
        "rois": 0,
    }
    failed = unmeasured | {"series": "S-failed", "status": "failed", "reason": "why"}
    out = protect(tmp_path, key, rows, columns=caps, extra=[unmeasured, failed])
    ends = {row["series"]: row for row in read(out, "series.parquet")}
    assert ends.keys() == {row[name] for row in rows for name in ("series", "contour")} | {"S-unmeasured"}
    assert (ends["S-unmeasured"]["status"], ends["S-unmeasured"]["reason"]) == ("excluded", "no_row")
    assert (ends[rows[0]["series"]]["status"], ends[rows[0]["series"]]["reason"]) == ("excluded", "suppressed")
    assert (
        measures(out)["suppressed_subjects"]
        == sum(row["status"] == "suppressed" for row in read(out, "subjects.parquet"))
        > 0
    )
    released = Counter(row["series"] for row in read(out, "features.parquet"))
    for end in ends.values():
        assert (end["code"] is not None) == (end["status"] == "ok") == (end["rows"] > 0)
        if end["kind"] == "image":
            assert released[end["code"]] == end["rows"]


def test_more_k_than_patients_is_measured_and_releases_nobody(tmp_path, key):
    out = protect(tmp_path, key, patients(4), k=5)
    found = measures(out)
    assert not found["holds"]
    assert found["unmet"] == ["suppression", "nobody_left"]
    assert (found["after"]["k"], found["reachable"]["k"]) == (0, 4)
    assert read(out, "features.parquet") == [] and read(out, "acquisition.parquet") == []
    assert {row["reason"] for row in read(out, "series.parquet")} == {"suppressed"}


def test_groups_of_more_than_there_are_release_nobody(tmp_path, key):
    chunks = write_chunks(tmp_path / "extract", patients(4), key)
    for chunk in chunks:
        tables.write_rows(chunk / "provenance.parquet", tables.EXTRACT_PROVENANCE, [])
        write_seal(chunk, [*check_seal(chunk, key), "provenance.parquet"], key)
    run(Protect(k=2, microaggregation=5), chunks, tmp_path / "out", key, COLUMNS)
    found = measures(tmp_path / "out")
    assert found["unmet"] == ["suppression", "nobody_left"] and found["features"]["suppressed_subjects"] == 4
    assert read(tmp_path / "out", "features.parquet") == []


def test_a_budget_that_does_not_suffice_does_not_hold(tmp_path, key):
    caps = declared_as(tmp_path, age="{role: quasi_identifier, hierarchy: age, most: 1 year, reason: must stay}")
    out = protect(tmp_path, key, columns=caps, k=5, suppression=0.1)
    found = measures(out)
    assert not found["holds"] and "suppression" in found["unmet"]
    assert found["after"]["k"] in (0, *range(5, 60))  # what is left is safe all the same


def test_nothing_at_all(tmp_path, key):
    out = tmp_path / "protect"
    run(Protect(), [], out, key, COLUMNS)
    assert measures(out)["unmet"] == ["nobody_left"] and not measures(out)["holds"]
    assert read(out, "features.parquet") == [] and read(out, "series.parquet") == []


def test_internal_use_keeps_levels_but_pools_ages(tmp_path, key):
    rows = patients(12)
    rows[0]["age"] = 90.0
    out = protect(tmp_path, key, rows, k=1)
    found, released = measures(out), read(out, "features.parquet")
    assert found["holds"] and found["suppressed_subjects"] == 0
    assert found["levels"]["age"] == "1 year" and found["levels"]["study_date"] == "year"
    assert "90+" in {row["age"] for row in released}
    assert all(len(row["study_date"]) == 4 for row in released)


def test_l_and_t(tmp_path, key):
    sensitive = declared_as(tmp_path, roi_label="{role: sensitive, reason: tells the diagnosis}")
    rows = patients(80, seed=3)
    for row in rows:
        row["roi_label"] = "GTV" if int(row["subject"][2:], 16) % 5 else "node"
    out = protect(tmp_path, key, rows, columns=sensitive, l=2, t=0.3)
    found = measures(out)
    assert found["holds"] and found["sensitive"] == ["roi_label"]
    assert found["after"]["l"] >= 2 and found["after"]["t"] <= 0.3


def test_l_without_a_sensitive_column_is_refused(tmp_path, key):
    with pytest.raises(CurationError, match="no column is sensitive"):
        protect(tmp_path, key, l=2)


def test_a_quasi_identifier_that_is_absent_is_refused(tmp_path, key):
    absent = declared_as(tmp_path, postcode="{role: quasi_identifier, hierarchy: value, reason: because}")
    with pytest.raises(CurationError, match="postcode is declared and absent"):
        protect(tmp_path, key, columns=absent)


def test_a_column_without_any_value(tmp_path, key):
    rows = [row | {"sex": None, "age": None} for row in patients()]
    found = measures(protect(tmp_path, key, rows))
    assert found["holds"] and found["levels"]["sex"] == "value" and found["utility_loss"]["sex"] == 0


def test_an_edited_chunk_is_refused(tmp_path, key):
    chunks = write_chunks(tmp_path / "extract", patients(), key)
    tables.write(chunks[0] / "features.parquet", tables.read(chunks[0] / "features.parquet").slice(1))
    with pytest.raises(CurationError, match="was changed after it was written"):
        run(Protect(), chunks, tmp_path / "out", key, COLUMNS)


def test_a_series_twice_in_acquisition_is_refused(tmp_path, key):
    rows = patients(10)
    with pytest.raises(CurationError, match="more than once"):
        protect(tmp_path, key, rows, twice=True)


def test_chunks_and_order_change_no_byte(tmp_path, key):
    one = protect(tmp_path, key, name="one")
    two = protect(tmp_path, key, patients()[::-1], name="two", n_chunks=1)
    names = [
        "features.parquet",
        "acquisition.parquet",
        "subjects.parquet",
        "series.parquet",
        "groups.parquet",
        "measures.json",
        "at_risk.parquet",
        "distortion.parquet",
        "utility_privacy.json",
        "ways.parquet",
    ]
    assert [name for name in names if (one / name).read_bytes() != (two / name).read_bytes()] == []


def test_the_row_order_tells_nothing(tmp_path, key):
    codes = [(row["subject"], row["series"], row["roi"]) for row in read(protect(tmp_path, key), "features.parquet")]
    assert codes == sorted(codes)


def test_the_log_is_one_line_without_codes(tmp_path, key, caplog):
    caplog.set_level("INFO", logger="radcurate")
    protect(tmp_path, key)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("protect: 60 patients") and line.endswith("1 undeclared columns dropped, such as mystery")
    assert "P-" not in line


def test_a_real_cohort(tmp_path, key, real_data):
    """206 patients with lung tumours, CT features and demographics (Orlhac et al.; generalized_combat)."""
    folder = real_data / "generalized_combat" / "Example"
    with (folder / "clinical-demographics.csv").open(newline="", encoding="utf-8-sig") as stream:
        people = {row[""]: row for row in csv.DictReader(stream)}
    with (folder / "Sandy-Captk.csv").open(newline="", encoding="utf-8-sig") as stream:
        features = [row for row in csv.DictReader(stream) if row["SubjectID"] in people]
    rows = [as_row(number, row, people[row["SubjectID"]]) for number, row in enumerate(features)]
    out = protect(tmp_path, key, rows, k=5)
    found = measures(out)
    assert found["n_subjects"] == len(rows) > 200
    assert found["before"]["unique_share"] > 0.1
    assert found["holds"] and found["after"]["k"] >= 5 and found["after"]["unique_share"] == 0
    assert found["ncp"] < 0.7
    strict = measures(protect(tmp_path, key, rows, name="b", k=11))
    assert strict["holds"] and strict["after"]["k"] >= 11 and strict["ncp"] >= found["ncp"]


def as_row(number: int, features: dict, person: dict) -> dict:
    def value(name: str) -> float | None:
        return None if person[name] in ("", "nan") else float(person[name])

    plain = {
        f"stat_{name}": float(text or "nan") for name, text in features.items() if name.startswith("T1_ED_Intensity")
    }
    return patients(1)[0] | {
        "roi": f"R-{number:016x}",
        "series": f"S-{number:016x}",
        "contour": f"S-c{number:015x}",
        "subject": f"P-{number:016x}",
        "site": f"H-{features['SubjectID'][:3]}",
        "sex": {0.0: "F", 1.0: "M", None: None}[value("sex")],
        "age": value("age"),
        "study_date": None,
        **plain,
    }

"""What others do with a release: read its tables with their tools, validate its descriptions, offline."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import socket
import subprocess

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finished_run import FEATURES, make_run
from radcurate import tables
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.release import check, signing
from radcurate.release.dictionary import NON_IBSI

KEY = Key(bytes(range(32)))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("readers"), KEY)
    run.gate()
    return run


@pytest.fixture(scope="module")
def released(run):
    return run.release()


@pytest.fixture
def offline(monkeypatch):
    """No way out of this machine."""

    def refuse(*_args, **_more):
        raise OSError("a test wanted the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def expected(released):
    return pq.read_table(released / "features.parquet")


def test_polars_reads_what_pyarrow_reads(released):
    polars = pytest.importorskip("polars")
    content, known = polars.read_parquet(released / "features.parquet"), expected(released)
    assert content.columns == known.column_names and content.height == known.num_rows
    for name in known.column_names:
        assert content[name].to_list() == known[name].to_pylist(), name


def test_duckdb_reads_what_pyarrow_reads(released):
    duckdb = pytest.importorskip("duckdb")
    rows = duckdb.connect().execute("select * from read_parquet(?)", [str(released / "features.parquet")]).fetchall()
    assert rows == [tuple(row.values()) for row in expected(released).to_pylist()]
    joined = "select count(*) from read_parquet(?) f join read_parquet(?) a using (series)"
    files = [str(released / f"{name}.parquet") for name in ("features", "acquisition")]
    assert duckdb.connect().execute(joined, files).fetchone() == (22,)


def test_pandas_reads_what_pyarrow_reads(released):
    content, known = pd.read_parquet(released / "features.parquet"), expected(released)
    assert list(content.columns) == known.column_names
    for name in known.column_names:
        assert content[name].where(content[name].notna(), None).tolist() == known[name].to_pylist(), name


def test_r_reads_what_pyarrow_reads(released):
    program = "suppressMessages(library(arrow)); x <- read_parquet(commandArgs(TRUE)[1]); cat(nrow(x), ncol(x), sum(x[[commandArgs(TRUE)[2]]]))"
    has = (
        shutil.which("Rscript")
        and not subprocess.run(["Rscript", "-e", "library(arrow)"], capture_output=True).returncode
    )
    if not has:
        pytest.skip("no R with the package arrow here: Debian has none")
    command = ["Rscript", "-e", program, str(released / "features.parquet"), FEATURES[0]]
    rows, columns, total = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    known = expected(released)
    assert (int(rows), int(columns)) == (known.num_rows, known.num_columns)
    assert math.isclose(float(total), sum(known[FEATURES[0]].to_pylist()), rel_tol=1e-5)


def test_the_order_and_types_of_columns_are_frozen(released):
    """A reader's program must not break because a column has another type now."""
    schema = pq.read_schema(released / "features.parquet")
    told = {field.name: str(field.type) for field in schema if field.name not in FEATURES}
    assert told == dict.fromkeys(
        [
            "roi",
            "series",
            "contour",
            "subject",
            "roi_label",
            "modality",
            "site",
            "sex",
            "age",
            "study_date",
            "provenance",
        ],
        "string",
    )
    assert {str(schema.field(name).type) for name in FEATURES} == {"double"}


def test_columns_of_features_tell_range_and_what_was_done(released):
    schema, content = pq.read_schema(released / "features.parquet"), expected(released)
    for name in FEATURES:
        told = {key.decode(): value.decode() for key, value in schema.field(name).metadata.items()}
        values = content[name].to_numpy()
        assert float(told["radcurate.minimum"]) == values.min() and float(told["radcurate.maximum"]) == values.max()
        assert told["radcurate.microaggregated"] == told["radcurate.noise"] == "0"
        assert told["radcurate.harmonised"] == "none" and "radcurate.icc" not in told
    assert b"radcurate.minimum" not in schema.field("subject").metadata
    lines = pd.read_csv(released / "dictionary.csv", keep_default_na=False)
    assert {"minimum", "maximum", "icc", "microaggregated", "noise", "harmonised"} <= set(lines.columns)


# descriptions


def test_prov_is_valid(released, offline):
    prov = pytest.importorskip("prov.model")
    text = (released / "prov.json").read_text()
    document = prov.ProvDocument.deserialize(content=text, format="json")
    assert document == prov.ProvDocument.deserialize(content=document.serialize(format="json"), format="json")
    kinds = [type(record).__name__ for record in document.get_records()]
    assert {"ProvEntity", "ProvActivity", "ProvAgent", "ProvGeneration", "ProvUsage", "ProvDerivation"} <= set(kinds)


def test_prov_leads_from_each_table_to_the_source_files(released):
    content = json.loads((released / "prov.json").read_text())
    made = {one["prov:entity"]: one["prov:activity"] for one in content["wasGeneratedBy"].values()}
    used = {}
    for one in content["used"].values():
        used.setdefault(one["prov:activity"], []).append(one["prov:entity"])
    for path in released.glob("*.parquet"):
        entity = f"rel:{path.name}"
        assert content["entity"][entity]["rc:sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        steps = []
        while entity != "rc:results-inputs":
            steps.append(made[entity])
            entity = next(one for one in used[made[entity]] if one.startswith("rc:results"))
        assert steps[0] == "rc:release" and "rc:extract" in steps and "rc:deidentify" in steps
    assert all(one in content["entity"] for one in [*made, *(e for found in used.values() for e in found)])
    assert all(one in content["activity"] for one in [*made.values(), *used])


def test_croissant_is_valid_and_loads_the_rows(released, offline):
    mlc = pytest.importorskip("mlcroissant")
    described = mlc.Dataset(jsonld=str(released / "croissant.json"))
    assert not described.metadata.ctx.issues.errors
    assert {one.id for one in described.metadata.record_sets} == {path.stem for path in released.glob("*.parquet")}
    rows = list(described.records("features"))
    known = expected(released).to_pylist()
    assert len(rows) == len(known)
    assert [row[f"features/{FEATURES[0]}"] for row in rows] == [row[FEATURES[0]] for row in known]
    assert [row["features/subject"].decode() for row in rows] == [row["subject"] for row in known]


def test_a_croissant_that_names_no_file_is_refused(released, tmp_path, offline):
    mlc = pytest.importorskip("mlcroissant")
    folder = shutil.copytree(released, tmp_path / "copy")
    content = json.loads((folder / "croissant.json").read_text())
    content["recordSet"][0]["field"][0]["source"]["fileObject"]["@id"] = "nowhere.parquet"
    (folder / "croissant.json").write_text(json.dumps(content))
    with pytest.raises(mlc.ValidationError):
        mlc.Dataset(jsonld=str(folder / "croissant.json"))


def test_croissant_describes_every_column(released):
    content = json.loads((released / "croissant.json").read_text())
    for records in content["recordSet"]:
        schema = pq.read_schema(released / f"{records['name']}.parquet")
        assert [field["name"] for field in records["field"]] == schema.names
        assert all(field["description"] for field in records["field"])


def test_the_crate_can_be_read(released, offline):
    rocrate = pytest.importorskip("rocrate.rocrate")
    crate = rocrate.ROCrate(str(released))
    named = {one.id for one in crate.data_entities}
    left_out = {check.SUMS, check.ATTESTATION, check.PUBLIC_KEY, "ro-crate-metadata.json"}
    assert named == {path.relative_to(released).as_posix() for path in released.rglob("*") if path.is_file()} - left_out
    assert crate.root_dataset["name"] == "radiomics 1" and crate.root_dataset["license"]
    assert next(one for one in crate.contextual_entities if one.type == "SoftwareApplication")["version"]


# a code of the run never goes out


def test_a_code_of_the_run_anywhere_refuses(run, tmp_path):
    """Planted in a paper that is released as it is: nothing goes out."""
    copy = run.copy(tmp_path)
    inside = tables.read_rows(copy.results / "protect" / "subjects.parquet")[0]["subject"]
    path = copy.results / "gate" / "safe_harbor.json"
    path.write_text(json.dumps({"note": f"see {inside}"}))
    copy.reseal("gate")
    with pytest.raises(CurationError, match=r"code of the run") as refused:
        copy.release()
    assert "safe_harbor.json" in str(refused.value) and inside not in str(refused.value)
    assert not list((copy.results / "release").iterdir())


def test_the_verdict_of_the_release_is_the_gates(run, released):
    inside = json.loads((run.results / "gate" / "verdict.json").read_text())
    told = json.loads((released / "verdict.json").read_text())
    assert [one["measured"] for one in told["findings"]] == [one["measured"] for one in inside["findings"]]
    assert told["digests"] == inside["digests"] and told["protection"]["after"] == inside["protection"]["after"]
    assert not any("help" in one for one in told["findings"])


def test_terms_are_the_gates_and_named_in_every_table(run, released):
    text = (run.results / "gate" / "terms.md").read_bytes()
    assert (released / "TERMS.md").read_bytes() == text
    for path in released.glob("*.parquet"):
        assert pq.read_schema(path).metadata[b"radcurate.terms"].decode() == hashlib.sha256(text).hexdigest()


def test_a_file_that_is_closed_to_the_recipients_refuses(run, tmp_path):
    copy = run.copy(tmp_path)
    path = copy.results / "gate" / "verdict.json"
    verdict = json.loads(path.read_text())
    verdict["access"]["artefacts"] = [
        {**one, "tier": "custodian"} if one["pattern"] == "release/risk.json" else one
        for one in verdict["access"]["artefacts"]
    ]
    path.write_text(json.dumps(verdict))
    copy.reseal("gate")
    with pytest.raises(CurationError, match=r"closed to the recipients"):
        copy.release()
    assert not list((copy.results / "release").iterdir())


# the signature over a whole release


@pytest.fixture(scope="module")
def small(released, tmp_path_factory):
    return shutil.copytree(released, tmp_path_factory.mktemp("signed") / released.name)


def test_a_change_of_one_byte_in_any_file_of_a_release_is_found(small):
    public = signing.signing_key(KEY).public_key()
    assert check.check_signed(small, public).problems == []
    chance = np.random.default_rng(6)
    for path in [path for path in sorted(small.rglob("*")) if path.is_file()]:
        before = path.read_bytes()
        path.chmod(0o644)
        for place in chance.integers(0, len(before), 5):
            path.write_bytes(
                before[:place] + bytes([before[place] ^ int(chance.integers(1, 256))]) + before[place + 1 :]
            )
            assert check.check_signed(small, public).problems, path.name
        path.unlink()
        assert check.check_signed(small, public).problems, path.name
        path.write_bytes(before)
    assert check.check_signed(small, public).problems == []


def test_codes_stand_in_every_feature(released):
    schema = pq.read_schema(released / "features.parquet")
    codes = {name: schema.field(name).metadata[b"radcurate.ibsi"].decode() for name in FEATURES}
    assert all(len(code) >= 4 for code in codes.values()) and NON_IBSI not in codes.values()
    assert pa.types.is_floating(schema.field(FEATURES[0]).type)

"""A release whose features are means says so wherever a recipient looks, and leads to no scan."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from finished_run import make_run


@pytest.mark.slow
def test_averaged_features_are_told_and_lead_to_no_scan(tmp_path, key):
    run = make_run(tmp_path, key)
    run.protect(k=5, microaggregation=5, noise=0.1)
    assert run.gate()["holds"]
    release = run.release()
    schema = pq.read_schema(release / "features.parquet")
    told = schema.field(schema.names[-1]).metadata
    assert (told[b"radcurate.microaggregated"], told[b"radcurate.noise"]) == (b"5", b"0.1")
    records = pq.read_table(release / "provenance.parquet").to_pylist()
    assert {row["image_digest"] for row in records} == {"withheld"}
    assert pq.read_table(release / "distortion.parquet").num_rows
    assert not (release / "ranges.parquet").exists()
    assert "means of at least 5 patients" in (release / "DATA_CARD.md").read_text()
    assert json.loads((release / "provenance.json").read_text())

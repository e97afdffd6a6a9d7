"""Microaggregation and noise through protect, counted in the files themselves."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from test_protect import COLUMNS, declared_as, measures, patients, read, write_chunks
from test_protect_ranges import FEATURES, range_rows

from finished_run import provenance_record
from radcurate import tables
from radcurate.errors import CurationError
from radcurate.features.provenance import lacking
from radcurate.keys import Key
from radcurate.seals import check_seal, write_seal
from radcurate.settings import Protect
from radcurate.stages.protect import run


def record(row: dict) -> dict:
    """A provenance record of its own for each region, as extract makes them."""
    named = hashlib.sha256(row["roi"].encode()).hexdigest()
    made = provenance_record(0) | {"provenance": named, "image_digest": named[::-1], "mask_digest": named[5:]}
    return made | {"normalisation": "zscore", "normalisation_mean": float(int(named[:4], 16))}


def protected(tmp_path: Path, key: Key, rows: list[dict], columns: Path = COLUMNS, **options) -> Path:
    """Chunks with ranges and provenance, through protect."""
    rows = [row | {"provenance": record(row)["provenance"]} for row in rows]
    name = "-".join(f"{word}{value}" for word, value in options.items()) + key.key_id
    chunks = write_chunks(tmp_path / name / "extract", rows, key)
    every = {row["roi"]: row for row in range_rows(rows)}
    for chunk in chunks:
        mine = tables.read_rows(chunk / "features.parquet")
        tables.write_rows(chunk / "ranges.parquet", tables.with_ranges(FEATURES), [every[row["roi"]] for row in mine])
        tables.write_rows(chunk / "provenance.parquet", tables.EXTRACT_PROVENANCE, [record(row) for row in mine])
        write_seal(chunk, [*check_seal(chunk, key), "ranges.parquet", "provenance.parquet"], key)
    out = tmp_path / name / "protect"
    run(Protect(**options), chunks, out, key, columns)
    return out


def crowd(out: Path) -> int:
    """Least number of released patients who show the same set of (modality, label, vector)."""
    shown = defaultdict(set)
    for row in read(out, "features.parquet"):
        vector = tuple("-" if math.isnan(row[name]) else repr(row[name]) for name in ("stat_mean", "morph_volume"))
        shown[row["subject"]].add((row["modality"], row["roi_label"], *vector))
    return min(Counter(frozenset(seen) for seen in shown.values()).values(), default=0)


def mixed(n: int = 60, seed: int = 1) -> list[dict]:
    """Patients with other sets of regions: a third have a node too, one a label that nobody else has."""
    rows = patients(n, seed)
    for row in rows:
        if row["roi"].endswith("0001") and int(row["subject"][2:], 16) % 3 == 0:
            row["roi_label"] = "node"
    own = [row for row in rows if row["subject"] == rows[0]["subject"]]
    own[-1]["roi_label"] = "spleen"
    return rows


@pytest.mark.parametrize("k", [2, 5, 11])
def test_no_vector_leads_to_fewer_patients_than_asked_for(tmp_path, key, k):
    plain = protected(tmp_path, key, mixed(), k=5)
    out = protected(tmp_path, key, mixed(), k=5, microaggregation=k)
    assert crowd(plain) == 1
    assert crowd(out) >= k
    found = measures(out)
    assert found["holds"] and found["after"]["k"] >= 5
    assert found["features"]["k"] == k and found["features"]["smallest_group"] >= k
    assert found["features"]["suppressed_regions"] >= 1  # the label that one patient has
    assert "spleen" not in {row["roi_label"] for row in read(out, "features.parquet")}
    assert found["features"]["changed"] and not measures(plain)["features"]["changed"]


def test_counts_of_what_was_given_up_agree(tmp_path, key):
    out = protected(tmp_path, key, mixed(), k=5, microaggregation=5)
    found, rows = measures(out), read(out, "features.parquet")
    assert found["released_rows"] == len(rows) == found["n_rows"] - found["suppressed_rows"]
    assert found["released_subjects"] == len({row["subject"] for row in rows})
    images = [row for row in read(out, "series.parquet") if row["kind"] == "image"]
    assert sum(row["rows"] for row in images) == len(rows)
    assert {row["reason"] for row in images if row["status"] == "excluded"} <= {"suppressed", "rare_region"}


def test_a_series_without_a_shareable_region_says_so(tmp_path, key):
    rows = patients()
    lonely = next(row for row in rows if sum(other["subject"] == row["subject"] for other in rows) > 1)
    for row in rows:
        if row["series"] == lonely["series"]:
            row["roi_label"] = "spleen"
    if all(row["roi_label"] == "spleen" for row in rows if row["subject"] == lonely["subject"]):
        rows.append(lonely | {"roi": "R-abcdef", "series": "S-abcdef", "roi_label": "GTV"})
    out = protected(tmp_path, key, rows, k=2, microaggregation=5)
    end = {row["series"]: row for row in read(out, "series.parquet")}[lonely["series"]]
    assert (end["status"], end["reason"], end["rows"]) == ("excluded", "rare_region", 0)


def test_ranges_do_not_undo_it(tmp_path, key):
    out = protected(tmp_path, key, patients(), microaggregation=5)
    assert read(out, "ranges.parquet") == []
    assert {row["feature"] for row in read(out, "stability.parquet")} == {"stat_mean", "morph_volume"}
    assert read(protected(tmp_path, key, patients()), "ranges.parquet")


def test_provenance_does_not_undo_it(tmp_path, key):
    rows = patients()
    out = protected(tmp_path, key, rows, microaggregation=5)
    told = read(out, "provenance.parquet")
    assert {row["provenance"] for row in read(out, "features.parquet")} == {row["provenance"] for row in told}
    assert len(told) == 1 and lacking(told[0]) == []
    own = [record(row) for row in rows]
    secret = {row[name] for row in own for name in ("provenance", "image_digest", "mask_digest", "normalisation_mean")}
    assert not [value for value in told[0].values() if isinstance(value, str | float) and value in secret]
    assert read(protected(tmp_path, key, rows), "provenance.parquet") == []


def test_nothing_asked_for_changes_no_bit(tmp_path, key):
    rows = patients()
    out = protected(tmp_path, key, rows)
    wanted = {key.release_code("R", row["roi"]): row["stat_mean"] for row in rows}
    assert all(row["stat_mean"] == wanted[row["roi"]] for row in read(out, "features.parquet"))
    told = read(out, "distortion.parquet")
    assert [(row["feature"], row["distortion"], row["loss"]) for row in told] == [
        ("morph_volume", None, None),  # constant
        ("stat_mean", 0.0, 0.0),
    ]
    assert measures(out)["utility"] == {"distortion": {"mean": 0.0, "largest": 0.0}}


def test_what_it_cost_is_told(tmp_path, key):
    rows = patients()
    out = protected(tmp_path, key, rows, microaggregation=11)
    (told,) = [row for row in read(out, "distortion.parquet") if row["feature"] == "stat_mean"]
    wanted = {key.release_code("R", row["roi"]): row["stat_mean"] for row in rows}
    pairs = np.array([(wanted[row["roi"]], row["stat_mean"]) for row in read(out, "features.parquet")])
    scale = pairs[:, 0].std()
    assert told["scale"] == pytest.approx(scale, rel=0.005)
    assert told["distortion"] == pytest.approx(np.abs(pairs[:, 1] - pairs[:, 0]).mean() / scale, rel=0.005)
    assert told["loss"] == pytest.approx(((pairs[:, 1] - pairs[:, 0]) ** 2).sum() / (scale**2 * len(pairs)), rel=0.005)
    assert told["correlation"] == pytest.approx(np.corrcoef(pairs.T)[0, 1], rel=0.005)
    assert all(told[word] == float(f"{told[word]:.3g}") for word in ("scale", "distortion", "loss", "correlation"))
    assert {row["distortion"] > 0 for row in read(out, "groups.parquet") if row["distortion"] is not None} == {True}


def test_numbers_about_few_patients_are_not_told(tmp_path, key):
    rows = patients()
    for row in rows:
        if int(row["subject"][2:], 16) < 4:
            row["modality"] = "MR"
    told = read(protected(tmp_path, key, rows, k=5), "distortion.parquet")
    few = [row for row in told if row["modality"] == "MR"]
    assert few and all(row["scale"] is None and row["distortion"] is None for row in few)


def test_suppressed_patients_take_no_group_below_its_size(tmp_path, key):
    """Five patients have a node; one of them is alone with her sex and must go: the others give up theirs."""
    rows = patients(40)
    caps = declared_as(tmp_path, sex="{role: quasi_identifier, hierarchy: value, most: value, reason: must stay}")
    names = list(dict.fromkeys(row["subject"] for row in rows))
    rows = [row for row in rows if row["roi"].endswith("00000000")]
    rows += [row | {"roi": row["roi"] + "n", "roi_label": "node"} for row in rows if row["subject"] in names[:5]]
    assert crowd_of_nodes(protected(tmp_path, key, rows, caps, k=2, microaggregation=5)) == 5
    for row in rows:
        row["sex"] = "O" if row["subject"] == names[0] else row["sex"]
    out = protected(tmp_path, key, rows, caps, k=3, microaggregation=5)
    assert crowd_of_nodes(out) == 0 and crowd(out) >= 5
    assert names[0] in {row["subject"] for row in read(out, "subjects.parquet") if row["status"] == "suppressed"}


def crowd_of_nodes(out: Path) -> int:
    return len({row["subject"] for row in read(out, "features.parquet") if row["roi_label"] == "node"})


def test_noise_is_recorded_keyed_and_repeatable(tmp_path, key):
    rows = patients()
    out = protected(tmp_path, key, rows, noise=0.5)
    again = protected(tmp_path / "again", key, rows[::-1], noise=0.5)
    other = protected(tmp_path, Key(bytes(32)), rows, noise=0.5)
    assert measures(out)["features"]["noise"] == 0.5
    assert (out / "features.parquet").read_bytes() == (again / "features.parquet").read_bytes()
    wanted = {row["roi"]: row["stat_mean"] for row in rows}
    added = {}
    for name, folder, by in (("out", out, key), ("other", other, Key(bytes(32)))):
        codes = {by.release_code("R", roi): roi for roi in wanted}
        found = {codes[row["roi"]]: row["stat_mean"] for row in read(folder, "features.parquet")}
        added[name] = {roi: value - wanted[roi] for roi, value in found.items()}
    both = sorted(added["out"].keys() & added["other"].keys())
    noise = np.array([[added[name][roi] for roi in both] for name in ("out", "other")])
    assert np.abs(np.corrcoef(noise)[0, 1]) < 0.4
    assert noise[0].std() == pytest.approx(0.5 * np.std(list(wanted.values())), rel=0.3)
    assert read(out, "ranges.parquet") == []


def test_noise_keeps_vectors_shared(tmp_path, key):
    assert crowd(protected(tmp_path, key, mixed(), microaggregation=5, noise=0.2)) >= 5


def test_a_column_of_comparable_that_is_absent(tmp_path, key):
    with pytest.raises(CurationError, match="sequence is declared and absent"):
        protected(tmp_path, key, patients(), microaggregation=5, comparable=("sequence",))


def test_a_feature_that_is_text(tmp_path, key):
    texts = declared_as(tmp_path, mystery="{role: feature, reason: a text by mistake}")
    with pytest.raises(CurationError, match="feature mystery is no number"):
        protected(tmp_path, key, [row | {"mystery": "x"} for row in patients()], texts, microaggregation=5)


def test_regions_of_other_labels_are_not_mixed(tmp_path, key):
    rows = patients()
    for row in rows:
        if row["roi"].endswith("0001"):
            row |= {"roi_label": "node", "stat_mean": row["stat_mean"] + 1000}
    out = protected(tmp_path, key, rows, microaggregation=3)
    for row in read(out, "features.parquet"):
        assert (row["stat_mean"] > 900) == (row["roi_label"] == "node")


def test_the_document_is_plain(tmp_path, key):
    out = protected(tmp_path, key, mixed(), microaggregation=5)
    assert "NaN" not in json.dumps(measures(out))

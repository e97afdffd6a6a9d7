"""Reporting checklists for a release: what of each the run's artefacts answer, what people said, and what is missing.

CLEAR: Kocak et al., Insights Imaging 14:75 (2023), 58 items. METRICS: Kocak et al., Insights Imaging 15:8 (2024), 30
items. IBSI: Zwanenburg et al., Image biomarker standardisation initiative, reference manual, reporting guidelines, items 1
to 76. checklists.csv has the numbers with words of our own and where the answer is found. Nothing is guessed: an item
that only people can answer, and nobody did, is missing. No score is computed, since most of it is about a study.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from radcurate.errors import CurationError
from radcurate.release.dictionary import FEATURE, NON_IBSI, Column, Treatment
from radcurate.tables.stored import Large

REPORTED, ANSWERED, MISSING, NOT_APPLICABLE = "reported", "answered by people", "missing", "does not apply"
TITLES = {
    "clear": "CLEAR (Kocak et al. 2023)",
    "metrics": "METRICS (Kocak et al. 2024)",
    "ibsi": "IBSI reporting guidelines (Zwanenburg et al.)",
}
MOST = 5  # different values of a parameter that are told one by one
FIXED = {  # what radcurate's own engine does, as IBSI's reference configurations ask for
    "63": "no weighting of distances",
    "64": "symmetric",
    "65": "Chebyshev distance 1",
    "66": "Chebyshev distance 1",
    "67": "Chebyshev distance 1",
    "68": "Manhattan distance",
    "69": "Chebyshev distance 1",
    "70": "Chebyshev distance 1",
    "71": "0",
}
Json = Mapping[str, Any]
Answer = tuple[str, str]  # words, artefact


@dataclass(frozen=True)
class Known:
    """What the answers are taken from.

    Attributes:
        verdict: verdict.json.
        tables: the tables of the release, by name.
        columns: lines of the dictionary.
        sources: where the images come from, as the configuration says.
        images: series whose images are in the release.
        treatment: what was done to feature values after they were measured.
        study: checklist -> item -> what people said.
    """

    verdict: Json
    tables: Mapping[str, Large]
    columns: Sequence[Column]
    sources: Sequence[str]
    images: int
    treatment: Treatment
    study: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Item:
    """A line of a filled checklist."""

    checklist: str
    item: str
    modality: str
    words: str
    state: str
    answer: str
    artefact: str


def filled(known: Known) -> list[Item]:
    """All items of all checklists, in order."""
    return [_item(row, known) for row in _rows()]


def as_csv(items: Sequence[Item], checklist: str) -> str:
    """One checklist as CSV."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([field.name for field in fields(Item)])
    writer.writerows(
        [getattr(one, field.name) for field in fields(Item)] for one in items if one.checklist == checklist
    )
    return stream.getvalue()


def overview(items: Sequence[Item]) -> str:
    """checklists/README.md: how many items are answered, and the numbers of those that are missing."""
    lines = ["# Reporting checklists", ""]
    lines += [
        "Filled from the artefacts of the run and, where there are any, from answers of people (`release.study`)."
    ]
    lines += ["Words are our own and short; read the items where they were published. No score is computed.", ""]
    lines += [
        "| checklist | items | reported | answered by people | do not apply | missing |",
        "|---|---|---|---|---|---|",
    ]
    for name, title in TITLES.items():
        own = Counter(one.state for one in items if one.checklist == name)
        counts = [own[state] for state in (REPORTED, ANSWERED, NOT_APPLICABLE, MISSING)]
        lines.append(f"| [{title}]({name}.csv) | {own.total()} | " + " | ".join(map(str, counts)) + " |")
    for name, title in TITLES.items():
        missing = [one for one in items if one.checklist == name and one.state == MISSING]
        lines += ["", f"## Missing in {title}", "", *(f"- {one.item}: {one.words}" for one in missing)]
    return "\n".join(lines) + "\n"


def study_answers(content: Any) -> dict[str, dict[str, str]]:
    """Answers of people, checked: checklist -> item -> words.

    Raises:
        CurationError: an unknown checklist or item, or an answer that is no text.
    """
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise _wrong("a mapping of checklists", "something else", "")
    known: dict[str, list[str]] = {name: [] for name in TITLES}
    for row in _rows():
        known[row["checklist"]].append(row["item"])
    return {_near(str(name), list(known)): _answers(str(name), own, known) for name, own in content.items()}


def _answers(name: str, content: Any, known: Mapping[str, list[str]]) -> dict[str, str]:
    _near(name, list(known))
    if not isinstance(content, Mapping):
        raise _wrong("numbers of items with answers", f"something else at {name}", "")
    for item, answer in content.items():
        _near(str(item), known[name])
        if not isinstance(answer, str) or not answer.strip():
            raise _wrong("an answer in words", f"none at {name} {item}", "")
    return {str(item): " ".join(answer.split()) for item, answer in content.items()}


def _near(name: str, known: Sequence[str]) -> str:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise _wrong("one of " + ", ".join(known), name[:40], f"; did you mean {near[0]}?" if near else "")
    return name


def _wrong(wanted: str, found: str, hint: str) -> CurationError:
    fix = "mend the file that release.study names; config/governance/study.example.yaml shows how"
    return CurationError("the answers about the study can't be used", wanted=wanted, found=found, fix=fix + hint)


def _rows() -> list[dict[str, str]]:
    text = files("radcurate.release").joinpath("checklists.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def _item(row: Mapping[str, str], known: Known) -> Item:
    said = known.study.get(row["checklist"], {}).get(row["item"], "")
    plain = (row["checklist"], row["item"], row["modality"], row["words"])
    if row["modality"] and row["modality"] not in _modalities(known):
        return Item(*plain, NOT_APPLICABLE, f"no {row['modality']} in the release", "features.parquet")
    if row["found"] == "handcrafted":
        return Item(*plain, NOT_APPLICABLE, "features by formula, no deep learning", "dictionary.csv")
    answer = _find(row["found"], row["modality"], known) if row["found"] else None
    if answer is not None:
        return Item(*plain, REPORTED, "; ".join(filter(None, (answer[0], said))), answer[1])
    return Item(*plain, ANSWERED, said, "") if said else Item(*plain, MISSING, "", "")


def _find(found: str, modality: str, known: Known) -> Answer | None:
    kind, _, what = found.partition(":")
    return PROBES[kind](what, modality, known)


# where answers are found: (what, modality, known) -> answer


def _column(what: str, modality: str, known: Known) -> Answer | None:
    """Columns of acquisition.parquet: for how many series each has a value."""
    content = known.tables["acquisition"]
    if modality and "modality" in content.column_names:
        chosen = pc.fill_null(pc.equal(content["modality"], modality), False).to_numpy()
    else:
        chosen = np.ones(content.num_rows, bool)
    names = [name for name in what.split(",") if name in content.column_names]
    told = [(name, int((_told(content[name]) & chosen).sum())) for name in names]
    told = [(name, count) for name, count in told if count]
    words = ", ".join(f"{name} of {count} of {chosen.sum()} series" for name, count in told)
    return (words, "acquisition.parquet") if told else None


def _told(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Where a column tells something: it isn't null, NaN, an empty text or `*`."""
    if pa.types.is_floating(column.type):
        return np.asarray(pc.fill_null(pc.invert(pc.is_nan(column)), False).to_numpy())
    told = column.is_valid()
    if pa.types.is_string(column.type):
        told = pc.and_(told, pc.invert(pc.is_in(column, value_set=pa.array(["", "*"]))))
    return np.asarray(told.to_numpy())


def _records(what: str, modality: str, known: Known) -> Answer | None:
    """Parameters of extraction, as the records of the released values have them."""
    content = known.tables["provenance"]
    if not content.num_rows:
        return None
    told = [f"{name}: {_different(_values(content, name))}" for name in what.split(",") if name in content.column_names]
    return ("; ".join(told), "provenance.parquet") if told else None


def _profiled(what: str, modality: str, known: Known) -> Answer | None:
    found = []
    for text in set(_values(known.tables["provenance"], "profile")):
        try:
            found.append(json.loads(text)[what])
        except (TypeError, ValueError, KeyError):
            return None
    return (f"{what}: {_different(found)}", "provenance.parquet, profile") if found else None


def _different(values: Sequence[Any]) -> str:
    texts = sorted({"none" if value is None else str(value) for value in values})
    return ", ".join(texts) if len(texts) <= MOST else f"{len(texts)} different, from {texts[0]} to {texts[-1]}"


def _values(content: Large, name: str) -> list[Any]:
    """The different values of a column."""
    if name not in content.column_names:
        return []
    column = content[name]
    if pa.types.is_list(column.type):
        return list({str(value): value for value in column.to_pylist()}.values())
    return list(column.unique().to_pylist())


def _modalities(known: Known) -> set[str]:
    return {str(value) for value in _values(known.tables["features"], "modality")}


def _modality(what: str, modality: str, known: Known) -> Answer | None:
    found = _modalities(known)
    return (", ".join(sorted(found)), "features.parquet") if found else None


def _labels(what: str, modality: str, known: Known) -> Answer | None:
    names = {str(value) for value in _values(known.tables["features"], "roi_label")} - {"None", "*"}
    return (f"{len(names)} names of regions: {_different(sorted(names))}", "features.parquet") if names else None


def _sites(what: str, modality: str, known: Known) -> Answer | None:
    found = {value for value in _values(known.tables["features"], "site") if value not in (None, "*")}
    return (f"{len(found)} hospitals, as codes", "features.parquet") if found else None


def _features(known: Known) -> list[Column]:
    return [line for line in known.columns if line.table == "features" and line.role == FEATURE]


def _number(what: str, modality: str, known: Known) -> Answer | None:
    own = _features(known)
    coded = sum(line.ibsi != NON_IBSI for line in own)
    return f"{len(own)} features, {coded} with an IBSI code, each with its definition", "dictionary.csv"


def _families(what: str, modality: str, known: Known) -> Answer | None:
    groups = Counter(line.name.rpartition("__")[2].partition("_")[0] for line in _features(known))
    return ", ".join(f"{group} {count}" for group, count in sorted(groups.items())), "dictionary.csv"


def _aggregations(what: str, modality: str, known: Known) -> Answer | None:
    found = sorted({line.aggregation for line in _features(known)} - {""})
    return (", ".join(found), "dictionary.csv") if found else None


def _compliance(what: str, modality: str, known: Known) -> Answer | None:
    found = Counter(line.conformance or "not told" for line in _features(known))
    return ", ".join(f"{state} {count}" for state, count in sorted(found.items())), "dictionary.csv"


def _stability(what: str, modality: str, known: Known) -> Answer | None:
    if "stability" not in known.tables:
        return None
    grades = Counter(known.tables["stability"]["grade"].to_pylist())
    told = ", ".join(f"{grade} {count}" for grade, count in sorted(grades.items()))
    return f"regions measured again under perturbation; features by grade of ICC: {told}", "stability.parquet"


def _missing(what: str, modality: str, known: Known) -> Answer | None:
    content = known.tables["features"]
    holes = sum(int((~_there(content[line.name])).sum()) for line in _features(known))
    return f"{holes} values are missing (NaN): not defined for that region; none was filled in", "features.parquet"


def _there(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Where a column has a value that is a number, or any other."""
    found = pc.invert(pc.is_nan(column)) if pa.types.is_floating(column.type) else column.is_valid()
    return np.asarray(pc.fill_null(found, False).to_numpy())


def _treatment(what: str, modality: str, known: Known) -> Answer | None:
    own = known.treatment
    told = [f"means of {own.microaggregated} patients or more"] if own.microaggregated else []
    told += [f"noise of {own.noise:g} standard deviations"] if own.noise else []
    told += [f"harmonised ({own.harmonised})"] if own.harmonised != "none" else []
    return "not scaled; " + (", ".join(told) or "as they were measured"), "dictionary.csv"


def _ethics(what: str, modality: str, known: Known) -> Answer | None:
    legal = known.verdict["legal"]
    told = [f"status: {legal['status']}", f"HIPAA path: {legal['hipaa_path']}", "consent checked for every patient"]
    signed = [
        str(one["paper"])
        for one in known.verdict.get("documents", [])
        if one.get("status") == "signed" and "paper" in one
    ]
    told += [f"signed: {', '.join(signed)}"] if signed else []
    return "; ".join(told), "verdict.json, DATA_CARD.md"


def _say(words: str, artefact: str) -> Callable[[str, str, Known], Answer | None]:
    return lambda _what, _modality, _known: (words, artefact)


PROBES: dict[str, Callable[[str, str, Known], Answer | None]] = {
    "column": _column,
    "records": _records,
    "profiled": _profiled,
    "modalities": _modality,
    "labels": _labels,
    "sites": _sites,
    "features": _number,
    "families": _families,
    "aggregations": _aggregations,
    "compliance": _compliance,
    "stability": _stability,
    "missing": _missing,
    "treatment": _treatment,
    "ethics": _ethics,
    "engine": lambda _what, _modality, known: _records("engine,engine_version,engine_digest", "", known),
    "fixed": lambda what, _modality, known: (
        (FIXED[what], "engine radcurate")
        if set(_values(known.tables["provenance"], "engine")) == {"radcurate"}
        else None
    ),
    "protocol": lambda _what, modality, known: _column(
        "manufacturer,slice_thickness,row_spacing,plane_spacing", modality, known
    ),
    "sources": lambda _what, _modality, known: ("; ".join(known.sources), "DATA_CARD.md") if known.sources else None,
    "images": lambda _what, _modality, known: (
        (f"{known.images} series with their regions", "images.csv") if known.images else ("not shared", "DATA_CARD.md")
    ),
    "profile": _say("every parameter, defaults too, in the record of each value", "provenance.parquet"),
    "values": _say("every value, with its definition", "features.parquet, dictionary.csv"),
    "checklists": _say("CLEAR, METRICS and IBSI, as far as they are about data", "checklists/README.md"),
    "pipeline": _say("all stages with what each used and made", "prov.json, report.html"),
    "funnel": _say("every series with its outcome and reason, counted", "DATA_CARD.md, report.html"),
    "limitations": _say("what is left out, missing or deviating", "DATA_CARD.md"),
    "cleaning": _say("burned-in text and faces removed where there were any", "DATA_CARD.md, verdict.json"),
}

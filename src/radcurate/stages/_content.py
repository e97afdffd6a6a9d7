"""All that goes into a release, read from the sealed artefacts of a run that the gate let pass."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

import radcurate
from radcurate.errors import CurationError
from radcurate.governance.conservation import OUTCOMES
from radcurate.keys import Key
from radcurate.privacy.columns import Columns
from radcurate.release import dictionary
from radcurate.release.checklists import study_answers
from radcurate.release.descriptions import CROSSCHECK, DESCRIPTIONS, DISTORTION
from radcurate.release.dictionary import Column, Note, Reason, Treatment
from radcurate.release.provenance import PACKAGES, RunRecord, config_digest, content_settings
from radcurate.reruns.code import Code
from radcurate.seals import sha256
from radcurate.settings import Config
from radcurate.stages._evidence import Reader, chosen_chunks, feature_columns, provenance_table
from radcurate.stages._images import Images
from radcurate.stages._ranges import range_notes, range_reasons
from radcurate.tables.stored import Large, Stored, parts_of

CROWD = 2  # where the verdict does not tell how many, headers tell nothing about a patient either
STAGES = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
STABILITY = Reason("technical", "says which features a model may rely on")
RECORD = Reason("technical", "nobody can compute the values again without it")
IMAGE_LIST = Reason("technical", "leads from a row to its image files")
CHANGED = Reason("technical", "says how far protection moved the values of a feature")
OF_REGIONS = ("features", "acquisition", "provenance", "ranges")
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Content:
    """What goes into a release, whatever its version will be.

    Attributes:
        results: folder of the run.
        verdict: verdict.json of the gate.
        outcomes: what became of each series; stays inside.
        papers: documents of the run that recipients get, by file name: text.
        tables: the tables of the release, by name.
        columns: lines of the dictionary.
        record: the run, as provenance.json will tell it.
        images: cleaned images, if they were asked for.
        internal: codes of the run, none of which may go out.
        treatment: what was done to feature values after they were measured.
        study: what people said about the study: checklist -> item -> answer.
        risk: attack.json; empty before there is one.
    """

    results: Path
    verdict: Json
    outcomes: Large
    papers: Mapping[str, str]
    tables: Mapping[str, Large]
    columns: Sequence[Column]
    record: RunRecord
    images: Images
    internal: pa.Array
    treatment: Treatment
    study: Json
    risk: Json = field(default_factory=dict)
    harmonised: Json = field(default_factory=dict)


def read_content(
    reader: Reader,
    verdict: Json,
    declared: Columns,
    images: Images,
    key: Key,
    config: Config,
    lock: Path | None,
    study: Json,
    codes: str = "",
) -> Content:
    """Read it all. Seals of protect, extract, attack, harmonise and gate were checked before."""
    notes = _notes(feature_columns(reader, chosen_chunks(reader.results)))
    treatment = _treatment(reader)
    found = _tables(reader, treatment)
    lines = [line for name, content in found.items() for line in _lines(name, content, notes, declared)]
    lines = dictionary.detailed(lines, "features", found["features"], _icc(found), treatment)
    if images.series:
        lines += dictionary.columns("images", images.table, notes, dict.fromkeys(images.table.column_names, IMAGE_LIST))
    return Content(
        results=reader.results,
        verdict=verdict,
        outcomes=reader.content("gate", "outcomes.parquet", OUTCOMES).select(["outcome", "kind", "modality"]),
        papers=_papers(reader),
        tables=found,
        columns=lines,
        record=_record(verdict, key, config, lock, codes),
        images=images,
        internal=_internal(reader),
        treatment=treatment,
        study=study,
        risk=_json(reader, "attack", "attack.json"),
        harmonised=_json(reader, "harmonise", "report.json"),
    )


def read_study(paths: Sequence[Path]) -> dict[str, dict[str, str]]:
    """Answers that people gave to items of the reporting checklists: checklist -> item -> answer.

    Raises:
        CurationError: not YAML, or an unknown checklist or item.
    """
    found: dict[str, dict[str, str]] = {}
    for path in paths:
        try:
            found |= study_answers(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise CurationError(
                "the answers about the study can't be read",
                wanted="a YAML file",
                found=type(error).__name__,
                fix="mend the file that release.study names; config/governance/study.example.yaml shows how",
            ) from None
    return found


def crowd(verdict: Json) -> int:
    """The k that the policy asked for; the verdict tells it as `at least 5`."""
    told = [str(finding["allowed"]) for finding in verdict["findings"] if finding["measure"] == "protect.k"]
    limits = [re.fullmatch(r"at least ([0-9.]+)", limit) for limit in told]
    return max((int(float(limit[1])) for limit in limits if limit), default=CROWD)


def _tables(reader: Reader, treatment: Treatment) -> dict[str, Large]:
    """The tables of the release, those left out that have no row but needn't have one."""
    features = Stored(reader.path("protect", "features.parquet"))
    found: dict[str, Large] = {
        "features": features,
        "acquisition": Stored(reader.path("protect", "acquisition.parquet")),
        "provenance": provenance_table(reader, chosen_chunks(reader.results), features),
    }
    changed = () if treatment.as_measured else ("distortion",)
    for name in ("ranges", "stability", "crosscheck", *changed):
        if reader.has("protect", f"{name}.parquet"):
            content = Stored(reader.path("protect", f"{name}.parquet"))
            found |= {name: content} if content.num_rows else {}
    return found


def _lines(name: str, content: Large, notes: dict[str, Note], declared: Columns) -> list[Column]:
    """The dictionary of one table, each column with its reason."""
    plain = {"provenance": RECORD, "stability": STABILITY, "distortion": CHANGED}
    if name in plain:
        own = notes | (_plain(DISTORTION) if name == "distortion" else {})
        return dictionary.columns(name, content, own, dict.fromkeys(content.column_names, plain[name]))
    if name == "ranges":
        return dictionary.columns(name, content, notes | range_notes(content, notes), range_reasons(content, declared))
    more = _plain(CROSSCHECK) if name == "crosscheck" else {}
    return dictionary.columns(name, content, notes | more, _reasons(content, declared))


def rows_of(found: Mapping[str, Large], name: str) -> list[dict[str, Any]]:
    """Rows of a table over all regions, which are few; none where there is no such table."""
    return [row for part in parts_of(found[name]) for row in part.to_pylist()] if name in found else []


def _icc(found: Mapping[str, Large]) -> dict[str, dict[str, Json]]:
    """Feature -> modality -> stability."""
    known: dict[str, dict[str, Json]] = {}
    for row in rows_of(found, "stability"):
        told = {name: row[name] for name in ("icc", "icc_lo", "icc_hi", "grade")}
        known.setdefault(row["feature"], {})[row["modality"]] = {
            name: None if value != value else value for name, value in told.items()
        }
    return known


def _treatment(reader: Reader) -> Treatment:
    measures = _json(reader, "protect", "measures.json")
    harmonised = _json(reader, "harmonise", "report.json")
    named = harmonised.get("columns")
    return Treatment(
        microaggregated=int(measures.get("features", {}).get("k", 0)),
        noise=float(measures.get("features", {}).get("noise", 0.0)),
        harmonised=str(harmonised.get("method", "combat")) if harmonised else "none",
        harmonised_columns=frozenset(named) if named is not None else None,
    )


def _papers(reader: Reader) -> dict[str, str]:
    """Documents that recipients get as they are."""
    papers = {"safe_harbor.json": reader.path("gate", "safe_harbor.json").read_text(encoding="utf-8")}
    papers["TERMS.md"] = reader.path("gate", "terms.md").read_text(encoding="utf-8")
    return papers


def _json(reader: Reader, folder: str, name: str) -> dict[str, Any]:
    if not reader.has(folder, name):
        return {}
    content: dict[str, Any] = json.loads(reader.path(folder, name).read_text(encoding="utf-8"))
    return content


def _internal(reader: Reader) -> pa.Array:
    """Codes of patients, series and regions inside the run."""
    places = [("gate", "outcomes.parquet", "series"), ("protect", "subjects.parquet", "subject")]
    places += [(f"extract/{chunk}", "features.parquet", "roi") for chunk in chosen_chunks(reader.results)]
    columns = (Stored(reader.path(folder, name))[column] for folder, name, column in places)
    parts = [part.cast(pa.string()) for column in columns for part in column.chunks]
    return pa.chunked_array(parts, pa.string()).unique()


def _notes(features: Mapping[str, Json]) -> dict[str, Note]:
    """What extract says about feature columns, and `descriptions` about all others."""
    return _plain(DESCRIPTIONS) | {
        name: Note(
            ibsi=column["code"],
            unit=column["unit"],
            aggregation=column["aggregation"],
            conformance=column["conformance"],
            description=column["description"],
        )
        for name, column in features.items()
    }


def _plain(descriptions: Mapping[str, tuple[str, str]]) -> dict[str, Note]:
    return {name: Note(dictionary.NON_IBSI, unit, "", "", text) for name, (unit, text) in descriptions.items()}


def _reasons(content: Large, declared: Columns) -> dict[str, Reason]:
    found = {name: declared.find(name) for name in content.column_names}
    return {name: Reason(entry.role, entry.reason) for name, entry in found.items() if entry is not None}


def _record(verdict: Json, key: Key, config: Config, lock: Path | None, codes: str) -> RunRecord:
    legal = verdict["legal"]
    return RunRecord(
        release="",
        version="",
        policy=verdict["policy"],
        policy_digest=verdict["policy_digest"],
        status=legal["status"],
        hipaa_path=legal["hipaa_path"],
        dates=legal["dates"],
        key_id=key.key_id,
        settings=content_settings(config.model_dump(mode="json")),
        config_digest=config_digest(config.model_dump(mode="json")),
        environment_digest=sha256(lock) if lock is not None and lock.is_file() else "",
        versions={name: _installed(name) for name in PACKAGES},
        code=json.loads(codes) if codes else _codes(),
        results=dict(verdict["digests"]),
    )


def _codes() -> dict[str, str]:
    """For whoever runs the stage by hand; seconds of parsing."""
    code = Code(Path(radcurate.__file__).parent)
    return {stage: code.digest(f"radcurate.stages.{stage}") for stage in STAGES}


def _installed(name: str) -> str:
    try:
        return installed_version(name)
    except PackageNotFoundError:
        return "not installed"

"""Reads what a report is made of, and writes its two faces: results/report for the restricted zone, report.html of a release."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.governance.fairness import AXES, public
from radcurate.identity.files import private_folder, write_private
from radcurate.keys import Key
from radcurate.report.artefact import Artefact, without_codes
from radcurate.report.build import build
from radcurate.report.facts import Facts, Picture, limit_of
from radcurate.seals import check_seal
from radcurate.stages._folders import entries
from radcurate.tables.stored import Stored

HTML, JSON = "report.html", "report.json"
VERDICTS = ("verdict.json", "refusal.json")
LEAST = 5  # patients of a group that is told outside, where the policy asks for less
Json = Mapping[str, Any]


def write_public_report(building: Path, results: Path) -> None:
    """Write report.html and report.json into the release that is being built.

    Args:
        building: holds verdict.json, and risk.json, harmonise.json, provenance.json where there are any.
        results: of the run.
    """
    verdict = _json(building / "verdict.json") or {}
    documents = {name: _json(building / name) for name in ("risk.json", "harmonise.json", "provenance.json")}
    fairness = _json(results / "gate" / "fairness.json")
    counted = counts(results)
    if fairness:
        counted["groups"] = public(fairness, max(LEAST, _crowd(verdict)))
    counted = without_codes(counted)
    _write(building / JSON, counted)
    about = documents["provenance.json"] or {}
    facts = Facts(
        title=f"{about.get('release', 'release')} {about.get('version', '')}".strip(),
        private=False,
        verdict=_beside("verdict.json", without_codes(verdict)),
        counted=_beside(JSON, counted),
        attack=_beside("risk.json", documents["risk.json"]) if documents["risk.json"] else None,
        harmonise=_beside("harmonise.json", documents["harmonise.json"]) if documents["harmonise.json"] else None,
        fairness=_part(JSON, "groups", counted) if fairness else None,
        files=frozenset(path.name for path in building.iterdir()),
    )
    (building / HTML).write_bytes(build(facts))


def write_private_report(
    results: Path, key: Key, gallery: Sequence[Picture] = (), pages: Sequence[tuple[str, str, str]] = ()
) -> bool:
    """Write results/report/report.html (0600 in 0700); False where no gate has judged yet.

    Args:
        results: of the run.
        key: of the project; what isn't as its stage sealed it is left out, and named.
        gallery, pages: pictures and pages of single series, for `radcurate report`.
    """
    name = next((one for one in VERDICTS[::-1] if (results / "gate" / one).is_file()), None)
    if name is None:
        return False
    verdict = _json(results / "gate" / name) or {}
    unshown = _broken(results, key, judged=name == VERDICTS[0])
    counted = {"verdict": digest(results)}
    counted |= counts(results) | {"pays": _pays(results)} if "results/protect" not in unshown else {}
    out = private_folder(results / "report")
    write_private(out / JSON, (json.dumps(counted, indent=1, sort_keys=True) + "\n").encode())
    facts = Facts(
        title="the run",
        private=True,
        verdict=_inside(f"gate/{name}", verdict),
        counted=_inside(f"report/{JSON}", counted, href=JSON),
        attack=_read(results, "attack/attack.json", unshown),
        harmonise=_read(results, "harmonise/report.json", unshown) if _harmonised(verdict) else None,
        fairness=_read(results, "gate/fairness.json", unshown),
        gallery=gallery,
        pages=pages,
        files=_there(results, verdict),
        unshown=[f"{one}: changed after its stage wrote it" for one in unshown],
    )
    write_private(out / HTML, build(facts))
    return True


def is_current(results: Path) -> bool:
    """Whether there is nothing new to tell: no gate has judged, or the private report tells of the verdict that lies there."""
    if not any((results / "gate" / name).is_file() for name in VERDICTS):
        return True
    found = _json(results / "report" / JSON) or {}
    return found.get("verdict") == digest(results)


def digest(results: Path) -> str:
    """SHA-256 of the verdict or refusal."""
    found = [path for name in VERDICTS if (path := results / "gate" / name).is_file()]
    return hashlib.sha256(b"".join(path.read_bytes() for path in found)).hexdigest()


def counts(results: Path) -> dict[str, Any]:
    """Numbers that no document holds, counted from the tables of this run: no series, no patient is named."""
    chunks = [path.name for path in entries(results / "consent" / "chunks")]
    return {"cleaning": _cleaning(results, chunks), "features": _features(results, chunks)}


def _cleaning(results: Path, chunks: Sequence[str]) -> dict[str, Any]:
    """Chunk by chunk, since a large run has a million series."""
    found: Counter[str] = Counter(dict.fromkeys(("boxes", "text_removed", "looked", "faces_removed", "set_aside"), 0))
    moved: list[float] = []
    for chunk in chunks:
        looks = list(_rows(results, "redact", [chunk], "series.parquet", tables.REDACT_SERIES))
        faces = list(_rows(results, "deface", [chunk], "series.parquet", tables.DEFACE_SERIES))
        checks = _rows(results, "deface", [chunk], "qc.parquet", tables.DEFACE_QC)
        removed = {row["series"] for row in faces if row["status"] == tables.OK and row["face"] == "removed"}
        for row in looks:
            if row["status"] == tables.OK:
                found["boxes"] += row["boxes"] or 0
                found["text_removed"] += bool(row["boxes"])
                found["looked"] += bool(row["looked"])
        found["faces_removed"] += len(removed)
        found["set_aside"] += sum(row["status"] == tables.QUARANTINED for row in (*looks, *faces))
        moved += [row["moved"] for row in checks if row["series"] in removed and row["moved"] is not None]
    return {**found, "faces_moved": sorted(moved)}


def _features(results: Path, chunks: Sequence[str]) -> dict[str, Any]:
    path = results / "protect" / "features.parquet"
    if not path.is_file():
        return {}
    released = Stored(path)
    there = set(released.column_names)
    names = {
        row["name"]: row["conformance"]
        for row in _rows(results, "extract", chunks, "columns.parquet", tables.EXTRACT_COLUMNS)
        if row["name"] in there
    }
    grades: dict[str, Counter[str]] = {}
    for row in _rows(results, "", ["protect"], "stability.parquet", tables.PROTECT_STABILITY):
        grades.setdefault(row["modality"], Counter())[row["grade"]] += 1
    shared = list(_rows(results, "", ["protect"], "crosscheck.parquet", None))
    return {
        "rows": released.num_rows,
        "columns": len(names),
        "conformance": dict(sorted(Counter(names.values()).items())),
        "stability": {modality: dict(sorted(own.items())) for modality, own in sorted(grades.items())},
        "crosscheck": {"shared": len(shared), "agree": sum(row.get("within") == 1 for row in shared)} if shared else {},
    }


def _pays(results: Path) -> list[dict[str, Any]]:
    """What protection cost each group: names rare values, so it is for the private face only."""
    rows = _rows(results, "", ["protect"], "groups.parquet", tables.PROTECT_GROUPS)
    return [row for row in rows if row["column"] in AXES]


def _rows(
    results: Path, stage: str, chunks: Sequence[str], name: str, schema: tables.Schema | None
) -> Iterator[dict[str, Any]]:
    for chunk in chunks:
        path = results / stage / chunk / name
        if path.is_file():
            yield from tables.read_rows(path, schema)


def _harmonised(verdict: Json) -> bool:
    """Whether this run harmonised; the folder of an earlier run may still lie there."""
    found = (verdict.get("protection") or {}).get("harmonise") or {}
    return bool(found.get("method", "none") != "none")


def _crowd(verdict: Json) -> int:
    """The k that the policy asks for."""
    limits = [limit_of(str(one["allowed"])) for one in verdict.get("findings", []) if one["measure"] == "protect.k"]
    return int(max((limit for limit in limits if limit is not None), default=1))


def _broken(results: Path, key: Key, judged: bool) -> list[str]:
    """Folders whose seal doesn't hold. On refusal the gate seals nothing."""
    found = []
    for folder in ("protect", "attack", "harmonise", *(["gate"] if judged else [])):
        if not (results / folder).is_dir():
            continue
        try:
            check_seal(results / folder, key)
        except CurationError:
            found.append(f"results/{folder}")
    return found


def _there(results: Path, verdict: Json) -> frozenset[str]:
    """Artefacts that the criteria name and that can be linked to."""
    names = {str(one.get("artefact", "")) for one in verdict.get("findings", [])}
    return frozenset(
        name for name in names if "*" not in name and (results.parent / name).exists() and name.startswith("results/")
    )


def _read(results: Path, name: str, unshown: Sequence[str]) -> Artefact | None:
    content = _json(results / name) if f"results/{name.partition('/')[0]}" not in unshown else None
    return _inside(name, content) if content else None


def _inside(name: str, content: Json, href: str = "") -> Artefact:
    """A document of the run, as results/report/report.html leads to it."""
    return Artefact(f"results/{name}", href or f"../{name}", f"results/{name}", "", content)


def _beside(name: str, content: Json) -> Artefact:
    """A document of the release, beside its report."""
    return Artefact(name, name, name, "", content)


def _part(name: str, part: str, content: Json) -> Artefact:
    """A part of a document of the release, by itself."""
    return Artefact(name, name, name, f"/{part}", content[part])


def _json(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _write(path: Path, content: Json) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")

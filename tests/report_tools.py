"""Documents of an invented run with everything in it, and a reader that takes a report apart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from radcurate.report.artefact import FORMS, Artefact, resolve
from radcurate.report.facts import Facts

VOID = {"meta", "link", "img", "br"}


def finding(
    name: str, measure: str, measured: float | None, allowed: str, holds: bool = True, **more: Any
) -> dict[str, Any]:
    return {
        "name": name, "measure": measure, "measured": measured, "allowed": allowed, "holds": holds, "applies": True,
        "meaning": f"meaning of {measure}", "detail": "", "artefact": "results/protect/measures.json",
        "source": "a source", "help": f"help for {measure}", "informative": False, "overridden": False, "ways": [],
    } | more  # fmt: skip


def verdict(holds: bool = True) -> dict[str, Any]:
    """As the gate writes it; refused: k and linkage fail."""
    return {
        "holds": holds,
        "policy": "controlled",
        "tier": "controlled",
        "recipients": "researchers named in a data use agreement",
        "findings": [
            finding("seals", "seals.broken", 0.0, "none", artefact="results/*/seal.json"),
            finding("smallest crowd", "protect.k", 5.0 if holds else 2.0, "at least 5", holds,
                    ways=[] if holds else [{"change": "drop field_strength", "k": 6, "loss": 0.71, "suppressed": 0}]),
            finding("linkage", "attack.linkage", 0.031 if holds else 0.4, "at most 0.05", holds, artefact="results/attack/attack.json"),
            finding("top-1", "attack.fingerprint_top1", 0.95, "at most 1", artefact="results/attack/attack.json"),
            finding("hits", "verify.hits", 0.0, "none", artefact="results/verify/*/hits.parquet"),
            finding("search", "verify.canary_seen", 0.9992, "at least 0.95", detail="of 10040"),
            finding("faces", "deface.face_share", 0.9831, "at least 0.95", detail="on S-ad3dcf7fe2318ec8, of 9"),
            finding("t", "protect.t", None, "at most 0.3", applies=False),
            finding("groups", "fairness.flagged", 1.0, "", informative=True),
        ],
        "legal": {"status": "pseudonymised", "gdpr": "Personal data.", "hipaa": "Expert Determination.", "hipaa_path": "expert_determination"},
        "conservation": [
            {"outcome": "released", "stage": "release", "reason": None, "series": 52},
            {"outcome": "excluded", "stage": "consent", "reason": "withdrawn", "series": 2},
            {"outcome": "quarantined", "stage": "deface", "reason": "checks_disagree", "series": 1},
            {"outcome": "excluded", "stage": "protect", "reason": "suppressed", "series": 4},
        ],
        "inventoried": 59,
        "found_files": 1891,
        "set_aside_files": {"not_dicom": 3, "a/b~c": 1},
        "regions": {"ok": 34},
        "faces": {"none": 17, "removed": 9},
        "protection": {
            "before": {"k": 1, "unique_share": 1.0, "prosecutor_max": 1.0, "n_classes": 23, "l": None, "t": None, "sizes": {"1": 23}},
            "after": {"k": 5, "unique_share": 0.0, "prosecutor_max": 0.2, "n_classes": 3, "l": None, "t": None, "sizes": {"5": 1, "8": 2}},
            "required": {"k": 5}, "released_subjects": 21, "suppressed_subjects": 2, "ncp": 0.746031746,
            "levels": {"age": "*", "site": "value"}, "utility_loss": {"age": 1.0, "site": 0.057},
        },
        "dpia": {
            "risk_benefit": "Worth it, says the steward.", "missing": [], "max": 0.09,
            "risks": [
                {"name": "linkage by quasi-identifiers", "likelihood": 0.3, "impact": 0.6, "risk": 0.18, "residual": 0.09,
                 "mitigations": [{"name": "crowds", "artefact": "results/protect/measures.json", "factor": 0.5, "counts": True, "detail": ""},
                                 {"name": "a promise", "artefact": "nothing", "factor": 0.1, "counts": False, "detail": "no proof"}]},
                {"name": "breach", "likelihood": 0.05, "impact": 1.0, "risk": 0.05, "residual": 0.05, "mitigations": []},
            ],
        },
        "documents": [{"kind": "data_use_terms", "status": "signed", "owed": False, "by": "A. Steward", "role": "DPO", "date": "2026-01-01", "detail": ""}],
        "ethics": [{"id": "1", "stage": "collection", "question": "Was consent asked for?", "answered": True, "answer": "yes", "by": "B. Person"}],
        "overrides": [],
    }  # fmt: skip


def _share(successes: int, trials: int, low: float, high: float, chance: float) -> dict[str, Any]:
    return {
        "trials": trials,
        "successes": successes,
        "rate": successes / trials,
        "low": low,
        "high": high,
        "chance": chance,
    }


def attack() -> dict[str, Any]:
    """As attack.json."""
    controls = {
        "positive": {**_share(20, 21, 0.76, 0.99, 0.05), "passed": True, "on": "raw table"},
        "negative": {**_share(1, 21, 0.001, 0.24, 0.05), "passed": True, "on": "shuffled table"},
    }
    empty = dict.fromkeys(("trials", "successes", "rate", "low", "high", "chance"))
    return {
        "attacks": {
            "linkage": {"applies": True, "detail": "against 50 registries", **_share(10, 1050, 0.005, 0.031, 0.001), "controls": controls, "columns": []},
            "fingerprint": {"applies": True, "detail": "top-1", **_share(19, 21, 0.7, 0.95, 0.05), "controls": controls, "columns": ["morph_vol"],
                            "further": {"top5": _share(20, 21, 0.76, 0.99, 0.24)}},
            "site": {"applies": True, "detail": "forest", **_share(14, 21, 0.43, 0.85, 0.333), "controls": controls, "columns": [["stat_mean", 0.4]]},
            "differencing": {"applies": False, "detail": "there is no earlier release", **empty, "controls": {}, "columns": []},
        },
        "risk": {
            "prosecutor": 0.2, "journalist": 0.01, "marketer": 0.14, "singling_out": 0.0, "linkability": 0.9, "inference": {"applies": False, "detail": "no column is sensitive"}, "before": {"prosecutor": 1.0},
            "uniqueness": {"sample": 0.0, "pitman": {"value": 0.02, "converged": True, "detail": ""}, "snb": {"value": None, "converged": False, "detail": "no fit"}},
            "composite": {"p_ri": 0.1, "u": 0.0, "s": 0.5, "R": 0.0, "scenarios": {"public": {"s": 1.0, "R": 0.0}, "controlled": {"s": 0.4, "R": 0.0}}},
        },
    }  # fmt: skip


def fairness() -> dict[str, Any]:
    """As fairness.json."""
    one = {"step": "protect", "axis": "sex", "group": "F", "patients": 12, "hit": 6, "rate": 0.5, "low": 0.25, "high": 0.75,
           "others": 0.0, "p": 0.01, "least_p": 0.001, "flagged": True}  # fmt: skip
    groups = {
        "F": {"patients": 12, "released": 6, "share": 0.3, "expected": 0.5},
        "M": {"patients": 14, "released": 14, "share": 0.7, "expected": 0.5},
    }
    return {
        "flagged": 1,
        "tested": 1,
        "patients": 26,
        "released": 20,
        "comparisons": [one],
        "flags": [one],
        "axes": {"sex": groups},
    }


COUNTED = {
    "cleaning": {"boxes": 243, "text_removed": 5, "looked": 32, "faces_removed": 3, "faces_moved": [0.983, 0.996, 1.0], "set_aside": 2},
    "features": {"rows": 33, "columns": 212, "conformance": {"compliant": 210, "non-IBSI": 2},
                 "stability": {"CT": {"excellent": 180, "good": 20, "moderate": 8, "poor": 4}, "MR": {"poor": 212}},
                 "crosscheck": {"shared": 93, "agree": 90}},
    "pays": [{"column": "sex", "value": "F", "subjects": 12, "suppressed": 2, "loss": 0.41, "distortion": None},
             {"column": "sex", "value": None, "subjects": 1, "suppressed": 1, "loss": 1.0, "distortion": 0.2}],
}  # fmt: skip
HARMONISED = {
    "method": "combat", "batch": "site", "columns": ["stat_mean"],
    "groups": [{"kind": {"modality": "CT", "roi_label": "GTV"}, "harmonised": True, "outcomes": {"harmonised": 200, "constant": 2},
                "effects": [{"term": "age", "features": 200, "before": 0.31, "after": 0.3, "correlation": 0.98}]}],
    "site_guess": {"before": {"applies": True, "rate": 0.9, "low": 0.8, "high": 0.96, "chance": 0.333, "p": 0.01},
                   "after": {"applies": True, "rate": 0.4, "low": 0.25, "high": 0.56, "chance": 0.333, "p": 0.4}},
}  # fmt: skip
DOCUMENTS = {
    "results/gate/verdict.json": verdict(),
    "results/attack/attack.json": attack(),
    "results/harmonise/report.json": HARMONISED,
    "results/gate/fairness.json": fairness(),
    "results/report/report.json": COUNTED,
}


def artefact(path: str, content: Mapping[str, Any]) -> Artefact:
    return Artefact(path, path.replace("results/", "../", 1), path, "", content)


def everything(private: bool = True, holds: bool = True, **more: Any) -> tuple[Facts, dict[str, Any]]:
    """A run with every document, and the documents by path."""
    documents = DOCUMENTS | {"results/gate/verdict.json": verdict(holds)}
    found = [artefact(path, content) for path, content in documents.items()]
    verdict_of, attack_of, harmonise_of, fairness_of, counted = found
    return Facts(
        title="demo 1", private=private, verdict=verdict_of, counted=counted, attack=attack_of, harmonise=harmonise_of,
        fairness=fairness_of, **more,
    ), documents  # fmt: skip


@dataclass
class Parts(HTMLParser):
    """Tags, links and traced numbers of a page."""

    tags: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    numbers: list[tuple[dict[str, str], str]] = field(default_factory=list)
    unclosed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: dict[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag not in VOID:
            self.unclosed.append(tag)
        if "id" in told:
            self.ids.append(told["id"])
        if tag == "a":
            self.links.append(told["href"])
        self.fetched += [told[name] for name in ("src", "srcset", "action", "data") if name in told]
        if "data-from" in told:
            self._open = told

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self.numbers.append((self._open, data))
            self._open = None


def parts(page: bytes) -> Parts:
    found = Parts()
    found.feed(page.decode())
    found.close()
    assert not found.unclosed, found.unclosed
    return found


def untrue(page: bytes, documents: Mapping[str, Any]) -> Iterator[str]:
    """Numbers of a page that are not what the documents say where the page says that they are from."""
    for told, shown in parts(page).numbers:
        value: Any = 0
        for pointer in told["data-from"].split():
            path, _, place = pointer.removeprefix("-").partition("#")
            found = resolve(place, documents[path])
            value = found if " " not in told["data-from"] else value + (-found if pointer.startswith("-") else found)
        if json.loads(told["data-value"]) != value or FORMS[told["data-form"]](value) != shown:
            yield f"{told['data-from']}: {shown} is not {value}"

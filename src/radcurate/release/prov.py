"""prov.json: how a release came into being, as W3C PROV (PROV-JSON, https://www.w3.org/submissions/prov-json/).

The stages are activities, what each of them left is an entity named by its digest, the program and the holder of the key
are agents. There are no times: nothing in a release depends on when it was made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

NAMESPACE = "https://radcurate.invalid/ns#"  # a name, not an address
ORDER = ("deidentify", "redact", "deface", "verify", "extract", "harmonise", "protect", "attack", "gate", "release")
Json = dict[str, Any]


def prov_json(about: Mapping[str, Any], files: Mapping[str, str]) -> str:
    """The document as text.

    Args:
        about: the content of provenance.json.
        files: SHA-256 of the tables of the release, by file name.
    """
    results: Mapping[str, str] = about["results"]
    stages = [stage for stage in ("inventory", "consent", *ORDER) if stage in about["code"]]
    name = f"{about['release']}-{about['version']}"
    document = {
        "prefix": {"rc": NAMESPACE, "rel": f"https://radcurate.invalid/release/{name}/"},
        "entity": _entities(about, results, files),
        "activity": {f"rc:{stage}": _activity(about, stage) for stage in stages},
        "agent": _agents(about),
        "wasGeneratedBy": _named("g", _made(stages, results, files)),
        "used": _named("u", _used(stages, results)),
        "wasAssociatedWith": _named("a", _associated(stages)),
        "wasDerivedFrom": _named("d", _derived(results, files)),
        "wasAttributedTo": _named("t", [{"prov:entity": f"rel:{one}", "prov:agent": "rc:custodian"} for one in files]),
    }
    return json.dumps({key: value for key, value in document.items() if value}, indent=1, sort_keys=True) + "\n"


def _entities(about: Mapping[str, Any], results: Mapping[str, str], files: Mapping[str, str]) -> Json:
    told = {
        "rc:configuration": {"rc:sha256": about["config_digest"], "prov:type": "prov:Plan"},
        "rc:policy": {"rc:sha256": about["policy_digest"], "rc:name": about["policy"], "prov:type": "prov:Plan"},
        "rc:environment": {"rc:sha256": about["environment_digest"]},
    }
    told |= {f"rc:results-{stage}": {"rc:sha256": digest} for stage, digest in results.items()}
    return told | {f"rel:{name}": {"rc:sha256": digest, "prov:label": name} for name, digest in files.items()}


def _activity(about: Mapping[str, Any], stage: str) -> Json:
    settings = about["settings"].get(stage, {})
    return {
        "prov:type": "rc:Stage",
        "rc:code": about["code"][stage],
        "rc:settings": json.dumps(settings, sort_keys=True),
    }


def _agents(about: Mapping[str, Any]) -> Json:
    versions = {f"rc:version-{package}": version for package, version in about["versions"].items()}
    return {
        "rc:radcurate": {"prov:type": "prov:SoftwareAgent", **versions},
        "rc:custodian": {"prov:type": "rc:KeyHolder", "rc:key": about["key_id"]},
    }


def _made(stages: Sequence[str], results: Mapping[str, str], files: Mapping[str, str]) -> list[Json]:
    made = [(f"rc:results-{stage}", stage) for stage in stages if stage in results]
    made += [(f"rel:{name}", "release") for name in files]
    return [{"prov:entity": entity, "prov:activity": f"rc:{stage}"} for entity, stage in made]


def _used(stages: Sequence[str], results: Mapping[str, str]) -> list[Json]:
    """Each stage used what the stage before it left, and the first of them the source files; the gate its policy."""
    used, last = [], "inputs"
    for stage in stages:
        if last in results:
            used.append((stage, f"rc:results-{last}"))
        last = stage if stage in results else last
    used += [("gate", "rc:policy")] if "gate" in stages else []
    return [{"prov:activity": f"rc:{stage}", "prov:entity": entity} for stage, entity in used]


def _associated(stages: Sequence[str]) -> list[Json]:
    return [
        {"prov:activity": f"rc:{stage}", "prov:agent": "rc:radcurate", "prov:plan": "rc:configuration"}
        for stage in stages
    ]


def _derived(results: Mapping[str, str], files: Mapping[str, str]) -> list[Json]:
    source = "rc:results-protect" if "protect" in results else "rc:results-inputs"
    return [{"prov:generatedEntity": f"rel:{name}", "prov:usedEntity": source} for name in files]


def _named(letter: str, relations: Sequence[Json]) -> Json:
    number = count(1)
    return {f"_:{letter}{next(number)}": relation for relation in relations}

"""ro-crate-metadata.json: the release as an RO-Crate 1.1 (https://w3id.org/ro/crate/1.1), for repositories and archives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from radcurate.release.croissant import PARQUET, About

METADATA = "ro-crate-metadata.json"
KINDS = {
    ".parquet": PARQUET,
    ".md": "text/markdown",
    ".json": "application/json",
    ".csv": "text/csv",
    ".html": "text/html",
}
WORDS = {
    "features.parquet": "feature values, a row per region",
    "acquisition.parquet": "how the images were acquired, a row per series",
    "provenance.parquet": "all parameters that the values depend on",
    "ranges.parquet": "least and largest value of each feature under perturbation",
    "stability.parquet": "how stable each feature is under perturbation",
    "crosscheck.parquet": "agreement with a second engine",
    "DATA_CARD.md": "what is in the release and what it can't be used for",
    "TERMS.md": "terms of use",
    "CHANGES.md": "what differs from the release before",
    "report.html": "the report",
    "verdict.json": "what the gate measured and allowed",
    "risk.json": "what attacks on the release found",
}


def crate(about: About, sizes: Mapping[str, int], program: str) -> str:
    """The metadata file.

    Args:
        about: name and words.
        sizes: bytes by file, of everything in the release that has a name of its own; of images only the list.
        program: version of radcurate.
    """
    files = [_file(name, size) for name, size in sorted(sizes.items())]
    graph = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            "about": {"@id": "./"},
        },
        _root(about, [one["@id"] for one in files]),
        *files,
        {"@id": "#radcurate", "@type": "SoftwareApplication", "name": "radcurate", "version": program},
        {
            "@id": "#run",
            "@type": "CreateAction",
            "name": "curation run",
            "instrument": {"@id": "#radcurate"},
            "result": {"@id": "./"},
        },
        *([{"@id": "#publisher", "@type": "Organization", "name": about.publisher}] if about.publisher else []),
    ]
    content = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _root(about: About, files: list[str]) -> dict[str, Any]:
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": about.title,
        "identifier": f"{about.name}-{about.version}",
        "description": about.description,
        "version": about.version,
        "license": {"@id": "TERMS.md"},
        **({"datePublished": about.published} if about.published else {}),
        **({"publisher": {"@id": "#publisher"}} if about.publisher else {}),
        **({"contactPoint": about.contact} if about.contact else {}),
        "hasPart": [{"@id": name} for name in files],
    }


def _file(name: str, size: int) -> dict[str, Any]:
    kind = KINDS.get(PurePosixPath(name).suffix)
    words = WORDS.get(name)
    return {
        "@id": name,
        "@type": "File",
        "name": name,
        "contentSize": str(size),
        **({"encodingFormat": kind} if kind else {}),
        **({"description": words} if words else {}),
    }

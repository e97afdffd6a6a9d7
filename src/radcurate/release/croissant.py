"""croissant.json: the tables of a release for tools that load data sets (MLCommons Croissant 1.0)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from radcurate.release.dictionary import NON_IBSI, Column

FORMAT = "http://mlcommons.org/croissant/1.0"
PARQUET = "application/x-parquet"  # what mlcroissant knows; IANA says application/vnd.apache.parquet
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
KINDS = {
    "string": "sc:Text",
    "large_string": "sc:Text",
    "bool": "sc:Boolean",
    "int64": "sc:Integer",
    "int32": "sc:Integer",
}
KINDS |= {"double": "sc:Float", "float": "sc:Float", "date32[day]": "sc:Date"}


@dataclass(frozen=True)
class About:
    """What catalogues ask of a data set; empty where nobody said it."""

    name: str
    version: str
    title: str
    description: str
    publisher: str = ""
    contact: str = ""
    published: str = ""  # YYYY-MM-DD


def croissant(about: About, files: Mapping[str, str], sizes: Mapping[str, int], columns: Sequence[Column]) -> str:
    """The description as JSON-LD.

    Args:
        about: name and words.
        files: SHA-256 of the tables, by file name.
        sizes: bytes of the same files.
        columns: lines of the dictionary.
    """
    content = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": FORMAT,
        "name": about.name,
        "description": about.description,
        "version": f"{about.version}.0.0" if about.version.isdecimal() else about.version,
        "license": "TERMS.md",
        **({"datePublished": about.published} if about.published else {}),
        **({"publisher": {"@type": "sc:Organization", "name": about.publisher}} if about.publisher else {}),
        "distribution": [_file(name, digest, sizes[name]) for name, digest in sorted(files.items())],
        "recordSet": [_records(name.removesuffix(".parquet"), columns) for name in sorted(files)],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _file(name: str, digest: str, size: int) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{size} B",
        "encodingFormat": PARQUET,
        "sha256": digest,
    }


def _records(table: str, columns: Sequence[Column]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": table,
        "name": table,
        "field": [_field(line) for line in columns if line.table == table],
    }


def _field(line: Column) -> dict[str, Any]:
    inner = (
        line.type.removeprefix("list<").rstrip(">").rpartition(" ")[2] if line.type.startswith("list<") else line.type
    )
    return {
        "@type": "cr:Field",
        "@id": f"{line.table}/{line.name}",
        "name": line.name,
        "description": _words(line),
        "dataType": KINDS.get(inner, "sc:Text"),
        **({"repeated": True} if inner != line.type else {}),
        "source": {"fileObject": {"@id": f"{line.table}.parquet"}, "extract": {"column": line.name}},
    }


def _words(line: Column) -> str:
    ibsi = f"IBSI {line.ibsi}" if line.ibsi != NON_IBSI else ""
    unit = f"unit {line.unit}" if line.unit else ""
    return "; ".join(filter(None, (line.description, unit, ibsi)))

"""Write the files of a release into the folder it is built in; checksums and signature last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.governance.access import beyond
from radcurate.keys import Key
from radcurate.release import attestation, card, check, checklists, dictionary, signing
from radcurate.release.crate import METADATA, crate
from radcurate.release.croissant import About, croissant
from radcurate.release.prov import prov_json
from radcurate.release.public import codes_of_the_run, public_verdict
from radcurate.seals import sha256
from radcurate.settings import Release
from radcurate.stages._changes import write_changes
from radcurate.stages._content import Content, crowd, rows_of
from radcurate.stages._report import write_public_report
from radcurate.tables.stored import parts_of

IMAGES = "images/"


def write_files(building: Path, releases: Path, settings: Release, version: str, content: Content, key: Key) -> None:
    """Everything but the images, which don't name their version, into `building`.

    Args:
        building: the folder that becomes the release.
        releases: where the earlier ones lie.
        settings: section `release`.
        version: of this one.
        content: what goes in.
        key: the project key, which signs.

    Raises:
        CurationError: a code of the run would go out, or a file that the recipients may not have.
    """
    about = _about(settings, version, content)
    _write_json(building / "verdict.json", public_verdict(content.verdict))
    for name, paper in (("risk.json", content.risk), ("harmonise.json", content.harmonised)):
        if paper:
            _write_json(building / name, paper)
    for name, text in content.papers.items():
        (building / name).write_text(text, encoding="utf-8")
    record = replace(content.record, release=settings.name, version=version).as_json()
    (building / "provenance.json").write_text(record)
    files = _write_tables(building, settings.name, version, content)
    (building / "prov.json").write_text(prov_json(json.loads(record), files), encoding="utf-8")
    (building / "dictionary.csv").write_text(dictionary.as_csv(content.columns), encoding="utf-8")
    (building / "dictionary.json").write_text(dictionary.as_json(content.columns), encoding="utf-8")
    sizes = {name: (building / name).stat().st_size for name in files}
    (building / "croissant.json").write_text(croissant(about, files, sizes, content.columns), encoding="utf-8")
    card_text = card.data_card(_facts(settings, version, content))
    (building / "DATA_CARD.md").write_text(card_text, encoding="utf-8")
    write_changes(building, releases, settings.name, version, crowd(content.verdict))
    _write_checklists(building, settings, content)
    write_public_report(building, content.results)
    _write_crate(building, about, content)
    _no_code_of_the_run(building, content)
    _sign(building, settings.name, version, content, key)
    _nothing_closed(building, content)


def _about(settings: Release, version: str, content: Content) -> About:
    rows, people = content.tables["features"].num_rows, card.patients(content.tables["features"])
    return About(
        name=settings.name,
        version=version,
        title=f"{settings.name} {version}",
        description=f"Radiomics features of {people} patients, {rows} regions, released under the policy "
        f"{content.verdict['policy']} for: {content.verdict['recipients']}.",
        publisher=settings.publisher or "",
        contact=settings.contact or "",
        published=settings.published or "",
    )


def _write_tables(building: Path, name: str, version: str, content: Content) -> dict[str, str]:
    """The tables, each column with its line of the dictionary; their digests by file."""
    metadata = {
        "release": name,
        "version": version,
        "policy": content.verdict["policy"],
        "status": content.verdict["legal"]["status"],
        "provenance": sha256(building / "provenance.json"),
        "terms": sha256(building / "TERMS.md"),
        "terms_file": "TERMS.md",
    }
    files = {}
    for table_name, rows in content.tables.items():
        lines = [line for line in content.columns if line.table == table_name]
        path = building / f"{table_name}.parquet"
        schema = dictionary.described(rows.schema, lines, metadata)
        tables.write_stream(path, schema, (part.cast(schema) for part in parts_of(rows)))
        files[path.name] = sha256(path)
    return files


def _facts(settings: Release, version: str, content: Content) -> card.Facts:
    found = content.tables
    return card.Facts(
        name=settings.name,
        version=version,
        sources=settings.sources,
        publisher=settings.publisher or "",
        contact=settings.contact or "",
        published=settings.published or "",
        terms="TERMS.md" in content.papers,
        risk=content.risk,
        treatment=content.treatment,
        purpose=str(content.record.settings.get("consent", {}).get("purpose", "")),
        verdict=content.verdict,
        features=found["features"],
        acquisition=found["acquisition"],
        crosscheck=rows_of(found, "crosscheck"),
        columns=content.columns,
        outcomes=content.outcomes,
        images=content.images.series,
        images_left_out=content.images.left_out,
        provenance_records=found["provenance"].num_rows,
        stability=rows_of(found, "stability"),
    )


def _write_checklists(building: Path, settings: Release, content: Content) -> None:
    items = checklists.filled(
        checklists.Known(
            verdict=content.verdict,
            tables=content.tables,
            columns=content.columns,
            sources=settings.sources,
            images=content.images.series,
            treatment=content.treatment,
            study=content.study,
        )
    )
    folder = building / "checklists"
    folder.mkdir(exist_ok=True)
    (folder / "README.md").write_text(checklists.overview(items), encoding="utf-8")
    for name in checklists.TITLES:
        (folder / f"{name}.csv").write_text(checklists.as_csv(items, name), encoding="utf-8")


def _write_crate(building: Path, about: About, content: Content) -> None:
    """Last of the descriptions: it lists what is there, and the two files that come after it."""
    names = [name for name in check.files_of(building) if not name.startswith(IMAGES) and name != METADATA]
    sizes = {name: (building / name).stat().st_size for name in names if name != check.PUBLIC_KEY}
    text = crate(about, sizes, content.record.versions["radcurate"])
    (building / METADATA).write_text(text, encoding="utf-8")


def _no_code_of_the_run(building: Path, content: Content) -> None:
    found = codes_of_the_run(building, content.internal)
    if found:
        raise CurationError(
            "a code of the run would go out",
            wanted="the codes of the release only; those of the run lead to the hospital's working copies",
            found=", ".join(found),
            fix="this is a defect of radcurate: please report it; nothing was released",
        )


def _nothing_closed(building: Path, content: Content) -> None:
    names = [*check.files_of(building), check.SUMS, check.ATTESTATION]
    closed = beyond(content.verdict["access"], names)
    if closed:
        raise CurationError(
            "files would go out that are closed to the recipients",
            wanted=f"files that config/governance/access.yaml opens to: {content.verdict['access']['tier']}",
            found=", ".join(closed[:5]) + ("; …" if len(closed) > 5 else ""),
            fix="leave them out (release.images: false), or release under a policy for a narrower circle",
        )


def _sign(building: Path, name: str, version: str, content: Content, key: Key) -> None:
    """The public key, the checksums, and the attestation over everything."""
    (building / check.PUBLIC_KEY).write_text(signing.public_pem(key))
    found = check.digests(building)
    (building / check.SUMS).write_text(check.as_lines(found), encoding="utf-8")
    about = {
        "release": name,
        "version": version,
        "policy": content.verdict["policy"],
        "policy_digest": content.verdict["policy_digest"],
        "recipients": content.verdict["recipients"],
        "status": content.verdict["legal"]["status"],
        "key_id": key.key_id,
        "terms": found["TERMS.md"],
        "provenance": found["provenance.json"],
        "verdict": found["verdict.json"],
    }
    statement = attestation.statement(found | {check.SUMS: check.digest_of(building)}, about)
    (building / check.ATTESTATION).write_text(signing.sign(statement, key))


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")

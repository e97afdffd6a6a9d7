"""What a DICOMweb server says it has (QIDO-RS, PS3.18 section 10.6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from radcurate.errors import CurationError
from radcurate.sources.access import is_uid
from radcurate.sources.web import Server

STUDY, SERIES, SOP = "0020000D", "0020000E", "00080018"
STUDY_DATE, MODALITY = "00080020", "00080060"
IN_STUDY, IN_SERIES = "00201208", "00201209"  # NumberOfStudyRelatedInstances, NumberOfSeriesRelatedInstances
MOST_PAGES = 1_000_000


@dataclass(frozen=True)
class Filters:
    """What of the server is wanted.

    studies: StudyInstanceUIDs, None for all. modalities: of series, empty for all. since, until: StudyDate as YYYYMMDD,
    "" for no limit. page: entries that are asked for at a time.
    """

    studies: tuple[str, ...] | None = field(default=None, repr=False)
    modalities: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    page: int = 1000


@dataclass(frozen=True)
class Listed:
    """A study, a series or an instance as the server tells it. number: instances in it, None where it doesn't say."""

    uid: str = field(repr=False)
    number: int | None = None


def studies(server: Server, filters: Filters) -> list[Listed]:
    """The studies that the filters leave, sorted. One that was asked for by number and isn't there has the number 0."""
    query: dict[str, object] = {"includefield": IN_STUDY}
    if filters.since or filters.until:
        query["StudyDate"] = f"{filters.since}-{filters.until}"
    found: dict[str, Listed] = {}
    if filters.studies is None:
        for entry in _pages(server, "/studies", query, filters.page, STUDY):
            _keep(entry, STUDY, IN_STUDY, filters, found)
        return [found[uid] for uid in sorted(found)]
    for uid in filters.studies:
        entries = _pages(server, "/studies", {**query, "StudyInstanceUID": uid}, filters.page, STUDY)
        for entry in entries:
            if _text(entry, STUDY) == uid:
                _keep(entry, STUDY, IN_STUDY, filters, found)
        found.setdefault(uid, Listed(uid, 0))
    return [found[uid] for uid in sorted(found)]


def series(server: Server, study: str, filters: Filters) -> list[Listed]:
    """The series of a study that the filters leave, sorted."""
    found: dict[str, Listed] = {}
    query: dict[str, object] = {"includefield": IN_SERIES}
    for entry in _pages(server, f"/studies/{study}/series", query, filters.page, SERIES):
        if not filters.modalities or _text(entry, MODALITY) in filters.modalities:
            _keep(entry, SERIES, IN_SERIES, filters, found)
    return [found[uid] for uid in sorted(found)]


def instances(server: Server, study: str, one: Listed, filters: Filters) -> list[str]:
    """SOPInstanceUIDs of a series, sorted."""
    found: dict[str, Listed] = {}
    path = f"/studies/{study}/series/{one.uid}/instances"
    for entry in _pages(server, path, {}, filters.page, SOP, one.number):
        _keep(entry, SOP, "", filters, found)
    return sorted(found)


def _keep(entry: Mapping[str, Any], tag: str, number: str, filters: Filters, found: dict[str, Listed]) -> None:
    """Note an entry, unless its day is outside the limits: not every server heeds them."""
    uid, day = _text(entry, tag), _text(entry, STUDY_DATE) if tag == STUDY else ""
    if day and ((filters.since and day < filters.since) or (filters.until and day > filters.until)):
        return
    if not is_uid(uid):
        raise CurationError(
            "the DICOMweb server names something that is no UID",
            wanted="digits and dots, at most 64 (PS3.5 section 9.1)",
            found="something else",
            fix="ask whoever runs the server; nothing of that name can be fetched",
        )
    found[uid] = Listed(uid, _number(entry, number) if number else None)


def _pages(
    server: Server, path: str, query: dict[str, object], page: int, tag: str, known: int | None = None
) -> Iterator[dict[str, Any]]:
    """All entries, page by page.

    The end is a page without anything new: some servers give fewer than they are asked for, some heed no offset and give
    the same page for ever. A page that isn't full ends it too, unless the server says that there is more, or `known`
    entries haven't come yet.
    """
    seen: set[str] = set()
    offset = 0
    for _ in range(MOST_PAGES):
        entries, more = server.listed(path, {**query, "limit": page, "offset": offset})
        fresh = [entry for entry in entries if _text(entry, tag) not in seen]
        seen.update(_text(entry, tag) for entry in fresh)
        yield from fresh
        offset += len(entries)
        full = len(entries) >= page or more or (known is not None and len(seen) < known)
        if not fresh or not full or (known is not None and len(seen) >= known):
            return


def _value(entry: Mapping[str, Any], tag: str) -> object:
    attribute = entry.get(tag)
    values = attribute.get("Value") if isinstance(attribute, dict) else None
    return values[0] if isinstance(values, list) and values else None


def _text(entry: Mapping[str, Any], tag: str) -> str:
    value = _value(entry, tag)
    return value.strip(" \0") if isinstance(value, str) else ""


def _number(entry: Mapping[str, Any], tag: str) -> int | None:
    value = _value(entry, tag)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return int(value) if isinstance(value, str) and value.strip().isdigit() else None

"""The studies of a DICOMweb server as a tree of files: study, series, instance."""

from __future__ import annotations

import json
import logging
import shutil
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from radcurate.errors import CurationError
from radcurate.identity.files import private_folder
from radcurate.keys import Key
from radcurate.settings import Dicomweb, Fetch
from radcurate.sources import qido, wado
from radcurate.sources.access import read_access, read_studies
from radcurate.sources.qido import Filters, Listed
from radcurate.sources.refusal import Problem
from radcurate.sources.store import Stored, digest_of, intact
from radcurate.sources.wado import Shelf
from radcurate.sources.web import Absent, Patience, Server, Unanswered
from radcurate.stages._fetch_parts import Part, read_part, still_there, write_part

log = logging.getLogger("radcurate")
MARK, STATE = ".origin", ".state"  # whose the files are, and what there was to fetch when the run was planned


@dataclass(frozen=True)
class Place:
    """What is the same for all studies. closely: whether files of earlier runs are read again."""

    out: Path
    key: Key
    filters: Filters
    closely: bool
    notes: str = field(repr=False)  # what else decides what is fetched of a study


@dataclass
class Count:
    """Instances, over all studies, for the log."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    fetched: int = 0
    known: int = 0
    studies: int = 0


def open_server(address: str, settings: Dicomweb, impatient: bool = False) -> Server:
    """A server as configured.

    Args:
        address: its base, without `dicomweb+`.
        settings: of fetch.dicomweb, paths absolute.
        impatient: for a plan, which nobody wants to wait for: two attempts.

    Raises:
        CurationError: credentials or certificates can't be read.
    """
    retries = min(settings.retries, 1) if impatient else settings.retries
    patience = Patience(settings.timeout, retries, settings.rate)
    return Server(address, read_access(settings.credentials), patience, settings.authority)


def filters_of(settings: Dicomweb) -> Filters:
    """What of the server is wanted.

    Raises:
        CurationError: the list of studies can't be read.
    """
    days = [day.strftime("%Y%m%d") if day else "" for day in (settings.since, settings.until)]
    listed = read_studies(settings.studies)
    return Filters(None if listed is None else tuple(listed), settings.modalities, days[0], days[1], settings.page)


def state_of(server: Server, filters: Filters, key: Key) -> str:
    """A keyed code of the studies that the filters leave and of the number of instances in each."""
    listed = [(study.uid, study.number) for study in qido.studies(server, filters)]
    return key.code("server", json.dumps(listed), json.dumps(filters.modalities), length=32)


def planned_state(settings: Dicomweb, address: str, key: Key, out: Path) -> str:
    """`state_of` for a plan; if the server is silent, the one that the last fetch noted, and a word about that.

    Raises:
        CurationError: it is silent and nothing was fetched from it yet.
    """
    noted = out / STATE if (out / MARK).is_file() and (out / MARK).read_text() == key.file_code(address) else None
    server = open_server(address, settings, impatient=True)
    try:
        return state_of(server, filters_of(settings), key)
    except Unanswered as error:
        if noted and noted.is_file():
            print(f"radcurate: the DICOMweb server: {error.why}; going on with what was fetched", file=sys.stderr)
            return noted.read_text()
        raise silent(error.why) from None
    finally:
        server.close()


def silent(why: str, came: str = "nothing came yet") -> CurationError:
    """The error of a server that does not answer."""
    return CurationError(
        "the DICOMweb server does not answer",
        wanted="an answer to every request, if need be after some attempts",
        found=f"{why}; {came}",
        fix="run snakemake again when the server is there: what came stays, only the rest is asked for",
    )


def told(fetch: Fetch, more: str) -> Dicomweb:
    """The settings with what came through the environment."""
    return Dicomweb.model_validate(fetch.dicomweb.model_dump() | json.loads(more or "{}"))


def fetch(settings: Dicomweb, address: str, out: Path, key: Key, closely: bool) -> list[Part]:
    """Fetch what is new, keep what is not; the parts of the whole, by name.

    Raises:
        CurationError: the server can't be asked or stopped answering; what came so far stays.
    """
    server, filters, count = open_server(address, settings), filters_of(settings), Count()
    place = Place(out, key, filters, closely, json.dumps(settings.modalities))
    try:
        studies = qido.studies(server, filters)
        codes = {study.uid: key.file_code(study.uid) for study in studies}
        _forget_others(codes, out)
        _all(server, studies, codes, place, settings.connections, count)
    except Unanswered as error:
        raise silent(error.why, f"{count.fetched} instances came in this run, {count.known} were here") from None
    finally:
        server.close()
    log.info("fetch: %d instances came, %d were here", count.fetched, count.known)
    parts = [read_part(out / "parts" / code, key) for code in sorted(codes.values())]
    return [part for part in parts if part is not None]


def _all(
    server: Server, studies: list[Listed], codes: dict[str, str], place: Place, connections: int, count: Count
) -> None:
    """Every study, some at a time; the first failure ends all."""
    waiting, stop = iter(studies), threading.Event()
    lock = threading.Lock()

    def work(number: int) -> None:
        own = server.another()
        folder = private_folder(place.out / ".new" / str(number))
        try:
            while not stop.is_set():
                with lock:
                    study = next(waiting, None)
                if study is None:
                    return
                _study(own, study, codes[study.uid], place, folder, count)
                _progress(count, len(studies))
        except BaseException:
            stop.set()
            raise
        finally:
            own.close()

    with ThreadPoolExecutor(connections) as pool:
        for done in [pool.submit(work, number) for number in range(connections)]:
            done.result()


def _progress(count: Count, total: int) -> None:
    with count.lock:
        count.studies += 1
        if total >= 8 and 4 * count.studies // total != 4 * (count.studies - 1) // total:
            log.info("fetch: %d of %d studies", count.studies, total)


def _study(server: Server, study: Listed, code: str, place: Place, waiting: Path, count: Count) -> None:
    """Bring one study up to date and write its part."""
    folder = place.out / "parts" / code
    part, about = read_part(folder, place.key), {"study": study.uid, "number": study.number, "notes": place.notes}
    same = part is not None and study.number is not None and part.about == about and not part.problems()
    if part and same and still_there(part, place.out / "files", place.closely):
        with count.lock:
            count.known += len(part.files())
        return
    noted = {file.path: file for file in part.files()} if part and not place.closely else {}
    listed = qido.series(server, study.uid, place.filters)
    files: list[Stored] = []
    problems = [] if listed or not _asked_for(study, place) else [Problem(study.uid, "no_such_study")]
    here = place.out / "files" / study.uid
    _remove_others(here, {one.uid for one in listed})
    for one in listed:
        came, missing = _series(server, study.uid, one, place, waiting, noted, count)
        files += came
        problems += missing
    write_part(folder, files, problems, about, place.key)


def _asked_for(study: Listed, place: Place) -> bool:
    """Whether somebody named this study; of one that was only found, the filters may leave nothing."""
    return place.filters.studies is not None and study.uid in place.filters.studies


def _series(
    server: Server, study: str, one: Listed, place: Place, waiting: Path, noted: dict[str, Stored], count: Count
) -> tuple[list[Stored], list[Problem]]:
    """Files and missing instances of one series."""
    listed = qido.instances(server, study, one, place.filters)
    prefix = f"{study}/{one.uid}"
    folder = place.out / "files" / study / one.uid
    _remove_others(folder, {f"{sop}.dcm" for sop in listed})
    known = [file for sop in listed if (file := _known(folder, f"{prefix}/{sop}.dcm", noted))]
    here = {Path(file.path).stem for file in known}
    shelf = Shelf(folder, waiting, prefix, one.uid, set(listed) - here)
    try:
        problems = _bring(server, study, shelf, whole=len(listed) > 1 and 2 * len(here) <= len(listed))
    finally:
        with count.lock:
            count.known += len(known)
            count.fetched += len(shelf.files)
    if one.number is not None and one.number > len(listed):
        problems.append(Problem(prefix, "fewer_on_server", 0, one.uid))
    return [*known, *shelf.files], problems


def _bring(server: Server, study: str, shelf: Shelf, whole: bool) -> list[Problem]:
    """Fetch what is wanted: the series in one answer, then one by one what that left out."""
    if whole:
        with suppress(Absent, Unanswered):  # then each instance is asked for by itself, with more patience
            wado.fetch_series(server, study, shelf)
    problems = []
    for sop in sorted(shelf.wanted):
        try:
            wado.fetch_instance(server, study, sop, shelf)
            reason = "wrong_answer"
        except Absent:
            reason = "missing_on_server"
        if sop in shelf.wanted:
            problems.append(Problem(f"{shelf.prefix}/{sop}.dcm", reason, 0, shelf.series, sop))
    return problems


def _known(folder: Path, path: str, noted: dict[str, Stored]) -> Stored | None:
    """A file of an earlier run: as its part noted it, or else if its time fits its content; a torn one is removed."""
    file = folder / Path(path).name
    try:
        size = file.lstat().st_size
    except OSError:
        return None
    before = noted.get(path)
    if before and before.size == size:
        return before
    if intact(file):
        return Stored(path, size, digest_of(file))
    file.unlink()
    return None


def _forget_others(codes: dict[str, str], out: Path) -> None:
    _remove_others(out / "files", set(codes))
    _remove_others(out / "parts", set(codes.values()))


def _remove_others(folder: Path, wanted: set[str]) -> None:
    """Leave only entries of these names."""
    for entry in _entries(folder):
        if entry.name not in wanted:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


def _entries(folder: Path) -> Iterator[Path]:
    return iter(sorted(folder.iterdir())) if folder.is_dir() else iter(())

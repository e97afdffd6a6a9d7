"""Archives, and the plain files beside them, as one tree of plain files."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from radcurate.dicom.tree import Found, find_files
from radcurate.errors import CurationError
from radcurate.identity.files import private_folder
from radcurate.keys import Key
from radcurate.settings import Fetch
from radcurate.sources.archives import Unpacked, unpack, written
from radcurate.sources.limits import GIGABYTE, Limits, Meter
from radcurate.sources.origin import is_archive
from radcurate.sources.refusal import Problem, Refused
from radcurate.sources.store import Stored, digest_of
from radcurate.stages._fetch_parts import Part, read_part, still_there, write_part
from radcurate.stages._pool import map_items

log = logging.getLogger("radcurate")
LINKS = "links"
LIMITED = {"archive_too_large", "archive_too_deep"}


@dataclass(frozen=True)
class Job:
    """An archive and where its part goes."""

    found: Found = field(repr=False)
    code: str


@dataclass(frozen=True)
class Place:
    """What is the same for all archives. closely: whether files of earlier runs are read again."""

    root: Path = field(repr=False)
    out: Path
    key: Key
    limits: Limits
    closely: bool


def linked_root(source: Path) -> str | None:
    """The folder that links may lead into; None for a single archive."""
    return str(source) if source.is_dir() else None


def fetch(settings: Fetch, source: Path, out: Path, key: Key, threads: int, closely: bool) -> list[Part]:
    """Unpack what is new, keep what is not, link the rest; the parts of the whole, by name.

    Raises:
        CurationError: there is no such archive or folder, or the disk is full.
    """
    place = Place(source if source.is_dir() else source.parent, out, key, _limits(settings), closely)
    packed, plain = _sort(source, settings.archives)
    jobs = [Job(found, key.file_code(found.path)) for found in packed]
    _forget_others({job.code for job in jobs}, out, key)
    done = map_items(partial(_fetch_one, place), jobs, threads, "fetch: opening archives")
    log.info("fetch: %d archives: %d opened, %d known", len(jobs), sum(done), len(jobs) - sum(done))
    _link(plain, {job.found.path for job in jobs}, place)
    parts = [read_part(out / "parts" / name, key) for name in sorted([LINKS, *(job.code for job in jobs)])]
    return [part for part in parts if part is not None]


def _limits(settings: Fetch) -> Limits:
    most = int(settings.most_gigabytes * GIGABYTE)
    return Limits(most, settings.most_files, settings.most_ratio, settings.nesting)


def _sort(source: Path, unpacking: bool) -> tuple[list[Found], list[Found]]:
    """Archives to open and everything else, below a folder or of a single archive."""
    if source.is_dir():
        every = list(find_files(source))
        chosen = [unpacking and not found.problem and is_archive(found.path) for found in every]
        return [f for f, yes in zip(every, chosen, strict=True) if yes], [
            f for f, yes in zip(every, chosen, strict=True) if not yes
        ]
    try:
        status = source.stat()
    except OSError:
        raise CurationError(
            "the input can't be used", wanted="an archive", found="nothing there", fix="correct `input`"
        ) from None
    return [Found(source.name, status.st_size, status.st_mtime_ns)], []


def _fetch_one(place: Place, job: Job) -> bool:
    """Make the part of one archive unless it is there; whether it had to be opened."""
    folder = place.out / "parts" / job.code
    known = read_part(folder, place.key)
    if known and _serves(known, place, job):
        return False
    shutil.rmtree(folder, ignore_errors=True)
    target = place.out / "files" / job.found.path
    shutil.rmtree(target, ignore_errors=True)
    fresh = place.out / ".new" / job.code
    shutil.rmtree(fresh, ignore_errors=True)
    private_folder(fresh)
    before = _about(place, job)
    came = _open(place, job, fresh)
    if came.files:
        private_folder(target.parent)
        fresh.rename(target)
    prefix = job.found.path
    files = [Stored(f"{prefix}/{file.path}", file.size, file.digest) for file in came.files]
    problems = [
        Problem(f"{prefix}/{p.name}" if p.name else prefix, p.reason, p.size, p.series, p.sop) for p in came.problems
    ]
    write_part(folder, files, problems, before, place.key)
    return True


def _about(place: Place, job: Job) -> dict[str, Any]:
    """What a part is made of. Taken before the archive is opened: one that grows meanwhile is opened again next time."""
    try:
        digest = digest_of(place.root / job.found.path)
    except OSError:
        digest = ""
    return {
        "size": job.found.size,
        "mtime_ns": job.found.mtime_ns,
        "digest": digest,
        "limits": vars(place.limits),
        "path": job.found.path,
    }


def _serves(part: Part, place: Place, job: Job) -> bool:
    """Whether a part is what opening the archive again would give."""
    about, limits = part.about, vars(place.limits)
    old = about.get("limits", {})
    if old != limits:
        lower = any(limits[name] < old.get(name, 0) for name in limits)
        if lower or limits["depth"] != old.get("depth") or any(p["reason"] in LIMITED for p in part.problems()):
            return False
    if (about.get("size"), about.get("mtime_ns")) != (job.found.size, job.found.mtime_ns) and (
        not about.get("digest") or about["digest"] != digest_of(place.root / job.found.path)
    ):
        return False
    return still_there(part, place.out / "files", place.closely)


def _open(place: Place, job: Job, fresh: Path) -> Unpacked:
    """All that is in an archive; nothing but the reason where it is refused."""
    meter = Meter(place.limits, job.found.size, fresh)
    try:
        return unpack(place.root / job.found.path, fresh, meter)
    except Refused as refused:
        reason = refused.reason
    except FileNotFoundError:
        reason = "vanished"
    except PermissionError:
        reason = "unreadable"
    shutil.rmtree(fresh, ignore_errors=True)
    return Unpacked([], [Problem("", reason, job.found.size)])


def _forget_others(codes: set[str], out: Path, key: Key) -> None:
    """Remove what came out of archives that are not in the input any more."""
    for folder in sorted((out / "parts").iterdir()):
        if folder.name == LINKS or folder.name in codes:
            continue
        part = read_part(folder, key)
        if part is not None:
            shutil.rmtree(out / "files" / str(part.about["path"]), ignore_errors=True)
        shutil.rmtree(folder)


def _link(plain: list[Found], archives: set[str], place: Place) -> None:
    """Links to the plain files, and none to others; entries that are no files are told as the inventory would."""
    files, wanted = place.out / "files", {found.path for found in plain if not found.problem}
    for path in _others(files, wanted | archives):
        path.unlink() if path.is_symlink() or not path.is_dir() else shutil.rmtree(path)
    for name in sorted(wanted):
        link = files / name
        target = place.root / name
        if link.is_symlink() and link.readlink() == target:
            continue
        link.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    stored = [Stored(found.path, found.size, None, found.mtime_ns) for found in plain if found.path in wanted]
    problems = [Problem(written(found.path), found.problem, found.size) for found in plain if found.problem]
    write_part(place.out / "parts" / LINKS, stored, problems, {}, place.key)


def _others(files: Path, wanted: set[str]) -> list[Path]:
    """Entries below `files` that are neither wanted nor on the way to what is."""
    above = {str(folder) for name in wanted for folder in PurePosixPath(name).parents}
    found, folders = [], [""]
    while folders:
        prefix = folders.pop()
        for entry in sorted((files / prefix).iterdir()):
            name = f"{prefix}{entry.name}"
            if name in above and entry.is_dir() and not entry.is_symlink():
                folders.append(f"{name}/")
            elif name not in wanted:
                found.append(entry)
    return found

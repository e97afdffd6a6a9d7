"""The files of a folder: found in a fixed order, never followed out of it, never opened here."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple


class Found(NamedTuple):
    """A directory entry that is to be accounted for; `problem` is a reason code when it can't be read at all."""

    path: str  # relative to the input folder, POSIX form
    size: int
    mtime_ns: int
    problem: str | None = None
    ctime_ns: int = 0  # when anything about the file changed last, which nobody can set back; 0 where it wasn't asked


def fingerprint(source: Path, time_of: Callable[[Found], int] | None = None) -> str:
    """SHA-256 over relative path, size and time of every entry below `source`; "absent" where there is no folder.

    Nothing is opened, so that it takes seconds for a million files; the paths can't be read back from it.

    Args:
        source: the folder.
        time_of: what counts as an entry's time, ns, where that is not its mtime.
    """
    if not source.is_dir():
        return "absent"
    digest = hashlib.sha256()
    for found in find_files(source):
        time = time_of(found) if time_of else found.mtime_ns
        line = f"{found.path}\0{found.size}\0{time}\0{found.problem}\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def entries_below(folder: Path) -> Iterator[os.DirEntry[str] | None]:
    """Every entry below `folder` that is no folder itself, in no order; None for a folder that can't be listed.

    Links are entries and are not followed.
    """
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        yield entry
        except OSError:
            yield None


def count_files(source: Path) -> int:
    """How many entries `find_files` would give, without asking for their sizes."""
    return sum(1 for _ in entries_below(source))


def find_files(source: Path, linked: str | None = None) -> Iterator[Found]:
    """Every file below `source`, sorted by name within each folder.

    A link to a file inside is reported as `link` (the file is read under its own name), a link that leads out as
    `link_outside`; links to folders inside are not followed, so that there can be no loop.

    Args:
        source: the folder.
        linked: folder that fetch linked plain files of; a link at `path` that is `linked/path` is that file.
    """
    root = os.path.realpath(source)
    folders = [("", root)]
    while folders:
        prefix, folder = folders.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            yield Found(prefix.rstrip("/") or ".", 0, 0, "unreadable_folder")
            continue
        folders.extend((f"{prefix}{e.name}/", e.path) for e in reversed(entries) if e.is_dir(follow_symlinks=False))
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                found = _entry(prefix + entry.name, entry, root, linked)
                if found is not None:
                    yield found


def _entry(path: str, entry: os.DirEntry[str], root: str, linked: str | None) -> Found | None:
    try:
        status = entry.stat(follow_symlinks=False)
        if linked and stat.S_ISLNK(status.st_mode) and Path(entry.path).readlink() == Path(linked, path):
            status = Path(linked, path).lstat()
    except OSError:
        return Found(path, 0, 0, "vanished")
    if stat.S_ISLNK(status.st_mode):
        problem = _link_problem(entry.path, root)
        return Found(path, 0, status.st_mtime_ns, problem, status.st_ctime_ns) if problem else None
    if not stat.S_ISREG(status.st_mode):
        return Found(path, 0, status.st_mtime_ns, "not_a_file", status.st_ctime_ns)
    problem = None if is_portable(path) else "file_name"
    return Found(path, status.st_size, status.st_mtime_ns, problem, status.st_ctime_ns)


def opened(found: Found, status: os.stat_result) -> Found | None:
    """The entry with the size that the open file has; None where it was written to since it was listed."""
    if found.ctime_ns and (status.st_size, status.st_mtime_ns) != (found.size, found.mtime_ns):
        return None
    return found._replace(size=status.st_size)


def is_same(before: os.stat_result, after: os.stat_result) -> bool:
    """Whether nobody wrote to a file in between."""
    return (before.st_size, before.st_mtime_ns, before.st_ctime_ns) == (
        after.st_size,
        after.st_mtime_ns,
        after.st_ctime_ns,
    )


def _link_problem(path: str, root: str) -> str | None:
    target = os.path.realpath(path)
    if not target.startswith(root + os.sep):
        return "link_outside" if target != root else None
    if Path(target).is_dir():
        return None
    return "link" if Path(target).exists() else "broken_link"


def is_portable(path: str) -> bool:
    """Whether the name can be written down: a name in an old 8-bit code page is no text."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True

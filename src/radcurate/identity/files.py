"""Files that link to people: mode 0600, replaced as a whole, never where the run's results lie."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from radcurate.errors import CurationError

RESULTS = "results"
MARKS = (".snakemake", "Snakefile", "results/.input", "results/consent")  # a folder with one of them is worked in


def write_private(path: Path, content: bytes) -> None:
    """Write `content` to `path` with mode 0600, whatever the umask; what was there is replaced once all is on disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(handle, 0o600)
            stream.write(content)
            stream.flush()
            os.fsync(handle)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def private_folder(path: Path) -> Path:
    """A folder of mode 0700 at `path`, made if needed; folders made on the way are 0700 too, existing ones stay."""
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)  # another job may be quicker
    path.chmod(0o700)
    return path


def refuse_inside(path: Path, what: str, folders: Iterable[Path] = ()) -> None:
    """Insist that `path` lies in no folder that shows the marks of a run, and in none of `folders`.

    Args:
        path: a file or folder, which need not exist.
        what: names it in the message, such as "a key".
        folders: where else it must not be.

    Raises:
        CurationError: it does.
    """
    place = path.expanduser().resolve()
    linked = Path(RESULTS).resolve()  # results may be a link to another disk
    if any(place.is_relative_to(folder.resolve()) for folder in (*folders, linked)) or any(
        _is_run(folder) for folder in (place, *place.parents)
    ):
        raise CurationError(
            f"{what} does not belong into the run folder or the export",
            wanted="a place outside the folders that are worked in and shared",
            found="a place below one of them",
            fix="name another place, such as below ~/.config/radcurate",
        )


def refuse_here(path: Path, what: str) -> None:
    """`refuse_inside` for something new: the working directory may be about to become a run folder, but not the home.

    Raises:
        CurationError: as `refuse_inside`.
    """
    here = Path.cwd()
    refuse_inside(path, what, [] if Path.home().resolve().is_relative_to(here) else [here])


def _is_run(folder: Path) -> bool:
    return any((folder / mark).exists() for mark in MARKS)

"""fetch: make plain files of archives and of a DICOMweb server, where the input is no plain folder."""

from __future__ import annotations

import logging
import os
import shutil
from collections import Counter
from pathlib import Path

from radcurate import seals, tables
from radcurate.dicom.reasons import file_remedy
from radcurate.errors import CurationError
from radcurate.identity.files import private_folder, write_private
from radcurate.keys import Key
from radcurate.settings import Fetch
from radcurate.stages import _fetch_archives as archives
from radcurate.stages import _fetch_server as servers
from radcurate.stages._command import command
from radcurate.stages._fetch_parts import FILES, PROBLEMS, Part
from radcurate.stages._fetch_server import MARK, STATE
from radcurate.stages._folders import write_json

log = logging.getLogger("radcurate")
WORKING, ABOUT = ".working", "fetched.json"


def run(settings: Fetch, source: str, out: Path, key: Key, threads: int, server: str = "", state: str = "") -> None:
    """Write plain files of `source` to `out/files` and what could not be had to `out/problems.parquet`.

    What an earlier run fetched from the same source stays where it is unchanged.

    Args:
        settings: of fetch.
        source: path of an archive or of a folder with archives, or a server's address.
        out: folder of the results.
        key: of the project.
        threads: archives that are opened at a time.
        server: more settings of the server, as JSON.
        state: of the source when the run was planned; noted for a plan that finds the server silent.
    """
    closely = _begin(out, key.file_code(source))
    try:
        if source.startswith(("http://", "https://")):
            linked, parts = None, servers.fetch(servers.told(settings, server), source, out, key, closely)
        else:
            path = Path(source)
            linked, parts = archives.linked_root(path), archives.fetch(settings, path, out, key, threads, closely)
    except CurationError:  # nothing was torn: what came so far need not be read again
        _settle(out)
        raise
    _finish(out, parts, key, linked)
    write_private(out / STATE, state.encode())
    _settle(out)


def _settle(out: Path) -> None:
    """All is on disk, and said to be."""
    os.sync()
    (out / WORKING).unlink()


def _begin(out: Path, mark: str) -> bool:
    """Prepare the folder; whether the run before didn't end, so that its files have to be looked at closely."""
    private_folder(out)
    written = out / MARK
    if not written.is_file() or written.read_text() != mark:  # of another source
        for path in list(out.iterdir()):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    write_private(written, mark.encode())
    for name in ("files", "parts"):
        private_folder(out / name)
    shutil.rmtree(out / ".new", ignore_errors=True)
    private_folder(out / ".new")
    unfinished = (out / WORKING).exists()
    (out / WORKING).touch(mode=0o600)
    return unfinished


def _finish(out: Path, parts: list[Part], key: Key, linked: str | None) -> None:
    """Write the tables of the whole and seal them; a power cut from here on finds everything on disk."""
    problems = [row for part in parts for row in part.problems()]
    tables.write_rows(out / "problems.parquet", tables.FETCH_PROBLEMS, problems)
    reasons = Counter(str(row["reason"]) for row in problems)
    told = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
    counted = sum(tables.read(part.folder / FILES).num_rows for part in parts)
    if not counted:
        raise CurationError(
            "nothing could be fetched",
            wanted="files, out of the archives or the server that `input` names",
            found=told or "none",
            fix="; ".join(sorted({f"{reason}: {file_remedy(reason)}" for reason in reasons})) or "correct `input`",
        )
    write_json(out / ABOUT, {"files": counted, "linked": linked})
    names = [f"parts/{part.folder.name}/{name}" for part in parts for name in (FILES, PROBLEMS)]
    seals.write_seal(out, ["problems.parquet", ABOUT, *names], key)
    for name in ("problems.parquet", ABOUT, seals.SEAL):
        (out / name).chmod(0o600)
    shutil.rmtree(out / ".new", ignore_errors=True)
    log.info("fetch: %d files; not to be had: %s", counted, told or "nothing")


if __name__ == "__main__":
    command(run)

"""Where a run writes: space, what the file system can do, its clock, and who can look into folders with identity."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from radcurate.dicom.tree import entries_below
from radcurate.operation.finding import Finding, fault, good, note

PRIVATE = ("inventory", "consent", "fetch", "audit", "report", "review")  # folders of a run with identity in them
GIB = 2**30
NEEDED = 1.3  # GB of results for each GB of input, at the peak
LEAST_TEMPORARY = 1.0  # GiB
SKEW = 2.0  # seconds
NETWORK = {"nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "beegfs", "ceph", "fuse.sshfs", "9p", "afs", "orangefs"}


def space(results: Path, used_by_input: int | None) -> Iterator[Finding]:
    """Free space for the results against the size of the input in bytes (None: unknown), and for temporary files."""
    free = shutil.disk_usage(_existing(results)).free
    told = f"{free / GIB:.1f} GiB free for results/"
    if used_by_input is None:
        yield good("space", told)
    elif free < NEEDED * used_by_input:
        missing = (NEEDED * used_by_input - free) / GIB
        yield note(
            "space",
            f"{told}, the input has {used_by_input / GIB:.1f} GiB",
            f"a run takes up to {NEEDED} times its input: free {missing:.1f} GiB more, or snakemake --directory DIR",
        )
    else:
        yield good("space", f"{told}, the input has {used_by_input / GIB:.1f} GiB")
    temporary = shutil.disk_usage(tempfile.gettempdir()).free / GIB
    if temporary < LEAST_TEMPORARY:
        yield note("space", f"{temporary:.2f} GiB free for temporary files", "free some, or export TMPDIR=DIR")


def size_of(folder: Path, patience: float = 20.0) -> int | None:
    """Bytes in all files below `folder`; None where that takes longer than `patience` seconds or can't be read."""
    total, until = 0, time.monotonic() + patience
    for entry in entries_below(folder):
        if entry is None or time.monotonic() > until:
            return None
        total += entry.stat(follow_symlinks=False).st_size
    return total


def abilities(results: Path) -> Iterator[Finding]:
    """Whether files can be written, linked and kept from others there, and whether its clock agrees with this machine's."""
    base = _existing(results)
    try:
        folder = Path(tempfile.mkdtemp(prefix=".doctor-", dir=base))
    except OSError as error:
        yield fault("results", f"can't be written: {os.strerror(error.errno or 0)}", "snakemake --directory DIR")
        return
    try:
        yield from _tried(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    kind = file_system(base)
    if kind in NETWORK:
        yield note("results", f"on {kind}", "a shared file system shows files late: keep `latency-wait` in the profile")


def _tried(folder: Path) -> Iterator[Finding]:
    path = folder / "a"
    before = time.time()
    path.write_bytes(b"x")
    path.chmod(0o600)
    if stat.S_IMODE(path.stat().st_mode) != 0o600:
        remedy = "identity would be readable by others: work on another disk, snakemake --directory DIR"
        yield fault("results", "the file system keeps no permissions", remedy)
    else:
        yield good("results", "can be written, permissions are kept")
    skew = path.stat().st_mtime - before
    if abs(skew) > SKEW:
        remedy = "set both clocks (NTP): Snakemake compares times of files"
        yield note("clock", f"the file system's clock differs by {skew:.0f} s", remedy)
    try:
        (folder / "b").hardlink_to(path)
    except OSError:
        yield note(
            "results", "no hard links", "unchanged images are copied between stages: up to three times the input"
        )


def file_system(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """Type of the file system that holds `folder`, such as ext4 or nfs4; empty where that can't be told."""
    place, best, kind = os.path.realpath(folder), "", ""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return ""
    for line in lines:
        _, point, found, *_ = line.split()
        point = point.encode().decode("unicode_escape")
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, found
    return kind


def privacy(results: Path) -> Iterator[Finding]:
    """Folders and files with identity that others may open."""
    open_ones = [path for name in PRIVATE for path in _open_below(results / name)]
    if not open_ones:
        yield good("permissions", "folders with identity are closed to others")
        return
    names = sorted({path.relative_to(results).parts[0] for path in open_ones})
    remedy = "chmod -R go= " + " ".join(f"results/{name}" for name in names) + "; who may have looked?"
    yield fault("permissions", f"{len(open_ones)} files and folders with identity can be opened by others", remedy)


def _open_below(folder: Path) -> Iterator[Path]:
    """A closed folder closes all below it, so only an open one is looked into."""
    if not folder.exists() or not folder.stat().st_mode & 0o077:
        return
    yield folder
    for base, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(base) / name
            if path.lstat().st_mode & 0o077 and not path.is_symlink() and path.name != ".snakemake_timestamp":
                yield path


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    place = folder.absolute()
    return next(each for each in (place, *place.parents) if each.is_dir())

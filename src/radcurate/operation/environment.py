"""The interpreter and its packages: what is installed against what was pinned."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distributions, requires, version
from pathlib import Path

from radcurate.operation.finding import Finding, fault, good, note

OLDEST = (3, 11)
INSTALL = "make setup (or: uv sync --frozen)"
KERNELS = "radcurate.features.kernels._kernels"
WEIGHTS = (("deepbet", "brain masks of MR"), ("pydeface", "the mean head"), ("rapidocr", "reading text in pixels"))


def interpreter() -> Iterator[Finding]:
    """Python's version, and whether it is an environment of its own."""
    found = sys.version.split()[0]
    if sys.version_info < OLDEST:
        yield fault("python", found, "Python 3.11 or newer: make setup PYTHON=python3.12")
    else:
        yield good("python", f"{found}, {'own environment' if sys.prefix != sys.base_prefix else 'no own environment'}")
    if not sys.flags.utf8_mode and sys.getfilesystemencoding().lower() != "utf-8":
        yield note("python", f"file names are read as {sys.getfilesystemencoding()}", "export PYTHONUTF8=1")


def pins(lock: Path) -> Iterator[Finding]:
    """Installed packages against uv.lock (a package may be there in several versions, one a platform)."""
    if not lock.is_file():
        yield note("packages", "no uv.lock here to compare with", "run it in the project's folder")
        return
    pinned = _pinned(lock)
    installed = {_plain(each.metadata["Name"]): each.version for each in distributions() if each.metadata["Name"]}
    other = {name: found for name, found in installed.items() if name in pinned and found not in pinned[name]}
    missing = [name for name in needed() if name not in installed]
    for name in missing:
        yield fault("packages", f"{name} is not installed", INSTALL)
    for name, found in sorted(other.items()):
        if name != "radcurate":
            yield fault("packages", f"{name} {found}, pinned is {' or '.join(sorted(pinned[name]))}", INSTALL)
    if not missing and not set(other) - {"radcurate"}:
        yield good("packages", f"{len(set(installed) & set(pinned))} as pinned in uv.lock")


def _pinned(lock: Path) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for package in tomllib.loads(lock.read_text())["package"]:
        if "version" in package:
            found.setdefault(_plain(package["name"]), set()).add(package["version"])
    return found


def needed(of: str = "radcurate") -> list[str]:
    """Names of the packages that `of` asks for on every platform, extras left out."""
    return [_plain(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in requires(of) or () if ";" not in line]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def parts(kernels: str = KERNELS, weights: Iterable[tuple[str, str]] = WEIGHTS) -> Iterator[Finding]:
    """What is compiled or comes in wheels: kernels of the features, weights and templates."""
    try:
        import_module(kernels)
        yield good("kernels", "compiled")
    except ImportError:
        yield fault("kernels", "not compiled for this interpreter", f"install a C compiler, then {INSTALL}")
    for package, purpose in weights:
        try:
            version(package)
        except PackageNotFoundError:
            yield fault(package, f"not installed ({purpose})", INSTALL)


def processors(cores: int | None = None) -> Iterator[Finding]:
    """Cores that this process may use, memory, and threads that libraries would start in each of them."""
    usable = cores or len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    told = f"{usable} cores, {memory:.1f} GiB of memory"
    if memory / usable < LEAST_MEMORY:
        enough = max(1, int(memory / LEAST_MEMORY))
        yield note("machine", told, f"less than {LEAST_MEMORY:g} GiB for each core: snakemake --cores {enough}")
    else:
        yield good("machine", told)


LEAST_MEMORY = 2.5  # GiB: what redact asks for

"""Run the files that register features and engines of one's own, once in each process, and remember what they were."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from radcurate.errors import CurationError

NONE = "none"
OTHERS_MAY_WRITE = 0o002


@dataclass(frozen=True)
class Extension:
    """A file that was run; `digest` is the SHA-256 of the very bytes."""

    name: str
    digest: str


_loaded: dict[Path, Extension] = {}


def load(paths: Iterable[Path], never_from: Iterable[Path] = ()) -> None:
    """Run each file that was not run before.

    Args:
        paths: Python files of the user.
        never_from: folders whose content comes from others: the export, results, a release.

    Raises:
        CurationError: no Python file, in such a folder, writable by everybody, or one that fails.
    """
    for path in check(paths, never_from):
        if path not in _loaded:
            if any(other.name == path.name for other in _loaded):
                raise _refused(path, "files with different names", "another one of that name")
            _loaded[path] = _run(path)


def check(paths: Iterable[Path], never_from: Iterable[Path] = ()) -> list[Path]:
    """The real paths of files that may be run; arguments and errors as in `load`, but nothing is run."""
    folders = [folder.resolve() for folder in never_from]
    found = [path.expanduser().resolve() for path in paths]
    for path in found:
        _check(path, folders)
    return found


def told() -> str:
    """What was run, for the provenance: names and digests, or `none`."""
    return "; ".join(f"{one.name} {one.digest}" for one in sorted(_loaded.values(), key=lambda one: one.name)) or NONE


def names(text: str) -> list[str]:
    """File names in a text that `told` made."""
    return [] if text == NONE else [part.split(" ")[0] for part in text.split("; ")]


def _check(path: Path, folders: list[Path]) -> None:
    if path.suffix != ".py" or not path.is_file():
        raise _refused(path, "a Python file", "no such file" if not path.exists() else "something else")
    if any(path.is_relative_to(folder) for folder in folders):
        raise _refused(path, "a file of your own", "one that came with the data")
    if path.stat().st_mode & OTHERS_MAY_WRITE:
        raise _refused(path, "a file that only you may change", "one that everybody may write")


def _run(path: Path) -> Extension:
    source = path.read_bytes()
    name = f"radcurate_extension_{path.stem}"
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # data classes and pickles look there for what they were defined in
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except CurationError:
        raise
    except Exception as error:
        raise _refused(path, "a file that runs", type(error).__name__) from error
    return Extension(path.name, hashlib.sha256(source).hexdigest())


def _refused(path: Path, wanted: str, found: str) -> CurationError:
    return CurationError(
        f"the extension {path.name} can't be used",
        wanted=wanted,
        found=found,
        fix="see docs/howto/own-feature.md; extract.extensions names the files",
    )

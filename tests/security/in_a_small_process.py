"""A process that may take a little more memory than it has once everything is imported, for `test_dicom_bombs`.

    python in_a_small_process.py MEGABYTES TASK ARGUMENT …

Prints a JSON document. Tasks are the functions below; without the protection they end in a MemoryError or worse.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from radcurate.deidentify import nifti
from radcurate.dicom import container
from radcurate.dicom.problems import Unsafe
from radcurate.dicom.scan import scan_batch
from radcurate.dicom.tree import find_files
from radcurate.keys import Key
from radcurate.settings import Inventory
from radcurate.stages import inventory
from radcurate.verify.layout import UnreadableError
from radcurate.verify.nifti import same_labels
from radcurate.verify.sources import read_source


def read(folder: str) -> dict[str, list[str | None]]:
    """Reasons of headers and of files without one, by path."""
    found = {}
    for file in find_files(Path(folder)):
        batch = scan_batch([file], Path(folder))
        found[file.path] = [one.reason for one in batch.unusable] + [header.reason for header in batch.headers]
    return found


def strictly(folder: str) -> dict[str, str]:
    """What the reader of deidentify says of each file."""
    found = {}
    for path in sorted(Path(folder).iterdir()):
        try:
            nifti.fresh_mask(path.read_bytes()) if path.suffix == ".gz" else container.read_file(path.read_bytes())
            found[path.name] = "read"
        except Unsafe as verdict:
            found[path.name] = verdict.reason
    return found


def verified(folder: str) -> dict[str, str]:
    """What verify, which shares no code, says of each file as a source."""
    found = {}
    for path in sorted(Path(folder).iterdir()):
        try:
            layout = read_source(path.read_bytes())
            for top in layout.tops:
                layout.leaves(top)
            found[path.name] = "read"
        except UnreadableError as verdict:
            found[path.name] = str(verdict)
    return found


def masks(old: str, new: str) -> bool:
    """Whether verify takes two masks for equal."""
    return same_labels(Path(old).read_bytes(), Path(new).read_bytes())


def inventoried(source: str, out: str, key: str) -> None:
    inventory.run(Inventory(), Path(source), Path(out), Key(bytes.fromhex(key)), 1)


def main(megabytes: str, task: str, *arguments: str) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    most = used + int(megabytes) * 10**6
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    result: Any = {
        "read": read,
        "strictly": strictly,
        "verified": verified,
        "masks": masks,
        "inventoried": inventoried,
    }[task](*arguments)
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])

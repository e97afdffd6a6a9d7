"""Digests of the files that people keep: a table, a policy, a paper.

Snakemake looks at a file's content only where its time is newer than the results. A table that is replaced by one with an
old time, from a backup or by `cp -p`, would run nothing again: a withdrawal would go unheard. So each rule has the content
of its files as a parameter too.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from blake3 import blake3

from radcurate.keys import Key

DIGITS = 16
ABSENT = "absent"


def contents_codes(paths: Iterable[Path], key: Key) -> dict[str, str]:
    """Keyed code of each file's content, 16 hexadecimal digits, by its folder's name and its own: `config/columns.yaml`.

    Keyed, because parameters are kept in `.snakemake` and a short table could be guessed from a plain digest. A file
    that is absent counts as absent; one more of the same name as its second, third, …
    """
    codes: dict[str, str] = {}
    for path in paths:
        label, count = "/".join(path.parts[-2:]), 1
        while label in codes:
            count += 1
            label = f"{'/'.join(path.parts[-2:])} ({count})"
        codes[label] = _code(path, key)
    return codes


def _code(path: Path, key: Key) -> str:
    try:
        return key.code("contents", blake3().update_mmap(path).hexdigest(), length=DIGITS)
    except OSError:
        return ABSENT

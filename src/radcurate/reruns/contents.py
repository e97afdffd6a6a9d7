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


def contents_code(paths: Iterable[Path], key: Key | None) -> str:
    """Keyed code of the files' content in the order given, 16 hexadecimal digits; "" without a file or a key.

    Keyed, because parameters are kept in `.snakemake` and a short table could be guessed from a plain digest.
    A file that is absent counts as absent.
    """
    digests = [_digest(path) for path in paths]
    return key.code("contents", *digests, length=DIGITS) if key and digests else ""


def _digest(path: Path) -> str:
    try:
        return blake3().update_mmap(path).hexdigest()
    except OSError:
        return "absent"

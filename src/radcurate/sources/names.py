"""Where the members of an archive go: never outside, never one over the other."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from hashlib import blake2b

LONGEST, DEEPEST = 200, 64  # bytes of a component, components of a path
Parts = tuple[str, ...]


def parts_of(name: str) -> Parts | None:
    """Components of a member's name; None where it leads out of the archive or is no name of a file.

    Backslashes separate too: archives made on Windows have them. Bytes that are no text are spelt out, and what is too
    long or too deep for a file system is shortened, so that every member finds a place.
    """
    name = name.replace("\\", "/")
    if name.startswith("/") or "\0" in name or name[1:2] == ":":
        return None
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        return None
    parts = [_short(part.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")) for part in parts]
    if len(parts) > DEEPEST:
        parts = [*parts[: DEEPEST - 2], _digest("/".join(parts[DEEPEST - 2 : -1])), parts[-1]]
    return tuple(parts)


def _short(part: str) -> str:
    part = part.replace("\\", "%").strip() or "_"
    if len(part.encode()) <= LONGEST:
        return part
    return _digest(part) + part[-40:].encode()[-80:].decode("utf-8", "ignore")  # the end tells the kind of file


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass
class Names:
    """Names given so far. Two that a file system may hold for one (case, accents, twice the same) get a number each.

    Which copy counts is not decided here: the inventory compares them.
    """

    files: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)

    def give(self, parts: Parts) -> Parts:
        """A place of its own for a file that would be at `parts`."""
        given: list[str] = []
        for part in parts[:-1]:
            given.append(self._free(given, part, self.files))
            self.folders.add(_folded(given))
        given.append(self._free(given, parts[-1], self.files, self.folders))
        self.files.add(_folded(given))
        return tuple(given)

    def _free(self, above: list[str], part: str, *taken: set[str]) -> str:
        wanted = _folded([*above, part])
        if not any(wanted in names for names in taken):
            return part
        while True:
            number = self.counts[wanted] = self.counts.get(wanted, 1) + 1
            tried = f"{number}~{part}"
            if not any(_folded([*above, tried]) in names for names in taken):
                return tried


def _folded(parts: list[str]) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", "/".join(parts)).casefold())

"""Whether a release is whole: SHA256SUMS and the signed attestation, checked with nothing but the folder.

SHA256SUMS lists every file but itself and the attestation, so that `sha256sum -c` does most of it; the attestation lists
every file but itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from radcurate.errors import CurationError
from radcurate.release.attestation import subjects

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SUMS = "SHA256SUMS"
ATTESTATION = "attestation.json"
PUBLIC_KEY = "signing_key.pem"
LINE = re.compile(r"([0-9a-f]{64})  (.+)")


@dataclass(frozen=True)
class Checked:
    """What became of a check.

    Attributes:
        problems: what differs, one sentence each.
        signer: name of the key by which the signature holds.
        release: which release the signed statement is about.
        files: how many files were looked at.
    """

    problems: list[str]
    signer: str = ""
    release: str = ""
    files: int = 0


def files_of(folder: Path) -> list[str]:
    """Every file below `folder` but SHA256SUMS and the attestation, in POSIX form, sorted."""
    names = (
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    )
    return sorted(name for name in names if name not in (SUMS, ATTESTATION))


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 by file of all that SHA256SUMS is about."""
    return {name: digest_of_file(folder / name) for name in files_of(folder)}


def sums(folder: Path) -> str:
    """The content of SHA256SUMS for `folder`."""
    return as_lines(digests(folder))


def as_lines(found: Mapping[str, str]) -> str:
    """Digests by file as lines that `sha256sum -c` reads, sorted by file."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(found.items()))


def digest_of(folder: Path) -> str:
    """SHA-256 of a release's SHA256SUMS: one number for the whole release."""
    return digest_of_file(folder / SUMS)


def check_release(folder: Path) -> list[str]:
    """What differs from SHA256SUMS, one sentence each; an empty list where every file is as released."""
    return _check_sums(folder)[0]


def check_files(folder: Path, names: Iterable[str]) -> list[str]:
    """The same of some files only, such as those of a release with many images that are read again."""
    try:
        listed, problems = _lines((folder / SUMS).read_bytes().decode("utf-8"))
    except (OSError, UnicodeDecodeError):
        return [f"{SUMS}: no such file, so nothing can be checked"]
    wanted = {name: listed.get(name, "") for name in names}
    return problems + _differences(wanted, {name: _digest(folder / name) for name in wanted})


def check_signed(folder: Path, public: Ed25519PublicKey | None = None) -> Checked:
    """The same, and the attestation: by `public`, or, without, by the key that lies in the release itself.

    A key from the release proves nothing about who made it; only that its parts belong together.
    """
    from radcurate.release.signing import SignatureError, name_of, opened, parse_public

    problems, found = _check_sums(folder)
    try:
        text = (folder / ATTESTATION).read_bytes().decode("utf-8")
        public = public or parse_public((folder / PUBLIC_KEY).read_bytes())
        statement = opened(text, public)
        own = Checked(_against_statement(folder, statement, found), name_of(public), _name(statement))
    except (OSError, UnicodeDecodeError):
        own = Checked([f"{ATTESTATION}: no such file, or no key for it, so nobody vouches for this release"])
    except (SignatureError, CurationError) as error:
        own = Checked([f"{ATTESTATION}: {error.problem if isinstance(error, CurationError) else error}"])
    if (folder / ATTESTATION).is_symlink():
        problems.append(f"{ATTESTATION}: a link, not a file")
    both = [*problems, *(line for line in own.problems if line not in problems)]
    return Checked(both, own.signer, own.release, len(found))


def _name(statement: Mapping[str, object]) -> str:
    about = statement.get("predicate")
    return f"{about.get('release')}-{about.get('version')}" if isinstance(about, Mapping) else ""


def _against_statement(folder: Path, statement: Mapping[str, object], found: Mapping[str, str]) -> list[str]:
    try:
        attested = subjects(statement)
    except ValueError:
        return [f"{ATTESTATION}: a statement about something else"]
    present = {**found, SUMS: _digest(folder / SUMS)}
    return _differences(attested, present)


def _check_sums(folder: Path) -> tuple[list[str], dict[str, str]]:
    """What differs from SHA256SUMS, and the digests of the files that are there."""
    present = {name: _digest(folder / name) for name in files_of(folder)}
    try:
        text = (folder / SUMS).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return [f"{SUMS}: no such file, so nothing can be checked"], present
    listed, problems = _lines(text)
    problems += _differences(listed, present)
    if not problems and text != as_lines(listed):
        problems.append(f"{SUMS}: written in another way than it was released")
    return (problems if listed or problems else [f"{SUMS}: empty, so nothing can be checked"]), present


def _lines(text: str) -> tuple[dict[str, str], list[str]]:
    """Digests by file in SHA256SUMS, and the lines that are none."""
    listed: dict[str, str] = {}
    problems = []
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else [], start=1):
        match = LINE.fullmatch(line)
        if match is None or _outside(match[2]) or match[2] in listed:
            problems.append(f"{SUMS}: line {number} is not a checksum and a file name")
        else:
            listed[match[2]] = match[1]
    return listed, problems


def _differences(wanted: Mapping[str, str], present: Mapping[str, str]) -> list[str]:
    return [
        *(f"{name}: missing" for name in _missing(wanted, present)),
        *(f"{name}: not part of the release" for name in _missing(present, wanted)),
        *(_compare(name, wanted[name], present[name]) for name in sorted(wanted) if name in present and wanted[name] != present[name]),
    ]  # fmt: skip


def _missing(wanted: Iterable[str], present: Iterable[str]) -> list[str]:
    return sorted(set(wanted) - set(present))


def _compare(name: str, wanted: str, found: str) -> str:
    return f"{name}: {found if len(found) != len(wanted) else 'changed'}"


def _outside(name: str) -> bool:
    return name.startswith("/") or ".." in name.split("/") or name in (SUMS, ATTESTATION)


def _digest(path: Path) -> str:
    """SHA-256 of a plain file; words, where it is none."""
    if path.is_symlink():
        return "a link, not a file"
    if not path.is_file():
        return "missing" if not path.exists() else "not a file"
    try:
        return digest_of_file(path)
    except OSError:
        return "can't be read"


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

"""The project key: made once, kept outside the run folder, never printed.

Every keyed code in radcurate is HMAC-SHA256 (RFC 2104) of a domain and its parts under this key, so that a
code for one purpose can't be turned into a code for another and nobody without the key can enumerate inputs.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from radcurate.errors import CurationError

KEY_BYTES = 32
KEY_FILE_VARIABLE = "RADCURATE_KEY_FILE"
FIX_NEW = "make one with `radcurate keys new FILE` and set `key_file` to it"


@dataclass(frozen=True)
class Key:
    """A secret of 32 bytes; `repr` and pickles in logs never show it."""

    secret: bytes = field(repr=False)

    def digest(self, domain: str, *parts: str) -> bytes:
        """HMAC-SHA256 over the domain and the length-prefixed parts (unambiguous concatenation); 32 bytes."""
        message = domain.encode()
        for part in parts:
            raw = part.encode()
            message += b"|%d:%b" % (len(raw), raw)
        return hmac.digest(self.secret, message, "sha256")

    def code(self, domain: str, *parts: str, length: int = 16) -> str:
        """The first `length` hexadecimal digits of `digest`."""
        return self.digest(domain, *parts).hex()[:length]

    @property
    def key_id(self) -> str:
        """Names the key without telling it; safe to record."""
        return self.code("key-id", length=12)

    def subject(self, patient_id: str, issuer: str = "") -> str:
        """Pseudonym of a patient, `P-` and 16 hexadecimal digits. Surrounding blanks are not significant (PS3.5 6.2)."""
        return "P-" + self.code("pid", issuer.strip(), patient_id.strip())

    def series(self, series_instance_uid: str) -> str:
        """Pseudonym of a series, `S-` and 16 hexadecimal digits."""
        return "S-" + self.code("series", series_instance_uid.strip())

    def release_code(self, letter: str, pseudonym: str) -> str:
        """Code in a release for a pseudonym of the run, `letter`-…; without the key there is no way from one to the other."""
        return f"{letter}-{self.code('release', letter, pseudonym)}"

    def site(self, institution: str) -> str:
        """Pseudonym of a hospital, `H-` and 8 hexadecimal digits; case and blanks are not significant."""
        return "H-" + self.code("site", " ".join(institution.casefold().split()), length=8)

    def uid(self, original: str) -> str:
        """Replacement UID: `2.25.` and an RFC 9562 UUIDv8 of the digest (PS3.5 B.2), at most 64 characters."""
        raw = bytearray(self.digest("uid", original.strip())[:16])
        raw[6] = (raw[6] & 0x0F) | 0x80
        raw[8] = (raw[8] & 0x3F) | 0x80
        return f"2.25.{int.from_bytes(raw)}"

    def file_code(self, relative_path: str) -> str:
        """Code of a source file for logs and messages, 12 hexadecimal digits; its path may hold a name."""
        return self.code("file", relative_path, length=12)

    def chunk(self, subject: str, n_chunks: int) -> int:
        """Chunk of a patient: keyed hash of the subject modulo `n_chunks`."""
        return int.from_bytes(self.digest("chunk", subject)[:8], "big") % n_chunks


def create_key(path: Path) -> Key:
    """Write a new random key to `path` (0600, its folder 0700 if made here). Never overwrites.

    Raises:
        CurationError: the file exists.
    """
    path = path.expanduser()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CurationError(
            "there is a key already",
            wanted="a path where no file is",
            found="an existing file, left as it is",
            fix="keep that key (its pseudonyms depend on it), or name another file",
        ) from None
    with os.fdopen(handle, "w") as stream:
        stream.write(secrets.token_hex(KEY_BYTES) + "\n")
        stream.flush()
        os.fsync(handle)  # pseudonyms made with a key that a power cut takes back can't be made again
    return load_key(path)


def load_key(path: Path, run_folder: Path | None = None) -> Key:
    """Read a key, refusing one that others can read or that lies inside the run folder.

    Raises:
        CurationError: absent, readable by others, inside the run folder, or not 64 hexadecimal digits.
    """
    path = path.expanduser()
    if not path.is_file():
        raise CurationError("no key", wanted="a key file", found="no file at `key_file`", fix=FIX_NEW)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise CurationError(
            "the key can be read by others",
            wanted="mode 0600",
            found=f"mode {mode:04o}",
            fix="chmod 600 the key file; if others may have read it, make a new key",
        )
    if run_folder is not None and path.resolve().is_relative_to(run_folder.resolve()):
        raise CurationError(
            "the key lies in the run folder",
            wanted="a key outside the folder that is worked in and shared",
            found="a key file below it",
            fix="move the key elsewhere and set `key_file`",
        )
    return parse_key(path.read_text(errors="replace"))


def parse_key(text: str) -> Key:
    """The key in the text of a key file.

    Raises:
        CurationError: not 64 hexadecimal digits; the text is not quoted.
    """
    text = text.strip()
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise CurationError(
            "the key file holds no key",
            wanted=f"{2 * KEY_BYTES} hexadecimal digits",
            found=f"{len(text)} characters of something else",
            fix=FIX_NEW,
        )
    return Key(secret)


def key_from_environment() -> Key:
    """The key of this run; the Snakefile puts its path (not the key) into the environment of every job."""
    path = os.environ.get(KEY_FILE_VARIABLE)
    if not path:
        raise CurationError(
            "no key",
            wanted=f"the path of a key file in {KEY_FILE_VARIABLE}",
            found="nothing",
            fix="start the stage through snakemake, or set the variable",
        )
    return load_key(Path(path))

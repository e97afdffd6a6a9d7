"""The honest broker: an age identity that only the broker holds, and the public keys that the pipeline encrypts to."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pyrage
from pyrage import x25519

from radcurate.errors import CurationError
from radcurate.identity.files import private_folder, refuse_here, refuse_inside, write_private

PUBLIC, SECRET = "age1", "AGE-SECRET-KEY-"
FIX_IDENTITY = "make one with `radcurate keys broker FILE`, and give its public key to who runs the pipeline"


def create_broker(path: Path) -> str:
    """Write a new identity to `path` (0600), in the form of the age tool; its public key. Never overwrites.

    Raises:
        CurationError: there is a file already, or the place is inside the run folder.
    """
    path = path.expanduser()
    refuse_here(path, "the broker's identity")
    if path.exists():
        raise CurationError(
            "there is a file already",
            wanted="a path where no file is",
            found="an existing file, left as it is",
            fix="keep that identity (crosswalks can be read with it only), or name another file",
        )
    identity = x25519.Identity.generate()
    public = str(identity.to_public())
    made = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if not path.parent.exists():
        private_folder(path.parent)
    write_private(path, f"# created: {made}\n# public key: {public}\n{identity}\n".encode())
    return public


def load_identity(path: Path) -> list[x25519.Identity]:
    """The broker's secret keys in a file.

    Raises:
        CurationError: absent (destroyed?), readable by others, inside the run folder, or no age identity.
    """
    path = path.expanduser()
    if not path.is_file():
        raise CurationError(
            "no identity",
            wanted="the broker's identity file",
            found="no such file",
            fix="name the file; if it was destroyed, nobody can read what was encrypted to it",
        )
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise CurationError(
            "the identity can be read by others",
            wanted="mode 0600",
            found=f"mode {mode:04o}",
            fix="chmod 600 the file; if others may have read it, make a new identity and run the pipeline again",
        )
    refuse_inside(path, "the broker's identity")
    try:
        found = [x25519.Identity.from_str(line) for line in _lines(path)]
    except (pyrage.IdentityError, UnicodeError):
        found = []
    if not found:
        raise CurationError(
            "the identity file holds no identity",
            wanted=f"lines that begin with {SECRET}",
            found="something else",
            fix=FIX_IDENTITY,
        )
    return found


def load_recipients(path: Path) -> list[x25519.Recipient]:
    """The public keys in a file, one a line; lines that begin with # are comments.

    Raises:
        CurationError: absent, empty, not public keys, or a secret key among them; no line is quoted.
    """
    path = path.expanduser()
    try:
        lines = _lines(path)
    except OSError as error:
        raise _no_recipients(f"a file that can't be read ({type(error).__name__})") from None
    except UnicodeError:
        raise _no_recipients("bytes that are no text") from None
    if any(SECRET in line.upper() for line in lines):
        raise CurationError(
            "a secret key lies among the recipients",
            wanted=f"public keys only, lines that begin with {PUBLIC}",
            found="the broker's secret key",
            fix="take it out: whoever has this file could read the crosswalk; make a new identity if others had access",
        )
    try:
        found = [x25519.Recipient.from_str(line) for line in lines]
    except pyrage.RecipientError:
        raise _no_recipients("a line that is none") from None
    if not found:
        raise _no_recipients("none")
    return found


def _no_recipients(found: str) -> CurationError:
    return CurationError(
        "the recipients can't be used",
        wanted=f"public keys of the honest broker, one a line, each begins with {PUBLIC}",
        found=found,
        fix="put the line that `radcurate keys broker` printed into the file that deidentify.recipients names",
    )


def _lines(path: Path) -> list[str]:
    lines = (line.strip() for line in path.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]

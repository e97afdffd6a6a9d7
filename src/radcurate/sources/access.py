"""How a server is entered: what a private file says, and nothing else. Never in a configuration, a log or an error."""

from __future__ import annotations

import base64
import re
import ssl
import stat
from dataclasses import dataclass, field
from pathlib import Path

from radcurate.errors import CurationError

KNOWN = ("user", "password", "token", "certificate", "key")
LONGEST_UID = 64


@dataclass(frozen=True)
class Access:
    """What a request carries. header: value of Authorization. certificate, key: files of a client certificate."""

    header: str | None = field(default=None, repr=False)
    certificate: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)


def is_uid(text: object) -> bool:
    """Whether this is a UID (PS3.5 section 9.1), and so nothing that could leave a path or an address.

    Leading zeros in components are forbidden, and written by some devices all the same; they do no harm.
    """
    return isinstance(text, str) and len(text) <= LONGEST_UID and re.fullmatch(r"[0-9]+(\.[0-9]+)*", text) is not None


def read_access(path: str | None) -> Access:
    """The credentials in a file of lines `name=value`; none without a file.

    Raises:
        CurationError: the file is absent, can be read by others, or says something else.
    """
    if not path:
        return Access()
    lines = _private_lines(Path(path), "the credentials", "fetch.dicomweb.credentials")
    found: dict[str, str] = {}
    for number, line in lines:
        name, separator, value = line.partition("=")
        if not separator or name.strip() not in KNOWN or not value.strip():
            raise CurationError(
                "the credentials can't be read",
                wanted="lines such as user=…, password=…; or token=…; or certificate=FILE and key=FILE",
                found=f"something else in line {number}",
                fix="correct that line",
            )
        found[name.strip()] = value.strip()
    if ("user" in found) != ("password" in found) or ("token" in found and "user" in found):
        raise CurationError(
            "the credentials can't be read",
            wanted="user and password, or a token",
            found="one without the other, or both ways at once",
            fix="correct the file that fetch.dicomweb.credentials names",
        )
    return Access(_header(found), found.get("certificate"), found.get("key"))


def _header(found: dict[str, str]) -> str | None:
    if "token" in found:
        return f"Bearer {found['token']}"
    if "user" in found:
        return "Basic " + base64.b64encode(f"{found['user']}:{found['password']}".encode()).decode()
    return None


def read_studies(path: str | None) -> list[str] | None:
    """The StudyInstanceUIDs in a file, one a line, sorted; None without a file.

    Raises:
        CurationError: the file is absent, can be read by others, is empty, or holds something that is no UID.
    """
    if not path:
        return None
    lines = _private_lines(Path(path), "the list of studies", "fetch.dicomweb.studies")
    wrong = next((number for number, line in lines if not is_uid(line)), None)
    if wrong is not None or not lines:
        raise CurationError(
            "the list of studies can't be read",
            wanted="a StudyInstanceUID in each line",
            found="no line" if wrong is None else f"something else in line {wrong}",
            fix="correct the file that fetch.dicomweb.studies names",
        )
    return sorted({line for _, line in lines})


def _private_lines(path: Path, what: str, option: str) -> list[tuple[int, str]]:
    """Lines that say something, with their numbers."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(errors="replace")
    except OSError:
        raise CurationError(
            f"{what} can't be read",
            wanted="a file of mode 0600",
            found="no file that may be read",
            fix=f"correct {option}",
        ) from None
    if mode & 0o077:
        raise CurationError(
            f"{what} can be read by others",
            wanted="mode 0600",
            found=f"mode {mode:04o}",
            fix=f"chmod 600 the file that {option} names",
        )
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def tls(access: Access, authority: str | None) -> ssl.SSLContext:
    """TLS that insists on the server's name and on a known signature; there is no way to turn that off.

    Raises:
        CurationError: a file of certificates can't be read.
    """
    try:
        context = ssl.create_default_context(cafile=authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if access.certificate:
            context.load_cert_chain(access.certificate, access.key, password="")
    except (OSError, ssl.SSLError):
        raise CurationError(
            "a certificate can't be read",
            wanted="PEM files, the key without a password",
            found="no such file, or something else in it",
            fix="correct fetch.dicomweb.authority, or certificate and key in the file of the credentials",
        ) from None
    return context

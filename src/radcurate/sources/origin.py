"""What `input` names: a folder, an archive, a folder with archives in it, or a DICOMweb server."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from radcurate.dicom.tree import entries_below
from radcurate.errors import CurationError

SCHEME = "dicomweb+"
_ARCHIVE = re.compile(r"\.(zip|tar|tar\.(gz|bz2|xz|zst)|tgz|tbz2?|txz|tzst)$", re.IGNORECASE)


@dataclass(frozen=True)
class Origin:
    """The input as the user named it.

    kind: folder (read where it lies), archives (an archive, or a folder that holds some), server (DICOMweb).
    place: absolute path, or the server's address without `dicomweb+`.
    """

    kind: Literal["folder", "archives", "server"]
    place: str

    @property
    def fetched(self) -> bool:
        """Whether plain files have to be made of it first."""
        return self.kind != "folder"


def is_archive(name: str) -> bool:
    """Whether a file name is an archive's that fetch opens. By name: a million files are not opened to plan a run."""
    return _ARCHIVE.search(name) is not None


def is_server(name: str) -> bool:
    """Whether `input` is the address of a DICOMweb server."""
    return name.lower().startswith(SCHEME)


def origin_of(name: str, unpack: bool) -> Origin:
    """What `name` is; a path that leads nowhere is told by whoever reads it.

    Args:
        name: `input` of the configuration.
        unpack: whether archives that lie in a folder are to be opened.

    Raises:
        CurationError: a server that may not be asked (see `check_address`).
    """
    if is_server(name):
        return Origin("server", check_address(name[len(SCHEME) :]))
    path = Path(name).expanduser().resolve()
    if path.is_file() and is_archive(path.name):
        return Origin("archives", str(path))
    holds_some = unpack and path.is_dir() and next(_archives_in(path), None) is not None
    return Origin("archives" if holds_some else "folder", str(path))


def _archives_in(folder: Path) -> Iterator[str]:
    """Paths of archives below `folder`, in no order; what can't be listed is passed over here."""
    for entry in entries_below(folder):
        if entry and is_archive(entry.name) and entry.is_file(follow_symlinks=False):
            yield entry.path


def check_address(address: str) -> str:
    """The address without a slash at its end, after insisting that what goes over the wire is encrypted.

    Raises:
        CurationError: not http(s), plain http to another machine, or a password, query or fragment in the address.
    """
    problem, fix = "the DICOMweb server can't be used", "input: dicomweb+https://HOST/PATH"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, 0, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise CurationError(problem, wanted="dicomweb+https:// and an address", found="something else", fix=fix)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise CurationError(
            problem,
            wanted="an address and nothing else: configurations are kept and shared",
            found="a name, a password or a query in it",
            fix="put the name and the password into a file of mode 0600 and name it in fetch.dicomweb.credentials",
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise CurationError(
            problem,
            wanted="https: patients' data and the password must not cross a network in clear",
            found="http to another machine",
            fix="use https, or a tunnel that ends on this machine (dicomweb+http://localhost:PORT)",
        )
    return address.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine, by its spelling alone: names can be resolved to anything."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

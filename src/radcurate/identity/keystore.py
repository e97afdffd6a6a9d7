"""The life of a project key: made, listed, replaced by a new one, destroyed with a certificate.

A key's file holds the key alone, so its time is the time the key was made; copy keys with `cp -p`. A replaced key stays
beside the new one as `<file>.<key id>.retired`; a destroyed one leaves `<key id>.destroyed.json`.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from radcurate.errors import CurationError
from radcurate.identity import certificate as certificates
from radcurate.identity import crosswalk
from radcurate.identity.certificate import Certificate
from radcurate.identity.files import refuse_here, refuse_inside, write_private
from radcurate.keys import Key, create_key, load_key, parse_key

RETIRED_SUFFIX = ".retired"
LARGEST_KEY_FILE = 256  # bytes; larger files are not opened in the search for keys


class KeyState(StrEnum):
    """What has become of a key."""

    ACTIVE = "active"
    RETIRED = "retired"  # replaced, kept because results depend on it
    DESTROYED = "destroyed"  # with a certificate that holds, and no copy in the folder
    ABSENT = "absent"  # neither file nor certificate: it may be anywhere


@dataclass(frozen=True)
class Entry:
    """One line of the list. `made` is null for a destroyed key whose certificate doesn't tell."""

    key_id: str
    made: str | None
    state: KeyState
    file: str  # name in the folder
    mode: int

    @property
    def exposed(self) -> bool:
        """Whether others than the owner may read the key."""
        return self.state in (KeyState.ACTIVE, KeyState.RETIRED) and bool(self.mode & 0o077)


def new_key(path: Path) -> Key:
    """Make a key outside the run folder.

    Raises:
        CurationError: inside the run folder, or a file is there.
    """
    refuse_here(path, "a key")
    return create_key(path)


def entries(folder: Path) -> list[Entry]:
    """Keys and certificates in a folder, by time, then key id.

    Raises:
        CurationError: it is no folder.
    """
    folder = folder.expanduser()
    if not folder.is_dir():
        raise CurationError(
            "no keys",
            wanted="a folder with keys",
            found="no such folder",
            fix="name another, or make a key with `radcurate keys new FILE`",
        )
    found = [entry for path in sorted(folder.iterdir()) if (entry := _entry(path)) is not None]
    return sorted(found, key=lambda entry: (entry.made or "", entry.key_id, entry.file))


def key_state(key_id: str, folder: Path) -> KeyState:
    """What has become of a key, by the files in the folder where keys are kept.

    Data are pseudonymised while their key exists; only DESTROYED speaks for more. ABSENT does not: the key may be elsewhere.
    """
    states = (
        {entry.state for entry in entries(folder) if entry.key_id == key_id} if folder.expanduser().is_dir() else set()
    )
    for state in (KeyState.ACTIVE, KeyState.RETIRED, KeyState.DESTROYED):
        if state in states:
            return state
    return KeyState.ABSENT


def rotate(path: Path) -> tuple[Key, Key, Path]:
    """Put a new key in the place of the old one, which stays beside it; old key, new key, where the old one is.

    At no moment is there no key at `path`.

    Raises:
        CurationError: no usable key there, or the old one lies beside it already.
    """
    path = path.expanduser().resolve()
    refuse_inside(path, "a key")
    old = load_key(path)
    retired = path.with_name(f"{path.name}.{old.key_id}{RETIRED_SUFFIX}")
    if retired.exists() or path.name.endswith(RETIRED_SUFFIX):
        raise CurationError(
            "this key was retired before",
            wanted="a key that is in use",
            found="a retired one",
            fix="look at `radcurate keys list`; destroy the copy that should not be there",
        )
    write_private(retired, path.read_bytes())
    times = path.stat()
    os.utime(retired, ns=(times.st_atime_ns, times.st_mtime_ns))
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    new = create_key(fresh)
    fresh.replace(path)
    return old, new, retired


def identify(path: Path) -> Key:
    """The key in a file that is to be destroyed; one that others can read or that lies in the run folder is taken too.

    Raises:
        CurationError: absent, or no key.
    """
    path = path.expanduser()
    if not path.is_file():
        raise CurationError(
            "no key to destroy",
            wanted="a key file",
            found="no such file",
            fix="see `radcurate keys list`; there is no certificate for what was not there",
        )
    return parse_key(path.read_text(errors="replace"))


def destroy(path: Path, key_id: str, vault: Path | None = None) -> tuple[Certificate, Path]:
    """Overwrite and remove a key with all its copies in the same folder, and write the certificate beside.

    Args:
        path: the key's file.
        key_id: the name of the key, as a confirmation.
        vault: the crosswalk's folder; what was written under this key is removed too.

    Raises:
        CurationError: absent, or another key than named; nothing is destroyed then.
    """
    key = identify(path)
    if key_id != key.key_id:
        raise CurationError(
            "not confirmed",
            wanted=f"the key's name, {key.key_id}",
            found="another name",
            fix="nothing was destroyed; type the name as `radcurate keys list` shows it",
        )
    given = path.expanduser()
    path = given.resolve()
    copies = [other for other in sorted(path.parent.iterdir()) if _key_in(other) == key]
    before = _earlier(path.parent, key_id)
    certificate = Certificate(
        key_id=key_id,
        made=before.made if before else _time(path),
        destroyed=certificates.now(),
        files=len(copies) + (before.files if before else 0),
        crosswalk=_sum(before.crosswalk if before else None, len(crosswalk.parts(vault, key_id)) if vault else None),
    )
    draft = path.parent / f".{key_id}.draft"
    write_private(draft, certificates.text(certificate))  # a full disk is noticed before anything is lost
    try:
        for copy in copies:
            shred(copy)
        if given.is_symlink():
            given.unlink()
    except OSError as error:
        draft.unlink()
        raise CurationError(
            "the key could not be destroyed",
            wanted="to overwrite and remove its files",
            found=os.strerror(error.errno) if error.errno else type(error).__name__,
            fix="there is no certificate; give this user the right to write there, and destroy what is left of it",
        ) from None
    if vault:
        crosswalk.forget(vault, key_id)
        if vault.expanduser().is_dir():
            certificates.write(vault.expanduser(), certificate)  # tells the broker why there is nothing any more
    draft.replace(certificates.place(path.parent, key_id))
    return certificate, certificates.place(path.parent, key_id)


def shred(path: Path) -> None:
    """Overwrite a file with random bytes, flush, remove it; a link's target too.

    Journals, snapshots, backups and flash memory may keep older blocks: this removes the file, not its history.
    """
    target = path.resolve()
    if not target.exists():  # a link to a file that is gone already
        path.unlink(missing_ok=True)
        return
    size = target.stat().st_size
    target.chmod(0o600)
    with target.open("r+b", buffering=0) as stream:
        stream.write(secrets.token_bytes(size))
        os.fsync(stream.fileno())
    target.unlink()
    path.unlink(missing_ok=True)


def dependants(results: Path, key_id: str) -> dict[str, int]:
    """How many sealed parts and releases, by stage, were made with a key."""
    found: Counter[str] = Counter()
    for path in [*results.glob("**/seal.json"), *results.glob("release/*/provenance.json")]:
        try:
            content = json.loads(path.read_text())
        except (OSError, ValueError):
            continue
        if isinstance(content, dict) and content.get("key_id") == key_id:
            found[path.relative_to(results).parts[0]] += 1
    return dict(sorted(found.items()))


def _entry(path: Path) -> Entry | None:
    if path.name.endswith(certificates.SUFFIX):
        try:
            known = certificates.check(path)
        except CurationError:
            return None
        return Entry(known.key_id, known.made, KeyState.DESTROYED, path.name, _mode(path))
    key = _key_in(path)
    if key is None:
        return None
    state = KeyState.RETIRED if path.name.endswith(RETIRED_SUFFIX) else KeyState.ACTIVE
    return Entry(key.key_id, _time(path), state, path.name, _mode(path))


def _key_in(path: Path) -> Key | None:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_KEY_FILE:
            return None
        return parse_key(path.read_text(errors="replace"))
    except (CurationError, OSError):
        return None


def _earlier(folder: Path, key_id: str) -> Certificate | None:
    """The certificate of another copy that was destroyed here before."""
    try:
        return certificates.check(certificates.place(folder, key_id))
    except CurationError:
        return None


def _sum(before: int | None, now: int | None) -> int | None:
    """None where neither time was looked."""
    return None if before is None and now is None else (before or 0) + (now or 0)


def _time(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)

"""`audit.jsonl`: one entry a line, each with the digest of the one before, sealed with the project key.

An edited, removed, inserted or moved line breaks the chain. Who could write a whole new chain lacks the key for its seals.
Cutting off the end shows by the heads: the number and digest of the last entry, sealed, beside the record and, in case
somebody puts back an older copy of both, in the home of whoever wrote.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import hmac
import json
import os
import platform
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from radcurate import __version__
from radcurate.errors import CurationError
from radcurate.keys import Key

FOLDER, RECORD, HEAD, LOCK = "audit", "audit.jsonl", "head.json", ".lock"
HEADS_VARIABLE = "RADCURATE_AUDIT_HEADS"
HEADS = "~/.config/radcurate/audit"  # outside the run: one small file a record, named by the record's code
PATIENCE = 30.0  # seconds for another writer; writing takes milliseconds, so a lock that stays is a dead process's
START = ""


@dataclass(frozen=True)
class Entry:
    """One line. `facts` hold digests, pseudonyms, names of staff; no path, key or original identifier."""

    number: int  # from 1
    record: str  # random code of the whole record, the same in all lines
    time: str  # UTC
    who: str  # user@host
    radcurate: str  # version
    verb: str
    facts: Mapping[str, Any]
    previous: str  # digest of the entry before
    key_id: str = ""  # of the key that sealed it
    digest: str = ""  # SHA-256 of all above
    seal: str = ""  # keyed code of the digest

    def line(self) -> str:
        """As it is written."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=True)

    def expected_digest(self) -> str:
        """SHA-256 over everything but digest and seal."""
        content = {name: value for name, value in asdict(self).items() if name not in ("digest", "seal")}
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


@dataclass(frozen=True)
class Head:
    """The end of a record as somebody saw it."""

    record: str
    number: int
    digest: str
    key_id: str
    seal: str

    def holds(self, key: Key) -> bool:
        """Whether the key sealed it."""
        return hmac.compare_digest(self.seal, seal_of(key, f"head {self.record} {self.number} {self.digest}"))


def append(results: Path, key: Key, verb: str, facts: Mapping[str, Any]) -> Entry:
    """Add an entry to the record of a run.

    Args:
        results: the run's results; its folder `audit` is made if needed (0700, files 0600).
        key: the project key, which seals.
        verb: what was done.
        facts: what JSON can hold; digests, pseudonyms and names of staff only.

    Raises:
        CurationError: the record can't be written, or its end isn't where the head says.
    """
    folder = results / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(folder):
            last = _last(folder, key)
            entry = _entry(last, key, verb, facts)
            _add_line(folder / RECORD, entry.line())
            _write_heads(folder, entry, key)
            return entry
    except OSError as error:
        raise CurationError(
            "the record of processing can't be written",
            wanted=f"results/{FOLDER}/{RECORD}, and the folder of heads ({HEADS}, or what {HEADS_VARIABLE} names)",
            found=os.strerror(error.errno or 0),
            fix="make room, or give this user the right to write there; no run goes on without its record",
        ) from None


def seal_of(key: Key, text: str) -> str:
    """Keyed code of a digest or a head, 64 hexadecimal digits."""
    return key.digest("audit", text).hex()


def parse(line: str) -> Entry | None:
    """The entry of a line; None where it is none."""
    try:
        content = json.loads(line)
        entry = Entry(**content)
    except (TypeError, ValueError):
        return None
    texts = (entry.record, entry.digest, entry.seal, entry.previous, entry.key_id, entry.verb)
    good = isinstance(entry.number, int) and isinstance(entry.facts, dict) and all(isinstance(t, str) for t in texts)
    return entry if good else None


def read_head(path: Path) -> Head | None:
    """A head as it was written; None where there is none that can be read."""
    try:
        return Head(**json.loads(path.read_text()))
    except (OSError, TypeError, ValueError):
        return None


def home_of_heads() -> Path:
    """The folder of this user's heads."""
    return Path(os.environ.get(HEADS_VARIABLE) or HEADS).expanduser()


@contextlib.contextmanager
def locked(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Alone with the record. A folder is the lock: making one is atomic on every file system, locks are not on all.

    Args:
        folder: of the record.
        patience: seconds after which the lock of another is taken for a dead one's.
    """
    lock, waited, seen = folder / LOCK, 0.0, None
    while True:
        try:
            lock.mkdir(mode=0o700)
            break
        except FileExistsError:
            now = _identity(lock)
            waited = waited + 0.02 if now == seen else 0.0
            seen = now
            if waited > patience:
                with contextlib.suppress(OSError):
                    lock.rmdir()
            time.sleep(0.02)
    try:
        yield
    finally:
        lock.rmdir()


def _identity(lock: Path) -> tuple[int, int] | None:
    try:
        status = lock.stat()
        return status.st_ino, status.st_mtime_ns
    except OSError:
        return None


def _last(folder: Path, key: Key) -> Entry | None:
    """The last entry; a line that was torn by a power cut is removed, for it was never finished.

    Raises:
        CurationError: what is there does not reach the head, or is no entry.
    """
    path, head = folder / RECORD, read_head(folder / HEAD)
    lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
    if lines[-1]:  # the last part follows the last line's end
        os.truncate(path, sum(len(line) + 1 for line in lines[:-1]))
    last = parse(lines[-2].decode(errors="replace")) if len(lines) > 1 else None
    broken = len(lines) > 1 and last is None
    if broken or (head and head.holds(key) and head.number > (last.number if last else 0)):
        raise CurationError(
            "the record of processing was cut or edited",
            wanted="its last entry where the head says",
            found="no entry" if last is None else f"entry {last.number}",
            fix=f"radcurate audit verify says what is wrong; restore results/{FOLDER} from a backup, or move it away as evidence",
        )
    return last


def _entry(last: Entry | None, key: Key, verb: str, facts: Mapping[str, Any]) -> Entry:
    entry = Entry(
        number=last.number + 1 if last else 1,
        record=last.record if last else secrets.token_hex(8),
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        who=f"{_user()}@{platform.node()}",
        radcurate=__version__,
        verb=verb,
        facts=json.loads(json.dumps(facts)),
        previous=last.digest if last else START,
        key_id=key.key_id,
    )
    digest = entry.expected_digest()
    return replace(entry, digest=digest, seal=seal_of(key, digest))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"


def _add_line(path: Path, line: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.fchmod(handle, 0o600)
        os.write(handle, line.encode() + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_heads(folder: Path, entry: Entry, key: Key) -> None:
    seal = seal_of(key, f"head {entry.record} {entry.number} {entry.digest}")
    text = json.dumps(asdict(Head(entry.record, entry.number, entry.digest, entry.key_id, seal)), sort_keys=True) + "\n"
    home = home_of_heads()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in (folder / HEAD, home / f"{entry.record}.json"):
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)

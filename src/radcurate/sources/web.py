"""Requests to one server: encrypted, patient, never redirected, and silent about what they carry."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from radcurate.errors import CurationError
from radcurate.sources.access import Access, tls
from radcurate.sources.origin import check_address

BLOCK = 1 << 18
LARGEST_LIST = 1 << 28  # bytes of an answer that lists
LONGEST_WAIT = 60.0  # seconds between two attempts
TRANSIENT = {408, 425, 429, 500, 502, 503, 504}
FAILURES = (OSError, http.client.HTTPException, EOFError)  # a dead, slow or confused server


class Unanswered(Exception):  # noqa: N818 - what became of a request
    """The server gave no whole answer, after all attempts. `why` is a few words without anything of the server's."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Absent(Exception):  # noqa: N818
    """The server has nothing of that name."""


Value = TypeVar("Value")


@dataclass(frozen=True)
class Patience:
    """timeout: seconds without a byte. retries: attempts after the first. rate: most requests a second, 0 for any."""

    timeout: float = 60.0
    retries: int = 5
    rate: float = 0.0


@dataclass
class Pace:
    """At most so many requests a second, over all connections."""

    rate: float
    _next: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self) -> None:
        """Until the next request may go out."""
        if not self.rate:
            return
        with self._lock:
            now = time.monotonic()
            at = max(self._next, now)
            self._next = at + 1 / self.rate
        time.sleep(max(at - now, 0))


@dataclass(frozen=True)
class Answer:
    """An answer whose head has come. `read` gives its body, some bytes at a time, none at the end."""

    kind: Message
    length: int | None
    more: bool  # the server says that there is more than it sent
    read: Callable[[int], bytes]


class Server:
    """A connection to a server, opened when needed and kept. Not for two threads at once: see `another`."""

    def __init__(
        self, address: str, access: Access, patience: Patience, authority: str | None = None, pace: Pace | None = None
    ) -> None:
        self._parts = urlsplit(check_address(address))
        self._address, self._access, self._authority = address, access, authority
        self.patience, self._pace = patience, pace or Pace(patience.rate)
        self._tls = tls(access, authority) if self._parts.scheme == "https" else None
        self._connection: http.client.HTTPConnection | None = None

    def another(self) -> Server:
        """A connection of its own to the same server, at a common pace."""
        return Server(self._address, self._access, self.patience, self._authority, self._pace)

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def listed(self, path: str, query: Mapping[str, object]) -> tuple[list[dict[str, Any]], bool]:
        """What a search finds: its entries, and whether the server says that there are more.

        Raises:
            Unanswered, CurationError: as `attempts`.
        """

        def read(answer: Answer) -> tuple[list[dict[str, Any]], bool]:
            text = bytearray()
            while block := answer.read(BLOCK):
                text += block
                if len(text) > LARGEST_LIST:
                    raise _nonsense("a list that is too long")
            if answer.length is not None and len(text) < answer.length:
                raise EOFError
            return _entries(bytes(text)), answer.more

        asked = f"{path}?{urlencode(query, doseq=True)}" if query else path
        try:
            return self.attempts(asked, "application/dicom+json", read)
        except Absent:
            return [], False

    def attempts(self, path: str, accept: str, read: Callable[[Answer], Value], retries: int | None = None) -> Value:
        """`read` of the answer to a request, tried again after failures with growing pauses.

        `retries`: attempts after the first, where they are not those of `patience`.

        Raises:
            Absent: there is nothing of that name.
            Unanswered: every attempt failed.
            CurationError: the server refuses, redirects, is not who it should be, or talks nonsense.
        """
        why, pause = "no answer", 1.0
        for attempt in range((self.patience.retries if retries is None else retries) + 1):
            if attempt:
                time.sleep(min(pause, LONGEST_WAIT))
                pause = min(2 * pause, LONGEST_WAIT)
            self._pace.wait()
            try:
                with self._ask(path, accept) as (status, wait, answer):
                    if status not in TRANSIENT:
                        return read(answer)
                    why, pause = f"status {status}", max(pause, wait)
            except ssl.SSLCertVerificationError:
                raise _not_itself() from None
            except FAILURES as error:
                why = _words(error)
        raise Unanswered(why)

    @contextmanager
    def _ask(self, path: str, accept: str) -> Iterator[tuple[int, float, Answer]]:
        """One attempt: status, seconds to wait that the server names, and the answer."""
        done = False
        try:
            if self._connection is None:
                self._connection = self._connect()
            headers = {"Accept": accept, "User-Agent": "radcurate"}
            if self._access.header:
                headers["Authorization"] = self._access.header
            self._connection.request("GET", self._parts.path + path, headers=headers)
            response = self._connection.getresponse()
            _insist(response.status)
            yield response.status, _seconds(response.getheader("Retry-After")), _answer(response)
            done = response.isclosed()  # an answer that was read to its end leaves the connection of use
        finally:
            if not done:
                self.close()

    def _connect(self) -> http.client.HTTPConnection:
        host, port, timeout = str(self._parts.hostname), self._parts.port, self.patience.timeout
        if self._tls is None:
            return http.client.HTTPConnection(host, port, timeout=timeout)
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls)


def _answer(response: http.client.HTTPResponse) -> Answer:
    kind = Message()
    kind["Content-Type"] = response.getheader("Content-Type") or "application/octet-stream"
    more = (response.getheader("Warning") or "").startswith("299")  # PS3.18 8.3.4.3: additional results
    length = 0 if response.status == 204 else response.length
    return Answer(kind, length, more, response.read)


def _insist(status: int) -> None:
    if status in (404, 410):
        raise Absent
    if status in (401, 403):
        raise CurationError(
            "the DICOMweb server refuses",
            wanted="a server that lets this user search and fetch",
            found=f"status {status}",
            fix="correct the file that fetch.dicomweb.credentials names, or ask whoever runs the server",
        )
    if 300 <= status < 400:
        raise CurationError(
            "the DICOMweb server sends elsewhere",
            wanted="an answer: the credentials are for this address only",
            found=f"status {status}",
            fix="set `input` to the address that answers itself",
        )
    if status >= 400 and status not in TRANSIENT:
        raise CurationError(
            "the DICOMweb server does not understand",
            wanted="a server that speaks QIDO-RS and WADO-RS (PS3.18)",
            found=f"status {status}",
            fix="check the address: it ends before /studies, such as https://HOST/dicom-web",
        )


def _entries(text: bytes) -> list[dict[str, Any]]:
    if not text.strip():  # 204: nothing found
        return []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise _nonsense("something else")
    return found


def _nonsense(found: str) -> CurationError:
    return CurationError(
        "the DICOMweb server gives no list",
        wanted="a list of entries in DICOM JSON (PS3.18 F.2)",
        found=found,
        fix="check the address: it ends before /studies, such as https://HOST/dicom-web",
    )


def _not_itself() -> CurationError:
    return CurationError(
        "the DICOMweb server can't prove who it is",
        wanted="a certificate for its name, signed by somebody this machine trusts",
        found="another certificate",
        fix="if the hospital signs its own, name its certificate in fetch.dicomweb.authority; it can't be left unchecked",
    )


def _seconds(text: str | None) -> float:
    return float(text) if text and text.isdigit() else 0.0


def _words(error: BaseException) -> str:
    """What went wrong, without the text of the error, which may quote what the server sent."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, OSError):
        return "connection lost"
    return "an answer that ends early"

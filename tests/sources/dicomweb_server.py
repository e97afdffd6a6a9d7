"""A small DICOMweb server in a thread, with whims: pages that are too short, answers that break off, refusals."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydicom import dcmread

BOUNDARY = "a-boundary"


@dataclass
class Held:
    """What the server has: files by study, series, instance; and how it behaves."""

    files: dict[str, dict[str, dict[str, bytes]]] = field(default_factory=dict)
    modality: dict[str, str] = field(default_factory=dict)
    date: dict[str, str] = field(default_factory=dict)
    largest_page: int = 1000
    heeds_offset: bool = True
    heeds_filters: bool = True
    says_more: bool = False
    hidden: set[str] = field(default_factory=set)  # instances that are listed and not given
    uncounted: dict[str, int] = field(default_factory=dict)  # series → instances it says it has beyond those listed
    swapped: dict[str, bytes] = field(default_factory=dict)  # instance → what is given in its place
    statuses: list[int] = field(default_factory=list)  # of the next answers, in turn; 200 for a right one
    break_after: int | None = None  # bytes of an answer with files, then the connection ends
    wants: str | None = None  # the Authorization that is asked for
    chunked: bool = False
    whole_series: bool = True
    log: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def add(self, folder: Path) -> None:
        """Take all DICOM files below a folder."""
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            head = dcmread(path, stop_before_pixels=True)
            study, series = str(head.StudyInstanceUID), str(head.SeriesInstanceUID)
            self.files.setdefault(study, {}).setdefault(series, {})[str(head.SOPInstanceUID)] = path.read_bytes()
            self.modality[series] = head.Modality
            self.date[study] = head.StudyDate

    @property
    def asked_for_files(self) -> list[str]:
        """Requests that asked for instances, not for lists."""
        return [line for line in self.log if "/series/" in line and "?" not in line]

    def instances(self) -> set[str]:
        return {sop for series in self.files.values() for listed in series.values() for sop in listed}


@contextmanager
def serving(held: Held) -> Iterator[str]:
    """Its address, while it runs."""
    handler = type("Handler", (_Handler,), {"held": held})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/dicom-web"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    held: Held
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        held = self.held
        parts = urlsplit(self.path)
        held.log.append(self.path)
        held.headers.append(dict(self.headers.items()))
        status = held.statuses.pop(0) if held.statuses else 200
        if held.wants is not None and self.headers.get("Authorization") != held.wants:
            status = 401
        if status != 200:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            if status in (301, 302, 307):
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()
            return
        names = parts.path.removeprefix("/dicom-web/").split("/")
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        if names[-1] in ("studies", "series", "instances"):
            self._list(names, query)
        else:
            self._give(names)

    def _list(self, names: list[str], query: dict[str, str]) -> None:
        held = self.held
        if names == ["studies"]:
            first, last = (query.get("StudyDate") or "-").split("-")
            entries = [
                {
                    "0020000D": {"vr": "UI", "Value": [study]},
                    "00080020": {"vr": "DA", "Value": [held.date[study]]},
                    "00201208": {"vr": "IS", "Value": [sum(len(listed) for listed in series.values())]},
                }
                for study, series in held.files.items()
                if not held.heeds_filters
                or (
                    query.get("StudyInstanceUID", study) == study
                    and (not first or first <= held.date[study])
                    and (not last or held.date[study] <= last)
                )
            ]
        elif names[-1] == "series":
            entries = [
                {
                    "0020000E": {"vr": "UI", "Value": [series]},
                    "00080060": {"vr": "CS", "Value": [held.modality[series]]},
                    "00201209": {"vr": "IS", "Value": [len(listed) + held.uncounted.get(series, 0)]},
                }
                for series, listed in held.files.get(names[1], {}).items()
            ]
        else:
            entries = [
                {"00080018": {"vr": "UI", "Value": [sop]}} for sop in held.files.get(names[1], {}).get(names[3], {})
            ]
        start = int(query.get("offset", 0)) if held.heeds_offset else 0
        page = entries[start : start + min(int(query.get("limit", 100)), held.largest_page)]
        body = json.dumps(page).encode() if page else b""
        self.send_response(200 if page else 204)
        self.send_header("Content-Type", "application/dicom+json")
        if held.says_more and start + len(page) < len(entries):
            self.send_header("Warning", "299 server: There are more")
        if page:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _give(self, names: list[str]) -> None:
        held = self.held
        listed = held.files.get(names[1], {}).get(names[3], {})
        if len(names) == 4 and not held.whole_series:
            listed = {}
        wanted = [sop for sop in listed if len(names) == 4 or sop == names[5]]
        given = [held.swapped.get(sop, listed[sop]) for sop in wanted if sop not in held.hidden]
        if not given:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = b"".join(
            b"--" + BOUNDARY.encode() + b"\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n"
            for data in given
        )
        body += b"--" + BOUNDARY.encode() + b"--\r\n"
        self.send_response(200)
        self.send_header("Content-Type", f'multipart/related; type="application/dicom"; boundary="{BOUNDARY}"')
        self.send_header(*(("Transfer-Encoding", "chunked") if held.chunked else ("Content-Length", str(len(body)))))
        self.end_headers()
        self._send(body)

    def _send(self, body: bytes) -> None:
        held = self.held
        whole = len(body)
        if held.break_after is not None:
            body = body[: held.break_after]
            held.break_after = max(held.break_after - whole, 0)
        for at in range(0, len(body), 1000):
            block = body[at : at + 1000]
            self.wfile.write(f"{len(block):x}\r\n".encode() + block + b"\r\n" if held.chunked else block)
        if len(body) < whole:
            self.close_connection = True
        elif held.chunked:
            self.wfile.write(b"0\r\n\r\n")

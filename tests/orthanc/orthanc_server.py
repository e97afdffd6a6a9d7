"""A real Orthanc with its DICOMweb plugin, on loopback, as Debian packages it."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER, PASSWORD = "fetcher", "orthanc-s3cret"
PATIENCE = 60.0  # seconds until it answers


def program() -> str:
    """Where it is; the test is skipped, saying so, where it isn't."""
    found = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
    if not Path(found).exists() or not PLUGIN.exists():
        pytest.skip("no Orthanc with its DICOMweb plugin: sh tests/orthanc/install.sh")
    return found


@dataclass
class Orthanc:
    """A server whose data stay in `folder` when it dies."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/dicom-web"

    def start(self) -> None:
        """Start it, on the port it had before, and wait until it answers."""
        self.folder.mkdir(exist_ok=True)
        self.port = self.port or free_port()
        settings = {
            "Name": "radcurate-test",
            "StorageDirectory": str(self.folder / "storage"),
            "IndexDirectory": str(self.folder / "storage"),
            "HttpPort": self.port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {USER: PASSWORD},
            "DicomServerEnabled": False,
            "Plugins": [str(PLUGIN)],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }
        path = self.folder / "orthanc.json"
        path.write_text(json.dumps(settings))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([program(), str(path)], stdout=log, stderr=log, cwd=self.folder)
        end = time.monotonic() + PATIENCE
        while self._status() != 200:
            if time.monotonic() > end or self.process.poll() is not None:
                pytest.fail("Orthanc did not start: " + (self.folder / "log").read_text()[-2000:])
            time.sleep(0.1)

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def take(self, files: Iterable[Path]) -> int:
        """Put files in; how many instances it has afterwards. What is no DICOM is refused and passed over."""
        for path in files:
            self.request("POST", "/instances", path.read_bytes())
        return int(json.loads(self.request("GET", "/statistics")[1])["CountInstances"])

    def instances(self) -> set[str]:
        """SOPInstanceUIDs of all that it took, as its own interface tells them, not DICOMweb."""
        listed = json.loads(self.request("GET", "/instances?expand")[1])
        return {entry["MainDicomTags"]["SOPInstanceUID"] for entry in listed}

    def request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        told = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        try:
            connection.request(method, path, body, {"Authorization": f"Basic {told}"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _status(self) -> int:
        try:
            return self.request("GET", "/system")[0]
        except OSError:
            return 0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])

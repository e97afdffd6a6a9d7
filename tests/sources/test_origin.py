"""What `input` may be, and that nothing of patients crosses a network in clear or to somebody else."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from source_archives import zipped

from radcurate.errors import CurationError
from radcurate.settings import Config
from radcurate.sources.access import Access
from radcurate.sources.origin import check_address, is_archive, origin_of
from radcurate.sources.reading import fetch_settings, input_origin, server_settings
from radcurate.sources.web import Patience, Server

GOOD = [
    "https://pacs.example/dicom-web",
    "https://pacs.example:8443/",
    "http://localhost:8042/dicom-web/",
    "http://127.0.0.1:8042",
    "http://[::1]:8042/x",
]
BAD = {
    "http://pacs.example/dicom-web": "http to another machine",
    "http://localhost.example/": "http to another machine",
    "http://127.0.0.1.example/": "http to another machine",
    "http://10.0.0.5/": "http to another machine",
    "https://user:secret@pacs.example/": "a name, a password or a query in it",
    "https://pacs.example/?token=secret": "a name, a password or a query in it",
    "https://pacs.example/#x": "a name, a password or a query in it",
    "ftp://pacs.example/": "something else",
    "https:///x": "something else",
    "https://pacs.example:port/": "something else",
    "file:///etc/passwd": "something else",
}


@pytest.mark.parametrize("address", GOOD)
def test_addresses_that_may_be_asked(address: str) -> None:
    assert check_address(address) == address.rstrip("/")
    assert origin_of(f"dicomweb+{address}", True).kind == "server"


@pytest.mark.parametrize("address", BAD)
def test_addresses_that_may_not_be_asked(address: str) -> None:
    with pytest.raises(CurationError, match="can't be used") as error:
        origin_of(f"dicomweb+{address}", True)
    assert error.value.found == BAD[address]
    assert "secret" not in str(error.value)


def test_a_folder_is_searched_for_archives_by_name(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "x.nii.gz").touch()
    assert origin_of(str(tmp_path / "in"), True).kind == "folder"
    archive = zipped(tmp_path / "in" / "deep" / "X.ZIP", {"a": b"a"})
    assert origin_of(str(tmp_path / "in"), True).kind == "archives"
    assert origin_of(str(tmp_path / "in"), False).kind == "folder"
    assert origin_of(str(archive), False).kind == "archives"
    for name in ("a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz", "a.tar.zst", "a.zip"):
        assert is_archive(name)
    for name in ("a.nii.gz", "a.gz", "zip", "tar", "a.zip.part", "a.dcm"):
        assert not is_archive(name)


def test_an_input_that_is_nothing_is_explained(tmp_path: Path) -> None:
    (tmp_path / "note.txt").touch()
    for name, found in {"absent": "no such folder", "note.txt": "another file", "gone.zip": "no such folder"}.items():
        with pytest.raises(CurationError, match="no folder") as error:
            input_origin(Config(input=str(tmp_path / name)), tmp_path / "results")
        assert error.value.found == found


def test_what_only_says_how_to_ask_is_no_parameter(tmp_path: Path) -> None:
    """Parameters are kept in .snakemake and a changed one runs the rule: neither paths nor patience belong there."""
    plain = Config().fetch
    how = {"credentials": "/secret/file", "studies": "/secret/list", "authority": "/ca", "timeout": 1, "retries": 1}
    how |= {"rate": 3, "connections": 9, "page": 7}
    asked = Config.model_validate({"fetch": {"dicomweb": how}}).fetch
    assert fetch_settings(asked) == fetch_settings(plain)
    assert "/secret" in server_settings(asked)
    other = Config.model_validate({"fetch": {"dicomweb": {"modalities": ["CT"]}}}).fetch
    assert fetch_settings(other) != fetch_settings(plain)


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An https server on loopback whose certificate nobody signed but itself; its address and certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost")]
    certificate = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(1)
        )
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = tmp_path / "cert.pem", tmp_path / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"https://localhost:{server.server_address[1]}", pem
    server.shutdown()
    server.server_close()


def test_a_server_must_prove_who_it_is(encrypted: tuple[str, Path]) -> None:
    address, certificate = encrypted
    patience = Patience(timeout=10, retries=0)
    with pytest.raises(CurationError, match="can't prove who it is"):
        Server(address, Access("Bearer secret"), patience).listed("/studies", {})
    assert Server(address, Access(), patience, str(certificate)).listed("/studies", {}) == ([], False)
    other = address.replace("localhost", "127.0.0.1")  # the right signature, another name
    with pytest.raises(CurationError, match="can't prove who it is"):
        Server(other, Access(), patience, str(certificate)).listed("/studies", {})

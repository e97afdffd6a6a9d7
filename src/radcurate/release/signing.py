"""Sign a release with Ed25519, and check such a signature.

The signing key is derived from the project key, so there is no second secret to keep; its public half may go to anybody.
The form is DSSE (https://github.com/secure-systems-lab/dsse, v1.0): an envelope with the payload, its type, and a
signature over both.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from radcurate.errors import CurationError
from radcurate.keys import Key

DOMAIN = b"radcurate release signature Ed25519 v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
FIX_KEY = "ask whoever made the release for the file that `radcurate keys public` writes"


class SignatureError(Exception):
    """An envelope that does not hold; the message says in what."""


def signing_key(key: Key) -> Ed25519PrivateKey:
    """The signing key that belongs to a project key: HKDF-SHA256 (RFC 5869) with a domain of its own."""
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=DOMAIN).derive(key.secret)
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_pem(key: Key) -> str:
    """The public key, as PEM (RFC 7468, SubjectPublicKeyInfo)."""
    pem = signing_key(key).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode("ascii")


def name_of(public: Ed25519PublicKey) -> str:
    """Names a public key: SHA-256 of its DER form, 64 hexadecimal digits."""
    return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def read_public(path: Path) -> Ed25519PublicKey:
    """A public key from a PEM file.

    Raises:
        CurationError: absent, or no Ed25519 public key.
    """
    try:
        text = path.expanduser().read_bytes()
    except OSError as error:
        raise _no_key(f"a file that can't be read ({type(error).__name__})") from None
    return parse_public(text)


def parse_public(text: bytes) -> Ed25519PublicKey:
    """A public key in PEM.

    Raises:
        CurationError: something else, such as a private key.
    """
    if b"PRIVATE" in text:
        raise _no_key("a private key, which nobody should send")
    try:
        public = load_pem_public_key(text)
    except (ValueError, UnsupportedAlgorithm):
        raise _no_key("something else") from None
    if not isinstance(public, Ed25519PublicKey):
        raise _no_key("a key of another kind")
    return public


def _no_key(found: str) -> CurationError:
    return CurationError(
        "the public key can't be used", wanted="an Ed25519 public key as PEM", found=found, fix=FIX_KEY
    )


def sign(statement: Mapping[str, Any], key: Key) -> str:
    """The signed envelope of a statement, as text. The same statement and key give the same bytes (RFC 8032)."""
    payload = _plain(statement).encode()
    secret = signing_key(key)
    return _envelope(payload, name_of(secret.public_key()), secret.sign(_signed_bytes(payload)))


def opened(text: str, public: Ed25519PublicKey) -> dict[str, Any]:
    """The statement in an envelope, after its signature was checked.

    The envelope has to be written exactly as `sign` writes it: no byte of it may differ unnoticed.

    Raises:
        SignatureError: no envelope, another key's, or changed.
    """
    try:
        envelope = json.loads(text)
        payload = base64.b64decode(envelope["payload"], validate=True)
        (own,) = envelope["signatures"]
        signature, name = base64.b64decode(own["sig"], validate=True), str(own["keyid"])
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise SignatureError("not a signed statement") from None
    if name != name_of(public):
        raise SignatureError(f"signed with another key ({name[:12]}…)")
    try:
        public.verify(signature, _signed_bytes(payload))
    except InvalidSignature:
        raise SignatureError("the signature does not hold") from None
    if _envelope(payload, name, signature) != text:
        raise SignatureError("written in another way than it was signed")
    content: dict[str, Any] = json.loads(payload)
    return content


def _signed_bytes(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: type and payload, each with its length."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _envelope(payload: bytes, name: str, signature: bytes) -> str:
    return _plain(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": name, "sig": base64.b64encode(signature).decode()}],
        }
    )


def _plain(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, sort_keys=True) + "\n"

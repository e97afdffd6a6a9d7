"""A dictionary attack: who knows every record number and UID of a hospital, but not the key, recognises nobody."""

from __future__ import annotations

import hashlib
import hmac
import io
import uuid
from collections.abc import Callable, Iterable, Iterator

import pydicom
import pytest
from pydicom.uid import generate_uid

from deidentify.deid_objects import POLICY, SPARE, ct, to_bytes
from radcurate.deidentify.dates import date_rule
from radcurate.deidentify.instance import rewrite_instance
from radcurate.deidentify.rewrite import Patient, Rewriter
from radcurate.keys import Key

SECRET = Key(hashlib.sha256(b"what nobody would guess 8c1f").digest())
NUMBERS = [f"{prefix}{number:05d}" for prefix in ("MRN", "") for number in range(10_000, 20_000)]
UIDS = [
    f"1.2.840.99999.7.{study}.{series}.{image}" for study in range(20) for series in range(10) for image in range(25)
]
PATIENTS = NUMBERS[7::1_111]
IMAGES = UIDS[3::711]
HASHES = ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b", "blake2s")
WORDS = (
    b"",
    b"\0",
    b"radcurate",
    b"secret",
    b"password",
    b"key",
    b"salt",
    b"dicom",
    b"anonymous",
    b"test",
    b"demo",
    b"1234",
    b"hospital",
)


def given_out() -> list[pydicom.Dataset]:
    """A released file for some of the patients and some of the images."""
    released = []
    for number, uid in zip(PATIENTS, IMAGES, strict=False):
        subject = SECRET.subject(number)
        rewriter = Rewriter(POLICY, SECRET, Patient(subject, date_rule(SECRET, subject, "shift", 500)))
        ds = ct(PatientID=number, SOPInstanceUID=uid, SeriesInstanceUID=uid + ".1", StudyInstanceUID=uid + ".2")
        released.append(pydicom.dcmread(io.BytesIO(rewrite_instance(to_bytes(ds), rewriter, SPARE).data)))
    return released


RELEASED = given_out()
CODES = {str(ds.PatientID) for ds in RELEASED}
NEW_UIDS = {str(ds.SOPInstanceUID) for ds in RELEASED}


def guessed_keys() -> Iterator[Key]:
    """Keys that somebody lazy would take, or that could be made from what is public."""
    public = [word.encode() for ds in RELEASED for word in (str(ds.DeidentificationMethod), str(ds.StudyInstanceUID))]
    for word in [*WORDS, SECRET.key_id.encode(), POLICY.digest.encode(), *public[:4]]:
        yield Key(word)
        yield Key(word.ljust(32, b"\0"))
        yield Key(hashlib.sha256(word).digest())
        yield Key(hashlib.sha256(word).hexdigest().encode())
    yield Key(bytes([255]) * 32)
    yield Key(bytes(range(32)))


def hashed(values: Iterable[str], domain: str) -> Iterator[bytes]:
    """Hashes of all values without a key, with the domain in the forms one would try, and HMACs with a word as the key."""
    for value in values:
        for text in (value, f"{domain}|{value}", f"{domain}|0:|{len(value)}:{value}", f"{domain}|{len(value)}:{value}"):
            for name in HASHES:
                yield hashlib.new(name, text.encode()).digest()
        for word in WORDS:
            yield hmac.digest(word, value.encode(), "sha256")


def code_of(digest: bytes) -> str:
    return "P-" + digest.hex()[:16]


def uids_of(digest: bytes) -> set[str]:
    """Ways to make a 2.25 UID of a digest."""
    raw = bytearray(digest[:16])
    raw[6], raw[8] = (raw[6] & 0x0F) | 0x80, (raw[8] & 0x3F) | 0x80
    plain = int.from_bytes(digest[:16], "big")
    return {
        f"2.25.{uuid.UUID(bytes=bytes(raw)).int}",
        f"2.25.{plain}",
        f"2.25.{uuid.UUID(bytes=digest[:16], version=4).int}",
    }


def test_hashes_of_all_record_numbers_hit_nobody() -> None:
    tried = 0
    for digest in hashed(NUMBERS[::4], "pid"):
        tried += 1
        assert code_of(digest) not in CODES
    print(f"\n{tried} hashes of {len(NUMBERS[::4])} record numbers: 0 of {len(CODES)} pseudonyms hit")


def test_hashes_of_all_uids_hit_no_image() -> None:
    tried = 0
    for digest in hashed(UIDS[::5], "uid"):
        tried += 1
        assert not uids_of(digest) & NEW_UIDS
    for uid in UIDS:
        unkeyed = {generate_uid(prefix="2.25.", entropy_srcs=[uid]), generate_uid(entropy_srcs=[uid])}
        unkeyed |= {
            f"2.25.{uuid.uuid5(space, uid).int}"
            for space in (uuid.NAMESPACE_OID, uuid.NAMESPACE_URL, uuid.NAMESPACE_DNS)
        }
        assert not unkeyed & NEW_UIDS
    print(f"\n{tried} hashes of {len(UIDS[::5])} UIDs: 0 of {len(NEW_UIDS)} hit")


def test_the_program_itself_with_a_guessed_key_hits_nobody() -> None:
    for key in guessed_keys():
        assert not {key.subject(number) for number in PATIENTS} & CODES
        assert not {key.uid(uid) for uid in IMAGES} & NEW_UIDS


@pytest.mark.slow
def test_a_guessed_key_over_the_whole_dictionary_hits_nobody() -> None:
    keys = list(guessed_keys())
    for key in keys:
        assert not {key.subject(number) for number in NUMBERS} & CODES
        assert not {key.uid(uid) for uid in UIDS} & NEW_UIDS
    print(f"\n{len(keys)} guessed keys, {len(NUMBERS)} record numbers, {len(UIDS)} UIDs: no hit")


def test_who_has_the_key_recognises_everybody() -> None:
    found = {SECRET.subject(number): number for number in NUMBERS}
    assert [found[str(ds.PatientID)] for ds in RELEASED] == PATIENTS[: len(RELEASED)]
    images = {SECRET.uid(uid): uid for uid in UIDS}
    assert [images[str(ds.SOPInstanceUID)] for ds in RELEASED] == IMAGES[: len(RELEASED)]


@pytest.mark.parametrize("weak", [hashlib.sha256, hashlib.md5])
def test_the_attack_works_on_an_unkeyed_tool(weak: Callable[[bytes], hashlib._Hash]) -> None:
    codes = {code_of(weak(number.encode()).digest()) for number in PATIENTS}
    assert codes <= {code_of(digest) for digest in hashed(PATIENTS, "pid")}


def test_domains_are_apart() -> None:
    """One value's pseudonym, UID, shift and series code have nothing in common."""
    digests = {
        SECRET.digest(domain, "4711") for domain in ("uid", "pid", "date", "series", "file", "site", "chunk", "release")
    }
    assert len(digests) == 8
    assert SECRET.digest("pid", "a", "bc") != SECRET.digest("pid", "ab", "c")


def test_the_shift_follows_from_nothing_that_is_released() -> None:
    shifts = {number: date_rule(SECRET, SECRET.subject(number), "shift", 500).days for number in NUMBERS[:2_000]}
    assert 0 not in shifts.values() and len(set(shifts.values())) > 800
    for key in guessed_keys():
        same = sum(date_rule(key, SECRET.subject(n), "shift", 500).days == shifts[n] for n in list(shifts)[:200])
        assert same <= 4  # one in a thousand is chance

"""Signatures: who answers for a paper or an exception, and for which tables. Void when one of these changes.

A signature holds the SHA-256 of all that it judged and a MAC under the project key, so that neither a table nor the
paper nor the signature itself can be changed afterwards without being noticed. The file of signatures only grows.
"""

from __future__ import annotations

import datetime
import hmac
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import Field, field_validator

from radcurate.governance.papers import Papers, Section, parse
from radcurate.keys import Key

APPROVALS, OVERRIDES = "approvals.yaml", "overrides.yaml"
_TITLES = {"dr", "prof", "professor", "med", "phd", "md", "mr", "mrs", "ms", "mx", "sir", "pd", "priv", "doz"}


class Signature(Section):
    """One signature: of a paper (`criterion` empty), or on an exception from a criterion (`paper` is override)."""

    paper: str = Field(min_length=1)
    by: str = Field(min_length=3)
    role: str = Field(min_length=3)
    date: str
    reason: str = Field(min_length=3)
    policy: str = Field(min_length=1)
    judged: Mapping[str, str]
    criterion: str = ""
    numbers: str = ""
    signature: str = ""

    @field_validator("by", "role", "reason")
    @classmethod
    def _words(cls, value: str) -> str:
        if not value.isprintable() or not any(letter.isalpha() for letter in value):
            raise ValueError("plain words")
        return value.strip()

    @field_validator("date", mode="before")
    @classmethod
    def _day(cls, value: Any) -> str:
        try:
            return datetime.date.fromisoformat(str(value)).isoformat()
        except ValueError:
            raise ValueError("a day as YYYY-MM-DD") from None


class Book(Section):
    """A file of signatures."""

    signatures: tuple[Signature, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """The signatures of one file: those that hold under the key, and how many don't."""

    genuine: tuple[Signature, ...] = ()
    forged: tuple[Signature, ...] = ()


def signed(unsigned: Signature, key: Key) -> Signature:
    """The same with its MAC."""
    return unsigned.model_copy(update={"signature": _mac(unsigned, key)})


def _mac(signature: Signature, key: Key) -> str:
    content = signature.model_dump(mode="json", exclude={"signature"})
    return key.digest("approval", json.dumps(content, sort_keys=True)).hex()


def sheet(papers: Papers, name: str, key: Key) -> Sheet:
    """The signatures of a file, if it is there.

    Raises:
        CurationError: the file can't be understood.
    """
    book = papers.read(name, Book) or Book()
    holds = [hmac.compare_digest(one.signature, _mac(one, key)) for one in book.signatures]
    genuine = tuple(one for one, good in zip(book.signatures, holds, strict=True) if good)
    return Sheet(genuine, tuple(one for one, good in zip(book.signatures, holds, strict=True) if not good))


def with_signature(papers: Papers, name: str, one: Signature) -> bytes:
    """The content of a file of signatures with one more at its end.

    Raises:
        CurationError: what is there can't be understood.
    """
    book = papers.read(name, Book) or Book()
    content = [entry.model_dump(mode="json") for entry in (*book.signatures, one)]
    text = yaml.safe_dump({"signatures": content}, sort_keys=False, allow_unicode=True, width=100)
    parse(text.encode(), Book, name)
    return (HEADS[name] + text).encode()


HEADS = {
    APPROVALS: "# Who signed what, for which tables. Written by `radcurate approve`; a change voids the signature.\n",
    OVERRIDES: "# Exceptions, each by two people. Written by `radcurate approve override`; a change voids them.\n",
}


def differing(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Names of what changed, came or went between two sets of digests."""
    return sorted(name for name in {*then, *now} if then.get(name) != now.get(name))


def same_person(first: str, second: str) -> bool:
    """Whether two names may be one person's: titles, case, accents, order and punctuation don't count."""
    return _plain_name(first) == _plain_name(second)


def _plain_name(name: str) -> frozenset[str]:
    letters = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(" " if not c.isalnum() else c for c in letters if not unicodedata.combining(c))
    words = letters.split()
    return frozenset(word for word in words if word not in _TITLES) or frozenset(words)


def people(signatures: Sequence[Signature]) -> list[Signature]:
    """The latest signature of each person, in the order in which they first signed."""
    found: dict[frozenset[str], Signature] = {}
    for one in signatures:
        found[_plain_name(one.by)] = one
    return list(found.values())

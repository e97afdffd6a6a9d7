"""Invented identifiers: the same ones in every run, none of them a word or number that a technical value could be."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta

_STARTS = ("Qux", "Zev", "Wyx", "Jorv", "Kwiz", "Vrax", "Xand", "Yolq", "Fjez", "Tzim", "Brykh", "Dwoq")
_MIDDLES = ("olva", "inkre", "umbel", "aphri", "endro", "ostri", "alkwe", "ibbur", "ugzan", "eldwi")
_ENDS = ("nych", "worth", "zhel", "quist", "wreck", "vandt", "pfalz", "mjoll", "gruz", "skov")
_ROOT = "1.2.826.0.1.3680043.8.1177"


@dataclass(frozen=True)
class Secret:
    """An identifier with its category and its HIPAA letter."""

    value: str = field(repr=False)
    category: str
    hipaa: str


class Inventor:
    """Invents the identifiers of one patient; each call a new one, never twice the same."""

    def __init__(self, patient: str) -> None:
        self.patient = patient
        self.calls = 0
        self._words: set[str] = set()
        self.visit = self._tuesday()

    def _draw(self, below: int) -> int:
        self.calls += 1
        digest = hashlib.blake2b(f"{self.patient}|{self.calls}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % below

    def word(self) -> str:
        """A surname that is no word."""
        while True:
            word = "".join(part[self._draw(len(part))] for part in (_STARTS, _MIDDLES, _ENDS))
            if word not in self._words:
                self._words.add(word)
                return word

    def digits(self, count: int) -> str:
        """A number of `count` digits (eight and more are found nowhere by chance) that begins with none of 0, 1, 2, so that it is no date."""
        return str(3 + self._draw(7)) + "".join(str(self._draw(10)) for _ in range(count - 1))

    def _tuesday(self) -> date:
        return date(2015, 1, 6) + timedelta(weeks=1 + self._draw(400))

    def surname(self) -> Secret:
        """One word of a name."""
        return Secret(self.word(), "name", "A")

    def code_word(self) -> Secret:
        """A surname as it fits a code string."""
        return Secret(self.word().upper(), "name", "A")

    def name(self) -> Secret:
        """Surname^forename."""
        return Secret(f"{self.word()}^{self.word()}", "name", "A")

    def spoken(self) -> Secret:
        """Forename and surname as people write them."""
        return Secret(f"{self.word()} {self.word()}", "name", "A")

    def place(self) -> Secret:
        """Street and town."""
        return Secret(f"{self.word()} Street {10 + self._draw(80)}, {self.word()}ville", "text", "B")

    def town(self) -> Secret:
        """A town or hospital."""
        return Secret(self.word() + "burg", "text", "B")

    def zip_code(self) -> Secret:
        """A postal code with its extension."""
        return Secret(f"{self.digits(5)}-{self.digits(4)}", "id", "B")

    def day(self) -> Secret:
        """A day, never the weekday of the visit: the visit shifted by whole weeks can't become it."""
        found = date(1931, 1, 7) + timedelta(weeks=self._draw(2000), days=self._draw(5))
        while found.weekday() == self.visit.weekday() or (found.month, found.day) == (1, 1):
            found += timedelta(days=1)
        return Secret(f"{found:%Y%m%d}", "date", "C")

    def visited(self) -> Secret:
        """The day of the examination."""
        return Secret(f"{self.visit:%Y%m%d}", "date", "C")

    def phone(self) -> Secret:
        """A telephone number."""
        return Secret(f"+49 {self.digits(3)} {self.digits(8)}", "id", "D")

    def fax(self) -> Secret:
        """A fax number."""
        return Secret(f"+49 {self.digits(3)} {self.digits(8)}-99", "id", "E")

    def mail(self) -> Secret:
        """An e-mail address."""
        return Secret(f"{self.word().lower()}@{self.word().lower()}.example", "text", "F")

    def social(self) -> Secret:
        """A social security number of an area that is never given out."""
        return Secret(f"000-{self.digits(2)}-{self.digits(4)}", "id", "G")

    def record(self, digits: int = 9) -> Secret:
        """A medical record number, digits only."""
        return Secret(self.digits(digits), "id", "H")

    def plan(self) -> Secret:
        """A health plan beneficiary number."""
        return Secret(f"HP{self.digits(9)}", "id", "I")

    def account(self) -> Secret:
        """An account number."""
        return Secret(f"ACCT-{self.digits(8)}", "id", "J")

    def licence(self) -> Secret:
        """A licence number."""
        return Secret(f"LIC{self.digits(8)}", "id", "K")

    def plate(self) -> Secret:
        """A vehicle's plate."""
        return Secret(f"{self.word()[:3].upper()}-{self.digits(8)}", "id", "L")

    def serial(self) -> Secret:
        """A device's serial number."""
        return Secret(f"SN{self.digits(8)}", "id", "M")

    def link(self) -> Secret:
        """A web address."""
        return Secret(f"https://{self.word().lower()}.example/{self.digits(9)}", "text", "N")

    def address(self) -> Secret:
        """An IP address of a private network."""
        return Secret(f"10.{100 + self._draw(155)}.{100 + self._draw(155)}.{100 + self._draw(155)}", "id", "O")

    def biometric(self) -> Secret:
        """The code of a finger or voice print."""
        return Secret(f"FPT{self.digits(10)}", "id", "P")

    def photo(self) -> Secret:
        """The file of a portrait, or what stands for its bytes."""
        return Secret(f"portrait-{self.digits(9)}.jpg", "id", "Q")

    def other(self, prefix: str = "X") -> Secret:
        """Any other number."""
        return Secret(f"{prefix}{self.digits(9)}", "id", "R")

    def uid(self) -> Secret:
        """A UID."""
        return Secret(f"{_ROOT}.{self.digits(6)}.{self.digits(8)}.{self.calls}", "uid", "R")

    def telling_uid(self, inside: str) -> Secret:
        """A UID with digits of something else in it."""
        return Secret(f"{_ROOT}.{self.digits(5)}.{inside}.{self.calls}", "uid", "R")

"""How alike two institutions' names are: normalised Levenshtein similarity after the usual abbreviations were written out.

Jaro–Winkler rewards a common beginning, and "University Hospital …" is the beginning of half of all hospitals; it joins
different ones. Levenshtein (1966) doesn't, once "Univ. Hosp." and "University Hospital" are the same words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa"})
_WORDS = {
    "univ": "university",
    "uni": "university",
    "hosp": "hospital",
    "hsp": "hospital",
    "hospitals": "hospital",
    "med": "medical",
    "ctr": "center",
    "cntr": "center",
    "cent": "center",
    "centre": "center",
    "clin": "clinic",
    "clinics": "clinic",
    "inst": "institute",
    "dept": "department",
    "natl": "national",
    "nat": "national",
    "gen": "general",
    "reg": "regional",
    "mem": "memorial",
    "canc": "cancer",
    "onc": "oncology",
    "rad": "radiology",
    "st": "saint",
    "ste": "saint",
    "sankt": "saint",
    "mt": "mount",
    "ft": "fort",
    "hop": "hopital",
    "osp": "ospedale",
    "kh": "krankenhaus",
    "krhs": "krankenhaus",
    "klin": "klinikum",
}
_EMPTY = {"the", "of", "and", "for", "at", "de", "du", "des", "la", "le", "der", "die", "das", "am", "im", "zu", "und"}


def plain_name(name: str) -> str:
    """Small letters without accents or punctuation, abbreviations written out, articles left out."""
    text = unicodedata.normalize("NFC", name).casefold().translate(_UMLAUTS)
    text = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    words = re.sub(r"[^\w\s]", " ", re.sub(r"['’`]", "", text)).replace("_", " ").split()
    return " ".join(_WORDS.get(word, word) for word in words if word not in _EMPTY) or " ".join(words)


def distances(name: str, others: Sequence[str]) -> Ints:
    """Levenshtein distance of `name` from each of `others`, shape (other,): insert, delete and replace cost 1."""
    lengths = np.array([len(other) for other in others], dtype=np.int64)
    width = int(lengths.max(initial=0))
    signs = np.zeros((len(others), width), dtype=np.uint32)
    for row, other in enumerate(others):
        signs[row, : len(other)] = np.frombuffer(other.encode("utf-32-le"), dtype=np.uint32)
    steps = np.arange(width + 1)
    before = np.broadcast_to(steps, (len(others), width + 1))
    for sign in np.frombuffer(name.encode("utf-32-le"), dtype=np.uint32):
        now = before + 1  # the sign is left out
        now[:, 1:] = np.minimum(now[:, 1:], before[:, :-1] + (signs != sign))  # kept, or replaced
        before = np.minimum.accumulate(now - steps, axis=1) + steps  # signs put in
    return np.asarray(before[np.arange(len(others)), lengths], dtype=np.int64)


def similarity(one: str, other: str) -> float:
    """sigma = 1 - distance / length of the longer name, of the plain names; 1 for two empty ones."""
    one, other = plain_name(one), plain_name(other)
    longest = max(len(one), len(other))
    return 1 - float(distances(one, [other])[0]) / longest if longest else 1.0


def alike(names: Sequence[str], others: Sequence[str], least: float) -> Flags:
    """Which of `names` may be which of `others`, shape (name, other): similarity at least `least`.

    Names of as many words must be alike word by word too, and numbers in them equal, so that Saint Mary isn't Saint
    Mark and Clinic 1 isn't Clinic 2.
    """
    left, right = [plain_name(name) for name in names], [plain_name(other) for other in others]
    lengths, letters = np.array([len(other) for other in right], dtype=np.int64), _letters(right)
    found = np.zeros((len(left), len(right)), dtype=bool)
    for row, name in enumerate(left):
        allowed = (1 - least) * np.maximum(lengths, len(name)) + 1e-9
        surplus = letters - _letters([name])
        # a step changes one letter, so there are at least as many as letters too many, or missing
        steps = np.maximum(np.maximum(surplus, 0).sum(axis=1), np.maximum(-surplus, 0).sum(axis=1))
        near = np.flatnonzero(steps <= allowed)
        if near.size:
            close = distances(name, [right[place] for place in near]) <= allowed[near]
            found[row, near[close]] = [_same_words(name, right[place], least) for place in near[close]]
    return found


def _letters(names: Sequence[str]) -> npt.NDArray[np.int16]:
    """How often each sign, by the last five bits of its number, is in each name, shape (name, 32)."""
    found = np.zeros((len(names), 32), dtype=np.int16)
    for row, name in enumerate(names):
        signs = np.frombuffer(name.encode("utf-32-le"), dtype=np.uint32) % 32
        found[row] = np.bincount(signs.astype(np.int64), minlength=32)
    return found


def _same_words(one: str, other: str, least: float) -> bool:
    pairs = list(zip(one.split(), other.split(), strict=False))
    if sorted(re.findall(r"\d+", one)) != sorted(re.findall(r"\d+", other)):
        return False
    if one == other or len(one.split()) != len(other.split()):
        return True
    return all(a == b or distances(a, [b])[0] <= (1 - least) * max(len(a), len(b)) + 1e-9 for a, b in pairs)

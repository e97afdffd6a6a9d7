"""The accepted values: whole values, patterns and words per keyword (`config/vocabulary.yaml`).

An identifier can be typed into any text, also into one that stays, so a text stays only if its value is known to be harmless.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from re import Pattern
from typing import Any

import yaml

from radcurate.errors import CurationError

_SPLIT = re.compile(r"[\s_\-/\\^,;:()+=*&#|<>\[\]]+")
_WORD_OR_NUMBER = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?")
_TWO_NUMBERS = re.compile(r"(?<![\d])(\d{2})[-_.,/ ]{1,2}(\d{2})(?!\d)", re.ASCII)
_SMALL = re.compile(r"\d{1,3}", re.ASCII)
_SEPARATORS = frozenset(" _-+.,/()&#:")
_PARTS = re.compile(r"[-:.]")
_LAST_DIGITS = re.compile(r"(?<=[^\W\d])\d{1,3}$", re.ASCII)
_MODEL_SPLIT = re.compile(r"[\s/,+()_]+")

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster, where PyYAML was built with libyaml


@dataclass(frozen=True)
class Vocabulary:
    """Accepted values. Listed values and words are compared without case."""

    values: Mapping[str, frozenset[str]]  # keyword → casefolded values
    patterns: Mapping[str, Pattern[str]]
    words: Mapping[str, frozenset[str]]
    word_pattern: Pattern[str]
    description_words: frozenset[str]
    description_pattern: Pattern[str]
    region_words: frozenset[str]
    region_pattern: Pattern[str]
    essential: frozenset[str]  # keywords of codes that an object can't do without: no word of them names anybody
    coding_schemes: Mapping[str, Pattern[str]]
    encoder_comments: Pattern[str]

    @cached_property
    def any_value(self) -> frozenset[str]:
        """The listed values of all keywords."""
        return frozenset().union(*self.values.values())

    def listed(self, keyword: str, value: str) -> str | None:
        """`value` if it is listed, or None."""
        return value if value.isascii() and value.casefold() in self.values.get(keyword, ()) else None

    def matching(self, keyword: str, value: str) -> str | None:
        """`value` if a pattern, all its words, or a listed value of the keyword says so; else None."""
        pattern = self.patterns.get(keyword)
        if pattern and pattern.fullmatch(value):
            return value
        words = self.words.get(keyword)
        if words and all(self._technical(word.casefold(), words) for word in _MODEL_SPLIT.split(value) if word):
            return value
        return self.listed(keyword, value)

    def _technical(self, word: str, words: frozenset[str]) -> bool:
        """Whether a word, the word before its last digits, or each of its parts is listed or a small number."""

        def known(part: str) -> bool:
            stem = _LAST_DIGITS.sub("", part)
            return part in words or stem in words or bool(self.word_pattern.fullmatch(part))

        return known(word) or all(map(known, filter(None, _PARTS.split(word))))

    def describe(self, text: str, forbidden: frozenset[str] = frozenset()) -> str:
        """The listed words of a description, in order, without the patient's own (`forbidden`, casefolded)."""
        kept = [
            word for word in _SPLIT.split(text) if word and self._descriptive(word) and word.casefold() not in forbidden
        ]
        return " ".join(kept)

    def _descriptive(self, word: str) -> bool:
        return word.casefold() in self.description_words or bool(self.description_pattern.fullmatch(word))

    def is_plain(self, value: str) -> bool:
        """Whether a value consists of a listed value of any keyword, or of words of the descriptions and regions and numbers below 1000."""
        if not value.isascii() or len(value) > 32:
            return False
        if value.casefold() in self.any_value:
            return True
        numbers = sum(token.isdigit() for token in _SPLIT.split(value))
        return numbers <= 2 and all(
            word.casefold() in self.region_words or self._descriptive(word) or _SMALL.fullmatch(word)
            for word in _SPLIT.split(value)
            if word
        )

    def region(self, name: str, forbidden: frozenset[str] = frozenset()) -> str | None:
        """The name of a region if each of its words is listed, none is the patient's own and no number a date; else None."""
        tokens = _WORD_OR_NUMBER.findall(name)
        rest = _WORD_OR_NUMBER.sub("", name)
        words = [token for token in tokens if token[0].isalpha()]
        numbers = [token for token in tokens if not token[0].isalpha()]
        if not words or not set(rest) <= _SEPARATORS or len(name) > 64 or len(numbers) > 2 or _dated(name):
            return None
        known = all(self.region_pattern.fullmatch(number) for number in numbers) and all(
            word.casefold() in self.region_words for word in words
        )
        return name if known and not any(word.casefold() in forbidden for word in words) else None

    def left_out(self, action: str, keyword: str, text: str) -> list[str]:
        """What of a text no table accepts, as a steward would add it: words of a description or region, else whole values."""
        if action == "words":
            return [word for word in _SPLIT.split(text) if word and not self._descriptive(word)]
        if action == "roi_name":
            tokens = _WORD_OR_NUMBER.findall(text)
            return [token for token in tokens if token[0].isalpha() and token.casefold() not in self.region_words] or [
                text
            ]
        accept = self.matching if action == "keep_if_matches" else self.listed
        parts = [part.strip(" \0") for part in text.split("\\")]
        return [part for part in parts if part and accept(keyword, part) is None]


def _dated(text: str) -> bool:
    """Whether two neighbouring numbers could be day and month, in either order."""
    return any(
        1 <= min(int(first), int(second)) <= 12 and max(int(first), int(second)) <= 31
        for first, second in _TWO_NUMBERS.findall(text)
    )


def load_vocabulary(path: Path) -> tuple[Vocabulary, bytes]:
    """The vocabulary and the file's bytes.

    Raises:
        CurationError: the file can't be read, lacks a part, or holds a pattern that is no regular expression.
    """
    try:
        content = path.read_bytes()
        return _build(yaml.load(content, _LOADER)), content
    except OSError as error:
        found = type(error).__name__
    except (yaml.YAMLError, UnicodeError):
        found = "a syntax error"
    except re.error as error:
        found = f"a pattern that is no regular expression: {error.msg}"
    except (KeyError, TypeError, AttributeError) as error:
        found = f"a part that is missing or has another form ({error})"
    raise CurationError(
        "the vocabulary can't be used",
        wanted="YAML with values, patterns, words, descriptions, regions, essential, coding_schemes",
        found=found,
        fix="compare with config/vocabulary.yaml in the repository",
    )


def _build(raw: Mapping[str, Any]) -> Vocabulary:
    return Vocabulary(
        values={key: _fold(values) for key, values in raw["values"].items()},
        patterns={key: _either(patterns) for key, patterns in raw["patterns"].items()},
        words={key: _fold(words) for key, words in raw["words"].items()},
        word_pattern=_either(raw["word_patterns"]),
        description_words=_fold(raw["descriptions"]["words"]),
        description_pattern=_either(raw["descriptions"]["patterns"]),
        region_words=_fold(raw["regions"]["words"]),
        region_pattern=_either(raw["regions"]["patterns"]),
        essential=frozenset(raw["essential"]),
        coding_schemes={key: re.compile(pattern, re.ASCII) for key, pattern in raw["coding_schemes"].items()},
        encoder_comments=_either(raw["encoder_comments"]),
    )


def _either(patterns: list[str]) -> Pattern[str]:
    """One pattern for all; ASCII digits only, without case."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.ASCII | re.IGNORECASE)


def _fold(words: list[str]) -> frozenset[str]:
    return frozenset(str(word).casefold() for word in words)

"""Single header values, read without trusting them: a value that can't be parsed counts as absent."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag


def text(dataset: Dataset, keyword: str) -> str:
    """The value without surrounding blanks and nulls; the first of several; "" when absent."""
    value = _value(dataset, keyword)
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        value = value[0] if len(value) else ""
    return "" if value is None else str(value).strip(" \0\t\r\n")


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """All values of a multi-valued element."""
    value = _value(dataset, keyword)
    if value is None or value == "":
        return ()
    several = isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue"
    return tuple(str(part).strip() for part in (value if several else [value]))


def whole(dataset: Dataset, keyword: str) -> int | None:
    """An integer; None when absent or not one."""
    numbers_found = numbers(dataset, keyword, 1)
    return int(numbers_found[0]) if numbers_found else None


def number(dataset: Dataset, keyword: str) -> float | None:
    """A finite number; None when absent or not one."""
    found = numbers(dataset, keyword, 1)
    return found[0] if found else None


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """Exactly `count` finite numbers; None otherwise."""
    value = _value(dataset, keyword)
    if value is None or value == "":
        return None
    several = isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue"
    try:
        found = tuple(float(part) for part in (value if several else [value]))
    except (TypeError, ValueError):
        return None
    return found if len(found) == count and all(math.isfinite(part) for part in found) else None


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Items of a sequence; empty when absent or no sequence."""
    value = _value(dataset, keyword)
    if value is None or not hasattr(value, "__iter__") or isinstance(value, (str, bytes)):
        return []
    return [item for item in value if isinstance(item, Dataset)]


def _value(dataset: Dataset, keyword: str) -> Any:
    try:
        return dataset[_tag(keyword)].value
    except Exception:  # absent; or malformed, for which pydicom raises many kinds
        return None


@lru_cache(maxsize=256)
def _tag(keyword: str) -> BaseTag:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(keyword)
    return BaseTag(tag)

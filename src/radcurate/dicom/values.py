"""Single header values, read without trusting them: a value that can't be parsed counts as absent."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, TypeAlias

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from radcurate.dicom.lazy import Doubt, Lazy

Elements: TypeAlias = Any  # a pydicom Dataset, or Lazy


def text(dataset: Elements, keyword: str) -> str:
    """The value without surrounding blanks and nulls; the first of several; "" when absent."""
    value = _value(dataset, keyword)
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        value = value[0] if len(value) else ""
    return "" if value is None else str(value).strip(" \0\t\r\n")


def texts(dataset: Elements, keyword: str) -> tuple[str, ...]:
    """All values of a multi-valued element."""
    value = _value(dataset, keyword)
    if value is None or value == "":
        return ()
    several = isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue"
    return tuple(str(part).strip() for part in (value if several else [value]))


def whole(dataset: Elements, keyword: str) -> int | None:
    """An integer; None when absent or not one."""
    numbers_found = numbers(dataset, keyword, 1)
    return int(numbers_found[0]) if numbers_found else None


def number(dataset: Elements, keyword: str) -> float | None:
    """A finite number; None when absent or not one."""
    found = numbers(dataset, keyword, 1)
    return found[0] if found else None


def numbers(dataset: Elements, keyword: str, count: int) -> tuple[float, ...] | None:
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


def items(dataset: Elements, keyword: str) -> list[Dataset]:
    """Items of a sequence; empty when absent or no sequence.

    Raises:
        Doubt: it is there, but only pydicom's data sets have items.
    """
    if isinstance(dataset, Lazy):
        if present(dataset, keyword):
            raise Doubt
        return []
    value = _value(dataset, keyword)
    if value is None or not hasattr(value, "__iter__") or isinstance(value, (str, bytes)):
        return []
    return [item for item in value if isinstance(item, Dataset)]


def present(dataset: Elements, keyword: str) -> bool:
    """Whether there is such an element, empty or not."""
    return dataset.present(_number(keyword)) if isinstance(dataset, Lazy) else _tag(keyword) in dataset


def _value(dataset: Elements, keyword: str) -> Any:
    if isinstance(dataset, Lazy):
        return dataset.value(_number(keyword))
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


@lru_cache(maxsize=256)
def _number(keyword: str) -> int:
    return int(_tag(keyword))  # a plain one: comparing a BaseTag costs as much as a look-up

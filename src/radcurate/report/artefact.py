"""A document of the run and the numbers shown of it: each carries where it comes from, so that a program can check the page.

    <a class="n" href="../gate/verdict.json" data-from="results/gate/verdict.json#/inventoried" data-value="52">52</a>

`data-from` holds one JSON pointer (RFC 6901), or several whose values are added; one that begins with `-` is subtracted.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from radcurate.report.page import text

Json = Mapping[str, Any]
# Pseudonyms used inside a run, such as S-11656ff4fa160f7e. A page for outsiders holds none.
RUN_CODE = re.compile(r"\b[A-Z]-[0-9a-f]{6,}\b")


def plain(value: Any) -> str:
    """A number as text: whole ones as they are, others to three significant digits."""
    if value is None:
        return "not measured"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return "infinite" if value > 0 else "not a number"
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    return f"{value:.3g}"


def percent(value: Any) -> str:
    """A share as a percentage, to three significant digits: `4.76 %`."""
    return plain(value) if value is None or isinstance(value, str) else f"{plain(float(f'{100 * value:.12g}'))} %"


FORMS: dict[str, Callable[[Any], str]] = {"plain": plain, "percent": percent}


@dataclass(frozen=True)
class Artefact:
    """A JSON document of the run.

    Attributes:
        path: how people know it, such as `results/gate/verdict.json`.
        href: the way to it from the page.
        source: file that the pointers of `data-from` lead into; `path` where that is readable JSON.
        prefix: pointer, inside `source`, to this document.
        content: what it says.
    """

    path: str
    href: str
    source: str
    prefix: str
    content: Json

    def at(self, *steps: str | int) -> Any:
        """A value; None where there is none."""
        found: Any = self.content
        for step in steps:
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def number(self, *steps: str | int, form: str = "plain", linked: bool = True) -> str:
        """A value of it as HTML, with its source; linked to the artefact, or not, as in tables that have a link by themselves."""
        return self._tagged(self.at(*steps), [self.pointer(*steps)], form, linked)

    def total(self, places: Sequence[Sequence[str | int]], minus: int = 0, linked: bool = False) -> str:
        """The sum of several values, the last `minus` of them subtracted."""
        signs = [1] * (len(places) - minus) + [-1] * minus
        value = sum(sign * self.at(*place) for sign, place in zip(signs, places, strict=True))
        names = [("-" if sign < 0 else "") + self.pointer(*place) for sign, place in zip(signs, places, strict=True)]
        return self._tagged(value, names, "plain", linked)

    def pointer(self, *steps: str | int) -> str:
        """`source#/steps`."""
        parts = [quote(str(step).replace("~", "~0").replace("/", "~1"), safe="~*") for step in steps]
        return f"{self.source}#{self.prefix}" + "".join(f"/{part}" for part in parts)

    def link(self, shown: str = "") -> str:
        """The way to it."""
        return f'<a href="{text(self.href)}">{text(shown or self.path)}</a>'

    def _tagged(self, value: Any, pointers: Sequence[str], form: str, linked: bool) -> str:
        shown = text(FORMS[form](value))
        told = f'data-from="{text(" ".join(pointers))}" data-form="{form}" data-value="{text(_exact(value))}"'
        title = f'title="{text(pointers[0])}"'
        if linked:
            return f'<a class="n" href="{text(self.href)}" {title} {told}>{shown}</a>'
        return f"<span {title} {told}>{shown}</span>"


def _exact(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def resolve(pointer: str, content: Any) -> Any:
    """What the part after `#` of a pointer leads to in a document.

    Raises:
        KeyError, IndexError: to nothing.
    """
    found = content
    for part in pointer.split("/")[1:]:
        step = unquote(part).replace("~1", "/").replace("~0", "~")
        found = found[int(step)] if isinstance(found, list) else found[step]
    return found


def without_codes(content: Any) -> Any:
    """A document as outsiders may see it: pseudonyms used inside the run are replaced, in keys too."""
    if isinstance(content, str):
        return RUN_CODE.sub("…", content)
    if isinstance(content, Mapping):
        return {RUN_CODE.sub("…", str(key)): without_codes(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [without_codes(value) for value in content]
    return content

"""The ten actions of the MIDI-B challenge, scored with pydicom alone: what a judge sees who has both files and an answer key.

A file that was not given out scores nothing but the actions that ask for something to be gone.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import pydicom

Files = Mapping[str, bytes | None]  # None: quarantined


@dataclass(frozen=True)
class Answer:
    """One thing that has to be so. path: keywords down to the attribute, items as `Keyword[1]`; text: what stays or goes."""

    file: str
    action: str
    path: str = ""
    text: str = ""
    patient: str = ""
    box: tuple[int, int, int, int] | None = None  # rows and columns of burned-in text


@dataclass
class Score:
    """Right answers of all, by action, and the wrong ones."""

    right: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    wrong: list[Answer] = field(default_factory=list)

    def share(self, action: str) -> float:
        """Share of right answers."""
        return self.right[action] / self.asked[action] if self.asked[action] else 1.0

    def table(self) -> str:
        """A line per action, and all together."""
        rows = [
            f"{action:18s} {self.right[action]:5d} of {self.asked[action]:5d}  {self.share(action):.2%}"
            for action in ACTIONS
        ]
        total, asked = self.right.total(), self.asked.total()
        return "\n".join([*rows, f"{'in total':18s} {total:5d} of {asked:5d}  {total / asked:.2%}"])


@dataclass
class Bench:
    """Both sides, and what was learned of each patient and UID so far."""

    before: Mapping[str, pydicom.Dataset]
    after: Mapping[str, pydicom.Dataset | None]
    uids: dict[str, str] = field(default_factory=dict)
    patients: dict[str, str] = field(default_factory=dict)
    shifts: dict[str, int] = field(default_factory=dict)


def score(before: Files, after: Files, key: Iterable[Answer]) -> Score:
    """Hold the files `after` against the answer key."""
    bench = Bench(
        {name: _read(data) for name, data in before.items() if data},
        {n: _read(d) if d else None for n, d in after.items()},
    )
    result = Score()
    for answer in key:
        right = ACTIONS[answer.action](bench, answer)
        result.asked[answer.action] += 1
        result.right[answer.action] += right
        if not right:
            result.wrong.append(answer)
    return result


def _read(data: bytes) -> pydicom.Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(io.BytesIO(data))
        for _ in ds.iterall():
            pass
        return ds


def _element(ds: pydicom.Dataset | None, path: str) -> pydicom.DataElement | None:
    *above, last = path.split(">")
    for step in above:
        keyword, _, number = step.rstrip("]").partition("[")
        items = ds.get(keyword) if ds is not None else None
        if not items or len(items) <= int(number or 0):
            return None
        ds = items[int(number or 0)]
    return ds[last] if ds is not None and last in ds else None


def _text(ds: pydicom.Dataset | None, path: str) -> str:
    element = _element(ds, path)
    if element is None or element.value is None:
        return ""
    value = element.value
    parts = value if isinstance(value, (list, pydicom.multival.MultiValue)) else [value]
    return "\\".join(str(part) for part in parts)


def _tag_retained(bench: Bench, answer: Answer) -> bool:
    return _element(bench.after[answer.file], answer.path) is not None


def _text_notnull(bench: Bench, answer: Answer) -> bool:
    return bool(_text(bench.after[answer.file], answer.path).strip())


def _text_retained(bench: Bench, answer: Answer) -> bool:
    found = _text(bench.after[answer.file], answer.path)
    if answer.text and answer.text in found:
        return True
    try:
        pairs = zip(found.split("\\"), answer.text.split("\\"), strict=True)
        return all(abs(float(a) - float(b)) <= 1e-6 * max(1.0, abs(float(b))) for a, b in pairs)
    except ValueError:
        return False


def _text_removed(bench: Bench, answer: Answer) -> bool:
    """Gone from the attribute and from every other text of the file."""
    ds = bench.after[answer.file]
    if ds is None:
        return True
    wanted = answer.text.casefold()
    return not any(wanted in _said(element) for element in ds.iterall()) and wanted not in _said_meta(ds)


def _said(element: pydicom.DataElement) -> str:
    if element.VR == "SQ" or element.keyword == "PixelData":
        return ""
    value = element.value
    return (value.decode("latin-1") if isinstance(value, bytes) else str(value)).casefold()


def _said_meta(ds: pydicom.Dataset) -> str:
    preamble = bytes(ds.preamble or b"").decode("latin-1").casefold()  # type: ignore[attr-defined]
    return preamble + " ".join(_said(element) for element in ds.file_meta)


def _date_shifted(bench: Bench, answer: Answer) -> bool:
    """Another day, and as far away as all days of the patient."""
    old = _day(_text(bench.before[answer.file], answer.path))
    new = _day(_text(bench.after[answer.file], answer.path))
    if old is None or new is None or old == new:
        return False
    return bench.shifts.setdefault(answer.patient, (new - old).days) == (new - old).days


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None


def _uid_changed(bench: Bench, answer: Answer) -> bool:
    new = _text(bench.after[answer.file], answer.path)
    return bool(new) and new != _text(bench.before[answer.file], answer.path) and pydicom.uid.UID(new).is_valid


def _uid_consistent(bench: Bench, answer: Answer) -> bool:
    """The same new UID wherever the old one was, and no two old ones under one new one."""
    old, new = _text(bench.before[answer.file], answer.path), _text(bench.after[answer.file], answer.path)
    if not new or old == new:
        return False
    return bench.uids.setdefault(f"old {old}", new) == new and bench.uids.setdefault(f"new {new}", old) == old


def _patid_consistent(bench: Bench, answer: Answer) -> bool:
    old, new = _text(bench.before[answer.file], "PatientID"), _text(bench.after[answer.file], "PatientID")
    if not new or old == new:
        return False
    return bench.patients.setdefault(f"old {old}", new) == new and bench.patients.setdefault(f"new {new}", old) == old


def _pixels_retained(bench: Bench, answer: Answer) -> bool:
    return _digest(bench.before[answer.file]) == _digest(bench.after[answer.file])


def _digest(ds: pydicom.Dataset | None) -> str | None:
    return (
        hashlib.md5(ds.PixelData, usedforsecurity=False).hexdigest() if ds is not None and "PixelData" in ds else None
    )


def _pixels_hidden(bench: Bench, answer: Answer) -> bool:
    """Nothing that was drawn in the box stands out any more, or the file was not given out."""
    old, new = bench.before[answer.file], bench.after[answer.file]
    if new is None:
        return True
    if answer.box is None or old is None or "PixelData" not in new:
        return False
    top, bottom, left, right = answer.box
    before, after = (ds.pixel_array[..., top:bottom, left:right] for ds in (old, new))
    drawn = before > before.max() // 2
    return bool(drawn.any() and after[drawn].max() < before.max() // 2)


ACTIONS: Mapping[str, Callable[[Bench, Answer], bool]] = {
    "tag_retained": _tag_retained,
    "text_notnull": _text_notnull,
    "text_retained": _text_retained,
    "text_removed": _text_removed,
    "date_shifted": _date_shifted,
    "uid_changed": _uid_changed,
    "uid_consistent": _uid_consistent,
    "patid_consistent": _patid_consistent,
    "pixels_retained": _pixels_retained,
    "pixels_hidden": _pixels_hidden,
}

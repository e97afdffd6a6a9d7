"""What an attacker sees of a table of regions: numbers by patient and kind of region, whatever file they came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from radcurate.attack.matrix import Floats, Ints, Kept, Numbers, some_rows
from radcurate.tables import HIGH, LOW
from radcurate.tables.stored import Large, texts


@dataclass(frozen=True)
class Records:
    """Rows of a table of regions, in the order of patient and region, columns in the order of their names.

    Attributes:
        subject: code of the patient, per row.
        region: code of the row.
        modality, label: what may be compared: rows that have both in common.
        series: code of the image series.
        names: of the columns of `values`: features, and the ends of released ranges (`_lo`, `_hi`).
        values: shape (row, column), NaN where missing; of a large table columns that are read when asked for.
        protocol: one word per row for all that is known of how its series was acquired; equal words, equal protocol.
        extra_names: of the columns of `extra`.
        extra: shape (row, column): the protocol as numbers, words by their place in the alphabet, NaN where missing.
        origin: name of each row's provenance record, which is made from the digests of image and mask, so whoever has
            the scan can compute it; empty where no table tells it.
    """

    subject: tuple[str, ...]
    region: tuple[str, ...]
    modality: tuple[str, ...]
    label: tuple[str, ...]
    series: tuple[str, ...]
    names: tuple[str, ...]
    values: Numbers
    protocol: tuple[str, ...]
    extra_names: tuple[str, ...]
    extra: Floats
    origin: tuple[str, ...] = ()

    @property
    def patients(self) -> list[str]:
        """Codes of the patients, sorted."""
        return sorted(set(self.subject))

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Modality and label of each row."""
        return list(zip(self.modality, self.label, strict=True))

    def by_kind(self) -> dict[tuple[str, str], Ints]:
        """Places of the rows of each modality and label."""
        found: dict[tuple[str, str], list[int]] = {}
        for row, kind in enumerate(self.kinds):
            found.setdefault(kind, []).append(row)
        return {kind: np.array(rows, dtype=np.int64) for kind, rows in found.items()}

    def only(self, rows: Sequence[int] | Ints) -> Records:
        """Some rows, in the order given."""
        taken = [int(row) for row in rows]
        texts = (self.subject, self.region, self.modality, self.label, self.series)
        subject, region, modality, label, series = (tuple(part[row] for row in taken) for part in texts)
        return Records(
            subject,
            region,
            modality,
            label,
            series,
            self.names,
            some_rows(self.values, np.array(taken, dtype=np.int64)),
            tuple(self.protocol[row] for row in taken),
            self.extra_names,
            self.extra[taken],
            tuple(self.origin[row] for row in taken) if self.origin else (),
        )


def records(
    features: pa.Table,
    names: Sequence[str],
    acquisition: pa.Table | None = None,
    protocol: Sequence[str] = (),
    ranges: Large | None = None,
    source: Large | None = None,
) -> Records:
    """The tables of a release, or of a run under the codes of the release, as an attacker joins them.

    Args:
        features: a row per region, with `subject` and `roi`; `modality`, `roi_label`, `series` where they are there.
        names: its columns of numbers.
        acquisition: a row per series.
        protocol: columns of acquisition that are released as they are.
        ranges: released ranges, a row per region; their ends are numbers that can be matched too.
        source: the table to read numbers from when they are asked for, its rows as in `features`; None: they are in
            `features`, and all are taken at once.
    """
    order = np.lexsort((np.array(_texts(features, "roi")), np.array(_texts(features, "subject"))))
    rows = pa.array(order)
    content = features.take(rows)
    region, series = _texts(content, "roi"), _texts(content, "series")
    columns = _loaders(features if source is None else source, names, rows) | _ends(ranges, region, names)
    known = {name: _aligned(acquisition, name, series) for name in sorted(protocol)} if acquisition is not None else {}
    once: dict[str, str] = {}  # equal words are one object
    told = (repr(row) for row in zip(*known.values(), strict=True))
    words = [once.setdefault(word, word) for word in told] if known else [""] * len(region)
    return Records(
        tuple(_texts(content, "subject")),
        tuple(region),
        tuple(_texts(content, "modality")),
        tuple(_texts(content, "roi_label")),
        tuple(series),
        tuple(sorted(columns)),
        _values(columns, len(region), source is not None),
        tuple(words),
        tuple(known),
        _stacked([_coded(values) for values in known.values()], len(region)),
        tuple(_texts(content, "provenance")),
    )


Loader = Callable[[], Floats]


def _loaders(content: Large, names: Sequence[str], rows: pa.Array) -> dict[str, Loader]:
    """How to get each column, rows in the order given."""

    def loader(name: str) -> Loader:
        return lambda: _numbers(content[name].combine_chunks().take(rows))

    return {name: loader(name) for name in names}


def _values(columns: Mapping[str, Loader], rows: int, later: bool) -> Numbers:
    names = sorted(columns)
    if later:
        return Kept(tuple(names), rows, lambda name: columns[name]())
    return _stacked([columns[name]() for name in names], rows)


def _ends(ranges: Large | None, region: list[str], names: Sequence[str]) -> dict[str, Loader]:
    """Ends of the ranges of these features, in the order of the regions."""
    if ranges is None or not ranges.num_rows:
        return {}
    wanted = [name + end for name in names for end in (LOW, HIGH) if name + end in ranges.column_names]
    place = {code: row for row, code in enumerate(_texts(ranges, "roi"))}
    return _loaders(ranges, wanted, pa.array([place.get(code) for code in region], pa.int64()))


def _aligned(content: pa.Table, name: str, series: list[str]) -> list[object]:
    found = dict(zip(_texts(content, "series"), content[name].to_pylist(), strict=True))
    return [_plain(found.get(code)) for code in series]


def _plain(value: object) -> object:
    """Missing is None, NaN too, and 3 is 3.0: equal values look equal."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        return None if value != value else float(value)
    return value if value is None else str(value)


def _coded(values: list[object]) -> Floats:
    """Numbers as they are, words by their place in the alphabet."""
    words = sorted({value for value in values if isinstance(value, str)})
    places = {word: float(place) for place, word in enumerate(words)}
    return np.array(
        [np.nan if value is None else places[value] if isinstance(value, str) else value for value in values],
        dtype=np.float64,
    )


def _texts(content: Large, name: str) -> list[str]:
    """A column as text, missing and absent as ""."""
    if name not in content.column_names:
        return [""] * content.num_rows
    return ["" if value is None else value for value in texts(content[name].cast(pa.string()))]


def _numbers(column: pa.ChunkedArray | pa.Array) -> Floats:
    """Numbers, NaN where missing, infinities as the ends of the number line; words by their place in the alphabet."""
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        return _coded([_plain(value) for value in column.to_pylist()])
    found = np.array(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
    return np.where(np.isinf(found), np.sign(found) * np.finfo(np.float64).max, found)


def _stacked(columns: list[Floats], rows: int) -> Floats:
    return np.stack(columns, axis=1) if columns else np.empty((rows, 0))

"""What extract would leave of a large cohort: invented numbers under the real columns, chunk by chunk, sealed.

Values come from a few hundred different ones a column, so that a million rows of 200 features take 0.4 GB on disk;
what is measured on them, memory and time, hardly depends on that. Run: python -m benchmarks.scale_tables FOLDER ROWS CHUNKS
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from radcurate import tables
from radcurate.features.catalogue import Column, catalogue
from radcurate.keys import Key
from radcurate.seals import write_seal
from radcurate.stages.extract import WRITTEN

Ints = npt.NDArray[np.int64]
KEY = Key(b"0123456789abcdef0123456789abcdef")
MAKERS = ("SIEMENS", "GE", "Philips", "TOSHIBA")
PALETTE = 256  # different values of a feature in a chunk
MODALITIES, LABELS = ("CT", "MR", "PT"), ("GTV-1", "Node", "Liver", "Lung", "Kidney")


@dataclass(frozen=True)
class Size:
    """How much is made."""

    rows: int = 1_000_000
    features: int = 200
    chunks: int = 256
    ranges: bool = False

    @property
    def columns(self) -> list[Column]:
        """The first columns of the catalogue."""
        return list(catalogue()[: self.features])


def write_extract(folder: Path, size: Size, key: Key = KEY, seed: int = 0) -> list[Path]:
    """Write `folder/<chunk>/` as extract does; about three rows a patient, two a series. The folders, sorted."""
    made = []
    for chunk in range(size.chunks):
        rows = size.rows // size.chunks + (chunk < size.rows % size.chunks)
        made.append(folder / f"{chunk:05}")
        _write_chunk(made[-1], _cohort(chunk, rows, seed), size, key)
    return made


@dataclass(frozen=True)
class _Cohort:
    """Regions of a chunk; `patient` and `image`, shape (row,), are numbers from 0, rising."""

    chunk: int
    patient: Ints
    image: Ints
    seed: int

    @property
    def owner(self) -> Ints:
        """Patient of each image, shape (image,)."""
        return self.patient[np.flatnonzero(np.diff(self.image, prepend=-1))]

    def chance(self, about: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.chunk, *about.encode()])

    def codes(self, prefix: str, numbers: Ints, length: int = 16) -> pa.Array:
        """Texts that look as keyed codes do: of one number always the same."""
        base = np.uint64(self.chunk << 32) + numbers.astype(np.uint64) + np.uint64(1 + sum(prefix.encode()) << 50)
        parts = [_mixed(base + np.uint64(part << 58)) for part in range(length // 16)]
        digits = np.stack(parts, axis=1).astype(">u8").tobytes().hex()
        texts = np.frombuffer(digits.encode(), dtype=f"S{length}")
        whole = pa.array(texts, pa.binary()).cast(pa.string())
        return pa.compute.binary_join_element_wise(prefix, whole, "") if prefix else whole


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64 (Steele et al. 2014): numbers that follow each other look as if drawn."""
    with np.errstate(over="ignore"):
        values = values * np.uint64(0x9E3779B97F4A7C15)
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))


def _cohort(chunk: int, rows: int, seed: int) -> _Cohort:
    chance = np.random.default_rng([seed, chunk])
    regions = chance.integers(1, 4, rows + 1)
    image = np.repeat(np.arange(regions.size), regions)[:rows]
    studies = chance.choice(3, regions.size, p=[0.6, 0.3, 0.1]) + 1
    return _Cohort(chunk, np.repeat(np.arange(studies.size), studies)[image], image, seed)


def _write_chunk(folder: Path, made: _Cohort, size: Size, key: Key) -> None:
    folder.mkdir(parents=True)
    names = [column.name for column in size.columns]
    about = _about(made)
    content = {
        "features.parquet": _features(made, about, names),
        "columns.parquet": tables.table(tables.EXTRACT_COLUMNS, map(_column, size.columns)),
        "missing.parquet": tables.table(tables.EXTRACT_MISSING, []),
        "ranges.parquet": _ranges(made, about, names[: size.features * size.ranges]),
        "crosscheck.parquet": _crosscheck(about, names),
        "acquisition.parquet": _acquisition(made),
        "provenance.parquet": _provenance(made, about),
        "invariance.parquet": tables.table(tables.EXTRACT_INVARIANCE, []),
        "series.parquet": _series(made),
    }
    for name, each in content.items():
        key_of = "provenance" if name.startswith("prov") else "series" if name[0] in "as" else "roi"
        tables.write(folder / name, each.sort_by(key_of) if key_of in each.column_names and each.num_rows else each)
    write_seal(folder, list(WRITTEN), key)


def _column(column: Column) -> dict[str, object]:
    return {name: getattr(column, name) for name, _ in tables.EXTRACT_COLUMNS.columns}


def _about(made: _Cohort) -> dict[str, pa.Array]:
    """Columns of features that are no feature."""
    n, chance = made.patient.size, made.chance("people")
    people = int(made.patient.max(initial=-1)) + 1
    site = np.minimum(chance.geometric(0.12, people) - 1, 24)
    age = np.clip(chance.normal(62, 14, people), 18, 99).round(1)
    year = 2008 + chance.integers(0, 12, people)
    month, day = chance.integers(1, 13, n)[made.image], chance.integers(1, 29, n)[made.image]
    dates = np.char.add(
        np.char.add(year[made.patient].astype(str), "-"), [f"{m:02}-{d:02}" for m, d in zip(month, day, strict=True)]
    )
    return {
        "roi": made.codes("R-", np.arange(n)),
        "series": made.codes("S-", made.image),
        "contour": made.codes("S-", made.image + (1 << 30)),
        "subject": made.codes("P-", made.patient),
        "roi_label": _drawn(LABELS, chance.choice(len(LABELS), n, p=[0.4, 0.3, 0.15, 0.1, 0.05])),
        "modality": _drawn(MODALITIES, _modality(made)[made.image]),
        "site": _drawn([f"H-{number:08x}" for number in range(25)], site[made.patient]),
        "sex": _drawn(("F", "M"), chance.integers(0, 2, people)[made.patient]),
        "age": pa.array(age[made.patient]),
        "study_date": pa.array(dates),
        "status": pa.array(np.where(chance.random(n) < 0.005, tables.FAILED, tables.OK)),
        "reason": pa.nulls(n, pa.string()),
        "provenance": made.codes("", np.arange(n), 64),
    }


def _modality(made: _Cohort) -> Ints:
    return made.chance("modality").choice(3, made.owner.size, p=[0.7, 0.2, 0.1]).astype(np.int64)


def _drawn(words: list[str] | tuple[str, ...], which: Ints) -> pa.Array:
    return pa.array(list(words)).take(pa.array(which))


def _features(made: _Cohort, about: dict[str, pa.Array], names: list[str]) -> pa.Table:
    schema = tables.with_features(names).arrow
    return pa.table([*about.values(), *(_values(made, name) for name in names)], schema=schema)


def _values(made: _Cohort, name: str) -> pa.Array:
    """A feature: log-normal, alike in the regions of a patient, not there in one row of 50."""
    chance = made.chance(name)
    palette = np.append(np.exp(np.sort(chance.normal(2, 0.7, PALETTE))), np.nan)
    own = chance.integers(0, PALETTE - 50, int(made.patient.max(initial=-1)) + 1)
    place = own[made.patient] + chance.integers(0, 50, made.patient.size)
    return pa.array(palette[np.where(chance.random(place.size) < 0.02, PALETTE, place)])


def _ranges(made: _Cohort, about: dict[str, pa.Array], names: list[str]) -> pa.Table:
    schema = tables.with_ranges(names).arrow
    if not names:
        return schema.empty_table()
    n, values = made.patient.size, []
    for name in names:
        middle = _values(made, name).to_numpy()
        spread = np.abs(middle) * 0.05
        values += [pa.array(part) for part in (middle - spread, middle + spread, middle, (spread / 2) ** 2)]
    told = [
        about["roi"],
        about["subject"],
        about["modality"],
        np.full(n, 10),
        np.full(n, 0.9),
        pa.nulls(n, pa.string()),
    ]
    return pa.table([*told, *values], schema=schema)


def _crosscheck(about: dict[str, pa.Array], names: list[str]) -> pa.Table:
    """Two regions of a hundred, in all features."""
    rows = np.arange(0, len(about["roi"]), 50)
    each, n = np.repeat(rows, len(names)), rows.size * len(names)
    told = {name: about[name].take(pa.array(each)) for name in ("roi", "subject", "modality")}
    told |= {"feature": pa.array(names, pa.string()).take(pa.array(np.tile(np.arange(len(names)), rows.size)))}
    told |= {
        "engine": _drawn(["radcurate"], np.zeros(n, np.int64)),
        "second_engine": _drawn(["pyradiomics"], np.zeros(n, np.int64)),
    }
    return pa.table([*told.values(), pa.array((each % 7) * 1e-7)], schema=tables.EXTRACT_CROSSCHECK.arrow)


def _acquisition(made: _Cohort) -> pa.Table:
    owner, chance = made.owner, made.chance("acquisition")
    n, modality = owner.size, _modality(made)
    maker = chance.integers(0, len(MAKERS), n)
    told: dict[str, pa.Array] = {
        "series": made.codes("S-", np.arange(n)),
        "subject": made.codes("P-", owner),
        "modality": _drawn(MODALITIES, modality),
        "manufacturer": _drawn(MAKERS, maker),
        "model": _drawn(
            [f"{MAKERS[number % 4]} {number // 4}" for number in range(40)], maker + 4 * chance.integers(0, 10, n)
        ),
        "kvp": pa.array(np.where(modality == 0, chance.choice([80.0, 100.0, 120.0, 140.0], n), np.nan)),
        "kernel": _drawn(("B30f", "STANDARD", "FC08"), chance.integers(0, 3, n)),
        "slice_thickness": pa.array(chance.choice([1.0, 2.5, 3.0, 5.0], n)),
        "body_part": _drawn(("CHEST", "ABDOMEN", "HEADNECK"), chance.integers(0, 3, n)),
    }
    kinds = tables.EXTRACT_ACQUISITION.columns
    return pa.table(
        [told[name] if name in told else pa.nulls(n, kind) for name, kind in kinds],
        schema=tables.EXTRACT_ACQUISITION.arrow,
    )


def _provenance(made: _Cohort, about: dict[str, pa.Array]) -> pa.Table:
    """A record per region: settings of its modality, digests of its own."""
    n, schema = made.patient.size, tables.EXTRACT_PROVENANCE.arrow
    own = {"provenance": about["provenance"], "image_digest": made.codes("", made.image + (1 << 29), 64)}
    own |= {
        "mask_digest": made.codes("", np.arange(n) + (3 << 29), 64),
        "acquisition_digest": made.codes("", made.image + (5 << 29), 64),
    }
    alike = {pa.string(): "as configured", pa.float64(): 25.0, pa.list_(pa.float64()): [1.0, 1.0, 1.0]}
    return pa.table(
        [
            own[field.name] if field.name in own else pa.repeat(pa.scalar(alike[field.type], field.type), n)
            for field in schema
        ],
        schema=schema,
    )


def _series(made: _Cohort) -> pa.Table:
    """Two series an image: itself, and its contours."""
    owner, n = made.owner, made.owner.size
    both = np.concatenate([np.arange(n), np.arange(n) + (1 << 30)])
    told: dict[str, pa.Array] = {
        "series": made.codes("S-", both),
        "subject": made.codes("P-", np.tile(owner, 2)),
        "kind": _drawn(("image", "rtstruct"), np.repeat([0, 1], n)),
        "modality": _drawn((*MODALITIES, "RTSTRUCT"), np.append(_modality(made), np.full(n, 3))),
        "status": _drawn([tables.OK], np.zeros(2 * n, np.int64)),
        "rois": pa.array(np.tile(np.bincount(made.image), 2)),
    }
    kinds = tables.EXTRACT_SERIES.columns
    return pa.table(
        [told[name] if name in told else pa.nulls(2 * n, kind) for name, kind in kinds],
        schema=tables.EXTRACT_SERIES.arrow,
    )


if __name__ == "__main__":
    write_extract(Path(sys.argv[1]), Size(rows=int(sys.argv[2]), chunks=int(sys.argv[3])))

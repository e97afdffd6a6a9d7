"""The tables of a run as linkage and the risks see them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from radcurate.attack.linkage import Linked, Overlooked, attack_linkage
from radcurate.attack.matrix import Kept, marks
from radcurate.attack.registry import Register, read_register
from radcurate.attack.risk import Crowd
from radcurate.attack.synthesis import Synthesis, others_for
from radcurate.attack.told import Told, raw_told, released_told
from radcurate.keys import Key
from radcurate.privacy.classes import classes
from radcurate.privacy.coding import combine, encode
from radcurate.privacy.columns import Columns
from radcurate.privacy.rows import Pair
from radcurate.privacy.sensitive import sensitive
from radcurate.settings import Linkage
from radcurate.stages._attacked import Attacked
from radcurate.tables.stored import Large, texts

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
COLUMNS = {"sex": "sex", "age": "age", "date": "study_date", "site": "site"}
STRUCTURE = ("modality", "roi_label")


def link(attacked: Attacked, settings: Linkage, key: Key, registry: Sequence[Path]) -> Linked:
    """Run the linkage attack.

    Raises:
        CurationError: the registry can't be used.
    """
    raw = raw_told(*_rows(attacked.raw))
    released = released_told(*_rows(attacked.released), raw)
    patients = attacked.patients
    number = {code: place for place, code in enumerate(patients)}
    truth = np.array([number[code] for code in attacked.released_patients], dtype=np.int64)
    seed = int.from_bytes(key.digest("attack", "linkage", _digest(raw))[:8], "big")
    synthesis = Synthesis(others_for(len(patients), settings.others), settings.draws, seed)
    overlooked = Overlooked(settings.age, settings.days, settings.likeness)
    register = _register(registry[0], settings, patients, attacked.columns, key) if registry else None
    return attack_linkage(released, raw, truth, overlooked, synthesis, register)


def _register(path: Path, settings: Linkage, patients: list[str], columns: Columns, key: Key) -> Register:
    """The steward's registry; its names of hospitals and its PatientIDs under the codes of the release."""
    subject, site = columns.letter("subject") or "", columns.letter("site")
    return read_register(
        path,
        settings.columns,
        patients,
        lambda patient: key.release_code(subject, key.subject(patient)),
        (lambda name: key.release_code(site, key.site(name))) if site else None,
    )


def _rows(pair: Pair) -> tuple[Ints, list[str], dict[str, list[Any]]]:
    """Patient, region and values of each row; what acquisition tells a second time, perhaps finer, in further rows."""
    n, region = pair.features.num_rows, pair.features["roi"].to_pylist()
    held = [*pair.features.column_names, *pair.acquisition.column_names]
    first = {word: texts(pair.column(name)) for word, name in COLUMNS.items() if name in held}
    patient = pair.subject
    again = {word for word, name in COLUMNS.items() if name in _both(pair)}
    if not again:
        return patient, region, first
    other = Pair(pair.features.drop_columns([COLUMNS[word] for word in sorted(again)]), pair.acquisition)
    second = {word: texts(other.column(COLUMNS[word])) if word in again else first[word] for word in first}
    values = {word: first[word] + second[word] for word in first}
    return np.tile(patient, 2), region + region, values if n else first


def _both(pair: Pair) -> set[str]:
    return set(pair.features.column_names) & set(pair.acquisition.column_names)


def _digest(told: Told) -> str:
    """Of what the raw table tells, whatever the order of its rows."""
    total = hashlib.sha256(repr((told.region, told.sex, [sorted(one or ()) for one in told.site])).encode())
    for part in (told.patient, told.age, told.day):
        total.update(np.ascontiguousarray(part).tobytes())
    return total.hexdigest()


def crowd(pair: Pair, values: Large, attacked: Attacked, chances: npt.NDArray[np.float64]) -> Crowd:
    """Classes of a table's patients: by quasi-identifiers, by the structure of their regions, by their features (`values`)."""
    who = pair.subject
    held = [*pair.features.column_names, *pair.acquisition.column_names]
    cells = [encode(pair.column(name), name).codes for name in attacked.quasi if name in held]
    shown = [encode(pair.column(name), name).codes for name in STRUCTURE if name in held]
    vectors = [_vectors(values, [name for name in attacked.features if name in values.column_names])]
    return Crowd(
        classes(who, combine(cells, who.size)),
        chances,
        {
            name: sensitive(who, encode(pair.column(name), name).codes).held
            for name in attacked.columns.named("sensitive")
            if name in held
        },
        {
            "structure": classes(who, combine([*cells, *shown], who.size), counted=True),
            "features": classes(who, combine([*shown, *vectors], who.size)),
        },
    )


def _vectors(values: Large, names: list[str]) -> Ints:
    """Number of each row's vector of features, shape (row,): equal where all values are."""

    def load(name: str) -> Reals:
        return np.asarray(values[name].to_numpy(), dtype=np.float64)

    found = marks(Kept(tuple(names), values.num_rows, load), range(len(names)))
    return np.asarray(np.unique(found, axis=0, return_inverse=True)[1], dtype=np.int64).ravel()

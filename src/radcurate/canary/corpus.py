"""All specimens: built from the modules beside this one, packed into a file, and read from there in every run."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode, b64encode
from dataclasses import astuple
from functools import cache
from pathlib import Path

from radcurate.canary.specimen import Kept, Plant, Specimen

PACKED = Path(__file__).with_name("specimens.json.gz")


@cache
def specimens() -> tuple[Specimen, ...]:
    """Every canary, the same in every run, as packed."""
    return unpack(PACKED.read_bytes())


def unpack(raw: bytes) -> tuple[Specimen, ...]:
    """The specimens in the bytes of a packed file."""
    return tuple(
        Specimen(
            name,
            family,
            sop_class,
            b64decode(data),
            tuple(Plant(*plant) for plant in plants),
            tuple(Kept(*kept) for kept in keep),
        )
        for name, family, sop_class, data, plants, keep in json.loads(gzip.decompress(raw))
    )


def built() -> tuple[Specimen, ...]:
    """Every canary, made anew."""
    from radcurate.canary import container, hostile, private, records, related, screens

    modules = (container, private, hostile, records, related, screens)
    return tuple(specimen for module in modules for specimen in module.specimens())


def packed() -> bytes:
    """The packed file: what `radcurate.reference` writes after a change of the modules that build."""
    rows = [
        [one.name, one.family, one.sop_class, b64encode(one.data).decode(), _rows(one.plants), _rows(one.keep)]
        for one in built()
    ]
    return gzip.compress(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode(), mtime=0)


def _rows(found: tuple[Plant, ...] | tuple[Kept, ...]) -> list[tuple[str, ...]]:
    return [astuple(one) for one in found]

"""Registries as they are before any extension, and the example of the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from paths import ROOT
from radcurate.features import engine, extensions
from radcurate.features.extend import REGISTERED
from radcurate.features.families import FAMILIES

EXAMPLE = ROOT / "docs" / "howto" / "own_feature.py"


@contextmanager
def nothing_registered() -> Iterator[None]:
    """What is registered inside is forgotten afterwards."""
    places = [FAMILIES, engine._registered, extensions._loaded, REGISTERED.golden]
    lists = [REGISTERED.tags, REGISTERED.engines, *(family.features for family in FAMILIES.values())]
    kept = [dict(place) for place in places], [list(place) for place in lists]
    try:
        yield
    finally:
        for place, content in zip(places, kept[0], strict=True):
            place.clear()
            place.update(content)
        for place, content in zip(lists, kept[1], strict=True):
            place[:] = content

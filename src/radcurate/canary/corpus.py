"""All specimens."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from radcurate.canary import container, hostile, private, records, related, screens
from radcurate.canary.specimen import Specimen

MODULES: tuple[Callable[[], list[Specimen]], ...] = (
    container.specimens,
    private.specimens,
    hostile.specimens,
    records.specimens,
    related.specimens,
    screens.specimens,
)


@cache
def specimens() -> tuple[Specimen, ...]:
    """Every canary, the same in every run; written when they are first asked for."""
    return tuple(specimen for of in MODULES for specimen in of())

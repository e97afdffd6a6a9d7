"""What all images of a run share: profiles, engine, columns and extensions, from the settings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from radcurate.errors import CurationError
from radcurate.features import engine, extensions, provenance
from radcurate.features.catalogue import Column, columns_for
from radcurate.features.profile import Profile
from radcurate.features.ranges.spread import chosen
from radcurate.features.suite import check
from radcurate.keys import Key
from radcurate.settings import Crosscheck, Extract, Ranges


@dataclass(frozen=True)
class Context:
    """What all images share. `columns`: all feature columns of the run."""

    profiles: dict[str, Profile]
    engine: str
    columns: tuple[Column, ...]
    key: Key
    ranges: Ranges
    crosscheck: Crosscheck
    extensions: tuple[Path, ...] = ()

    @property
    def ranged(self) -> tuple[str, ...]:
        """Columns that get a range."""
        return chosen(self.names, self.ranges)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return tuple(column.name for column in self.columns)


def load_extensions(paths: Iterable[Path], never_from: Iterable[Path]) -> None:
    """Run the files of the user's own and hold what they register to the conformance suite.

    Raises:
        CurationError: a file can't be used, or something in it doesn't conform.
    """
    extensions.load(paths, never_from)
    problems = check()
    if problems:
        raise CurationError(
            "an extension does not conform",
            wanted="golden values met, strange regions survived, laws kept",
            found="; ".join(problems[:3]) + (f"; and {len(problems) - 3} more" if len(problems) > 3 else ""),
            fix="radcurate check-features FILE tells all problems; docs/howto/own-feature.md how it is done",
        )


def context_for(settings: Extract, profiles: dict[str, Profile], key: Key) -> Context:
    """What the settings come to.

    Raises:
        CurationError: an engine that nobody knows.
    """
    for name in [settings.engine, *([settings.crosscheck.engine] if settings.crosscheck.share else [])]:
        engine.find(name)
    provenance.software(settings.engine)  # remembered, so that a pool's processes needn't look it up again
    columns = columns_for(*profiles.values(), engine=settings.engine)
    return Context(profiles, settings.engine, columns, key, settings.ranges, settings.crosscheck)

"""From an image and a mask to the values of one region: the one way that extraction and re-extraction go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from radcurate.features.catalogue import Column
from radcurate.features.engine import Engine, Outcome
from radcurate.features.filters import margin, respond
from radcurate.features.filters.choices import Filter
from radcurate.features.normalise import Scale
from radcurate.features.prepare import Gridded, finish, on_grid, target_spacing
from radcurate.features.profile import Profile
from radcurate.features.reasons import OUT_OF_MEMORY
from radcurate.features.resample import Flags, Floats


@dataclass(frozen=True)
class Measured:
    """A region that was measured.

    Attributes:
        outcome: values and reasons.
        second: those of the second engine, where one was asked for.
        spacing: mm after interpolation, (plane, row, column).
        scale: mean and deviation that intensities were normalised with.
    """

    outcome: Outcome
    second: Outcome | None
    spacing: tuple[float, float, float]
    scale: Scale


def measure(
    values: NDArray[np.generic],
    mask: Flags,
    spacing: tuple[float, float, float],
    profile: Profile,
    scale: Scale,
    engine: Engine,
    columns: Sequence[Column],
    second: Engine | None = None,
) -> Measured:
    """Put a region of a whole image on its grid (arguments as in `on_grid`) and compute `columns` on it.

    With `second`, that engine computes them on the same grid too.

    Raises:
        RegionError: empty_mask or empty_after_interpolation.
    """
    reach = margin(profile.filters, target_spacing(spacing, profile))
    gridded = on_grid(values, mask, spacing, profile, scale, reach)
    other = None if second is None else compute_on(gridded, profile, second, columns)
    return Measured(compute_on(gridded, profile, engine, columns), other, gridded.spacing, scale)


def compute_on(gridded: Gridded, profile: Profile, engine: Engine, columns: Iterable[Column]) -> Outcome:
    """Values and reasons of `columns` for a region on its grid, on the image itself and on its filtered images."""
    wanted: dict[str, list[Column]] = {}
    for column in columns:
        wanted.setdefault(column.image, []).append(column)
    found = [engine.compute(finish(gridded, profile), wanted.get("", []))]
    found += [
        outcome
        for chosen in profile.filters
        if any(label in wanted for label in chosen.labels)
        for outcome in _filtered(chosen, gridded, profile, engine, wanted)
    ]
    return _merged(found)


def _filtered(
    chosen: Filter, gridded: Gridded, profile: Profile, engine: Engine, wanted: Mapping[str, list[Column]]
) -> Iterator[Outcome]:
    """Outcomes of a filter's images, one at a time in memory."""
    near = _near(gridded, margin([chosen], gridded.spacing))
    inside = replace(gridded, surroundings=gridded.surroundings[gridded.box], origin=(0, 0, 0))
    left = [label for label in chosen.labels if label in wanted]
    try:
        for label, response in _quietly(respond(chosen, near.surroundings, near.spacing, near.box)):
            if label in left:
                yield engine.compute(finish(inside, profile, response), wanted[label])
                left.remove(label)
    except MemoryError:
        names = [column.name for label in left for column in wanted[label]]
        yield Outcome(dict.fromkeys(names, np.nan), dict.fromkeys(names, OUT_OF_MEMORY))


def _quietly(responses: Iterator[tuple[str, Floats]]) -> Iterator[tuple[str, Floats]]:
    """The same, without warnings about voxels that aren't finite: the intensity mask leaves them out."""
    while True:
        with np.errstate(invalid="ignore", over="ignore"):
            found = next(responses, None)
        if found is None:
            return
        yield found


def _near(gridded: Gridded, reach: tuple[int, int, int]) -> Gridded:
    """With no more around the region than a filter reads."""
    starts = [max(place - more, 0) for place, more in zip(gridded.origin, reach, strict=True)]
    ends = [part.stop + more for part, more in zip(gridded.box, reach, strict=True)]
    plane, row, column = (place - start for place, start in zip(gridded.origin, starts, strict=True))
    cut = tuple(slice(start, end) for start, end in zip(starts, ends, strict=True))
    return replace(gridded, surroundings=gridded.surroundings[cut], origin=(plane, row, column))


def _merged(outcomes: Iterable[Outcome]) -> Outcome:
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for outcome in outcomes:
        values |= outcome.values
        reasons |= outcome.reasons
    return Outcome(values, reasons)

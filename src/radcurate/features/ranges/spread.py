"""The range of each feature of a region: its value as drawn, and while grid, noise, volume and boundary change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from radcurate.features.catalogue import Column
from radcurate.features.engine import Engine, Outcome
from radcurate.features.filters import margin
from radcurate.features.measure import Measured, compute_on
from radcurate.features.prepare import Gridded, Margin, target_spacing
from radcurate.features.problems import RegionError
from radcurate.features.ranges.chance import ALL, Chance
from radcurate.features.ranges.contour import overlap, reach, redrawn
from radcurate.features.ranges.place import Movement, Placed, Source, draw, noise_around, place
from radcurate.settings import Ranges
from radcurate.tables import HIGH, LOW, MEAN, VARIANCE


@dataclass(frozen=True)
class Perturbed:
    """A region after one perturbation.

    Attributes:
        gridded: ready for `finish`.
        overlap: Dice coefficient of its mask with the mask on the same grid as it was drawn.
    """

    gridded: Gridded
    overlap: float


@dataclass(frozen=True)
class Spread:
    """Of one region's features, by column name.

    Attributes:
        low, high: least and largest of the value as drawn and the perturbed ones; NaN where the value as drawn is NaN.
        mean, variance: of the perturbed values (over n - 1); NaN where one of them is NaN, or there are fewer than two.
        perturbations: how many gave a region.
        overlap: mean of theirs; NaN without any.
    """

    low: dict[str, float]
    high: dict[str, float]
    mean: dict[str, float]
    variance: dict[str, float]
    perturbations: int
    overlap: float

    def row(self) -> dict[str, float]:
        """Under the column names of ranges.parquet."""
        parts = ((LOW, self.low), (HIGH, self.high), (MEAN, self.mean), (VARIANCE, self.variance))
        values = {name + part: value for part, found in parts for name, value in found.items()}
        return {"perturbations": self.perturbations, "overlap": self.overlap, **values}


def chosen(columns: Iterable[str], options: Ranges) -> tuple[str, ...]:
    """Names of columns that get a range; none where ranges are off."""

    def fits(name: str, patterns: Iterable[str]) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in patterns)

    if not options.perturbations:
        return ()
    return tuple(name for name in columns if fits(name, options.features) and not fits(name, options.without))


def ranges_of(
    source: Source,
    options: Ranges,
    digests: tuple[str, str],
    engine: Engine,
    columns: tuple[Column, ...],
    measured: Measured,
) -> Spread:
    """Ranges of `columns` of one region.

    Args:
        source: image and mask.
        options: how they are perturbed.
        digests: of image and mask, as in provenance.parquet: chance follows from them.
        engine: the one that measured the region as drawn.
        columns: what gets a range.
        measured: the region as drawn, with these columns at least.
    """

    def compute(gridded: Gridded) -> Outcome:
        return compute_on(gridded, source.profile, engine, columns)

    nominal = {column.name: measured.outcome.values[column.name] for column in columns}
    images = {column.image for column in columns}
    filters = [chosen for chosen in source.profile.filters if images.intersection(chosen.labels)]
    around = margin(filters, target_spacing(source.spacing, source.profile))
    return spread(perturbed(source, options, *digests, around), compute, nominal)


def perturbed(
    source: Source, options: Ranges, image_digest: str, mask_digest: str, around: Margin = (0, 0, 0)
) -> Iterator[Perturbed]:
    """The region after each perturbation; one that leaves no voxel on the grid is left out. `around`: see `on_grid`.

    Several boundaries are drawn on one moved grid (`contours`), and on all of them where nothing but the boundary moves.
    """
    spacing = target_spacing(source.spacing, source.profile)
    voxels = int(np.ceil(np.count_nonzero(source.mask) * np.prod(source.spacing) / np.prod(spacing)))
    drawn = draw(source, reach(voxels, spacing, options.volume, options.contour))
    noise = noise_around(source, options.noise, Chance(image_digest, mask_digest, ALL).of("noise"))
    known: dict[tuple[Movement, int], Placed | None] = {}
    for number in range(options.perturbations):
        grid = number // options.contours
        chance = Chance(image_digest, mask_digest, grid)
        movement = _movement(source, options, chance)
        name = (movement, grid if noise is not None else ALL)
        if name not in known:
            own = noise.from_place(chance.of("noise")) if noise is not None else None
            try:
                known = {name: place(source, drawn, movement, own, around)}
            except RegionError:
                known = {name: None}
        placed = known[name]
        if placed is not None:
            yield _redrawn(placed, options, Chance(image_digest, mask_digest, number))


def _movement(source: Source, options: Ranges, chance: Chance) -> Movement:
    """Without interpolation the grid stays where it is, and in 2D its planes do."""
    if source.profile.voxel_size is None:
        return Movement()
    angle = np.deg2rad(chance.between("rotation", options.rotation))
    plane, row, column = (chance.between(f"translation {axis}", options.translation) for axis in range(3))
    return Movement(float(angle), (plane if source.profile.dimension == "3D" else 0.0, row, column))


def _redrawn(placed: Placed, options: Ranges, chance: Chance) -> Perturbed:
    if not options.volume and not options.contour:
        return Perturbed(placed.gridded(placed.mask), 1.0)
    voxels = int(np.count_nonzero(placed.mask))
    change = chance.between("volume", options.volume)
    wanted = int(np.floor(voxels * (1 + change) + 0.5))
    limit = reach(voxels, placed.spacing, abs(change), options.contour)
    mask = redrawn(placed.depth, wanted, placed.spacing, limit, options, chance.of("contour"))
    return Perturbed(placed.gridded(mask), overlap(mask, placed.mask))


def spread(
    regions: Iterable[Perturbed], measured: Callable[[Gridded], Outcome], nominal: Mapping[str, float]
) -> Spread:
    """Measure the perturbed regions.

    Args:
        regions: see `perturbed`.
        measured: values of a region on its grid.
        nominal: values of the region as drawn, by column; these columns get a range.
    """
    names = list(nominal)
    values, overlaps = [], []
    for region in regions:
        found = measured(region.gridded).values
        values.append([found[name] for name in names])
        overlaps.append(region.overlap)
    drawn = np.array([nominal[name] for name in names], dtype=np.float64)
    table = np.array(values, dtype=np.float64).reshape(len(values), len(names))
    every = np.vstack([drawn, table])
    low = np.where(np.isnan(drawn), np.nan, np.fmin.reduce(every))
    high = np.where(np.isnan(drawn), np.nan, np.fmax.reduce(every))
    nothing = np.full(len(names), np.nan)
    enough = len(values) > 1
    with np.errstate(all="ignore"):
        mean = table.mean(axis=0) if enough else nothing
        variance = table.var(axis=0, ddof=1) if enough else nothing
    low_of, high_of, mean_of, variance_of = (
        dict(zip(names, part.tolist(), strict=True)) for part in (low, high, mean, variance)
    )
    return Spread(low_of, high_of, mean_of, variance_of, len(values), float(np.mean(overlaps)) if overlaps else np.nan)

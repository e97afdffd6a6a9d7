"""What comparisons with other software share: the regions they are made on, z-rad as an engine, and their table."""

from __future__ import annotations

import dataclasses
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from ibsi_phantoms import configuration, ct_from_dicom
from numpy.typing import NDArray

from radcurate.features.agreement import relative_differences
from radcurate.features.catalogue import Column
from radcurate.features.engine import Outcome
from radcurate.features.prepare import Prepared, prepare
from radcurate.features.profile import load_profile
from radcurate.volumes.image import read_volume
from radcurate.volumes.masks import read_rois

PROFILES = Path(__file__).parents[2] / "config" / "extraction"
MODALITIES = {"CT": "ct", "MR_T1": "mr", "PET": "pt"}
ALL_TEXTURES = {"textures": ["2D", "2.5D", "3D"]}

# z-rad's names of IBSI's ways to bring texture matrices together.
WAYS_OF_ZRAD = {
    "2D_avg": ("2D", "AVER"),
    "2D_comb": ("2D", "SLICE_MERG"),
    "2.5D_avg": ("2.5D", "DIR_MERG"),
    "2.5D_comb": ("2.5D", "MERG"),
    "3D_avg": ("3D", "AVER"),
    "3D_comb": ("3D", "MERG"),
}


@cache
def tumours(real_data: Path) -> list[Path]:
    """Folders of the sarcoma cohort, one per patient and modality."""
    cohort = real_data / "ibsi" / "ibsi_validation" / "dicom"
    return [patient / name for patient in sorted(cohort.iterdir()) for name in MODALITIES]


def tumour(folder: Path) -> Prepared:
    """The region of one of `tumours`, read from DICOM and prepared as the shipped profile of its modality says."""
    volume = read_volume(sorted((folder / "image").glob("*.dcm")))
    (roi,) = read_rois(next((folder / "mask").iterdir()), "rtstruct", volume.grid)
    profile = load_profile(PROFILES / f"{MODALITIES[folder.name]}.yaml", ALL_TEXTURES)
    return prepare(volume.values, roi.mask, volume.grid.spacing, profile)


@cache
def ct_phantom(real_data: Path) -> Prepared:
    """IBSI's CT phantom in configuration C, with all textures."""
    return prepare(*ct_from_dicom(real_data), configuration("config_c", **ALL_TEXTURES))


def without_planes(prepared: Prepared, refused: Callable[[NDArray[np.int32]], bool]) -> Prepared:
    """Without the voxels of planes whose grey levels, shape (row, column), 0 outside the intensity mask, are refused."""
    left = np.array([not refused(plane) for plane in prepared.levels])[:, None, None]
    return dataclasses.replace(
        prepared,
        morphology=prepared.morphology & left,
        intensity=prepared.intensity & left,
        levels=prepared.levels * left,
    )


@dataclass
class Table:
    """How far two engines are apart.

    Attributes:
        differences: (column, region) -> relative difference; infinite where only one has a value.
    """

    differences: dict[tuple[str, str], float] = field(default_factory=dict)

    def add(self, region: str, columns: Iterable[Column], first: Outcome, second: Outcome) -> None:
        """Compare the columns on a region."""
        names = [column.name for column in columns]
        one, two = (np.array([outcome.values[name] for name in names]) for outcome in (first, second))
        for name, difference in zip(names, relative_differences(one, two), strict=True):
            self.differences[name, region] = float(difference)

    def beyond(self, limit: Callable[[str], float]) -> dict[tuple[str, str], float]:
        """What differs by more than the limit of its column."""
        return {place: found for place, found in self.differences.items() if not found <= limit(place[0])}

    def text(self, limit: Callable[[str], float]) -> str:
        """By family and aggregation: columns, values, the largest difference with its place, values beyond the limit."""
        groups: dict[str, list[tuple[float, str, str]]] = defaultdict(list)
        for (name, region), difference in self.differences.items():
            groups[_kind(name)].append((difference, name, region))
        lines = [f"{'family':<12}{'columns':>8}{'values':>8}{'largest':>10}{'beyond':>8}  where"]
        for kind, found in groups.items():
            largest, name, region = max(found)
            beyond = sum(not difference <= limit(name) for difference, name, _ in found)
            columns = len({name for _, name, _ in found})
            lines.append(f"{kind:<12}{columns:>8}{len(found):>8}{largest:>10.1e}{beyond:>8}  {name} in {region}")
        return "\n".join(lines)


def _kind(name: str) -> str:
    group = name.partition("_")[0]
    for aggregation in ("2_5D", "2D", "3D"):
        if f"_{aggregation}" in name:
            return f"{group} {aggregation.replace('_', '.')}"
    return group


def by_zrad(prepared: Prepared, aggregation: str, families: Iterable[str] | None = None) -> dict[str, float]:
    """What z-rad computes on a prepared region with one of `WAYS_OF_ZRAD`, by column name; nothing of what it raises on."""
    from zrad.radiomics.extractor import Radiomics

    dimension, method = WAYS_OF_ZRAD[aggregation]
    found: dict[str, float] = {}
    extractor = Radiomics(aggr_dim=dimension, aggr_method=method)
    region = _as_zrad(prepared)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for family in families or _FAMILIES_OF_ZRAD:
            try:
                values = extractor.extract_features(region, families=[family])
            except Exception:  # it raises for much that isn't a large solid region; the tests count what is left
                continue
            found |= {name: float(value) for name, value in values.items()}
    return found | _in_intensities(prepared, found)


TEXTURES_OF_ZRAD = ("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
_FAMILIES_OF_ZRAD = (
    "morphology",
    "local_intensity",
    "intensity_statistics",
    "intensity_histogram",
    "ivh",
    *TEXTURES_OF_ZRAD,
)


def _as_zrad(prepared: Prepared):  # type: ignore[no-untyped-def]
    """The prepared region in z-rad's classes, with the surroundings that local peaks need."""
    from zrad.image import Image
    from zrad.preprocessing import RoiData

    inner = tuple(slice(start, start + n) for start, n in zip(prepared.origin, prepared.values.shape, strict=True))

    def image(array: NDArray[np.generic]) -> Image:
        shape = tuple(array.shape[::-1])
        return Image(array, (0.0, 0.0, 0.0), prepared.spacing[::-1], (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0), shape)

    def inside(values: NDArray[np.generic], mask: NDArray[np.bool_]) -> Image:
        array = np.full(prepared.surroundings.shape, np.nan)
        array[inner] = np.where(mask, values, np.nan)
        return image(array)

    morphology = np.zeros(prepared.surroundings.shape, dtype=np.int8)
    morphology[inner] = prepared.morphology
    low, high = _range_of_histogram(prepared)
    return RoiData(
        image=image(prepared.surroundings),
        morphological_mask=image(morphology),
        intensity_mask=inside(prepared.values, prepared.intensity),
        intensity_range=None if low is None else (low, np.inf if high is None else high),  # only the histogram needs it
        texture_discretized_image=inside(prepared.levels.astype(np.float64), prepared.intensity),
        **_volume_histogram(prepared, inside),
    )


# Bins of fixed size are given to z-rad as whole numbers from 0 with the reference manual's range of them, up to the largest
# intensity less half a bin: z-rad itself takes the last bin's centre for an open end, and compares centres of bins
# such as 0.1 with sums of steps that differ from them by rounding, which moves volumes by a bin.
def _edges(prepared: Prepared) -> tuple[float, float, float]:
    """Beginning of the first bin, end of the range and width of a bin."""
    profile, inside = prepared.profile, prepared.values[prepared.intensity]
    low, high = profile.range or (None, None)
    width = profile.volume_histogram_bin_size or 1.0
    return float(inside.min()) if low is None else low, float(inside.max()) if high is None else high, width


def _range_of_histogram(prepared: Prepared) -> tuple[float | None, float | None]:
    if prepared.profile.volume_histogram != "fixed_bin_size":
        return prepared.profile.range or (None, None)
    first, last, width = _edges(prepared)
    return 0.0, (last - first) / width - 1


def _in_intensities(prepared: Prepared, found: dict[str, float]) -> dict[str, float]:
    """What z-rad gave in bins of fixed size."""
    if prepared.profile.volume_histogram != "fixed_bin_size" or "ivh_i10" not in found:
        return {}
    first, _, width = _edges(prepared)
    centres = {name: first + (found[name] + 0.5) * width for name in ("ivh_i10", "ivh_i90")}
    return {**centres, "ivh_diff_i10_i90": found["ivh_diff_i10_i90"] * width}


def _volume_histogram(prepared: Prepared, inside: Callable[..., object]) -> dict[str, object]:
    """z-rad's fields for the intensity-volume histogram."""
    profile, values = prepared.profile, prepared.values
    if profile.volume_histogram == "fixed_bin_size":
        first, _, width = _edges(prepared)
        return _named(inside(np.floor((values - first) / width), prepared.intensity), "direct", 1)
    if profile.volume_histogram == "fixed_bin_number":
        number = profile.volume_histogram_bin_number
        least, most = values[prepared.intensity].min(), values[prepared.intensity].max()
        bins = np.minimum(np.floor((values - least) * number / (most - least)) + 1, number)
        return _named(inside(bins, prepared.intensity), "fixed_bin_number", 1)
    return _named(inside(values, prepared.intensity), "direct", 1)


def _named(image: object, method: str, step: float | None) -> dict[str, object]:
    return {"ivh_intensity_image": image, "ivh_discretization_method": method, "ivh_discretization_step": step}


def each(regions: Iterable[Path]) -> Iterator[tuple[str, Prepared]]:
    """Name and prepared region, one in memory at a time."""
    for folder in regions:
        yield f"{folder.parent.name}/{folder.name}", tumour(folder)

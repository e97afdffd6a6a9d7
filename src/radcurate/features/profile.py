"""Extraction profiles: every choice between a cleaned image and its features, each once with its meaning.

The files are `config/extraction/{ct,mr,pt}.yaml`; `extract.ct` (and so on) in the configuration changes single keys.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from radcurate.errors import CurationError
from radcurate.features.filters.choices import KINDS, Filter
from radcurate.settings import Section

MODALITIES = ("ct", "mr", "pt")
DIMENSIONS: tuple[Literal["2D", "2.5D", "3D"], ...] = ("2D", "2.5D", "3D")


class Profile(Section):
    """How one modality is prepared before features are computed (IBSI reference manual, chapter 2)."""

    unit: Literal["HU", "SUVbw"] | None = Field(
        None, description="Unit that the voxel values must have; a series in another one fails. null: any."
    )
    dimension: Literal["3D", "2D"] = Field(
        "3D", description="3D: interpolate along all three axes. 2D: within the planes only, for widely spaced planes."
    )
    voxel_size: float | None = Field(
        None, gt=0, description="Edge of a voxel after interpolation, in mm; null: no interpolation."
    )
    image_interpolation: Literal["nearest", "linear", "cubic_spline", "cubic_convolution"] = Field(
        "linear",
        description="nearest; (bi- or tri-)linear; cubic_spline: the interpolating cubic B-spline, IBSI's tricubic "
        "spline, which reads 34 voxels far; cubic_convolution: Keys' kernel (Catmull-Rom), IBSI's tricubic convolution, "
        "which reads 2 voxels far.",
    )
    anti_aliasing: Literal["none", "gaussian"] = Field(
        "none",
        description="gaussian: smooth the image along the axes that interpolation makes coarser, to the resolution of the "
        "new voxels (full width at half maximum), before it.",
    )
    mask_interpolation: Literal["nearest", "linear"] = Field(
        "linear",
        description="Interpolation of the mask; a voxel belongs to it where the result reaches mask_threshold.",
    )
    mask_threshold: float = Field(0.5, gt=0, le=1, description="Share of the region that a voxel of the mask has.")
    rounding: float | None = Field(
        None, gt=0, description="Interpolated values are rounded to multiples of this (1 for HU); null: not rounded."
    )
    normalisation: Literal["none", "zscore"] = Field(
        "none", description="zscore: (value - mean) / standard deviation of normalisation_region."
    )
    normalisation_region: str | None = Field(
        None,
        description="Where mean and deviation come from. roi: the region itself; contour:LABEL: another contour of this "
        "image; unchanged: voxels that cleaning left as they were; image: all voxels. Refused where cleaning changed a voxel "
        "of it.",
    )
    range: tuple[float | None, float | None] | None = Field(
        None,
        description="Re-segmentation: values outside [low, high] leave the intensity mask, not the morphological one.",
    )
    outlier_sigma: float | None = Field(
        None,
        gt=0,
        description="Re-segmentation: values further from the mean than so many standard deviations leave the intensity mask.",
    )
    discretisation: Literal["fixed_bin_size", "fixed_bin_number"] = Field(
        "fixed_bin_number", description="Bins of the same width, or the same number of bins, for every region."
    )
    bin_size: float | None = Field(
        None, gt=0, description="Width of a bin in the unit of the values, for fixed_bin_size."
    )
    bin_number: int | None = Field(None, ge=2, le=512, description="Number of bins, for fixed_bin_number.")
    bin_anchor: float | None = Field(
        None,
        description="Lower edge of the first bin, for fixed_bin_size; null: the low end of range, or the least value of the region.",
    )
    response_bin_number: int = Field(
        32,
        ge=2,
        le=512,
        description="Number of bins for filtered images, whose values have no unit to take a width in.",
    )
    volume_histogram: Literal["none", "fixed_bin_size", "fixed_bin_number"] = Field(
        "none",
        description="Discretisation for the intensity-volume histogram alone. none: the values as they are (calibrated "
        "units); fixed_bin_size: bins of the width volume_histogram_bin_size from the same first edge as bin_size, each "
        "standing for its centre; fixed_bin_number: volume_histogram_bin_number bins, each standing for its number.",
    )
    volume_histogram_bin_size: float | None = Field(
        None, gt=0, description="Width of a bin of the intensity-volume histogram in the unit of the values."
    )
    volume_histogram_bin_number: int = Field(
        1000, ge=2, le=100_000, description="Number of bins of the intensity-volume histogram."
    )
    textures: tuple[Literal["2D", "2.5D", "3D"], ...] = Field(
        ("3D",),
        min_length=1,
        description="How texture matrices are aggregated: 2D by plane, 2.5D merged over planes, 3D.",
    )
    filters: tuple[Filter, ...] = Field(
        (),
        description="Filters (IBSI-2); features of what each of them makes of the image are further columns, `<filter>__<feature>`.",
    )

    @model_validator(mode="after")
    def _choices_fit(self) -> Profile:
        if self.discretisation == "fixed_bin_size" and self.bin_size is None:
            raise ValueError("fixed_bin_size needs bin_size")
        if self.discretisation == "fixed_bin_number" and self.bin_number is None:
            raise ValueError("fixed_bin_number needs bin_number")
        if self.volume_histogram == "fixed_bin_size" and self.volume_histogram_bin_size is None:
            raise ValueError("volume_histogram fixed_bin_size needs volume_histogram_bin_size")
        if self.normalisation == "zscore" and not self.normalisation_region:
            raise ValueError("zscore needs normalisation_region: roi, contour:LABEL, unchanged or image")
        if self.normalisation_region is not None and not _known_region(self.normalisation_region):
            raise ValueError("normalisation_region is roi, contour:LABEL, unchanged or image")
        low = self.range[0] if self.range else None
        if self.range and None not in self.range and self.range[0] >= self.range[1]:  # type: ignore[operator]
            raise ValueError("the low end of range lies below its high end")
        if self.bin_anchor is not None and (low is None or low < self.bin_anchor):
            raise ValueError(
                "bin_anchor needs a low end of range that is not below it: values under the first bin have no level"
            )
        self._check_filters()
        return self

    def _check_filters(self) -> None:
        labels = [label for chosen in self.filters for label in chosen.labels]
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise ValueError(
                f"filters have different names; {twice[0]} is there twice, give one of them another `name`"
            )
        if self.dimension == "2D" and any(chosen.dimension == "3D" for chosen in self.filters):
            raise ValueError("filters of a profile with dimension 2D have dimension 2D")

    @property
    def first_edge(self) -> float | None:
        """Lower edge of the first bin of fixed size; None: the least value of the region."""
        low = self.range[0] if self.range else None
        return low if self.bin_anchor is None else self.bin_anchor

    @property
    def text(self) -> str:
        """All choices as JSON with sorted keys; `Profile.model_validate_json` reads it."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)

    @property
    def digest(self) -> str:
        """SHA-256 of all choices."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def _known_region(region: str) -> bool:
    return region in ("roi", "unchanged", "image") or (region.startswith("contour:") and len(region) > len("contour:"))


def load_profile(path: Path, changes: dict[str, Any] | None = None) -> Profile:
    """Profile of one modality: the file's keys, then `changes` key by key.

    Raises:
        CurationError: no file, not YAML, an unknown key (with the nearest known one) or a value out of range.
    """
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise CurationError(
            f"the extraction profile {path.name} can't be read",
            wanted="a YAML file",
            found=type(error).__name__,
            fix="mend it; config/extraction of the distribution shows the form",
        ) from None
    if not isinstance(content, dict):
        content = {}
    try:
        return Profile.model_validate({**content, **(changes or {})})
    except ValidationError as error:
        raise _explain(path.stem, error) from None


def load_profiles(folder: Path, changes: dict[str, dict[str, Any] | None]) -> dict[str, Profile]:
    """Profiles of all modalities, by their DICOM name (CT, MR, PT).

    Raises:
        CurationError: see `load_profile`.
    """
    return {name.upper(): load_profile(folder / f"{name}.yaml", changes.get(name)) for name in MODALITIES}


def _section_of(place: tuple[int | str, ...]) -> type[Section]:
    """Whose keys an error is about: the profile's, or those of the innermost filter in `filters.0.riesz.of.log.sigma`."""
    kinds = [KINDS[part] for part in place[:-1] if isinstance(part, str) and part in KINDS]
    return kinds[-1] if kinds else Profile


def _explain(name: str, error: ValidationError) -> CurationError:
    errors = error.errors(include_url=False)
    # a mistyped key says more than that the right one is missing
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    option = ".".join([f"extract.{name}", *(str(part) for part in first["loc"])])
    if first["type"] == "extra_forbidden":
        known = list(_section_of(first["loc"]).model_fields)
        near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
        return CurationError(
            f"unknown key {option}",
            wanted="one of " + ", ".join(known),
            found=str(first["loc"][-1]),
            fix=f"did you mean {near[0]}?" if near else "remove it",
        )
    if first["type"] == "missing":
        return CurationError(
            f"extraction option {option} is missing",
            wanted="a value",
            found="none",
            fix="give it; config/README.md says what it may be",
        )
    return CurationError(
        f"extraction option {option} is not valid",
        wanted=first["msg"].removeprefix("Value error, "),
        found=repr(first["input"]) if isinstance(first["input"], (str, int, float)) else "another value",
        fix="see config/extraction for what it may be",
    )

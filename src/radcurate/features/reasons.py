"""Why a value is missing: every code that may stand in the table of missing features, and why a region has none at all."""

from __future__ import annotations

EMPTY = "empty_after_resegmentation"
ONE_VOXEL = "one_voxel"
ONE_LEVEL = "one_level"
ONE_INTENSITY = "one_intensity"
ONE_LINE = "one_line"
ONE_PLANE = "one_plane"
NO_NEIGHBOURS = "no_neighbours"
NONE_BETWEEN = "none_between_percentiles"
NOT_REACHED = "share_not_reached"
DIVISION_BY_ZERO = "division_by_zero"
TWO_VOXELS = "two_voxels"
UNDEFINED = "undefined"
TOO_MANY_LEVELS = "too_many_levels"
OUT_OF_MEMORY = "out_of_memory"
ENGINE_ERROR = "engine_error"
NOT_IN_ENGINE = "not_in_engine"
NOT_SELECTED = "not_selected"

# Of a feature, for a region that has others.
OF_FEATURES = {
    EMPTY: "The intensity mask is empty: re-segmentation left no voxel, or no voxel has a finite value.",
    ONE_VOXEL: "The mask that the feature needs holds one voxel, and the feature has no value for one.",
    ONE_LEVEL: "All grey levels of the region are the same, or, where matrices are averaged, those in each matrix.",
    ONE_INTENSITY: "All intensities of the region are the same, or the intensity-volume histogram's range holds just one.",
    ONE_LINE: "The voxel centres of the morphological mask lie on a line: the ellipsoid has no area.",
    ONE_PLANE: "The voxel centres of the morphological mask lie in a plane: the ellipsoid has no volume.",
    NO_NEIGHBOURS: "No voxel has a neighbour in the intensity mask; for 2D and 2.5D, in its plane.",
    NONE_BETWEEN: "No voxel lies between the 10th and the 90th percentile.",
    NOT_REACHED: "Even the highest intensity of the intensity-volume histogram is that of a larger share of the volume.",
    DIVISION_BY_ZERO: "What the formula divides by, such as a mean or a sum of percentiles, is 0.",
    TWO_VOXELS: "pyradiomics has no value for two voxels.",
    UNDEFINED: "The formula gives no finite number, for none of the other reasons.",
    TOO_MANY_LEVELS: "There are more grey levels than the matrices are built for; a coarser discretisation helps.",
    OUT_OF_MEMORY: "There was too little memory for it.",
    ENGINE_ERROR: "The engine failed in this family of features.",
    NOT_IN_ENGINE: "The engine doesn't compute this feature.",
    NOT_SELECTED: "The profile of this modality doesn't ask for this feature; that of another one does.",
}

# Of a region that has no features at all, or no invariance.
OF_REGIONS = {
    "empty_mask": "The mask holds no voxel.",
    "empty_after_interpolation": "No voxel of the new grid lies in the mask.",
    "wrong_unit": "The image isn't in the unit that the profile asks for.",
    "provenance_incomplete": "Something about its making isn't known.",
    "normalisation_region_absent": "The region that intensities are normalised from isn't there.",
    "normalisation_region_flat": "The region that intensities are normalised from has one intensity.",
    "normalisation_region_cleaned": "Cleaning changed voxels of the region that intensities are normalised from.",
    "normalisation_image_cleaned": "Cleaning changed voxels of the image that intensities are normalised from.",
    "region_absent": "The exported contours hold no such region.",
    "contour_absent": "The exported contours aren't there.",
    "original_absent": "The image as it was exported isn't there, and its intensities are normalised from it.",
}


def reference_page() -> str:
    """Markdown: the codes and what they mean."""
    return "\n".join(
        [
            "# Missing values",
            "",
            "Generated from `src/radcurate/features/reasons.py` by `make docs`; edit there.",
            "",
            "A strange region doesn't fail: each feature has a value where it is defined and is empty where not, and then",
            "`results/extract/*/missing.parquet` says why, with one of these codes.",
            "",
            *_table(OF_FEATURES),
            "",
            "A region without any feature has one of these as its reason:",
            "",
            *_table(OF_REGIONS),
            "",
        ]
    )


def _table(meanings: dict[str, str]) -> list[str]:
    return ["| code | meaning |", "|---|---|", *(f"| `{code}` | {meaning} |" for code, meaning in meanings.items())]

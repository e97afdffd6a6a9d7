"""What extract records about an image and about the making of a row's values."""

from __future__ import annotations

import pyarrow as pa

from radcurate.tables.files import Schema

TEXT, INT, REAL, REALS = pa.string(), pa.int64(), pa.float64(), pa.list_(pa.float64())
EXTRACT_ACQUISITION = Schema(  # of the middle plane; null where the header doesn't tell
    "extract_acquisition",
    [
        ("series", TEXT),
        ("subject", TEXT),
        ("modality", TEXT),
        ("manufacturer", TEXT),
        ("model", TEXT),
        ("software", TEXT),
        ("body_part", TEXT),
        ("patient_position", TEXT),
        ("unit", TEXT),  # of the voxel values: HU | SUVbw | 1
        ("planes", INT),
        ("rows", INT),
        ("columns", INT),
        ("plane_spacing", REAL),  # mm
        ("row_spacing", REAL),  # mm
        ("column_spacing", REAL),  # mm
        ("slice_thickness", REAL),  # mm
        ("kernel", TEXT),
        ("kvp", REAL),  # kV
        ("tube_current", REAL),  # mA
        ("exposure", REAL),  # mAs
        ("ctdi_vol", REAL),  # mGy
        ("pitch", REAL),
        ("reconstruction_diameter", REAL),  # mm
        ("contrast_agent", TEXT),
        ("scanning_sequence", TEXT),
        ("sequence_variant", TEXT),
        ("acquisition_type", TEXT),  # 2D | 3D
        ("repetition_time", REAL),  # ms
        ("echo_time", REAL),  # ms
        ("inversion_time", REAL),  # ms
        ("flip_angle", REAL),  # degrees
        ("field_strength", REAL),  # T
        ("echo_train_length", REAL),
        ("pixel_bandwidth", REAL),  # Hz
        ("averages", REAL),
        ("tracer", TEXT),
        ("radionuclide", TEXT),
        ("half_life", REAL),  # s
        ("injected_dose", REAL),  # Bq
        ("pet_units", TEXT),
        ("decay_correction", TEXT),
        ("attenuation_correction", TEXT),
        ("scatter_correction", TEXT),
        ("reconstruction_method", TEXT),
        ("frame_duration", REAL),  # ms
    ],
    ("series",),
)
EXTRACT_PROVENANCE = Schema(  # everything that a row's values depend on; "none" where a step was not taken
    "extract_provenance",
    [
        ("provenance", TEXT),  # SHA-256 of the record below
        ("radcurate", TEXT),  # versions
        ("engine", TEXT),
        ("engine_version", TEXT),
        ("engine_digest", TEXT),  # of radcurate's own feature code
        ("extensions", TEXT),  # files of the user's own with features or engines, and their SHA-256; or none
        ("numpy", TEXT),
        ("scipy", TEXT),
        ("simpleitk", TEXT),
        ("pydicom", TEXT),
        ("unit", TEXT),
        ("dimension", TEXT),
        ("voxel_size", REALS),  # mm, (plane, row, column) after interpolation
        ("image_interpolation", TEXT),
        ("mask_interpolation", TEXT),
        ("mask_threshold", TEXT),
        ("rounding", TEXT),
        ("normalisation", TEXT),
        ("normalisation_region", TEXT),
        ("normalisation_mean", REAL),  # null without normalisation
        ("normalisation_deviation", REAL),  # null without normalisation
        ("resegmentation_range", TEXT),
        ("resegmentation_outliers", TEXT),
        ("discretisation", TEXT),
        ("discretisation_value", REAL),  # width or number of bins
        ("discretisation_anchor", TEXT),
        ("textures", TEXT),
        ("filters", TEXT),
        ("segmentation_source", TEXT),  # rtstruct | seg | nifti
        ("segmentation_method", TEXT),
        ("segmentation_notes", TEXT),
        ("profile", TEXT),  # all choices as JSON: with image and mask all that the values are made from
        ("profile_digest", TEXT),  # SHA-256 of it
        ("image_digest", TEXT),  # of the voxel values, their unit and spacing
        ("mask_digest", TEXT),
        ("acquisition_digest", TEXT),  # keyed: the values could be guessed
    ],
    ("provenance",),
)
HARMONISE_PARAMETERS = Schema(  # of a fit; no row of a patient. How it was made stands in the table's metadata
    "harmonise_parameters",
    [
        ("kind", TEXT),  # JSON list: the values that say what can be compared
        ("feature", TEXT),
        ("site", TEXT),
        ("n", INT),  # rows with a value
        ("mean", REAL),  # of all sites, at covariates 0
        ("beta", REALS),  # what each term of the covariates does
        ("shift", REAL),  # what the site adds, in the feature's unit; NaN: no value there
        ("stretch", REAL),  # by what it multiplies deviations
        ("outcome", TEXT),  # harmonised | location_only | constant | too_few | one_site
    ],
    ("kind", "feature", "site"),
)
HARMONISE_STATISTICS = Schema(  # sums of a site: all that a fit together with other hospitals needs
    "harmonise_statistics",
    [
        ("kind", TEXT),
        ("site", TEXT),
        ("feature", TEXT),
        ("patients", INT),
        ("n", INT),
        ("x", REALS),  # mean covariates
        ("y", REAL),  # mean value
        ("xx", REALS),  # sums of products of centred covariates, row by row
        ("xy", REALS),
        ("yy", REAL),
    ],
    ("kind", "site", "feature"),
)

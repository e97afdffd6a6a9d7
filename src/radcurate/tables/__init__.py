"""Every Parquet schema once. A table is a `pyarrow.Table` of a named schema; `files` reads and writes them."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from radcurate.tables.attacks import ATTACK_COLUMNS as ATTACK_COLUMNS
from radcurate.tables.attacks import ATTACKS as ATTACKS
from radcurate.tables.fetched import FETCH_FILES as FETCH_FILES
from radcurate.tables.fetched import FETCH_PROBLEMS as FETCH_PROBLEMS
from radcurate.tables.files import ROW_GROUP as ROW_GROUP
from radcurate.tables.files import Schema as Schema
from radcurate.tables.files import read as read
from radcurate.tables.files import read_parts as read_parts
from radcurate.tables.files import read_rows as read_rows
from radcurate.tables.files import read_schema as read_schema
from radcurate.tables.files import sort as sort
from radcurate.tables.files import table as table
from radcurate.tables.files import write as write
from radcurate.tables.files import write_parts as write_parts
from radcurate.tables.files import write_rows as write_rows
from radcurate.tables.files import write_stream as write_stream
from radcurate.tables.ordered import ordered as ordered
from radcurate.tables.protected import PROTECT_AT_RISK as PROTECT_AT_RISK
from radcurate.tables.protected import PROTECT_DISTORTION as PROTECT_DISTORTION
from radcurate.tables.protected import PROTECT_GROUPS as PROTECT_GROUPS
from radcurate.tables.protected import PROTECT_WAYS as PROTECT_WAYS
from radcurate.tables.records import EXTRACT_ACQUISITION as EXTRACT_ACQUISITION
from radcurate.tables.records import EXTRACT_PROVENANCE as EXTRACT_PROVENANCE
from radcurate.tables.records import HARMONISE_PARAMETERS as HARMONISE_PARAMETERS
from radcurate.tables.records import HARMONISE_STATISTICS as HARMONISE_STATISTICS

TEXT, INT, REAL, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
TEXTS, REALS, INTS = pa.list_(pa.string()), pa.list_(pa.float64()), pa.list_(pa.int64())

# What became of a series at a stage. Every stage's series table has these columns.
OK, EXCLUDED, QUARANTINED, FAILED = "ok", "excluded", "quarantined", "failed"
OUTCOME: list[tuple[str, pa.DataType]] = [
    ("status", TEXT),  # ok | excluded | quarantined | failed
    ("reason", TEXT),  # a short code such as slice_gap; null when ok
    ("remedy", TEXT),  # what the user can do; null when ok
]
SERIES: list[tuple[str, pa.DataType]] = [
    ("series", TEXT),  # pseudonym, S-…
    ("subject", TEXT),  # pseudonym, P-…
    ("kind", TEXT),  # image | rtstruct | seg | nifti | picture (without planes in space)
    ("modality", TEXT),  # CT | MR | PT | RTSTRUCT | SEG | … as in (0008,0060)
    *OUTCOME,
]


# inventory and consent: the identity zone (0600 in 0700). instances and identifiers hold original values.
INVENTORY_INSTANCES = Schema(
    "inventory_instances",
    [
        ("file", TEXT),  # keyed code of the path
        ("path", TEXT),  # relative to the input folder, POSIX form
        ("size", INT),  # bytes
        ("mtime_ns", INT),
        ("series", TEXT),  # pseudonym; null where the file belongs to none
        ("sop_instance_uid", TEXT),
        ("sop_class_uid", TEXT),
        ("transfer_syntax_uid", TEXT),
        ("order", INT),  # position of the slice along the normal, from 0; null for non-images
        ("n_frames", INT),
        ("head_bytes", INT),  # before the pixel values, and behind them
        ("tail_bytes", INT),
        ("digest", TEXT),  # of those bytes: what the file was judged by; null where it isn't worked on
        *OUTCOME,  # ok: part of its series; quarantined: not DICOM, truncated, duplicate, … ; the source is never changed
    ],
    ("path",),
)
INVENTORY_SERIES = Schema(
    "inventory_series",
    [
        *SERIES,
        ("chunk", TEXT),  # five digits
        ("patient_id", TEXT),
        ("issuer", TEXT),
        ("series_instance_uid", TEXT),
        ("study_instance_uid", TEXT),
        ("frame_of_reference_uid", TEXT),
        ("institution", TEXT),
        ("n_instances", INT),
        ("rows", INT),
        ("columns", INT),
        ("spacing", REALS),  # mm: between slices, between rows, between columns
        ("origin", REALS),  # mm: ImagePositionPatient of the first slice (order 0)
        ("orientation", REALS),  # ImageOrientationPatient, six cosines
        (
            "findings",
            TEXTS,
        ),  # geometry findings: slice_gap, duplicate_instance, gantry_tilt, mixed_orientation, uneven_spacing, …
        ("images", TEXTS),  # contours: pseudonyms of the image series they belong to; images: empty
        ("link", TEXT),  # how found: instance | series | frame_of_reference | grid; null for images
    ],
    ("series",),
)
INVENTORY_IDENTIFIERS = Schema(
    "inventory_identifiers",
    [
        ("subject", TEXT),
        ("category", TEXT),  # name | id | uid | date | text
        ("keyword", TEXT),  # DICOM keyword or tag, or file_name
        ("value", TEXT),  # the original value
    ],
    ("subject", "category", "keyword", "value"),
)
CONSENT_SERIES = Schema("consent_series", [*SERIES], ("series",))
CONSENT_EXCLUSIONS = Schema("consent_exclusions", [("reason", TEXT), ("patients", INT), ("series", INT)], ("reason",))

# after deidentify: pseudonyms only
DEIDENTIFY_SERIES = Schema(
    "deidentify_series",
    [
        *SERIES,
        ("folder", TEXT),  # below dicom/, equal to the series pseudonym
        ("n_instances", INT),
        ("study", TEXT),  # new StudyInstanceUID
        ("frame_of_reference", TEXT),  # new FrameOfReferenceUID
        ("images", TEXTS),  # contours: pseudonyms of their image series
        ("site", TEXT),  # H-… or null
        ("sex", TEXT),  # M | F | O or null
        ("age", REAL),  # years at the study, from PatientAge or dates; pooled at 90
        ("study_date", TEXT),  # YYYY-MM-DD after the date rule; null when absent
        ("manufacturer", TEXT),  # of the device, as the rules left it; null when absent
    ],
    ("series",),
)
DEIDENTIFY_INSTANCES = Schema(
    "deidentify_instances",
    [
        ("series", TEXT),
        ("name", TEXT),  # file name below dicom/<folder>/
        ("order", INT),
        ("file", TEXT),  # keyed code of the source file's path, as in the inventory
        # BLAKE3: header, all bytes of the file before the value of its pixel data; pixels, all bytes from there to its end, or null
        ("header_source", TEXT),
        ("pixels_source", TEXT),
        ("header", TEXT),
        ("pixels", TEXT),  # equal to pixels_source where no byte had to be cut or cleaned
    ],
    ("series", "order", "name"),
)
DEIDENTIFY_ACTIONS = Schema(  # one row per action and file; never a value
    "deidentify_actions",
    [
        ("series", TEXT),
        ("name", TEXT),  # file name below dicom/<folder>/
        ("tag", TEXT),  # path such as (0010,0010) or (3006,0020)>(3006,0026); private elements as (gggg,eeee)
        ("keyword", TEXT),
        ("action", TEXT),
        ("reason", TEXT),
    ],
    ("series", "name", "tag", "action", "reason"),
)
REDACT_SERIES = Schema(
    "redact_series",
    [
        *SERIES,
        ("folder", TEXT),
        ("n_instances", INT),
        ("frame_of_reference", TEXT),  # as deidentify tells it, for deface
        ("study", TEXT),
        ("images", TEXTS),
        ("decision", TEXT),  # code of what was found: no_text, text_removed, decided_by_person …; null for contours
        ("strict", FLAG),  # doubt goes to a person
        ("frames", INT),  # of the series
        ("looked", INT),  # frames that were looked at by themselves; the others by what stands still or stands out
        ("boxes", INT),  # that were filled
        ("changed_pixels", INT),
        ("residual", INT),  # boxes in which the second look still read something
        ("overlap_voxels", INT),  # of the series' contours with the boxes
    ],
    ("series",),
)
REDACT_BOXES = Schema(  # never what stands in them
    "redact_boxes",
    [
        ("series", TEXT),
        ("name", TEXT),  # of the file
        ("frame", INT),  # from 0
        ("top", INT),  # rows top … bottom − 1, columns left … right − 1, from 0
        ("left", INT),
        ("bottom", INT),
        ("right", INT),
        ("kind", TEXT),  # text | identity | mark | overlay | skin | region
        ("sure", FLAG),
        ("confidence", REAL),
        ("text_hash", TEXT),  # keyed, of the text in lower case
        ("pass_number", INT),  # 1: before cleaning, 2: after
        ("filled", FLAG),
        ("changed_pixels", INT),
    ],
    ("series", "name", "frame", "pass_number", "top", "left", "bottom", "right", "kind"),
)
DEFACE_SERIES = Schema(
    "deface_series",
    [
        *SERIES,
        ("folder", TEXT),
        ("n_instances", INT),
        ("images", TEXTS),
        ("face", TEXT),  # none | removed; null for contours
        ("decision", TEXT),  # why: code such as no_head_in_view, head_with_face
        ("changed_voxels", INT),  # by redact and deface; 0 when untouched
    ],
    ("series",),
)
DEFACE_MASKS = Schema(  # the removed region on the stored pixels, frame by frame
    "deface_masks",
    [
        ("series", TEXT),
        ("name", TEXT),  # of the file
        ("frame", INT),  # from 0
        ("runs", INTS),  # lengths of runs along the rows, in turn kept and removed, the first one kept (0 if none)
    ],
    ("series", "name", "frame"),
)
DEFACE_QC = Schema(
    "deface_qc",
    [
        ("series", TEXT),
        ("passed", FLAG),  # all checks hold; null where no face was removed
        ("overlap_voxels", INT),  # of the series' contours with the removed region
        ("roi_distance", REAL),  # mm from the nearest contour voxel to the removed region; null without contour
        ("said", FLAG),  # BodyPartExamined names a part of the head
        ("turn", TEXT),  # as_stored, or how the image lies against its header
        ("screened", REAL),  # mutual information with the mean head, 0 … 1: of the best placement,
        ("fit", REAL),  # in the head's box after the affine fit,
        ("inside", REAL),  # and inside the head
        ("scale", REAL),  # mean head's size over the patient's
        ("squeeze", REAL),  # largest over smallest stretch of the fit
        ("bone", REAL),  # share of bone in the head, CT only
        ("face_in_view", REAL),  # share of the mean head's facial surface in the field of view
        ("presence_before", REAL),  # share of it that agrees with the volume's skin
        ("presence_after", REAL),
        ("moved", REAL),  # share of the own facial surface that moved by more than 3 mm
        ("ears_moved", REAL),  # the same of the ears; null where none sticks out
        ("likeness", REAL),  # correlation of the face's relief before and after; null where too little is in view
        ("control_moved", REAL),  # the same of the untouched volume,
        ("control_likeness", REAL),
        ("control_blurred", REAL),  # likeness of a blurred face
        ("control_passed", FLAG),  # whether the untouched volume passes: must be false, else the check is worth nothing
        ("controls_hold", FLAG),  # no control passes: untouched, blurred, a brain without its front
        ("brain_voxels", INT),  # on the 2 mm working grid
        ("brain_lost", INT),
        ("brain_dice", REAL),
        ("masked_voxels", INT),  # on the series' own grid
        ("changed_voxels", INT),
        ("outside_equal", FLAG),  # every stored value outside the mask is what it was
        ("inside_filled", FLAG),
        ("outside_sha256", TEXT),  # of the stored values outside the mask
    ],
    ("series",),
)
VERIFY_SERIES = Schema(
    "verify_series",
    [
        *SERIES,
        # paired: files that hold against their sources; attributes: technical ones found equal; reread: by pydicom
        *((name, INT) for name in ("files", "bytes", "paired", "attributes", "reread", "identifiers", "hits")),
        ("changed_inside", INT),  # pixels that differ within the boxes of redact and the masks of deface
        ("changed_outside", INT),  # and elsewhere: must be 0
        ("looked", INT),  # pictures that were read for the patient's own words
    ],
    ("series",),
)
VERIFY_ATTRIBUTES = Schema(  # technical attributes that aren't what they were, or never were; no values
    "verify_attributes",
    [
        ("series", TEXT),
        ("keyword", TEXT),
        (
            "outcome",
            TEXT,
        ),  # attribute_lost | attribute_changed: faults; text_lost: blanked on purpose; missing: in the source too
        ("count", INT),
    ],
    ("series", "outcome", "keyword"),
)
VERIFY_CANARY = Schema(  # identifiers planted in files of invented patients
    "verify_canary",
    [
        ("hipaa", TEXT),  # 45 CFR 164.514(b)(2)(i): A to R
        ("kind", TEXT),  # kind of place
        ("planted", INT),
        ("seen_before", INT),  # found by verify in the file as it was invented
        ("cleaned", INT),  # in files that deidentify rewrote; the others were refused
        ("left", INT),  # found in the rewritten file
    ],
    ("hipaa", "kind"),
)
VERIFY_HITS = Schema(
    "verify_hits",
    [("series", TEXT), ("name", TEXT), ("category", TEXT), ("keyword", TEXT), ("place", TEXT), ("count", INT)],
    ("series", "name", "category", "keyword", "place"),
)
EXTRACT_SERIES = Schema("extract_series", [*SERIES, ("rois", INT)], ("series",))
EXTRACT_FEATURES = Schema(  # followed by a REAL column per feature: see `with_features`
    "extract_features",
    [
        ("roi", TEXT),  # R-…
        ("series", TEXT),  # the image
        ("contour", TEXT),  # the series that the region was drawn in
        ("subject", TEXT),
        ("roi_label", TEXT),  # cleaned label from the header
        ("modality", TEXT),
        ("site", TEXT),
        ("sex", TEXT),
        ("age", REAL),
        ("study_date", TEXT),
        ("status", TEXT),  # ok | failed
        ("reason", TEXT),
        ("provenance", TEXT),  # digest of its record in provenance.parquet; null when failed before there was one
    ],
    ("roi",),
)
EXTRACT_MISSING = Schema(  # why a feature has no value
    "extract_missing", [("roi", TEXT), ("reason", TEXT), ("features", TEXTS)], ("roi", "reason")
)
EXTRACT_COLUMNS = Schema(  # what the feature columns are, for whoever has no catalogue of the engine
    "extract_columns",
    [
        ("name", TEXT),
        ("family", TEXT),
        ("feature", TEXT),
        ("code", TEXT),  # of IBSI, or non-IBSI
        ("aggregation", TEXT),  # empty for features without
        ("unit", TEXT),
        ("conformance", TEXT),
        ("description", TEXT),  # for people; with the engine's own name, where it has one
    ],
    ("name",),
)
EXTRACT_RANGES = Schema(  # followed by four REAL columns per feature: see `with_ranges`
    "extract_ranges",
    [
        ("roi", TEXT),
        ("subject", TEXT),
        ("modality", TEXT),
        ("perturbations", INT),  # that left a region; 0 where none did
        ("overlap", REAL),  # mean Dice coefficient of the moved contours with the drawn one
        ("reason", TEXT),  # why there are no ranges; null when there are
    ],
    ("roi",),
)
EXTRACT_INVARIANCE = Schema(  # of each region with values: features before any cleaning against those extracted
    "extract_invariance",
    [
        ("roi", TEXT),
        ("series", TEXT),
        ("contour", TEXT),
        # same_input: the very voxels and mask; out_of_reach: voxels changed where no feature looks, so every bit must be
        # the same; within_reach: they may differ; null: nothing to compare with
        ("basis", TEXT),
        ("reason", TEXT),  # why there is nothing to compare with
        ("changed_voxels", INT),  # in the whole image; null: the images are not on one grid
        ("distance", REAL),  # mm from the box around the region to the nearest changed voxel; null: none changed
        ("features", INT),  # compared
        ("different", INT),  # of these, with other bits
        ("largest_change", REAL),  # relative; infinite: a value on one side only
        ("changed", TEXTS),  # features with other bits, the most changed one first
        ("changes", REALS),  # their relative changes
    ],
    ("roi",),
)
EXTRACT_CROSSCHECK = Schema(  # regions that a second engine measured too
    "extract_crosscheck",
    [
        ("roi", TEXT),
        ("subject", TEXT),
        ("modality", TEXT),
        ("feature", TEXT),
        ("engine", TEXT),
        ("second_engine", TEXT),
        ("difference", REAL),  # relative; infinite where one engine has no value
    ],
    ("roi", "feature"),
)
# protect: what joins the run with its release; stays inside. features and acquisition have the columns that columns.yaml declares.
PROTECT_SUBJECTS = Schema(
    "protect_subjects",
    [
        ("subject", TEXT),
        ("code", TEXT),  # its code in the release; null when suppressed
        ("status", TEXT),  # released | suppressed
    ],
    ("subject",),
)
PROTECT_STABILITY = Schema(  # over the released regions; goes into the release as it is
    "protect_stability",
    [
        ("feature", TEXT),
        ("modality", TEXT),
        ("icc", REAL),  # ICC(1,1) of the perturbed values
        ("icc_lo", REAL),  # ends of its 95 % confidence interval
        ("icc_hi", REAL),
        ("cov", REAL),  # mean of a region's standard deviation over its |mean|
        ("grade", TEXT),  # of icc_lo: excellent | good | moderate | poor | unknown
        ("regions", INT),  # with values under all perturbations
        ("perturbations", INT),  # of a region, at most
    ],
    ("feature", "modality"),
)
PROTECT_SERIES = Schema(
    "protect_series",
    [
        *SERIES,
        ("code", TEXT),  # its code in the release; null when not released
        ("rows", INT),  # rows of the released features table that come from it
    ],
    ("series",),
)
PROTECT_CROSSCHECK = Schema(  # agreement of two engines over the regions of the release
    "protect_crosscheck",
    [
        ("modality", TEXT),
        ("feature", TEXT),
        ("engine", TEXT),
        ("second_engine", TEXT),
        ("regions", INT),  # where one of the engines at least has a value
        ("one_sided", INT),  # where only one has
        ("largest_difference", REAL),  # relative; null where all are one-sided
        ("tolerance", REAL),
        ("within", REAL),  # share of the regions whose difference is at most the tolerance
    ],
    ("modality", "feature"),
)


def with_features(names: Iterable[str]) -> Schema:
    """`EXTRACT_FEATURES` with its feature columns."""
    base = EXTRACT_FEATURES
    return Schema(base.name, [*base.columns, *((name, REAL) for name in names)], base.key)


# What follows a feature's name in a table of ranges: least and largest value, mean and variance of the perturbed values.
LOW, HIGH, MEAN, VARIANCE = RANGE_PARTS = ("_lo", "_hi", "_mean", "_variance")


def with_ranges(names: Iterable[str]) -> Schema:
    """`EXTRACT_RANGES` with the columns of these features."""
    base = EXTRACT_RANGES
    columns = [(name + part, REAL) for name in names for part in RANGE_PARTS]
    return Schema(base.name, [*base.columns, *columns], base.key)

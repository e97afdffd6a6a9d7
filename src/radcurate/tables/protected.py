"""What protect says about its work: who paid, who was at risk, what else could be done. All but distortions stay inside."""

from __future__ import annotations

import pyarrow as pa

from radcurate.tables.files import Schema

TEXT, INT, REAL, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
PROTECT_GROUPS = Schema(  # who paid; names rare values
    "protect_groups",
    [
        ("column", TEXT),  # a quasi-identifier
        ("value", TEXT),  # at its last level before *; null: missing
        ("subjects", INT),
        ("suppressed", INT),
        ("loss", REAL),  # mean over patients of what their quasi-identifiers lost, 1 where suppressed
        ("distortion", REAL),  # mean over released patients of |released - measured| in standard deviations
    ],
    ("column", "value"),
)
PROTECT_DISTORTION = Schema(  # per feature, no patient in it: may go into a release
    "protect_distortion",
    [
        ("feature", TEXT),
        ("modality", TEXT),
        ("regions", INT),
        ("scale", REAL),  # standard deviation of the measured values; these four are null where too few patients are
        ("distortion", REAL),  # mean |released - measured| / scale
        ("loss", REAL),  # squared differences over squared differences from the mean: 0 nothing lost, 1 all
        ("correlation", REAL),  # of released and measured values
        ("noise", REAL),  # standard deviation of added noise / scale
    ],
    ("feature", "modality"),
)
PROTECT_AT_RISK = Schema(  # before anything is done about it
    "protect_at_risk",
    [
        ("subject", TEXT),  # pseudonym, P-…
        (
            "columns",
            pa.list_(TEXT),
        ),  # quasi-identifiers that tell the patient from all but `size` - 1 others; none can be left out
        ("size", INT),  # patients that share these
        ("minimal", FLAG),  # without any of the columns the crowd is large enough; false: it takes more than three
        ("released", FLAG),
    ],
    ("subject",),
)
PROTECT_WAYS = Schema(  # what else could be done, each tried out completely
    "protect_ways",
    [
        ("change", TEXT),  # as_configured | k | l_and_t | suppression | method | uncap | drop
        ("column", TEXT),  # quasi-identifier; null where the change is about none
        ("setting", TEXT),  # what to type
        ("asked_k", INT),
        ("budget", REAL),  # share of the patients that may go
        ("k", INT),  # reached; l and t of every kind are null without a sensitive column
        ("l", INT),
        ("l_entropy", REAL),
        ("l_recursive", INT),
        ("t", REAL),
        ("t_ordered", REAL),
        ("loss", REAL),  # mean penalty over rows; a column that is dropped counts 1
        ("suppressed", INT),  # patients
        ("suppressed_share", REAL),
        ("holds", FLAG),  # asked_k, and what is asked of l and t, within the budget
    ],
    ("asked_k", "change", "column", "setting", "loss"),
)

"""What the gate judges: the sealed artefacts of one run, read into plain data. No numbers that somebody typed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from radcurate.governance.documents import Document
from radcurate.governance.dpia import Assessment
from radcurate.governance.ethics import Answer
from radcurate.governance.safe_harbor import Canaries, Treatment
from radcurate.tables.stored import Large

# The stages that give every series that reaches them a row, in the order in which data walk through them.
WALK = ("consent", "deidentify", "redact", "deface", "verify", "extract", "protect")


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one series at one stage."""

    series: str
    status: str
    reason: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A series as it was inventoried."""

    series: str
    subject: str
    kind: str
    modality: str
    files: int
    step: Step


@dataclass(frozen=True)
class Files:
    """Files of the export: found in all, part of a series, set aside (by reason)."""

    found: int
    placed: int
    set_aside: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FaceCheck:
    """What the deface stage measured on one image series."""

    series: str
    face: str | None
    measured: Mapping[str, Any]


@dataclass(frozen=True)
class Paperwork:
    """What the steward's papers come to in this run."""

    documents: tuple[Document, ...] = ()
    assessment: Assessment | None = None
    answers: tuple[Answer, ...] = ()
    beyond: tuple[str, ...] = ()  # artefacts that the recipients may not have


@dataclass(frozen=True)
class Evidence:
    """All that a policy can be held against.

    `steps[stage]` are the rows of that stage's series table, `files[stage]` the number of files a series had there;
    `features` and `acquisition` are the tables of `protect` as they would be released; `rows_of[series]` counts the
    rows of the release that come from a series, by its pseudonym inside the run. What has an entry per series or region
    may be a view of a table (see `series_rows`): it can be gone through more than once.
    """

    members: Iterable[Member]
    chosen: Collection[str]  # series in the chunks that consent wrote
    found: Files  # counted from the inventory's tables
    reported: Files | None  # as consent reported them
    steps: Mapping[str, Iterable[Step]]
    files: Mapping[str, Mapping[str, int | None]]
    hits: int
    regions: Mapping[str, int]  # regions in extract's tables: measured (`ok`), or not measured, by reason
    faces: Mapping[str, FaceCheck]
    study_dates: Mapping[str, str | None]
    features: Large
    acquisition: Large
    provenance: pa.Table  # records that rows of the release name
    protection: Mapping[str, Any]
    feature_columns: tuple[str, ...]
    reasons: Mapping[str, str]  # column of the release -> why it is in
    rows_of: Mapping[str, int | None]
    hipaa_path: str
    dates: str
    invariance: Iterable[Mapping[str, Any]] = ()  # features before and after cleaning, of each measured region
    canaries: Mapping[str, int] = field(default_factory=dict)  # planted, seen_before, cleaned, left, over all chunks
    unpaired: Mapping[str, int] = field(default_factory=dict)  # verified series -> files not held against their sources
    digests: Mapping[str, str] = field(default_factory=dict)
    treatments: tuple[Treatment, ...] = ()  # the reviewed table of Safe Harbor
    canaries_by_letter: Mapping[str, Canaries] = field(default_factory=dict)
    hits_by_letter: Mapping[str, int] = field(default_factory=dict)
    ranges: Large = field(default_factory=lambda: pa.table({}))  # as it would be released
    looks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # redact's rows
    boxes: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)  # what redact found, by series
    attack: Mapping[str, Any] = field(default_factory=dict)  # attack.json
    ways: tuple[Mapping[str, Any], ...] = ()  # changes that protect tried, with what each comes to
    subgroups: Mapping[str, Mapping[str, tuple[str, ...]]] = field(
        default_factory=dict
    )  # subject -> sex, age, site, manufacturer -> its groups
    judged: Mapping[str, str] = field(default_factory=dict)  # table that is judged -> SHA-256
    artefacts: tuple[str, ...] = ()  # files that the release would hold, as far as the gate can tell
    tier: str = "public"  # who the recipients are
    paperwork: Paperwork = Paperwork()
    fairness: Mapping[str, Any] = field(default_factory=dict)  # fairness.json; the gate counts it from the fields above

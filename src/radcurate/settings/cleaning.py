"""Options of the stages from the export to cleaned images."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from radcurate.settings.section import Section


class Inventory(Section):
    """Find every instance, read headers, group into series, link contours to images."""

    n_chunks: int = Field(
        16,
        ge=1,
        le=99999,
        description="Parts the cohort is worked in; all series of a patient share one. Aim at 50 to 250 series per part, up to 500 where there are hundreds of thousands.",
    )
    gap_tolerance: float = Field(
        0.01,
        gt=0,
        lt=0.5,
        description="Largest deviation of a slice distance from the median one, as a share of it, that counts as even.",
    )
    largest_file: int = Field(
        2000,
        ge=1,
        description="MB (1e6 bytes); a larger file is set aside unopened, since every stage that rewrites a file holds it in memory.",
    )
    largest_image: int = Field(
        1000,
        ge=1,
        description="Million samples (rows x columns x slices x colours) of a series once decompressed; a larger one is quarantined. "
        "Extracting one takes up to about 20 bytes a sample.",
    )


class Consent(Section):
    """Keep what the stated purpose may use."""

    table: str | None = Field(
        None,
        description="CSV or Parquet with the columns patient, model, purposes, recontact, withdrawn, date. Required.",
    )
    purpose: str = Field("research", description="What this run is for; must be among a patient's permitted purposes.")
    waiver: str | None = Field(
        None,
        description="YAML file with the four conditions of a waiver and the IRB reference; needed for rows with model waiver.",
    )
    run_date: date | None = Field(
        None,
        description="Day at which consent is judged; the newest date in the table when absent, so that a rerun gives the same result.",
    )


class Deidentify(Section):
    """Rewrite headers by an allow-list."""

    path: Literal["safe_harbor", "expert_determination"] = Field(
        "expert_determination", description="HIPAA path (45 CFR 164.514(b)); safe_harbor allows years only."
    )
    dates: Literal["shift", "year"] = Field(
        "shift",
        description="shift: all dates of a patient moved by the same secret number of whole weeks; year: YYYY0101.",
    )
    shift_weeks: int = Field(52, ge=1, le=520, description="Largest shift, in weeks, either way; never 0.")
    age: Literal["years", "five_years", "remove"] = Field(
        "years",
        description="PatientAge: whole years, or the first year of a bin of five; both with 090Y for 90 and over.",
    )
    sex: Literal["keep", "remove"] = Field("keep", description="PatientSex.")
    size: Literal["keep", "rounded", "remove"] = Field(
        "keep", description="PatientSize; rounded: to 0.05 m. SUV by lean mass or surface needs it."
    )
    weight: Literal["keep", "rounded", "remove"] = Field(
        "keep", description="PatientWeight; rounded: to 5 kg. SUV by body weight needs it."
    )
    device_identity: bool = Field(False, description="Keep station names, serial numbers and UIDs of devices.")
    safe_private: bool = Field(
        False, description="Keep private attributes of `config/safe_private.csv` whose creator and value are as listed."
    )
    allowlist: str = Field(
        "config/allowlist", description="Folder of tables: the attributes that each family of objects keeps, and how."
    )
    vocabulary: str = Field("config/vocabulary.yaml", description="Values that short texts and codes may keep.")
    crosswalk: str | None = Field(
        None,
        description="Folder, outside the run, for the way back from pseudonyms to patients, encrypted to `deidentify.recipients`; "
        "nothing is written when absent.",
    )
    recipients: str | None = Field(
        None,
        description="File with the honest broker's public keys (age1…), one a line, as `radcurate keys broker` prints them.",
    )

    @model_validator(mode="after")
    def _a_crosswalk_needs_a_broker(self) -> Deidentify:
        if (self.crosswalk is None) != (self.recipients is None):
            raise ValueError(
                "a crosswalk is written to a folder (deidentify.crosswalk) and for a broker (deidentify.recipients): "
                "set both or neither"
            )
        return self

    @model_validator(mode="after")
    def _safe_harbor_needs_years(self) -> Deidentify:
        if self.path == "safe_harbor" and self.dates == "shift":
            raise ValueError(
                "Safe Harbor removes all elements of dates but the year (45 CFR 164.514(b)(2)(i)(C)), and a shifted date keeps them: "
                "set dates: year, or path: expert_determination"
            )
        return self


class Redact(Section):
    """Find text that is drawn into pixels, fill its place, look again."""

    lenient: tuple[str, ...] = Field(
        ("CT", "MR", "PT"),
        description="Modalities in which a doubt doesn't hold a series back; all others, and whatever is drawn or captured, are "
        "looked at strictly: doubt is for a person.",
    )
    most_covered: float = Field(
        0.25,
        gt=0,
        le=1,
        description="Share of a picture in boxes of text above which, with more than six lines, it is a page and no image and is "
        "quarantined; with fewer lines twice this share.",
    )
    regions: str = Field(
        "config/redact_regions.csv",
        description="CSV file with places where some devices always draw; there need not be one.",
    )
    marks: str = Field(
        "config/redact_marks.csv",
        description="CSV file with marks in the skin, such as tattoos, that are to be smoothed; there need not be one.",
    )
    decisions: str = Field(
        "config/decisions.csv",
        description="CSV file with what people decided about quarantined series, as `radcurate review decide` writes it.",
    )


class Deface(Section):
    """Remove faces from head CT and MR."""

    style: Literal["remove", "shell", "reface"] = Field(
        "remove",
        description="What is taken of a face: all of its front; a shell that keeps the tissue under the skin "
        "(for head and neck); or all of it, with a sunken average face in its place (for pictures; not for features).",
    )
    roi_overlap: Literal["quarantine", "shell"] = Field(
        "quarantine",
        description="What happens to a series whose contour reaches into the removed region: it is set aside; or only "
        "the shell is taken, and it is set aside if the contour reaches into that too.",
    )
    least_moved: float = Field(
        0.95,
        ge=0.5,
        le=1,
        description="Least share of the facial surface that must have moved by more than 3 mm; less is quarantined.",
    )
    least_brain_dice: float = Field(
        0.995, ge=0.9, le=1, description="Least Dice overlap of the brain before and after; less is quarantined."
    )
    pictures: bool = Field(
        True, description="Draw the head's surface before and after, for the eye that checks; never released."
    )
    decisions: str = Field(
        "config/decisions.csv",
        description="CSV file with what people decided about quarantined series, as `radcurate review decide` writes it.",
    )


class Verify(Section):
    """Search what was written for every original identifier."""

    shortest: int = Field(
        4,
        ge=3,
        description="Shortest identifier, in characters, that is searched for as a substring; shorter ones must stand alone.",
    )
    harmless: list[str] = Field(
        [],
        description="Single words, without diacritics, that name nobody although they stand in the source, "
        "such as those added to deidentify.vocabulary.",
    )
    reread: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Share of the files that pydicom reads once more, whole; at least one of each series. 1: all.",
    )

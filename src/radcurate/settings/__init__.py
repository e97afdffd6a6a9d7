"""Every option once: type, default, unit, meaning.

`config/config.yaml` holds what a user would change; the JSON schema in `workflow/schemas`, `config/README.md`
and the texts of configuration errors are generated from the classes in this package.
"""

from __future__ import annotations

import difflib
import typing
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from radcurate.errors import CurationError
from radcurate.settings.cleaning import Consent as Consent
from radcurate.settings.cleaning import Deface as Deface
from radcurate.settings.cleaning import Deidentify as Deidentify
from radcurate.settings.cleaning import Inventory as Inventory
from radcurate.settings.cleaning import Redact as Redact
from radcurate.settings.cleaning import Verify as Verify
from radcurate.settings.fetch import Dicomweb as Dicomweb
from radcurate.settings.fetch import Fetch as Fetch
from radcurate.settings.section import Section as Section


class Ranges(Section):
    """Measure every region again while image and contour move a little (Zwanenburg et al. 2019)."""

    perturbations: int = Field(
        0,
        ge=0,
        le=1000,
        description="How often each region is measured again; 0: no ranges. ICCs need 2 at least, 10 or more tell something.",
    )
    rotation: float = Field(
        10.0, ge=0, le=90, description="Largest rotation of the grid within the planes, in degrees, either way."
    )
    translation: float = Field(
        0.5, ge=0, le=10, description="Largest shift of the grid along each axis, in its voxels, either way."
    )
    noise: float = Field(
        1.0,
        ge=0,
        le=10,
        description="Noise that is added, as a multiple of the noise that the image has around the region.",
    )
    volume: float = Field(
        0.15, ge=0, lt=1, description="Largest change of the region's volume, as a share of it, either way."
    )
    contour: float = Field(
        1.0,
        ge=0,
        le=20,
        description="Standard deviation in mm by which the boundary moves at each place, the volume being kept.",
    )
    contour_length: float = Field(10.0, gt=0, description="Distance in mm over which the boundary's movement changes.")
    contours: int = Field(
        2,
        ge=1,
        description="Boundaries and volumes that are tried on each moved grid; the image is interpolated once for all of them.",
    )
    features: tuple[str, ...] = Field(("*",), description="Columns that get a range: names or patterns such as stat_*.")
    without: tuple[str, ...] = Field(
        ("morph_moran_i", "morph_geary_c", "*__*"),
        description="Columns that get none although features names them; by default the slow ones and filtered images.",
    )


class Crosscheck(Section):
    """Measure some regions by a second engine too."""

    engine: str = Field("pyradiomics", description="The second engine.")
    share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the regions, chosen by the digests of image and mask; the agreement goes into the release. 0: none.",
    )


class Extract(Section):
    """Masks, IBSI preprocessing, features with provenance."""

    engine: str = Field(
        "radcurate",
        description="Feature engine. radcurate: all of IBSI-1; pyradiomics: its own classes on the same prepared regions, "
        "without the features that it lacks; or one that an extension registered.",
    )
    ranges: Ranges = Ranges()
    invariance: bool = Field(
        True, description="Compute features of the exported images too and record how cleaning changed them."
    )
    extensions: tuple[str, ...] = Field(
        (),
        description="Python files with features or engines of your own (docs/howto/own-feature.md); they are run as they are.",
    )
    crosscheck: Crosscheck = Crosscheck()
    ct: dict[str, Any] | None = Field(None, description="Changes to the CT profile, key by key.")
    mr: dict[str, Any] | None = Field(None, description="Changes to the MR profile, key by key.")
    pt: dict[str, Any] | None = Field(None, description="Changes to the PET profile, key by key.")

    @model_validator(mode="after")
    def _a_second_engine_is_another(self) -> Extract:
        if self.crosscheck.share and self.crosscheck.engine == self.engine:
            raise ValueError("crosscheck.engine is another one than engine: the same code always agrees with itself")
        return self


class Harmonise(Section):
    """Remove the scanner's accent from features (ComBat), with what is biological kept."""

    on: bool = Field(False, description="Harmonise; off, features are released as they were measured.")
    batch: Literal["site", "manufacturer", "model"] = Field(
        "site", description="What has an accent: the column whose values are made alike."
    )
    by: tuple[Literal["modality", "roi_label"], ...] = Field(
        ("modality", "roi_label"),
        description="Columns that say what can be compared; each combination is fitted by itself.",
    )
    covariates: tuple[Literal["sex", "age"], ...] = Field(
        ("sex", "age"), description="Columns whose effect on features is biological and is kept."
    )
    empirical_bayes: bool = Field(
        True, description="Let the features of a site steady each other; sites with one patient need it."
    )
    features: tuple[str, ...] = Field(
        ("*",), description="Features that are harmonised: names or patterns such as stat_*."
    )
    without: tuple[str, ...] = Field(
        ("morph_*",),
        description="Features that are left as measured although features names them; by default shape, which depends on who is ill "
        "and not on the scanner.",
    )
    parameters: str | None = Field(
        None,
        description="Parameters of another run (its results/harmonise/parameters.parquet): applied, nothing is fitted; a site that they "
        "don't know is refused.",
    )
    most_skewness: float = Field(
        2.0,
        ge=0,
        description="Features that are more lopsided than this within sites (absolute skewness), or have few distinct values, are left as "
        "measured: ComBat would give them an accent that they had not. 1000: all are harmonised, but those with few values.",
    )
    least_patients: int = Field(
        5,
        ge=2,
        description="Sites with fewer patients are left out of the sums that are written for a fit with other hospitals.",
    )


class Protect(Section):
    """Generalise and suppress quasi-identifiers until k, l and t hold."""

    k: int = Field(5, ge=1, description="Least number of patients in an equivalence class.")
    l: int = Field(  # noqa: E741
        1, ge=1, description="Least number of distinct sensitive values in an equivalence class; 1 asks for nothing."
    )
    t: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Largest total variation distance of a class's sensitive values from the table's; 1 asks for nothing.",
    )
    suppression: float = Field(
        0.2, ge=0, le=1, description="Largest share of the patients that may be left out to reach k, l and t."
    )
    method: Literal["full_domain", "mondrian"] = Field(
        "full_domain",
        description="full_domain: one level per column for all patients, the least loss there is; mondrian: regions of patients "
        "with labels of their own, often less loss, but labels of different patients overlap.",
    )
    l_kind: Literal["distinct", "entropy", "recursive"] = Field(
        "distinct",
        description="How sensitive values are counted: distinct values, the exponential of their entropy, or recursive (c, l).",
    )
    c: float = Field(
        3.0,
        gt=0,
        description="c of recursive (c, l): the commonest value is held by fewer than c times as many as all but the l - 1 commonest.",
    )
    t_kind: Literal["total_variation", "ordered"] = Field(
        "total_variation",
        description="Distance of sensitive values that t limits: total variation, or the ordered earth mover's distance, for numbers.",
    )
    microaggregation: int = Field(
        0,
        ge=0,
        description="Least number of patients whose features are averaged into one vector (MDAV), so that no vector leads to fewer; "
        "0: features are released as measured.",
    )
    comparable: tuple[str, ...] = Field(
        ("modality", "roi_label"),
        min_length=1,
        description="Columns in which two regions agree if their features may be averaged.",
    )
    noise: float = Field(
        0.0,
        ge=0,
        le=10,
        description="Standard deviation of Gaussian noise on features, as a share of each feature's; 0: none.",
    )

    @model_validator(mode="after")
    def _groups_are_of_several(self) -> Protect:
        if self.microaggregation == 1:
            raise ValueError("microaggregation of one patient hides nobody: set 0 for none, or the size of a group")
        return self


class Linkage(Section):
    """Link the release with a register of people: sex, age, date and institution (attack M(d))."""

    registry: str | None = Field(
        None,
        description="CSV or Parquet file with a row per person and visit that an attacker may hold. It is read, never copied; "
        "synthesised from the cohort when absent.",
    )
    columns: dict[str, str] = Field(
        {},
        description="Names of the registry's columns where they differ: sex, age, date, site, patient (PatientID, for the truth), "
        "person (what tells its people apart).",
    )
    age: float = Field(1.0, ge=0, description="Difference in age, in years, that an attacker overlooks.")
    days: int = Field(7, ge=0, description="Difference in dates, in days, that an attacker overlooks.")
    likeness: float = Field(
        0.85, gt=0, le=1, description="Least similarity of two institutions' names that makes them one."
    )
    others: int | None = Field(
        None,
        ge=0,
        description="People beside the patients in a synthesised registry: whoever else could be meant. Fewer for a rare disease. "
        "Nine for each patient, at most 10,000, when absent.",
    )
    draws: int = Field(100, ge=1, le=10000, description="Registries that are tried.")


class Composite(Section):
    """R = p_ri^alpha * u^beta * s^gamma."""

    alpha: float = Field(1.0, gt=0, description="Exponent of the chance that a link is right.")
    beta: float = Field(1.0, gt=0, description="Exponent of uniqueness.")
    gamma: float = Field(1.0, gt=0, description="Exponent of the adversary's capability.")
    scenario: Literal["public", "controlled", "internal"] = Field(
        "public", description="Who the adversary is, for R; the other scenarios are reported too."
    )


class Attack(Section):
    """Try to break what is about to be released."""

    linkage: Linkage = Linkage()
    assumed_correlation: float = Field(
        0.9,
        ge=0,
        le=1,
        description="Test-retest correlation of a feature that was not measured under perturbation (extract.ranges), "
        "for the fingerprint attack.",
    )
    earlier: tuple[str, ...] = Field(
        (), description="Folders of earlier releases that lie elsewhere than in results/release, for differencing."
    )
    composite: Composite = Composite()


class Gate(Section):
    """Compare measurements with the policy."""

    policy: str = Field("controlled", description="public, controlled, internal, or the path of a policy file.")
    governance: str = Field(
        "config/governance",
        description="Folder of the steward's papers: register of risks, terms, ethics, who may have what, signatures.",
    )
    reference: str | None = Field(
        None,
        description="CSV file with the columns axis (sex, age, site, manufacturer), group, share: the population that the release "
        "is to speak for. Groups that are rarer than that are flagged in results/gate/fairness.json; nothing is refused.",
    )


class Release(Section):
    """Write the release."""

    name: str = Field("radiomics", pattern=r"^[a-z0-9][a-z0-9_]*$", description="Name of the release.")
    version: str = Field(
        "auto",
        pattern=r"^(auto|[0-9][0-9A-Za-z.]*)$",
        description="Version; auto: the next whole number whenever the content has changed.",
    )
    images: bool = Field(False, description="Put the cleaned images into the release too.")
    publisher: str | None = Field(
        None, description="Institution that answers for the release, for its card and catalogues."
    )
    contact: str | None = Field(None, description="Whom to write to about it.")
    sources: list[str] = Field(
        [], description="Where the images come from, a line each, for the data card: trial, registry, routine care."
    )
    published: str | None = Field(
        None,
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description="Day of publication, YYYY-MM-DD, for catalogues that ask for one. Never read from the clock, so that the "
        "same content gives the same bytes.",
    )
    study: str = Field(
        "config/governance/study.yaml",
        description="What only people know about the study, by number of the item, for the reporting checklists (clear, "
        "metrics, ibsi). Items without an answer are named as missing.",
    )


class Config(Section):
    """The whole configuration."""

    input: str | None = Field(
        None,
        description="Folder with the DICOM export, an archive (zip, tar), or a server: dicomweb+https://HOST/PATH. Only ever read.",
    )
    key_file: str = Field(
        "~/.config/radcurate/key",
        description="Project key made by `radcurate keys new`; outside the run folder, mode 0600.",
    )
    keep_intermediates: bool = Field(
        False,
        description="Keep the images between deidentify, redact and deface. They take about as much disk as the export once more; "
        "off, they go as soon as the next stage has read them, and are made again where it has to run again.",
    )
    series_timeout: float = Field(
        120.0,
        ge=0,
        description="Minutes that a stage may take for one series before it is given up as a row of its own; 0: no limit.",
    )
    fetch: Fetch = Fetch()
    inventory: Inventory = Inventory()
    consent: Consent = Consent()
    deidentify: Deidentify = Deidentify()
    redact: Redact = Redact()
    deface: Deface = Deface()
    verify: Verify = Verify()
    extract: Extract = Extract()
    harmonise: Harmonise = Harmonise()
    protect: Protect = Protect()
    attack: Attack = Attack()
    gate: Gate = Gate()
    release: Release = Release()


def load_config(source: Path | dict[str, Any]) -> Config:
    """Validate a configuration file or mapping.

    Raises:
        CurationError: not YAML, an unknown key (with the nearest known one), or a value out of range.
    """
    if isinstance(source, Path):
        try:
            loaded = yaml.safe_load(source.read_text())
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            raise CurationError(
                "the configuration is not YAML",
                wanted="YAML",
                found=f"a syntax error in line {mark.line + 1}" if mark else "a syntax error",
                fix="mend that line; config/config.yaml shows the form",
            ) from None
        source = loaded or {}
    try:
        return Config.model_validate(_spelled(source))
    except ValidationError as error:
        raise _explain(error) from None


def _spelled(content: Any) -> Any:
    """The option `on` by its name: YAML 1.1, which PyYAML reads, takes it for the truth value."""
    if not isinstance(content, dict):
        return content
    return {"on" if name is True else name: _spelled(value) for name, value in content.items()}


def _explain(error: ValidationError) -> CurationError:
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = _names(Config, first["loc"][:-1])
        near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
        return CurationError(
            f"unknown configuration key {name}",
            wanted="one of " + ", ".join(known),
            found=str(first["loc"][-1]),
            fix=f"did you mean {near[0]}?" if near else "remove it; config/README.md lists all keys",
        )
    message = first["msg"].removeprefix("Value error, ")
    return CurationError(
        f"configuration value {name} is not valid",
        wanted=message,
        found=repr(first["input"]) if isinstance(first["input"], (str, int, float)) else "another value",
        fix="see config/README.md for what it may be",
    )


def _names(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    for part in path:
        annotation = model.model_fields[str(part)].annotation
        inner = next(
            (a for a in (annotation, *typing.get_args(annotation)) if isinstance(a, type) and issubclass(a, BaseModel)),
            None,
        )
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)

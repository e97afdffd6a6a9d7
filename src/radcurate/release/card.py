"""DATA_CARD.md: what is in a release, who is in it, what was done, what it can't be used for. Every number is counted
from an artefact of the run; none is typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from radcurate.release.card_risk import attack_section, decision_section, risk_section
from radcurate.release.dictionary import FEATURE, NON_IBSI, Column, Treatment
from radcurate.tables.stored import Large, texts

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """What the card is written from."""

    name: str
    version: str
    verdict: Json
    features: Large
    acquisition: Large
    crosscheck: Sequence[Json]  # agreement of two engines; empty: not asked for
    columns: Sequence[Column]
    outcomes: Large  # what became of each series: outcome, kind, modality
    images: int  # image and contour series under images/
    images_left_out: Mapping[str, int]  # reason -> series
    provenance_records: int
    stability: Sequence[Json] = ()  # rows of stability.parquet; none where ranges are off
    sources: Sequence[str] = ()  # where the images come from, as people said
    publisher: str = ""
    contact: str = ""
    published: str = ""
    purpose: str = ""  # that consent was checked for
    terms: bool = False  # whether TERMS.md is in the release
    risk: Json = field(default_factory=dict)  # attack.json
    treatment: Treatment = field(default_factory=Treatment)


def data_card(facts: Facts) -> str:
    """The card in Markdown."""
    parts = [
        _head(facts),
        _who(facts),
        _sources(facts),
        _outcomes(facts),
        _cleaning(facts),
        *([_crosscheck(facts)] if facts.crosscheck else []),
        risk_section(facts.verdict),
        *attack_section(facts.risk),
        *decision_section(facts.verdict),
        *([_stability(facts)] if facts.stability else []),
        _limits(facts),
        _reading(facts),
        _status(facts),
        _reporting(),
        _checking(facts),
    ]
    return "\n\n".join(parts) + "\n"


def _head(facts: Facts) -> str:
    n_features = len(_features(facts))
    return (
        f"# {facts.name} {facts.version}\n\n"
        f"Radiomics features of {_n(patients(facts.features), 'patient')}: "
        f"{_n(facts.features.num_rows, 'region')} (rows), {_n(n_features, 'feature')} (columns). "
        f"Released under the policy `{facts.verdict['policy']}`, for: {facts.verdict['recipients']}."
    )


def _who(facts: Facts) -> str:
    ends = zip(*(texts(facts.outcomes[name]) for name in ("outcome", "kind", "modality")), strict=True)
    kinds = Counter((kind, modality) for outcome, kind, modality in ends if outcome == "released")
    lines = [
        "## Who and what is in it",
        "",
        "| | number |",
        "|---|---|",
        f"| patients | {patients(facts.features)} |",
        f"| regions (rows of features.parquet) | {facts.features.num_rows} |",
        f"| image series described in acquisition.parquet | {facts.acquisition.num_rows} |",
        *(
            f"| series released, {' '.join(filter(None, (kind, modality)))} | {n} |"
            for (kind, modality), n in sorted(kinds.items())
        ),
        *(f"| regions on {value} | {n} |" for value, n in _counts(facts.features, "modality")),
    ]
    return "\n".join(lines)


def _sources(facts: Facts) -> str:
    """Where the data come from, as far as the run knows, and what nobody said."""
    released = facts.features
    sites = (
        {value for value in released["site"].unique().to_pylist() if value not in (None, "*")}
        if "site" in released.column_names
        else set()
    )
    makers = _counts(facts.acquisition, "manufacturer")
    lines = ["## Where the data come from", ""]
    lines += [f"- Source: {source}" for source in facts.sources] or ["- Source: not told (`release.sources`)."]
    lines += [f"- Files read: {facts.verdict['found_files']}, in {facts.verdict['inventoried']} series."]
    lines += [f"- Hospitals: {len(sites)}, as codes."] if sites else ["- Hospitals: not told in this release."]
    lines += [f"- Scanners: {', '.join(f'{name} ({n} series)' for name, n in makers)}."] if makers else []
    lines += [f"- Consent: checked for each patient, for the purpose `{facts.purpose}`."] if facts.purpose else []
    lines += [f"- Published by: {facts.publisher or 'not told (`release.publisher`)'}" + _on(facts.published)]
    lines += [f"- Contact: {facts.contact or 'not told (`release.contact`)'}"]
    return "\n".join(lines)


def _on(day: str) -> str:
    return f", {day}" if day else ""


def _outcomes(facts: Facts) -> str:
    verdict = facts.verdict
    lines = [
        "## Where every series went",
        "",
        f"{_n(verdict['inventoried'], 'series', 'series')} found in {_n(verdict['found_files'], 'file')}. "
        "Each has exactly one outcome, and the sum was checked.",
        "",
        "| outcome | decided at | reason | series |",
        "|---|---|---|---|",
        *(
            f"| {row['outcome']} | {row['stage']} | {row['reason'] or ''} | {row['series']} |"
            for row in verdict["conservation"]
        ),
    ]
    if verdict["set_aside_files"]:
        lines += [
            "",
            "Files that were set aside, as part of no series or of none any more:",
            "",
            "| reason | files |",
            "|---|---|",
        ]
        lines += [f"| {reason} | {n} |" for reason, n in verdict["set_aside_files"].items()]
    return "\n".join(lines)


def _cleaning(facts: Facts) -> str:
    measured = {finding["measure"]: finding["measured"] for finding in facts.verdict["findings"]}
    faces = facts.verdict["faces"]
    hits = int(measured.get("verify.hits") or 0)
    lines = [
        "## How it was cleaned",
        "",
        "- Headers: only attributes on a list are kept; codes and UIDs are keyed; "
        + (
            "dates are cut to years."
            if facts.verdict["legal"]["dates"] == "year"
            else "dates are moved by a secret number of weeks."
        ),
        f"- Faces: of {_n(sum(faces.values()), 'image series', 'image series')} {faces.get('removed', 0)} showed a face; "
        "it was removed, and the removal was measured. Series where that could not be shown are not in the release.",
        f"- Verification: a second, independent program searched every cleaned file for every original identifier: {_n(hits, 'hit')}.",
    ]
    return "\n".join(lines)


def _crosscheck(facts: Facts) -> str:
    """Agreement of two engines by modality, and every feature on which they don't agree."""
    rows = facts.crosscheck
    if not {"feature", "regions", "within"} <= set(rows[0]):
        return "## A second engine\n\n`crosscheck.parquet` tells how two engines agree."
    groups: dict[str, list[Json]] = {}
    for row in rows:
        groups.setdefault(str(row.get("modality") or "all"), []).append(row)
    names = f" (`{rows[0]['second_engine']}`)" if rows[0].get("second_engine") else ""
    lines = [
        "## A second engine",
        "",
        f"A sample of the regions was measured by another engine{names} too. Two values agree where their relative "
        "difference is at most 1e-06, for shape 0.002; `crosscheck.parquet` has every feature.",
        "",
        "| modality | regions, at most | shared features | features that agree in every region |",
        "|---|---|---|---|",
        *(
            f"| {modality} | {max(row['regions'] for row in found)} | {len(found)} | "
            f"{sum(row['within'] == 1 for row in found)} |"
            for modality, found in sorted(groups.items())
        ),
    ]
    apart = sorted({str(row["feature"]) for row in rows if row["within"] < 1})
    if apart:
        lines += ["", f"Not in agreement everywhere: {', '.join(f'`{name}`' for name in apart)}."]
    return "\n".join(lines)


def _limits(facts: Facts) -> str:
    lines = ["## Limitations", ""]
    lost = [row for row in facts.verdict["conservation"] if row["outcome"] != "released"]
    total = facts.verdict["inventoried"]
    for row in lost:
        lines.append(
            f"- {row['series']} of {total} series ({100 * row['series'] / total:.3g} %) are not in it: "
            f"{row['outcome']} at {row['stage']} ({row['reason']})."
        )
    if lost:
        lines.append("- What was left out need not look like what was released: check for bias before you generalise.")
    unmeasured = {reason: n for reason, n in facts.verdict["regions"].items() if reason != "ok"}
    lines += [f"- {_n(n, 'region')} could not be measured ({reason})." for reason, n in unmeasured.items()]
    lines += [f"- {text}" for text in _missing_values(facts)]
    bare = [line.name for line in _features(facts) if line.ibsi == NON_IBSI]
    if bare:
        lines.append(
            f"- {_n(len(bare), 'feature')} have no IBSI code and may not be comparable with other software; dictionary.csv names them."
        )
    deviating = [line.name for line in _features(facts) if line.conformance == "deviating"]
    if deviating:
        lines.append(
            f"- {_n(len(deviating), 'feature')} do not meet every IBSI reference value: the column `conformance` of "
            "dictionary.csv says deviating."
        )
    lines += [f"- {text}" for text in _treated(facts.treatment)]
    lines.append("- k, l and t describe the columns that say something about a person.")
    if facts.treatment.as_measured:
        lines.append(
            "- Feature values are as exact as they were computed: somebody who has the same images can compute them again "
            "and find the patient."
        )
    if facts.images:
        lines.append(
            "- Images are included. An image is as good as a fingerprint to anybody who holds the original; k doesn't describe it."
        )
    lines += [
        f"- Images of {_n(n, 'series', 'series')} are left out: {reason}."
        for reason, n in facts.images_left_out.items()
    ]
    return "\n".join(lines)


def _treated(treatment: Treatment) -> Iterable[str]:
    """What was done to values after they were measured; where nothing was, nothing."""
    if treatment.microaggregated:
        yield (
            f"Feature values are means of at least {treatment.microaggregated} patients who look alike: no value is any patient's "
            "own, and a row can't be computed again from images. `distortion.parquet` tells how far each feature moved."
        )
    if treatment.noise:
        yield f"Noise of {treatment.noise:g} standard deviations was added to feature values."
    if treatment.harmonised != "none":
        yield (
            f"Feature values are harmonised between hospitals ({treatment.harmonised}; `harmonise.json`): they aren't those "
            "that were measured. Don't harmonise them again."
        )


def _stability(facts: Facts) -> str:
    """How many features stand perturbation, and the names of those that don't."""
    rows = facts.stability
    most = max(row["perturbations"] for row in rows)
    lines = [
        "## How stable the features are",
        "",
        f"Each region was measured again up to {_n(most, 'time')} while grid, noise, volume and boundary changed a little "
        "(`extract.ranges` in provenance.json tells how much). ranges.parquet holds the least and the largest value of each "
        "feature, the value as drawn among them; stability.parquet the intraclass correlation ICC(1,1) over the regions of a "
        "modality, with its 95 % interval. Features are graded by the low end of that interval (Koo and Li 2016):",
        "",
        "| modality | regions | " + " | ".join(f"{grade} ({limit})" for grade, limit in GRADES.items()) + " |",
        "|---|---|" + "---|" * len(GRADES),
    ]
    modalities = sorted({row["modality"] for row in rows})
    for modality in modalities:
        own = [row for row in rows if row["modality"] == modality]
        counts = Counter(row["grade"] for row in own)
        regions = max(row["regions"] for row in own)
        lines.append(f"| {modality} | {regions} | " + " | ".join(str(counts[grade]) for grade in GRADES) + " |")
    for modality in modalities:
        named = sorted(row["feature"] for row in rows if row["modality"] == modality and row["grade"] in UNSTABLE)
        if named:
            lines += [
                "",
                f"Not stable on {modality} (moderate or poor): " + ", ".join(f"`{name}`" for name in named) + ".",
            ]
    lines += [
        "",
        "A wide interval may come from few regions: then a feature is not shown to be stable, nor to be unstable.",
    ]
    return "\n".join(lines)


GRADES = {
    "excellent": "0.9 and above",
    "good": "from 0.75",
    "moderate": "from 0.5",
    "poor": "below 0.5",
    "unknown": "no ICC",
}
UNSTABLE = ("moderate", "poor")


def _missing_values(facts: Facts) -> Iterable[str]:
    names = [line.name for line in _features(facts)]
    holes = sum(_holes(facts.features[name]) for name in names)
    if holes:
        cells = len(names) * facts.features.num_rows
        yield f"{holes} of {cells} feature values are missing (NaN): the feature isn't defined for that region."


def _holes(column: pa.ChunkedArray) -> int:
    values = column.to_numpy()
    return int((values != values).sum())


def _reading(facts: Facts) -> str:
    return "\n".join(
        [
            "## How to read it",
            "",
            "```python",
            "import pandas as pd",
            'features = pd.read_parquet("features.parquet")',
            'acquisition = pd.read_parquet("acquisition.parquet")',
            'provenance = pd.read_parquet("provenance.parquet")',
            *(['ranges = pd.read_parquet("ranges.parquet")  # joins features by roi'] if facts.stability else []),
            "```",
            "",
            f"`dictionary.csv` explains every column. `provenance` in a row of features names one of "
            f"{_n(facts.provenance_records, 'record')} in `provenance.parquet`: all parameters the values depend on. "
            "`provenance.json` is about the run as a whole. The units and IBSI codes are in the Parquet files too:",
            "",
            "```python",
            "import pyarrow.parquet as pq",
            'pq.read_schema("features.parquet").field("modality").metadata',
            "```",
            *(
                ["", "`images/` holds the cleaned images, `images.csv` which file belongs to which row."]
                if facts.images
                else []
            ),
        ]
    )


def _status(facts: Facts) -> str:
    legal = facts.verdict["legal"]
    return "\n".join(
        [
            "## What it is in law",
            "",
            f"The data are **{legal['status']}**: names and numbers are replaced by codes that only the holder of a secret "
            f"key can make again. {legal['gdpr']} {legal['hipaa']}",
            "",
            *(["`TERMS.md` holds the terms of use. They bind whoever has this release.", ""] if facts.terms else []),
            "Don't try to find out who somebody is, don't join these data with others for that purpose, and tell the "
            "institution if you believe that somebody can be recognised.",
        ]
    )


def _checking(facts: Facts) -> str:
    again = (
        "Whoever has the images can compute every number again: `radcurate reextract FOLDER --images DIR`."
        if facts.treatment.as_measured
        else "Feature values were changed after they were measured, so they can't be computed again from the images alone."
    )
    return "\n".join(
        [
            "## Is it complete and unchanged?",
            "",
            "    sha256sum -c SHA256SUMS",
            "",
            "or `radcurate verify-release FOLDER --key PUB`, which finds surplus files as well and checks the signature "
            "(`attestation.json`) against the public key that the makers gave you. " + again,
        ]
    )


def _reporting() -> str:
    return "\n".join(
        [
            "## Reporting",
            "",
            "`checklists/` holds the CLEAR, METRICS and IBSI reporting items, filled where the artefacts answer them; "
            "`checklists/README.md` names those that are missing. `CHANGES.md` tells what differs from the release before, "
            "`report.html` shows everything with plots, `dictionary.csv` defines every column.",
        ]
    )


def patients(features: Large) -> int:
    """Number of different patients in a table."""
    return len(features["subject"].unique()) if "subject" in features.column_names else 0


def _features(facts: Facts) -> list[Column]:
    return [line for line in facts.columns if line.table == "features" and line.role == FEATURE]


def _counts(content: Large, name: str) -> list[tuple[str, int]]:
    if name not in content.column_names:
        return []
    return sorted(Counter(map(str, texts(content[name]))).items())


def _n(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"

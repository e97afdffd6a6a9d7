"""DATA_CARD.md: what is in a release, who is in it, what was done, what it can't be used for. Every number is counted
from an artefact of the run; none is typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from radcurate.release.dictionary import FEATURE, NON_IBSI, Column

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """What the card is written from."""

    name: str
    version: str
    verdict: Json
    features: pa.Table
    acquisition: pa.Table
    crosscheck: Sequence[Json]  # agreement of two engines; empty: not asked for
    columns: Sequence[Column]
    outcomes: Sequence[Json]
    images: int  # image and contour series under images/
    images_left_out: Mapping[str, int]  # reason -> series
    provenance_records: int
    stability: Sequence[Json] = ()  # rows of stability.parquet; none where ranges are off


def data_card(facts: Facts) -> str:
    """The card in Markdown."""
    parts = [
        _head(facts),
        _who(facts),
        _outcomes(facts),
        _cleaning(facts),
        *([_crosscheck(facts)] if facts.crosscheck else []),
        _risk(facts),
        *([_stability(facts)] if facts.stability else []),
        _limits(facts),
        _reading(facts),
        _status(facts),
        _checking(),
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
    released = [row for row in facts.outcomes if row["outcome"] == "released"]
    kinds = Counter((row["kind"], row["modality"]) for row in released)
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


def _risk(facts: Facts) -> str:
    protection = facts.verdict["protection"]
    before, after = protection["before"], protection["after"]
    rows = [
        ("patients that look alike, at least (k)", "k"),
        ("different sensitive values in a crowd, at least (l)", "l"),
        ("distance of a crowd's sensitive values from everybody's, at most (t)", "t"),
        ("share of patients that look like nobody else", "unique_share"),
        ("chance of naming a patient known to be in the data, at most", "prosecutor_max"),
    ]
    lines = [
        "## Risk of recognising a patient",
        "",
        "| measure | before protection | as released |",
        "|---|---|---|",
        *(f"| {text} | {_risk_number(before, key)} | {_risk_number(after, key)} |" for text, key in rows),
        "",
        f"Patients left out to protect them: {number(protection['suppressed_subjects'])} "
        f"({number(protection['suppressed_share'])} of all). Information lost by making values coarser: "
        f"{number(protection['ncp'])} on a scale from 0 to 1.",
        "",
        "Criteria of the policy, all of which hold:",
        "",
        "| criterion | measured | allowed | source |",
        "|---|---|---|---|",
        *(_criterion(finding) for finding in facts.verdict["findings"]),
    ]
    return "\n".join(lines)


def _risk_number(risk: Json, key: str) -> str:
    if key in ("l", "t") and not risk.get("sensitive"):
        return "no sensitive column"
    return number(risk.get(key))


def _criterion(finding: Json) -> str:
    measured = number(finding["measured"]) if finding["applies"] else "does not apply"
    return f"| {finding['name']} | {measured} | {finding['allowed']} | {finding['source']} |"


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
    lines.append(
        "- k, l and t describe the columns that say something about a person. Feature values are as exact as they were "
        "computed: somebody who has the same images can compute them again and find the patient."
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
            "Don't try to find out who somebody is, don't join these data with others for that purpose, and tell the "
            "institution if you believe that somebody can be recognised.",
        ]
    )


def _checking() -> str:
    return "\n".join(
        [
            "## Is it complete and unchanged?",
            "",
            "    sha256sum -c SHA256SUMS",
            "",
            "or `radcurate verify-release FOLDER`, which finds surplus files as well. Whoever has the images can compute "
            "every number again: `radcurate reextract FOLDER --images DIR`.",
        ]
    )


def patients(features: pa.Table) -> int:
    """Number of different patients in a table."""
    return len(features["subject"].unique()) if "subject" in features.column_names else 0


def _features(facts: Facts) -> list[Column]:
    return [line for line in facts.columns if line.table == "features" and line.role == FEATURE]


def _counts(content: pa.Table, name: str) -> list[tuple[str, int]]:
    if name not in content.column_names:
        return []
    return sorted(Counter(str(value) for value in content[name].to_pylist()).items())


def number(value: Any) -> str:
    """A number as text: whole ones as they are, others to four significant digits."""
    if value is None:
        return "not measured"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g}"
    return str(int(value))


def _n(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"

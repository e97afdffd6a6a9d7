"""The page about IBSI-2, made of the committed tables."""

from __future__ import annotations

from typing import Any

from radcurate.features.filters import conformance
from radcurate.features.filters.conformance import FILTERS, MAPS, SOURCES, WITHIN

_INTRODUCTION = """\
# IBSI-2: convolutional filters

Generated from `src/radcurate/features/filters/ibsi2_*.csv` by `make docs`. A test with IBSI's phantoms measures everything again and
fails when a value has changed or is not within its tolerance.

The filters are those of an extraction profile, under `filters` (every option: [config/README.md](../../config/README.md)):

    filters:
      - kind: log
        sigma: 1.5
      - kind: wavelet
        family: coif1

They are applied after interpolation and rounding. Re-segmentation looks at the image itself, features at the response, which
is discretised with `response_bin_number` bins. A filter reads as much of the image around a region as its kernel reaches, so that
the response is bit for bit that of the whole image; Simoncelli's wavelet, the Riesz transform and the boundary `periodic` read the
whole image. Gabor's kernel ends at `cutoff` sigma and its planes are convolved by Fourier transforms, so there the whole image's
response differs by rounding.

What is not here: filters aligned with the structure tensor (tests 9.b.2, 10.a, 10.b.2), for which IBSI-2 has no reference maps.
Simoncelli's band spreads the frequencies of n voxels evenly from -1 to 1, as the reference maps have it."""


def reference_page() -> str:
    """Markdown."""
    return "\n".join([_INTRODUCTION, "", *_maps(), "", *_features(), "", *_columns()]) + "\n"


def _maps() -> list[str]:
    found = conformance.responses()
    right = sum(one.right for one in found)
    rows = [
        f"| {one.test} | {MAPS[one.test][0]} | {_told(MAPS[one.test][1])} | {one.deviation:.1e} | {_yes(one.right)} |"
        for one in found
    ]
    return [
        f"## Response maps: {right} of {len(found)}",
        "",
        f"On the digital phantoms. Deviation: of the furthest voxel, as a share of the reference's range; right up to {WITHIN:g}.",
        "",
        "| test | phantom | filter | deviation | right |",
        "|---|---|---|---|---|",
        *rows,
    ]


def _features() -> list[str]:
    found = conformance.values()
    right = sum(one.right for one in found)
    rows = []
    for test, choice in FILTERS.items():
        mine = [one for one in found if one.test == test]
        wrong = [one.tag for one in mine if not one.right]
        met = len(mine) - len(wrong)
        rows.append(f"| {test} | {_told(choice)} | {met} of {len(mine)} | {', '.join(wrong) or '-'} |")
    return [
        f"## Feature values: {right} of {len(found)}",
        "",
        "Intensity-based statistics on the CT phantom, A within the planes as they are, B on cubes of 1 mm; right where the value from "
        f"{' and from '.join(_SOURCES[source] for source in SOURCES)} is within tolerance, rounded to three digits. "
        "IBSI's table has 324 lines; one, the quartile coefficient of dispersion of 8.B, has no value.",
        "",
        "| test | filter | right | not right |",
        "|---|---|---|---|",
        *rows,
    ]


_SOURCES = {"nifti": "NIfTI", "dicom": "DICOM with RTSTRUCT"}


def _columns() -> list[str]:
    kinds: dict[str, list[str]] = {}
    for kind, tag in sorted(conformance.compared()):
        kinds.setdefault(kind, []).append(f"`{tag}`")
    return [
        "## Columns that are called compliant",
        "",
        "Every other column of a filtered image is `not_compared`: nobody published values for it.",
        "",
        *[f"- {kind}: {', '.join(tags)}" for kind, tags in kinds.items()],
    ]


def _told(choice: dict[str, Any] | None) -> str:
    """`kind: log, sigma: 3, boundary: zero`."""
    if choice is None:
        return "none"
    return ", ".join(f"{key}: {_value(value)}" for key, value in choice.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + _told(value) + "}"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value).replace("'", "")


def _yes(right: bool) -> str:
    return "yes" if right else "no"

"""The tables of what the filters give for the references of IBSI-2 (`src/radcurate/features/filters/ibsi2_*.csv`).

`RADCURATE_TEST_DATA=… PYTHONPATH=tests/features python tests/features/filters/ibsi2_table.py` measures everything and writes them again.
"""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import nibabel
import numpy as np
from ibsi_phantoms import Volume, ct_from_dicom, ct_from_nifti
from pydantic import TypeAdapter

from radcurate.features import engine
from radcurate.features.catalogue import columns_for
from radcurate.features.filters import conformance, respond
from radcurate.features.filters.choices import Filter
from radcurate.features.measure import measure
from radcurate.features.profile import Profile

SPACING = (2.0, 2.0, 2.0)


def map_files(real_data: Path) -> dict[str, Path]:
    """Reference response maps by test, if they lie beside the real data."""
    found = sorted((real_data.parent / "ibsi" / "ibsi2_response_maps").glob("*-ValidCRM.nii.gz"))
    return {path.name.removesuffix("-ValidCRM.nii.gz").replace("_", "."): path for path in found}


def reference_values(real_data: Path) -> list[dict[str, str]]:
    """Rows of the reference table that have a value: one of its 324 has none."""
    path = real_data.parent / "ibsi" / "ibsi2_reference_features.csv"
    if not path.is_file():
        return []
    with path.open(newline="") as stream:
        return [row for row in csv.DictReader(stream, delimiter=";") if row["consensus_value"]]


def volume(path: Path) -> np.ndarray:
    """Values of a NIfTI file, shape (plane, row, column)."""
    return np.ascontiguousarray(np.asanyarray(nibabel.load(path).dataobj, dtype=np.float64).transpose(2, 1, 0))


@cache
def phantom(real_data: Path, name: str) -> np.ndarray:
    """One of the digital phantoms."""
    return volume(real_data / "ibsi" / "ibsi_2_digital_phantom" / "nifti" / name / "image" / f"{name}.nii.gz")


def deviation(found: np.ndarray, reference: np.ndarray) -> float:
    """The largest of all voxels, as a share of the reference's range."""
    return float(np.abs(found - reference).max() / (reference.max() - reference.min()))


def deviation_of(real_data: Path, test: str, **planted: object) -> float:
    """How far the response of a test, perhaps with other choices, is from its reference map."""
    name, choice = conformance.MAPS[test]
    chosen = TypeAdapter(Filter).validate_python(choice | planted)
    ((_, found),) = respond(chosen, phantom(real_data, name), SPACING)
    return deviation(found, volume(map_files(real_data)[test]))


READERS: dict[str, Callable[[Path], Volume]] = {"nifti": ct_from_nifti, "dicom": ct_from_dicom}


def values_of(source: Volume, test: str, **planted: object) -> dict[str, float]:
    """Statistics of a test, perhaps with other choices, by tag."""
    choice = conformance.FILTERS[test]
    filters = [] if choice is None else [choice | planted]
    profile = Profile.model_validate({**conformance.PROFILES[test[-1]], "filters": filters})
    image = profile.filters[0].labels[0] if profile.filters else ""
    columns = [column for column in columns_for(profile) if column.image == image and column.group == "stat"]
    values = measure(*source, profile, None, engine.find("radcurate"), columns).outcome.values
    return {column.tag: values[column.name] for column in columns}


def map_table(real_data: Path) -> str:
    """Text of the table of maps."""
    rows = [[test, f"{deviation_of(real_data, test):.2g}"] for test in conformance.MAPS]
    return _text(["test", "deviation"], rows)


def feature_table(real_data: Path) -> str:
    """Text of the table of features, values to nine digits."""
    found = {
        source: {test: values_of(read(real_data), test) for test in conformance.FILTERS}
        for source, read in READERS.items()
    }
    rows = []
    for row in reference_values(real_data):
        test, tag = row["filter_id"], row["feature_tag"]
        told = [f"{found[source][test][tag]:.9g}" for source in conformance.SOURCES]
        rows.append([test, tag, row["consensus_value"], row["tolerance"], *told])
    return _text(["test", "tag", "value", "tolerance", *conformance.SOURCES], rows)


def _text(head: list[str], rows: list[list[str]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([head, *rows])
    return stream.getvalue()


def main() -> int:
    """Write the tables."""
    real_data = Path(os.environ["RADCURATE_TEST_DATA"]).resolve()
    if not map_files(real_data) or not reference_values(real_data):
        print("IBSI-2's references are not beside the folder with real data", file=sys.stderr)
        return 1
    folder = Path(conformance.__file__).parent
    (folder / conformance.MAP_TABLE).write_text(map_table(real_data))
    (folder / conformance.FEATURE_TABLE).write_text(feature_table(real_data))
    return 0


if __name__ == "__main__":
    sys.exit(main())

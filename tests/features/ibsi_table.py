"""The table of what the engines give for the reference values of IBSI-1 (`src/radcurate/features/ibsi1.csv`).

`RADCURATE_TEST_DATA=… python tests/features/ibsi_table.py` measures everything and writes it again.
"""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

from ibsi_phantoms import Volume, configuration, ct_from_dicom, ct_from_nifti, digital_from_nifti

from radcurate.features import conformance, core, pyradiomics
from radcurate.features.catalogue import Column, columns_for
from radcurate.features.engine import Compute
from radcurate.features.prepare import prepare
from radcurate.features.reasons import NOT_IN_ENGINE

COMPUTE: dict[str, Compute] = {"radcurate": core.compute, "pyradiomics": pyradiomics.compute}
READERS: dict[str, Callable[[Path], Volume]] = {"nifti": ct_from_nifti, "dicom": ct_from_dicom}
Measured = dict[str, dict[str, dict[str, float]]]  # run -> dataset -> column -> value


def reference_values(real_data: Path) -> list[dict[str, str]] | None:
    """Rows of IBSI's reference data set, if it lies beside the real data."""
    path = real_data.parent / "ibsi" / "ibsi1_reference.csv"
    if not path.is_file():
        return None
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def measure(real_data: Path, compute: Compute, source: str) -> dict[str, dict[str, float]]:
    """Value by configuration and column; without what the engine doesn't compute."""
    found = {}
    for name in conformance.CONFIGURATIONS:
        if name == "digital_phantom" and source != "nifti":
            continue
        volume = digital_from_nifti(real_data) if name == "digital_phantom" else READERS[source](real_data)
        found[name] = values_of(compute, volume, name, columns_for(configuration(name)))
    return found


def values_of(compute: Compute, volume: Volume, name: str, columns: tuple[Column, ...]) -> dict[str, float]:
    """Values of one configuration by column."""
    outcome = compute(prepare(*volume, configuration(name)), columns)
    return {column: value for column, value in outcome.values.items() if outcome.reasons.get(column) != NOT_IN_ENGINE}


def measure_all(real_data: Path) -> Measured:
    """Both engines from both sources."""
    return {
        f"{engine}_{source}": measure(real_data, compute, source)
        for engine, compute in COMPUTE.items()
        for source in READERS
    }


def table(reference: list[dict[str, str]], measured: Measured) -> str:
    """The text of the table, values to nine digits."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["dataset", "tag", "value", "tolerance", *conformance.RUNS])
    for row in reference:
        found = [measured.get(run, {}).get(row["dataset"], {}).get(row["tag"]) for run in conformance.RUNS]
        told = ["" if value is None else f"{value:.9g}" for value in found]
        writer.writerow([row["dataset"], row["tag"], row["value"], row["tolerance"], *told])
    return stream.getvalue()


def main() -> int:
    """Write the table."""
    real_data = Path(os.environ["RADCURATE_TEST_DATA"]).resolve()
    reference = reference_values(real_data)
    if reference is None:
        print("ibsi/ibsi1_reference.csv is not beside the folder with real data", file=sys.stderr)
        return 1
    place = Path(conformance.__file__).with_name(conformance.TABLE)
    place.write_text(table(reference, measure_all(real_data)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The canaries themselves: readable files, each plant where it is said to be, enough of them and quickly made."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings
from collections import Counter

import pydicom
import pytest

from planted_search import left
from radcurate.canary import CATEGORIES, HIPAA, Specimen, specimens
from radcurate.canary.corpus import built, packed


@pytest.mark.parametrize("specimen", specimens(), ids=lambda specimen: specimen.name)
def test_a_specimen_is_readable_and_holds_its_plants(specimen: Specimen) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(io.BytesIO(specimen.data))
        content = specimen.data
        if ds.file_meta.TransferSyntaxUID.is_deflated:
            ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
            stream = io.BytesIO()
            ds.save_as(stream)
            content = stream.getvalue()
    missing = [f"{plant.kind}: {plant.where}" for plant in specimen.plants if not left(plant, content.lower())]
    assert not missing
    assert {plant.category for plant in specimen.plants} <= set(CATEGORIES)
    assert len({kept.where for kept in specimen.keep}) == len(specimen.keep)


def test_names_are_unique_and_values_hidden() -> None:
    names = [specimen.name for specimen in specimens()]
    assert len(set(names)) == len(names)
    plants = [plant for specimen in specimens() for plant in specimen.plants]
    assert not [plant for plant in plants if plant.value in repr(plant)]


def test_there_are_enough() -> None:
    plants = [plant for specimen in specimens() for plant in specimen.plants]
    kinds, letters = Counter(plant.kind for plant in plants), Counter(plant.hipaa for plant in plants)
    print(
        f"\n{len(specimens())} specimens, {len(plants)} plants in {len(kinds)} kinds of place, HIPAA {dict(sorted(letters.items()))}"
    )
    assert len(plants) >= 150 and len(kinds) >= 60
    assert set(letters) == set(HIPAA)
    assert sum(len(specimen.data) for specimen in specimens()) < 1_500_000


def test_the_packed_file_is_what_is_built() -> None:
    assert built() == specimens()
    assert packed() == packed()


def test_they_are_read_quickly() -> None:
    """In every job, so without the modules that build them, and without pydicom."""
    code = (
        "import sys, time; from radcurate.canary import specimens; start = time.process_time(); found = specimens();"
        "print(time.process_time() - start, len(found), 'pydicom' in sys.modules)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(2)
    ]
    assert min(float(run[0]) for run in runs) < 0.05
    assert {tuple(run[1:]) for run in runs} == {(str(len(specimens())), "False")}

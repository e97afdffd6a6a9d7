"""A steward's boxes: which images they fit, and tables that can't be meant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from paths import ROOT
from radcurate.errors import CurationError
from radcurate.redact.fill import fill
from radcurate.redact.found import Box, Place
from radcurate.redact.pictures import open_series
from radcurate.redact.regions import COLUMNS, region_hits, regions_of
from radcurate.redact.write import write
from redact.redact_files import write_image

HEAD = ",".join(COLUMNS) + "\n"
LOGO = "US,Acme,EchoMax 3,80,120,4,70,24,116,logo of the hospital\n"


def us(path: Path, values: np.ndarray, model: str = "ECHOMAX 3", modality: str = "US") -> Path:
    return write_image(path, values, Modality=modality, Manufacturer="ACME ", ManufacturerModelName=model)


def logo(seed: int) -> np.ndarray:
    """Frames with noise, and a logo that no reader reads."""
    values = np.random.default_rng(seed).integers(20, 60, (2, 80, 120, 3)).astype(np.uint8)
    rows, columns = np.mgrid[:80, :120]
    values[
        :,
        ((rows - 14) ** 2 + (columns - 92) ** 2 < 64) | ((rows > 8) & (rows < 20) & (columns > 104) & (columns < 112)),
    ] = 240
    return values


def test_a_logo_in_the_corner_is_removed(tmp_path: Path) -> None:
    paths = [us(tmp_path / "b", logo(0)), us(tmp_path / "a", logo(1)), us(tmp_path / "c", logo(2), modality="CT")]
    hits = region_hits(regions_of("# why\n" + HEAD + LOGO), paths)
    assert [hit.place for hit in hits] == [Place(0, 0), Place(0, 1), Place(1, 0), Place(1, 1)]
    assert {(hit.box, hit.kind, hit.sure, hit.text) for hit in hits} == {(Box(4, 70, 24, 116), "region", True, "")}
    pictures = open_series(paths)
    (tmp_path / "out").mkdir()
    patches = {hit.place.frame: fill(pictures.read(hit.place), [hit.box]) for hit in hits if hit.place.file == 0}
    write(sorted(paths)[0], tmp_path / "out" / "a", patches)
    for before, after in zip(logo(1), open_series([tmp_path / "out" / "a"]), strict=True):
        inside = np.zeros((80, 120), dtype=bool)
        inside[4:24, 70:116] = True
        assert after.values[inside].max() < 100 < before[inside].max()
        assert np.array_equal(after.values[~inside], before[~inside])


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        ("US,,,,,0,0,9,9,x", True),
        ("us,ACME,echomax 3,80,120,0,0,9,9,x", True),
        ("US,Other,,,,0,0,9,9,x", False),
        ("US,,EchoMax,,,0,0,9,9,x", False),
        ("US,,,81,,0,0,9,9,x", False),
        ("CT,,,,,0,0,9,9,x", False),
        ("US,,,,,90,0,99,9,x", False),
    ],
)
def test_what_a_line_fits(tmp_path: Path, line: str, fits: bool) -> None:
    hits = region_hits(regions_of(HEAD + line), [us(tmp_path / "a", logo(0))])
    assert bool(hits) is fits


def test_a_box_is_cut_to_the_image(tmp_path: Path) -> None:
    hits = region_hits(regions_of(HEAD + "US,,,,,70,100,900,900,x"), [us(tmp_path / "a", logo(0))])
    assert hits[0].box == Box(70, 100, 80, 120)


@pytest.mark.parametrize(
    "text",
    [
        "modality,box\nUS,1\n",
        HEAD + "US,,,,,0,0,9,9\n",
        HEAD + ",,,,,0,0,9,9,x\n",
        HEAD + "US,,,,,0,0,9,9,\n",
        HEAD + "US,,,,,0,0,9,x,x\n",
        HEAD + "US,,,,,0,-1,9,9,x\n",
        HEAD + "US,,,,,9,0,9,9,x\n",
        HEAD + "US,,,,,,,,,x\n",
    ],
)
def test_a_table_that_cant_be_meant_is_refused_without_its_words(text: str) -> None:
    with pytest.raises(CurationError) as told:
        regions_of(text)
    assert "line" in str(told.value)


def test_the_table_that_comes_with_the_project_is_empty() -> None:
    assert regions_of((ROOT / "config/redact_regions.csv").read_text()) == ()
    assert regions_of("") == ()

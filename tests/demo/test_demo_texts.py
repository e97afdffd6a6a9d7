"""What the truth says of text in pixels is there to be read, and nothing is drawn elsewhere."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from pydicom import dcmread

from radcurate.demo.lettering import burn, capitals


def lines_of(cohort):
    found = defaultdict(list)
    for line in cohort.truth["texts"]:
        found[line["file"]].append(line)
    return found


def test_every_line_stands_out_in_its_box(cohort):
    for file, lines in lines_of(cohort).items():
        values = dcmread(cohort.export / file).pixel_array.astype(float)
        values = values.reshape(*values.shape[:2], -1).max(axis=2)
        for line in lines:
            top, left, bottom, right = line["box"]
            assert 0 <= top < bottom <= values.shape[0] and 0 <= left < right <= values.shape[1]
            inside = values[top:bottom, left:right]
            assert np.ptp(inside) > 0.5 * np.ptp(values), file


def test_which_series_hold_text(cohort):
    names = {s["series_uid"]: s for s in cohort.truth["series"]}
    files = Counter(names[lines[0]["series_uid"]]["modality"] for lines in lines_of(cohort).values())
    assert files["MR"] == 80 and files["CT"] == 36 + 1 + 1 + 1 and files["US"] == 1 and files["CR"] == 1
    assert {s["modality"]: s["outcome"] for s in cohort.series(kind="picture")} == {
        "CT": "quarantined:mostly_text",
        "CR": "excluded:picture",
        "US": "excluded:picture",
    }


def test_the_truth_can_be_read(cohort):
    rapidocr = pytest.importorskip("rapidocr")
    reader = rapidocr.RapidOCR(params={"Global.use_cls": False, "Global.log_level": "error"})
    (page,) = (s["files"][0] for s in cohort.series(kind="picture") if s["outcome"] == "quarantined:mostly_text")
    read = "".join(reader(np.repeat(dcmread(cohort.export / page).pixel_array[..., None], 3, 2)).txts).replace(" ", "")
    for line in lines_of(cohort)[page][:5]:
        assert line["text"].replace(" ", "")[-8:] in read


def test_the_region_of_the_ultrasound_holds_the_image(cohort):
    (series,) = cohort.series(kind="picture", modality="US")
    dataset = dcmread(cohort.export / series["files"][0])
    (region,) = dataset.SequenceOfUltrasoundRegions
    outside = dataset.pixel_array.max(axis=2) > 40
    rows = slice(region.RegionLocationMinY0, region.RegionLocationMaxY1 + 1)
    outside[rows, region.RegionLocationMinX0 : region.RegionLocationMaxX1 + 1] = False
    drawn = np.zeros_like(outside)
    for line in lines_of(cohort)[series["files"][0]]:
        top, left, bottom, right = line["box"]
        drawn[top:bottom, left:right] = True
    assert outside.any() and not (outside & ~drawn).any()


def test_letters_of_consoles():
    assert capitals("Grünwald-Öhrmann") == "GRUENWALD-OEHRMANN"
    assert capitals("Châtelguyon Sœurlac Straße") == "CHATELGUYON SOEURLAC STRASSE"
    plane = np.zeros((30, 90))
    top, left, bottom, right = burn(plane, "ABC", 5, 7, 100, 0.5)
    assert 60 < plane[top:bottom, left:right].max() <= 100
    plane[top:bottom, left:right] = 0
    assert not plane.any()

import dataclasses

import pytest

from radcurate.features import catalogue, conformance, page


@pytest.fixture
def one_wrong(monkeypatch):
    """The table with one value of the digital phantom beyond its tolerance."""
    changed = tuple(
        dataclasses.replace(result, measured={**result.measured, "radcurate_nifti": result.reference + 1})
        if (result.name, result.dataset) == ("ih_entropy", "digital_phantom")
        else result
        for result in conformance.results()
    )
    caches = (conformance._verdicts, catalogue._columns)
    for cached in caches:
        cached.cache_clear()
    monkeypatch.setattr(conformance, "results", lambda: changed)
    monkeypatch.setattr(page, "results", lambda: changed)
    yield
    for cached in caches:
        cached.cache_clear()


def line(text, start):
    return next(row for row in text.splitlines() if row.startswith(start))


def test_every_feature_with_its_formula_and_every_configuration():
    text = page.reference_page()
    for column in catalogue.catalogue():
        assert column.code in line(text, f"| `{column.tag}` |")
    assert "1,804 of 1,804 | 1,322 of 1,322 | 1,434 of 1,434" in line(text, "| together |")
    assert "482 of 482 | – |" in line(text, "| digital_phantom |")
    assert "Σ p_i²." in line(text, "| `ih_uniformity` |") and "compliant | Uniformity |" in line(
        text, "| `ih_uniformity` |"
    )
    width = {row.count("|") - row.count("\\|") for row in text.splitlines() if row.startswith("| `")}
    assert width == {8}


def test_a_wrong_value_is_told(one_wrong):
    text = page.reference_page()
    assert "1,803 of 1,804" in line(text, "| together |") and "481 of 482" in line(text, "| digital_phantom |")
    assert "137 of 138" in line(text, "| Intensity histogram |")
    assert "deviating" in line(text, "| `ih_entropy` |") and "deviating" not in line(text, "| `ih_mean` |")

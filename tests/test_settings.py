"""The configuration: defaults, errors that help, generated pages."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from paths import ROOT
from radcurate import reference
from radcurate.errors import CurationError
from radcurate.settings import Config, load_config


def test_the_projects_own_configurations_are_valid() -> None:
    for name in ("config.yaml", "demo.yaml"):
        load_config(ROOT / "config" / name)


def test_unknown_key_suggests_the_nearest() -> None:
    with pytest.raises(CurationError) as caught:
        load_config({"protect": {"kk": 3}})
    assert "protect.kk" in caught.value.problem
    assert "did you mean k?" in caught.value.fix


def test_unknown_section_suggests_the_nearest() -> None:
    with pytest.raises(CurationError) as caught:
        load_config({"extrct": {}})
    assert "did you mean extract?" in caught.value.fix


@pytest.mark.parametrize(
    "wrong",
    [
        {"protect": {"k": 0}},
        {"protect": {"k": "many"}},
        {"deidentify": {"dates": "month"}},
        {"release": {"name": "../elsewhere"}},
        {"inventory": {"n_chunks": 0}},
    ],
)
def test_values_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(CurationError):
        load_config(wrong)


def test_safe_harbor_with_shifted_dates_is_refused_with_the_rule() -> None:
    with pytest.raises(CurationError) as caught:
        load_config({"deidentify": {"path": "safe_harbor", "dates": "shift"}})
    assert "164.514" in str(caught.value) and "dates: year" in str(caught.value)
    load_config({"deidentify": {"path": "safe_harbor", "dates": "year"}})


def test_broken_yaml_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("input: a\nprotect: {k: [\n")
    with pytest.raises(CurationError, match="not YAML"):
        load_config(path)


def test_folder_named_by_a_number_is_text() -> None:
    assert load_config({"input": 2024}).input == "2024"


def test_generated_files_are_up_to_date() -> None:
    assert reference.main(check=True) == 0


def test_every_option_says_what_it_means() -> None:
    page = reference.options_page()
    for name, field in Config.model_fields.items():
        assert f"`{name}`" in page or f"## {name}" in page
        assert field.description or field.annotation.__doc__  # type: ignore[union-attr]


def test_config_yaml_holds_no_unknown_sections() -> None:
    known = set(Config.model_fields)
    assert set(yaml.safe_load((ROOT / "config" / "config.yaml").read_text())) <= known


def test_harmonise_is_switched_on_as_the_documentation_writes_it(tmp_path: Path) -> None:
    """YAML 1.1 reads the key `on` as true."""
    path = tmp_path / "config.yaml"
    path.write_text("harmonise:\n  on: true\n")
    assert load_config(path).harmonise.on
    assert load_config(yaml.safe_load(path.read_text())).harmonise.on

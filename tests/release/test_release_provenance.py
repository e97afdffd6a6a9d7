"""What a release says about its making names no place of the machine it was made on."""

from __future__ import annotations

from radcurate.release.provenance import config_digest, content_settings
from radcurate.settings import load_config


def test_no_place_is_told_and_none_changes_the_digest() -> None:
    here = {"deidentify": {"crosswalk": "/st-marys/vault", "recipients": "/st-marys/broker.pub"}, "input": "/st-marys"}
    here |= {"key_file": "/st-marys/key", "consent": {"table": "/st-marys/consent.csv"}}
    told = content_settings(load_config(here).model_dump(mode="json"))
    assert "st-marys" not in str(told)
    assert config_digest(load_config(here).model_dump(mode="json")) == config_digest(
        load_config({}).model_dump(mode="json")
    )


def test_a_setting_that_numbers_depend_on_changes_the_digest() -> None:
    plain, other = ({}, {"protect": {"k": 6}})
    assert config_digest(load_config(plain).model_dump(mode="json")) != config_digest(
        load_config(other).model_dump(mode="json")
    )

"""What a release says about its making names no place of the machine it was made on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from radcurate.release.provenance import config_digest, content_settings
from radcurate.settings import Config, load_config


def texts(section: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Options that hold free text."""
    for name, option in section.model_fields.items():
        if isinstance(option.annotation, type) and issubclass(option.annotation, BaseModel):
            yield from texts(option.annotation, (*above, name))
        elif option.annotation in (str, str | None, tuple[str, ...], list[str]) and not any(
            hasattr(one, "pattern") for one in option.metadata
        ):
            yield (*above, name)


WORDS = {
    *(("consent", "purpose"), ("extract", "engine"), ("extract", "crosscheck", "engine")),
    *(("release", name) for name in ("publisher", "contact", "sources")),
    *(
        ("redact", "lenient"),
        ("verify", "harmless"),
        ("extract", "ranges", "features"),
        ("extract", "ranges", "without"),
    ),
    *(("harmonise", "features"), ("harmonise", "without"), ("protect", "comparable")),
}


@pytest.mark.parametrize("option", sorted(set(texts(Config)) - WORDS), ids=".".join)
def test_no_option_that_may_be_a_path_is_told(option: tuple[str, ...]) -> None:
    """A new option that names a file has to be left out, or stand in WORDS above."""
    content: dict[str, object] = {}
    place = content
    for name in option[:-1]:
        place = place.setdefault(name, {})
    place[option[-1]] = "/st-marys/file"
    assert "st-marys" not in str(content_settings(content))


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


def test_what_a_run_keeps_is_no_part_of_its_release() -> None:
    kept, gone = (load_config({"keep_intermediates": keep}).model_dump(mode="json") for keep in (True, False))
    assert kept != gone and content_settings(kept) == content_settings(gone)

"""`radcurate review`: what the run set aside or blanked, for the steward who answers for it."""

from __future__ import annotations

import argparse

from radcurate.cli import review_decide, review_pictures, review_values


def add(parser: argparse.ArgumentParser) -> None:
    """Its own verbs."""
    verbs = parser.add_subparsers(required=True, metavar="WHAT")
    for name, module, text in (
        ("values", review_values, "what the value tables blanked, how often, and where to add it"),
        (
            "pictures",
            review_pictures,
            "pages of the series that redact or deface set aside, with what was found in them",
        ),
        ("decide", review_decide, "write down what a named person decides about such a series"),
    ):
        module.add(verbs.add_parser(name, help=text, description=text))

"""How a verb joins the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeAlias

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def verb(verbs: Verbs, name: str, function: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
    """A parser for `name`, which calls `function` with what was chosen."""
    parser = verbs.add_parser(name, help=text, description=text)
    parser.set_defaults(verb=function)
    return parser

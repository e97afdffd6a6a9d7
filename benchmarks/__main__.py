"""Run every benchmark and print its figures: name | value | goal | holds or falls short."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks
from benchmarks.figure import Figure


def main() -> int:
    figures: list[Figure] = []
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if module.name not in {
            "__main__",
            "bases",
            "detectors",
            "engines",
            "figure",
            "heads",
            "inventory_scale",  # a part of scale, as those below
            "measure",
            "scale_disk",
            "scale_plan",
            "scale_protect",
            "scale_release",
            "scale_run",
            "scale_tables",
            "tables",
            "texted",
            "texts",
            "ways",
            "words",
        }:
            figures += importlib.import_module(f"benchmarks.{module.name}").figures()
    print("\n".join(str(figure) for figure in figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())

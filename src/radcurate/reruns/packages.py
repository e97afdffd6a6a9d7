"""The packages of other people that a stage computes with: another version of one may give other numbers."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

# import name → distribution, where they differ
DISTRIBUTIONS = {
    "PIL": "pillow",
    "SimpleITK": "simpleitk",
    "cv2": "opencv-python-headless",
    "pywt": "pywavelets",
    "radiomics": "pyradiomics-bhklab",
    "rle": "pylibjpeg-rle",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
# what others compute with and no import of ours names
BEHIND = {
    "pydicom": ("pylibjpeg", "pylibjpeg-openjpeg", "pylibjpeg-libjpeg", "pylibjpeg-rle"),
    "rapidocr": ("onnxruntime", "opencv-python-headless", "pyclipper", "shapely"),
}
# they read the configuration, whose content is compared by itself, or say how many threads there are
NO_CONTENT = {"pydantic", "pyyaml", "threadpoolctl", "snakemake"}
READ_BY_NAME = {"find_spec", "files", "distribution", "import_module"}
ABSENT = "absent"


def named_packages(tree: ast.AST) -> set[str]:
    """Top-level names of packages that code asks for by a text: `find_spec("x")`, `files("x")`, `distribution("x")`."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)
    named = ((call.func, call.args[0]) for call in calls)
    texts = (arg.value for func, arg in named if _called(func) in READ_BY_NAME and isinstance(arg, ast.Constant))
    return {text.split(".")[0] for text in texts if isinstance(text, str) and text.split(".")[0].isidentifier()}


def distributions(names: Iterable[str]) -> set[str]:
    """The distributions that top-level names come from, without the standard library, this package and what has no say."""
    foreign = {name for name in names if name and name not in sys.stdlib_module_names and name != "radcurate"}
    found = {DISTRIBUTIONS.get(name, name) for name in foreign}
    found |= {other for name in found for other in BEHIND.get(name, ())}
    return found - NO_CONTENT


def versions(names: Iterable[str]) -> dict[str, str]:
    """Installed version of each distribution that the top-level names come from, and Python's own."""
    return {name: _installed(name) for name in sorted(distributions(names))} | {"python": _python()}


def _python() -> str:
    """Without the last part: a security release computes the same."""
    return f"{sys.implementation.name} {sys.version_info[0]}.{sys.version_info[1]}"


@functools.cache
def _installed(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ABSENT


def _called(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""

"""What an engine is: a function from a prepared region and the wanted columns to values and reasons; and who knows one.

`radcurate` and `pyradiomics` are built in and imported when they are asked for. A third one comes with `register`,
called by an extension (docs/howto/own-feature.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from radcurate.errors import CurationError
from radcurate.features.catalogue import Column
from radcurate.features.prepare import Prepared


@dataclass(frozen=True)
class Outcome:
    """Of one region.

    Attributes:
        values: column name -> value; NaN where there is none.
        reasons: column name -> short code, for every NaN and nothing else.
    """

    values: dict[str, float]
    reasons: dict[str, str]


Compute = Callable[[Prepared, Iterable[Column]], Outcome]


@dataclass(frozen=True)
class Engine:
    """A way to compute features.

    Attributes:
        name: as `extract.engine` and provenance call it.
        compute: gives every column that it is asked for a value or a reason; never raises for a strange region.
        distribution: the installed package whose version is recorded.
    """

    name: str
    compute: Compute
    distribution: str


def _radcurate() -> Engine:
    from radcurate.features.core import compute
    from radcurate.features.mesh import kinds

    kinds((1.0, 1.0, 1.0))  # 0.03 s for a table of triangles, made before a pool forks
    return Engine("radcurate", compute, "radcurate")


def _pyradiomics() -> Engine:
    from radcurate.features.pyradiomics import compute

    return Engine("pyradiomics", compute, "pyradiomics-bhklab")


BUILT_IN = {"radcurate": _radcurate, "pyradiomics": _pyradiomics}
_registered: dict[str, Engine] = {}


def register(engine: Engine) -> Engine:
    """Make an engine known by its name. The same one may be registered again.

    Raises:
        CurationError: another engine has that name.
    """
    if engine.name in BUILT_IN or _registered.get(engine.name, engine) != engine:
        raise CurationError(
            f"two engines are called {engine.name}",
            wanted="a name that no engine has",
            found=", ".join(names()),
            fix="give the engine of the extension another name",
        )
    _registered[engine.name] = engine
    return engine


def find(name: str) -> Engine:
    """The engine of that name.

    Raises:
        CurationError: nobody registered it.
    """
    if name in _registered:
        return _registered[name]
    if name not in BUILT_IN:
        raise CurationError(
            f"no engine is called {name}",
            wanted="one of " + ", ".join(names()),
            found=name,
            fix="correct extract.engine, or name the file that registers it in extract.extensions",
        )
    return BUILT_IN[name]()


def names() -> list[str]:
    """Engines that can be asked for."""
    return [*BUILT_IN, *sorted(_registered)]

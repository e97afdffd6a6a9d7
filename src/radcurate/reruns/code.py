"""What a stage's code is: every module of the package that it reaches by imports, and the packages that these import.

Comments and layout don't count, so that tidying doesn't run a cohort again; docstrings do, since those of features are
released. Parsing the whole package takes seconds, which every plan and every cluster job would pay, so what was found
is kept by the digest of a file's bytes.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from radcurate.reruns.packages import named_packages, versions

NAME = "radcurate"
DATA = {".csv", ".gz", ".h", ".txt"}
DIGITS = 16


@dataclass(frozen=True)
class Module:
    """What there is to know of a module's file."""

    file: str  # SHA-256 of its bytes
    tree: str  # SHA-256 of its syntax tree
    imports: tuple[str, ...]  # absolute names within this package that it may import
    packages: tuple[str, ...]  # top-level names of others that it imports, or reads by name


@dataclass
class Code:
    """The package below `root`; `known` is what an earlier look found, by module, used where the bytes are the same."""

    root: Path
    known: Mapping[str, Module] = field(default_factory=dict)
    found: dict[str, Module] = field(default_factory=dict)
    _files: dict[str, Path | None] = field(default_factory=dict)
    _parts: dict[str, dict[str, str]] = field(default_factory=dict)

    def digest(self, module: str) -> str:
        """SHA-256 over `parts`, 16 digits."""
        content = json.dumps(self.parts(module), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:DIGITS]

    def parts(self, module: str) -> dict[str, str]:
        """Everything that `module` is made of: file below the package → digest, package → installed version."""
        if module not in self._parts:
            reached = sorted(self.reachable(module))
            parts = {label: digest for name in reached for label, digest in self._content(name)}
            parts |= versions({package for name in reached for package in self.module(name).packages})
            self._parts[module] = parts
        return self._parts[module]

    def reachable(self, module: str) -> set[str]:
        """Names of the package's modules that importing `module` executes, itself included."""
        found: set[str] = set()
        waiting = [module]
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            waiting += self.imports_of(name)
            parts = name.split(".")
            waiting += [".".join(parts[:i]) for i in range(1, len(parts))]
        return found

    def imports_of(self, module: str) -> tuple[str, ...]:
        """The package's modules that `module` names in import statements, anywhere in it."""
        return tuple(name for name in self.module(module).imports if self._file(name))

    def module(self, name: str) -> Module:
        """What there is to know of a module; parsed only where its bytes are new.

        Raises:
            ValueError: there is no such module.
        """
        if name not in self.found:
            path = self._file(name)
            if path is None:
                raise ValueError(f"no module {name}")
            raw = path.read_bytes()
            known = self.known.get(name)
            same = known is not None and known.file == _sha256(raw)
            self.found[name] = known if known and same else _parse(name, raw, path.name == "__init__.py")
        return self.found[name]

    def _content(self, name: str) -> Iterator[tuple[str, str]]:
        """Labels and digests of one module: its syntax tree, and what lies beside it that is no Python."""
        path = self._file(name)
        if path is not None:
            yield self._label(path), self.module(name).tree[:DIGITS]
            for other in _beside(path):
                yield self._label(other), _sha256(other.read_bytes())[:DIGITS]

    def _label(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _file(self, name: str) -> Path | None:
        if name not in self._files:
            path = self.root.joinpath(*name.split(".")[1:])
            candidates = (path.with_suffix(".py"), path / "__init__.py")
            self._files[name] = next((candidate for candidate in candidates if candidate.is_file()), None)
        return self._files[name]


def as_json(modules: Mapping[str, Module]) -> dict[str, Any]:
    """`modules` as a document."""
    return {name: asdict(module) for name, module in sorted(modules.items())}


def from_json(content: Any) -> dict[str, Module]:
    """The modules of a document made by `as_json`; none where it is something else."""
    try:
        return {
            str(name): Module(str(one["file"]), str(one["tree"]), tuple(one["imports"]), tuple(one["packages"]))
            for name, one in content.items()
        }
    except (AttributeError, KeyError, TypeError):
        return {}


def _beside(path: Path) -> list[Path]:
    """What a module is made of that is no Python: the C file of its name; to a package, the tables and headers in its folder."""
    if path.name == "__init__.py":
        return sorted(other for other in path.parent.iterdir() if other.suffix in DATA)
    return [path.with_suffix(".c")] if path.with_suffix(".c").is_file() else []


def _parse(name: str, raw: bytes, is_package: bool) -> Module:
    tree = ast.parse(raw)
    imported = [one for node in ast.walk(tree) for one in _names(node, name, is_package)]
    own = dict.fromkeys(one for one in imported if one.split(".")[0] == NAME)
    packages = named_packages(tree) | {one.split(".")[0] for one in imported if one.split(".")[0] != NAME}
    return Module(_sha256(raw), _sha256(ast.dump(tree).encode()), tuple(own), tuple(sorted(packages)))


def _names(node: ast.AST, module: str, is_package: bool) -> list[str]:
    """What an import statement may import; of `from a import b`, a and a.b."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = _absolute(module, node, is_package)
        return [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return []


def _absolute(module: str, node: ast.ImportFrom, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    parent = parts[: len(parts) - node.level + is_package]
    return ".".join([*parent, *([node.module] if node.module else [])])


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()

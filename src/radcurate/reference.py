"""Write what is generated from settings and tables: `config/README.md`, the schema, the page about de-identification.

`python -m radcurate.reference` writes them, `--check` fails when they are out of date.
"""

from __future__ import annotations

import json
import sys
import typing
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from radcurate.canary.corpus import PACKED, built, packed, unpack
from radcurate.deidentify.page import reference_page
from radcurate.features.filters.choices import KINDS
from radcurate.features.filters.page import reference_page as ibsi2_page
from radcurate.features.page import reference_page as ibsi1_page
from radcurate.features.profile import Profile
from radcurate.features.reasons import reference_page as missing_page
from radcurate.settings import Config

PROJECT = Path(__file__).resolve().parents[2]


def generated() -> dict[Path, str]:
    """Contents of the generated files, by path below the project."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}
    return {
        Path("workflow/schemas/config.schema.json"): json.dumps(schema, indent=1, sort_keys=True) + "\n",
        Path("config/README.md"): options_page(),
        Path("docs/reference/deidentification.md"): reference_page(
            PROJECT / "config/allowlist", PROJECT / "config/vocabulary.yaml"
        ),
        Path("docs/reference/ibsi1.md"): ibsi1_page(),
        Path("docs/reference/ibsi2.md"): ibsi2_page(),
        Path("docs/reference/missing-values.md"): missing_page(),
    }


def options_page() -> str:
    """Markdown: every option with type, default and meaning, one table a section."""
    sections = {name: field for name, field in Config.model_fields.items() if _section(field)}
    plain = {name: field for name, field in Config.model_fields.items() if not _section(field)}
    lines = [
        "# Options",
        "",
        "Generated from `src/radcurate/settings` by `make docs`; edit there. `config.yaml` holds what a user would change.",
        "",
        *_table(plain, ""),
    ]
    for name, field in sections.items():
        model = _section(field)
        assert model is not None
        meaning = (model.__doc__ or "").strip().splitlines()[0]
        lines += ["", f"## {name}", "", meaning, "", *_table(model.model_fields, f"{name}.")]
    meaning = "`config/extraction/{ct,mr,pt}.yaml`; `extract.ct`, `extract.mr` and `extract.pt` change single keys."
    lines += ["", "## Extraction profiles", "", meaning, "", *_table(Profile.model_fields, "")]
    meaning = "Each item of `filters` in an extraction profile has a `kind` and that kind's options."
    lines += ["", "## Filters", "", meaning]
    for kind, model in KINDS.items():
        options = {name: field for name, field in model.model_fields.items() if name != "kind"}
        lines += ["", f"### {kind}", "", (model.__doc__ or "").strip().splitlines()[0], "", *_table(options, "")]
    return "\n".join(lines) + "\n"


def _table(fields: dict[str, FieldInfo], prefix: str) -> list[str]:
    return ["| option | type | default | meaning |", "|---|---|---|---|", *_rows(fields, prefix)]


def _rows(fields: dict[str, FieldInfo], prefix: str) -> list[str]:
    """A row per option; those of a section within a section follow one by one."""
    rows = []
    for name, field in fields.items():
        inner = _section(field)
        if inner is None:
            rows.append(f"| `{prefix}{name}` | {_kind(field)} | {_default(field)} | {field.description or ''} |")
        else:
            rows += _rows(inner.model_fields, f"{prefix}{name}.")
    return rows


def _section(field: FieldInfo) -> type[BaseModel] | None:
    annotation: Any = field.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _kind(field: FieldInfo) -> str:
    return _type_name(field.annotation)


def _type_name(annotation: Any) -> str:
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        return _type_name(arguments[0])
    if arguments and all(isinstance(a, type) and issubclass(a, BaseModel) for a in arguments):
        return "filter"
    if typing.get_origin(annotation) is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if type(None) in arguments:
        return _type_name(next(a for a in arguments if a is not type(None)))
    if typing.get_origin(annotation) is tuple:
        return "list of " + _type_name(arguments[0])
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", dict: "mapping", list: "list"}
    return names.get(typing.get_origin(annotation) or annotation, getattr(annotation, "__name__", str(annotation)))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return "none" if value is None else f"`{json.dumps(value, default=str)}`"


def main(check: bool) -> int:
    """Write the files, or with `check` compare them; 1 when one is out of date."""
    stale = []
    for name, text in generated().items():
        path = PROJECT / name
        if check and (not path.exists() or path.read_text() != text):
            stale.append(str(name))
        elif not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if check and (not PACKED.exists() or unpack(PACKED.read_bytes()) != built()):
        stale.append(PACKED.name)
    elif not check:
        PACKED.write_bytes(packed())
    if stale:
        print("out of date, run `make docs`: " + ", ".join(stale), file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))

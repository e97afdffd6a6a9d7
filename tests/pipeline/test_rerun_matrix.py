"""Every edit, and exactly the rules that it may run again. All on dry runs of one finished run, each edit undone after its row."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from matrix_tools import MAKES, STAGES, Lab, Planner, disturbed, nested, options, other_value
from pipeline_tools import Project
from radcurate import tables
from radcurate.keys import create_key

pytestmark = pytest.mark.xdist_group("pipeline")

# a checkpoint is planned with what certainly follows it: which chunks will, its tables tell once it ran
AFTER_CHECKPOINT = {"protect", "attack", "gate", "release"}
NOTHING: set[str] = set()
RELEASE = {"release"}  # it tells the whole configuration
GATE = {"gate", "release"}


def from_stage(lab: Lab, stage: str) -> set[str]:
    """The stage, all later ones, and what makes its input again where that was removed."""
    if stage in ("inventory", "consent"):
        return {stage, "consent"} | AFTER_CHECKPOINT
    if stage == "harmonise":
        return RELEASE  # off
    kept = any(lab.project.results.glob("deidentify/*/dicom"))
    return {*STAGES[STAGES.index(stage) :]} | (NOTHING if kept else MAKES.get(stage, NOTHING))


@pytest.fixture(scope="module")
def bench(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A copy of the finished run on its own copy of the data; planned, never run but for what that copy needs."""
    folder = tmp_path_factory.mktemp("matrix")
    project = finished.copy(folder / "project").with_own_data(folder / "data")
    project.snakemake("--until", "consent")
    planner = Planner()
    yield Lab(project, planner)
    planner.close()


@pytest.fixture
def lab(bench: Lab) -> Iterator[Lab]:
    with disturbed(bench):
        yield bench


# ---------------------------------------------------------------- what a newcomer would try; in the default suite


def test_nothing_changed(lab: Lab) -> None:
    assert lab.planned() == {}


def test_touched_files_of_the_export_run_nothing(lab: Lab) -> None:
    files = [
        path for path in sorted((lab.project.data / "export").rglob("*")) if path.is_file() and not path.is_symlink()
    ]
    for number, path in enumerate(files):
        lab.touch(path, 1_000_000_000 + number)
    assert lab.planned() == {}


def test_a_changed_file_of_the_same_size_runs_the_inventory(lab: Lab) -> None:
    path = permitted_file(lab)
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    lab.write(path, bytes(content))
    assert set(lab.planned()) == from_stage(lab, "inventory")


def test_a_withdrawal_in_a_table_with_an_old_time_runs_consent(lab: Lab) -> None:
    """Snakemake by itself compares times first, and would release somebody who withdrew."""
    table = lab.project.data / "consent.csv"
    lab.write(table, table.read_text().replace(",,", ",2020-01-01,", 1), old=True)
    assert set(lab.planned()) == from_stage(lab, "consent")


def test_a_policy_with_an_old_time_runs_the_gate(lab: Lab) -> None:
    path = lab.project.folder / "config/policies/internal.yaml"
    lab.write(path, path.read_text() + "\n", old=True)
    assert set(lab.planned()) == GATE


def test_another_version_of_a_package_runs_the_stages_that_compute_with_it(lab: Lab) -> None:
    shadow(lab, "scikit-learn", "9.9")
    assert set(lab.planned()) == from_stage(lab, "attack")  # harmonise, which has it too, is off


def test_comments_and_layout_run_nothing(lab: Lab) -> None:
    for path in sorted((lab.project.folder / "src/radcurate").rglob("*.py")):
        lab.write(path, "# a thought\n\n" + path.read_text() + "\n# and another\n")
    assert lab.planned() == {}


def test_touched_tables_and_modules_run_nothing(lab: Lab) -> None:
    for path in [*lab.project.folder.glob("config/**/*.*"), *lab.project.folder.glob("src/radcurate/features/*.py")]:
        lab.touch(path)
    lab.touch(lab.project.data / "consent.csv")
    assert lab.planned() == {}


def test_explain_says_in_words_what_snakemake_found(lab: Lab) -> None:
    """All of it asked of Snakemake itself: an option, a module, a file with an old time, a package."""
    assert explained(lab) == ["nothing would run"]
    lab.configure(protect={"k": 2})
    lab.write(
        "src/radcurate/features/normalise.py",
        (lab.project.folder / "src/radcurate/features/normalise.py").read_text() + "X = 1\n",
    )
    path = lab.project.folder / "config/policies/internal.yaml"
    lab.write(path, path.read_text() + "\n", old=True)
    shadow(lab, "scikit-learn", "9.9")
    told = explained(lab)
    assert told[0].startswith("extract would run for all ")
    assert told[0].endswith(" chunks because 1 module changed: features/normalise.py")
    assert told[1].startswith("protect would run because protect.k is 2, it was 1")
    assert told[2].startswith("attack would run because") and "scikit-learn is 9.9, it was " in told[2]
    assert told[3] == "gate would run because a file changed: policies/internal.yaml"


def explained(lab: Lab) -> list[str]:
    command = [sys.executable, "-m", "radcurate.cli", "explain", "--configfile", "run.yaml"]
    done = subprocess.run(
        command, cwd=lab.project.folder, env=lab.project.environment(), capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


# ---------------------------------------------------------------- every option


ELSEWHERE = ("input", "key_file", "keep_intermediates")  # rows of their own
BY_ENVIRONMENT = ("series_timeout",)  # how a run goes, not what comes out
NEED_MORE: dict[str, Callable[[Lab], Any]] = {}  # full name → what to lay over the configuration


def needs(name: str) -> Callable[[Callable[[Lab], Any]], Callable[[Lab], Any]]:
    def enter(make: Callable[[Lab], Any]) -> Callable[[Lab], Any]:
        NEED_MORE[name] = make
        return make

    return enter


def a_copy(name: str, lab: Lab) -> str:
    """The same table at another place: its content is the same, but who reads it is told another path."""
    source = lab.project.data / "consent.csv" if name == "consent.csv" else lab.project.folder / name
    target = lab.project.folder.parent / f"copies/{Path(name).name}"
    if source.is_dir():
        for path in sorted(source.rglob("*.*")):
            lab.write(target / path.relative_to(source), path.read_bytes())
    else:
        lab.write(target, source.read_bytes())
    return str(target)


needs("consent.table")(lambda lab: {"consent": {"table": a_copy("consent.csv", lab)}})
needs("consent.waiver")(lambda lab: {"consent": {"waiver": None}})
needs("deidentify.path")(lambda lab: {"deidentify": {"path": "safe_harbor", "dates": "year"}})
needs("deidentify.allowlist")(lambda lab: {"deidentify": {"allowlist": a_copy("config/allowlist", lab)}})
needs("deidentify.vocabulary")(lambda lab: {"deidentify": {"vocabulary": a_copy("config/vocabulary.yaml", lab)}})
needs("deface.least_brain_dice")(lambda lab: {"deface": {"least_brain_dice": 0.9}})
needs("extract.engine")(lambda lab: {"extract": {"engine": "pyradiomics"}})
needs("protect.microaggregation")(lambda lab: {"protect": {"microaggregation": 3}})
needs("attack.earlier")(lambda lab: {"attack": {"earlier": ["elsewhere"]}})
needs("gate.policy")(lambda lab: {"gate": {"policy": "public"}})
needs("gate.governance")(lambda lab: {"gate": {"governance": a_copy("config/governance", lab)}})
needs("release.name")(lambda lab: {"release": {"name": "other"}})
needs("release.version")(lambda lab: {"release": {"version": "7"}})


def written(lab: Lab, name: str, text: str) -> str:
    path = lab.project.folder.parent / "written" / name
    lab.write(path, text)
    path.chmod(0o600)
    return str(path)


@needs("deidentify.crosswalk")
def _crosswalk(lab: Lab) -> Any:
    from pyrage import x25519

    recipients = written(lab, "recipients", str(x25519.Identity.generate().to_public()) + "\n")
    folder = lab.project.folder.parent / "crosswalk"
    folder.mkdir(exist_ok=True, mode=0o700)
    return {"deidentify": {"crosswalk": str(folder), "recipients": recipients}}


needs("deidentify.recipients")(_crosswalk)


@needs("extract.extensions")
def _extension(lab: Lab) -> Any:
    return {"extract": {"extensions": [written(lab, "own.py", "MINE = 1\n")]}}


@needs("attack.linkage.registry")
def _registry(lab: Lab) -> Any:
    return {"attack": {"linkage": {"registry": written(lab, "registry.csv", "sex,age,date,site\nF,40,2020-01-01,X\n")}}}


@needs("gate.reference")
def _reference(lab: Lab) -> Any:
    return {"gate": {"reference": written(lab, "reference.csv", "axis,group,share\nsex,F,0.5\nsex,M,0.5\n")}}


@needs("harmonise.parameters")
def _parameters(lab: Lab) -> Any:
    return {"harmonise": {"parameters": written(lab, "parameters.parquet", "not read while harmonise is off")}}


def expected_of(lab: Lab, option: str) -> set[str]:
    section = option.split(".")[0]
    if option in BY_ENVIRONMENT or option.endswith(".decisions") or option == "harmonise.parameters":
        return NOTHING  # a path, or how a run goes
    if section == "fetch":
        return NOTHING  # there is nothing to fetch
    if option == "harmonise.on":
        return {"harmonise"} | from_stage(lab, "protect")
    if option == "release.images":
        return GATE
    return from_stage(lab, section)


@pytest.mark.slow
@pytest.mark.parametrize("option", sorted({*options()} - {*ELSEWHERE}))
def test_every_option_runs_its_stage_and_later(lab: Lab, option: str) -> None:
    content = NEED_MORE[option](lab) if option in NEED_MORE else nested(option, other_value(option))
    lay_over(lab, content)
    assert set(lab.planned()) == expected_of(lab, option)


def lay_over(lab: Lab, content: dict[str, Any]) -> None:
    path = lab.project.folder / "run.yaml"
    lab.write(path, yaml.safe_dump(over(yaml.safe_load(path.read_text()), content)))


def over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = over(merged[name], value) if both else value
    return merged


# ---------------------------------------------------------------- every file that stewards keep


def add_row(lab: Lab, name: str) -> None:
    path = lab.project.folder / name
    lab.write(path, path.read_text() + path.read_text().splitlines()[-1].replace("keep", "remove") + "\n")


FILES: dict[str, tuple[Callable[[Lab], None], str | None]] = {
    **{
        f"config/policies/{name}.yaml": (
            partial(Lab.edit, path=f"config/policies/{name}.yaml", find=":", replace=": "),
            stage,
        )
        for name, stage in (("internal", "gate"), ("controlled", None), ("public", None))  # the run is under internal
    },
    **{
        f"config/extraction/{name}.yaml": (
            partial(Lab.edit, path=f"config/extraction/{name}.yaml", find=":", replace=": "),
            "extract",
        )
        for name in ("ct", "mr", "pt")
    },
    "config/allowlist/common.csv": (partial(add_row, name="config/allowlist/common.csv"), "deidentify"),
    "config/vocabulary.yaml": (partial(Lab.edit, path="config/vocabulary.yaml", find=":", replace=": "), "deidentify"),
    "config/columns.yaml": (partial(Lab.edit, path="config/columns.yaml", find=":", replace=": "), "protect"),
    "config/safe_harbor.yaml": (partial(Lab.edit, path="config/safe_harbor.yaml", find=":", replace=": "), "gate"),
    "config/safe_private.csv": (partial(add_row, name="config/safe_private.csv"), "verify"),
    "config/governance/access.yaml": (partial(add_row, name="config/governance/access.yaml"), "gate"),
    "a new paper": (partial(Lab.write, path="config/governance/overrides.yaml", content="signatures: []\n"), "gate"),
    "the study": (partial(Lab.write, path="config/governance/study.yaml", content="answers: {}\n"), "release"),
    "regions": (partial(Lab.write, path="config/redact_regions.csv", content="manufacturer\n"), "redact"),
    "uv.lock": (partial(add_row, name="uv.lock"), "release"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_every_file_of_the_steward_runs_the_stage_that_reads_it(lab: Lab, name: str) -> None:
    edit, stage = FILES[name]
    edit(lab)
    assert set(lab.planned()) == (from_stage(lab, stage) if stage else NOTHING)


def test_every_value_of_a_policy_counts(lab: Lab) -> None:
    """Without a dry run each: the gate has the file's content as a parameter, so each value alone must change that."""
    from radcurate.workflow import Run

    key, config = load(lab)
    run = Run(config, lab.project.folder, key)
    path = lab.project.folder / "config/policies/internal.yaml"
    before, text = run.contents(str(path)), path.read_text()
    lines = [
        number for number, line in enumerate(text.splitlines()) if line.strip() and not line.strip().startswith("#")
    ]
    assert len(lines) > 10
    for number in lines:
        changed = text.splitlines(keepends=True)
        changed[number] = changed[number].rstrip("\n") + "0\n"
        lab.write(path, "".join(changed), old=True)
        assert run.contents(str(path)) != before, changed[number]


def load(lab: Lab) -> tuple[Any, Any]:
    from radcurate.keys import load_key
    from radcurate.settings import load_config

    return load_key(lab.project.key_file), load_config(lab.project.folder / "run.yaml")


# ---------------------------------------------------------------- code, rules, packages

STAGE_MODULES = [f"stages/{stage}.py" for stage in STAGES]
SHARED = {  # a module that several stages reach → the first of them
    "errors.py": "inventory",
    "tables/files.py": "inventory",
    "settings/cleaning.py": "inventory",
    "stages/_command.py": "inventory",
    "dicom/elements.py": "inventory",
    "volumes/image.py": "deface",
    "features/families/statistics.py": "extract",
    "privacy/measures.py": "protect",
    "attack/linkage.py": "attack",
    "governance/judge.py": "gate",
    "release/dictionary.py": "protect",  # which asks it for the reasons of missing ranges
    "release/card.py": "release",
}


@pytest.mark.slow
@pytest.mark.parametrize("module", [*STAGE_MODULES, *SHARED])
def test_an_edited_module_runs_the_stages_that_reach_it_and_later(lab: Lab, module: str) -> None:
    path = f"src/radcurate/{module}"
    lab.write(path, (lab.project.folder / path).read_text() + "\nEDITED = 1\n")
    assert set(lab.planned()) == from_stage(lab, SHARED.get(module, Path(module).stem))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "stage"),
    [
        ("pyarrow", "inventory"),
        ("pydicom", "inventory"),
        ("pylibjpeg-openjpeg", "inventory"),  # which pydicom decodes with
        ("blake3", "inventory"),
        ("onnxruntime", "redact"),
        ("deepbet", "deface"),  # weights in its wheel
        ("pyradiomics-bhklab", "extract"),
        ("scikit-learn", "attack"),
        ("snakemake", None),
        ("pydantic", None),
        ("pytest", None),
    ],
)
def test_another_installed_version_runs_what_computes_with_it(lab: Lab, package: str, stage: str | None) -> None:
    shadow(lab, package, "9999")
    assert set(lab.planned()) == (from_stage(lab, stage) if stage else NOTHING)


def shadow(lab: Lab, package: str, version: str) -> None:
    """Another version as Python's metadata tell it: a folder that comes first on the path."""
    folder = f"src/{package.replace('-', '_')}-{version}.dist-info"
    lab.write(f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")


@pytest.mark.slow
def test_another_command_of_a_rule_runs_it_and_later(lab: Lab) -> None:
    lab.edit("workflow/rules/protect.smk", " --log {log}", "  --log {log}")
    assert set(lab.planned()) == from_stage(lab, "protect")


# ---------------------------------------------------------------- data, decisions, key


@pytest.mark.slow
def test_another_key_runs_everything(lab: Lab, tmp_path: Path) -> None:
    create_key(tmp_path / "other")
    lab.configure(key_file=str(tmp_path / "other"))
    assert set(lab.planned()) == from_stage(lab, "inventory")


@pytest.mark.slow
def test_an_added_and_a_removed_file_run_the_inventory(lab: Lab) -> None:
    lab.write(lab.project.data / "export" / "more.dcm", b"no DICOM")
    assert set(lab.planned()) == from_stage(lab, "inventory")
    lab.restore()
    lab.remove(permitted_file(lab))
    assert set(lab.planned()) == from_stage(lab, "inventory")


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["redact", "deface"])
def test_a_decision_runs_its_chunk_and_no_other(lab: Lab, stage: str) -> None:
    chunk = sorted((lab.project.results / stage).iterdir())[0].name
    line = f"{chunk},S-1,{stage},release,0123456789abcdef,A Person,2026-01-01,looked"
    lab.write("config/decisions.csv", f"chunk,series,stage,decision,evidence,by,date,reason\n{line}\n")
    planned = lab.planned()
    assert set(planned) == from_stage(lab, stage)
    assert {rule: count for rule, count in planned.items() if count != 1} == {}


def permitted_file(lab: Lab) -> Path:
    """A DICOM file that later stages read."""
    chunk = sorted((lab.project.results / "consent" / "chunks").glob("[0-9]*"))[0]
    row = tables.read_rows(chunk / "instances.parquet")[0]
    return lab.project.data / "export" / str(row["path"])


# ---------------------------------------------------------------- the rows can fail

UNSEEN: dict[str, Callable[[Lab], object]] = {
    "an option": lambda lab: lab.configure(protect={"k": 7}),
    "a policy": lambda lab: lab.edit("config/policies/internal.yaml", ":", ": ", old=True),
    "a module": lambda lab: lab.edit("src/radcurate/stages/extract.py", "\nimport", "\nEDITED = 1\nimport", old=True),
    "a package": lambda lab: shadow(lab, "pyarrow", "9999"),
    "a command": lambda lab: lab.edit("workflow/rules/protect.smk", " --log {log}", "  --log {log}", old=True),
}


@pytest.mark.slow
@pytest.mark.parametrize("edit", UNSEEN)
def test_by_times_alone_an_edit_would_run_nothing(lab: Lab, edit: str) -> None:
    """What rules have as parameters is what notices it: without comparing them, the rows above would find nothing."""
    UNSEEN[edit](lab)
    assert lab.planned("--rerun-triggers", "mtime") == {}

"""What the Snakefile needs from the package: the checked configuration, code digests, paths of tables.

Snakemake sees neither modules that a stage imports nor configuration that it reads itself, so each rule carries its
own section and a digest of its stage's code as parameters: what changed is run again, and only that.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radcurate.errors import CurationError, place_of
from radcurate.features import extensions
from radcurate.features.conformance import ENGINES
from radcurate.features.profile import MODALITIES, load_profiles
from radcurate.governance.decisions import read_decisions, rows_by_chunk
from radcurate.governance.fairness import read_reference
from radcurate.identity import crosswalk
from radcurate.keys import KEY_FILE_VARIABLE, Key, load_key
from radcurate.operation import submission
from radcurate.operation.clock import mend_times
from radcurate.operation.memory import memory as memory  # as `plan.memory` in the rules
from radcurate.release.provenance import content_settings
from radcurate.reruns.code import Code
from radcurate.reruns.contents import contents_codes
from radcurate.reruns.notes import read_notes, write_notes
from radcurate.reruns.touched import Digests, read_note, remember_state, source_state
from radcurate.settings import Config, Fetch, load_config
from radcurate.sources import reading
from radcurate.sources.origin import Origin
from radcurate.stages._again import times
from radcurate.stages._intermediates import forget_intermediates

PACKAGE = Path(__file__).parent
INPUT_VARIABLE = "RADCURATE_INPUT"
TIMEOUT_VARIABLE = "RADCURATE_SERIES_TIMEOUT"  # as in stages/_pool.py, which would bring what stages import
DECISIONS_VARIABLES = {stage: f"RADCURATE_{stage.upper()}_DECISIONS" for stage in ("redact", "deface")}
PASSED = (
    KEY_FILE_VARIABLE,
    INPUT_VARIABLE,
    TIMEOUT_VARIABLE,
    reading.FETCH_VARIABLE,
    reading.SERVER_VARIABLE,
    *DECISIONS_VARIABLES.values(),
)
RESULTS = Path("results")
PAPER_NAMES = (
    "access.yaml",
    "approvals.yaml",
    "data_use_terms.yaml",
    "dpia.yaml",
    "ethics.yaml",
    "expert_determination.yaml",
    "overrides.yaml",
)


@dataclass(frozen=True)
class Run:
    """A checked configuration and where its tables lie."""

    config: Config
    basedir: Path
    key: Key | None
    again = staticmethod(times)  # how often `radcurate retry` asked for a stage and chunk
    origin: Origin | None = None
    worker: bool = False  # a job of a cluster that reads the Snakefile again

    def section(self, stage: str) -> str:
        """The stage's section as JSON, keys sorted: a rule's `settings`. Where decisions lie runs nothing; see `decided`."""
        content = getattr(self.config, stage).model_dump(mode="json", exclude={"decisions"})
        return json.dumps(content, sort_keys=True)

    def content(self) -> str:
        """The whole configuration without paths: what a release tells about its making."""
        return json.dumps(content_settings(self.config.model_dump(mode="json")), sort_keys=True)

    def code(self, stage: str) -> str:
        """Digest of all package code that the stage imports, and of others' installed versions: a rule's `code`."""
        return package_code().digest(f"radcurate.stages.{stage}")

    def codes(self) -> str:
        """The digests of all stages, which a release tells."""
        return json.dumps({stage: self.code(stage) for stage in stages()})

    def key_id(self, _wildcards: object = None) -> str:
        """Name of the key; another key runs everything again."""
        return self.key.key_id if self.key else ""

    def source_state(self, _wildcards: object = None) -> str:
        """Digest of the export's file names, sizes and times: any change runs the inventory again, a mere touch doesn't.

        What fetch wrote is an input of the inventory and compared as such.
        """
        if self.origin and self.origin.fetched:
            return "fetched"
        if self.worker and (noted := read_note(RESULTS).state):
            return noted  # each of thousands of jobs would walk through the export
        return _state(self.origin.place, self.key) if self.key and self.origin else ""

    def fetched(self) -> list[str]:
        """What fetch leaves, where the input is no plain folder."""
        return ["results/fetch/seal.json"] if self.origin and self.origin.fetched else []

    def fetch_settings(self) -> str:
        """What decides what is fetched, as JSON: without what only says how, or where secrets lie."""
        return reading.fetch_settings(self.config.fetch)

    def fetch_state(self, _wildcards: object = None) -> str:
        """Digest of what there is to fetch: any change runs fetch again."""
        return _fetch_state(self.origin, self.config.fetch, self.key) if self.origin and self.key else ""

    def path(self, name: str) -> str:
        """A table named in the configuration: below the working directory or else the project's own."""
        return str(resolve(name, self.basedir))

    def contents(self, *names: str | list[str] | None) -> str:
        """Keyed codes of what stands in files that a rule reads, as JSON: a parameter, since times can't be relied on."""
        listed = [[name] if isinstance(name, str) else name or [] for name in names]
        paths = [resolve(one, self.basedir) for some in listed for one in some]
        return json.dumps(contents_codes(paths, self.key)) if self.key else ""

    def allowlist(self) -> list[str]:
        """The files of the allow-list, so that a changed one runs its stage again; safe private attributes lie beside it."""
        folder = resolve(self.config.deidentify.allowlist, self.basedir)
        tables = sorted(path for path in folder.iterdir() if path.is_file())
        private = [folder.parent / "safe_private.csv"] if self.config.deidentify.safe_private else []
        return [str(path) for path in [*tables, *private]]

    def optional(self, name: str) -> list[str]:
        """A table that need not be there: its path, or nothing."""
        path = resolve(name, self.basedir)
        return [str(path)] if path.is_file() else []

    def profiles(self) -> list[str]:
        """The extraction profiles, one file a modality, all in one folder."""
        folder = resolve("config/extraction", self.basedir)
        return [str(folder / f"{name}.yaml") for name in MODALITIES]

    def extensions(self) -> list[str]:
        """Files of the user's own with features or engines."""
        return [str(path) for path in _extensions(self.config, self.basedir)]

    def harmonise_parameters(self) -> list[str]:
        """Parameters of another run, where harmonise is to apply them: their path, or nothing."""
        name = self.config.harmonise.parameters
        return [str(resolve(name, self.basedir))] if name else []

    def decided(self, stage: str, chunk: str) -> str:
        """Digest of what people decided at a stage about series of a chunk, so that only its rule runs again.

        A digest, since rule parameters are kept in `.snakemake` and a line holds a name and a reason in words.
        """
        path = resolve(getattr(self.config, stage).decisions, self.basedir)
        lines = [line for line in _decided(path, _state_of(path)).get(chunk, []) if stage in line]
        return hashlib.sha256(json.dumps(lines).encode()).hexdigest()[:16] if lines else ""

    def papers(self) -> list[str]:
        """The steward's papers that are there: of each, the one below the working directory, or else the project's own."""
        return [str(path) for path in paper_paths(self.config, self.basedir).values()]

    def reference(self) -> list[str]:
        """The population that the release is to speak for, if one is named."""
        name = self.config.gate.reference
        return [self.path(name)] if name else []

    def policy(self) -> str:
        """The release policy's file: `public` means config/policies/public.yaml."""
        name = self.config.gate.policy
        return self.path(name if name.endswith((".yaml", ".yml")) else f"config/policies/{name}.yaml")


@functools.lru_cache(maxsize=4)
def _decided(path: Path, _state: tuple[int, ...]) -> dict[str, list[list[str]]]:
    """The lines of a file of decisions by chunk: read once for each of its states, not once for each of thousands of jobs."""
    return rows_by_chunk(path)


def _state_of(path: Path) -> tuple[int, ...]:
    """What another content of a file changes; nothing where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def prepare(config: dict[str, Any], basedir: Path, check: bool = True, worker: bool = False) -> Run:
    """Check the configuration, the key and the input before any job starts, and pass their paths to the jobs.

    A `worker` is a job of a cluster that reads the Snakefile again.

    The paths go through the environment because rule inputs and parameters are kept in `.snakemake`, and a path may
    hold a name. Python's folder comes first in PATH so that jobs run with the interpreter that runs Snakemake.

    Raises:
        SystemExit: something is wrong; it was explained on stderr.
    """
    os.umask(os.umask(0) | 0o022)  # under umask 000 others could put their own files in the place of the run's
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        checked = load_config(dict(config))
        key, origin = None, None
        if check:
            key = load_key(Path(checked.key_file), run_folder=Path.cwd())
            os.environ[KEY_FILE_VARIABLE] = str(Path(checked.key_file).expanduser().resolve())
            origin = reading.input_origin(checked, RESULTS, worker)
            os.environ[INPUT_VARIABLE] = str(reading.reading_folder(origin, RESULTS))
            os.environ[reading.FETCH_VARIABLE] = origin.place
            if origin.kind == "server" and not worker:  # a worker needs no way to the server, nor its credentials
                reading.check_server(checked.fetch, origin.place)
            os.environ[reading.SERVER_VARIABLE] = reading.server_settings(checked.fetch)
            os.environ[TIMEOUT_VARIABLE] = str(checked.series_timeout)
            consent_table(checked)
            _registry(checked)
            _crosswalk(checked, origin)
            _decisions(checked, basedir)
            if checked.gate.reference:
                read_reference(resolve(checked.gate.reference, basedir))
            _extensions(checked, basedir)
            _engines(checked)
            _parameters(checked, basedir)
            changes = {name: getattr(checked.extract, name) for name in MODALITIES}
            load_profiles(resolve("config/extraction", basedir), changes)
    except CurationError as error:
        print(f"radcurate: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    if check and not worker:
        mend_times(RESULTS)
    return Run(checked, basedir, key, origin, worker)


def _decisions(config: Config, basedir: Path) -> None:
    """Check the files of decisions and tell the jobs where they lie.

    Not by a parameter: where the file lies, or that there is one now, runs nothing again; `Run.decided` says what does.
    """
    for stage, variable in DECISIONS_VARIABLES.items():
        path = resolve(getattr(config, stage).decisions, basedir)
        read_decisions(path)
        os.environ[variable] = str(path.resolve())


def paper_paths(config: Config, basedir: Path) -> dict[str, Path]:
    """Where each paper lies, by its name within the folder of papers."""
    folder = Path(config.gate.governance)
    names = {*PAPER_NAMES}
    for place in (basedir / folder / "terms", folder.expanduser() / "terms"):
        names |= {f"terms/{path.name}" for path in place.glob("*.md")}
    found = {name: resolve(str(folder / name), basedir) for name in sorted(names)}
    return {name: path for name, path in found.items() if path.is_file()}


def resolve(name: str, basedir: Path) -> Path:
    """`name` as it stands if there is such a file or folder, else below the project."""
    path = Path(name).expanduser()
    return path if path.exists() or path.is_absolute() else basedir / path


def consent_table(config: Config) -> None:
    """Insist on a consent table.

    Raises:
        CurationError: none is named, or none is there.
    """
    table = config.consent.table
    if table is None or not Path(table).expanduser().is_file():
        raise CurationError(
            "no consent table",
            wanted="a CSV or Parquet file with the columns patient, model, purposes, recontact, withdrawn, date",
            found="nothing" if table is None else "no such file",
            fix="set consent.table in config/config.yaml",
        )


def _registry(config: Config) -> None:
    table = config.attack.linkage.registry
    if table is not None and not Path(table).expanduser().is_file():
        raise CurationError(
            "no registry",
            wanted="a CSV or Parquet file that an attacker may hold, a row per person and visit",
            found="no such file",
            fix="set attack.linkage.registry in config/config.yaml, or leave it out: one is synthesised then",
        )


def _crosswalk(config: Config, origin: Origin) -> None:
    """Nobody should wait for hours to hear that the crosswalk can't be written."""
    folder, recipients = config.deidentify.crosswalk, config.deidentify.recipients
    if folder and recipients:
        crosswalk.check(Path(folder), Path(recipients), also=[] if origin.kind == "server" else [Path(origin.place)])


def _extensions(config: Config, basedir: Path) -> list[Path]:
    """What extract will run, so that nobody waits for hours to hear that it can't be."""
    never_from = [RESULTS, *([Path(config.input).expanduser()] if config.input else [])]
    return extensions.check((resolve(name, basedir) for name in config.extract.extensions), never_from)


def _engines(config: Config) -> None:
    """A name that nobody built in must come from an extension; whether it does is seen when that is run."""
    asked = {"engine": config.extract.engine}
    if config.extract.crosscheck.share:
        asked["crosscheck.engine"] = config.extract.crosscheck.engine
    for option, name in asked.items():
        if name not in ENGINES and not config.extract.extensions:
            raise CurationError(
                f"no engine is called {name}",
                wanted="one of " + ", ".join(ENGINES),
                found=f"extract.{option}: {name}",
                fix="correct it, or name the file that registers it in extract.extensions",
            )


def _parameters(config: Config, basedir: Path) -> None:
    """Parameters that harmonise is to apply: a file that no run writes over."""
    name = config.harmonise.parameters
    if not (config.harmonise.on and name):
        return
    path = resolve(name, basedir)
    inside = path.resolve().is_relative_to(RESULTS.resolve())
    if inside or not path.is_file():
        raise CurationError(
            "there are no parameters to harmonise with",
            wanted="a copy of results/harmonise/parameters.parquet of another run, outside results/",
            found="a file inside results/" if inside else "no such file",
            fix="copy them to where they are to stay and correct harmonise.parameters, or remove it to fit anew",
        )


@functools.cache
def _state(folder: str, key: Key) -> str:
    return source_state(Path(folder), RESULTS, key, _digests)


def _digests(content: bytes) -> Digests:
    from radcurate.deidentify.digests import file_digests  # only where a file was touched

    return file_digests(content)


@functools.cache
def package_code() -> Code:
    """The code of this package; what an earlier run in this folder noted of it spares parsing it again."""
    return Code(PACKAGE, read_notes(RESULTS).modules)


@functools.cache
def _fetch_state(origin: Origin, settings: Fetch, key: Key) -> str:
    """What there is to fetch, asked once a plan.

    Raises:
        SystemExit: a server that can't be asked; it was explained on stderr.
    """
    if origin.kind != "server":
        return reading.archives_state(origin)
    from radcurate.stages._fetch_server import planned_state, told

    try:
        server = told(settings, reading.server_settings(settings))
        return planned_state(server, origin.place, key, RESULTS / reading.FOLDER)
    except CurationError as error:
        print(f"radcurate: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def input_mark(run: Run) -> str:
    """Keyed code of the input folder, so that results can tell whose they are without naming it."""
    return run.key.file_code(run.origin.place) if run.key and run.origin else ""


def stages() -> list[str]:
    """The names of all stages, sorted."""
    return sorted(path.stem for path in (PACKAGE / "stages").glob("[a-z]*.py"))


def claim_results(run: Run) -> None:
    """Leave the mark of the input in results/, for the demo not to overwrite somebody's run, and what the code is."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / ".input").write_text(input_mark(run) + "\n")
    if not run.fetched():
        reading.forget_fetched(RESULTS)
    remember_state(RESULTS, run.source_state())
    code = package_code()
    write_notes(RESULTS, code, {run.code(one): code.parts(f"radcurate.stages.{one}") for one in stages()})


def leave_to_jobs(options: object = None) -> str:
    """Before jobs go to a cluster: nothing of what `prepare` told the environment, or `options` the command line.

    Returns:
        What must stand before the command of a rule that runs here all the same.
    """
    return submission.keep_to_ourselves(PASSED, options, RESULTS)


def print_summary(run: Run) -> None:
    """One screen about what the run came to."""
    from radcurate.release.summary import render

    print(render(RESULTS), file=sys.stderr)


def write_report(run: Run) -> None:
    """results/report/report.html where the gate has judged since the last one; a report never fails a run."""
    from radcurate.stages._report import is_current, write_private_report

    if run.key is None or is_current(RESULTS):
        return
    for old in (RESULTS / "report").glob("*.html"):  # pages of single series: `radcurate report` makes them again
        old.unlink()
    try:
        if write_private_report(RESULTS, run.key):
            print(f"report: {RESULTS / 'report' / 'report.html'}; with pictures: radcurate report", file=sys.stderr)
    except Exception as error:  # its message may quote a value of a table
        print(f"radcurate: the report was not written: {place_of(error)}", file=sys.stderr)


def forget_old_chunks(run: Run | None = None) -> None:
    """Remove what stages wrote for chunks that hold nothing permitted any more, so that a withdrawal leaves no images.

    With the run given, the crosswalk's parts for these chunks too, and images that only lie between two stages.
    """
    chunks = RESULTS / "consent" / "chunks"
    if not chunks.is_dir():
        return
    current = {path.name for path in chunks.iterdir()}
    for folder in RESULTS.glob("*/[0-9][0-9][0-9][0-9][0-9]"):
        if folder.name not in current:
            shutil.rmtree(folder)
    if run and not run.config.keep_intermediates:
        forget_intermediates(RESULTS)
    if run and not run.config.harmonise.on:
        shutil.rmtree(
            RESULTS / "harmonise", ignore_errors=True
        )  # values of an earlier run, of whoever withdrew since too
    if run and run.key and run.config.deidentify.crosswalk:
        crosswalk.forget(Path(run.config.deidentify.crosswalk), run.key.key_id, keep=current)

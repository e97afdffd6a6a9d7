"""Who can look into a run, and where the key shows. `finished` ran under umask 000 (conftest)."""

from __future__ import annotations

import base64
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("pipeline")

PRIVATE = ["inventory", "consent", "report", "redact/*", "deface/*/pictures"]


def modes(folder: Path) -> Iterator[tuple[Path, int]]:
    for path in [folder, *folder.rglob("*")]:
        if path.name != ".snakemake_timestamp" and not path.is_symlink():  # Snakemake's own, empty
            yield path, path.stat().st_mode & 0o777


@pytest.mark.parametrize("pattern", PRIVATE)
def test_identity_is_closed_to_others_under_any_umask(finished, pattern):
    folders = sorted(finished.results.glob(pattern))
    assert folders
    for folder in folders:
        assert folder.stat().st_mode & 0o077 == 0, folder.relative_to(finished.results)


@pytest.mark.parametrize("zone", ["inventory", "consent", "report"])
def test_files_with_identity_are_closed_one_by_one(finished, zone):
    assert [path.name for path, mode in modes(finished.results / zone) if mode & 0o077] == []


def test_nothing_of_a_run_can_be_replaced_by_others(finished):
    found = [path for path, mode in modes(finished.results) if mode & 0o022]
    assert [path.relative_to(finished.results).as_posix() for path in found] == []


def test_the_run_really_had_no_umask(finished):
    """The control: what Snakemake made before it read the Snakefile is open to all."""
    assert any(mode & 0o022 for _, mode in modes(finished.folder / ".snakemake"))


def test_the_key_shows_in_no_form(finished):
    forms = forms_of(finished.key_file)
    for path in finished.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(form in content for form in forms), path.name


def forms_of(key_file: Path) -> list[bytes]:
    """The key as text, as bytes, in base64 and as Python would print it."""
    text = key_file.read_text().strip()
    raw = bytes.fromhex(text)
    return [text.encode(), text.upper().encode(), raw, base64.b64encode(raw)[:40], repr(raw).encode()]


@pytest.mark.slow
def test_the_key_is_in_no_process_list_and_no_environment(run):
    with watching(forms_of(run.key_file)) as seen:
        run.snakemake("--forcerun", "consent", "--until", "deidentify")
    assert len(seen.processes) > 3 and seen.hits == set()


def test_the_watch_sees_a_key_that_is_passed_on(tmp_path):
    """The control: a process that has the key in its arguments, one that has it in its environment."""
    key = tmp_path / "key"
    key.write_text("ab" * 32)
    wait = [sys.executable, "-c", "import time; time.sleep(0.5)"]
    with watching(forms_of(key)) as seen:
        subprocess.run([*wait, "ab" * 32], check=True)
    assert {place for place, _ in seen.hits} == {"cmdline"}
    with watching(forms_of(key)) as seen:
        subprocess.run(wait, check=True, env={"KEY": "ab" * 32})
    assert {place for place, _ in seen.hits} == {"environ"}


class Seen:
    """Processes that were looked at, and where a form of the key stood."""

    def __init__(self) -> None:
        self.processes: set[str] = set()
        self.hits: set[tuple[str, str]] = set()

    def look(self, forms: list[bytes]) -> None:
        for process in Path("/proc").glob("[0-9]*"):
            for place in ("cmdline", "environ"):
                try:
                    content = (process / place).read_bytes()
                except OSError:  # it has ended
                    continue
                self.processes.add(process.name)
                if any(form in content for form in forms):
                    self.hits.add((place, process.name))


@contextmanager
def watching(forms: list[bytes]) -> Iterator[Seen]:
    """Look at every process of the machine again and again."""
    seen, ended = Seen(), threading.Event()

    def watch() -> None:
        while not ended.is_set():
            seen.look(forms)
            time.sleep(0.05)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


@pytest.mark.slow
def test_names_that_a_shell_would_run(run, tmp_path):
    """Folders and files called like commands: the export, a study in it, consent, the waiver."""
    odd = tmp_path / 'it\'s $(touch PWNED) `touch PWNED`; touch PWNED & "x"'
    project = run.with_own_data(odd)
    (odd / "export" / "$(touch PWNED);x\n.dcm").write_bytes(b"no DICOM")
    project.snakemake("--until", "deidentify")
    assert not list(project.folder.rglob("PWNED")) and not list(odd.rglob("PWNED"))


@pytest.mark.slow
def test_a_tag_in_the_configuration_runs_nothing(run):
    path = run.folder / "run.yaml"
    path.write_text(path.read_text() + f"\nrelease: !!python/object/apply:os.mkdir [{run.folder}/made]\n")
    done = run.snakemake("--dry-run", ok=False)
    assert done.returncode != 0 and not (run.folder / "made").exists()

"""The Slurm that up.sh started, the ordinary user whom it serves, and runs of the pipeline on it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from paths import ROOT

USER = "radcurate-ci"
KEY = "c3" * 32
EXPORT = "Export-Hinterzimmer"  # a name that must not be found where it doesn't belong
PLUGINS = (
    "snakemake-executor-plugin-slurm",
    "snakemake-executor-plugin-slurm-jobstep",
    "snakemake-executor-plugin-cluster-generic",
    "throttler",
)
PATIENCE = 1200  # seconds; on a quiet machine nothing here takes 120


@dataclass(frozen=True)
class Cluster:
    """A Slurm of two nodes on this machine.

    Args:
        lab: folder of its daemons.
        shared: folder that belongs to the user, seen by all nodes.
        python: an interpreter that the user may run, with radcurate's dependencies and the executor plugin.
    """

    lab: Path
    shared: Path
    python: Path

    def environment(self, project: Path) -> dict[str, str]:
        own = {"HOME": str(self.shared), "PYTHONPATH": str(project / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", **own}

    def start(self, project: Path, *arguments: str) -> subprocess.Popen[str]:
        """Snakemake in a process of its own, as the user; what it says goes to `said` in the project's folder."""
        command = [str(self.python), "-m", "snakemake", "--configfile", "run.yaml", *arguments]
        with (project / "said").open("w") as said:
            return subprocess.Popen(
                command,
                cwd=project,
                env=self.environment(project),
                stdout=said,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                text=True,
                user=USER,
                group=USER,
                extra_groups=[],
                umask=0o022,
                preexec_fn=_hear_interrupts,
            )

    def finish(self, running: subprocess.Popen[str], project: Path) -> tuple[int, str]:
        """Wait for the end: exit code and all that was said."""
        try:
            code = running.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            running.kill()
            pytest.fail(f"no end after {PATIENCE} s: {(project / 'said').read_text()[-3000:]}")
        return code, (project / "said").read_text()

    def run(self, project: Path, *arguments: str, ok: bool = True) -> str:
        """A run on the cluster; with `ok`, insist that it ends well."""
        return self._done(project, [*SUBMITTED, *arguments], ok)

    def locally(self, project: Path, *arguments: str, ok: bool = True) -> str:
        """The same on this machine alone."""
        return self._done(project, ["--workflow-profile", "default", "--cores", "2", *arguments], ok)

    def _done(self, project: Path, arguments: Sequence[str], ok: bool) -> str:
        code, said = self.finish(self.start(project, *arguments), project)
        if ok and code != 0:
            pytest.fail(f"snakemake ended with {code}:\n{said[-6000:]}")
        if not ok and code == 0:
            pytest.fail(f"snakemake ended well:\n{said[-3000:]}")
        return said

    def ask(self, *command: str) -> str:
        """What one of Slurm's commands answers."""
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    def queue(self) -> list[str]:
        """Ids of submissions that have not ended."""
        return self.ask("squeue", "-h", "-o", "%A", "-u", USER).split()

    def kill_node(self, node: str) -> int:
        """As if its power went: the daemon and every process of its jobs, at once. How many there were."""
        daemon = int((self.lab / "run" / f"slurmd.{node}.pid").read_text())
        doomed = [daemon, *_descendants(pid for pid in _processes() if f"slurmstepd-{node}" in _title(pid))]
        jobs = self.ask("squeue", "-h", "-o", "%A", "-w", node).split()
        doomed += [pid for pid in _processes() if _job_of(pid) in jobs]
        for pid in set(doomed):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return len(set(doomed))

    def start_node(self, node: str) -> None:
        subprocess.run(
            ["slurmd", "-N", node], check=True, env={**os.environ, "SLURM_CONF": str(self.lab / "slurm.conf")}
        )
        wait_for(
            lambda: self.ask("sinfo", "-h", "-n", node, "-o", "%t").strip() in ("idle", "mix", "alloc"), "the node"
        )

    def copy(self, project: Path, name: str) -> Path:
        """A project and all that it ran, elsewhere."""
        target = self.shared / name
        shutil.copytree(project, target, symlinks=True)
        self.give(target)
        return target

    def give(self, folder: Path) -> None:
        """The folder and all in it belongs to the user."""
        subprocess.run(["chown", "-R", f"{USER}:", str(folder)], check=True)


SUBMITTED = ("--workflow-profile", "slurm", "--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "20")


def wait_for(holds: Callable[[], bool], what: str, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.5)


def interpreter(folder: Path) -> Path:
    """An environment in `folder` that the user may run: what this one has, and the plugin as uv.lock pins it.

    The interpreter may lie where only root gets to; then it is the system's of the same version.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [sys.executable, f"/usr/bin/python{version}"]
    usable = [name for name in candidates if Path(name).exists() and _may_run(Path(name).resolve())]
    if not usable:
        pytest.skip(f"no Python {version} that an ordinary user may run: apt-get install python{version}-venv")
    environment = folder / "environment"
    subprocess.run([usable[0], "-m", "venv", "--without-pip", str(environment)], check=True)
    packages = environment / "lib" / f"python{version}" / "site-packages"
    here = Path(sys.prefix) / "lib" / f"python{version}" / "site-packages"
    (packages / "radcurate-dependencies.pth").write_text(f"{here}\n")
    uv = shutil.which("uv") or str(ROOT / ".venv-uv" / "bin" / "uv")
    pins = folder / "pins.txt"
    export = [uv, "export", "--frozen", "--quiet", "--all-extras", "--no-hashes", "--no-emit-project", "--no-header"]
    subprocess.run([*export, "--output-file", str(pins)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    install = [uv, "pip", "install", "--quiet", "--no-deps", "--python", str(environment / "bin" / "python")]
    subprocess.run([*install, "--constraint", str(pins), *PLUGINS], check=True)
    return environment / "bin" / "python"


def _hear_interrupts() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _may_run(program: Path) -> bool:
    try:
        done = subprocess.run(
            [program, "-c", ""], user=USER, group=USER, extra_groups=[], capture_output=True, check=False
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _read(pid: int, name: str) -> bytes:
    try:
        return Path("/proc", str(pid), name).read_bytes()
    except OSError:
        return b""


def _title(pid: int) -> str:
    return _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace")


def _job_of(pid: int) -> str:
    """The submission that a process belongs to."""
    told = [entry for entry in _read(pid, "environ").split(b"\0") if entry.startswith(b"SLURM_JOB_ID=")]
    return told[0].split(b"=")[1].decode() if told else ""


def _parent(pid: int) -> int:
    stat = _read(pid, "stat").rsplit(b")", 1)[-1].split()
    return int(stat[1]) if len(stat) > 1 else 0


def _descendants(roots: object) -> list[int]:
    found = set(roots)  # type: ignore[call-overload]
    while more := {pid for pid in _processes() if _parent(pid) in found} - found:
        found |= more
    return sorted(found)

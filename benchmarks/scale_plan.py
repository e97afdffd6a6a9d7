"""What it costs to plan a large cohort: Snakemake's dry run on recorded results of inventory and consent, fresh and finished.

Tables are as good as empty: a plan looks at names and times, and reads a table only where it is newer than what was made of it.
`python -m benchmarks.scale` prints the figures.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from radcurate.keys import create_key

PROJECT = Path(__file__).resolve().parents[1]
CHUNK_TABLES = ("series.parquet", "instances.parquet", "identifiers.parquet", "seal.json")
CONSENT = ("series.parquet", "exclusions.parquet", "files.json", "seal.json")
QUIET = ("--quiet", "rules")  # without a paragraph for each of thousands of jobs


@dataclass(frozen=True)
class Spent:
    """What a command took, its children counted: CPU seconds, and the largest resident set of a process in MB."""

    cpu: float
    memory: float
    output: str

    @property
    def jobs(self) -> int:
        """Of a dry run."""
        found = re.search(r"^total +(\d+)$", self.output, re.M)
        return int(found[1]) if found else 0


@dataclass(frozen=True)
class Plan:
    """A run folder with what inventory and consent leave of `series` series in chunks of `per_chunk`."""

    folder: Path
    series: int
    per_chunk: int

    @property
    def chunks(self) -> list[str]:
        """Names of the chunks."""
        return [f"{number:05}" for number in range(-(-self.series // self.per_chunk))]

    def make(self) -> None:
        """Write it, and let Snakemake note that both stages have run."""
        (self.folder / "export").mkdir(parents=True)
        (self.folder / "export" / "1.dcm").touch()
        (self.folder / "consent.csv").write_text("patient,model,purposes,recontact,withdrawn,date\n")
        create_key(self.folder / "key")
        options = {
            "input": str(self.folder / "export"),
            "key_file": str(self.folder / "key"),
            "consent": {"table": str(self.folder / "consent.csv")},
            "inventory": {"n_chunks": len(self.chunks)},
        }
        (self.folder / "run" / "results").mkdir(parents=True)
        (self.folder / "run" / "run.yaml").write_text(yaml.safe_dump(options))
        self._record()
        self.snakemake("--touch", "--until", "consent")

    def _record(self) -> None:
        results = self.folder / "run" / "results"
        for stage, files in (("inventory", ("unplaced.parquet", "seal.json")), ("consent", CONSENT)):
            for chunk in self.chunks:
                folder = results / stage / "chunks" / chunk
                folder.mkdir(parents=True)
                for name in CHUNK_TABLES:
                    (folder / name).write_text(chunk)
            for name in files:
                (results / stage / name).write_text("x")

    def finish(self) -> None:
        """Write what all other stages leave, and let Snakemake note it."""
        planned = self.snakemake("--dry-run", "--printshellcmds")
        for job in planned.output.split("\n\n"):
            for name in _outputs(job):
                path = self.folder / "run" / name
                if Path(name).suffix:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text("x")
                else:
                    path.mkdir(parents=True, exist_ok=True)
        self.snakemake("--touch")

    def snakemake(self, *words: str) -> Spent:
        """Run it in the folder."""
        command = [sys.executable, "-m", "snakemake", "-s", str(PROJECT / "Snakefile"), "--cores", "2"]
        command += ["--profile", str(PROJECT / "profiles" / "default"), "--configfile", "run.yaml", *words]
        return spent(command, self.folder / "run")


def _outputs(job: str) -> list[str]:
    found = re.search(r"^ +output: (.+)$", job, re.M)
    return found[1].split(", ") if found else []


def spent(command: Sequence[str], folder: Path) -> Spent:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed.
    """
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        output = out.read()
    if process.returncode:
        raise RuntimeError(output[-3000:])
    return Spent(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, output)

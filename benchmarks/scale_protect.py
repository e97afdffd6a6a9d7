"""protect on a million regions of 200 features in 256 chunks: memory and CPU time. Run: python -m benchmarks.scale_protect"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figure import Figure
from benchmarks.scale_tables import KEY, Size, write_extract
from radcurate.keys import KEY_FILE_VARIABLE
from radcurate.settings import Protect

ROOT = Path(__file__).resolve().parents[1]
ROWS, CHUNKS, FEATURES = 1_000_000, 256, 200
# Prints CPU seconds and the peak of the process itself: ru_maxrss would count who started it.
_STAGE = """
import resource, runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
except SystemExit as end:
    assert not end.code
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""


@dataclass(frozen=True)
class Cost:
    """CPU seconds, and the largest resident set in MB."""

    cpu: float
    memory: float


def figures(rows: int = ROWS, chunks: int = CHUNKS) -> list[Figure]:
    """Memory at full size, and whether CPU time goes with the rows: full size against a tenth."""
    large, small = cost(rows, chunks), cost(rows // 10, max(chunks // 10, 1))
    name = f"protect: {rows:,} rows of {FEATURES} features, {chunks} chunks"
    return [
        Figure(f"{name}, memory", large.memory, 4000, "MB"),
        Figure(f"{name}, CPU", large.cpu, 300, "CPU-s"),
        Figure(f"{name}, CPU a row against a tenth of the rows", large.cpu / small.cpu / 10, 1.5, "times"),
    ]


def cost(rows: int, chunks: int) -> Cost:
    """What the stage takes on an invented cohort, as the rule starts it."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_results(folder / "results", Size(rows, FEATURES, chunks))
        key_file = folder / "key"
        key_file.touch(0o600)
        key_file.write_text(KEY.secret.hex())
        options = ["--settings", Protect().model_dump_json(), "--results", folder / "results", "--harmonise"]
        options += ["--columns", ROOT / "config" / "columns.yaml", "--out", folder / "results" / "protect"]
        words = [sys.executable, "-c", _STAGE, "radcurate.stages.protect", *map(str, options)]
        environment = {KEY_FILE_VARIABLE: str(key_file), "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    cpu, peak = (float(number) for number in done.stdout.split()[-2:])
    return Cost(cpu, peak / 1024)


def write_results(results: Path, size: Size) -> None:
    """results/extract, and the folders of consent that say which chunks there are."""
    for chunk in write_extract(results / "extract", size):
        (results / "consent" / "chunks" / chunk.name).mkdir(parents=True)


if __name__ == "__main__":
    print("\n".join(str(figure) for figure in figures(*(int(word) for word in sys.argv[1:]))))

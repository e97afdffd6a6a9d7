"""CPU time of this process, and the peak memory of others."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_MODULE = """
import resource, runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
except SystemExit as end:
    assert not end.code
own = open("/proc/self/status").read().split("VmHWM:")[1].split()[0]  # ru_maxrss would count who started it
print(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of `work`."""
    before = time.process_time()
    work()
    return time.process_time() - before


@dataclass(frozen=True)
class Memory:
    """Largest resident sets, in MB: of the process itself, and of any worker that it forked."""

    own: float
    worker: float


def peak_memory(module: str, arguments: Sequence[object], environment: Mapping[str, str]) -> Memory:
    """What `python -m module` takes."""
    words = [str(argument) for argument in arguments]
    command = [sys.executable, "-c", _MODULE, module, *words]
    done = subprocess.run(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    own, worker = (int(number) / 1024 for number in done.stdout.split()[-2:])
    return Memory(own, worker)

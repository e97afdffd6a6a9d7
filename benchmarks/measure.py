"""CPU time of this process, and the peak memory of another."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

_MODULE = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
except SystemExit as end:
    assert not end.code
print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])  # ru_maxrss would count this process too
"""


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of `work`."""
    before = time.process_time()
    work()
    return time.process_time() - before


def peak_memory(module: str, arguments: Sequence[object], environment: Mapping[str, str]) -> float:
    """Largest resident set, in MB, of `python -m module`."""
    words = [str(argument) for argument in arguments]
    command = [sys.executable, "-c", _MODULE, module, *words]
    done = subprocess.run(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    return int(done.stdout.split()[-1]) / 1024

"""What a rule asks a scheduler for."""

from __future__ import annotations

import inspect
from collections.abc import Callable


def memory(megabytes: int = 0, each: int = 0) -> Callable[[object, int, int], int]:
    """What a rule asks for: megabytes, and so many for each of its processes; twice that at the second attempt, and so on."""

    def needed(wildcards: object, threads: int, attempt: int) -> int:
        return (megabytes + each * threads) * attempt

    # Snakemake asks for it several times for each job; to find it anew costs a sixth of the plan of a large cohort
    setattr(needed, "__signature__", inspect.signature(needed))  # noqa: B010
    return needed

"""Work that ended by no fault of its data: out of time, out of memory, or its process was killed.

It becomes a row as any failure does. But another run on a calmer or larger machine may do better, so these reasons are
kept apart from what is wrong with a series: `radcurate retry` has just these made again.
"""

from __future__ import annotations

TIMEOUT, KILLED, MEMORY = "timeout", "killed", "out_of_memory"
SOURCE_UNREADABLE = "source_unreadable"  # a file of the export was gone for a while: its share, or somebody moved it
REMEDIES = {
    TIMEOUT: "raise series_timeout, then `radcurate retry` and snakemake; if it stays, leave the series out",
    KILLED: "its process was ended from outside or crashed, twice: free memory, then `radcurate retry` and snakemake",
    MEMORY: "give the stage more memory or fewer processes at a time, then `radcurate retry` and snakemake",
}
AGAIN = frozenset([*REMEDIES, SOURCE_UNREADABLE])  # reasons for which a chunk may be made again

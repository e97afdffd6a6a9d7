"""Which chunks the next run makes again although nothing about them changed: those where work was lost to the machine.

`radcurate retry` counts up a number for the stage and chunk; the rule has it as a parameter, so Snakemake makes exactly
that chunk again, and what depends on it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from radcurate import losses, tables

RESULTS, FOLDER = Path("results"), "retry"
STAGES = ("deidentify", "redact", "deface", "verify", "extract")  # in the order in which data walk through them


def times(stage: str, chunk: str, results: Path = RESULTS) -> str:
    """How often a chunk was asked for again; empty where it never was."""
    try:
        return (results / FOLDER / stage / chunk).read_text().strip()
    except OSError:
        return ""


def lost_work(results: Path) -> dict[tuple[str, str], Counter[str]]:
    """Series that were lost to the machine, by reason, for each stage and chunk where that happened."""
    found: dict[tuple[str, str], Counter[str]] = {}
    chunks = results / "consent" / "chunks"
    for chunk in sorted(path.name for path in chunks.iterdir() if path.is_dir()) if chunks.is_dir() else ():
        known: set[str] = set()  # a row that is lost goes on through the stages
        for stage in STAGES:
            rows = _lost_rows(results / stage / chunk / "series.parquet")
            counts = Counter(reason for series, reason in rows if series not in known)
            known.update(series for series, _ in rows)
            if counts:
                found[stage, chunk] = counts
    return found


def ask_again(results: Path, stage: str, chunk: str) -> None:
    """Let the next run make a chunk's stage again."""
    place = results / FOLDER / stage / chunk
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"{int(times(stage, chunk, results) or 0) + 1}\n")


def _lost_rows(path: Path) -> list[tuple[str, str]]:
    if not path.is_file():
        return []
    rows = tables.read_rows(path)
    return [(row["series"], row["reason"]) for row in rows if row["reason"] in losses.AGAIN]

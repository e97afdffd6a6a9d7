"""Images between two stages: they go once the next stage has read them, also where a kill kept Snakemake from removing them."""

from __future__ import annotations

import shutil
from pathlib import Path

from radcurate.seals import SEAL

READERS = {"deidentify": "redact", "redact": "deface"}  # whose images which stage reads


def forget_intermediates(results: Path) -> int:
    """Remove the images that the next stage has read; how many folders that were.

    A stage seals what it wrote at its end: a seal that isn't older than that of the stage before says that it has read what
    lies there. Where a clock lies, images stay or are made again; no result depends on it.
    """
    removed = 0
    for stage, reader in READERS.items():
        for seal in sorted(results.glob(f"{stage}/[0-9]*/{SEAL}")):
            images, read = seal.with_name("dicom"), results / reader / seal.parent.name / SEAL
            if images.is_dir() and read.is_file() and read.stat().st_mtime_ns >= seal.stat().st_mtime_ns:
                shutil.rmtree(images)
                removed += 1
    return removed

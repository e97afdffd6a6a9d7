"""What a stage that writes images says of their files, for the next stage to find them as they were written."""

from __future__ import annotations

import pyarrow as pa

from radcurate.tables.files import Schema

STAGE_FILES = Schema(
    "stage_files",
    [
        ("folder", pa.string()),  # below dicom/
        ("name", pa.string()),
        ("size", pa.int64()),  # bytes
        ("split", pa.int64()),  # bytes that `head` is over
        # BLAKE3, as bytes: 64 digits might hold somebody's number by chance, which verify would find
        ("head", pa.binary()),
        ("rest", pa.binary()),
    ],
    ("folder", "name"),
)

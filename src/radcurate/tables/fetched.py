"""Tables of fetch: the files that were made of archives or a server, and what could not be. Identity zone."""

from __future__ import annotations

import pyarrow as pa

from radcurate.tables.files import Schema

TEXT, INT = pa.string(), pa.int64()

FETCH_FILES = Schema(
    "fetch_files",
    [
        ("path", TEXT),  # below files/, POSIX form
        ("size", INT),  # bytes
        ("digest", TEXT),  # BLAKE3; null for a file of the input folder that is only linked
        ("mtime_ns", INT),  # of a linked file; null for others, whose time is made from the digest
    ],
    ("path",),
)
FETCH_PROBLEMS = Schema(
    "fetch_problems",
    [
        ("name", TEXT),  # of the archive, member or instance, as a path below files/
        ("reason", TEXT),
        ("size", INT),  # bytes, as far as known
        ("series_instance_uid", TEXT),  # of the instance that is missing with it; null where nobody can tell
        ("sop_instance_uid", TEXT),
    ],
    ("name", "reason", "sop_instance_uid"),
)

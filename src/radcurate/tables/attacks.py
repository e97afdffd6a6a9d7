"""Tables of the stage `attack`."""

from __future__ import annotations

import pyarrow as pa

from radcurate.tables.files import Schema

TEXT, INT, REAL, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()

ATTACKS = Schema(  # how often each attack succeeded: on the release, and where the answer is known
    "attacks",
    [
        ("attack", TEXT),  # linkage | fingerprint | site | differencing
        ("variant", TEXT),  # release | positive | negative (the controls) | another share, such as top5
        ("trials", INT),
        ("successes", REAL),  # ties among s count 1/s
        ("rate", REAL),
        ("low", REAL),  # 95 % interval
        ("high", REAL),
        ("chance", REAL),  # what guessing gives
        ("passed", FLAG),  # controls only
    ],
    ("attack", "variant"),
)
ATTACK_COLUMNS = Schema(  # which columns give it away
    "attack_columns",
    [("attack", TEXT), ("column", TEXT), ("weight", REAL)],
    ("attack", "column"),
)

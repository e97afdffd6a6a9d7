"""IBSI's digital phantom, on which every feature has a reference value that can be checked by hand."""

from __future__ import annotations

import numpy as np

from radcurate.features.conformance import CONFIGURATIONS
from radcurate.features.prepare import Prepared, prepare
from radcurate.features.profile import Profile

# (plane, row, column), 2 mm each way (IBSI reference manual, 5.1.1); 0 stands for the voxels outside the region,
# and OUTSIDE has their values
LEVELS = (
    ((1, 4, 4, 1, 1), (1, 4, 6, 1, 1), (4, 1, 6, 4, 1), (4, 4, 6, 4, 1)),
    ((1, 4, 4, 1, 1), (1, 1, 6, 1, 1), (0, 1, 3, 1, 1), (4, 4, 6, 1, 1)),
    ((1, 4, 4, 0, 0), (1, 1, 1, 1, 1), (1, 1, 0, 1, 1), (1, 1, 6, 1, 1)),
    ((1, 4, 4, 0, 0), (1, 1, 1, 1, 1), (1, 1, 1, 1, 1), (1, 1, 6, 1, 1)),
)
OUTSIDE = {(2, 2, 2): 9}  # all others are 1
SPACING = (2.0, 2.0, 2.0)


def digital_phantom() -> Prepared:
    """The phantom, prepared as IBSI prescribes: bins of width 1."""
    values = np.array(LEVELS, dtype=np.float64)
    mask = values > 0
    values[~mask] = 1
    for place, value in OUTSIDE.items():
        values[place] = value
    return prepare(values, mask, SPACING, Profile.model_validate(CONFIGURATIONS["digital_phantom"]))

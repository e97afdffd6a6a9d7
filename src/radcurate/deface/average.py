"""An average face in the place of the one that was removed: style `reface`.

The mean head's, sunk deep: drawn at its own depth an average face comes within 3 mm of 8 to 60 % of a person's, and what
comes so near may be taken for the person's. What is drawn tells nothing of the person but the place and size of the head, and a
level of intensity.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radcurate.deface.body import depth
from radcurate.deface.region import Head
from radcurate.deface.stack import Flags
from radcurate.deface.template import Template

# Facial surface moved on inv3 and adi_brain, and likeness of the relief (limit 0.40): sunk by 8 mm 0.86, 0.39 and 0.62, 0.52;
# by 12 mm 0.99, 0.86 and 0.39, 0.45; by 16 mm 1.00, 0.94 and 0.25, 0.34; by 20 mm 1.00, 0.97 and 0.20, 0.23.
SUNK_MM = 20.0
SOFT_HU = 40.0  # muscle


def average_face(head: Head, mask: Flags, modality: str, mean: Template) -> NDArray[np.float32]:
    """Values of the average face on the head's field, NaN where air is to be; shape (z, y, x).

    Args:
        mask: what is removed; nothing is drawn outside of it.
        modality: CT gets the value of muscle; MR the mean head's picture at the level of the patient's own tissue.
    """
    shape = head.field.values.shape
    index = mean.head.to_index(head.there)
    deep = depth(mean.body, mean.head.step) / head.scale
    below = ndimage.map_coordinates(deep, index, order=1, mode="nearest").reshape(shape)
    there = mask & (below > SUNK_MM)
    values = np.full(shape, np.nan, np.float32)
    if modality == "CT":
        values[there] = SOFT_HU
        return values
    drawn = ndimage.map_coordinates(mean.head.values, index, order=1, mode="nearest").reshape(shape)
    own = head.body & ~mask & (head.mean_depth > 0) & (drawn > 0)
    level = float(np.median(head.field.values[own])) / float(np.median(drawn[own])) if own.any() else 1.0
    values[there] = np.maximum(drawn[there] * level, 0.0)
    return values

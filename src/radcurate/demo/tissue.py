"""Tissues and how CT, MR and PET see them."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from radcurate.demo.geometry import Floats


class Tissue(IntEnum):
    """Codes of the tissue map."""

    AIR = 0
    SKIN = 1
    FAT = 2
    MUSCLE = 3
    BONE = 4
    MARROW = 5
    CSF = 6
    GREY = 7
    WHITE = 8
    EYE = 9
    TUMOUR = 10
    LUNG = 11
    BLOOD = 12
    LIVER = 13


# tissue: CT number in HU, MR signal with T1 weighting, with T2 weighting (arbitrary units), PET uptake as SUVbw
_SEEN: dict[Tissue, tuple[float, float, float, float]] = {
    Tissue.AIR: (-1000, 0, 0, 0.0),
    Tissue.SKIN: (30, 520, 330, 0.6),
    Tissue.FAT: (-80, 850, 600, 0.3),
    Tissue.MUSCLE: (52, 340, 240, 0.7),
    Tissue.BONE: (1050, 25, 30, 0.5),
    Tissue.MARROW: (480, 420, 220, 1.1),
    Tissue.CSF: (8, 130, 1000, 0.4),
    Tissue.GREY: (38, 440, 540, 6.0),
    Tissue.WHITE: (30, 640, 370, 3.0),
    Tissue.EYE: (12, 120, 950, 0.8),
    Tissue.TUMOUR: (58, 350, 720, 7.0),
    Tissue.LUNG: (-840, 30, 40, 0.4),
    Tissue.BLOOD: (45, 200, 120, 1.7),
    Tissue.LIVER: (60, 460, 260, 2.3),
}


def table(column: int) -> Floats:
    """Signal by tissue code; column 0 CT in HU, 1 MR T1, 2 MR T2, 3 PET as SUVbw."""
    return np.array([_SEEN[code][column] for code in Tissue], np.float32)

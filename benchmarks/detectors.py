"""Two face detectors that know nothing of this project, on pictures of a head's surface.

dlib's convolutional network (weights of face-recognition-models) and mediapipe's face mesh. Both come with the group
`peers`; without it, `detectors` gives None.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from radcurate.deface.body import AIR_HU, mr_threshold
from radcurate.deface.render import depths
from radcurate.deface.screen import Pose
from radcurate.deface.stack import Field, Stack, to_field

ZOOM = 2  # of a picture of 270 pixels
Detector = Callable[[NDArray[np.uint8]], bool]


def detectors() -> dict[str, Detector] | None:
    """What tells whether a picture of shape (rows, columns) shows a face, by name."""
    if any(importlib.util.find_spec(name) is None for name in ("dlib", "mediapipe", "face_recognition_models")):
        return None
    return {"cnn": _cnn(), "mesh": _mesh()}


def fine_field(stack: Stack, modality: str) -> Field:
    """The volume at 1 mm, its values 0 in air, 1 in tissue, ½ at the skin."""
    field = to_field(stack, 1.0)
    if modality == "CT":
        soft = (field.values - AIR_HU) / 300.0
    else:
        level = mr_threshold(field)
        soft = (ndimage.gaussian_filter(field.values, 0.8) - level) / max(level, 1e-6)
    return Field(
        np.clip(soft / 2 + 0.5, 0, 1).astype(np.float32) * field.inside, field.inside, field.origin, field.step
    )


def portrait(field: Field, pose: Pose, angle: float, below: float = 0.0) -> NDArray[np.uint8]:
    """A head's surface as a camera would show it, lit from above; of a `fine_field`."""
    seen = depths(field, field.values, pose, angle, below, fine=2)
    known = np.isfinite(seen)
    if not known.any():
        return np.zeros(np.array(seen.shape) * ZOOM, np.uint8)
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    full = ndimage.gaussian_filter(ndimage.median_filter(seen[tuple(nearest)], 5), 1.0)
    down, right = np.gradient(full)
    light = np.clip((1.0 + 0.35 * down) / np.sqrt(1 + down**2 + right**2) / 1.06, 0, 1)
    grey = np.where(known, 255 * (0.25 + 0.75 * light), 0).astype(np.uint8)
    return np.asarray(
        Image.fromarray(grey).resize((grey.shape[1] * ZOOM, grey.shape[0] * ZOOM), Image.Resampling.BICUBIC)
    )


def _cnn() -> Detector:
    import dlib

    found = importlib.util.find_spec("face_recognition_models")
    assert found is not None and found.submodule_search_locations
    weights = Path(next(iter(found.submodule_search_locations))) / "models" / "mmod_human_face_detector.dat"
    network: Any = dlib.cnn_face_detection_model_v1(str(weights))
    return lambda grey: len(network(np.ascontiguousarray(np.dstack([grey] * 3)), 0)) > 0


def _mesh() -> Detector:
    os.environ.setdefault("GLOG_minloglevel", "3")
    import mediapipe

    mesh: Any = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, min_detection_confidence=0.5)
    return lambda grey: mesh.process(np.ascontiguousarray(np.dstack([grey] * 3))).multi_face_landmarks is not None

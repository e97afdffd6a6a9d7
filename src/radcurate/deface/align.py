"""Refine a placement of the mean head: Mattes mutual information, rigid with one scale, then affine.

Deterministic: one thread, every voxel of the coarse field is a sample, no random numbers.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import SimpleITK as sitk  # noqa: N813

from radcurate.deface.screen import CT_EDGES, Pose, binned, head_box, information, look_up, template_classes
from radcurate.deface.stack import Field, Flags, Floats
from radcurate.deface.template import HEAD_BOTTOM, Template, template

HEAD_RADIUS_MM = 160.0  # around the placement's centre; what lies farther is not this head
ROUNDS = 60
LEAST_SAMPLES = 500
CENTRE = np.array([3.0, -8.0, -15.0])  # of the mean head, between vertex and chin


def fit_similarity(field: Field, modality: str, start: Pose, mean: Template) -> Pose:
    """The pose near `start`, with one scale, that has the most mutual information."""
    rotation, scale = _rotation(start.matrix)
    centre = rotation @ start.back(CENTRE[None])[0]
    transform = sitk.Similarity3DTransform()
    transform.SetCenter(tuple(centre))
    transform.SetScale(scale)
    transform.SetTranslation(tuple(CENTRE - centre))
    return _fit(field, modality, start, rotation, transform, 3.0, mean)


def fit_affine(field: Field, modality: str, start: Pose, mean: Template, step: float) -> Pose:
    """The affine pose near `start` that has the most mutual information, found in steps of at most `step` mm."""
    rotation, _ = _rotation(start.matrix)
    centre = rotation @ start.back(CENTRE[None])[0]
    transform = sitk.AffineTransform(3)
    transform.SetCenter(tuple(centre))
    transform.SetMatrix((start.matrix @ rotation.T).ravel())
    transform.SetTranslation(tuple(CENTRE - centre))
    return _fit(field, modality, start, rotation, transform, step, mean)


def _fit(
    field: Field, modality: str, start: Pose, rotation: Floats, transform: sitk.Transform, step: float, mean: Template
) -> Pose:
    """Optimise in the start's own turned frame: a similarity transform is singular near 180°."""
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    done = _optimise(field, modality, start, rotation, transform, step)
    return scored(field, modality, _pose(transform, rotation, start.turn) if done else start, mean)


def _pose(transform: sitk.Transform, rotation: Floats, turn: str) -> Pose:
    matrix = np.array(transform.GetMatrix()).reshape(3, 3)
    centre = np.array(transform.GetCenter())
    return Pose(matrix @ rotation, centre + np.array(transform.GetTranslation()) - matrix @ centre, turn)


def scored(field: Field, modality: str, pose: Pose, mean: Template) -> Pose:
    """The pose with its score: mutual information in the head's box (0 … 1)."""
    points = field.points()
    there = pose(points)
    box = head_box(there) & field.inside.ravel()
    score = information(
        look_up(template_classes(mean), mean, there[box]), binned(field, modality).ravel()[box].astype(np.int64)
    )
    return Pose(pose.matrix, pose.shift, pose.turn, score)


def _squeezed(field: Field, modality: str) -> Floats:
    """Intensities for the metric: CT by the same uneven classes as the screening, MR clipped at its bright end."""
    if modality == "CT":
        return np.asarray(np.interp(field.values, CT_EDGES, np.arange(len(CT_EDGES))), np.float32)
    low, high = np.percentile(field.values[field.inside], [1, 99])
    return np.asarray(np.clip((field.values - low) / max(high - low, 1e-6) * 16, 0, 16), np.float32)


def _region(field: Field, start: Pose) -> Flags:
    there = start(field.points())
    near = (np.linalg.norm(there - CENTRE, axis=1) < HEAD_RADIUS_MM) & (there[:, 2] > HEAD_BOTTOM)
    return np.asarray(near.reshape(field.values.shape) & field.inside)


def _rotation(matrix: Floats) -> tuple[Floats, float]:
    scale = float(abs(np.linalg.det(matrix)) ** (1 / 3))
    u, _, v = np.linalg.svd(matrix)
    return u @ v, scale


def _image(values: Floats, field: Field, rotation: Floats) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.SetOrigin(tuple(float(o) for o in rotation @ field.origin))
    image.SetDirection(tuple(float(d) for d in rotation.ravel()))
    image.SetSpacing((float(field.step),) * 3)
    return image


@lru_cache(maxsize=1)
def _moving() -> sitk.Image:
    """The mean head with air around it, but unknown below its end."""
    mean = template()
    values = np.clip(mean.head.values * (mean.depth > -6.0), 0, 480.0) / 30.0
    first = int(np.ceil((HEAD_BOTTOM - mean.head.origin[2]) / mean.head.step))
    n = int(np.ceil(90.0 / mean.head.step))
    padded = np.pad(values[first:], ((0, n), (n, n), (n, n))).astype(np.float32)
    origin = mean.head.origin + np.array([-n, -n, first]) * mean.head.step
    return _image(padded, Field(padded, padded > 0, origin, mean.head.step), np.eye(3))


def _optimise(
    field: Field, modality: str, start: Pose, rotation: Floats, transform: sitk.Transform, step: float
) -> bool:
    """Improve `transform` in place; False when too little of a head is in view."""
    mask = _region(field, start)
    if mask.sum() < LEAST_SAMPLES:
        return False
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=24)
    method.SetMetricFixedMask(_image(mask.astype(np.uint8), field, rotation))
    method.SetMetricSamplingStrategy(method.NONE)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=step,
        minStep=0.05,
        numberOfIterations=ROUNDS,
        relaxationFactor=0.6,
        gradientMagnitudeTolerance=1e-5,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(transform, inPlace=True)
    try:
        method.Execute(_image(_squeezed(field, modality), field, rotation), _moving())
    except RuntimeError:  # the metric has no overlap left: this start leads nowhere
        return False
    return True

"""From tissue to stored voxels: contrast, blur, noise and bias of a scanner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radcurate.demo.body import Body
from radcurate.demo.geometry import Floats
from radcurate.demo.noise import drift, grain
from radcurate.demo.tissue import table

HU, T1, T2, SUV = 0, 1, 2, 3


@dataclass(frozen=True)
class Look:
    """How a scanner's images look: noise (HU for CT, share of the tissue signal for MR and PET), its grain in pixels,
    point spread in mm, MR gain and bias strength, strength of the tumour's texture as a share of its contrast."""

    noise: float
    grain: float = 0.6
    blur: float = 1.2
    gain: float = 1.0
    bias: float = 0.2
    texture: float = 1.0


_TEXTURE = {HU: 14.0, T1: 60.0, T2: 90.0, SUV: 1.3}


def expected_signal(body: Body, column: int, blur: float = 0.8, texture: float = 1.0) -> Floats:
    """Noiseless image, shape (plane, row, column), in HU, arbitrary MR units or SUVbw by `column`; blur in mm."""
    image = table(column)[body.tissue]
    image += body.texture * np.float32(_TEXTURE[column] * texture) * (body.tumour < 0)
    if blur > 0:
        image = ndimage.gaussian_filter(image, [blur / s for s in body.geometry.spacing], truncate=3.0)
    return np.asarray(image, np.float32)


def ct(body: Body, look: Look, seed: int) -> Floats:
    """CT numbers in HU, shape (plane, row, column)."""
    rng = np.random.default_rng([seed, 21])
    image = expected_signal(body, HU, look.blur, look.texture)
    image += grain(rng, image.shape, look.grain) * np.float32(look.noise)
    return np.clip(image, -1024, 3000)


def mr(body: Body, look: Look, seed: int, column: int = T1) -> Floats:
    """MR magnitude in arbitrary units, not negative, with Rician noise and a bias field."""
    rng = np.random.default_rng([seed, 22, column])
    image = expected_signal(body, column, look.blur, look.texture)
    image *= drift(rng, image.shape, look.bias)
    sigma = np.float32(look.noise * 400)
    real = image + grain(rng, image.shape, 0) * sigma
    return np.asarray(np.hypot(real, grain(rng, image.shape, 0) * sigma) * look.gain, np.float32)


def pt(body: Body, look: Look, seed: int) -> Floats:
    """PET uptake as SUVbw, not negative."""
    rng = np.random.default_rng([seed, 23])
    image = expected_signal(body, SUV, look.blur, look.texture)
    image += grain(rng, image.shape, look.grain) * look.noise * np.sqrt(np.maximum(image, 0.05))
    return np.maximum(image, 0)

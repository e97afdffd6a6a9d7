"""Every choice of every filter, each once with its meaning: the list `filters` of an extraction profile.

Lengths are in mm or, where a filter is defined on voxels, in voxels.
"""

from __future__ import annotations

import itertools
import re
from abc import ABC, abstractmethod
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from radcurate.settings import Section

Boundary = Literal["zero", "nearest", "periodic", "mirror"]
Pooling = Literal["max", "average"]


class Choice(Section, ABC):
    """What all filters have."""

    name: str | None = Field(
        None,
        pattern=r"^[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*$",
        description="First part of its columns' names; null: made of the filter's parameters.",
    )
    dimension: Literal["2D", "3D"] = Field("3D", description="2D: every plane by itself.")

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the filtered images, in the order in which they are computed."""
        return (self.name or self._described(),)

    @abstractmethod
    def _described(self) -> str:
        """The parameters that set it apart, as a name."""


class Mean(Choice):
    """Mean filter (IBSI S60F)."""

    kind: Literal["mean"]
    size: int = Field(5, ge=1, description="Edge of the averaged cube in voxels, odd.")
    boundary: Boundary = Field("mirror", description="What lies outside of the image.")

    @field_validator("size")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("size is odd")
        return value

    def _described(self) -> str:
        return _joined("mean", self.size, _flat(self))


class LaplacianOfGaussian(Choice):
    """Laplacian of Gaussian (IBSI L6PA)."""

    kind: Literal["log"]
    sigma: float = Field(gt=0, description="Width of the Gaussian in mm.")
    cutoff: float = Field(4.0, gt=0, description="The kernel ends at so many sigma.")
    boundary: Boundary = Field("mirror", description="What lies outside of the image.")

    def _described(self) -> str:
        return _joined("log", self.sigma, _flat(self))


class Laws(Choice):
    """Laws kernels and their energy images (IBSI JTXT)."""

    kind: Literal["laws"]
    kernels: str = Field(description="For each axis x, y, z (2D: x, y) one of L5 E5 S5 W5 R5 L3 E3 S3: `L5E5E5`.")
    rotation_invariant: bool = Field(True, description="Pool the responses to the kernels turned by all right angles.")
    pooling: Pooling = Field("max", description="How they are pooled.")
    energy: int | None = Field(
        7, ge=1, description="Average of the absolute response over so many voxels to each side; null: the response."
    )
    boundary: Boundary = Field("mirror", description="What lies outside of the image.")

    @model_validator(mode="after")
    def _one_kernel_an_axis(self) -> Laws:
        axes = 3 if self.dimension == "3D" else 2
        if not re.fullmatch(rf"([LESWR]5|[LES]3){{{axes}}}", self.kernels):
            raise ValueError(f"kernels has {axes} of L5 E5 S5 W5 R5 L3 E3 S3, such as {'L5E5E5'[: 2 * axes]}")
        return self

    def _described(self) -> str:
        energy = None if self.energy is None else f"energy{self.energy}"
        return _joined("laws", self.kernels, energy, _turned(self), _flat(self))


class Gabor(Choice):
    """Gabor filter within planes; the modulus of its response (IBSI Q88H)."""

    kind: Literal["gabor"]
    sigma: float = Field(gt=0, description="Width of the Gaussian along the wave in mm.")
    wavelength: float = Field(gt=0, description="Of the wave, in mm.")
    aspect: float = Field(1.0, gt=0, description="Width of the Gaussian along the wave over that across it.")
    angle: float = Field(0.0, ge=0, lt=360, description="Of the wave to the x axis, in degrees.")
    angle_step: float | None = Field(
        None, gt=0, le=180, description="Pool over angles so many degrees apart, from `angle` on; null: one angle."
    )
    orthogonal_planes: bool = Field(
        False, description="Pool over the three families of planes, not only those across z; for 3D."
    )
    pooling: Pooling = Field("average", description="How responses are pooled.")
    cutoff: float = Field(7.0, gt=0, description="The kernel ends at so many sigma.")
    boundary: Boundary = Field("mirror", description="What lies outside of the image.")

    @model_validator(mode="after")
    def _whole_turn(self) -> Gabor:
        if self.angle_step is not None and abs(180 / self.angle_step - round(180 / self.angle_step)) > 1e-9:
            raise ValueError("angle_step divides 180 degrees")
        if self.orthogonal_planes and self.dimension == "2D":
            raise ValueError("orthogonal_planes needs dimension 3D")
        return self

    def _described(self) -> str:
        angles = self.angle if self.angle_step is None else f"step{_number(self.angle_step)}"
        planes = "planes" if self.orthogonal_planes else None
        return _joined("gabor", self.sigma, self.wavelength, self.aspect, angles, planes, _flat(self))


class Wavelet(Choice):
    """Separable wavelet, undecimated (IBSI 25BO)."""

    kind: Literal["wavelet"]
    family: str = Field("coif1", description="haar, db2, db3, …, sym2, …, coif1, …, bior1.3, …, as in PyWavelets.")
    level: int = Field(1, ge=1, le=5, description="Of the decomposition.")
    subbands: tuple[str, ...] | None = Field(
        None, min_length=1, description="L (low) or H (high) for x, y, z (2D: x, y): `LLH`; null: all that differ."
    )
    rotation_invariant: bool = Field(False, description="Pool the responses to the kernels turned by all right angles.")
    pooling: Pooling = Field("average", description="How they are pooled.")
    boundary: Boundary = Field("mirror", description="What lies outside of the image.")

    @model_validator(mode="after")
    def _known(self) -> Wavelet:
        import pywt

        if self.family not in pywt.wavelist(kind="discrete"):
            raise ValueError("family is a discrete wavelet, such as haar, db3 or coif1")
        axes = 3 if self.dimension == "3D" else 2
        for subband in self.subbands or ():
            if not re.fullmatch(f"[LH]{{{axes}}}", subband):
                raise ValueError(f"subbands have {axes} letters L or H, such as {'LLH'[-axes:]}")
        return self

    @property
    def chosen(self) -> tuple[str, ...]:
        """The subbands; of those that are rotations of each other, one, where rotations are pooled."""
        axes = 3 if self.dimension == "3D" else 2
        every = ["".join(letters) for letters in itertools.product("LH", repeat=axes)]
        if self.rotation_invariant:
            every = [subband for subband in every if list(subband) == sorted(subband, reverse=True)]
        return self.subbands or tuple(every)

    @property
    def labels(self) -> tuple[str, ...]:
        """One for each subband."""
        first = self.name or self._described()
        return tuple(f"{first}_{subband}" for subband in self.chosen)

    def _described(self) -> str:
        level = None if self.level == 1 else f"level{self.level}"
        return _joined("wavelet", self.family, level, _turned(self), _flat(self))


class Simoncelli(Choice):
    """Non-separable, isotropic wavelet of Simoncelli's band (IBSI PRT7); periodic, computed on the whole image."""

    kind: Literal["simoncelli"]
    level: int = Field(1, ge=1, le=8, description="Of the decomposition; 1 has the finest structures.")

    def _described(self) -> str:
        return _joined("simoncelli", self.level, _flat(self))


class Riesz(Choice):
    """Riesz transform of another filter's response (IBSI AYRS); periodic, computed on the whole image."""

    kind: Literal["riesz"]
    order: tuple[int, int, int] = Field(description="Along x, y and z; their sum is the order of the transform.")
    of: Annotated[LaplacianOfGaussian | Simoncelli, Field(discriminator="kind")] = Field(
        description="The filter before it, log or simoncelli."
    )

    @model_validator(mode="after")
    def _some_order(self) -> Riesz:
        if min(self.order) < 0 or sum(self.order) < 1:
            raise ValueError("order has no negative number and not only zeros")
        if self.dimension == "2D" and self.order[2]:
            raise ValueError("order has no z in 2D")
        if self.of.dimension != self.dimension:
            raise ValueError("both filters have the same dimension")
        return self

    def _described(self) -> str:
        return _joined("riesz", "".join(str(part) for part in self.order), self.of.labels[0])


Filter = Annotated[
    Mean | LaplacianOfGaussian | Laws | Gabor | Wavelet | Simoncelli | Riesz, Field(discriminator="kind")
]


KINDS: dict[str, type[Choice]] = {
    "mean": Mean,
    "log": LaplacianOfGaussian,
    "laws": Laws,
    "gabor": Gabor,
    "wavelet": Wavelet,
    "simoncelli": Simoncelli,
    "riesz": Riesz,
}


def _joined(*parts: str | float | None) -> str:
    return "_".join(part if isinstance(part, str) else _number(part) for part in parts if part is not None)


def _number(value: float) -> str:
    """`1_5` for 1.5: a name may be a variable's."""
    return f"{value:g}".replace(".", "_").replace("+", "").replace("-", "m")


def _flat(choice: Choice) -> str | None:
    return "2D" if choice.dimension == "2D" else None


def _turned(choice: Laws | Wavelet) -> str | None:
    return "invariant" if choice.rotation_invariant else None

"""The compiled library and the types that its functions take."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.ctypeslib import ndpointer
from numpy.typing import DTypeLike

from radcurate.features.kernels import _kernels

_LIBRARY = ctypes.CDLL(_kernels.__file__)

SIZE = ctypes.c_int64
REAL = ctypes.c_double


def array(dtype: DTypeLike, dimensions: int) -> Any:
    """The type of a C-contiguous array argument; ctypes refuses any other array."""
    return ndpointer(dtype=np.dtype(dtype), ndim=dimensions, flags="C_CONTIGUOUS")


def function(name: str, arguments: Sequence[Any], result: Any = None) -> Callable[..., Any]:
    """The exported C function `name`."""
    found = getattr(_LIBRARY, name)
    found.argtypes, found.restype = list(arguments), result
    return found  # type: ignore[no-any-return]

"""deepbet's networks (MIT; https://github.com/wwu-mmll/deepbet) without torch: weights from its wheel, run by onnxruntime.

The wheel holds two TorchScript archives of one architecture, a LinkNet in three dimensions (Chaurasia & Culurciello 2017):
one finds the brain in a small picture of the whole head, the other draws it. An archive is a zip with a pickle and raw
float32 arrays; only those arrays are read, by a reader that knows four names and no others. The graph is written down
here as the archive's code runs it and handed to onnxruntime in ONNX's own wire format, which needs no package.
"""

from __future__ import annotations

import importlib.metadata
import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radcurate.errors import CurationError

FINDER, DRAWER = "bbox_model.pt", "model.pt"
DIVISOR = 32  # the network halves five times: sides are multiples of it
EPSILON = 1e-5  # torch.nn.InstanceNorm3d

Array = NDArray[np.float32]
Attribute = int | float | list[int]


def brain_probability(name: str, values: Array) -> Array:
    """Probability of brain for each voxel, by one of the two networks.

    Args:
        name: FINDER (made for 128 × 128 × 128 voxels) or DRAWER (256 × 256 × 256).
        values: normalised intensities, shape (x, y, z) from left to right, back to front, bottom to top (NIfTI's RAS);
            sides are multiples of DIVISOR.

    Returns:
        0 … 1, shape of `values`.
    """
    if any(n % DIVISOR for n in values.shape):
        raise ValueError(f"sides of {values.shape} are no multiples of {DIVISOR}")
    (shares,) = _session(name).run(None, {"x": np.ascontiguousarray(values, np.float32)[None, None]})
    return np.asarray(shares[0, 1])


@lru_cache(maxsize=2)
def _session(name: str) -> Any:
    import onnxruntime  # a quarter of a second that only a head pays

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # what a head needed is given back
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(linknet(weights(name)), options, providers=["CPUExecutionProvider"])


def weights(name: str) -> dict[str, Array]:
    """The arrays of an archive by their names, such as `down0.block1.double_conv.0.weight`.

    Raises:
        CurationError: the archive holds something else than the arrays of such a network.
    """
    try:
        # found by its record: importing the package asks for torch
        path = importlib.metadata.distribution("deepbet").locate_file(f"data/models/{name}")
        with zipfile.ZipFile(str(path)) as archive:
            inner = next(entry for entry in archive.namelist() if entry.endswith("/data.pkl"))
            reader = _Reader(io.BytesIO(archive.read(inner)), archive, inner.removesuffix("data.pkl"))
            return _flat(reader.load(), "")
    except (
        ImportError,
        OSError,
        LookupError,
        StopIteration,
        ValueError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
    ) as error:
        raise CurationError(
            "the brain network of the package deepbet can't be read",
            wanted=f"the TorchScript archive data/models/{name} of deepbet 1.0.2",
            found=type(error).__name__,
            fix="install the package again (make), or the version that uv.lock names",
        ) from error


class _Module:
    """A module of the archive: what it holds, by name."""

    held: dict[str, Any]

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.held = state


class _Reader(pickle.Unpickler):
    """Reads modules and float32 arrays; any other name in the pickle is an error, because a pickle can run programs."""

    def __init__(self, stream: io.BytesIO, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(stream)
        self.archive, self.folder = archive, folder

    def find_class(self, module: str, name: str) -> Any:
        if module == "__torch__" or module.startswith("__torch__."):
            return _Module
        known = {
            ("torch._utils", "_rebuild_tensor_v2"): _array,
            ("torch", "FloatStorage"): "float32",
            ("collections", "OrderedDict"): OrderedDict,
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError("an unknown name")
        return known[module, name]

    def persistent_load(self, pid: Any) -> Array:
        kind, dtype, key, _, _ = pid
        if (kind, dtype) != ("storage", "float32"):
            raise pickle.UnpicklingError("an unknown storage")
        return np.frombuffer(self.archive.read(f"{self.folder}data/{key}"), "<f4")


def _array(storage: Array, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> Array:
    length = int(np.prod(shape))
    plain = np.empty(shape, np.float32).strides
    if tuple(4 * n for n in strides) != plain or offset + length > storage.size:
        raise ValueError("an array that is no plain block")
    return storage[offset : offset + length].reshape(shape)


def _flat(module: _Module, prefix: str) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for name, held in module.held.items():
        if isinstance(held, _Module):
            found |= _flat(held, f"{prefix}{name}.")
        elif isinstance(held, np.ndarray):
            found[prefix + name] = held
    return found


def linknet(arrays: dict[str, Array]) -> bytes:
    """The network as an ONNX model: input `x` of shape (1, 1, x, y, z), output `y` (1, 2, x, y, z), background and brain."""
    graph = _Graph(arrays)
    x = graph.layer("x", "init.0", stride=2, pad=3)
    x = graph.pooled = graph.node("MaxPool", [x], {"kernel_shape": [3] * 3, "strides": [2] * 3, "pads": [1] * 6})
    levels = []
    for n in range(4):
        first = 2 if n else 1
        x = graph.block(x, f"down{n}.block1", first)
        x = graph.block(x, f"down{n}.block2", 1)
        levels.append(x)
    skipped = [levels[2], levels[1], levels[0], graph.pooled]
    for n, beside in enumerate(skipped):
        x = graph.layer(x, f"up{n}.conv1.0")
        x = graph.layer(x, f"up{n}.tp_conv.0", stride=1 if n == 3 else 2, pad=1, transposed=True)
        x = graph.layer(x, f"up{n}.conv2.0")
        x = graph.node("Add", [x, beside])
    x = graph.layer(x, "tp_conv1.0", stride=2, pad=1, transposed=True)
    x = graph.layer(x, "conv.0", pad=1)
    x = graph.convolution(x, "tp_conv2", stride=2, transposed=True)
    graph.node("Softmax", [x], {"axis": 1}, output="y")
    return graph.model()


@dataclass
class _Graph:
    """Nodes of an ONNX graph and their arrays, encoded as they are added."""

    arrays: dict[str, Array]
    nodes: list[bytes] = field(default_factory=list)
    held: dict[str, Array] = field(default_factory=dict)
    pooled: str = ""

    def node(
        self, operator: str, inputs: list[str], attributes: Mapping[str, Attribute] | None = None, output: str = ""
    ) -> str:
        output = output or f"v{len(self.nodes)}"
        named = b"".join(_text(1, name) for name in inputs) + _text(2, output) + _text(4, operator)
        named += b"".join(_bytes(5, _attribute(name, value)) for name, value in (attributes or {}).items())
        self.nodes.append(named)
        return output

    def convolution(self, x: str, name: str, stride: int = 1, pad: int = 0, transposed: bool = False) -> str:
        weight = self.arrays[f"{name}.weight"]
        inputs = [x, self.hold(f"{name}.weight", weight)]
        if f"{name}.bias" in self.arrays:
            inputs.append(self.hold(f"{name}.bias", self.arrays[f"{name}.bias"]))
        shape: dict[str, Attribute] = {
            "kernel_shape": list(weight.shape[2:]),
            "strides": [stride] * 3,
            "pads": [pad] * 6,
        }
        if not transposed:
            return self.node("Conv", inputs, shape)
        # an even side stays even: 3 voxels wide needs one more at the end, 2 voxels wide none
        more = stride - 1 if weight.shape[2] == 3 else 0
        return self.node("ConvTranspose", inputs, shape | {"output_padding": [more] * 3})

    def normed(self, x: str, channels: int) -> str:
        """Instance normalisation without parameters of its own."""
        scale = self.hold(f"ones{channels}", np.ones(channels, np.float32))
        shift = self.hold(f"zeros{channels}", np.zeros(channels, np.float32))
        return self.node("InstanceNormalization", [x, scale, shift], {"epsilon": EPSILON})

    def layer(self, x: str, name: str, stride: int = 1, pad: int = 0, transposed: bool = False) -> str:
        """Convolution, normalisation, rectifier."""
        x = self.convolution(x, name, stride, pad, transposed)
        return self.node("Relu", [self.normed(x, self.arrays[f"{name}.weight"].shape[1 if transposed else 0])])

    def block(self, x: str, name: str, stride: int) -> str:
        """Two convolutions beside what went in."""
        beside = x
        channels = len(self.arrays[f"{name}.double_conv.0.weight"])
        inner = self.layer(x, f"{name}.double_conv.0", stride, 1)
        inner = self.normed(self.convolution(inner, f"{name}.double_conv.3", pad=1), channels)
        if f"{name}.downsample.0.weight" in self.arrays:
            beside = self.normed(self.convolution(x, f"{name}.downsample.0", stride), channels)
        return self.node("Relu", [self.node("Add", [inner, beside])])

    def hold(self, name: str, values: Array) -> str:
        self.held[name] = values
        return name

    def model(self) -> bytes:
        """ModelProto of ONNX's onnx.proto3: IR version 8, operator set 17."""
        graph = b"".join(_bytes(1, node) for node in self.nodes) + _text(2, "linknet3d")
        graph += b"".join(_bytes(5, _tensor(name, values)) for name, values in self.held.items())
        graph += _bytes(11, _value("x", 1)) + _bytes(12, _value("y", 2))
        return _number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 17))


# protocol buffers' wire format (https://protobuf.dev/programming-guides/encoding): fields of numbers, and of bytes


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _number(tag: int, number: int) -> bytes:
    return _varint(tag << 3) + _varint(number)


def _bytes(tag: int, content: bytes) -> bytes:
    return _varint(tag << 3 | 2) + _varint(len(content)) + content


def _text(tag: int, text: str) -> bytes:
    return _bytes(tag, text.encode())


def _attribute(name: str, value: Attribute) -> bytes:
    """AttributeProto: of type FLOAT (1), INT (2) or INTS (7)."""
    if isinstance(value, float):
        return _text(1, name) + _varint(2 << 3 | 5) + struct.pack("<f", value) + _number(20, 1)
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, 2)
    return _text(1, name) + b"".join(_number(8, n) for n in value) + _number(20, 7)


def _tensor(name: str, values: Array) -> bytes:
    """TensorProto of type FLOAT (1), as raw little-endian data."""
    return (
        b"".join(_number(1, n) for n in values.shape)
        + _number(2, 1)
        + _text(8, name)
        + _bytes(9, np.ascontiguousarray(values, "<f4").tobytes())
    )


def _value(name: str, channels: int) -> bytes:
    """ValueInfoProto of a float tensor (1, channels, x, y, z)."""
    sides = [_number(1, 1), _number(1, channels), _text(2, "sx"), _text(2, "sy"), _text(2, "sz")]
    shape = b"".join(_bytes(1, side) for side in sides)
    return _text(1, name) + _bytes(2, _bytes(1, _number(1, 1) + _bytes(2, shape)))

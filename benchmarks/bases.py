"""Pictures without text, from the public test data: what `benchmarks.texts` draws on, and what must not be flagged.

Each was looked at (or, of a stack, every twentieth plane was) and shows no letters; of pictures that have some, the part
without. Those of one patient or phantom go to one part: a part is tuned on, or counted at the end, never both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import config as pydicom_config
from pydicom.pixels import apply_color_lut, convert_color_space

Image = NDArray[np.float64]  # (row, column) or (row, column, red green blue)
PARTS = ("tuning", "final")
SALT = "radcurate text-free pictures, split 1"

_PYDICOM, _MORE = "pydicom_testfiles/src/pydicom/data/test_files", "pydicom_data/data_store/data"
_DEID = "pypi/x/deid-data-0.0.20/deid_data/data/ultrasounds"
_JSL = "jsl_visual_nlp/jupyter/data/dicom"
_MARKET = "jsl_visual_nlp/products/sagemaker/models/dicom_deid_pixels_platform_en/inputs/batch"
_PRESIDIO = "presidio/presidio-image-redactor/tests/test_data"
_STS = ("001", "002", "003", "006", "008", "010", "012", "015", "032")


@dataclass(frozen=True)
class Source:
    """Where pictures come from.

    group: patient or phantom. kind: of picture; each kind is split by itself, so that both parts have some of each.
    part: rows and columns without text (top, left, bottom, right). every: n-th plane of a stack. enlarge: whole number.
    """

    group: str
    kind: str
    modality: str
    files: str
    part: tuple[int, int, int, int] | None = None
    every: int = 4
    enlarge: int = 1
    crops: int = 1  # how many places of a large picture are taken


def _sarcoma() -> Iterator[Source]:
    for number in _STS:
        for modality, folder, enlarge in (("CT", "CT", 2), ("MR", "MR_T1", 3), ("PT", "PET", 8)):
            files = f"ibsi/ibsi_validation/dicom/STS_{number}/{folder}/image/*.dcm"
            yield Source(f"sarcoma {number}", "sarcoma", modality, files, enlarge=enlarge)


SOURCES = (
    *_sarcoma(),
    Source("lung", "body", "CT", "ibsi/ibsi_1_ct_radiomics_phantom/dicom/image/*.dcm", every=3, enlarge=2),
    Source("liver", "body", "CT", "dcmqi/data/segmentations/ct-3slice/*.dcm", every=1, crops=2),
    Source("abdomen", "body", "MR", "seg3ddata/example_dicom/*.dcm", every=1, crops=2),
    Source("overlay", "body", "MR", f"{_PYDICOM}/examples_overlay.dcm", crops=2),
    Source("shoulder", "body", "MR", f"{_MORE}/MR2_J2KI.dcm", crops=4),
    Source("knee", "body", "MR", "nibabel/nibabel/nicom/tests/data/slicethickness_empty_string.dcm", crops=2),
    Source("spine", "body", "CT", f"{_PYDICOM}/CT_small.dcm", enlarge=3),
    Source("bones", "body", "NM", f"{_MORE}/JPEG-LL.dcm", crops=3),
    Source("water", "body", "CT", "rt_utils/tests/mock_data/ct_*.dcm", every=1, crops=2),
    Source("adi", "head", "MR", "fnndsc_data/dicom/adi_brain/3674*", every=8, enlarge=2),
    Source("inv3", "head", "CT", "apt/inv3/tmpocjcea/matrix.dat", every=6, enlarge=2),
    Source("gantry", "head", "CT", "dcm_qa_ct/In/GE/*.dcm", every=2),
    Source("headsq", "head", "CT", "vtk_data/Data/headsq/quarter.[0-9]*", every=8, enlarge=5),
    Source("ext", "head", "MR", "niivue_demo_images/register/T1_head_ext2.nii.gz", every=10, enlarge=2),
    Source("ch2", "head", "MR", "apt/x/usr/share/mricron/templates/ch2.nii.gz", every=12, enlarge=2),
    Source("mean", "head", "MR", "mridefacer/data/head_tmpl.nii.gz", every=9, enlarge=3),
    Source("cq500", "head", "CT", f"{_PYDICOM}/693_J2KI.dcm", crops=2),
    Source("skull", "head", "CT", f"{_PYDICOM}/J2K_pixelrep_mismatch.dcm", crops=2),
    Source("plastic", "head", "CT", "dcm_qa_ct/In/Philips/S21570/S4010/I[123]0", every=1),
    Source(
        "heart", "ultrasound", "US", f"{_PYDICOM}/examples_ybr_color.dcm", part=(30, 60, 180, 230), every=3, enlarge=2
    ),
    Source("artery", "ultrasound", "US", f"{_MORE}/color-pl.dcm", part=(0, 10, 120, 170), enlarge=3, crops=2),
    Source("node", "ultrasound", "US", f"{_MORE}/US1_J2KI.dcm", part=(150, 90, 330, 590), crops=3, enlarge=2),
    Source("breast", "ultrasound", "US", f"{_DEID}/GREYSCALE_IMAGE.dcm", part=(90, 270, 690, 860), crops=4),
    Source("sag", "ultrasound", "US", f"{_DEID}/RGB_IMAGE.dcm", part=(100, 260, 480, 690), crops=3),
    Source("fetus", "ultrasound", "US", f"{_PYDICOM}/examples_palette.dcm", part=(45, 350, 130, 560), enlarge=3),
    Source("chest", "x-ray", "CR", f"{_PRESIDIO}/0_ORIGINAL_compressed.dcm", part=(480, 60, 1740, 2080), crops=8),
    Source("stiles", "x-ray", "CR", f"{_JSL}/John_Stiles.dcm", part=(200, 10, 690, 790), crops=4),
    Source("dental", "x-ray", "DX", f"{_JSL}/encapsulated/EncapsulatedPdf.dcm", part=(0, 70, 370, 800), crops=4),
    Source("dog", "x-ray", "DX", "highdicom/data/test_files/dx_image.dcm", enlarge=3),
    Source("noise", "x-ray", "DX", f"{_MARKET}/example_input_1.dcm", part=(240, 0, 800, 800), crops=4),
    Source("mamma", "x-ray", "MG", f"{_MARKET}/example_input_2.dcm", part=(270, 0, 800, 576), crops=4),
    Source("squares", "other", "OT", f"{_PYDICOM}/image_dfl.dcm", crops=3),
    Source("fused", "other", "PT", f"{_PRESIDIO}/RGB_ORIGINAL.dcm", crops=3),
    Source("specks", "other", "OT", f"{_PYDICOM}/SC_rgb_jpeg.dcm", enlarge=2),
    Source("bars", "other", "OT", f"{_MORE}/SC_rgb.dcm", enlarge=3),
)


def _order(text: str) -> bytes:
    return hashlib.sha256(f"{SALT}|{text}".encode()).digest()


def _split() -> dict[str, str]:
    """Part of each group: within a kind, in the order of their hashes, two of five go to tuning, the others are counted."""
    found = {}
    for kind in sorted({source.kind for source in SOURCES}):
        groups = sorted({source.group for source in SOURCES if source.kind == kind}, key=_order)
        for place, group in enumerate(groups):
            found[group] = PARTS[0] if place % 5 in (1, 3) else PARTS[1]
    return found


PART_OF = _split()


@dataclass(frozen=True)
class Base:
    """One picture without text."""

    source: Source
    plane: int
    crop: int

    @property
    def name(self) -> str:
        """Of group, modality, plane and place."""
        return f"{self.source.group} {self.source.modality} {self.plane}.{self.crop}"


def bases(data: Path, part: str) -> list[Base]:
    """All pictures of a part, in the order of their hashes."""
    found = [
        Base(source, plane, crop)
        for source in SOURCES
        if PART_OF[source.group] == part
        for plane in range(0, len(_planes(data, source)), source.every)
        for crop in range(source.crops)
    ]
    return sorted(found, key=lambda base: _order(base.name))


def stack(data: Path, source: Source) -> NDArray[np.float64]:
    """A whole stack as it is, (plane, row, column)."""
    return np.stack([np.asarray(_read(data, path, index), float) for path, index in _planes(data, source)])


def read_base(data: Path, base: Base, rng: np.random.Generator, *, longest: int = 640) -> Image:
    """Its values, in the unit of the file; large ones cut to at most `longest` at a place drawn from `rng`.

    Empty pictures (a plane beside the patient) come as they are.
    """
    path, index = _planes(data, base.source)[base.plane]
    values = np.asarray(_read(data, path, index), float)
    if base.source.part:
        top, left, bottom, right = base.source.part
        values = values[top:bottom, left:right]
    if base.source.enlarge > 1:
        values = _enlarged(values, base.source.enlarge)
    rows, columns = (min(size, longest) for size in values.shape[:2])
    top, left = (
        int(rng.integers(0, have - take + 1)) for have, take in zip(values.shape[:2], (rows, columns), strict=True)
    )
    values = values[top : top + rows, left : left + columns]
    return values[:, ::-1] if base.crop % 2 else values


def _enlarged(values: Image, times: int) -> Image:
    """By cubic splines, as a viewer shows it; a spline's swing beyond what there was is cut."""
    import cv2

    size = (values.shape[1] * times, values.shape[0] * times)
    larger = cv2.resize(values, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(larger, values.min(), values.max()), float)


@lru_cache(maxsize=256)
def _planes(data: Path, source: Source) -> tuple[tuple[Path, int], ...]:
    paths = sorted(data.glob(source.files))
    if not paths:
        raise FileNotFoundError(f"no test data for {source.group}")
    if "quarter" in source.files:
        paths = sorted(paths, key=lambda path: int(path.suffix[1:]))
    return tuple((path, index) for path in paths for index in range(_frames(path)))


def _frames(path: Path) -> int:
    if path.suffix in (".gz", ".dat"):
        return int(_volume(path).shape[0])
    if path.parent.name == "headsq":
        return 1
    return int(_header(path).get("NumberOfFrames", 1) or 1)


@lru_cache(maxsize=4)
def _volume(path: Path) -> NDArray[Any]:
    """A NIfTI file's planes from feet to head, each seen from below; the head CT of raw values."""
    if path.suffix == ".dat":
        return np.fromfile(path, "<i2").reshape(108, 256, 256)
    image = nibabel.as_closest_canonical(nibabel.load(path))  # type: ignore[no-untyped-call]
    return np.asarray(image.dataobj).reshape(image.shape[:3]).transpose(2, 1, 0)[:, ::-1, ::-1]


def _header(path: Path) -> pydicom.Dataset:
    with pydicom_config.disable_value_validation():
        return pydicom.dcmread(path, stop_before_pixels=True, force=True)


@lru_cache(maxsize=8)
def _decoded(path: Path) -> tuple[NDArray[Any], str]:
    with pydicom_config.disable_value_validation():
        dataset = pydicom.dcmread(path, force=True)
        values, photometric = dataset.pixel_array, str(dataset.PhotometricInterpretation)
        if photometric == "PALETTE COLOR":
            return apply_color_lut(values, dataset) >> 8, "RGB"
        if photometric.startswith("YBR_FULL"):
            return convert_color_space(values, "YBR_FULL", "RGB"), "RGB"
    return values, photometric


def _read(data: Path, path: Path, index: int) -> NDArray[Any]:
    if path.suffix in (".gz", ".dat"):
        return _volume(path)[index]
    if path.parent.name == "headsq":
        return np.fromfile(path, "<u2")[-64 * 64 :].reshape(64, 64)
    values, photometric = _decoded(path)
    values = values[index] if _frames(path) > 1 else values
    return values.max() - values if photometric == "MONOCHROME1" else values

"""Real files of the public test data with text in their pixels, and where it stands; read off by eye, to within a few pixels.

People and hospitals in them are made up by their publishers, or phantoms. Here stands where, not what.
"""

from __future__ import annotations

from dataclasses import dataclass

from radcurate.redact.found import Box

_PRESIDIO = "presidio/presidio-image-redactor/tests/test_data"
_ULTRASOUND = "pypi/x/deid-data-0.0.20/deid_data/data/ultrasounds"
_JSL = "jsl_visual_nlp/jupyter/data/dicom"
_MARKET = "jsl_visual_nlp/products/sagemaker/models/dicom_deid_pixels_platform_en/inputs/batch"
_SCREENS = "dcm_qa_ct/In/Philips/S21570/S4010"
_PYDICOM = "pydicom_testfiles/src/pydicom/data/test_files"


@dataclass(frozen=True)
class Written:
    """A frame with text.

    identity: lines that name a person, number, day or hospital. other: lines of at least three letters or digits.
    """

    path: str
    identity: tuple[Box, ...]
    other: tuple[Box, ...] = ()
    frame: int = 0
    strict: bool = True


def _lines(*rows: tuple[int, int, int, int]) -> tuple[Box, ...]:
    return tuple(Box(*row) for row in rows)


def _column(first: int, step: int, height: int, spans: tuple[tuple[int, int, int], ...]) -> tuple[Box, ...]:
    """Lines of a table: (number of the line, left, right)."""
    return tuple(
        Box(first + number * step, left, first + number * step + height, right) for number, left, right in spans
    )


_LABELS = (
    76,
    84,
    103,
    85,
    59,
    98,
    35,
    84,
    165,
    147,
    146,
    144,
    162,
    121,
    160,
    116,
    123,
    111,
    228,
    132,
    109,
    98,
    139,
    119,
)

WRITTEN = (
    Written(
        f"{_PRESIDIO}/0_ORIGINAL_compressed.dcm",
        _lines((0, 0, 36, 814), (45, 17, 82, 363)),
        _lines((20, 1749, 66, 2092), (103, 1895, 139, 2116)),
    ),
    Written(
        "presidio/docs/samples/python/sample_data/2_ORIGINAL.dcm",
        _lines((0, 0, 13, 230), (14, 4, 27, 115)),
        strict=False,
    ),
    Written(
        f"{_ULTRASOUND}/GREYSCALE_IMAGE.dcm",
        _lines((5, 8, 21, 173), (5, 183, 21, 282), (5, 391, 21, 516), (5, 555, 21, 686), (5, 823, 21, 1010)),
        _lines(
            (27, 14, 44, 139),
            (27, 827, 44, 985),
            (55, 14, 72, 76),
            (79, 14, 96, 69),
            (161, 26, 177, 66),
            (181, 14, 197, 97),
            (201, 14, 217, 73),
            (221, 21, 237, 56),
            (241, 20, 257, 68),
            (700, 856, 718, 914),
        ),
    ),
    Written(
        f"{_ULTRASOUND}/RGB_IMAGE.dcm",
        _lines((6, 4, 25, 227), (6, 504, 26, 717), (6, 775, 25, 882), (35, 4, 53, 136), (35, 504, 53, 769)),
        (
            *_lines((64, 928, 81, 1018), (740, 518, 767, 694), (745, 798, 760, 846), (227, 932, 242, 1019)),
            *_column(84, 18, 15, ((0, 954, 1019), (1, 965, 1019), (2, 955, 1019))),
            *_column(147, 18, 15, ((0, 957, 1019), (1, 957, 1019), (2, 966, 1019), (3, 976, 1019))),
            *_column(263, 18, 15, ((0, 928, 1019), (1, 921, 1019), (2, 967, 1019), (3, 950, 1019), (4, 928, 1019))),
        ),
    ),
    Written(
        f"{_JSL}/Good_Guy.dcm",
        _lines((9, 672, 35, 909), (41, 688, 65, 911), (105, 677, 129, 911), (73, 4, 97, 320)),
        _lines(
            (10, 5, 33, 107),
            (41, 4, 65, 328),
            (105, 4, 129, 324),
            (137, 4, 161, 338),
            (73, 701, 97, 911),
            (228, 110, 250, 281),
            (469, 4, 492, 192),
            (916, 4, 942, 180),
            (948, 4, 972, 164),
        ),
    ),
    Written(
        f"{_JSL}/John_Stiles.dcm",
        _lines((37, 518, 53, 680), (55, 518, 71, 606), (108, 518, 124, 648), (144, 518, 160, 624)),
        _lines(
            (73, 518, 89, 643),
            (126, 518, 142, 587),
            (40, 24, 55, 66),
            (58, 24, 73, 75),
            (76, 24, 91, 72),
            (110, 24, 126, 65),
            (712, 591, 729, 782),
            (730, 591, 746, 709),
        ),
    ),
    Written(
        f"{_JSL}/MultiframeTest.dcm", _lines((156, 230, 181, 362)), _lines((69, 228, 97, 388), (118, 230, 141, 357))
    ),
    Written(
        f"{_JSL}/MultiframeTest.dcm",
        _lines((156, 230, 181, 362)),
        _lines((69, 228, 97, 388), (117, 229, 142, 377)),
        frame=1,
    ),
    Written(
        f"{_MARKET}/example_input_1.dcm",
        _column(84, 20, 17, ((0, 90, 439), (1, 90, 302), (2, 90, 291), (3, 90, 277), (5, 90, 242))),
        _lines((164, 90, 181, 158)),
    ),
    Written(
        f"{_MARKET}/example_input_2.dcm",
        _column(53, 20, 16, ((0, 425, 542), (1, 425, 536), (2, 425, 528), (4, 327, 549), (5, 327, 527), (6, 327, 520)))
        + _lines((213, 327, 229, 478)),
        _lines((53, 327, 69, 422), (73, 327, 88, 385), (113, 425, 128, 475), (193, 327, 210, 394)),
    ),
    Written(
        f"{_SCREENS}/I40",
        _lines((43, 328, 59, 391), (70, 328, 86, 369), (367, 328, 383, 547)),
        (
            *_lines(
                (10, 254, 30, 396),
                (151, 328, 167, 366),
                (232, 328, 248, 366),
                (475, 328, 491, 380),
                (556, 328, 572, 530),
            ),
            *_lines((664, 328, 680, 357)),
            *_column(43, 27, 16, tuple((number, 5, right) for number, right in enumerate(_LABELS))),
        ),
    ),
    Written(
        f"{_SCREENS}/I50",
        _lines((43, 328, 59, 365), (70, 328, 86, 480)),
        _lines(
            (11, 259, 29, 391),
            (43, 5, 59, 76),
            (70, 5, 86, 41),
            (97, 5, 114, 75),
            (97, 328, 114, 438),
            (267, 305, 284, 345),
            (308, 58, 325, 138),
            (297, 339, 314, 399),
            (297, 525, 315, 630),
            (342, 171, 358, 233),
            (342, 511, 358, 606),
            (367, 171, 384, 222),
            (367, 511, 384, 605),
            (367, 411, 384, 452),
        ),
    ),
    Written(
        f"{_SCREENS}/I60",
        (),
        (
            *_lines((11, 297, 29, 352), (41, 68, 59, 145), (41, 179, 59, 248), (41, 340, 59, 413), (41, 489, 60, 602)),
            *_column(
                68,
                28,
                16,
                tuple((row, left, right) for row in range(3) for left, right in ((38, 78), (312, 352), (447, 486))),
            ),
        ),
    ),
    Written(
        f"{_PYDICOM}/examples_palette.dcm",
        _lines((34, 94, 52, 265), (34, 326, 52, 511), (9, 669, 25, 776), (34, 669, 52, 782)),
        _lines((67, 2, 83, 75), (87, 126, 104, 215), (86, 240, 103, 303)),
    ),
    Written(
        "pydicom_data/data_store/data/US1_J2KI.dcm",
        _lines((27, 20, 39, 169), (43, 20, 55, 88)),
        _lines((363, 249, 375, 359), (458, 400, 471, 621), (59, 20, 71, 68)),
    ),
)

# drawn in (60xx,3000), which deidentify drops: numbers of planes, sides of the patient, an angle
OVERLAYS = (
    f"{_SCREENS}/I10",
    f"{_PRESIDIO}/RGB_ORIGINAL.dcm",
    "nibabel/nibabel/nicom/tests/data/slicethickness_empty_string.dcm",
)

# nothing is written in the pixels of these, or a marker of the side only; of stacks, some planes
CLEAN = (
    (f"{_SCREENS}/I[13]0", False),
    (f"{_PRESIDIO}/RGB_ORIGINAL.dcm", False),
    ("pypi/x/deid-data-0.0.20/deid_data/data/humans/ctbrain1.dcm", False),
    ("dcm_qa_ct/In/GE/0[15].dcm", False),
    ("dcmqi/data/segmentations/ct-3slice/01.dcm", False),
    ("seg3ddata/example_dicom/IM-0001-0001.dcm", False),
    ("nibabel/nibabel/nicom/tests/data/slicethickness_empty_string.dcm", False),
    (f"{_PYDICOM}/693_J2KI.dcm", False),
    (f"{_PYDICOM}/JPEG2000.dcm", False),
    (f"{_PYDICOM}/CT_small.dcm", False),
    (f"{_PYDICOM}/image_dfl.dcm", True),
    ("highdicom/data/test_files/dx_image.dcm", True),
    (f"{_JSL}/encapsulated/EncapsulatedPdf.dcm", True),
)

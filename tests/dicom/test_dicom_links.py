"""Contours find their image: by instance, by series, by frame of reference and geometry, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory_files import Export, uid
from radcurate.dicom.links import link, settle_images
from radcurate.dicom.scan import scan_batch
from radcurate.dicom.series import Series, build, file_digest, group
from radcurate.dicom.tree import find_files

IMAGE, OTHER = uid("image"), uid("other")


def linked(folder: Path, others: frozenset[str] = frozenset()) -> dict[str, Series]:
    """Series of a folder by UID, linked and settled."""
    batch = scan_batch(list(find_files(folder)), folder)
    series = [
        build(name, files, 0.01, lambda header, start: file_digest(folder, header, start))
        for name, files in group(batch.headers).items()
    ]
    link(series, others.__contains__)
    settle_images(series, set())
    return {one.uid: one for one in series}


def instances(heights: tuple[float, ...] = (0.0, 3.0, 6.0, 9.0), series: str = IMAGE) -> list[str]:
    return [uid(series, z) for z in heights]


@pytest.fixture
def export(tmp_path: Path) -> Export:
    made = Export(tmp_path)
    made.image(IMAGE)
    return made


def test_an_instance_reference_finds_the_image(export: Export) -> None:
    contour = export.rtstruct(IMAGE, instances((3.0,)))
    found = linked(export.folder)
    assert (found[contour].images, found[contour].link, found[contour].reason) == ([IMAGE], "instance", None)
    assert found[IMAGE].reason is None


def test_a_series_reference_serves_where_no_instance_resolves(export: Export) -> None:
    contour = export.rtstruct(IMAGE, ["2.25.99"])
    found = linked(export.folder)
    assert (found[contour].images, found[contour].link, found[contour].reason) == ([IMAGE], "series", None)


def test_a_seg_is_linked_by_its_references(export: Export) -> None:
    contour = export.seg(IMAGE, instances((0.0, 3.0)))
    assert linked(export.folder)[contour].images == [IMAGE]


def test_without_references_geometry_chooses_in_the_frame_of_reference(export: Export) -> None:
    for k in range(4):
        export.slice(OTHER, 3.0 * k + 1.4, f"other{k}", modality="MR")
    contour = export.rtstruct(heights=[3.0, 6.0])
    found = linked(export.folder)
    assert (found[contour].images, found[contour].link) == ([IMAGE], "frame_of_reference")
    assert found[OTHER].reason == "no_contour"


def test_a_seg_without_references_is_placed_by_its_frames(export: Export) -> None:
    contour = export.seg("")
    assert (linked(export.folder)[contour].images, linked(export.folder)[contour].link) == (
        [IMAGE],
        "frame_of_reference",
    )


def test_two_series_that_fit_equally_are_ambiguous(export: Export) -> None:
    export.image(OTHER, modality="MR")
    contour = export.rtstruct(heights=[3.0])
    assert linked(export.folder)[contour].reason == "ambiguous_image"


def test_a_contour_between_slices_has_no_image(export: Export) -> None:
    contour = export.rtstruct(heights=[1.5, 4.5])
    assert linked(export.folder)[contour].reason == "no_image"


def test_another_frame_of_reference_is_not_considered(export: Export) -> None:
    contour = Export(export.folder, study="later").rtstruct(heights=[3.0])
    assert linked(export.folder)[contour].reason == "no_image"


def test_an_absent_image_is_named(tmp_path: Path) -> None:
    contour = Export(tmp_path).rtstruct(IMAGE, instances())
    assert linked(tmp_path)[contour].reason == "no_image"


def test_the_image_of_another_patient_is_named(tmp_path: Path) -> None:
    contour = Export(tmp_path).rtstruct(IMAGE, instances())
    assert linked(tmp_path, frozenset({IMAGE}))[contour].reason == "patient_mismatch"


def test_a_contour_of_a_quarantined_image_is_quarantined_with_it(tmp_path: Path) -> None:
    export = Export(tmp_path)
    for z in (0.0, 3.0, 9.0, 12.0):
        export.slice(IMAGE, z)
    contour = export.rtstruct(IMAGE, instances((3.0,)))
    found = linked(tmp_path)
    assert found[IMAGE].reason == "slice_gap"
    assert found[contour].reason == "image_quarantined"


def test_a_contour_elsewhere_in_space_is_named(export: Export) -> None:
    contour = export.rtstruct(IMAGE, instances((3.0,)), heights=[500.0])
    assert linked(export.folder)[contour].reason == "contour_outside_image"


def test_a_slice_that_the_contour_knows_and_the_export_lacks_is_named(export: Export) -> None:
    contour = export.rtstruct(IMAGE, instances((9.0, 12.0)), heights=[9.0, 12.0])
    found = linked(export.folder)
    assert found[IMAGE].reason == "incomplete"
    assert found[contour].reason == "image_quarantined"


def test_a_contour_on_two_images_is_named(export: Export) -> None:
    export.image(OTHER, modality="MR")
    contour = export.rtstruct(IMAGE, instances((3.0,)) + instances((3.0,), OTHER))
    assert linked(export.folder)[contour].reason == "several_images"


def test_nothing_drawn_is_named(export: Export) -> None:
    contour = export.rtstruct(IMAGE, heights=[])
    found = linked(export.folder)
    assert found[contour].reason == "empty_contour"
    assert found[IMAGE].reason == "no_contour"

"""Reason codes of the inventory and what a user can do about each."""

from __future__ import annotations

FILE_REMEDIES = {
    # entries that can't be read
    "unreadable": "make the file readable for this user (chmod, chown) and run again",
    "unreadable_folder": "make the folder readable for this user (chmod, chown) and run again",
    "vanished": "run again when nobody writes to the input folder",
    "changed": "run again when nobody writes to the input folder; the file was written to while it was read",
    "not_a_file": "nothing to do: a device, pipe or socket holds no image",
    "link": "nothing to do: the file it points at is read under its own name",
    "link_outside": "copy the file into the input folder, links are not followed out of it",
    "broken_link": "remove the link, or bring back the file it points at",
    "file_name": "rename the file or its folder to a name in UTF-8",
    # files that are no usable DICOM object
    "archive": "unpack the archive inside the input folder and run again, or give it the ending of its kind (.zip, .tar, .tar.gz), then it is opened",
    "not_dicom": "nothing to do if it is no image; otherwise, or if it is empty, export it again as DICOM",
    "dicomdir": "nothing to do: it is an index, the files it lists are read themselves",
    "damaged": "export the file again, its header can't be parsed",
    "truncated": "export the file again, it ends before its data do",
    # files that ask for more than any real object does
    "too_large": "split the object, or raise inventory.largest_file or inventory.largest_image if the machine can hold it",
    "too_many_elements": "split the object, or leave it out: it holds more attributes than any that hospitals write",
    "too_many_fragments": "export the file again with a fragment for each frame",
    "nesting": "export the file again, its sequences are nested deeper than in any real object",
    "inflates": "inflate the file with a DICOM toolkit, such as dcmconv of DCMTK, before it is put in",
    "missing_patient_id": "fill in PatientID at the source and export again; consent can't be looked up without it",
    "missing_series_uid": "fill in SeriesInstanceUID at the source and export again",
    "missing_sop_uid": "fill in SOPInstanceUID at the source and export again",
    "two_patients": "find out at the source whose series this is; its UID is claimed by two patients",
    # what archives and servers did not give (fetch)
    "archive_damaged": "pack it again; it can't be read to its end, and nothing of it was used, for nobody knows what is missing",
    "archive_encrypted": "pack it again without a password; nothing of it was used",
    "archive_unsupported": "pack it again as zip (deflate) or tar.gz; nothing of it was used",
    "archive_too_large": "if it is no trap, raise fetch.most_gigabytes, fetch.most_files or fetch.most_ratio; nothing of it was used",
    "archive_too_deep": "unpack the outer archive, or raise fetch.nesting",
    "member_outside": "pack the archive again with names that stay inside it; those with .. or a root are not followed",
    "named_missing": "bring the file that the DICOMDIR names, or leave the series out; it is incomplete without",
    "missing_on_server": "ask whoever runs the server: it lists the instance but doesn't give it; its series is incomplete without",
    "fewer_on_server": "ask whoever runs the server: it counts more instances in the series than it lists",
    "no_such_study": "correct the list of studies: the server has none of this number, or none that the filters leave",
    "wrong_answer": "ask whoever runs the server: it gave another instance than it was asked for, or none that can be read",
    # NIfTI
    "not_a_mask": "export the image as DICOM; NIfTI files are taken as masks only (whole-numbered labels, three axes)",
    "empty_mask": "draw the region again, the mask holds no voxel",
    "no_grid": "resample the mask to its image series, or bring that series; none of the export has its grid",
    "ambiguous_grid": "give the contour as RTSTRUCT or SEG; several image series have the grid of this mask",
    # instances inside a series that goes on
    "duplicate_instance": "nothing to do: an identical copy is in the series",
    "foreign_instance": "nothing to do for a screen shot; a contour needs a SeriesInstanceUID of its own, not that of its image",
}

# The order is the order of precedence: a series is quarantined for the first one that holds.
SERIES_REMEDIES = {
    "truncated": "export the series again, a file of it ends before its data do",
    "too_large": "split the series, or raise inventory.largest_image if the machines can hold it",
    "damaged": "export the series again, a file of it can't be parsed",
    "two_patients": "find out at the source whose series this is; its UID is claimed by two patients",
    "contradictory_patient": "check PatientID at the source: its studies hold different birth dates, so they may be two people",
    "unsupported_kind": "only CT, MR and PET images, RTSTRUCT, SEG and NIfTI masks are worked on, and X-ray, ultrasound and captured pictures cleaned; leave it out of the export",
    "mosaic": "export the series without mosaic tiling",
    "mixed_modality": "give each modality its own SeriesInstanceUID",
    "not_grayscale": "export the original images; derived colour maps hold no intensities",
    "duplicate_instance": "remove the wrong file: two that differ claim the same instance or the same place",
    "missing_geometry": "export images with position, orientation and pixel spacing",
    "invalid_orientation": "export again: ImageOrientationPatient holds no two perpendicular unit vectors",
    "mixed_size": "split the series: its slices differ in rows or columns",
    "mixed_orientation": "leave localisers out, or split the series by orientation",
    "mixed_spacing": "split the series: its slices differ in pixel spacing",
    "several_frames_of_reference": "split the series by FrameOfReferenceUID",
    "several_volumes": "split the series into one per echo, time point or weighting: every place is covered more than once",
    "gantry_tilt": "resample the series to a straight grid before export; its slices are sheared",
    "slice_gap": "export the missing slices",
    "incomplete": "export the whole series; its contour was drawn on slices that are not here",
    "uneven_spacing": "resample to even slice distances, or raise inventory.gap_tolerance if the unevenness is acceptable",
    # contours
    "empty_contour": "draw a region, or leave the object out of the export",
    "patient_mismatch": "correct PatientID at the source: the image belongs to another patient",
    "several_images": "give each image series a contour object of its own",
    "ambiguous_image": "add a reference to the image series; several series fit the contour equally",
    "contour_outside_image": "check the reference: the contour lies outside the image series it names",
    "no_image": "export the image series that the contour was drawn on, or leave the contour out",
    "image_quarantined": "mend the image series first; it is quarantined itself",
    # images without contour
    "no_contour": "add an RTSTRUCT, SEG or NIfTI mask for this series, or leave it out of the export",
}


def file_remedy(reason: str) -> str:
    """What the user can do about a file."""
    return FILE_REMEDIES[reason]


def series_remedy(reason: str) -> str:
    """What the user can do about a series."""
    return SERIES_REMEDIES[reason]


def first_reason(reasons: set[str]) -> str | None:
    """The one of several reasons that is told first; None where there is none."""
    return next((reason for reason in SERIES_REMEDIES if reason in reasons), None)

"""Series, files and facts as rows of the inventory's tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from radcurate.dicom.header import Header, Unusable
from radcurate.dicom.identifiers import Fact
from radcurate.dicom.nifti import Mask
from radcurate.dicom.reasons import file_remedy, series_remedy
from radcurate.dicom.series import Series
from radcurate.dicom.tree import Found, is_portable
from radcurate.keys import Key
from radcurate.tables import OK, QUARANTINED

Row = dict[str, Any]


def series_row(series: Series, subject: str, chunk: str, patient: tuple[str, str], key: Key) -> Row:
    """One row of INVENTORY_SERIES for a DICOM series."""
    head = series.first if series.members else series.dropped[0][0]
    geometry = series.geometry
    image = series.kind == "image"
    return {
        **_outcome(series.reason, series_remedy),
        "series": key.series(series.uid),
        "subject": subject,
        "kind": series.kind,
        "modality": series.modality,
        "chunk": chunk,
        "patient_id": patient[0],
        "issuer": patient[1],
        "series_instance_uid": series.uid,
        "study_instance_uid": head.study,
        "frame_of_reference_uid": _space(series, head),
        "institution": next((h.institution for h in series.members if h.institution), ""),
        "n_instances": len(series.members),
        "rows": head.rows if image else None,
        "columns": head.columns if image else None,
        "spacing": geometry.spacing if geometry else None,
        "origin": geometry.origin if geometry else None,
        "orientation": geometry.orientation if geometry else None,
        "findings": sorted(series.problems | series.notes),
        "images": sorted(key.series(uid) for uid in series.images),
        "link": series.link,
    }


def mask_row(mask: Mask, image: Row, key: Key) -> Row:
    """One row of INVENTORY_SERIES for a NIfTI mask of an image series."""
    reason = "image_quarantined" if image["status"] != OK else None
    names = ("subject", "chunk", "patient_id", "issuer", "study_instance_uid", "frame_of_reference_uid", "institution")
    return {
        **{name: image[name] for name in names},
        **_outcome(reason, series_remedy),
        "series": mask_code(mask, key),
        "kind": "nifti",
        "modality": "",
        "series_instance_uid": None,
        "n_instances": 1,
        "findings": [reason] if reason else [],
        "images": [image["series"]],
        "link": "grid",
    }


def mask_code(mask: Mask, key: Key) -> str:
    """Pseudonym of a NIfTI mask, which has no UID: from its path."""
    return key.series("nifti:" + mask.file.path)


def instance_rows(series: Series, key: Key) -> list[Row]:
    """Rows of INVENTORY_INSTANCES for all files of a series."""
    code = key.series(series.uid)
    rows = []
    for order, header in enumerate(series.members):
        place = order if series.geometry else None
        rows.append({**_file(header.file, header.reason, key), **_object(header), "series": code, "order": place})
    for header, reason in series.dropped:
        rows.append({**_file(header.file, header.reason or reason, key), **_object(header), "series": code})
    return rows


def mask_instance_row(mask: Mask, key: Key) -> Row:
    """The row of INVENTORY_INSTANCES of a NIfTI mask."""
    whole = {"head_bytes": mask.file.size, "tail_bytes": 0, "digest": mask.digest}
    return {**_file(mask.file, None, key), **whole, "series": mask_code(mask, key)}


def unusable_row(file: Unusable, key: Key) -> Row:
    """The row of INVENTORY_INSTANCES of a file that belongs to no series."""
    return _file(file.file, file.reason, key)


def fact_rows(subject: str, facts: Iterable[Fact]) -> list[Row]:
    """Rows of INVENTORY_IDENTIFIERS."""
    return [
        {"subject": subject, "category": fact.category, "keyword": fact.keyword, "value": _text(fact.value)}
        for fact in sorted(facts)
    ]


def _outcome(reason: str | None, remedy: Any) -> Row:
    if reason is None:
        return {"status": OK, "reason": None, "remedy": None}
    return {"status": QUARANTINED, "reason": reason, "remedy": remedy(reason)}


def _file(file: Found, reason: str | None, key: Key) -> Row:
    path = _text(file.path)
    return {
        **_outcome(reason, file_remedy),
        "file": key.file_code(path),
        "path": path,
        "size": file.size,
        "mtime_ns": file.mtime_ns,
    }


def _text(value: str) -> str:
    """The value where it can be stored; bytes that are no text are spelt out."""
    return value if is_portable(value) else value.encode("utf-8", "backslashreplace").decode()


def _object(header: Header) -> Row:
    return {
        "sop_instance_uid": header.sop_instance,
        "sop_class_uid": header.sop_class,
        "transfer_syntax_uid": header.transfer_syntax or None,
        "n_frames": header.frames,
        "head_bytes": header.head,
        "tail_bytes": header.tail,
        "digest": header.digest or None,
    }


def _space(series: Series, head: Header) -> str:
    """An RTSTRUCT may name its frame of reference in its references only."""
    if head.frame_of_reference or head.references is None:
        return head.frame_of_reference
    named = head.references.frames_of_reference
    return named[0] if len(named) == 1 else ""

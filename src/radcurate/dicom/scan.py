"""A batch of files, read: headers, masks, what can't be used, and what identifies whom."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.config import disable_value_validation

from radcurate.dicom import values
from radcurate.dicom.header import Header, Parsed, Unusable, read_header
from radcurate.dicom.identifiers import Collector, Fact, path_facts
from radcurate.dicom.lazy import Doubt, Lazy
from radcurate.dicom.nifti import Mask, is_nifti, read_mask
from radcurate.dicom.ordinary import Reader
from radcurate.dicom.tree import Found

Patient = tuple[str, str]  # PatientID and its issuer as written


@dataclass
class Batch:
    """What a batch of files held, in the order of the files."""

    headers: list[Header] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)
    masks: list[Mask] = field(default_factory=list)
    facts: dict[Patient, set[Fact]] = field(default_factory=dict)


def scan_batch(files: Sequence[Found], source: Path) -> Batch:
    """Read headers of `files` below `source`. Never raises for a file; nothing is written."""
    batch, collectors, reader = Batch(), defaultdict[Patient, Collector](Collector), Reader(str(source))
    with disable_value_validation(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's quote header values
        for found in files:
            _scan(source, found, batch, collectors, reader)
    batch.facts = {patient: collector.facts for patient, collector in collectors.items()}
    return batch


def _scan(source: Path, found: Found, batch: Batch, collectors: dict[Patient, Collector], reader: Reader) -> None:
    if not found.problem and is_nifti(found.path):
        mask = read_mask(source, found)
        if isinstance(mask, Mask):
            batch.masks.append(mask)
        else:
            batch.unusable.append(Unusable(found, mask))
        return
    header, parsed = reader.read(found) or read_header(source, found)
    if isinstance(header, Header):
        batch.headers.append(header)
    else:
        batch.unusable.append(header)
    if parsed is None:
        return
    try:
        _collect(found, header, parsed, collectors)
    except Doubt:
        parsed = read_header(source, found)[1]
        if parsed is not None:
            _collect(found, header, parsed, collectors)


def _collect(found: Found, header: Header | Unusable, parsed: Parsed, collectors: dict[Patient, Collector]) -> None:
    if isinstance(header, Header):
        patient = header.patient_id, header.issuer
    else:
        patient = values.text(parsed.dataset, "PatientID"), values.text(parsed.dataset, "IssuerOfPatientID")
    if not patient[0]:
        return
    collector = collectors[patient]
    if isinstance(parsed.dataset, Lazy):
        collector.add_lazy(parsed.dataset)
    else:
        collector.add(parsed.dataset)
        collector.add(parsed.dataset.file_meta)
    collector.add(parsed.tail)
    collector.facts.update(path_facts(found.path))

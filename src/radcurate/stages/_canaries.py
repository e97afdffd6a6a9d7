"""Canaries of a chunk: files of invented patients, rewritten like those of real ones, for verify to look at; never released."""

from __future__ import annotations

from pathlib import Path

from radcurate.canary import Specimen, specimens
from radcurate.deidentify.dates import date_rule
from radcurate.deidentify.fast import Shortcut
from radcurate.deidentify.people import numbers_of_dates, numbers_of_ids, words_of_names
from radcurate.deidentify.policy import Policy
from radcurate.deidentify.rewrite import Patient, Rewriter
from radcurate.deidentify.series import NewFile, SeriesRewriter, WaysDifferError
from radcurate.dicom.problems import Unsafe
from radcurate.keys import Key
from radcurate.settings import Deidentify
from radcurate.stages._folders import empty_folder


def write_canaries(settings: Deidentify, policy: Policy, key: Key, out: Path) -> int:
    """Write what becomes of each specimen to `out`; one that is refused leaves no file. The number of files."""
    empty_folder(out)
    return sum(_write(specimen, settings, policy, key, out) for specimen in specimens())


def _write(specimen: Specimen, settings: Deidentify, policy: Policy, key: Key, out: Path) -> bool:
    subject = key.subject(specimen.name, "canary")
    dates = [plant.value for plant in specimen.plants if plant.category == "date"]
    numbers = numbers_of_ids(specimen.patient_ids) | numbers_of_dates(dates)
    rule = date_rule(key, subject, settings.dates, settings.shift_weeks)
    rewriter = Rewriter(policy, key, Patient(subject, rule, words_of_names(specimen.patient_names), numbers))
    spare = {tag: key.uid(f"canary {specimen.name} {tag}") for tag in (0x0020000D, 0x0020000E, 0x00080018)}
    try:
        new = _rewritten(specimen, rewriter, spare)
    except Unsafe:
        return False
    (out / f"{specimen.name}.dcm").write_bytes(b"".join(new.parts))
    return True


def _rewritten(specimen: Specimen, rewriter: Rewriter, spare: dict[int, str]) -> NewFile:
    """Both ways, as for the first file of a series; strictly should they differ."""
    try:
        way = SeriesRewriter(rewriter, Shortcut(rewriter))
        return way.rewrite(specimen.data, way.head(specimen.data), lambda: spare, both_ways=True)
    except WaysDifferError:
        return SeriesRewriter(rewriter, None).rewrite(specimen.data, None, lambda: spare, both_ways=False)

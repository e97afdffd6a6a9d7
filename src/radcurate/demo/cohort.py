"""The whole cohort: export, consent table, waiver and truth."""

from __future__ import annotations

import shutil
from pathlib import Path

from pydicom import dcmread
from pydicom.fileset import FileSet

from radcurate.demo import consent
from radcurate.demo.contours import Target
from radcurate.demo.dicom_writer import image_header, slices, write
from radcurate.demo.patient import Chart, body_of, chart, write_contour, write_picture, write_scan
from radcurate.demo.people import Series, uid
from radcurate.demo.planting import Plant, spoken
from radcurate.demo.roster import case
from radcurate.demo.truth import FileTruth, Truth
from radcurate.errors import CurationError


def make_cohort(out: Path, seed: int = 7, n_patients: int = 28, first: int = 0) -> None:
    """Write OUT/export (the hospital's export), OUT/consent.csv, OUT/waiver.yaml and OUT/truth.json.

    The same seed and number give the same bytes. Fewer than 28 patients are the first ones of the same cohort;
    more are plain chest CTs; `first` leaves out those before it.

    Raises:
        CurationError: there is an export already.
    """
    export = out.resolve() / "export"  # the DICOMDIR writer names files by absolute paths
    if export.exists():
        raise CurationError(
            "there is a cohort already",
            wanted="a folder without export/",
            found="one that has it",
            fix="remove the old cohort or name another folder",
        )
    export.mkdir(parents=True)
    truth, rows = Truth(seed), []
    for index in range(first, n_patients):
        work = chart(case(index), index, seed, export, truth)
        for scan in work.case.scans:
            write_scan(work, scan)
        for extra in work.case.extras:
            if extra in PICTURES:
                write_picture(work, extra)
            else:
                _EXTRAS.get(extra, _nothing)(work)
        rows.append(consent.row(work.case, work.person.patient_id, index, work.first_day))
    consent.write(out, [row for row in rows if row])
    truth.write(out / "truth.json")


def _nothing(work: Chart) -> None:
    """Oddities that belong to the series themselves are written with them."""


def _note(work: Chart, name: str, reason: str) -> None:
    work.truth.files.append(FileTruth(name, f"quarantined:{reason}"))


def _stray(work: Chart) -> None:
    """Files that are no DICOM: a text with a name, a system file, an empty one."""
    folder = Path(work.truth.series[-1].files[0]).parent.parent
    text = f"Bitte {spoken(work.person)} anrufen: {work.subject.phone}\n"
    for name, content in (
        (f"Notiz {work.person.surname}.txt", text.encode()),
        ("Thumbs.db", bytes(range(256)) * 4),
        ("IM_EMPTY", b""),
    ):
        (work.export / folder / name).write_bytes(content)
        _note(work, str(folder / name), "not_dicom")
    file = str(folder / f"Notiz {work.person.surname}.txt")
    work.truth.planted([Plant(work.person.surname, "name", "file_name")], work.person.patient_id, file, "utf-8")


def _truncated(work: Chart) -> None:
    """Two images of a scout series whose transfer broke off: one within its header, one within its pixels."""
    scan = work.case.scans[0]
    series = Series(uid(work.seed, "scout"), "CT", 1, "Scout", "Scout", "CHEST")
    study = work.study(0, scan.region)
    header = image_header(work.person, study, work.hospital.scanners["CT"], series, work.hospital.charset)
    body = body_of(work, scan)
    datasets = list(slices(header, body.tumour * 0, body.geometry))[:2]
    folder = Path(work.truth.series[-1].files[0]).parent.parent / "scout"
    for dataset, name, share in zip(datasets, ("BROKEN1", "BROKEN2"), (0.02, 0.6), strict=True):
        path = work.export / folder / name
        write(dataset, path, work.hospital.syntax)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        _note(work, str(folder / name), "truncated")


def _duplicate(work: Chart) -> None:
    """The same instance once more under another name."""
    image = next(s for s in work.truth.series if s.patient == work.person.patient_id and s.kind == "image")
    name = image.files[5]
    twin = str(Path(name).with_name("copy_" + Path(name).name))
    shutil.copyfile(work.export / name, work.export / twin)
    _note(work, twin, "duplicate_instance")


def _orphan(work: Chart) -> None:
    """A structure set whose image was never exported."""
    scan = work.case.scans[0]
    body = body_of(work, scan)
    pairs = [("1.2.840.10008.5.1.4.1.1.2", uid(work.seed, "gone", n)) for n in range(body.geometry.shape[0])]
    target = Target(uid(work.seed, "gone"), uid(work.seed, "gone series"), uid(work.seed, "gone frame"), pairs)
    write_contour(work, scan, body, body.tumour, target, orphan=True)


def _dicomdir(work: Chart) -> None:
    """Move the patient's files to a medium with DICOMDIR, names as PS3.10 has them, no extensions."""
    mine = [s for s in work.truth.series if s.patient == work.person.patient_id]
    names = [name for series in mine for name in series.files]
    media = FileSet()
    media.UID = uid(work.seed, "medium")
    old = {}
    for name in names:
        media.add(work.export / name)
        old[str(dcmread(work.export / name, stop_before_pixels=True).SOPInstanceUID)] = name
    home = work.export / "Ste_Aldegonde" / f"CD_{work.person.surname}"
    media.write(home)
    work.truth.moved({old[str(i.SOPInstanceUID)]: str(Path(i.path).relative_to(work.export)) for i in media})
    for name in names:
        (work.export / name).unlink()
    _prune(work.export)
    _note(work, str((home / "DICOMDIR").relative_to(work.export)), "dicomdir")


def _prune(folder: Path) -> None:
    """Remove empty folders below."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


PICTURES = ("ultrasound", "dose_screen", "x_ray")
_EXTRAS = {
    "stray": _stray,
    "truncated": _truncated,
    "duplicate": _duplicate,
    "orphan": _orphan,
    "dicomdir": _dicomdir,
}

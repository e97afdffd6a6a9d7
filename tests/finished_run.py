"""A small run that has come as far as the gate, made up: every table that the stages write, sealed.

26 patients, each with an image series and a contour, in three chunks. Some series end early, on purpose:
one is quarantined by the inventory, one patient is not permitted, one image and its contour are quarantined by deface,
one image fails in extract. The `protect` stage itself makes the tables of the release.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from paths import ROOT
from radcurate import tables
from radcurate.features.catalogue import Column, catalogue
from radcurate.governance.approve import Person, approval, exception
from radcurate.governance.papers import Papers, read_papers
from radcurate.governance.policy import load_policy
from radcurate.governance.signatures import APPROVALS, OVERRIDES, with_signature
from radcurate.keys import Key
from radcurate.seals import SEAL, write_seal
from radcurate.settings import Config, Deidentify, Gate, Protect, Release
from radcurate.stages import gate, protect, release
from radcurate.stages._evidence import Reader, judged_tables
from radcurate.stages.attack import attacked_tables

N_PATIENTS, N_CHUNKS, N_FILES = 26, 3, 4
COLUMNS = ROOT / "config" / "columns.yaml"
SAFE_HARBOR = ROOT / "config" / "safe_harbor.yaml"
GOVERNANCE = ROOT / "config" / "governance"
FEATURES = [column.name for column in catalogue()][:12]
BROKEN, REFUSED, FACE, FAILING = 0, 1, 2, 3  # patients whose series end early
HEAD = 7  # a patient whose face was removed
Row = dict[str, Any]


def _share(rate: float, high: float, chance: float = 0.0) -> Row:
    return {"trials": 100, "successes": 100 * rate, "rate": rate, "low": 0.0, "high": high, "chance": chance}


_CONTROLS = {
    "positive": {**_share(1.0, 1.0), "passed": True, "on": "raw table"},
    "negative": {**_share(0.0, 0.02), "passed": True, "on": "shuffled table"},
}


def _attack(rate: float, high: float, chance: float = 0.0, **more: Any) -> Row:
    told = {
        "applies": True,
        "detail": "made up",
        "confidence": 0.95,
        "controls": copy.deepcopy(_CONTROLS),
        "controls_failed": [],
    }
    return {**told, **_share(rate, high, chance), "columns": ["a", "b"], "further": {}, **more}


# what the attack stage would write; the rates are made up
ATTACKED: Row = {
    "attacks": {
        "linkage": _attack(0.01, 0.03),
        "fingerprint": _attack(0.05, 0.08, further={"top5": _share(0.3, 0.4), "same_scan": _share(0.05, 0.09)}),
        "site": _attack(0.5, 0.7, chance=0.5),
        "differencing": {**_attack(0.0, 0.1), "successes": 0},
    },
    "risk": {
        "prosecutor": 0.2,
        "journalist": 0.05,
        "marketer": 0.02,
        "uniqueness": {"sample": 0.0, "pitman": {"value": None, "converged": False, "detail": "too few"}},
        "singling_out": 0.0,
        "linkability": 0.03,
        "inference": 0.1,
        "composite": {"p_ri": 0.1, "u": 0.1, "s": 1.0, "alpha": 1, "beta": 1, "gamma": 1, "R": 0.01},
    },
}


def policy(name: str) -> Path:
    return ROOT / "config" / "policies" / f"{name}.yaml"


@dataclass
class FinishedRun:
    """Tables of a run below `results`."""

    results: Path
    key: Key
    images: bool = False  # whether the release is to hold images
    path_and_dates: Row = field(default_factory=dict)

    def edit(self, folder: str, name: str, change: Callable[[list[Row]], list[Row] | None], seal: bool = True) -> None:
        """Change the rows of a table and, as a faulty stage would, seal it."""
        path = self.results / folder / name
        before = tables.read(path)
        rows = before.to_pylist()
        changed = change(rows)
        content = pa.Table.from_pylist(rows if changed is None else changed, schema=before.schema)
        tables.write(path, content)
        if seal:
            self.reseal(folder)

    def measure(self, change: Callable[[Row], None], seal: bool = True) -> None:
        """Change measures.json."""
        path = self.results / "protect" / "measures.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))
        if seal:
            self.reseal("protect")

    def attack(self, change: Callable[[Row], None], seal: bool = True) -> None:
        """Change attack.json."""
        path = self.results / "attack" / "attack.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))
        if seal:
            self.reseal("attack")

    def sign(self, kind: str, name: str = "public", by: str = "A. Steward", **about: Any) -> None:
        """Sign a paper for what is there now, as `radcurate approve` does."""
        reader = Reader(self.results, self.key)
        assert reader.check("protect") and reader.check("attack")
        folder = self.desk
        papers = self.papers()
        person = Person(by, "steward", "2026-01-01", about.pop("reason", "read and found right"))
        one = approval(kind, person, load_policy(policy(name)).policy, papers, judged_tables(reader), self.key)
        (folder / APPROVALS).write_bytes(with_signature(papers, APPROVALS, one))

    def excuse(self, measure: str, by: str, file: Path, reason: str = "the registry is closed") -> None:
        """Sign an exception, as `radcurate approve override` does."""
        person = Person(by, "steward", "2026-01-01", reason)
        one = exception(measure, person, load_policy(file).policy, self.refusal(), self.key)
        (self.desk / OVERRIDES).write_bytes(with_signature(self.papers(), OVERRIDES, one))

    def papers(self) -> Papers:
        paths = sorted([*self.desk.glob("*.yaml"), *self.desk.glob("terms/*.md")])
        return read_papers({str(path.relative_to(self.desk)): path for path in paths})

    def fill(self, name: str, change: Callable[[Row], None]) -> None:
        """Change one of the steward's papers."""
        path = self.desk / name
        content = yaml.safe_load(path.read_text())
        change(content)
        path.write_text(yaml.safe_dump(content, sort_keys=False))

    def reseal(self, folder: str) -> None:
        names = list(json.loads((self.results / folder / SEAL).read_text())["files"])
        self.seal(folder, names)

    def seal(self, folder: str, names: list[str]) -> None:
        write_seal(self.results / folder, names, self.key)
        if folder == "protect" and (self.results / "attack").is_dir():
            self.attack(self._attacks_this)

    def _attacks_this(self, document: Row) -> None:
        """What protect wrote is what was attacked."""
        document["judged"] = attacked_tables(self.results, self.key)

    def chunk_of(self, patient: int) -> str:
        return f"{patient % N_CHUNKS:05d}"

    def series(self, patient: int, kind: str = "image") -> str:
        return self.key.series(f"{kind}.{patient}")

    @property
    def desk(self) -> Path:
        """Folder of the steward's papers; a copy of the shipped ones."""
        folder = self.results.parent / "governance"
        if not folder.is_dir():
            shutil.copytree(GOVERNANCE, folder, ignore=shutil.ignore_patterns("*.example.yaml"))
        return folder

    def example(self, kind: str) -> Path:
        return GOVERNANCE / f"{kind}.example.yaml"

    def gate(
        self, name: str = "controlled", file: Path | None = None, reference: Path | None = None, **deidentify: Any
    ) -> Row:
        """Run the gate; the verdict. Raises what the gate raises."""
        out = self.results / "gate"
        papers = sorted([*self.desk.glob("*.yaml"), *self.desk.glob("terms/*.md")])
        gate.run(
            Gate(),
            self.results,
            out,
            self.key,
            file or policy(name),
            SAFE_HARBOR,
            Deidentify(**(self.path_and_dates | deidentify)),
            papers,
            int(self.images),
            [reference] if reference else [],
        )
        return json.loads((out / "verdict.json").read_text())

    def refusal(self) -> Row:
        return json.loads((self.results / "gate" / "refusal.json").read_text())

    def release(self, config: Config | None = None, **settings: Any) -> Path:
        """Run the release stage; the folder that the receipt names."""
        out = self.results / "release" / "release.json"
        lock = ROOT / "uv.lock"
        release.run(Release(**settings), self.results, out, self.key, config or Config(), COLUMNS, lock)
        return out.parent / json.loads(out.read_text())["folder"]

    def protect(self, harmonised: bool = False, **settings: Any) -> None:
        """Run protect on what extract measured, or on what harmonise made of it; the attacks are told that it did."""
        chunks = sorted((self.results / "extract").iterdir())
        values = [self.results / "harmonise"] if harmonised else []
        protect.run(Protect(**settings), chunks, self.results / "protect", self.key, COLUMNS, values)
        if (self.results / "attack").is_dir():
            self.attack(self._attacks_this)

    def copy(self, target: Path) -> FinishedRun:
        shutil.copytree(self.results, target / "results", ignore=shutil.ignore_patterns("release"))
        if (self.results.parent / "governance").is_dir():
            shutil.copytree(self.desk, target / "governance")
        return FinishedRun(target / "results", self.key)


def make_run(folder: Path, key: Key, k: int = 5) -> FinishedRun:
    """The run described above, under `folder`/results."""
    run = FinishedRun(folder / "results", key)
    for chunk in range(N_CHUNKS):
        _chunk(run, f"{chunk:05d}", [patient for patient in range(N_PATIENTS) if patient % N_CHUNKS == chunk])
    _inventory_and_consent(run)
    run.protect(k=k)
    (run.results / "attack").mkdir()
    (run.results / "attack" / "attack.json").write_text(json.dumps(ATTACKED))
    run.seal("attack", ["attack.json"])
    run.attack(run._attacks_this)
    return run


OWED_PAPERS = ("dpia", "data_use_terms", "expert_determination", "ethics", "release")


def write_papers(run: FinishedRun, name: str = "public") -> None:
    """All papers of a steward, filled and signed for the tables that are there."""
    for kind in ("data_use_terms", "expert_determination"):
        content = yaml.safe_load(run.example(kind).read_text())
        filled = {field: "made up for the tests" if value == "" else value for field, value in content.items()}
        if "permitted_use" in filled:
            filled["permitted_use"] = ["research"]
        (run.desk / f"{kind}.yaml").write_text(yaml.safe_dump(filled))
    run.fill("dpia.yaml", lambda content: content.update(risk_benefit="patients gain more than they risk"))

    def answer(content: Row) -> None:
        for question in content["questions"]:
            if not question.get("measures"):
                question.update(answer="looked at", by="A. Steward")

    run.fill("ethics.yaml", answer)
    for kind in OWED_PAPERS:
        run.sign(kind, name)


def _kinds(run: FinishedRun, patient: int) -> list[Row]:
    subject = run.key.subject(f"patient {patient}")
    image, contour = run.series(patient), run.series(patient, "contour")
    return [
        {"series": image, "subject": subject, "kind": "image", "modality": "CT", "files": N_FILES, "images": []},
        {
            "series": contour,
            "subject": subject,
            "kind": "rtstruct",
            "modality": "RTSTRUCT",
            "files": 1,
            "images": [image],
        },
    ]


def _status(status: str, reason: str | None = None) -> Row:
    return {"status": status, "reason": reason, "remedy": None if reason is None else "do something about it"}


def _inventory_status(patient: int, row: Row) -> Row:
    return _status("quarantined", "slice_gap") if patient == BROKEN else _status("ok")


def _write(run: FinishedRun, folder: str, **content: tuple[tables.Schema, list[Row]]) -> None:
    for name, (schema, rows) in content.items():
        tables.write_rows(run.results / folder / f"{name}.parquet", schema, rows)
    write_seal(run.results / folder, [f"{name}.parquet" for name in content], run.key)


def _plain(row: Row) -> Row:
    return {name: row[name] for name in ("series", "subject", "kind", "modality")}


def _chunk(run: FinishedRun, chunk: str, patients: list[int]) -> None:
    found = [(patient, row) for patient in patients for row in _kinds(run, patient)]
    series = [
        {
            **_plain(row),
            **_inventory_status(patient, row),
            "chunk": chunk,
            "n_instances": row["files"],
            "images": row["images"],
        }
        for patient, row in found
    ]
    instances = [
        {
            "file": f"{patient}{row['kind']}{n}",
            "path": f"{patient}/{row['kind']}/{n}",
            "series": row["series"],
            **_status("ok"),
        }
        for patient, row in found
        for n in range(row["files"])
    ]
    nobody: list[Row] = []
    _write(
        run,
        f"inventory/chunks/{chunk}",
        series=(tables.INVENTORY_SERIES, series),
        instances=(tables.INVENTORY_INSTANCES, instances),
        identifiers=(tables.INVENTORY_IDENTIFIERS, nobody),
    )
    kept = [(patient, row) for patient, row in found if patient not in (BROKEN, REFUSED)]
    names = {row["series"] for _, row in kept}
    _write(
        run,
        f"consent/chunks/{chunk}",
        series=(tables.INVENTORY_SERIES, [row for row in series if row["series"] in names]),
        instances=(tables.INVENTORY_INSTANCES, [row for row in instances if row["series"] in names]),
        identifiers=(tables.INVENTORY_IDENTIFIERS, nobody),
    )
    _cleaning(run, chunk, kept)
    _extract(run, chunk, [(patient, row) for patient, row in kept if patient != FACE])


def _cleaning(run: FinishedRun, chunk: str, kept: list[tuple[int, Row]]) -> None:
    deidentified = [
        {
            **_plain(row),
            **_status("ok"),
            "folder": row["series"],
            "n_instances": row["files"],
            "images": row["images"],
            "study_date": "2015-01-01",
            "manufacturer": "ACME" if row["kind"] == "image" else "Contour Works",
        }
        for _, row in kept
    ]
    copies = [
        {
            "series": row["series"],
            "name": f"{n:016x}.dcm",
            "order": n,
            "file": f"{row['series']}{n}",
            "header_source": f"{row['series']}{n}",
            "header": "0",
        }
        for _, row in kept
        for n in range(row["files"])
    ]
    _write(
        run,
        f"deidentify/{chunk}",
        series=(tables.DEIDENTIFY_SERIES, deidentified),
        instances=(tables.DEIDENTIFY_INSTANCES, copies),
        actions=(tables.DEIDENTIFY_ACTIONS, []),
    )
    defaced = [
        {
            **_plain(row),
            **(_status("quarantined", "face_left") if patient == FACE else _status("ok")),
            "folder": row["series"],
            "n_instances": row["files"],
            "images": row["images"],
            "face": ("removed" if patient == HEAD else "none") if row["kind"] == "image" else None,
            "decision": "no_head_in_view",
            "changed_voxels": 0,
        }
        for patient, row in kept
    ]
    looks = [
        {
            **_plain(row),
            **_status("ok"),
            "folder": row["series"],
            "n_instances": row["files"],
            "images": row["images"],
            **({"decision": "text_removed", "strict": True, "looked": N_FILES} if row["kind"] == "image" else {}),
            **({"residual": 0, "overlap_voxels": 0, "boxes": 1} if row["kind"] == "image" else {}),
        }
        for _, row in kept
    ]
    boxes = [
        {"series": row["series"], "name": f"{0:016x}.dcm", "frame": 0, "top": 1, "left": 1, "bottom": 9, "right": 40}
        | {"kind": "text", "sure": True, "confidence": 0.9, "pass_number": 1, "filled": True, "changed_pixels": 200}
        for _, row in kept
        if row["kind"] == "image"
    ]
    _write(run, f"redact/{chunk}", series=(tables.REDACT_SERIES, looks), boxes=(tables.REDACT_BOXES, boxes))
    proof = {
        "passed": True,
        "moved": 0.99,
        "brain_dice": 1.0,
        "control_passed": False,
        "outside_equal": True,
        "inside_filled": True,
    }
    checks = [
        {"series": row["series"], "overlap_voxels": 0, **(proof if patient == HEAD else {})}
        for patient, row in kept
        if row["kind"] == "image"
    ]
    _write(run, f"deface/{chunk}", series=(tables.DEFACE_SERIES, defaced), qc=(tables.DEFACE_QC, checks))
    verified = [
        {**_plain(row), **_status("ok"), "bytes": 1000, "identifiers": 9, "hits": 0}
        | {"files": row["files"], "paired": row["files"]}
        for patient, row in kept
        if patient != FACE
    ]
    canary = [
        {"hipaa": letter, "kind": "comment", "planted": n, "seen_before": n, "cleaned": n, "left": 0}
        for letter, n in zip("ABCDEFGHIJKLMNOPQR", [50] + 17 * [1], strict=True)
    ]
    _write(
        run,
        f"verify/{chunk}",
        series=(tables.VERIFY_SERIES, verified),
        hits=(tables.VERIFY_HITS, []),
        canary=(tables.VERIFY_CANARY, canary),
    )


def _extract(run: FinishedRun, chunk: str, kept: list[tuple[int, Row]]) -> None:
    series = [
        {**_plain(row), **(_status("failed", "roi_empty") if patient == FAILING else _status("ok")), "rois": 1}
        for patient, row in kept
    ]
    images = [(patient, row) for patient, row in kept if row["kind"] == "image"]
    features = [_feature_row(run, patient, row) for patient, row in images]
    acquisition = [
        {"series": row["series"], "subject": row["subject"], "modality": "CT", "manufacturer": "ACME", "model": "One"}
        for _, row in images
    ]
    records = [provenance_record(patient) for patient, _ in images]
    _write(
        run,
        f"extract/{chunk}",
        features=(tables.with_features(FEATURES), features),
        columns=(tables.EXTRACT_COLUMNS, [column_row(column) for column in catalogue()[: len(FEATURES)]]),
        acquisition=(tables.EXTRACT_ACQUISITION, acquisition),
        crosscheck=(tables.EXTRACT_CROSSCHECK, [row for row in features for row in _crosscheck_rows(row)]),
        provenance=(tables.EXTRACT_PROVENANCE, records),
        invariance=(tables.EXTRACT_INVARIANCE, [_invariance_row(row) for row in features if row["status"] == "ok"]),
        series=(tables.EXTRACT_SERIES, series),
    )


def _invariance_row(row: Row) -> Row:
    told = {name: row[name] for name in ("roi", "series", "contour")}
    return (
        told
        | {"basis": "same_input", "changed_voxels": 0, "features": len(FEATURES), "different": 0}
        | {
            "largest_change": 0.0,
            "changed": [],
            "changes": [],
        }
    )


def _feature_row(run: FinishedRun, patient: int, row: Row) -> Row:
    chance = np.random.default_rng(patient)
    failed = patient == FAILING
    return {
        "roi": "R-" + run.key.code("roi", row["series"]),
        "series": row["series"],
        "contour": run.series(patient, "contour"),
        "subject": row["subject"],
        "roi_label": "GTV",
        "modality": "CT",
        "site": "H-0000000" + str(patient % 2),
        "sex": "MF"[patient % 2],
        "age": 50.0 + patient % 7,
        "study_date": "2015-03-02",
        "status": "failed" if failed else "ok",
        "reason": "roi_empty" if failed else None,
        "provenance": None if failed else provenance_record(patient)["provenance"],
        **{name: float("nan") if failed else float(chance.normal()) for name in FEATURES},
    }


def _crosscheck_rows(row: Row) -> list[Row]:
    """Every second patient's region: a second engine agrees but for one feature, which it lacks for one patient."""
    if row["status"] != "ok" or int(row["provenance"], 16) % 2:
        return []
    told = {name: row[name] for name in ("roi", "subject", "modality")}
    told |= {"engine": "radcurate", "second_engine": "pyradiomics"}
    patient = int(row["provenance"], 16)
    apart = float("inf") if patient == 6 else 0.01
    return [{**told, "feature": FEATURES[0], "difference": 1e-9}, {**told, "feature": FEATURES[1], "difference": apart}]


def column_row(column: Column) -> Row:
    return {name: getattr(column, name) for name, _ in tables.EXTRACT_COLUMNS.columns}


def provenance_record(patient: int) -> Row:
    """A record with every column filled."""
    kinds = {pa.string(): "some", pa.float64(): 1.0, pa.list_(pa.float64()): [1.0, 1.0, 1.0]}
    record = {name: kinds[kind] for name, kind in tables.EXTRACT_PROVENANCE.columns}
    return {**record, "provenance": f"{patient:064x}"}


def _inventory_and_consent(run: FinishedRun) -> None:
    everyone = [(patient, row) for patient in range(N_PATIENTS) for row in _kinds(run, patient)]
    unplaced = [{"file": "f00", "path": "readme.txt", **_status("quarantined", "not_dicom")}]
    _write(run, "inventory", unplaced=(tables.INVENTORY_INSTANCES, unplaced))

    def status(patient: int) -> Row:
        if patient == REFUSED:
            return _status("excluded", "other_purpose")
        return _status("quarantined", "slice_gap") if patient == BROKEN else _status("ok")

    judged = [{**_plain(row), **status(patient)} for patient, row in everyone]
    tables.write_rows(run.results / "consent" / "series.parquet", tables.CONSENT_SERIES, judged)
    tables.write_rows(
        run.results / "consent" / "exclusions.parquet",
        tables.CONSENT_EXCLUSIONS,
        [{"reason": "other_purpose", "patients": 1, "series": 2}],
    )
    placed = sum(row["files"] for _, row in everyone)
    files = {"total": placed + 1, "placed": placed, "quarantined": {"not_dicom": 1}}
    (run.results / "consent" / "files.json").write_text(json.dumps(files))
    write_seal(run.results / "consent", ["series.parquet", "exclusions.parquet", "files.json"], run.key)

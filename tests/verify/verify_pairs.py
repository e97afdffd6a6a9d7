"""A source file, what deidentify makes of it, and what verify says of the pair: verify's checks from one end to the other."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pydicom

from radcurate.deidentify.dates import DateRule
from radcurate.deidentify.people import numbers_of_dates, numbers_of_ids, words_of_names
from radcurate.deidentify.policy import Policy, load_policy
from radcurate.deidentify.rewrite import Patient, Rewriter
from radcurate.dicom.identifiers import Collector, keep_private
from radcurate.keys import Key
from radcurate.settings import Deidentify
from radcurate.verify.subject import Job, Verdict, judge
from radcurate.verify.twins import Twin

ROOT = Path(__file__).resolve().parents[2]
ALLOWLIST, VOCABULARY = ROOT / "config/allowlist", ROOT / "config/vocabulary.yaml"
SUBJECT, SERIES = "P-00112233445566aa", "S-00112233445566bb"
SPARE = {0x0020000D: "2.25.1", 0x0020000E: "2.25.2", 0x00080018: "2.25.3"}
KEY = Key(bytes(range(32)))
SHIFT, YEAR = DateRule("shift", 70), DateRule("year")
Rows = Sequence[Mapping[str, str]]


def policy(**settings: object) -> Policy:
    return load_policy(ALLOWLIST, VOCABULARY, Deidentify(**settings))  # type: ignore[arg-type]


def identity_of(*files: bytes) -> list[dict[str, str]]:
    """What the inventory writes down about the patient of these files."""
    collector = Collector()
    for data in files:
        content = pydicom.dcmread(io.BytesIO(data), force=True)
        collector.add(getattr(content, "file_meta", None))
        collector.add(content)
    facts = sorted(keep_private(collector.facts))
    return [{"category": fact.category, "keyword": fact.keyword, "value": fact.value} for fact in facts]


def rewriter_for(rows: Rows, rules: Policy, dates: DateRule = SHIFT) -> Rewriter:
    """As the stage makes it for the patient with these identifiers."""
    of = {name: [row["value"] for row in rows if row["category"] == name] for name in ("name", "id", "date")}
    numbers = numbers_of_ids(of["id"]) | numbers_of_dates(of["date"])
    return Rewriter(rules, KEY, Patient(SUBJECT, dates, words_of_names(of["name"]), numbers))


def verdict_on(folder: Path, source: bytes, cleaned: bytes, rows: Rows, reread: bool = True, **job: object) -> Verdict:
    """What verify says of one cleaned file and its source."""
    before, after = folder / "source.dcm", folder / "dicom" / SERIES / "0123456789abcdef.dcm"
    after.parent.mkdir(parents=True, exist_ok=True)
    before.write_bytes(source)
    after.write_bytes(cleaned)
    (verdict,) = judge(
        Job(
            subject=SUBJECT,
            identifiers=rows,
            series={SERIES: 1},
            folder=folder / "dicom",
            cells=[],
            shortest=4,
            twins={(SERIES, after.name): Twin(before)},
            reread={SERIES: frozenset({after.name})} if reread else {},
            **job,  # type: ignore[arg-type]
        )
    )
    return verdict

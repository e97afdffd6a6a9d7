"""`radcurate recontact`: from a pseudonym back to the patient, for the honest broker."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import Any

from radcurate.audit.chain import append
from radcurate.cli._record import record_key
from radcurate.errors import CurationError
from radcurate.governance.consent_table import read_consent
from radcurate.governance.recontact import ANSWERS, answer
from radcurate.identity import crosswalk
from radcurate.identity.broker import load_identity


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.set_defaults(verb=recontact)
    parser.add_argument("pseudonym", help="P-… or S-… of a run or a release, or a new UID")
    parser.add_argument("--crosswalk", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--identity", type=Path, required=True, metavar="FILE", help="the broker's secret identity")
    parser.add_argument("--consent", type=Path, metavar="TABLE", help="refuse who has not agreed to be contacted")
    parser.add_argument("--studies", action="store_true", help="original studies and the date shift too")


def recontact(chosen: argparse.Namespace) -> int:
    """Print the original ids, unless the patient does not want to be contacted. Who asked is recorded before anything is told."""
    rows = crosswalk.find(chosen.crosswalk, load_identity(chosen.identity), chosen.pseudonym)
    asked = {
        "pseudonym": chosen.pseudonym,
        "studies": bool(chosen.studies),
        "consent_asked": chosen.consent is not None,
    }
    append(chosen.crosswalk, record_key(chosen.identity), "recontact", asked)
    patients = sorted({(row["patient_id"] or "", row["issuer"] or "") for row in rows})
    if chosen.consent is None:
        print("the consent table was not given, so nobody has looked whether contact is wanted", file=sys.stderr)
    else:
        _insist(read_consent(chosen.consent), [patient for patient, _ in patients])
    for patient, issuer in patients:
        print(f"patient  {patient}" + (f"\nissuer   {issuer}" if issuer else ""))
    if chosen.studies:
        _print_studies(rows)
    return 0


def _insist(table: list[dict[str, str]], patients: list[str]) -> None:
    """Only a yes of each of them opens the way.

    Raises:
        CurationError: somebody has not agreed; who it is stays untold.
    """
    for patient in patients:
        found = answer(table, patient, date.today())
        if found != "yes":
            raise CurationError(
                "this patient is not to be contacted directly",
                wanted="consent to be contacted about findings",
                found=ANSWERS[found],
                fix="take the finding to the ethics board (IRB), which weighs risk and benefit; it decides, nobody else",
            )


def _print_studies(rows: list[dict[str, Any]]) -> None:
    for days in sorted({row["days"] for row in rows if row["days"] is not None}):
        print(f"dates    moved by {days:+d} days")
    for study in sorted({row["study_uid"] for row in rows if row["study_uid"]}):
        print(f"study    {study}")

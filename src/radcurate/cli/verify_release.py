"""`radcurate verify-release`: whether a release is whole, and signed by whom it should be."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from radcurate.release.check import Checked, check_signed
from radcurate.release.signing import read_public


def add(parser: argparse.ArgumentParser) -> None:
    """The release's folder, and the key that it must be signed with."""
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--key",
        type=Path,
        metavar="PUB",
        help="public key of whoever made the release, as `radcurate keys public` writes it",
    )
    parser.set_defaults(verb=verify_release)


def verify_release(chosen: argparse.Namespace) -> int:
    """Every file of a release against SHA256SUMS and the signed attestation; needs nothing but the folder and the key."""
    checked = check_signed(chosen.folder, read_public(chosen.key) if chosen.key else None)
    for problem in checked.problems:
        print(problem, file=sys.stderr)
    if checked.problems:
        print(f"{chosen.folder}: {_n(len(checked.problems))}")
        return 1
    print(f"{chosen.folder}: every file is as released, {checked.files} files of {checked.release}")
    print(_signature(checked, known=bool(chosen.key)))
    return 0


def _signature(checked: Checked, known: bool) -> str:
    if known:
        return f"signature: holds, made with the key that was given ({checked.signer[:16]})"
    return (
        f"signature: fits the key in the release ({checked.signer[:16]}), which was not checked against a known key: "
        "anybody can make such a key. Give the one that you got from the makers: --key PUB"
    )


def _n(problems: int) -> str:
    return "1 problem" if problems == 1 else f"{problems} problems"

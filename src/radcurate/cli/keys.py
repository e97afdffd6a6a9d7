"""`radcurate keys …`: make, list, rotate and destroy project keys; make the honest broker's identity."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from radcurate.cli._record import record
from radcurate.errors import CurationError
from radcurate.identity import certificate, keystore
from radcurate.identity.broker import create_broker
from radcurate.keys import load_key

HOME = Path("~/.config/radcurate")
RESULTS = Path("results")


def add(parser: argparse.ArgumentParser) -> None:
    """What `keys` can do, each with its options."""
    whats = parser.add_subparsers(required=True, metavar="WHAT")

    def what(name: str, function: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        one = whats.add_parser(name, help=text, description=text)
        one.set_defaults(verb=function)
        return one

    place = "where to, outside the run folder"
    what("new", new, "make a project key").add_argument("file", type=Path, help=place)
    listing = what("list", show, "key ids, when made, and what became of them")
    listing.add_argument("folder", type=Path, nargs="?", default=HOME, help=f"where the keys are; {HOME}")
    what("rotate", rotate, "put a new key in the place of one that is kept as retired").add_argument("file", type=Path)
    gone = what("destroy", destroy, "overwrite and remove a key; leaves a certificate")
    gone.add_argument("file", type=Path)
    gone.add_argument("--yes", metavar="KEYID", help="the key's name, instead of typing it")
    gone.add_argument("--crosswalk", type=Path, metavar="FOLDER", help="remove the crosswalk under this key too")
    what("check", check, "check the certificate of a destroyed key").add_argument("certificate", type=Path)
    shared = what("public", public, "the public key that a release's signature is checked with; may go to anybody")
    shared.add_argument("file", type=Path, nargs="?", default=HOME / "key", help=f"the project key; {HOME}/key")
    shared.add_argument("--out", type=Path, metavar="PEM", help="write it there, instead of printing it")
    made = what("broker", broker, "make the honest broker's identity; prints its public key")
    made.add_argument("file", type=Path, help=place)


def new(chosen: argparse.Namespace) -> int:
    """Make a key; prints its name, never its value."""
    key = keystore.new_key(chosen.file)
    print(
        f"key {key.key_id} written, mode 0600. Keep a copy in a safe place: pseudonyms can't be made again without it."
    )
    return 0


def show(chosen: argparse.Namespace) -> int:
    """The keys in a folder, one a line."""
    entries = keystore.entries(chosen.folder)
    if not entries:
        print("no keys here", file=sys.stderr)
        return 0
    print(f"{'key id':12}  {'made':20}  {'state':9}  file")
    for entry in entries:
        print(f"{entry.key_id:12}  {entry.made or 'unknown':20}  {entry.state:9}  {entry.file}")
    exposed = [entry for entry in entries if entry.exposed]
    for entry in exposed:
        print(f"{entry.file}: mode {entry.mode:04o}, others can read it; chmod 600", file=sys.stderr)
    return 1 if exposed else 0


def rotate(chosen: argparse.Namespace) -> int:
    """A new key at the same place; says what was made with the old one."""
    old, fresh, retired = keystore.rotate(chosen.file)
    record(fresh, "keys rotate", {"old": old.key_id, "new": fresh.key_id})
    print(f"key {fresh.key_id} is in use now, mode 0600. Keep a copy in a safe place.")
    print(f"key {old.key_id} is retired, kept as {retired.name}.")
    print(_dependants(old.key_id))
    print("The next run makes everything again under the new key: all pseudonyms, UIDs and date shifts change.")
    return 0


def destroy(chosen: argparse.Namespace) -> int:
    """Destroy a key once its name was typed or given."""
    key = keystore.identify(chosen.file)
    confirmed = chosen.yes
    if confirmed is None:
        print(f"{_dependants(key.key_id)}\nWithout it nobody can make its pseudonyms again. There is no way back.")
        confirmed = _typed(f"Type {key.key_id} to destroy it: ")
    if confirmed.strip() == key.key_id:
        record(key, "keys destroy", {"key": key.key_id, "crosswalk": bool(chosen.crosswalk)})
    done, path = keystore.destroy(chosen.file, confirmed.strip(), chosen.crosswalk)
    print(f"key {done.key_id} destroyed, {_files(done.files)} overwritten and removed. Certificate: {path.name}")
    if chosen.crosswalk:
        print(f"Its crosswalk is gone too, {_files(done.crosswalk or 0)}.")
    else:
        print("A crosswalk, if one was written, still leads back to patients: remove it too (--crosswalk FOLDER).")
    print("Copies elsewhere are not known here: destroy the backups of the key as well.")
    return 0


def broker(chosen: argparse.Namespace) -> int:
    """An identity for the honest broker; the public key alone goes to the pipeline."""
    public = create_broker(chosen.file)
    print("identity written, mode 0600: keep it where the pipeline can't read it. Its public key:", file=sys.stderr)
    print(public)
    return 0


def public(chosen: argparse.Namespace) -> int:
    """The public half of the signing key that belongs to a project key."""
    from radcurate.release.signing import name_of, public_pem, signing_key

    key = load_key(chosen.file)
    if chosen.out is None:
        print(public_pem(key), end="")
        return 0
    try:
        with chosen.out.expanduser().open("x") as stream:
            stream.write(public_pem(key))
    except OSError as error:
        raise CurationError(
            "the public key can't be written",
            wanted="a path where no file is, in a folder that you may write to",
            found=type(error).__name__,
            fix="name another file, or leave --out away",
        ) from None
    name = name_of(signing_key(key).public_key())
    print(f"public key {name[:16]} written. Give it to whoever gets a release: radcurate verify-release DIR --key PEM")
    return 0


def check(chosen: argparse.Namespace) -> int:
    """Whether a certificate is as it was written, and what it says."""
    known = certificate.check(chosen.certificate)
    print(f"the certificate holds: key {known.key_id}, made {known.made or 'at an unknown time'},")
    print(f"destroyed {known.destroyed}, {_files(known.files)}, by radcurate {known.radcurate}")
    print("its crosswalk: " + ("not looked for" if known.crosswalk is None else f"{_files(known.crosswalk)} removed"))
    return 0


def _dependants(key_id: str) -> str:
    found = keystore.dependants(RESULTS, key_id)
    told = ", ".join(f"{stage} {_files(count)}" for stage, count in found.items())
    return f"Made with {key_id} in results/: {told or 'nothing'}."


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _typed(prompt: str) -> str:
    try:
        return input(prompt)
    except EOFError:
        raise CurationError(
            "not confirmed",
            wanted="the key's name, typed",
            found="no terminal",
            fix="give it with --yes KEYID",
        ) from None

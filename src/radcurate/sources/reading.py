"""Which folder the stages read, and what the rule of fetch is told."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from radcurate.dicom.tree import fingerprint
from radcurate.errors import CurationError
from radcurate.settings import Config, Fetch
from radcurate.sources.access import read_access, read_studies, tls
from radcurate.sources.origin import Origin, check_address, is_archive, is_server, origin_of

FETCH_VARIABLE = "RADCURATE_FETCH_FROM"
SERVER_VARIABLE = "RADCURATE_FETCH_SERVER"
FOLDER, FILES, SEAL = "fetch", "files", "seal.json"
# of fetch.dicomweb: where secrets lie and how patiently to ask. None of it changes what is fetched, so none of it is a
# parameter of the rule; it goes through the environment
UNTOLD = {"studies", "credentials", "authority", "timeout", "retries", "rate", "connections", "page"}
FIX = "set `input` in config/config.yaml, or: snakemake --config input=DIR"


def input_origin(config: Config, results: Path, worker: bool = False) -> Origin:
    """What the input is; it exists, and no result lies in it.

    Args:
        config: checked.
        results: folder of the run's results.
        worker: a job of a cluster asks, after fetch: a large folder isn't searched again for archives.

    Raises:
        CurationError: no input, nothing there, or a folder around the results.
    """
    if config.input is None:
        raise CurationError("no input", wanted="a folder with a DICOM export", found="nothing", fix=FIX)
    path = Path(config.input).expanduser()
    if is_server(config.input) or (path.is_file() and is_archive(path.name)):
        return origin_of(config.input, config.fetch.archives)
    if not path.is_dir():
        raise CurationError(
            "the input is no folder",
            wanted="a folder, an archive (.zip, .tar, .tar.gz, …) or dicomweb+https://HOST/PATH",
            found="another file" if path.exists() else "no such folder",
            fix=FIX,
        )
    if results.resolve().is_relative_to(path.resolve()):
        raise CurationError(
            "the input contains the results",
            wanted="an export beside the run folder",
            found="a folder above results/",
            fix="move the export, or work in another folder: snakemake --directory DIR",
        )
    if worker:
        return Origin("archives" if (results / FOLDER / SEAL).is_file() else "folder", str(path.resolve()))
    return origin_of(config.input, config.fetch.archives)


def reading_folder(origin: Origin, results: Path) -> Path:
    """The folder that inventory and later stages read: the input, or what fetch makes of it."""
    return (results / FOLDER / FILES).absolute() if origin.fetched else Path(origin.place)


def fetch_settings(fetch: Fetch) -> str:
    """What decides what is fetched, as JSON; the list of studies goes into the state of the source."""
    content = fetch.model_dump(mode="json")
    content["dicomweb"] = {name: value for name, value in content["dicomweb"].items() if name not in UNTOLD}
    return json.dumps(content, sort_keys=True)


def server_settings(fetch: Fetch) -> str:
    """What else a request needs, as JSON with absolute paths."""
    content = fetch.dicomweb.model_dump(mode="json", include=UNTOLD)
    for name in ("studies", "credentials", "authority"):
        if content[name]:
            content[name] = str(Path(content[name]).expanduser().resolve())
    return json.dumps(content, sort_keys=True)


def check_server(fetch: Fetch, address: str) -> None:
    """Look at all that a server will need, before anything starts; nothing is asked over the network.

    Raises:
        CurationError: the address may not be used, or a private file can't be read or can be read by others.
    """
    settings = json.loads(server_settings(fetch))
    access = read_access(settings["credentials"])
    read_studies(settings["studies"])
    if check_address(address).startswith("https://"):
        tls(access, settings["authority"])


def archives_state(origin: Origin) -> str:
    """Digest of names, sizes and times of an archive, or of a folder with all that lies in it."""
    path = Path(origin.place)
    if path.is_dir():
        return fingerprint(path)
    status = path.stat()
    return hashlib.sha256(f"{path.name}\0{status.st_size}\0{status.st_mtime_ns}".encode()).hexdigest()


def forget_fetched(results: Path) -> None:
    """Remove what was fetched for an earlier input, where the present one is read where it lies."""
    if (results / FOLDER).is_dir():
        shutil.rmtree(results / FOLDER)

"""The crosswalk from pseudonyms back to patients: the pipeline writes it, only the honest broker can read it.

One file a chunk, `<folder>/<key id>/<chunk>.age`: a Parquet table encrypted (age, X25519) to the broker's public keys.
The key id and the chunk stand inside too, so that a file that was moved or renamed is noticed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyrage
from pyrage import x25519

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.identity import certificate as certificates
from radcurate.identity.broker import load_recipients
from radcurate.identity.files import private_folder, refuse_inside, write_private
from radcurate.keys import Key

SUFFIX = ".age"
COLUMNS: list[tuple[str, pa.DataType]] = [
    ("subject", tables.TEXT),  # pseudonym in the run, P-…
    ("released_subject", tables.TEXT),  # code in a release, P-… too
    ("patient_id", tables.TEXT),
    ("issuer", tables.TEXT),
    ("days", tables.INT),  # added to every date; null where only years are kept
    ("series", tables.TEXT),  # pseudonym in the run, S-…
    ("released_series", tables.TEXT),  # code in a release, S-… too
    ("study_uid", tables.TEXT),  # originals, null where the source has none …
    ("new_study_uid", tables.TEXT),  # … and what they became
    ("series_uid", tables.TEXT),
    ("new_series_uid", tables.TEXT),
    ("instance_uid", tables.TEXT),
    ("new_instance_uid", tables.TEXT),
]
PSEUDONYMS = (
    "subject", "released_subject", "series", "released_series", "new_study_uid", "new_series_uid", "new_instance_uid",
)  # fmt: skip
# the one table that lies outside a run, hence not in tables
CROSSWALK = tables.Schema("crosswalk", COLUMNS, tuple(name for name, _ in COLUMNS))


def check(folder: Path, recipients: Path, also: Iterable[Path] = ()) -> None:
    """What can be known before the first job: the folder is outside the run and `also`, the recipients are public keys.

    Raises:
        CurationError: what is wrong.
    """
    refuse_inside(folder, "the crosswalk", [Path.cwd(), *also])
    load_recipients(recipients)


def series_rows(
    key: Key,
    series: Mapping[str, Any],
    days: int | None,
    new_study: str | None,
    new_series: str | None,
    instances: Iterable[tuple[str | None, str | None]],
) -> list[dict[str, Any]]:
    """Rows of one series.

    Args:
        key: makes the codes of a release, by which a patient may be asked for.
        series: a row of the inventory's series table.
        days: the patient's date shift; None where only years are kept.
        new_study: its new Study Instance UID.
        new_series: its new Series Instance UID.
        instances: old and new SOP Instance UID of each file; a mask without UIDs is (None, None).
    """
    same = {
        "subject": series["subject"],
        "released_subject": key.release_code("P", series["subject"]),
        "patient_id": series["patient_id"],
        "issuer": series["issuer"],
        "days": days,
        "series": series["series"],
        "released_series": key.release_code("S", series["series"]),
        "study_uid": series["study_instance_uid"],
        "new_study_uid": new_study,
        "series_uid": series["series_instance_uid"],
        "new_series_uid": new_series,
    }
    return [{**same, "instance_uid": old, "new_instance_uid": new} for old, new in instances]


def write(folder: Path, key_id: str, chunk: str, recipients: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Encrypt the rows of a chunk to the broker, replacing what was written for it: who has withdrawn is no longer in it.

    Args:
        folder: where crosswalks are kept, outside the run folder.
        key_id: of the key that the pseudonyms are made with.
        chunk: its five digits.
        recipients: file with the broker's public keys.
        rows: columns of `CROSSWALK`; none at all removes the file.

    Raises:
        CurationError: the folder is inside the run, or the recipients can't be used.
    """
    refuse_inside(folder, "the crosswalk", [Path.cwd()])
    path = _path(folder, key_id, chunk)
    content = tables.table(CROSSWALK, rows)
    if not content.num_rows:
        path.unlink(missing_ok=True)
        return
    sealed = pyrage.encrypt(_pack(content, key_id, chunk), load_recipients(recipients))
    private_folder(path.parent)
    write_private(path, sealed)


def forget(folder: Path, key_id: str, keep: Collection[str] = ()) -> list[str]:
    """Remove the files of all chunks but `keep`; the chunks that are gone. For chunks that hold nobody any more."""
    home = folder.expanduser() / key_id
    gone = [path for path in _files(home) if path.stem not in keep]
    for path in [*gone, *home.glob(f".*{SUFFIX}.*")]:  # the latter a killed job left unfinished
        path.unlink()
    if gone and not any(home.iterdir()):
        home.rmdir()
    return [path.stem for path in gone]


def parts(folder: Path, key_id: str) -> list[Path]:
    """The files that lead back from this key's pseudonyms; while there are any, destroying the key is not enough."""
    return _files(folder.expanduser() / key_id)


def find(folder: Path, identity: Sequence[x25519.Identity], pseudonym: str) -> list[dict[str, Any]]:
    """All rows, under any key, of a patient's (P-…) or series' (S-…) code, in the run or a release, or of a new UID.

    Raises:
        CurationError: no crosswalk there, another identity, a changed file, or an unknown pseudonym.
    """
    paths = [path for home in _homes(folder.expanduser()) for path in _files(home)]
    gone = "; those of destroyed keys are gone: " + ", ".join(keys) if (keys := _destroyed(folder.expanduser())) else ""
    if not paths:
        raise CurationError(
            "no crosswalk",
            wanted="<folder>/<key id>/<chunk>.age",
            found=f"no such file{gone}",
            fix="name the folder that deidentify.crosswalk names; what was destroyed can't be had back",
        )
    found: list[dict[str, Any]] = []
    for path in paths:
        found += (row for row in read(path, identity) if pseudonym in _names(row))
    if not found:
        raise CurationError(
            "nobody has this pseudonym",
            wanted="a pseudonym or new UID of a patient in the crosswalk",
            found=f"none in {len(paths)} parts{gone}",
            fix="check the spelling; who has withdrawn is no longer in the crosswalk",
        )
    return found


def read(path: Path, identity: Sequence[x25519.Identity]) -> list[dict[str, Any]]:
    """Rows of one file.

    Raises:
        CurationError: another identity, or a file that was changed, cut or moved.
    """
    try:
        plain = pyrage.decrypt(path.read_bytes(), identity)
    except pyrage.DecryptError as error:
        raise _unreadable(path, foreign="matching keys" in str(error)) from None
    except OSError as error:
        raise CurationError(
            "the crosswalk can't be read", wanted="read permission", found=type(error).__name__, fix="ask who keeps it"
        ) from None
    return _unpack(plain, path)


def _names(row: Mapping[str, Any]) -> Iterator[str | None]:
    return (row[name] for name in PSEUDONYMS)


def _pack(content: pa.Table, key_id: str, chunk: str) -> bytes:
    stream = pa.BufferOutputStream()
    marked = content.replace_schema_metadata({b"key_id": key_id.encode(), b"chunk": chunk.encode()})
    pq.write_table(marked, stream, compression="zstd", version="2.6")
    return bytes(stream.getvalue().to_pybytes())


def _unpack(plain: bytes, path: Path) -> list[dict[str, Any]]:
    try:
        content = pq.read_table(pa.BufferReader(plain), partitioning=None)
    except (pa.ArrowException, OSError):
        raise _unreadable(path, foreign=False) from None
    marks = content.schema.metadata or {}
    place = (marks.get(b"key_id"), marks.get(b"chunk"))
    same_columns = content.schema.equals(CROSSWALK.arrow, check_metadata=False)
    if not same_columns or place != (path.parent.name.encode(), path.stem.encode()):
        raise _unreadable(path, foreign=False)
    return list(content.to_pylist())


def _unreadable(path: Path, foreign: bool) -> CurationError:
    where = ("part", f"{path.parent.name}/{path.stem}")
    if foreign:
        return CurationError(
            "the crosswalk is not for this identity",
            wanted="the identity whose public key was in deidentify.recipients",
            found="another one, or a file with another beginning",
            fix="use that identity; if it was destroyed, nobody can read this any more",
            where=where,
        )
    return CurationError(
        "the crosswalk does not hold",
        wanted="a file as the pipeline wrote it, at its place",
        found="one that was changed, cut or moved",
        fix="take it from a backup, or delete it and run deidentify again",
        where=where,
    )


def _destroyed(folder: Path) -> list[str]:
    """Key ids of the certificates that lie in the folder, sorted."""
    found = folder.glob(f"*{certificates.SUFFIX}")
    return sorted(path.name.removesuffix(certificates.SUFFIX) for path in found)


def _path(folder: Path, key_id: str, chunk: str) -> Path:
    return folder.expanduser() / key_id / f"{chunk}{SUFFIX}"


def _files(home: Path) -> list[Path]:
    return sorted(path for path in home.glob(f"*{SUFFIX}") if not path.name.startswith("."))


def _homes(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []

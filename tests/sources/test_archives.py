"""Archives that mean harm, or are harmed: nothing outside, nothing lost in silence, nothing without bounds."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import stat
import struct
import subprocess
import sys
import tarfile
import unicodedata
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from inventory_files import Export, uid
from radcurate import tables
from radcurate.errors import CurationError
from radcurate.sources import limits, tars
from radcurate.sources.names import Names, parts_of
from radcurate.sources.store import intact, stamp, write
from sources.source_archives import entry, fetched, problems, tarred, tree, zipped

GOOD = {"a/one": b"1" * 700, "b": b"2" * 1500}


def beside(tmp_path: Path, name: str, **content: bytes) -> Path:
    """The archive `name` is put beside a good one; its folder."""
    zipped(tmp_path / "in" / "good.zip", GOOD)
    return tmp_path / "in" / name


def of(out: Path, name: str) -> dict[str, bytes]:
    """What came out of an archive."""
    return {path.removeprefix(f"{name}/"): data for path, data in tree(out).items() if path.startswith(f"{name}/")}


PACKERS = {"": "w", ".gz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}


@pytest.mark.parametrize("suffix", PACKERS)
def test_tar_archives_of_all_kinds(tmp_path: Path, suffix: str) -> None:
    archive = tarred(tmp_path / f"x.tar{suffix}", GOOD, PACKERS[suffix])
    assert of(fetched(archive, tmp_path / "out"), archive.name) == GOOD


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_zip_archives_of_all_kinds(tmp_path: Path, method: int) -> None:
    archive = zipped(tmp_path / "x.ZIP", GOOD, method)
    assert of(fetched(archive, tmp_path / "out"), archive.name) == GOOD


def test_a_zstandard_archive(tmp_path: Path) -> None:
    plain = tarred(tmp_path / "x.tar", GOOD)
    packed = tmp_path / "x.tar.zst"
    with pa.CompressedOutputStream(str(packed), "zstd") as stream:
        stream.write(plain.read_bytes())
    plain.unlink()
    assert of(fetched(packed, tmp_path / "out"), packed.name) == GOOD


OUTSIDE = ["../out", "a/../../out", "/etc/out", "..", "C:\\out", "..\\out", "a\\..\\..\\out"]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_name_that_leads_out_is_told_and_not_followed(tmp_path: Path, name: str, pack) -> None:
    archive = pack(beside(tmp_path, "bad.zip"), {**GOOD, name: b"harm"})
    out = fetched(tmp_path / "in", tmp_path / "deep" / "er" / "out")
    assert of(out, archive.name) == GOOD
    assert problems(out) == {f"bad.zip/{name}": "member_outside"}
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.read_bytes() == b"harm"]
    assert not Path("/etc/out").exists()


def test_links_and_devices_are_told_and_not_made(tmp_path: Path) -> None:
    more = [
        entry("inside", tarfile.SYMTYPE, "a/one"),
        entry("a/up", tarfile.SYMTYPE, "../b"),
        entry("hard", tarfile.LNKTYPE, "b"),
        entry("outside", tarfile.SYMTYPE, "/etc/passwd"),
        entry("climbs", tarfile.SYMTYPE, "../../x"),
        entry("dangles", tarfile.SYMTYPE, "nothing"),
        entry("unborn", tarfile.LNKTYPE, "nothing"),
        entry("fifo", tarfile.FIFOTYPE),
        entry("disk", tarfile.BLKTYPE),
        entry("folder", tarfile.DIRTYPE),
    ]
    out = fetched(tarred(tmp_path / "x.tar", GOOD, more=more), tmp_path / "out")
    assert of(out, "x.tar") == GOOD
    want = {
        **dict.fromkeys(("inside", "a/up", "hard"), "link"),
        **dict.fromkeys(("outside", "climbs"), "link_outside"),
        **dict.fromkeys(("dangles", "unborn"), "broken_link"),
        **dict.fromkeys(("fifo", "disk"), "not_a_file"),
    }
    assert problems(out) == {f"x.tar/{name}": reason for name, reason in want.items()}
    assert not [path for path in (out / "files").rglob("*") if path.is_symlink()]


def test_a_file_is_not_written_through_a_link_before_it(tmp_path: Path) -> None:
    """A link to a folder outside, then a file below its name: the classic way out."""
    archive = tmp_path / "x.tar"
    (tmp_path / "victim").mkdir()
    with tarfile.open(archive, "w") as stream:
        stream.addfile(entry("sub", tarfile.SYMTYPE, str(tmp_path / "victim")))
        info = tarfile.TarInfo("sub/file")
        info.size = 4
        stream.addfile(info, io.BytesIO(b"harm"))
    out = fetched(archive, tmp_path / "out")
    assert of(out, "x.tar") == {"sub/file": b"harm"}
    assert not list((tmp_path / "victim").iterdir())


def test_a_link_in_a_zip_archive(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "x.zip", GOOD)
    info = zipfile.ZipInfo("link")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "a") as stream:
        stream.writestr(info, "/etc/passwd")
    out = fetched(archive, tmp_path / "out")
    assert problems(out) == {"x.zip/link": "link_outside"}
    assert not (out / "files" / "x.zip" / "link").exists()


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize("names", [("x", "X"), ("é", "e\u0301"), ("a/b", "A/b"), ("a", "a/b"), ("a/b", "a")])
def test_names_that_clash_are_both_kept(tmp_path: Path, pack, names: tuple[str, str]) -> None:
    archive = pack(tmp_path / "x.zip", {names[0]: b"first", names[1]: b"second"})
    out = fetched(archive, tmp_path / "out")
    assert sorted(of(out, "x.zip").values()) == [b"first", b"second"]
    assert problems(out) == {}
    assert len({unicodedata.normalize("NFC", name).casefold() for name in of(out, "x.zip")}) == 2


def test_a_member_that_is_there_twice_is_kept_twice(tmp_path: Path) -> None:
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as stream, pytest.warns(UserWarning, match="Duplicate"):
        for data in (b"first", b"second"):
            stream.writestr("s.nii.gz", data)
    assert of(fetched(archive, tmp_path / "out"), "x.zip") == {"s.nii.gz": b"first", "2~s.nii.gz": b"second"}


def test_a_million_clashes_take_no_square_of_time() -> None:
    names = Names()
    given = {names.give(("A" if k % 2 else "a",)) for k in range(20_000)}
    assert len(given) == 20_000


def test_names_find_a_place_whatever_they_are() -> None:
    for name in ("x" * 5000, "/".join("x" * 3000), "é" * 300 + ".nii.gz", "caf\udce9", "a//./b", " ", "con\n"):
        parts = parts_of(name)
        assert parts is not None
        assert all(0 < len(part.encode()) <= 255 and part not in (".", "..") and "/" not in part for part in parts)
        assert len("/".join(parts)) < 16_000
    assert parts_of("é" * 300 + ".nii.gz")[-1].endswith(".nii.gz")  # type: ignore[index]


def test_archives_within_archives_to_a_depth(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "i.zip", GOOD).read_bytes()
    middle = tarred(tmp_path / "m.tar.gz", {"i.zip": inner, "m": b"m"}, "w:gz").read_bytes()
    outer = zipped(tmp_path / "in" / "o.zip", {"m.tar.gz": middle, "o": b"o"})
    for depth, reason in ((2, {}), (1, {"o.zip/m.tar.gz/i.zip": "archive_too_deep"})):
        out = fetched(outer, tmp_path / f"out{depth}", nesting=depth)
        want = {"o": b"o", "m.tar.gz/m": b"m"} | (
            {f"m.tar.gz/i.zip/{k}": v for k, v in GOOD.items()} if depth == 2 else {}
        )
        assert of(out, "o.zip") == want
        assert problems(out) == reason


def test_a_damaged_archive_within_takes_only_itself(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "i.zip", GOOD).read_bytes()
    outer = tarred(tmp_path / "o.tar", {"bad.zip": inner[:-9], "good.zip": inner, "f": b"f"})
    out = fetched(outer, tmp_path / "out")
    assert problems(out) == {"o.tar/bad.zip": "archive_damaged"}
    assert of(out, "o.tar") == {"f": b"f", **{f"good.zip/{k}": v for k, v in GOOD.items()}}


MEMBERS = {f"m{k}": os.urandom(2000) for k in range(5)}
CUTTABLE = {"x.zip": zipped, "x.tar": tarred, "x.tar.gz": lambda p, c: tarred(p, c, "w:gz")}
CUTTABLE |= {"x.tar.bz2": lambda p, c: tarred(p, c, "w:bz2"), "x.tar.xz": lambda p, c: tarred(p, c, "w:xz")}


@pytest.mark.parametrize("name", CUTTABLE)
def test_an_archive_that_is_cut_anywhere_gives_nothing(tmp_path: Path, name: str) -> None:
    """Also between two members: a plain tar shows no other trace of the cut than the missing end."""
    archive = CUTTABLE[name](beside(tmp_path, name), MEMBERS)
    whole = archive.read_bytes()
    last = {"x.tar": 5 * 2560 + 511}.get(name, len(whole) - 9)  # the end of a tar is two blocks of zeros and padding
    for k, length in enumerate((4, 300, 2560, 5120, 3 * 2560 + 700, 5 * 2560, last)):
        if length >= len(whole):
            continue
        archive.write_bytes(whole[:length])
        out = fetched(tmp_path / "in", tmp_path / f"out{k}")
        assert problems(out) == {name: "archive_damaged"}, length
        assert of(out, "good.zip") == GOOD
        assert {path.split("/")[0] for path in tree(out)} == {"good.zip"}


@pytest.mark.parametrize("name", CUTTABLE)
def test_a_flipped_bit_is_never_passed_on(tmp_path: Path, name: str) -> None:
    """Of a plain tar only headers carry a check sum: there the content is the member's own business."""
    archive = CUTTABLE[name](beside(tmp_path, name), MEMBERS)
    whole = archive.read_bytes()
    step = max(len(whole) // 11, 1)
    for k, at in enumerate(range(0, len(whole), step)):
        if name == "x.tar" and (at % 2560 >= 512 or at >= 5 * 2560):
            continue
        archive.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        out = fetched(tmp_path / "in", tmp_path / f"out{k}")
        came = of(out, name)
        assert set(came.values()) <= set(MEMBERS.values())
        if set(came.values()) != set(MEMBERS.values()):
            assert problems(out)[name].startswith("archive_"), at


def test_an_encrypted_archive_is_told(tmp_path: Path) -> None:
    archive = zipped(beside(tmp_path, "x.zip"), GOOD)
    data = bytearray(archive.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.find(mark)
        data[at + offset] |= 1
    archive.write_bytes(data)
    out = fetched(tmp_path / "in", tmp_path / "out")
    assert problems(out) == {"x.zip": "archive_encrypted"}
    assert of(out, "good.zip") == GOOD


def test_a_way_of_packing_that_is_not_read_is_told(tmp_path: Path) -> None:
    zipped(beside(tmp_path, "x.zip"), GOOD, zipfile.ZIP_LZMA)
    assert problems(fetched(tmp_path / "in", tmp_path / "out")) == {"x.zip": "archive_unsupported"}


def bomb(path: Path, megabytes: int) -> Path:
    with gzip.open(path, "wb", compresslevel=9) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        info = tarfile.TarInfo("zeros")
        info.size = megabytes << 20
        archive.addfile(info, Zeros())
    return path


class Zeros(io.RawIOBase):
    def read(self, size: int = -1) -> bytes:
        return bytes(size)


def test_bombs_are_put_out_by_size_by_ratio_and_by_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb(beside(tmp_path, "x.tar.gz"), 8)
    zipped(tmp_path / "in" / "y.zip", {"zeros": bytes(8 << 20)})
    zipped(tmp_path / "in" / "z.zip", {f"f{k}": b"" for k in range(50)})
    calls = {"most_gigabytes": 4 / 1024, "most_files": 20}
    out = fetched(tmp_path / "in", tmp_path / "one", **calls)
    assert problems(out) == dict.fromkeys(("x.tar.gz", "y.zip", "z.zip"), "archive_too_large")
    assert of(out, "good.zip") == GOOD
    assert problems(fetched(tmp_path / "in", tmp_path / "two")) == {}
    monkeypatch.setattr(limits, "GIGABYTE", 1 << 20)
    out = fetched(tmp_path / "in", tmp_path / "three", most_gigabytes=1e6)
    assert problems(out) == dict.fromkeys(("x.tar.gz", "y.zip"), "archive_too_large")


def test_a_bomb_within_an_archive_counts_for_the_whole(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "i.zip", {"zeros": bytes(3 << 20)}).read_bytes()
    archive = tarred(beside(tmp_path, "x.tar"), {f"{k}.zip": inner for k in range(4)})
    out = fetched(tmp_path / "in", tmp_path / "out", most_gigabytes=8 / 1024)
    assert problems(out) == {archive.name: "archive_too_large"}


def test_a_zip_whose_members_share_their_bytes(tmp_path: Path) -> None:
    """Many entries of the table of contents point at one compressed block (Fifield 2019)."""
    archive = zipped(beside(tmp_path, "x.zip"), {"f": bytes(1 << 20)})
    data = archive.read_bytes()
    at, end = data.find(b"PK\1\2"), data.find(b"PK\5\6")
    index = data[at:end] * 64
    tail = bytearray(data[end:])
    struct.pack_into("<HHLL", tail, 8, 64, 64, len(index), at)
    archive.write_bytes(data[:at] + index + tail)
    out = fetched(tmp_path / "in", tmp_path / "out", most_gigabytes=16 / 1024)
    assert problems(out) == {"x.zip": "archive_too_large"}


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE])
def test_a_header_without_end_is_not_read_into_memory(
    tmp_path: Path, kind: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tars.Budget] = []
    begin = tars.Budget.__init__
    monkeypatch.setattr(tars.Budget, "__init__", lambda self, stream: (made.append(self), begin(self, stream))[1])
    path = beside(tmp_path, "x.tar.gz")
    info = entry("h", kind)
    info.size = 64 << 20
    with gzip.open(path, "wb") as stream:
        stream.write(info.tobuf())
        for _ in range(64):
            stream.write(bytes(1 << 20))
    out = fetched(tmp_path / "in", tmp_path / "out")
    assert problems(out) == {"x.tar.gz": "archive_damaged"}
    assert made and max(budget.count for budget in made) < 4 << 20  # bytes that came out of the stream


def test_an_xz_archive_that_asks_for_a_gigabyte_of_memory(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30}]
    path = beside(tmp_path, "x.tar.xz")
    plain = tarred(tmp_path / "plain", GOOD)
    child = f"import lzma; from pathlib import Path; data = Path({str(plain)!r}).read_bytes(); "
    child += f"Path({str(path)!r}).write_bytes(lzma.compress(data, filters={filters!r}))"
    subprocess.run([sys.executable, "-c", child], check=True)
    assert problems(fetched(tmp_path / "in", tmp_path / "out")) == {"x.tar.xz": "archive_damaged"}


def test_a_table_of_contents_that_would_fill_the_memory(tmp_path: Path) -> None:
    path = zipped(beside(tmp_path, "x.zip"), GOOD)
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.rfind(b"PK\5\6") + 12, 1 << 31)
    path.write_bytes(data)
    assert problems(fetched(tmp_path / "in", tmp_path / "out")) == {"x.zip": "archive_too_large"}


def test_room_on_the_disk_is_looked_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SPARE", 1 << 62)
    with pytest.raises(CurationError, match="not enough room"):
        fetched(zipped(tmp_path / "x.zip", GOOD), tmp_path / "out")
    assert tree(tmp_path / "out") == {}


def test_a_member_outside_names_the_instance_that_is_missing(tmp_path: Path) -> None:
    export = Export(tmp_path / "e")
    path = export.slice(uid("image"), 0.0)
    out = fetched(tarred(tmp_path / "x.tar", {"/abs": path.read_bytes(), "b": b"b"}), tmp_path / "out")
    (row,) = tables.read_rows(out / "problems.parquet", tables.FETCH_PROBLEMS)
    assert (row["series_instance_uid"], row["sop_instance_uid"]) == (uid("image"), uid(uid("image"), 0.0))


def test_a_file_s_time_is_made_from_its_content(tmp_path: Path) -> None:
    _, one = write(tmp_path / "a", [b"con", b"tent"])
    _, two = write(tmp_path / "b", [b"content"])
    assert one == two and (tmp_path / "a").stat().st_mtime_ns == (tmp_path / "b").stat().st_mtime_ns == stamp(one)
    assert intact(tmp_path / "a")
    was = (tmp_path / "a").stat()
    (tmp_path / "a").write_bytes(b"cantent")
    os.utime(tmp_path / "a", ns=(was.st_atime_ns, was.st_mtime_ns))
    assert not intact(tmp_path / "a")
    with pytest.raises(FileExistsError):
        write(tmp_path / "b", [b"x"])


@pytest.mark.slow
def test_memory_stays_small(tmp_path: Path) -> None:
    """A member of 128 MB and its archive go through in blocks."""
    bomb(tmp_path / "x.tar.gz", 128)
    child = (
        "import resource, sys; from pathlib import Path; from sources.source_archives import fetched\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "fetched(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    arguments = [sys.executable, "-c", child, str(tmp_path / "x.tar.gz"), str(tmp_path / "out")]
    done = subprocess.run(arguments, env=env, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 64 << 10, f"{done.stdout} kB"

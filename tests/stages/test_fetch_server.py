"""fetch from a DICOMweb server: everything it lists or a row that says what is missing; only what is new is asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from inventory_files import Export, tree_state, uid
from radcurate import seals, tables
from radcurate.errors import CurationError
from radcurate.settings import Dicomweb, Fetch, Inventory
from radcurate.sources import web
from radcurate.stages import fetch, inventory
from radcurate.stages._fetch_server import planned_state
from sources.dicomweb_server import Held, serving
from sources.source_archives import KEY, problems, tree


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long would have been waited."""
    waits: list[float] = []
    monkeypatch.setattr(web.time, "sleep", waits.append)
    monkeypatch.setattr(os, "sync", lambda: None)  # of the whole machine, which is busy with other tests
    return waits


@pytest.fixture
def held(tmp_path: Path) -> Held:
    """Two patients, each an image and a contour."""
    held = Held()
    for name in ("PAT-1", "PAT-2"):
        export = Export(tmp_path / "export" / name, name)
        image, _ = export.image()
        export.rtstruct(image, [uid(image, 3.0)])
    held.add(tmp_path / "export")
    return held


@pytest.fixture
def address(held: Held) -> Iterator[str]:
    with serving(held) as address:
        yield address


def get(address: str, out: Path, **options: Any) -> Path:
    told = {
        name: options.pop(name) for name in ("retries", "timeout", "rate", "connections", "page") if name in options
    }
    told |= {name: str(options.pop(name)) for name in ("studies", "credentials") if name in options}
    fetch.run(Fetch(dicomweb=Dicomweb(**options)), address, out, KEY, 1, server=json.dumps({"retries": 2, **told}))
    return out


def contents(held: Held) -> dict[str, bytes]:
    return {
        f"{study}/{series}/{sop}.dcm": data
        for study, listed in held.files.items()
        for series, instances in listed.items()
        for sop, data in instances.items()
    }


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


WHIMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "short pages": {"largest_page": 1, "says_more": True},
    "no offset": {"heeds_offset": False},
    "chunked": {"chunked": True},
    "no answer for a whole series": {"whole_series": False},
}


@pytest.mark.parametrize("whim", WHIMS)
def test_all_that_is_listed_comes(held: Held, address: str, tmp_path: Path, whim: str) -> None:
    for name, value in WHIMS[whim].items():
        setattr(held, name, value)
    out = get(address, tmp_path / "out", page=2 if whim == "short pages" else 1000)
    assert tree(out) == contents(held)
    assert problems(out) == {}
    assert tables.read(out / "problems.parquet").num_rows == 0


def test_what_is_known_is_not_asked_for_again(held: Held, address: str, tmp_path: Path) -> None:
    out = get(address, tmp_path / "out")
    seal, before, state = (out / seals.SEAL).read_bytes(), list(held.log), tree_state(out / "files")
    get(address, out)
    assert [line.split("?")[0] for line in held.log[len(before) :]] == ["/dicom-web/studies"]
    assert (out / seals.SEAL).read_bytes() == seal
    Export(tmp_path / "export" / "PAT-1", "PAT-1").slice(uid("PAT-1", "image"), 12.0)
    held.add(tmp_path / "export")
    before = held.asked_for_files
    get(address, out)
    assert len(held.asked_for_files) == len(before) + 1
    assert tree(out) == contents(held)
    assert {name: was for name, was in tree_state(out / "files").items() if name in state} == state


def test_what_the_server_has_no_more_goes(held: Held, address: str, tmp_path: Path) -> None:
    out = get(address, tmp_path / "out")
    gone = sorted(held.files)[0]
    del held.files[gone]
    get(address, out)
    assert tree(out) == contents(held)
    assert [path.name for path in (out / "files").iterdir()] == list(held.files)


def test_a_server_that_dies_in_the_middle_is_asked_for_the_rest(
    held: Held, address: str, tmp_path: Path, no_waiting: list[float]
) -> None:
    out = tmp_path / "out"
    held.break_after = 6000
    with pytest.raises(CurationError, match="does not answer") as error:
        get(address, out, connections=1)
    some = tree(out)
    assert 0 < len(some) < len(contents(held))
    assert f"{len(some)} instances came" in error.value.found
    assert some.items() <= contents(held).items()  # whole files only
    assert 1.0 in no_waiting and 2.0 in no_waiting
    assert not (out / seals.SEAL).exists()
    held.break_after, asked = None, len(held.asked_for_files)
    times = tree_state(out / "files")
    get(address, out)
    assert tree(out) == contents(held)
    assert {name: tree_state(out / "files")[name] for name in times} == times
    assert not any(Path(name).stem in line for name in some for line in held.asked_for_files[asked:])
    whole = get(address, tmp_path / "other")
    assert (whole / seals.SEAL).read_bytes() == (out / seals.SEAL).read_bytes()


def test_a_torn_file_is_fetched_again(held: Held, address: str, tmp_path: Path) -> None:
    out = get(address, tmp_path / "out")
    victim = next(path for path in sorted((out / "files").rglob("*.dcm")))
    was = victim.stat()
    victim.write_bytes(victim.read_bytes()[:-60] + b"\0" * 60)
    os.utime(victim, ns=(was.st_atime_ns, was.st_mtime_ns))
    (out / ".working").touch()  # as after a power cut
    get(address, out)
    assert tree(out) == contents(held)


def test_passing_failures_are_overcome(held: Held, address: str, tmp_path: Path, no_waiting: list[float]) -> None:
    held.statuses = [503, 429, 200, 500]
    out = get(address, tmp_path / "out")
    assert tree(out) == contents(held)
    assert no_waiting[:2] == [1.0, 2.0]


def test_instances_that_are_listed_and_not_given_are_named(held: Held, address: str, tmp_path: Path) -> None:
    """Counts as the server's, or a row for what lacks; and the series is incomplete, though no gap shows it."""
    last = uid(uid("PAT-1", "image"), 9.0)
    held.hidden = {last}
    out = get(address, tmp_path / "out")
    assert set(problems(out).values()) == {"missing_on_server"}
    assert len(tree(out)) + len(problems(out)) == len(held.instances())
    result = inventoried(out, tmp_path)
    assert result[uid("PAT-1", "image")] == ("quarantined", "incomplete")
    assert result[uid("PAT-2", "image")] == ("ok", None)


def test_a_server_that_counts_more_than_it_lists(held: Held, address: str, tmp_path: Path) -> None:
    held.uncounted = {uid("PAT-2", "image"): 3}
    out = get(address, tmp_path / "out")
    assert set(problems(out).values()) == {"fewer_on_server"}
    assert inventoried(out, tmp_path)[uid("PAT-2", "image")] == ("quarantined", "incomplete")


def test_another_instance_than_was_asked_for_is_not_taken(held: Held, address: str, tmp_path: Path) -> None:
    first, other = uid(uid("PAT-1", "image"), 0.0), uid(uid("PAT-2", "image"), 0.0)
    everything = {Path(name).stem: data for name, data in contents(held).items()}
    held.swapped = {first: everything[other], other: b"no DICOM"}
    out = get(address, tmp_path / "out")
    assert set(problems(out).values()) == {"wrong_answer"} and len(problems(out)) == 2
    assert not any(first in name or other in name for name in tree(out))


def inventoried(made: Path, tmp_path: Path) -> dict[str, tuple[str, str | None]]:
    out = tmp_path / "inventory"
    inventory.run(Inventory(), made / "files", out, KEY, 1, [made / seals.SEAL])
    return {
        row["series_instance_uid"]: (row["status"], row["reason"])
        for path in out.glob("chunks/*/series.parquet")
        for row in tables.read_rows(path, tables.INVENTORY_SERIES)
    }


@pytest.mark.parametrize("heeds", [True, False])
def test_filters(held: Held, address: str, tmp_path: Path, heeds: bool) -> None:
    held.heeds_filters = heeds
    one, two = sorted(held.files)
    out = get(address, tmp_path / "a", studies=private(tmp_path / "list", f"# chosen\n{one}\n2.25.1\n"))
    assert {name.split("/")[0] for name in tree(out)} == {one}
    assert problems(out) == {"2.25.1": "no_such_study"}
    out = get(address, tmp_path / "b", modalities=("CT",))
    assert {held.modality[name.split("/")[1]] for name in tree(out)} == {"CT"}
    held.date[two] = "19990101"
    out = get(address, tmp_path / "c", since=date(2000, 1, 1), until=date(2030, 1, 1))
    assert {name.split("/")[0] for name in tree(out)} == {one}


@pytest.mark.parametrize("said, header", [("user=u\npassword=p=w", "Basic dTpwPXc="), ("token=t0k3n", "Bearer t0k3n")])
def test_credentials_come_from_a_private_file(
    held: Held, address: str, tmp_path: Path, said: str, header: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    held.wants = header
    with pytest.raises(CurationError, match="refuses"):
        get(address, tmp_path / "none")
    out = get(address, tmp_path / "out", credentials=private(tmp_path / "secret", said))
    assert tree(out) == contents(held)
    secrets = ("t0k3n", "p=w", "dTpwPXc", *held.files)
    assert not any(secret in caplog.text for secret in secrets)
    kept = [path.read_bytes() for path in out.rglob("*") if path.is_file() and "files" not in path.parts]
    assert not any(secret.encode() in data for secret in secrets[:3] for data in kept)


@pytest.mark.parametrize("what", ["credentials", "studies"])
def test_private_files_that_others_can_read_are_refused(address: str, tmp_path: Path, what: str) -> None:
    path = private(tmp_path / "file", "token=x\n" if what == "credentials" else "1.2.3\n")
    path.chmod(0o640)
    with pytest.raises(CurationError, match="can be read by others"):
        get(address, tmp_path / "out", **{what: path})


@pytest.mark.parametrize(
    "what, text", [("credentials", "s3cr3t"), ("credentials", "user=x"), ("studies", "1.2/../3"), ("studies", "")]
)
def test_private_files_that_make_no_sense_are_explained(address: str, tmp_path: Path, what: str, text: str) -> None:
    with pytest.raises(CurationError, match="can't be read") as error:
        get(address, tmp_path / "out", **{what: private(tmp_path / "file", text)})
    assert not text or text not in str(error.value)


@pytest.mark.parametrize("status", [301, 302, 307])
def test_redirections_are_not_followed(held: Held, address: str, tmp_path: Path, status: int) -> None:
    held.statuses = [status]
    with pytest.raises(CurationError, match="sends elsewhere"):
        get(address, tmp_path / "out", credentials=private(tmp_path / "secret", "token=x"))
    assert len(held.log) == 1


def test_a_server_that_names_no_uid_is_not_believed(held: Held, address: str, tmp_path: Path) -> None:
    held.files["../../etc"] = held.files.pop(sorted(held.files)[0])
    held.date["../../etc"] = "20200101"
    with pytest.raises(CurationError, match="no UID"):
        get(address, tmp_path / "out")


def test_a_plan_notices_a_change_and_outlives_a_silent_server(
    held: Held, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, settings = tmp_path / "out", Dicomweb()
    with serving(held) as address:
        first = planned_state(settings, address, KEY, out)
        fetch.run(Fetch(), address, out, KEY, 1, state=first)
        assert planned_state(settings, address, KEY, out) == first
        gone = held.files.pop(sorted(held.files)[0])
        assert planned_state(settings, address, KEY, out) != first
        held.files["2.25.9"], held.date["2.25.9"] = gone, "20200101"
        assert planned_state(settings, address, KEY, out) != first
    assert planned_state(settings, address, KEY, out) == first
    assert "going on with what was fetched" in capsys.readouterr().err
    with pytest.raises(CurationError, match="does not answer"):
        planned_state(settings, "http://127.0.0.1:9/other", KEY, out)

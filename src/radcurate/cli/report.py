"""`radcurate report`: what cleaning did to the pictures of a run, before and after, each figure with the file that it is from.

For whoever answers for a release: faces and texts can be seen on the pages, so they stay in the restricted zone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from radcurate import tables
from radcurate.cli._run import run_config
from radcurate.cli._shown import framed
from radcurate.errors import CurationError
from radcurate.identity.files import private_folder, write_private
from radcurate.keys import Key, load_key
from radcurate.redact.found import Box, Place
from radcurate.redact.pictures import open_series
from radcurate.report import page as html
from radcurate.seals import check_seal
from radcurate.stages._folders import entries

RESULTS = Path("results")
INDEX = "index.html"
MOST_FRAMES = 3  # shown of a series
PRIVATE = "People can be recognised on this page. It stays in the restricted zone."
FIGURES = {  # of qc.parquet, in words
    "moved": "share of the face's surface that moved by more than 3 mm",
    "ears_moved": "share of the ears' surface that did",
    "control_moved": "the same, measured on the untouched image: must be about 0",
    "presence_before": "agreement of the skin with a mean face, before",
    "presence_after": "and after",
    "likeness": "likeness of the surface before and after, seen from all sides",
    "control_likeness": "the same for an image that was not defaced: must be high",
    "brain_dice": "agreement of the brain before and after (Dice)",
    "changed_voxels": "changed voxels",
    "overlap_voxels": "contour voxels that were touched: must be 0",
    "roi_distance": "mm from the nearest contour to the nearest changed voxel",
}
Row = Mapping[str, Any]


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.set_defaults(verb=report)
    parser.add_argument("--configfile", type=Path, nargs="+", default=[], help="as the run was told; later files win")


def report(chosen: argparse.Namespace) -> int:
    """Write the pages."""
    key = load_key(Path(run_config(chosen.configfile).key_file), run_folder=Path.cwd())
    pages = write_report(RESULTS, key)
    print(f"{pages} series were changed: open {RESULTS / 'report' / INDEX}", file=sys.stderr)
    return 0


def write_report(results: Path, key: Key) -> int:
    """Write results/report anew (0700); how many series have a page.

    Args:
        results: of a finished run.
        key: of the project.

    Raises:
        CurationError: the run hasn't come past deface, or a seal doesn't hold.
    """
    chunks = [path.name for path in entries(results / "deface") if (path / "series.parquet").is_file()]
    if not chunks:
        raise CurationError(
            "nothing to report",
            wanted="a run that has come past deface, in results/",
            found="no results/deface",
            fix="run snakemake first, and ask from the same folder",
        )
    out = results / "report"
    private_folder(out)
    for old in out.glob("*.html"):
        old.unlink()
    lines = []
    for chunk in chunks:
        for name, line, parts in _of_chunk(results, chunk, key):
            write_private(out / name, html.document(name.removesuffix(".html"), parts))
            lines.append(line)
    write_private(out / INDEX, _index(results, lines))
    return len(lines)


def _index(results: Path, lines: Sequence[str]) -> bytes:
    parts = ["<h1>What cleaning did to the pictures</h1>", f'<p class="warn">{PRIVATE}</p>', _outcome(results)]
    head = "<tr><th>series</th><th>modality</th><th>text</th><th>face</th><th>then</th></tr>"
    parts.append("<table>" + head + "".join(lines) + "</table>" if lines else "<p>No picture was changed.</p>")
    parts.append(
        "<p>Series that wait for a person are not here: <code>radcurate review pictures --out DIR</code> shows them.</p>"
    )
    return html.document("report", parts)


def _outcome(results: Path) -> str:
    """What the gate said, with its criteria about pictures."""
    for name, said in (("verdict.json", "released"), ("refusal.json", "refused")):
        path = results / "gate" / name
        if path.is_file():
            found = json.loads(path.read_text()).get("findings", [])
            about = ("redact.", "deface.", "verify.", "invariance.")
            rows = [
                (
                    f"{one['name']} ({one['measure']})",
                    f"{one['measured']}: {'holds' if one['holds'] else 'does not hold'}",
                )
                for one in found
                if str(one.get("measure", "")).startswith(about)
            ]
            return f"<p>The gate {said}: {html.link(f'../gate/{name}')}</p>" + html.table(rows)
    return "<p>The gate has not judged yet.</p>"


def _of_chunk(results: Path, chunk: str, key: Key) -> Iterator[tuple[str, str, list[str]]]:
    """File name, line of the index and parts of the page of each series that was changed."""
    redact, deface = results / "redact" / chunk, results / "deface" / chunk
    check_seal(deface, key)
    boxes: dict[str, list[Row]] = defaultdict(list)
    if redact.is_dir():
        check_seal(redact, key)
        for row in tables.read_rows(redact / "boxes.parquet", tables.REDACT_BOXES):
            if row["filled"]:
                boxes[row["series"]].append(row)
    checks = {row["series"]: row for row in tables.read_rows(deface / "qc.parquet", tables.DEFACE_QC)}
    for row in tables.read_rows(deface / "series.parquet", tables.DEFACE_SERIES):
        series, own = row["series"], boxes[row["series"]]
        removed = row["face"] == "removed"
        if row["status"] != tables.OK or not (own or removed):
            continue
        name = f"{series}.html"
        parts = [f"<h1>{html.text(series)}</h1>", f'<p class="warn">{PRIVATE}</p>']
        parts += _texts(results, chunk, row, own) if own else []
        parts += _face(deface, chunk, series, checks.get(series, {})) if removed else []
        cells = (f"{len(own)} boxes" if own else "", "removed" if removed else "", _verified(results, chunk, series))
        line = f"<tr><td>{html.link(name, series)}</td><td>{html.text(str(row['modality']))}</td>"
        yield name, line + "".join(f"<td>{html.text(cell)}</td>" for cell in cells) + "</tr>", parts


def _verified(results: Path, chunk: str, series: str) -> str:
    path = results / "verify" / chunk / "series.parquet"
    rows = tables.read_rows(path, tables.VERIFY_SERIES) if path.is_file() else []
    return next((f"verify: {row['reason'] or row['status']}" for row in rows if row["series"] == series), "")


def _texts(results: Path, chunk: str, row: Row, boxes: Sequence[Row]) -> list[str]:
    """Some frames with text as they came and as they leave."""
    frames = sorted({(box["name"], box["frame"]) for box in boxes})
    shown = [frames[n] for n in sorted({0, len(frames) // 2, len(frames) - 1})][:MOST_FRAMES]
    kinds = sorted({str(box["kind"]) for box in boxes})
    parts = [
        "<h2>Text</h2>",
        f"<p>{len(boxes)} boxes ({', '.join(kinds)}) in {len(frames)} frames were filled: "
        f"{html.link(f'../redact/{chunk}/boxes.parquet')}</p>",
    ]
    for name, frame in shown:
        here = [(_box(box), True) for box in boxes if (box["name"], box["frame"]) == (name, frame)]
        pictures = []
        for stage, marks in (("deidentify", here), ("deface", [])):
            path = results / stage / chunk / "dicom" / str(row["folder"]) / name
            try:
                pictures.append(html.image(framed(open_series([path]).read(Place(0, frame)), marks)))
            except (CurationError, OSError):
                pictures.append("can't be shown")
        parts.append("<table><tr>" + "".join(f"<td>{one}</td>" for one in pictures) + "</tr></table>")
        file = f"../deface/{chunk}/dicom/{row['folder']}/{name}"
        parts.append(f"<p>{html.link(file)}, frame {frame}</p>")
    return parts


def _face(folder: Path, chunk: str, series: str, checks: Row) -> list[str]:
    """The surface all the way round, before and after, with what was measured."""
    told = [(words, _number(checks[name])) for name, words in FIGURES.items() if checks.get(name) is not None]
    parts = ["<h2>Face</h2>", html.table(told), f"<p>{html.link(f'../deface/{chunk}/qc.parquet')}</p>"]
    for path in sorted((folder / "pictures").glob(f"{series}_*.png"), reverse=True):  # before, after
        title = path.stem.removeprefix(f"{series}_")
        parts += [
            f"<h3>{html.link(f'../deface/{chunk}/pictures/{path.name}', title)}</h3>",
            html.image(path.read_bytes()),
        ]
    return parts


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _box(row: Row) -> Box:
    return Box(int(row["top"]), int(row["left"]), int(row["bottom"]), int(row["right"]))

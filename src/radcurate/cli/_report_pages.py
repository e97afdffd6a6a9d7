"""Pages of single series: what cleaning did to their pictures, before and after, each figure with the file that it is from.

For whoever answers for a release: faces and texts can be seen on the pages, so they stay in the restricted zone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radcurate import tables
from radcurate.cli._shown import framed
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.redact.found import Box, Place
from radcurate.redact.pictures import open_series
from radcurate.redact.shown import shown_frames
from radcurate.report import page as html
from radcurate.report.cohort import PRIVATE
from radcurate.report.facts import Picture
from radcurate.seals import check_seal
from radcurate.stages._folders import entries

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


@dataclass(frozen=True)
class SeriesPage:
    """The page of a series: file, title, what was done to it, content; a picture after cleaning, and how much it needs a look."""

    name: str
    title: str
    done: str
    content: bytes
    picture: Picture | None
    doubt: float  # larger: look first


def series_pages(results: Path, key: Key) -> Iterator[SeriesPage]:
    """The pages of all series that were changed.

    Args:
        results: of a run that has come past deface.
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
    for chunk in chunks:
        yield from _of_chunk(results, chunk, key)


def _of_chunk(results: Path, chunk: str, key: Key) -> Iterator[SeriesPage]:
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
        if row["status"] == tables.OK and (own or row["face"] == "removed"):
            yield _page(results, chunk, row, own, checks.get(series, {}))


def _page(results: Path, chunk: str, row: Row, boxes: Sequence[Row], checks: Row) -> SeriesPage:
    series, removed, deface = str(row["series"]), row["face"] == "removed", results / "deface" / chunk
    name = f"{series}.html"
    back = f"<p>{html.link('report.html', 'Back to the report')}</p>"
    parts = [f"<h1>{html.text(series)}</h1>", f'<p class="warn">{PRIVATE}</p>', back]
    parts += _texts(results, chunk, row, boxes) if boxes else []
    parts += _face(deface, chunk, series, checks) if removed else []
    done = [f"text removed in {len(boxes)} places"] if boxes else []
    done += ["face removed"] if removed else []
    done += [one for one in (_verified(results, chunk, series),) if one]
    moved = checks.get("moved")
    drawing = deface / "pictures" / f"{series}_after.png"
    shown = f"{row['modality']}, face removed" + (f", {moved:.1%} of its surface moved" if moved is not None else "")
    picture = Picture(shown, name, drawing.read_bytes()) if removed and drawing.is_file() else None
    title = f"{series} ({row['modality']})"
    doubt = 1.0 - moved if moved is not None else 1.0
    return SeriesPage(name, title, "; ".join(done), html.document(series, parts), picture, doubt)


def _verified(results: Path, chunk: str, series: str) -> str:
    path = results / "verify" / chunk / "series.parquet"
    rows = tables.read_rows(path, tables.VERIFY_SERIES) if path.is_file() else []
    return next((f"verify: {row['reason'] or row['status']}" for row in rows if row["series"] == series), "")


def _texts(results: Path, chunk: str, row: Row, boxes: Sequence[Row]) -> list[str]:
    """Some frames with text as they came and as they leave."""
    frames = {(box["name"], box["frame"]) for box in boxes}
    kinds = sorted({str(box["kind"]) for box in boxes})
    parts = [
        "<h2>Text</h2>",
        f"<p>{len(boxes)} boxes ({', '.join(kinds)}) in {len(frames)} frames were filled: "
        f"{html.link(f'../redact/{chunk}/boxes.parquet')}</p>",
    ]
    for name, frame in shown_frames(boxes):
        here = [(_box(box), True) for box in boxes if (box["name"], box["frame"]) == (name, frame)]
        pictures = []
        for place, marks in ((f"redact/{chunk}/before", here), (f"deface/{chunk}/dicom", [])):
            path = results / place / str(row["folder"]) / name
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

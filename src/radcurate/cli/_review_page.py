"""Pages of a review: one file each, pictures inside, nothing fetched from anywhere, every value escaped."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from radcurate.governance.decisions import DECISIONS

STYLE = """
body { font: 15px/1.4 sans-serif; margin: 2em; max-width: 70em; color: #222 }
table { border-collapse: collapse } td, th { border: 1px solid #ccc; padding: .25em .6em; text-align: left; vertical-align: middle }
img { max-width: 100%; background: #000; display: block } td img { max-width: 30em }
code, pre { background: #f3f3f3; padding: .15em .3em } pre { padding: .8em; overflow-x: auto }
.warn { background: #fff3cd; padding: .6em }
"""
PRIVATE = "People can be recognised on this page. It stays in this folder, and is deleted after the review."
MEANING = {
    "release": "a person looked, and nothing there tells anybody: the series goes on",
    "erase": "all that was found is filled, what is doubtful too; what is read after that still holds the series back",
    "leave_out": "the series stays out of the release",
    "smooth_skin": "the marked skin is smoothed, on the responsibility of who signs",
    "remove": "the face is removed, although the signals disagree",
    "shell": "only the skin and what lies just under it is removed, so that contours deeper down stay",
}


@dataclass(frozen=True)
class Finding:
    """A line of the table: what was found in one place."""

    file: str
    frame: int
    place: str
    kind: str
    sure: bool
    confidence: float
    looked: str  # at first, or after cleaning
    text: str  # as it is read now
    crop: bytes  # PNG, may be empty


@dataclass(frozen=True)
class Page:
    """What a page shows."""

    series: str
    stage: str
    chunk: str
    modality: str
    reason: str
    remedy: str
    evidence: str
    decided: str  # an earlier decision, in words; may be empty
    facts: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]
    left_out: int  # findings that the page doesn't show
    pictures: tuple[tuple[str, bytes], ...]  # title, PNG

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{self.series}.{self.stage}.html"


def page(content: Page) -> bytes:
    """The page of one series."""
    parts = [
        f"<h1>{_e(content.series)}: set aside by {_e(content.stage)}</h1>",
        f'<p class="warn">{PRIVATE}</p>',
        _table([("chunk", content.chunk), ("modality", content.modality), ("reason", content.reason)]),
        f"<p>What to do: {_e(content.remedy)}.</p>",
    ]
    if content.decided:
        parts.append(f'<p class="warn">{_e(content.decided)}</p>')
    if content.facts:
        parts += ["<h2>Measured</h2>", _table(content.facts)]
    if content.findings:
        parts += ["<h2>Found</h2>", _findings(content.findings)]
        if content.left_out:
            parts.append(f"<p>… and {content.left_out} more, not shown.</p>")
    parts += [f"<h2>{_e(title)}</h2>{_image(picture)}" for title, picture in content.pictures]
    parts += ["<h2>Decide</h2>", _choices(content)]
    return _document(f"{content.series} {content.stage}", parts)


def index(pages: Sequence[Page]) -> bytes:
    """The page that leads to the others."""
    head = "<tr><th>series</th><th>set aside by</th><th>modality</th><th>reason</th><th>found</th><th>decided</th></tr>"
    lines = [
        f'<tr><td><a href="{_e(one.name)}">{_e(one.series)}</a></td><td>{_e(one.stage)}</td><td>{_e(one.modality)}</td>'
        f"<td>{_e(one.reason)}</td><td>{len(one.findings) + one.left_out}</td><td>{_e(one.decided)}</td></tr>"
        for one in pages
    ]
    body = "<table>" + head + "".join(lines) + "</table>" if pages else "<p>Nothing waits for a person.</p>"
    return _document("review", ["<h1>Series that wait for a person</h1>", f'<p class="warn">{PRIVATE}</p>', body])


def _choices(content: Page) -> str:
    rows = [(f"--decision {name}", MEANING[name]) for name in sorted(DECISIONS[content.stage])]
    command = (
        f"radcurate review decide {content.series} --stage {content.stage} \\\n"
        "    --decision … --by 'your name' --reason 'what you saw'"
    )
    return (
        _table(rows)
        + f"<pre>{_e(command)}</pre><p>The decision counts for what is shown here (<code>{_e(content.evidence)}</code>); "
        "when something else is found, the series waits again.</p>"
    )


def _findings(findings: Sequence[Finding]) -> str:
    head = "<tr><th>file</th><th>frame</th><th>rows, columns</th><th>kind</th><th>sure</th><th>confidence</th><th>look</th>"
    lines = [
        f"<tr><td>{_e(one.file)}</td><td>{one.frame}</td><td>{_e(one.place)}</td><td>{_e(one.kind)}</td>"
        f"<td>{'yes' if one.sure else 'no'}</td><td>{one.confidence:.2f}</td><td>{_e(one.looked)}</td>"
        f"<td>{_e(one.text)}</td><td>{_image(one.crop) if one.crop else ''}</td></tr>"
        for one in findings
    ]
    return "<table>" + head + "<th>reads</th><th></th></tr>" + "".join(lines) + "</table>"


def _table(rows: Sequence[tuple[str, str]]) -> str:
    return "<table>" + "".join(f"<tr><th>{_e(name)}</th><td>{_e(value)}</td></tr>" for name, value in rows) + "</table>"


def _image(png: bytes) -> str:
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def _document(title: str, parts: Sequence[str]) -> bytes:
    policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8">{policy}<title>{_e(title)}</title><style>{STYLE}</style></head>'
    return (head + "<body>" + "\n".join(parts) + "</body></html>\n").encode()


def _e(text: str) -> str:
    return escape("".join(char if char.isprintable() else "·" for char in text))

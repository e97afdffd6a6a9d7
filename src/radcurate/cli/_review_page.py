"""Pages of a review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from radcurate.governance.decisions import DECISIONS
from radcurate.report import page as html

PRIVATE = "People can be recognised on this page. It stays in this folder, and is deleted after the review."
MEANING = {
    "release": "a person looked, and nothing there tells anybody: no text that does, no face: the series goes on",
    "erase": "all that was found is filled, what is doubtful too; what is read after that still holds the series back",
    "leave_out": "the series stays out of the release",
    "smooth_skin": "the marked skin is smoothed, on the responsibility of who signs",
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
        f"<h1>{html.text(content.series)}: set aside by {html.text(content.stage)}</h1>",
        f'<p class="warn">{PRIVATE}</p>',
        html.table([("chunk", content.chunk), ("modality", content.modality), ("reason", content.reason)]),
        f"<p>What to do: {html.text(content.remedy)}.</p>",
    ]
    if content.decided:
        parts.append(f'<p class="warn">{html.text(content.decided)}</p>')
    if content.facts:
        parts += ["<h2>Measured</h2>", html.table(content.facts)]
    if content.findings:
        parts += ["<h2>Found</h2>", _findings(content.findings)]
        if content.left_out:
            parts.append(f"<p>… and {content.left_out} more, not shown.</p>")
    parts += [f"<h2>{html.text(title)}</h2>{html.image(picture)}" for title, picture in content.pictures]
    parts += ["<h2>Decide</h2>", _choices(content)]
    return html.document(f"{content.series} {content.stage}", parts)


def index(pages: Sequence[Page]) -> bytes:
    """The page that leads to the others."""
    head = "<tr><th>series</th><th>set aside by</th><th>modality</th><th>reason</th><th>found</th><th>decided</th></tr>"
    lines = [
        f'<tr><td><a href="{html.text(one.name)}">{html.text(one.series)}</a></td><td>{html.text(one.stage)}</td><td>{html.text(one.modality)}</td>'
        f"<td>{html.text(one.reason)}</td><td>{len(one.findings) + one.left_out}</td><td>{html.text(one.decided)}</td></tr>"
        for one in pages
    ]
    body = "<table>" + head + "".join(lines) + "</table>" if pages else "<p>Nothing waits for a person.</p>"
    return html.document("review", ["<h1>Series that wait for a person</h1>", f'<p class="warn">{PRIVATE}</p>', body])


def _choices(content: Page) -> str:
    rows = [(f"--decision {name}", MEANING[name]) for name in sorted(DECISIONS[content.stage])]
    who = "--by 'your name' --reason 'what you saw'"
    command = f"radcurate review decide {content.series} --stage {content.stage} --decision … {who}"
    return (
        html.table(rows)
        + f"<pre>{html.text(command)}</pre><p>The decision counts for what is shown here (<code>{html.text(content.evidence)}</code>); "
        "when something else is found, the series waits again.</p>"
    )


def _findings(findings: Sequence[Finding]) -> str:
    head = "<tr><th>file</th><th>frame</th><th>rows, columns</th><th>kind</th><th>sure</th><th>confidence</th><th>look</th>"
    lines = [
        f"<tr><td>{html.text(one.file)}</td><td>{one.frame}</td><td>{html.text(one.place)}</td><td>{html.text(one.kind)}</td>"
        f"<td>{'yes' if one.sure else 'no'}</td><td>{one.confidence:.2f}</td><td>{html.text(one.looked)}</td>"
        f"<td>{html.text(one.text)}</td><td>{html.image(one.crop) if one.crop else ''}</td></tr>"
        for one in findings
    ]
    return "<table>" + head + "<th>reads</th><th></th></tr>" + "".join(lines) + "</table>"

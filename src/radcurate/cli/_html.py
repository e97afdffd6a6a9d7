"""Pages for people: one file each, pictures inside, nothing fetched from anywhere, every value escaped."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

STYLE = """
body { font: 15px/1.4 sans-serif; margin: 2em; max-width: 70em; color: #222 }
table { border-collapse: collapse } td, th { border: 1px solid #ccc; padding: .25em .6em; text-align: left; vertical-align: middle }
img { max-width: 100%; background: #000; display: block } td img { max-width: 30em }
code, pre { background: #f3f3f3; padding: .15em .3em } pre { padding: .8em; overflow-x: auto }
.warn { background: #fff3cd; padding: .6em }
"""


def document(title: str, parts: Sequence[str]) -> bytes:
    """A whole page; `parts` are HTML."""
    policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8">{policy}<title>{text(title)}</title><style>{STYLE}</style></head>'
    return (head + "<body>" + "\n".join(parts) + "</body></html>\n").encode()


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Names with their values."""
    return (
        "<table>"
        + "".join(f"<tr><th>{text(name)}</th><td>{text(value)}</td></tr>" for name, value in rows)
        + "</table>"
    )


def image(png: bytes) -> str:
    """A picture, in the page itself."""
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def link(target: str, shown: str = "") -> str:
    """A way to a file beside the page."""
    return f'<a href="{text(target)}">{text(shown or target)}</a>'


def text(value: str) -> str:
    """A value as text: markup and control characters lose their power."""
    return escape("".join(char if char.isprintable() else "·" for char in value))

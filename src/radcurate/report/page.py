"""Pages for people: one file each, pictures inside, nothing fetched from anywhere, every value escaped.

No script, so a page needs no trust; readable at 320 px, by keyboard, in print and without colours.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

STYLE = """
:root { --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --back: #f6f8fa; --blue: #0a58a6; --good: #17672f; --bad: #b01e1e; --amber: #8a5a00 }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; margin: 0 auto; padding: 1rem; max-width: 72rem; color: var(--ink); background: #fff; overflow-wrap: anywhere }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .5rem 0 } h2 { font-size: 1.3rem; margin: 0 0 .6rem } h3 { font-size: 1.05rem; margin: 1.2rem 0 .4rem }
p { margin: .5rem 0; max-width: 46rem } ul { padding-left: 1.2rem } li { margin: .25rem 0; max-width: 46rem }
a { color: var(--blue) } a:focus-visible, [tabindex]:focus-visible, summary:focus-visible { outline: 3px solid var(--blue); outline-offset: 2px }
.skip { position: absolute; left: -100rem } .skip:focus { position: static }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem .9rem; padding: .6rem 0; margin: .8rem 0; border-top: 1px solid var(--line); border-bottom: 1px solid var(--line) }
nav li { margin: 0 } nav a { display: inline-block; padding: .3rem 0 }
section { margin: 2rem 0; padding-top: .6rem; border-top: 3px solid var(--line) }
table { border-collapse: collapse; font-size: .92rem } caption { text-align: left; white-space: nowrap; color: var(--soft); padding: .2rem 0 }
td, th { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: middle; overflow-wrap: normal } thead th { background: var(--back) }
td.r { text-align: right; font-variant-numeric: tabular-nums }
td a, td code { overflow-wrap: anywhere } .scroll { overflow-x: auto; margin: .6rem 0; max-width: 100% }
img { max-width: 100%; background: #000; display: block } td img { max-width: 30em }
svg { max-width: 100%; height: auto; display: block } svg text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--ink) }
figure { margin: .8rem 0; overflow-x: auto } figure svg { min-width: 30rem } figcaption { color: var(--soft); font-size: .88rem; max-width: 46rem }
code, pre { background: var(--back); padding: .1em .3em; font-size: .9em } pre { padding: .8em; overflow-x: auto }
.warn { background: #fff3cd; border-left: 5px solid var(--amber); padding: .6rem .8rem } .yes { color: var(--good); font-weight: 600 } .no { color: var(--bad); font-weight: 600 }
.yes, .no, td .soft { white-space: nowrap } li .soft { white-space: normal }
.verdict { font-size: 1.1rem; padding: .7rem .9rem; border-left: 6px solid var(--good); background: #eef8f0 } .verdict.refused { border-color: var(--bad); background: #fdf0ef }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .6rem; margin: .8rem 0; padding: 0; list-style: none }
.cards li { border: 1px solid var(--line); padding: .5rem .7rem; margin: 0 } .cards b { display: block; font-size: 1.5rem; line-height: 1.2 } .cards span { color: var(--soft); font-size: .9rem }
.soft { color: var(--soft) } data, a.n { font-variant-numeric: tabular-nums } a.n { text-decoration-style: dotted; text-underline-offset: 3px }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: .8rem; padding: 0; list-style: none } .gallery li { margin: 0 } .gallery img { width: 100% }
.heat0, .heat1, .heat2, .heat3 { display: block; padding: .15rem .4rem; white-space: nowrap }
.heat0 { background: #eef8f0 } .heat1 { background: #fff3cd } .heat2 { background: #ffd9b8 } .heat3 { background: #ffc4bd }
@media (max-width: 30rem) { body { padding: .6rem } td, th { padding: .25rem .35rem } figure svg { min-width: 26rem } }
@media print { body { max-width: none; font-size: 11pt } nav, .skip { display: none } section { break-inside: auto } tr, figure, .cards { break-inside: avoid } #plain { break-after: page } .scroll, figure { overflow: visible } figure svg { min-width: 0 } a { color: inherit } }
"""


def document(title: str, parts: Sequence[str]) -> bytes:
    """A whole page; `parts` are HTML."""
    policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
    head = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{policy}'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">'
        f'<link rel="icon" href="data:,"><title>{text(title)}</title><style>{STYLE}</style></head>'
    )
    return (head + "<body>" + "\n".join(parts) + "</body></html>\n").encode()


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Names with their values."""
    return (
        "<table>"
        + "".join(f"<tr><th>{text(name)}</th><td>{text(value)}</td></tr>" for name, value in rows)
        + "</table>"
    )


def grid(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A table with a head that scrolls by itself where the page is narrow; cells are HTML, `right` counts columns of numbers."""
    lines = "".join(
        "<tr>" + "".join(f"<td{' class=r' if n in right else ''}>{cell}</td>" for n, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    names = "".join(f'<th scope="col">{text(name)}</th>' for name in head)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{text(caption)}"><table><caption>{text(caption)}</caption>'
        f"<thead><tr>{names}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def image(png: bytes, shows: str = "") -> str:
    """A picture, in the page itself; `shows` tells it to who can't see it."""
    return f'<img alt="{text(shows)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def link(target: str, shown: str = "") -> str:
    """A way to a file beside the page."""
    return f'<a href="{text(target)}">{text(shown or target)}</a>'


def text(value: str) -> str:
    """A value as text: markup and control characters lose their power."""
    return escape("".join(char if char.isprintable() else "·" for char in value))

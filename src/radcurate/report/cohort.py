"""Where every series went, and what cleaning did to pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from radcurate.report import page, plots
from radcurate.report.artefact import Json, plain
from radcurate.report.facts import Facts, judged, section, words

STAGES = ("inventory", "consent", "deidentify", "redact", "deface", "verify", "extract", "protect")
CLEANING = ("redact.", "deface.", "verify.", "invariance.")
PRIVATE = "People can be recognised on this page. It stays in the restricted zone."


def funnel(facts: Facts) -> str:
    """Series left after each stage, and why the others are not."""
    tallies: Sequence[Json] = facts.verdict.at("conservation") or []
    if not tallies:
        return ""
    lost = {stage: [n for n, one in enumerate(tallies) if _left(one, stage)] for stage in STAGES}
    left = int(facts.verdict.at("inventoried"))
    rows: list[tuple[str, float, str]] = [("found", left, plain(left))]
    for stage in STAGES:
        left -= sum(int(tallies[n]["series"]) for n in lost[stage])
        rows.append((f"after {stage}", left, plain(left)))
    released = [("conservation", n, "series") for n, one in enumerate(tallies) if one["outcome"] == "released"]
    whole = (
        f"<p>{facts.verdict.number('inventoried')} series in {facts.verdict.number('found_files')} files were found; "
        f"{facts.verdict.total(released, linked=True)} are {'in the release' if facts.holds else 'fit for release'}. "
        "Each series has exactly one outcome, and the gate checked the sum.</p>"
    )
    table = page.grid(
        "Outcomes of series",
        ("outcome", "at", "because", "series"),
        [
            (
                words(one["outcome"]),
                words(one["stage"]),
                words(one["reason"] or ""),
                facts.verdict.number("conservation", n, "series", linked=False),
            )
            for n, one in enumerate(tallies)
        ],
        right=(3,),
    )
    picture = plots.figure(
        plots.bars("Series left after each stage", rows),
        f"Series left after each stage, from {facts.verdict.link()}.",
    )
    return section("funnel", "Where every series went", [whole, picture, table, _set_aside(facts)])


def _left(one: Json, stage: str) -> bool:
    return bool(one["outcome"] != "released" and one["stage"] == stage)


def _set_aside(facts: Facts) -> str:
    files = facts.verdict.at("set_aside_files") or {}
    if not files:
        return ""
    rows = [(words(reason), facts.verdict.number("set_aside_files", reason, linked=False)) for reason in files]
    return page.grid("Files that belong to no series", ("because", "files"), rows, right=(1,))


def cleaning(facts: Facts) -> str:
    """What was found on pictures and what was done about it, with the checks that it worked."""
    found = facts.counted.at("cleaning")
    if not found:
        return ""
    parts = []
    if facts.private:
        parts.append(f'<p class="warn">{PRIVATE}</p>')
    parts.append(
        f"<p>Text was removed from {facts.counted.number('cleaning', 'text_removed')} series "
        f"({facts.counted.number('cleaning', 'boxes')} places), faces from {facts.counted.number('cleaning', 'faces_removed')}. "
        f"{facts.counted.number('cleaning', 'looked')} pictures of series were looked at for text one by one.</p>"
    )
    checks = [(n, one) for n, one in facts.findings() if str(one.get("measure", "")).startswith(CLEANING)]
    if checks:
        rows = [
            (
                words(one["meaning"]),
                facts.verdict.number("findings", n, "measured", linked=False)
                if one["applies"]
                else '<span class="soft">–</span>',
                words(one["allowed"]),
                judged(one["holds"], one["applies"]),
            )
            for n, one in checks
        ]
        parts.append(
            page.grid("Checks of the cleaning", ("checked", "measured", "allowed", "verdict"), rows, right=(1,))
        )
    parts += [_moved(facts), _gallery(facts), _pages(facts)]
    return section("cleaning", "Cleaning of pictures", parts)


def _moved(facts: Facts) -> str:
    """How much of each face moved."""
    shares: Sequence[Any] = facts.counted.at("cleaning", "faces_moved") or []
    if not shares:
        return ""
    bins = [(f"{low}–{low + 5} %", low / 100, (low + 5) / 100) for low in range(70, 100, 5)]
    rows = [("below 70 %", sum(share < 0.7 for share in shares))]
    rows += [
        (name, sum(low <= share < high or (high == 1 and share == 1) for share in shares)) for name, low, high in bins
    ]
    svg = plots.bars("Faces by the share of their surface that moved", [(name, n, str(n)) for name, n in rows])
    return plots.figure(
        svg,
        "Removed faces by the share of their surface that moved by more than 3 mm. "
        f"Counted from results/deface/*/qc.parquet, kept in {facts.counted.link()}.",
    )


def _gallery(facts: Facts) -> str:
    if not facts.private or not facts.gallery:
        return ""
    items = [
        f'<li><a href="{page.text(one.page)}">{page.image(one.png, one.title)}{page.text(one.title)}</a></li>'
        for one in facts.gallery
    ]
    return f'<h3>Worth a look first</h3><ul class="gallery">{"".join(items)}</ul>'


def _pages(facts: Facts) -> str:
    if not facts.private or not facts.pages:
        return ""
    rows = [(page.link(name, title), page.text(done)) for name, title, done in facts.pages]
    waiting = "<p>Series that wait for a person are not here: <code>radcurate review pictures --out DIR</code> shows them.</p>"
    return page.grid("Series whose pictures were changed", ("series", "what was done"), rows) + waiting

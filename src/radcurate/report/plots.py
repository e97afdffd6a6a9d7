"""Plots as SVG inside the page: bars, intervals, histograms. Each has a title that is read aloud, and says its numbers in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from radcurate.report.page import text

BLUE, SOFT, GOOD, BAD, AMBER, INK = "#0a58a6", "#8c96a1", "#17672f", "#b01e1e", "#8a5a00", "#1f2328"
GRADES = ("#17672f", "#5aa46d", "#d9a441", "#b01e1e", "#8c96a1")
WIDTH, LEFT, RIGHT, ROW = 720, 250, 60, 26


def figure(svg: str, caption: str) -> str:
    """A plot with its caption, which is HTML."""
    return f'<figure tabindex="0">{svg}<figcaption>{caption}</figcaption></figure>'


def bars(title: str, rows: Sequence[tuple[str, float, str]], colour: str = BLUE) -> str:
    """Horizontal bars: (name, length, what is written at the end)."""
    most = max((length for _, length, _ in rows), default=0) or 1
    span = WIDTH - LEFT - RIGHT
    marks = []
    for n, (name, length, shown) in enumerate(rows):
        y, long = n * ROW, span * length / most
        marks.append(_label(name, y))
        marks.append(
            f'<rect x="{LEFT}" y="{y + 4}" width="{max(long, 0.5):.1f}" height="{ROW - 8}" fill="{colour}"/>'
            f'<text x="{LEFT + long + 6:.1f}" y="{y + 17}">{text(shown)}</text>'
        )
    return _svg(title, "".join(marks), len(rows) * ROW + 4)


def stacked(title: str, rows: Sequence[tuple[str, Sequence[tuple[str, int]]]]) -> str:
    """One bar of full length per row, cut into the shares of its parts: (name, ((part, count), …)), with a legend below."""
    span = WIDTH - LEFT - RIGHT
    marks = []
    for n, (name, parts) in enumerate(rows):
        x, total = float(LEFT), sum(count for _, count in parts) or 1
        marks.append(_label(name, n * ROW))
        for colour, (part, count) in zip(GRADES, parts, strict=False):
            long = span * count / total
            marks.append(
                f'<rect x="{x:.1f}" y="{n * ROW + 3}" width="{long:.1f}" height="{ROW - 6}" fill="{colour}" stroke="#fff">'
                f"<title>{text(f'{part}: {count}')}</title></rect>"
            )
            if long > 30:
                marks.append(
                    f'<text x="{x + long / 2:.1f}" y="{n * ROW + 17}" text-anchor="middle" style="fill:{_on(colour)}">{count}</text>'
                )
            x += long
    y = len(rows) * ROW + 18
    x = float(LEFT)
    for colour, (part, _) in zip(GRADES, rows[0][1] if rows else (), strict=False):
        marks.append(
            f'<rect x="{x:.0f}" y="{y - 10}" width="11" height="11" fill="{colour}"/><text x="{x + 15:.0f}" y="{y}">{text(part)}</text>'
        )
        x += 28 + 7.2 * len(part)
    return _svg(title, "".join(marks), y + 10)


def _on(colour: str) -> str:
    """Ink that can be read on a colour."""
    return INK if colour in ("#d9a441", "#5aa46d", "#8c96a1") else "#fff"


@dataclass(frozen=True)
class Span:
    """An estimate with its interval, in 0 … 1; `kind` picks the mark: release (disc), positive (triangle), negative (ring)."""

    kind: str
    rate: float
    low: float
    high: float
    shown: str


@dataclass(frozen=True)
class Line:
    """One line of `intervals`; chance and limit are drawn as a dashed and a full stroke, where there are any."""

    name: str
    spans: Sequence[Span]
    chance: float | None = None
    limit: float | None = None


def intervals(title: str, lines: Sequence[Line], legend: bool = True) -> str:
    """Estimates with intervals on an axis from 0 to 1."""
    span, marks, y = WIDTH - LEFT - RIGHT, [], 22.0

    def at(value: float) -> float:
        return LEFT + span * min(max(value, 0.0), 1.0)

    marks += [
        f'<line x1="{at(tick):.1f}" x2="{at(tick):.1f}" y1="16" y2="100%" stroke="#e3e8ed"/>'
        f'<text x="{at(tick):.1f}" y="11" text-anchor="middle">{tick:.0%}</text>'
        for tick in (0, 0.25, 0.5, 0.75, 1.0)
    ]
    for line in lines:
        height = 18.0 * max(len(line.spans), 1) + 10
        marks.append(_label(line.name, y + height / 2 - 15))
        for value, dash, colour in ((line.chance, "4 3", SOFT), (line.limit, "", BAD)):
            if value is not None:
                marks.append(
                    f'<line x1="{at(value):.1f}" x2="{at(value):.1f}" y1="{y:.1f}" y2="{y + height - 6:.1f}" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
                )
        for n, one in enumerate(line.spans):
            marks.append(_span(one, at, y + 11 + 18 * n))
        y += height
    if legend:
        marks.append(_legend(y + 12))
        y += 22
    return _svg(title, "".join(marks), y + 4)


def _span(one: Span, at: object, y: float) -> str:
    assert callable(at)
    low, mid, high = at(one.low), at(one.rate), at(one.high)
    colour = {"release": BLUE, "positive": AMBER, "negative": SOFT}.get(one.kind, BLUE)
    shape = {
        "positive": f'<path d="M{mid - 6:.1f} {y + 5:.1f}h12l-6 -11z" fill="{colour}"/>',
        "negative": f'<circle cx="{mid:.1f}" cy="{y:.1f}" r="5" fill="#fff" stroke="{colour}" stroke-width="2.5"/>',
    }.get(one.kind, f'<circle cx="{mid:.1f}" cy="{y:.1f}" r="6" fill="{colour}"/>')
    return (
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}" stroke-width="3"/>'
        f"{shape}<title>{text(one.shown)}</title>"
    )


def _legend(y: float) -> str:
    items = [
        (f'<circle cx="6" cy="-4" r="6" fill="{BLUE}"/>', "the release", 110),
        (f'<path d="M0 1h12l-6 -11z" fill="{AMBER}"/>', "must succeed (raw)", 150),
        (
            f'<circle cx="6" cy="-4" r="5" fill="#fff" stroke="{SOFT}" stroke-width="2.5"/>',
            "must not (shuffled)",
            150,
        ),
        (
            f'<line x1="6" x2="6" y1="-11" y2="3" stroke="{SOFT}" stroke-width="2" stroke-dasharray="4 3"/>',
            "chance",
            80,
        ),
        (f'<line x1="6" x2="6" y1="-11" y2="3" stroke="{BAD}" stroke-width="2"/>', "limit", 60),
    ]
    x, marks = 60, []
    for mark, name, width in items:
        marks.append(f'<g transform="translate({x} {y:.0f})">{mark}<text x="18" y="1">{name}</text></g>')
        x += width + 20
    return "".join(marks)


def sizes(title: str, before: Sequence[tuple[str, int]], after: Sequence[tuple[str, int]], least: int | None) -> str:
    """Patients by the size of their class, before and after.

    Args:
        title: read aloud.
        before, after: (size, or span of sizes such as `5–10`, and the patients in such classes).
        least: the size that was asked for, drawn where it begins.
    """
    names = sorted({name for name, _ in (*before, *after)}, key=_least)
    most = max((n for _, n in (*before, *after)), default=0) or 1
    step = min(60.0, (WIDTH - 60) / max(len(names), 1))
    base = 170
    marks = [_pair(name, 40 + n * step, step, base, most, dict(before), dict(after)) for n, name in enumerate(names)]
    if least is not None and names:
        x = 40 + sum(_least(name) < least for name in names) * step - step * 0.08
        marks.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="14" y2="{base}" stroke="{BAD}" stroke-width="2"/>'
            f'<text x="{x + 4:.1f}" y="12">asked: {least} or more</text>'
        )
    marks.append(f'<line x1="36" x2="{WIDTH - 10}" y1="{base}" y2="{base}" stroke="{SOFT}"/>')
    marks.append(
        f'<rect x="40" y="{base + 26}" width="11" height="11" fill="{SOFT}"/><text x="56" y="{base + 36}">before</text>'
        f'<rect x="120" y="{base + 26}" width="11" height="11" fill="{BLUE}"/><text x="136" y="{base + 36}">as released</text>'
        f'<text x="{WIDTH - 10}" y="{base + 36}" text-anchor="end">size of the crowd; on the bars: patients in such crowds</text>'
    )
    return _svg(title, "".join(marks), base + 44)


def _pair(
    name: str, x: float, step: float, base: float, most: int, before: dict[str, int], after: dict[str, int]
) -> str:
    """The two bars of a size, and its name."""
    marks = [f'<text x="{x + step * 0.42:.1f}" y="{base + 16}" text-anchor="middle">{text(name)}</text>']
    for offset, rows, colour in ((0.0, before, SOFT), (step * 0.42, after, BLUE)):
        if n := rows.get(name, 0):
            tall = 140 * n / most
            marks.append(
                f'<rect x="{x + offset:.1f}" y="{base - tall:.1f}" width="{step * 0.4:.1f}" height="{tall:.1f}" fill="{colour}"/>'
                f'<text x="{x + offset + step * 0.2:.1f}" y="{base - tall - 4:.1f}" text-anchor="middle">{n}</text>'
            )
    return "".join(marks)


def _least(name: str) -> int:
    """The smallest size that a name such as `5–10` or `1001+` stands for."""
    return int(name.rstrip("+").partition("–")[0])


@dataclass(frozen=True)
class Point:
    """A risk on the map: its number, likelihood 0 … 1, impact, and likelihood times impact after what is done about it."""

    name: str
    likelihood: float
    impact: float
    residual: float | None


def heat(title: str, points: Sequence[Point]) -> str:
    """Likelihood (across) against impact (upwards) on fields that get darker with their product."""
    top = scale_of(point.impact for point in points)
    x0, y0, wide, tall = 90, 10, 420, 220

    def at(likelihood: float, impact: float) -> tuple[float, float]:
        return x0 + wide * min(max(likelihood, 0), 1), y0 + tall * (1 - impact / top)

    marks = []
    for column in range(5):
        for row in range(5):
            level = heat_level((column + 0.5) / 5 * (row + 0.5) / 5)
            marks.append(
                f'<rect x="{x0 + column * wide / 5:.0f}" y="{y0 + (4 - row) * tall / 5:.0f}" width="{wide / 5:.0f}" height="{tall / 5:.0f}" '
                f'fill="{HEAT[level]}" stroke="#fff"/>'
            )
    for point in points:
        x, y = at(point.likelihood, point.impact)
        if point.residual is not None and point.impact > 0:
            end, _ = at(point.residual / point.impact, point.impact)
            marks.append(
                f'<line x1="{x:.1f}" x2="{end:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{INK}"/><circle cx="{end:.1f}" cy="{y:.1f}" r="5" fill="{INK}"/>'
            )
        marks.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="10" fill="#fff" stroke="{INK}" stroke-width="1.5"/>'
            f'<text x="{x:.1f}" y="{y + 4.5:.1f}" text-anchor="middle">{text(point.name)}</text>'
        )
    marks += [
        f'<text x="{x0 + wide * tick:.0f}" y="{y0 + tall + 18}" text-anchor="middle">{tick:g}</text>'
        for tick in (0, 0.5, 1)
    ]
    marks += [
        f'<text x="{x0 - 8}" y="{y0 + tall * (1 - tick) + 5:.0f}" text-anchor="end">{top * tick:g}</text>'
        for tick in (0, 0.5, 1)
    ]
    marks.append(
        f'<text x="{x0 + wide / 2}" y="{y0 + tall + 34}" text-anchor="middle">likelihood p</text><text x="{x0 + wide + 10}" y="{y0 + 14}">impact I (upwards)</text>'
    )
    return _svg(title, "".join(marks), y0 + tall + 42)


def scale_of(impacts: Iterable[Any]) -> float:
    """The largest impact that a register's scale knows: 1, 4 (as GDPR impact is mostly told), or what is in it."""
    most = max((float(one) for one in impacts if isinstance(one, int | float)), default=1.0)
    return 1.0 if most <= 1 else max(4.0, most)


def heat_level(risk: float, scale: float = 1.0) -> int:
    """0 … 3 for likelihood times impact on a scale of impacts."""
    return sum(risk / scale >= edge for edge in HEAT_EDGES)


HEAT = ("#eef8f0", "#fff3cd", "#ffd9b8", "#ffc4bd")
HEAT_EDGES = (0.05, 0.2, 0.5)  # of likelihood times impact, as a share of the largest impact


def _label(name: str, y: float) -> str:
    short = name if len(name) <= 32 else name[:31] + "…"
    return f'<text x="{LEFT - 10}" y="{y + 17}" text-anchor="end">{text(short)}</text>'


def _svg(title: str, inside: str, height: float) -> str:
    return f'<svg role="img" aria-label="{text(title)}" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}">{inside}</svg>'

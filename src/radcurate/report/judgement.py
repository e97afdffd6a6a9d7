"""The gate's table, what would help, the register of risks, papers and signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from radcurate.report import page, plots
from radcurate.report.artefact import Artefact, Json, percent, plain
from radcurate.report.facts import Facts, judged, section, words


def gate(facts: Facts) -> str:
    """Every criterion with what was measured, what is allowed and where it comes from; failed ones first."""
    order = sorted(facts.findings(), key=lambda item: (bool(item[1]["holds"]), item[0]))
    rows = [
        (
            _name(one),
            _measured(facts, n, one),
            "told only" if one.get("informative") else page.text(str(one["allowed"])),
            _judged(one),
            _way(facts, str(one["artefact"])),
            page.text(str(one["source"])),
        )
        for n, one in order
    ]
    head = ("criterion", "measured", "allowed", "verdict", "from", "why this limit")
    policy = f"<p>Policy <b>{page.text(str(facts.verdict.at('policy')))}</b>, for: {page.text(str(facts.verdict.at('recipients')))}.</p>"
    return section(
        "gate",
        "What the gate compared",
        [policy, page.grid("Criteria of the policy", head, rows, right=(1,)), _overrides(facts)],
    )


def _name(one: Json) -> str:
    """The criterion's name, and the measure that it limits."""
    return f"{words(one['name'])}<br><code>{page.text(str(one.get('measure', '')))}</code>"


def _measured(facts: Facts, n: int, one: Json) -> str:
    if one.get("applies") is False:
        return '<span class="soft">–</span>'
    return facts.verdict.number("findings", n, "measured", linked=False)


def _judged(one: Json) -> str:
    if one.get("overridden"):
        return '<span class="no">✗ overridden by two people</span>'
    if one.get("informative"):
        return '<span class="soft">– told only</span>'
    return judged(one["holds"], one.get("applies"))


def _way(facts: Facts, artefact: str) -> str:
    """A link to the artefact where it lies beside the page."""
    shown = f"<code>{page.text(artefact)}</code>"
    for source in (facts.verdict, facts.attack, facts.harmonise, facts.fairness):
        if source is not None and source.path == artefact:
            return source.link(artefact)
    if not facts.private:
        name = artefact.rpartition("/")[2]
        return page.link(name, artefact) if name in facts.files else shown
    target = artefact.replace("results/", "../", 1)
    return page.link(target, artefact) if "*" not in artefact and artefact in facts.files else shown


def _overrides(facts: Facts) -> str:
    found: Sequence[Json] = facts.verdict.at("overrides") or []
    lines = [
        f"<li><b>{words(one.get('name', one.get('measure')))}</b>: measured {page.text(str(one.get('measured')))}, allowed "
        f"{page.text(str(one.get('allowed')))}. {_people(one.get('people') or [])}</li>"
        for one in found
    ]
    return f"<h3>Overridden</h3><ul>{''.join(lines)}</ul>" if lines else ""


def _people(people: Sequence[Json]) -> str:
    return "; ".join(
        page.text(
            f"{one.get('by')} ({one.get('role')})" + (f", {one['date']}" if one.get("date") else "") + f": {one.get('reason')}"
        )
        for one in people
    )  # fmt: skip


def help_with(facts: Facts) -> str:
    """Where it was refused: each criterion that failed, and what would help, the cheapest way first."""
    if facts.holds:
        return ""
    failed = [(n, one) for n, one in facts.findings() if not one["holds"] and not one.get("overridden")]
    if failed and failed[0][1].get("measure") == "seals.broken":
        failed = failed[:1]  # nothing else was measured
    blocks = []
    for n, one in failed:
        ways = "".join(f"<li>{page.text(_in_words(way))}</li>" for way in one.get("ways") or [])
        detail = f" ({page.text(str(one['detail']))})" if one.get("detail") else ""
        blocks.append(
            f"<li><b>{words(one['name'])}</b>: {page.text(str(one['meaning']))}. Measured "
            f"{facts.verdict.number('findings', n, 'measured')}{detail}, allowed {page.text(str(one['allowed']))}. "
            f"From {_way(facts, str(one['artefact']))}.<br>What helps: {page.text(str(one['help']))}"
            + (f"<ul>{ways}</ul>" if ways else "")
            + "</li>"
        )
    return section(
        "help", "What failed, and what helps", [f"<ol>{''.join(blocks)}</ol>", "<p>Then: <code>snakemake</code></p>"]
    )


def _in_words(way: Any) -> str:
    """A way out with what it comes to, such as `drop field_strength: k 6, 71 % of the information lost, 0 patients left out`."""
    if not isinstance(way, Mapping):
        return str(way)
    told = [
        f"{shown(way[key])}{after}" if not before else f"{before} {shown(way[key])}"
        for key, before, after, shown in (
            ("k", "k", "", plain),
            ("loss", "", " of the information lost", percent),
            ("suppressed", "", " patients left out", plain),
        )
        if isinstance(way.get(key), int | float)
    ]
    return str(way.get("change", "")) + (": " + ", ".join(told) if told else "")


def register(facts: Facts) -> str:
    """The DPIA register as a heat table, and each risk with what was done about it."""
    found: Sequence[Json] = facts.verdict.at("dpia", "risks") or []
    if not found:
        return ""
    rows = [
        (
            f"{n + 1}. {page.text(str(one.get('name')))}",
            _number(facts.verdict, n, "likelihood"),
            _number(facts.verdict, n, "impact"),
            _heat(facts.verdict, n, one, "risk"),
            _mitigations(one.get("mitigations") or []),
            _heat(facts.verdict, n, one, "residual"),
        )
        for n, one in enumerate(found)
    ]
    head = ("risk", "likelihood p", "impact I", "R = p × I", "what is done, and its proof", "left over")
    why = facts.verdict.at("dpia", "risk_benefit")
    return section(
        "dpia",
        "Register of risks (DPIA)",
        [
            f"<p>{page.text(str(why))}</p>" if why else "",
            _matrix(facts.verdict, found),
            page.grid("Risks, what is done about them, what is left", head, rows, right=(1, 2, 3, 5)),
        ],
    )


def _matrix(source: Artefact, found: Sequence[Json]) -> str:
    """Likelihood against impact: where each risk stands, and where what is done moves it."""
    points = [
        plots.Point(str(n + 1), one["likelihood"], one["impact"], one.get("residual"))
        for n, one in enumerate(found)
        if all(isinstance(one.get(key), int | float) for key in ("likelihood", "impact"))
    ]
    if not points:
        return ""
    caption = f"Risks by number: ring as they are, disc as what is done leaves them. From {source.link()}, /dpia."
    return plots.figure(plots.heat("Risks by likelihood and impact", points), caption)


def _number(source: Artefact, n: int, key: str) -> str:
    return source.number("dpia", "risks", n, key, linked=False)


def _heat(source: Artefact, n: int, one: Json, key: str) -> str:
    """The number and a word for it, on the colour that it has on the map."""
    value = one.get(key)
    if not isinstance(value, int | float):
        return "not measured"
    level = plots.heat_level(value, plots.scale_of(risk.get("impact") for risk in source.at("dpia", "risks")))
    word = ("low", "moderate", "high", "very high")[level]
    return f'<span class="heat{level}">{_number(source, n, key)} {word}</span>'


def _mitigations(found: Sequence[Json]) -> str:
    lines = [
        f"<li>{'✓' if one.get('counts') else '✗'} {page.text(str(one.get('name')))} "
        f"<span class='soft'>({page.text(str(one.get('artefact')))}"
        + ("" if one.get("counts") else "; does not count")
        + ")</span></li>"
        for one in found
    ]
    return f"<ul>{''.join(lines)}</ul>" if lines else "nothing"


def papers(facts: Facts) -> str:
    """Documents that people signed, and the questions of ethics with their answers."""
    documents: Sequence[Json] = facts.verdict.at("documents") or []
    questions: Sequence[Json] = facts.verdict.at("ethics") or []
    rows = [
        (
            words(one.get("kind")),
            words(one.get("status")),
            "owed" if one.get("owed") else "not owed",
            page.text(", ".join(str(one[key]) for key in ("by", "role", "date") if one.get(key))),
        )
        for one in documents
    ]
    asked = [
        (
            words(one.get("stage")),
            page.text(str(one.get("question"))),
            page.text(str(one.get("answer"))) if one.get("answered") else "<b>not answered</b>",
            page.text(str(one.get("by") or "")),
        )
        for one in questions
    ]
    return section(
        "papers",
        "Papers, signatures, questions of ethics",
        [
            page.grid("Papers", ("paper", "state", "owed", "signed by"), rows) if rows else "",
            page.grid("Questions of ethics", ("stage", "question", "answer", "by"), asked) if asked else "",
        ],
    )

"""One page in plain language, for who has to decide and doesn't compute: an ethics officer, a patient who asks.

Every number on it is a value of a JSON document of the run, and leads there.
"""

from __future__ import annotations

from radcurate.report import page
from radcurate.report.facts import Facts, section, words


def plainly(facts: Facts) -> str:
    """The page."""
    parts = [_outcome(facts), _cards(facts)]
    lines = [
        *_whose(facts),
        *_cleaned(facts),
        *_recognised(facts),
        *_attacked(facts),
        *_missing(facts),
        *_left(facts),
        *_law(facts),
    ]
    parts.append("<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>")
    parts += [f'<p class="warn">Not shown: {page.text(one)}</p>' for one in facts.unshown]
    return section("plain", "In plain words", parts)


def _outcome(facts: Facts) -> str:
    policy, people = page.text(str(facts.verdict.at("policy"))), page.text(str(facts.verdict.at("recipients")))
    if facts.holds:
        return (
            f'<p class="verdict">Released under the rules called “{policy}”, for: {people}. '
            "A program compared measurements with these rules, and all of them hold. "
            f"{facts.verdict.link('The measurements')} can be checked one by one.</p>"
        )
    return (
        f'<p class="verdict refused">Nothing was released: not all of the rules called “{policy}” hold (for: {people}). '
        f'Earlier releases are as they were. <a href="#help">What failed, and what helps</a>.</p>'
    )


def _cards(facts: Facts) -> str:
    found = []
    if facts.verdict.at("protection", "released_subjects") is not None:
        found.append(
            (facts.verdict.number("protection", "released_subjects"), "patients" + ("" if facts.holds else " prepared"))
        )
    if facts.counted.at("features", "rows") is not None:
        found.append((facts.counted.number("features", "rows"), "regions measured"))
    if facts.verdict.at("protection", "after", "k") is not None:
        found.append((facts.verdict.number("protection", "after", "k"), "patients at least look alike"))
    if facts.attack and facts.attack.at("attacks", "linkage", "applies"):
        found.append(
            (facts.attack.number("attacks", "linkage", "high", form="percent"), "can be named by linkage, at most")
        )
    if not found:
        return ""
    return (
        '<ul class="cards">'
        + "".join(f"<li><b>{number}</b><span>{name}</span></li>" for number, name in found)
        + "</ul>"
    )


def _whose(facts: Facts) -> list[str]:
    tallies = facts.verdict.at("conservation") or []
    if not tallies:
        return []
    released = [("conservation", n, "series") for n, one in enumerate(tallies) if one["outcome"] == "released"]
    refused = [
        ("conservation", n, "series")
        for n, one in enumerate(tallies)
        if one["stage"] == "consent" and one["outcome"] == "excluded"
    ]
    line = (
        f"<b>Whose images.</b> The hospital handed over {facts.verdict.number('inventoried')} image and contour series; "
        f"{facts.verdict.total(released, linked=True)} {'went into the release' if facts.holds else 'would go into a release'}."
    )
    if refused:
        line += f" {facts.verdict.total(refused, linked=True)} were left alone because their patients did not permit this use, or took that back."
    return [line]


def _cleaned(facts: Facts) -> list[str]:
    line = ""
    hits, seen = facts.finding("verify.hits"), facts.finding("verify.canary_seen")
    if hits and hits[1]["measured"] is not None:
        line = (
            "<b>Names and numbers.</b> They were replaced by codes. A second program, written apart, then searched every cleaned "
            f"file for every original name and number and found {facts.verdict.number('findings', hits[0], 'measured')}."
        )
        if seen and seen[1]["measured"] is not None:
            line += (
                " To know that it can find them, invented ones were hidden: it found "
                f"{facts.verdict.number('findings', seen[0], 'measured', form='percent')}."
            )
    pictures = ""
    if facts.counted.at("cleaning"):
        pictures = (
            f"<b>Pictures.</b> Faces were cut from {facts.counted.number('cleaning', 'faces_removed')} series and written text from "
            f"{facts.counted.number('cleaning', 'text_removed')}. Where a program could not be sure, the series was held back."
        )
    return [one for one in (line, pictures) if one]


def _recognised(facts: Facts) -> list[str]:
    k = facts.verdict.at("protection", "after", "k")
    if k is None:
        return []
    alike = "every patient looks like others in the data" if k > 1 else "<b>some patients look like nobody else</b>"
    line = (
        f"<b>Can somebody be recognised?</b> By what an outsider may know ({_known(facts)}), {alike}: "
        f"of those who look alike, the smallest group counts {facts.verdict.number('protection', 'after', 'k')}. Before, it counted "
        f"{facts.verdict.number('protection', 'before', 'k')}. Whoever knows that a person is in the data has a chance of at most "
        f"{facts.verdict.number('protection', 'after', 'prosecutor_max', form='percent')} of pointing at the right row that way."
    )
    return [line]


def _known(facts: Facts) -> str:
    """Columns that an outsider may know and that still tell something, in words."""
    levels = facts.verdict.at("protection", "levels") or {}
    told = [words(name) for name, level in sorted(levels.items()) if level != "*"]
    return ", ".join(told) or "nothing of it is told any more"


def _attacked(facts: Facts) -> list[str]:
    source = facts.attack
    if source is None:
        return []
    lines = []
    if source.at("attacks", "linkage", "applies"):
        at = ("attacks", "linkage")
        line = (
            f"<b>We tried.</b> With a list of people in hand, we tried to put a name to each record: {source.number(*at, 'rate', form='percent')} "
            f"succeeded (with 95 % confidence at most {source.number(*at, 'high', form='percent')})."
        )
        if source.at(*at, "controls", "positive", "rate") is not None:
            on = (
                "data made up for the purpose"
                if "planted" in str(source.at(*at, "controls", "positive", "on"))
                else "the unprotected data"
            )
            line += f" The same attempt on {on} succeeded in {source.number(*at, 'controls', 'positive', 'rate', form='percent')}, so the attempt is a serious one."
        lines.append(line)
    if source.at("attacks", "fingerprint", "applies"):
        at = ("attacks", "fingerprint")
        lines.append(
            "<b>Whoever has the image.</b> Somebody who holds a patient's own images can compute the numbers again and compare: this finds "
            f"the right row in {source.number(*at, 'rate', form='percent')} of the attempts. "
            + (
                "The numbers were averaged over groups of patients against that."
                if facts.verdict.at("protection", "features", "k")
                else "The terms of the release forbid to try; who has the images knows the patient already."
            )
        )
    return lines


def _missing(facts: Facts) -> list[str]:
    lines = []
    suppressed = facts.verdict.at("protection", "suppressed_subjects")
    if suppressed is not None:
        lines.append(
            f"<b>Who is missing.</b> {facts.verdict.number('protection', 'suppressed_subjects')} patients were left out because nobody looked enough like them."
        )
    if facts.fairness and facts.fairness.at("flagged") is not None:
        lines.append(
            f"<b>Fairness.</b> In {facts.fairness.number('flagged')} comparisons a group of patients (by sex, age, hospital, scanner) was "
            "lost more often than the others, or is rarer than it should be, beyond what chance explains."
        )
    return lines


def _left(facts: Facts) -> list[str]:
    risks = facts.verdict.at("dpia", "risks") or []
    found = [(one["residual"], n) for n, one in enumerate(risks) if isinstance(one.get("residual"), int | float)]
    if not found:
        return []
    _, worst = max(found, key=lambda item: (item[0], -item[1]))
    return [
        f"<b>What remains.</b> Of the risks in the register, the largest that is left is “{page.text(str(risks[worst].get('name')))}”, "
        f"with {facts.verdict.number('dpia', 'risks', worst, 'residual')} after what is done about it "
        f"({facts.verdict.number('dpia', 'risks', worst, 'risk')} before)."
    ]


def _law(facts: Facts) -> list[str]:
    legal = facts.verdict.at("legal") or {}
    if not legal:
        return []
    return [
        f"<b>In law</b> the data are {words(legal.get('status'))}: {page.text(str(legal.get('gdpr', '')))} {page.text(str(legal.get('hipaa', '')))}"
    ]

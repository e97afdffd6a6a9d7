"""attack: try to break what is about to be released, and say how far it got and how sure that is."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from radcurate import tables
from radcurate.attack.composite import Exponents
from radcurate.attack.composite import document as composite_of
from radcurate.attack.differencing import attack_differencing
from radcurate.attack.fingerprint import attack_fingerprint, sought_rows
from radcurate.attack.found import Attack as Found
from radcurate.attack.found import Share
from radcurate.attack.linkage import Linked
from radcurate.attack.population import population_uniqueness
from radcurate.attack.records import Records, records
from radcurate.attack.reextraction import reextractions
from radcurate.attack.risk import joined as joined_rightly
from radcurate.attack.risk import risks
from radcurate.attack.site import attack_site
from radcurate.attack.synthesis import others_for
from radcurate.attack.views import view
from radcurate.keys import Key
from radcurate.privacy.columns import load_columns
from radcurate.seals import check_seal, write_seal
from radcurate.settings import Attack
from radcurate.stages._attacked import Attacked, ranges_of, read_attacked
from radcurate.stages._command import command
from radcurate.stages._earlier import earlier_releases
from radcurate.stages._folders import chosen_chunks, scratch_folder, write_json
from radcurate.stages._linkage import crowd, link
from radcurate.stages._ranges import RANGES
from radcurate.tables.stored import Stored

log = logging.getLogger("radcurate")
ATTACK, ATTACKS, COLUMNS = "attack.json", "attacks.parquet", "columns.parquet"
ATTACKED = ("acquisition.parquet", "features.parquet", RANGES)


def from_results(settings: Attack, results: Path, out: Path, key: Key, columns: Path, registry: list[Path]) -> None:
    """`run` on the chunks of this run: those that consent wrote."""
    run(
        settings,
        [results / "extract" / chunk for chunk in chosen_chunks(results)],
        results,
        out,
        key,
        columns,
        registry,
    )


def run(
    settings: Attack, extract: list[Path], results: Path, out: Path, key: Key, columns: Path, registry: list[Path]
) -> None:
    """Attack `results/protect`, holding the chunks of `extract` for the controls; write what was found.

    Raises:
        CurationError: a table was changed, or the registry can't be used.
    """
    out.mkdir(parents=True, exist_ok=True)
    with scratch_folder(out) as scratch:
        attacked = read_attacked(extract, results, load_columns(columns), key, scratch)
        linked = link(attacked, settings.linkage, key, registry)
        attacks = [linked.attack, *_others(attacked, settings, results, key)]
        document = {
            "judged": attacked_tables(results, key),
            "attacks": {found.name: found.document() for found in attacks},
            "risk": _risk(attacked, linked, attacks, settings),
        }
    write_json(out / ATTACK, document)
    tables.write_rows(out / ATTACKS, tables.ATTACKS, (row for found in attacks for row in _rows(found)))
    tables.write_rows(out / COLUMNS, tables.ATTACK_COLUMNS, (row for found in attacks for row in _told(found)))
    write_seal(out, [ATTACK, ATTACKS, COLUMNS], key)
    _say(attacks)


def attacked_tables(results: Path, key: Key) -> dict[str, str]:
    """SHA-256 of the tables that are attacked, so that the gate can tell whether they are those that would go out."""
    sealed = check_seal(results / "protect", key)
    return {f"protect/{name}": sealed[name] for name in ATTACKED if name in sealed}


def _others(attacked: Attacked, settings: Attack, results: Path, key: Key) -> list[Found]:
    """The attacks beside linkage; one that can't be run is an error of the stage, never left out."""
    released, raw = _records(attacked, results / "protect")
    rows = sought_rows(released, raw)
    regions = pa.array([raw.region[row] for row in rows.tolist()], pa.string())
    stability = _stability(results / "protect")
    again = reextractions(raw, ranges_of(attacked, regions, key), stability, settings.assumed_correlation, rows)
    found = [
        attack_fingerprint(released, raw, again),
        attack_site(released, raw, attacked.sites, _classes(attacked)),
    ]
    now = view(Stored(results / "protect" / "features.parquet"), attacked.released.acquisition, attacked.quasi)  # large
    earlier = earlier_releases(results / "release", attacked.quasi, [Path(name) for name in settings.earlier])
    return [*found, attack_differencing(earlier, now, attacked.measures["required"]["k"])]


def _records(attacked: Attacked, protect: Path) -> tuple[Records, Records]:
    """Released and raw records of regions."""
    ranges = Stored(protect / "ranges.parquet")
    after, before, technical = attacked.released, attacked.raw, attacked.technical
    kept = [
        content if isinstance(content, Stored) else None for content in (attacked.released_values, attacked.raw_values)
    ]
    released = records(after.features, attacked.features, after.acquisition, technical, ranges, kept[0])
    return released, records(before.features, attacked.features, before.acquisition, technical, None, kept[1])


def _classes(attacked: Attacked) -> dict[str, int]:
    """What the release's quasi-identifiers tell of each patient: equal numbers, the same."""
    group = crowd(attacked.released, attacked.released_values, attacked, np.zeros(0)).group
    return dict(zip(attacked.released_patients, group.tolist(), strict=True))


def _stability(protect: Path) -> pa.Table | None:
    content = tables.read(protect / "stability.parquet", tables.PROTECT_STABILITY)
    return content if content.num_rows else None


def _risk(attacked: Attacked, linked: Linked, attacks: Sequence[Found], settings: Attack) -> dict[str, Any]:
    """Risks of the release, and of the raw table beside them."""
    after = crowd(attacked.released, attacked.released_values, attacked, linked.chances)
    before = crowd(attacked.raw, attacked.raw_values, attacked, linked.chances_raw)
    found, raw = risks(after), risks(before)
    people = len(attacked.patients) + others_for(len(attacked.patients), settings.linkage.others)
    sizes = np.bincount(after.group)
    joins = joined_rightly(attacks)
    chosen = settings.composite
    exponents = Exponents(chosen.alpha, chosen.beta, chosen.gamma)
    return {
        **found,
        "linkability": max(joins.values(), default=0.0),
        "linkability_by": joins,
        "uniqueness": population_uniqueness(sizes, people).document(),
        "composite": composite_of(found["marketer"], found["singling_out"], chosen.scenario, exponents),
        "before": {**raw, "composite": composite_of(raw["marketer"], raw["singling_out"], chosen.scenario, exponents)},
    }


def _rows(found: Found) -> Iterator[dict[str, Any]]:
    """A row per variant: on the release, the controls, and further shares."""
    if found.found:
        yield _row(found, "release", found.found, None)
    for variant, control in (("positive", found.positive), ("negative", found.negative)):
        if control:
            yield _row(found, variant, control.found, control.passed)
    for variant, further in found.further.items():
        yield _row(found, variant, further, None)


def _row(found: Found, variant: str, measured: Share, passed: bool | None) -> dict[str, Any]:
    return {"attack": found.name, "variant": variant, **measured.document(), "passed": passed}


def _told(found: Found) -> Iterator[dict[str, Any]]:
    for column, weight in found.columns:
        yield {"attack": found.name, "column": column, "weight": weight}


def _say(attacks: Sequence[Found]) -> None:
    for found in attacks:
        if found.found is None:
            log.info("attack: %s does not apply: %s", found.name, found.detail)
        else:
            failed = f"; failed controls: {', '.join(found.controls_failed)}" if found.controls_failed else ""
            log.info("attack: %s %.3f, at most %.3f%s", found.name, found.found.rate, found.found.high, failed)


if __name__ == "__main__":
    command(from_results)

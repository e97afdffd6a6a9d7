"""The public policy can be kept by what the stages themselves make: groups of eleven, real attacks, signed papers."""

from __future__ import annotations

import pytest

from finished_run import COLUMNS, make_run, write_papers
from radcurate.errors import CurationError
from radcurate.settings import Attack
from radcurate.stages import attack


def attacked(folder, key, **protection):
    """A run whose tables were protected and attacked by the stages, with all papers signed for them."""
    run = make_run(folder, key)
    run.protect(**protection)
    chunks = sorted((run.results / "extract").iterdir())
    attack.run(Attack(), chunks, run.results, run.results / "attack", key, COLUMNS, [])
    write_papers(run, "public")
    return run


def test_groups_of_eleven_go_to_the_public(tmp_path, key):
    run = attacked(tmp_path, key, k=11, microaggregation=11)
    measured = {finding["measure"]: finding["measured"] for finding in run.gate("public")["findings"]}
    assert 0 < measured["attack.fingerprint_top1"] <= 1 / 11
    assert measured["attack.linkage"] <= 0.05 and measured["protect.k"] >= 11


@pytest.mark.parametrize(
    ("protection", "refused"),
    [
        ({"k": 11}, {"attack.fingerprint_top1", "attack.fingerprint_same_scan", "attack.fingerprint_top5"}),
        ({"k": 11, "microaggregation": 5}, {"attack.fingerprint_top1", "attack.fingerprint_same_scan"}),
        ({"k": 2, "microaggregation": 11}, {"protect.k", "protect.prosecutor_max"}),
    ],
)
def test_less_does_not(tmp_path, key, protection, refused):
    run = attacked(tmp_path, key, **protection)
    with pytest.raises(CurationError, match="nothing is released"):
        run.gate("public")
    failed = {finding["measure"] for finding in run.refusal()["findings"] if not finding["holds"]}
    assert refused <= failed

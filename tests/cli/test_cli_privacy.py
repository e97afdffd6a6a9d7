"""`radcurate privacy explain`, on what protect wrote."""

from __future__ import annotations

import pytest
from test_protect import declared_as, patients, protect

from radcurate.cli import main


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["privacy", "explain", *words])
    assert not ended.value.code
    return capsys.readouterr().out


def test_it_tells_columns_patients_and_ways(tmp_path, key, capsys):
    out = protect(tmp_path, key, patients(), k=5)
    text = said(capsys, "--results", str(out.parent))
    assert text.startswith("k 5 asked, 1 before, ") and "holds" in text
    assert "crowd smaller than 5" in text and "age" in text
    assert "P-0000000000000" in text and "more patients (--patients 0)" in text
    assert "protect.k: 11" in text and "nothing to change" in text


def test_only_what_reaches_a_crowd(tmp_path, key, capsys):
    out = protect(tmp_path, key, patients(), k=5)
    text = said(capsys, "--results", str(out.parent), "--k", "11").split("what could be done")[1]
    assert "protect.k: 11" in text and "protect.k: 2\n" not in text and " no\n" not in text
    assert "no change that was tried reaches k 500" in said(capsys, "--results", str(out.parent), "--k", "500")


def test_all_patients(tmp_path, key, capsys):
    out = protect(tmp_path, key, patients(), k=5)
    text = said(capsys, "--results", str(out.parent), "--patients", "0")
    assert text.count("\n  P-") == 60


def test_nobody_at_risk(tmp_path, key, capsys):
    out = protect(tmp_path, key, patients(), k=1)
    assert "no patient is in a crowd smaller than 1" in said(capsys, "--results", str(out.parent))


def test_sensitive_columns_show_l_and_t(tmp_path, key, capsys):
    sensitive = declared_as(tmp_path, roi_label="{role: sensitive, reason: tells the diagnosis}")
    rows = patients(80, seed=3)
    for row in rows:
        row["roi_label"] = "GTV" if int(row["subject"][2:], 16) % 5 else "node"
    out = protect(tmp_path, key, rows, columns=sensitive, k=5)
    assert "protect.l: 2" in said(capsys, "--results", str(out.parent))


def test_a_run_that_did_not_come_to_protect(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["privacy", "explain", "--results", str(tmp_path)])
    assert ended.value.code == 1 and "there is nothing to explain yet" in capsys.readouterr().err

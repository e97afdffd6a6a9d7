"""The command line as a whole: every verb explains itself, and an unknown one is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest

from radcurate.cli import VERBS, main


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert not ended.value.code and f"radcurate {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["nonsense"], ["keys"], ["keys", "eat"]])
def test_what_is_no_verb_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2 and "usage" in capsys.readouterr().err


def test_a_verb_reads_no_other_verbs_module() -> None:
    program = "import sys; from radcurate.cli import main\ntry: main(['keys', '--help'])\nexcept SystemExit: pass\n"
    program += "sys.exit('radcurate.cli.review' in sys.modules or 'pydicom' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0


def test_verify_release_fails_on_a_folder_that_is_none(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["verify-release", str(tmp_path)])
    assert ended.value.code == 1 and capsys.readouterr().err

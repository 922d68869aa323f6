"""Completion in bash, by the script that `hnl --install-completion` installs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["hnl", "s"], ["select", "score", "status", "simulate"]),
        (["hnl", "condor", "re"], ["resubmit"]),
        (["hnl", "abcd", "out", "--th"], ["--thresholds"]),
        (["hnl", "select", "c.yaml", "-o", "out", "--executor", "i"], ["iterative"]),
        (["hnl", "fit", "out", "--sample", "hnl8"], ["hnl8_mu", "hnl8_e"]),
        (["hnl", "datasets", "template", "2022"], ["2022", "2022EE"]),
        (["hnl", "abcd", "o"], []),  # files and folders, by the shell itself
        (["hnl", "fit", "nowhere", "--sample", "h"], []),
    ],
)
def test_in_bash(tmp_path: Path, words: list[str], expected: list[str]) -> None:
    names = {"hnl8_mu": "signal", "hnl8_e": "signal", "hnl8_data": "data", "ttbar": "background"}
    content = {"catalogue": {"datasets": [{"name": name, "kind": kind} for name, kind in names.items()]}}
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "selection.json").write_text(json.dumps(content))
    typed = " ".join(f"'{word}'" for word in words)
    script = (
        'eval "$(_HNL_COMPLETE=source_bash hnl)"; complete -p hnl >&2\n'
        f'COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _hnl_completion hnl; echo "${{COMPREPLY[@]}}"'
    )
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.split() == expected, done.stderr
    assert "-o default" in done.stderr

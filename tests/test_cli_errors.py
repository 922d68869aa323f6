"""Bad arguments, bad paths and odd names: one paragraph, exit status 2, and no long wait for it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from command import Run
from nanoaod_events import ELECTRON_PATHS, MUON_PATHS, event, write

HEAVY = ("awkward", "coffea", "matplotlib", "numpy", "uproot", "xgboost")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["abcd", "OUT", "--nope"], "no such option: --nope; see hnl abcd --help"),
        (["--nope"], "no such option: --nope; see hnl --help"),
        (["nope"], "no such command 'nope'; see hnl --help"),
        (["condor", "nope"], "no such command 'nope'; see hnl condor --help"),
        (["abcd"], "missing argument 'OUT'; see hnl abcd --help"),
        (["select"], "missing argument 'CATALOGUE'; see hnl select --help"),
        (["physics"], "missing option '--mass'; see hnl physics --help"),
        (["physics", "--mass", "ten"], "not 'ten'; see hnl physics --help"),
        (["limits", "OUT", "--grid", "0"], "not '0'; see hnl limits --help"),
        (["select", "[/b].yaml", "-o", "out"], "'CATALOGUE': file '[/b].yaml' does not exist; see hnl select --help"),
        (["status", "[red]out"], "'OUT': dir '[red]out' does not exist; see hnl status --help"),
        (
            ["abcd", "OUT", "--thresholds", "t.json"],
            "'--thresholds': file 't.json' does not exist; see hnl abcd --help",
        ),
        (["abcd", "[/b]"], "[/b] holds no finished selection (no such folder): run hnl select first"),
        (["abcd", "."], ". holds no finished selection (no selection.json): run hnl select first"),
        (["provenance", "[/b]"], "[/b]: no such file"),
    ],
)
def test_usage(hnl: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "OUT").mkdir()
    (tmp_path / "OUT" / "selection.json").touch()
    status, said, complained = hnl(*arguments)
    assert (status, said) == (2, "")
    assert re.fullmatch(r"error: [^\n\u2500-\u257f]+\n", complained)
    assert words in complained
    assert hnl(*arguments, "--debug")[2].startswith("Traceback")


@pytest.mark.parametrize("arguments", [["abcd", "nowhere"], ["select", "nowhere", "-o", "out"], ["fit", "--help"]])
def test_what_is_said_at_once_imports_nothing_heavy(tmp_path: Path, arguments: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['hnl', *{arguments}]\nfrom hnl import cli\n"
        f"try: cli.main()\nfinally: print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("[]\n")
    assert not list(tmp_path.iterdir())


def test_markup_in_names_is_text_in_every_command(hnl: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a process, a file, and folders: printed as they are, and no end of the run."""
    monkeypatch.chdir(tmp_path)
    folder, name, process = Path("[bold]samples"), "w", "[/b]"
    folder.mkdir()
    write(folder / "[blue]1.root", [event(1)])
    write(folder / "[blue]2.root", [])
    shared = {"era": "e", "kind": "background", "process": process, "cross_section": 0.5}
    triggers = {"electron": list(ELECTRON_PATHS), "muon": list(MUON_PATHS)}
    content = {
        "eras": {"e": {"year": 2018, "luminosity": 10.0, "triggers": triggers}},
        "datasets": [shared | {"name": name, "files": ["[blue]1.root", "*2.root"]}],
    }
    catalogue = folder / "[i].yaml"
    catalogue.write_text(yaml.safe_dump(content))
    status, said, complained = hnl("datasets", "check", catalogue)
    assert (status, complained) == (0, ""), complained
    assert name in said
    assert "[blue]1.root" in said
    out = Path("[/]out")
    status, said, complained = hnl("select", catalogue, "-o", out, "--executor", "iterative")
    assert status == 0, complained
    assert process in said
    assert f"{out}/cutflow.json" in said
    assert name in hnl("status", out)[1]
    assert "[blue]1.root" in hnl("provenance", out / "selection.json")[1]
    status, said, _ = hnl("histogram", out)
    assert status == 0
    assert said.startswith(
        f"histograms:  {out}/histograms.root\nhistograms:  {out}/histograms.json\nreport:      {out}/"
    )
    (folder / "[blue]1.root").write_bytes(b"")
    status, said, complained = hnl("select", catalogue, "-o", "other", "--executor", "iterative")
    assert status == 2
    assert "[blue]1.root" in complained
    content["datasets"][0]["name"] = "[red]w"  # names a folder
    catalogue.write_text(yaml.safe_dump(content))
    status, _, complained = hnl("datasets", "check", catalogue)
    assert status == 2
    assert "[red]w" in complained
    assert str(catalogue) in complained

"""`hnl simulate` on bad input: exit status 2, one sentence, no file."""

import sys
from pathlib import Path

import pytest

from hnl import cli


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("hnl -n 10 --mass 0.9 --ctau 5", "HNL mass must be between 1 and 20 GeV, not 0.9"),
        ("hnl -n 10 --mass 20.5 --ctau 5", "not 20.5"),
        ("hnl -n 10 --mass nan --ctau 5", "not nan"),
        ("hnl -n 10 --mass 5 --ctau 0", "c tau of the HNL must be above 0 mm, not 0"),
        ("hnl -n 10 --mass 5 --ctau -2", "not -2"),
        ("hnl -n 10 --mass 5 --ctau inf", "not inf"),
        ("hnl -n 10 --mass 5 --v2 0", "|V|^2 of the HNL must be above 0 and at most 1, not 0"),
        ("hnl -n 10 --mass 1 --ctau 0.001", "needs |V|^2 above 1"),
        ("hnl -n 10 --mass 5", "give either c tau or |V|^2"),
        ("hnl -n 10 --mass 5 --ctau 5 --v2 1e-6", "give either c tau or |V|^2"),
        ("hnl -n 10 --ctau 5", "--mass is missing"),
        ("hnl -n 10 --v2 1e-6", "--mass is missing"),
        ("hnl -n 10", "needs an HNL mass"),
        ("hnl -n 10 --mass 5 --ctau 5 --nature weyl", "'majorana' or 'dirac', not 'weyl'"),
        ("hnl -n 10 --mass 5 --ctau 5 --coupling nu", "no coupling 'nu': it is one of e, mu, mixed, tau"),
        ("hnl -n 0 --mass 5 --ctau 5", "number of events must be above 0, not 0"),
        ("wjets -n -5", "number of events must be above 0, not -5"),
        ("wjets -n 10 --mass 5 --ctau 5", "'wjets' has no HNL"),
        ("higgs -n 10", "unknown process 'higgs'; known: hnl, wjets"),
        ("wjets -n 10 --seed -1", "seed must not be negative, not -1"),
        ("wjets -n 10 --reseeds 17", "reseeds = 17: must be 1 to 16"),
        ("wjets -n 10 --reseeds 0", "reseeds = 0"),
        ("wgamma -n 10 --copies 0", "copies = 0: must be at least 1"),
        ("wjets -n 10 --copies 2", "copies = 2: must be at least 1, and 1 for all processes but wjets_heavy, "),
    ],
)
def test_bad_input(
    arguments: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, complained = run([*arguments.split(), "-o", str(tmp_path / "x.root")], monkeypatch, capsys)
    assert status == 2
    assert words in complained
    assert len(complained.strip().splitlines()) == 1
    assert complained.strip().startswith("error: ")
    assert not list(tmp_path.iterdir())


def test_closed_decay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A tau and a pion are heavier than N."""
    arguments = ["hnl", "-n", "10", "--mass", "1.9", "--coupling", "tau", "--v2", "1e-3"]
    arguments += ["-o", str(tmp_path / "x.root")]
    status, _, complained = run(arguments, monkeypatch, capsys)
    assert status == 2
    assert "no decay N -> l q q' is open at 1.9 GeV" in complained
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["taken.root", "nowhere/x.root"])
def test_bad_output(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken.root").write_text("precious")
    status, said, complained = run(["wjets", "-n", "10", "-o", str(tmp_path / name)], monkeypatch, capsys)
    assert (status, said) == (2, "")
    assert "exists already" in complained or "there is no folder" in complained
    assert [path.name for path in tmp_path.iterdir()] == ["taken.root"]
    assert (tmp_path / "taken.root").read_text() == "precious"


def run(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    """Exit status, stdout, stderr of the command in this process."""
    monkeypatch.setattr(sys, "argv", ["hnl", "simulate", *arguments])
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert isinstance(stop.value.code, int)
    return stop.value.code, *capsys.readouterr()

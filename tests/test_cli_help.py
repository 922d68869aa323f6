"""Help: order, panels, and examples that the parser accepts."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from command import Run
from typer.core import TyperGroup

from hnl.cli import examples
from hnl.cli.app import app
from hnl.stages.displaced import STAGES


def every(group: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """All commands that are shown, by what is typed after `hnl`."""
    for own, command in group.commands.items():
        if not command.hidden:
            yield f"{name}{own}", command
            if isinstance(command, TyperGroup):
                yield from every(command, f"{name}{own} ")


@pytest.fixture
def commands() -> tuple[Any, dict[str, Any]]:
    group: Any = typer.main.get_command(app)
    return group, dict(every(group))


def test_every_command_has_examples_that_fit_80_columns(hnl: Run, commands: tuple[Any, dict[str, Any]]) -> None:
    shown = commands[1]
    assert set(shown) == set(examples.ORDER)
    for name, command in shown.items():
        lines = command.epilog.splitlines()
        assert lines[0] == "Examples:"
        assert 1 <= command.epilog.count("hnl ") <= 4, name
    status, said, _ = hnl("datasets", "check", "--help")
    assert status == 0
    assert "hnl datasets check catalogue.yaml  # opens every file\n" in re.sub(" +\n", "\n", said)
    assert "hnl datasets check catalogue.yaml --catalogue-only\n     # before" in re.sub(" +\n", "\n", said)


def test_examples_parse(commands: tuple[Any, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all types and options, where the files are; the commands themselves are not run here."""
    group, shown = commands
    called: list[str] = []
    for name, command in shown.items():
        if not isinstance(command, TyperGroup):
            command.callback = lambda name=name, **_: called.append(name)
    monkeypatch.chdir(tmp_path)
    for folder in ("out", "other/models"):
        Path(folder).mkdir(parents=True)
    for file in ("catalogue.yaml", "thresholds.json", "out/selection.json", "out/report.html"):
        Path(file).touch()
    for of_panel in examples.EXAMPLES.values():
        for name, of_command in of_panel.items():
            for words in of_command:
                group(shlex.split(words.partition(" > ")[0]), prog_name="hnl", standalone_mode=False)
                assert called[-1].startswith(name)
    with pytest.raises(typer.exceptions.TyperException):
        group(["abcd", "out", "--ful"], prog_name="hnl", standalone_mode=False)


def test_stages_are_in_their_order(hnl: Run) -> None:
    of_panel = list(examples.EXAMPLES["Stages, in their order"])
    assert of_panel == [stage.name for stage in STAGES if stage.name in of_panel]
    status, said, _ = hnl("--help")
    assert status == 0
    places = [said.index(f"\u2502 {name} ") for name in examples.ORDER if " " not in name]
    assert places == sorted(places)
    for panel in examples.EXAMPLES:
        assert f" {panel} " in said

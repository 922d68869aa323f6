"""Tables and progress, in a pipe and in a terminal."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from nanoaod_events import Style, event, write
from rich.console import Console

from hnl import terminal
from hnl.report.tables import Table, TableColumn, count, rough, short, with_error
from hnl.terminal import TextTable, lines, print_table, progress_bar

NAME = "DYJetsToLL_M-50_TuneCP5_13TeV-amcatnloFXFX-pythia8"
BOXES = re.compile(r"[\u2500-\u257f]")


@pytest.fixture(params=[True, False], ids=["terminal", "pipe"])
def screen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[bool, io.StringIO]:
    """60 columns; whether it is a terminal, and what was written."""
    text = io.StringIO()
    for name in ("out_console", "err_console"):
        console = Console(file=text, width=60, force_terminal=request.param, color_system=None)
        monkeypatch.setattr(terminal, name, console)
    return request.param, text


def test_columns_are_aligned() -> None:
    table = TextTable("", ("name", "events", "share"), [("a", "1,000", "5 %"), ("long name", "7", "-")])
    heading, rows = lines(table, 80, breaks=False)
    assert heading == ["name       events  share"]
    assert rows == ["a           1,000    5 %", "long name       7      -"]


def test_headings_are_broken_only_where_that_helps() -> None:
    rows = [("w", "1", "2")]
    wide = TextTable("", ("process", "events with a name", "st_tchannel"), rows)
    assert lines(wide, 40, breaks=False)[0] == ["process  events with a name  st_tchannel"]
    assert lines(wide, 26, breaks=False)[0] == [
        "          events",
        "          with a       st_",
        "process     name  tchannel",
    ]
    assert lines(wide, 10, breaks=False)[0] == ["process  events with a name  st_tchannel"]


def test_a_name_is_never_cut(screen: tuple[bool, io.StringIO]) -> None:
    """In a pipe a row is one line; in a terminal the name goes on in the next lines of its column."""
    is_terminal, text = screen
    print_table(TextTable("t", ("dataset", "entries", "status"), [(NAME, "12", "bad"), ("w", "3", "ok")]))
    said = text.getvalue()
    assert not BOXES.search(said)
    assert "…" not in said
    if is_terminal:
        assert max(map(len, said.splitlines())) <= 60
        column = [line[: line.index("12") - 2] if "12" in line else line for line in said.splitlines()[3:-1]]
        assert "".join(part.strip() for part in column).replace("bad", "") == NAME
    else:
        assert re.search(rf"^{NAME}  +12  bad$", said, re.MULTILINE)


def test_markup_in_names_is_text(screen: tuple[bool, io.StringIO]) -> None:
    _, text = screen
    print_table(TextTable("[/b] title", ("[red]name", "n"), [("[/b]", "1"), ("[bold]x[/]", "2")], "[/note]"))
    for word in ("[/b] title", "[red]name", "[/b]  ", "[bold]x[/]", "[/note]"):
        assert word in text.getvalue()


def test_a_log_has_one_line_of_progress(screen: tuple[bool, io.StringIO]) -> None:
    """And none of a stage that had nothing to do."""
    is_terminal, text = screen
    with progress_bar("models") as progress:
        task = progress.add_task("train", total=None, visible=False)
        progress.update(task, total=1200, visible=True)
        progress.update(task, advance=1200)
        progress.update(progress.add_task("nothing", visible=False), total=0)
    if not is_terminal:
        assert text.getvalue() == "train: 1,200/1,200 models\n"


@pytest.mark.parametrize(("quiet", "expected"), [(False, "train: 2/2 models\n"), (True, "")])
def test_a_dumb_terminal_is_as_a_log(quiet: bool, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, quiet=quiet, _environ={"TERM": "dumb"})
    monkeypatch.setattr(terminal, "err_console", console)
    with progress_bar("models") as progress:
        progress.update(progress.add_task("train", total=2), advance=2)
    assert text.getvalue() == expected


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        (0.99651, 0.0084, "0.9965(84)"),
        (0.5, 0.0996, "0.50(10)"),
        (12.3456, 1.234, "12.3(12)"),
        (1234.5, 77.7, "1234(78)"),
        (1.0, 0.0, "1"),
        (None, None, "-"),
    ],
)
def test_values_with_errors(value: float | None, error: float | None, expected: str) -> None:
    assert with_error(value, error) == expected


def test_rows_that_are_left_out_are_counted() -> None:
    table = Table("t", "title", [TableColumn("x", "x")], [{"x": i} for i in range(12)], "a note")
    assert (len(table.text().rows), table.text().note) == (12, "a note")
    assert (len(table.text(12).rows), table.text(12).note) == (12, "a note")
    assert (table.text(10).rows[-1], table.text(10).note) == (["9"], "2 more rows in the files; a note")


def test_numbers_are_short() -> None:
    assert [count(n) for n in (0, 12_345, 99_999, 99_999.6, 1_234_567, 4e9)] == [
        "0", "12,345", "99,999", "1.00e5", "1.23e6", "4.00e9",
    ]  # fmt: skip
    assert [short(x) for x in (0.0709, 1234.5, 41.6)] == ["0.0709", "1,234", "41.6"]
    assert [rough(x) for x in (0.969, 19.9, 4.55, 9.99, 1234.5)] == ["0.97", "20", "4.5", "10", "1,234"]


ESSENTIAL = ("Muon_dxyErr", "SV_pAngle")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A catalogue of good and broken files with long names."""
    good = write(tmp_path / f"{NAME}.root", [event()])
    write(tmp_path / "lacks.root", [event()], Style(without=ESSENTIAL))
    (tmp_path / "short.root").write_bytes(good.read_bytes()[:-200])
    files = [good.name, "lacks.root", "short.root", "absent.root"]
    catalogue = {
        "eras": {"e": {"year": 2018, "luminosity": 1.0, "triggers": {"muon": ["HLT_IsoMu24"]}}},
        "datasets": [
            {"name": f"{NAME}_{i}", "era": "e", "kind": "background", "process": "dy", "files": [file]}
            | {"cross_section": 1.0}
            for i, file in enumerate(files)
        ],
    }
    return _saved(tmp_path, catalogue)


def _saved(folder: Path, catalogue: object) -> Path:
    path = folder / "catalogue.yaml"
    path.write_text(yaml.safe_dump(catalogue))
    return path


def _check(catalogue: Path) -> tuple[int, str]:
    """`hnl datasets check` in a pipe."""
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "FORCE_COLOR")}
    command = [sys.executable, "-m", "hnl.cli", "datasets", "check", str(catalogue)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return done.returncode, done.stdout


def test_reasons_are_told_in_full(broken: Path) -> None:
    status, said = _check(broken)
    assert status == 2
    assert not BOXES.search(said)
    reasons = [line for line in said.splitlines() if line.startswith("- ")]
    *_, remark = reasons
    assert len(reasons) == 4
    assert remark.startswith("- electrons that fired")  # and three files that cannot be used
    for i, (file, words) in enumerate(
        (("lacks.root", ESSENTIAL), ("short.root", ("truncated",)), ("absent.root", ("no such file",))), 1
    ):
        (reason,) = (line for line in reasons if line.startswith(f"- {NAME}_{i}: "))
        assert str(broken.parent / file) in reason
        assert all(word in reason for word in words)
    assert re.search(rf"^{NAME}_0  {NAME}\.root  +1  .*  ok$", said, re.MULTILINE)
    assert re.search(rf"^{NAME}_3  absent\.root  .*  bad$", said, re.MULTILINE)


def test_many_files_have_a_row_for_each_dataset(tmp_path: Path) -> None:
    for i in range(31):
        write(tmp_path / f"{i}.root", [event(n) for n in range(i + 1)], Style(data=i >= 29))
    (tmp_path / "30.root").write_bytes(b"")
    shared = {"era": "e", "kind": "background", "process": "dy", "cross_section": 1.0}
    catalogue = {
        "eras": {"e": {"year": 2018, "luminosity": 1.0, "triggers": {"muon": ["HLT_IsoMu24"]}}},
        "datasets": [
            shared | {"name": "many", "files": [f"{i}.root" for i in range(29)]},
            {"name": "two", "era": "e", "kind": "data", "process": "d", "files": ["29.root", "30.root"]}
            | {"primary_dataset": "SingleMuon", "triggers": ["muon"]},
        ],
    }
    status, said = _check(_saved(tmp_path, catalogue))
    assert status == 2
    rows = [re.split(r"  +", line) for line in said.splitlines()]
    (many,) = (row for row in rows if row[0] == "many")
    assert (many[1], many[2], many[-1]) == ("29", f"{29 * 30 // 2:,}", "ok")
    (two,) = (row for row in rows if row[0] == "two")
    assert (two[1], two[2], two[-1]) == ("2", "30", "1 bad")
    assert "30.root: the file is empty" in said

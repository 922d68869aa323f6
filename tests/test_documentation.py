"""The documentation: its commands run, its names, messages and links exist, and the site builds without a network."""

import ast
import contextlib
import importlib
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
import typer
import yaml
from nbclient import NotebookClient
from pages import PAGES, ROOT, Block, blocks, commands
from typer.testing import CliRunner
from without_figures import without_figures

from hnl.cli.app import app

DEMO = ROOT / "datasets" / "demo"
KEPT = ("hnl10_mu", "ttbar", "wgamma", "pseudodata")  # of the demo: one point, whose run takes seconds
LANGUAGES = ("bash", "python", "yaml", "text")
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
EVERY = [block for page in PAGES for block in blocks(page)]
RUN = [page for page in PAGES if any(b.not_run is None and b.language in ("bash", "python") for b in blocks(page))]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def finished_demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A checkout with a small demo and its run, and a copy of it."""
    folder = tmp_path_factory.mktemp("documentation") / "checkout"
    (folder / "datasets" / "demo").mkdir(parents=True)
    for path in (*DEMO.glob("*.root"), DEMO / "corrections"):
        (folder / "datasets" / "demo" / path.name).symlink_to(path)
    content = yaml.safe_load((DEMO / "demo.yaml").read_text())
    content["datasets"] = [dataset for dataset in content["datasets"] if dataset["name"] in KEPT]
    assert len(content["datasets"]) == len(KEPT)
    (folder / "datasets" / "demo" / "demo.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    shutil.copytree(ROOT / "docs" / "examples", folder / "docs" / "examples")
    shutil.copy(ROOT / "Makefile", folder)
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / ".ready").touch()
    command = folder / ".venv" / "bin" / "hnl"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hnl.cli "$@"\n')
    command.chmod(0o755)
    with contextlib.chdir(folder):
        run("make demo")
    return folder, Path(shutil.copytree(folder, folder.with_name("kept"), symlinks=True))


@pytest.fixture
def checkout(finished_demo: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The checkout as it was after the run, as the current folder. It keeps its path, which products depend on."""
    folder, kept = finished_demo
    shutil.rmtree(folder)
    shutil.copytree(kept, folder, symlinks=True)
    monkeypatch.chdir(folder)
    return folder


def words_of(line: str) -> list[str] | None:
    """The words of a command of hnl that needs no shell."""
    words = shlex.split(line, comments=True)
    plain = words[:1] in (["hnl"], [".venv/bin/hnl"]) and not any(set(word) & set("|<>&;$*") for word in words)
    return words if plain else None


def run(line: str) -> None:
    """One command line: of hnl in this process, of make what it would do, of others in bash."""
    if words := words_of(line):
        with contextlib.nullcontext() if words[1] == "plot" else without_figures():
            result = CliRunner().invoke(app, words[1:])
        assert result.exit_code == 0, f"{line}\n{result.output}\n{result.exception!r}"
    elif line.startswith("make "):
        # What the environment is made of is not asked: it is there.
        target = shlex.split(line, comments=True)[1:]
        said = subprocess.run(
            ["make", "--no-print-directory", "-n", "-o", ".venv/.ready", *target],
            capture_output=True,
            text=True,
            check=True,
        )
        for made in said.stdout.splitlines():
            run(made)
    else:
        shell(line)


def shell(text: str) -> None:
    done = subprocess.run(["bash", "-euc", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"


def run_block(block: Block, namespace: dict[str, object]) -> None:
    """Does what a reader does with a block."""
    if block.title is not None:
        Path(block.title).write_text(block.text + "\n")
    elif block.language == "bash" and block.not_run is None:
        if all(words_of(line) or line.startswith("make ") for line in commands(block)):
            for line in commands(block):
                run(line)
        else:
            shell(block.text)
    elif block.language == "python" and block.not_run is None:
        exec(compile(block.text, block.place, "exec"), namespace)


@pytest.mark.parametrize("page", RUN, ids=name)
def test_commands(page: Path, checkout: Path) -> None:
    """Every block of a page, in order."""
    namespace: dict[str, object] = {}
    for block in blocks(page):
        run_block(block, namespace)


def test_products_exist(checkout: Path) -> None:
    """All that the page of outputs lists, and what it says of limits, after a run with a relative output folder."""
    text = (ROOT / "docs" / "outputs.md").read_text()
    listed = [path for row in re.findall(r"^\| (`.+?`) \|", text, re.M) for path in re.findall(r"`([^`]+)`", row)]
    assert {"report.html", "histograms.root", "limits/", "plots/"} < set(listed)
    made_by_others = {"k0s/"}
    in_words = re.findall(r"`((?:limits|abcd)/[^`]+)`", text)
    assert {"limits/hepdata/", "limits/models/", "limits/limits.csv"} <= set(in_words)
    patterns = {path.replace("DATASET", "*").rstrip("/") for path in {*listed, *in_words} - made_by_others}
    assert [pattern for pattern in patterns if not list(Path("out/demo").glob(pattern))] == []
    assert Path("out/demo/limits/hepdata/submission.yaml").stat().st_size > 100


def test_blocks_have_a_language() -> None:
    assert [block.place for block in EVERY if block.language not in LANGUAGES] == []
    assert len(RUN) > 5


def test_blocks_that_are_not_run(capsys: pytest.CaptureFixture[str]) -> None:
    """They say why; and marks stand above blocks."""
    skipped = [block for block in EVERY if block.not_run]
    marks = sum(page.read_text().count("<!-- not run:") for page in PAGES)
    assert len(skipped) == marks
    assert all(block.language in ("bash", "python") for block in skipped)
    with capsys.disabled():
        print(f"\n{len(skipped)} blocks of the documentation are not run:")
        for block in skipped:
            print(f"  {block.place}: {block.not_run}")


COMMANDS = [
    pytest.param(words, id=f"{block.place} {' '.join(words[1:4])}")
    for block in EVERY
    if block.language == "bash"
    for line in commands(block)
    if (words := words_of(line))
]


@pytest.mark.parametrize("words", COMMANDS)
def test_commands_are_known(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Command, arguments and options of every line of hnl, also of blocks that are not run."""
    monkeypatch.chdir(tmp_path)
    command, arguments = typer.main.get_command(app), words[1:]
    while hasattr(command, "commands"):
        command = command.commands[arguments[0]]
        arguments = arguments[1:]
    context = command.make_context("hnl", [], resilient_parsing=True)
    _, left, _ = command.make_parser(context).parse_args(list(arguments))
    assert left == []


def test_catalogues_are_yaml() -> None:
    for block in (block for block in EVERY if block.language == "yaml"):
        assert yaml.safe_load(block.text), block.place


def test_names_of_the_paper_table() -> None:
    """Each function, class or module that physics.md leads to exists."""
    names = set(re.findall(r"\]\[(hnl\.[\w.]+)\]", (ROOT / "docs" / "physics.md").read_text()))
    assert len(names) > 40
    for full in names:
        package, _, last = full.rpartition(".")
        try:
            module = importlib.import_module(package)
        except ModuleNotFoundError:
            pytest.fail(f"no module {package} for {full}")
        if not hasattr(module, last):
            importlib.import_module(full)


def test_tables_and_figures_of_the_paper_are_all_there() -> None:
    page = (ROOT / "docs" / "physics.md").read_text()
    for number in range(1, 6):
        assert f"Table {number}" in page
    figures = {int(n) for text in re.findall(r"Figs?\. ([\d, ]+)", page) for n in text.split(",") if n.strip()}
    assert figures == set(range(1, 14))


def sentences() -> set[str]:
    """Texts in the code, `…` for each value in them."""
    found = set()
    rooms = [path.resolve() for path in (ROOT / "src" / "hnl").iterdir() if path.is_dir()]
    for file in (*(file for room in rooms for file in room.rglob("*.py")), *(ROOT / "src" / "hnl").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (str(v.value) if isinstance(v, ast.Constant) else "…" for v in node.values)
                found.add("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_messages_occur_in_the_code() -> None:
    known = sentences()
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    messages = re.findall(r"^\| `([^`]+)` \|", page, flags=re.MULTILINE)
    assert len(messages) > 30
    assert [m for m in messages if not any(m.replace(r"\|", "|") in sentence for sentence in known)] == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name)
def test_notebooks(notebook: Path, checkout: Path) -> None:
    """Runs from top to bottom; the one in git has no output."""
    content = nbformat.read(notebook, as_version=4)
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in content.cells)
    NotebookClient(content, timeout=120, kernel_name="python3").execute(cwd=str(checkout))


def test_site(tmp_path: Path) -> None:
    """Strict: each link and each anchor exists. Nothing is fetched from elsewhere, not even by a reader's browser."""
    site = tmp_path / "site"
    environment = {"NO_MKDOCS_2_WARNING": "1", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(site)],  # --quiet would count no warnings
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    fetched = re.compile(
        r"<(?:script|img|iframe)[^>]* src=\"?https?:|<link[^>]* rel=\"?(?:stylesheet|preconnect)[^>]* href=\"?https?:"
    )
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    assert [str(page) for page in pages if fetched.search(page.read_text(encoding="utf-8"))] == []


def test_links_of_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text) + re.findall(r"src=\"([^\"]+)\"", text)
    assert len(targets) > 5
    assert [t for t in targets if not t.startswith("http") and not (ROOT / t).exists()] == []


def test_gallery() -> None:
    """Every figure is on a page and comes from `make gallery`; together they are small."""
    figures = sorted((ROOT / "docs" / "figures").glob("*"))
    line = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("FIGURES := "))
    assert [path.name for path in figures] == sorted(f"{name}.png" for name in line.split()[2:])
    shown = set(re.findall(r"\]\(figures/([\w.]+)\)", (ROOT / "docs" / "gallery.md").read_text()))
    assert shown == {path.name for path in figures}
    assert sum(path.stat().st_size for path in figures) < 1.5e6

"""Pages of the reference, made when the site is built: one per room, with its public modules (hook of mkdocs)."""

import shutil
import tempfile
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
ROOMS = (
    "physics", "datasets", "selections", "corrections", "processors", "ml",
    "histograms", "inference", "report", "plots", "condor", "analyses",
)  # fmt: skip
LEFT_OUT = ("cli", "demo", "simulation", "templates", "*.root", "*.gz", "__pycache__")  # commands, and what makes files

_copy = tempfile.TemporaryDirectory(prefix="hnl_docs_")  # lives as long as the build


@event_priority(100)  # before mkdocstrings reads its settings
def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Shows mkdocstrings a copy of the package with an `__init__.py` in every folder: it skips folders without."""
    package = Path(_copy.name) / "hnl"
    shutil.rmtree(package, ignore_errors=True)
    shutil.copytree(ROOT / "src" / "hnl", package, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for folder in (path for path in package.rglob("*") if path.is_dir()):
        (folder / "__init__.py").touch()
    config.plugins["mkdocstrings"].config.handlers["python"]["paths"] = [_copy.name]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds reference/ROOM.md for each room, reference/hnl.md for the rest of the package, and their list."""
    package = Path(_copy.name) / "hnl"
    names = [
        ".".join(path.relative_to(_copy.name).with_suffix("").parts)
        for path in sorted(package.rglob("*.py"))
        if path.stem != "__init__"
    ]
    pages = {room: [name for name in names if name.startswith(f"hnl.{room}.")] for room in ROOMS}
    pages["hnl"] = [name for name in names if name.split(".")[1] not in ROOMS]
    for page, modules in pages.items():
        title = page if page == "hnl" else f"hnl.{page}"
        text = "\n\n".join([f"# {title}", *(f"::: {module}" for module in modules)])
        files.append(File.generated(config, f"reference/{page}.md", content=text))
    rows = [f"| [{page}]({page}.md) | {', '.join(f'[{m}][{m}]' for m in modules)} |" for page, modules in pages.items()]
    text = "\n".join(
        ["# Modules", "", "From the docstrings of the code.", "", "| room | modules |", "|---|---|", *rows]
    )
    files.append(File.generated(config, "reference/index.md", content=text))
    return files

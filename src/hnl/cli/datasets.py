"""`hnl datasets`."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hnl import layout
from hnl.cli.app import app
from hnl.cli.examples import Commands
from hnl.cli.options import CatalogueArgument, JsonOption
from hnl.errors import InputError
from hnl.terminal import TextTable, print_json, print_table, say

if TYPE_CHECKING:
    from hnl.datasets.catalogue import Dataset
    from hnl.datasets.files import FileInfo

    Inspected = tuple[Dataset, FileInfo | InputError]

datasets_app = typer.Typer(cls=Commands, no_args_is_help=True, help="Look at catalogues and the files they name.")
app.add_typer(datasets_app, name="datasets")

EACH_FILE = 30  # files that have a row each; with more, each dataset has one. Our choice


@datasets_app.command("check")
def datasets_check(
    catalogue: CatalogueArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            show_default=False,
            help="Remember what the files hold, so that hnl select -o OUT opens only those that have changed since.",
        ),
    ] = None,
    catalogue_only: Annotated[
        bool, typer.Option("--catalogue-only", help="Look at the catalogue alone: its files need not be there yet.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Validate a catalogue, open every file in it, and look up every correction that it names.

    Prints a table: entries, NanoAOD version, how l2 finds its vertex, generated events; a row for each file, or, with
    many files, for each dataset. Below it, what is wrong with which file, and remarks. Exit status 2 if any file cannot
    be used.
    """
    from hnl import analysis as searches
    from hnl.datasets import catalogue as catalogues
    from hnl.datasets import files, remarks
    from hnl.datasets.index import Index, inspect_all
    from hnl.processors import planning
    from hnl.report import taken

    known = catalogues.load(catalogue, files_needed=not catalogue_only)
    if catalogue_only:
        said = remarks.on_catalogue(known)
        if as_json:
            print_json({"eras": [*known.eras], "datasets": [one.name for one in known.datasets], "remarks": said})
            return
        for line in (f"eras: {len(known.eras)}, datasets: {len(known.datasets)}", *said):
            say(f"- {line}")
        return
    planning.check_corrections(known, catalogue)
    index = Index(output / layout.INDEX) if output else None
    found = inspect_all(known, index, searches.of_catalogue(known).needs)
    if index:
        index.save()
    bad = [(dataset.name, error) for dataset, info in found if (error := files.problem(info))]
    good = [(dataset, info) for dataset, info in found if isinstance(info, files.FileInfo) and not files.problem(info)]
    paths = [path for dataset in known.datasets for path in dataset.files]
    others = {name: one.taken for name, one in planning.sources(known, catalogue).items()}
    said = [*remarks.on_catalogue(known), *remarks.on_triggers(good), *taken.told(others), *taken.warnings(others)]
    for name, group in groupby(good, key=lambda pair: pair[0].name):
        said += remarks.on_files(known.dataset(name), [info for _, info in group], known.remote)
    if as_json:
        print_json({"files": _records(found, paths), "remarks": said})
    else:
        print_table(_by_file(found, paths) if len(found) <= EACH_FILE else _by_dataset(found))
        for name, error in bad:
            say(f"- {name}: {error}", "red")
        for remark in said:
            say(f"- {remark}")
    files.check_unique([info for _, info in good])
    if bad:
        raise InputError(f"{len(bad)} of {len(found)} files cannot be used; what is wrong with each is said above")


def _eras() -> list[str]:
    from hnl.datasets.templates import shipped

    return list(shipped.names())


@datasets_app.command("template")
def datasets_template(
    era: Annotated[
        str | None,
        typer.Argument(
            metavar="ERA", help="Such as 2018; without, the names of all.", show_default=False, autocompletion=_eras
        ),
    ] = None,
) -> None:
    """Print a catalogue of a data-taking era of CMS to start from (docs/catalogue.md), or list them."""
    from hnl.datasets.templates import shipped

    for line in shipped.text(era).splitlines() if era else shipped.names():
        say(line)


def _records(found: Sequence["Inspected"], paths: Sequence[str]) -> list[dict[str, object]]:
    """Each file for JSON."""
    from hnl.datasets import files

    names = {"events": "entries", "version": "nanoaod_version", "sv_association": "vertex_of_l2"}
    names |= {"generated_events": "generated_events"}
    result: list[dict[str, object]] = []
    for (dataset, info), path in zip(found, paths, strict=True):
        error = files.problem(info)
        facts = {name: getattr(info, own, None) for own, name in names.items()}
        result.append({"dataset": dataset.name, "file": path, **facts, "problem": str(error) if error else None})
    return result


def _by_file(found: Sequence["Inspected"], paths: Sequence[str]) -> TextTable:
    from hnl.datasets import files

    rows = []
    for (dataset, info), path in zip(found, paths, strict=True):
        facts = _facts([info]) if isinstance(info, files.FileInfo) else ["-"] * len(_FACTS)
        rows.append((dataset.name, Path(path).name, *facts, "bad" if files.problem(info) else "ok"))
    return TextTable("", ("dataset", "file", *_FACTS, "status"), rows)


def _by_dataset(found: Sequence["Inspected"]) -> TextTable:
    from hnl.datasets import files

    rows = []
    for name in dict.fromkeys(dataset.name for dataset, _ in found):
        own = [info for dataset, info in found if dataset.name == name]
        bad = sum(files.problem(info) is not None for info in own)
        readable = [info for info in own if isinstance(info, files.FileInfo)]
        rows.append((name, f"{len(own):,}", *_facts(readable), f"{bad:,} bad" if bad else "ok"))
    return TextTable("", ("dataset", "files", *_FACTS, "status"), rows)


_FACTS = ("entries", "NanoAOD", "vertex of l2", "generated")


def _facts(infos: Sequence["FileInfo"]) -> list[str]:
    """What `_FACTS` names, of some files together."""
    generated = [info.generated_events for info in infos if info.generated_events is not None]
    texts = (", ".join(dict.fromkeys(getattr(info, name) for info in infos)) for name in ("version", "sv_association"))
    return [f"{sum(info.events for info in infos):,}", *texts, f"{sum(generated):,}" if generated else "-"]

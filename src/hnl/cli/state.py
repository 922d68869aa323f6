"""`hnl status`, `hnl provenance`, `hnl compare`: how far a run is, what made a file, did two runs find the same.

None of them writes anything.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hnl import analysis as searches
from hnl import lineage, locking
from hnl.cli import shown
from hnl.cli.app import app
from hnl.cli.options import FolderArgument, JsonOption
from hnl.lineage import Product
from hnl.report.states import StageState
from hnl.terminal import TextTable, print_json, print_table, say

SHOWN = 20  # inputs of one product, and missing files, unless all are asked for
AllOption = Annotated[bool, typer.Option("--all", help=f"List every file, not only {SHOWN}.")]


@app.command()
def status(output: FolderArgument, everything: AllOption = False, as_json: JsonOption = False) -> None:
    """Tell how far a run is: files and stages, and why some failed or are out of date. Also during a run."""
    from hnl.processors import status as stage

    found = stage.read_status(output)
    states = shown.states(output, searches.load(found.analysis).stages)
    holder = locking.holder(output)
    if as_json:
        done, planned = found.units
        units = {"done": done, "planned": planned}
        document: dict[str, object] = {
            "analysis": found.analysis,
            "units": units,
            "at_work": holder,
            "left_out": found.left_out,
        }
        document |= {"datasets": {name: asdict(files) for name, files in found.files.items()}}
        print_json(document | {"stages": [asdict(state) for state in states]})
        return
    rows = []
    for name, files in found.files.items():
        numbers = [len(files.done), len(files.missing), len(files.failed)]
        rows.append((name, f"{sum(numbers):,}", *(f"{number:,}" if number else "-" for number in numbers)))
    print_table(TextTable("", ("dataset", "files", "done", "missing", "failed"), rows))
    print_table(TextTable("", ("stage", "state", "made (UTC)", "why"), [_row(state) for state in states]))
    failed = [f"{path}: {reason}" for files in found.files.values() for path, reason in files.failed.items()]
    missing = [path for files in found.files.values() for path in files.missing]
    _list("failed", failed, everything)
    _list("left out", found.left_out, everything)
    _list("missing", missing, everything)
    done, planned = found.units
    at_work = f"; process {holder} is at work" if holder else "; nobody is at work"
    say(f"{done} of {planned} work units are done{at_work}")


def _row(state: StageState) -> tuple[str, ...]:
    return state.stage, state.state, state.made.removesuffix("+00:00").replace("T", " "), state.reason


@app.command()
def provenance(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A product in an output folder.", show_default=False)],
    everything: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print which inputs made a product, back to the files of the catalogue, and whether they are as they were."""
    product = lineage.product(file)
    if as_json:
        print_json(asdict(product))
        return
    _line(0, f"{product.path}  {product.state}")
    for key, value in {"stage": product.stage, **product.made_by}.items():
        _line(1, f"{key}: {value}")
    _inputs(product, everything, 1, set())


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="OUT", help="Output folder of a run.", show_default=False)],
    second: Annotated[Path, typer.Argument(metavar="OTHER", help="Output folder of another.", show_default=False)],
    as_json: JsonOption = False,
) -> None:
    """Compare two runs bit for bit: candidates, scores, histograms, estimate, fits and limits.

    Paths, times, and hashes of what made a product do not count. Exit status 1 if anything differs.
    """
    from hnl import comparison

    compared, differences = comparison.compare(first, second)
    if as_json:
        print_json({"compared": compared, "differences": [asdict(one) for one in differences]})
        raise typer.Exit(1 if differences else 0)
    for one in differences:
        _line(0, f"{one.product}: {one.what}")
    if differences:
        different = len({one.product for one in differences})
        _line(0, f"{different} of {len(compared)} products differ")
        raise typer.Exit(1)
    _line(0, f"{len(compared)} products are the same, bit for bit")


def _list(title: str, lines: list[str], everything: bool) -> None:
    for line in lines if everything else lines[:SHOWN]:
        # A reason may name its file itself.
        say(f"{title}: {line}")
    if len(lines) > SHOWN and not everything:
        say(f"{title}: {len(lines) - SHOWN} more (--all)")


def _inputs(product: Product, everything: bool, depth: int, told: set[str]) -> None:
    """What a product was made of, and that of what, and so on; once for each stage, whose products share inputs."""
    told.add(product.stage)
    for one in product.inputs if everything else product.inputs[:SHOWN]:
        again = ", see above" if one.stage in told else ""
        _line(depth, f"<- {one.path}  {one.state}" + (f"  by hnl {one.stage}{again}" if one.stage else ""))
        if one.stage not in told:
            _inputs(one, everything, depth + 1, told)
    if len(product.inputs) > SHOWN and not everything:
        _line(depth, f"<- {len(product.inputs) - SHOWN} more (--all)")


def _line(depth: int, text: str) -> None:
    say("   " * depth + text)

"""`hnl simulate`."""

from pathlib import Path
from typing import Annotated

import typer

from hnl.cli.app import app
from hnl.cli.options import WorkersOption
from hnl.errors import InputError
from hnl.terminal import progress_bar, say


def _processes() -> list[str]:
    from hnl.datasets.simulation.processes import PROCESSES

    return list(PROCESSES)


@app.command()
def simulate(
    process: Annotated[
        str,
        typer.Argument(
            metavar="PROCESS",
            help="A process of docs/simulation.md, e.g. hnl, wjets, ttbar.",
            autocompletion=_processes,
        ),
    ],
    events: Annotated[int, typer.Option("-n", "--events", help="Generated events, before any filter.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="ROOT file to make.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same events, on any number of workers.")] = 1,
    mass: Annotated[float | None, typer.Option(help="hnl: m_N in GeV, 1 to 20.")] = None,
    coupling: Annotated[
        str,
        typer.Option(
            help="hnl: 'e', 'mu', 'mixed' (e and mu alike), 'tau', or |V_e|^2:|V_mu|^2:|V_tau|^2, such as 1:1:1.",
            autocompletion=lambda: ["e", "mu", "mixed", "tau"],
        ),
    ] = "mu",
    ctau: Annotated[float | None, typer.Option(help="hnl: mean proper decay length in mm ...")] = None,
    v2: Annotated[
        float | None, typer.Option(help="hnl: ... or |V|^2 of the flavour that couples most, which gives it.")
    ] = None,
    nature: Annotated[
        str, typer.Option(help="hnl: 'majorana' or 'dirac'.", autocompletion=lambda: ["majorana", "dirac"])
    ] = "majorana",
    reseeds: Annotated[int, typer.Option(help="Measure each generated event so often, 1 to 16.")] = 1,
    copies: Annotated[
        int,
        typer.Option(help="Hadronise each chosen parton-level event so often; for processes chosen at parton level."),
    ] = 1,
    preselect: Annotated[
        bool,
        typer.Option("--preselect", help="Keep events that may become candidates only: trigger, l1, and l2 in an SV."),
    ] = False,
    workers: WorkersOption = None,
) -> None:
    """Simulate a sample: Pythia, a parametrised detector, and a NanoAOD-like FILE.

    Needs the extra 'simulation' (pythia8mc, fastjet). What is physics in these samples, what is parametrised, and what
    must not be concluded from them: docs/simulation.md. Prints the catalogue entry of the sample.
    """
    try:
        from hnl.datasets.simulation import sample
        from hnl.datasets.simulation.signal import SignalOptions
    except ModuleNotFoundError as error:
        raise InputError(f"hnl simulate needs the extra 'simulation': {error.name} is not installed") from error
    options = None
    if mass is not None:
        options = SignalOptions(mass, coupling, ctau, v2, nature)  # type: ignore[arg-type]  # it checks the nature
    elif ctau is not None or v2 is not None:
        raise InputError("--ctau and --v2 describe an HNL, whose --mass is missing")
    request = sample.Request(process, events, seed, options, reseeds, preselect, copies)
    with progress_bar("generated events") as progress:
        task = progress.add_task("simulate", total=events, visible=False)
        written = sample.make(
            request,
            output,
            workers=workers,
            on_start=lambda: progress.update(task, visible=True),
            on_block=lambda generated: progress.update(task, advance=generated),
        )
    say(f"{written} of {events} generated events written: {output}")
    say(sample.catalogue_entry(request, output))

"""`hnl physics`."""

import json
from typing import Annotated

import typer
from rich.table import Table

from hnl.cli.app import app
from hnl.terminal import out_console


@app.command()
def physics(
    mass: Annotated[float, typer.Option(help="m_N in GeV, 0.5 to 80.")],
    v2_e: Annotated[float, typer.Option(help="|V_e|^2.")] = 0.0,
    v2_mu: Annotated[float, typer.Option(help="|V_mu|^2.")] = 0.0,
    v2_tau: Annotated[float, typer.Option(help="|V_tau|^2.")] = 0.0,
    nature: Annotated[str, typer.Option(help="'majorana' or 'dirac'.")] = "majorana",
    momentum: Annotated[
        float | None,
        typer.Option(help="Momentum of N in GeV, for the decay length. [default: of N from a W at rest]"),
    ] = None,
    energy: Annotated[float, typer.Option(help="Of the pp collisions in TeV, 13 or 13.6.")] = 13.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print what a heavy neutral lepton does: widths, branching ratios, c tau, cross section, decay length.

    Widths are at tree level with free quarks, cross sections those of pp -> W -> l N.
    """
    from hnl.physics import summary

    found = summary.of(mass, {"e": v2_e, "mu": v2_mu, "tau": v2_tau}, nature, momentum, energy)
    if as_json:
        out_console.print(json.dumps(found, indent=1, allow_nan=False), markup=False, highlight=False, soft_wrap=True)
        return
    title = f"m_N = {mass:g} GeV, {nature}, " + ", ".join(f"|V_{k}|^2 = {v:g}" for k, v in found["v2"].items() if v)
    table = Table("quantity", "value", "unit", title=title)
    for key, unit in summary.UNITS.items():
        table.add_row(key.replace("_", " "), f"{found[key]:.4g}", unit)
    for lepton, sigma in found["cross_sections"].items():
        table.add_row(f"sigma(pp -> W -> {lepton} N) at {energy:g} TeV", f"{sigma:.4g}", "pb")
    out_console.print(table)
    channels = Table("decay", "width [GeV]", "branching ratio", title="N decays")
    for channel, width in sorted(found["widths"].items(), key=lambda item: -item[1]):
        channels.add_row(channel, f"{width:.4g}", f"{found['branching_ratios'][channel]:.4f}")
    out_console.print(channels)

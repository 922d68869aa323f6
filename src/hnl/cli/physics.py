"""`hnl physics`."""

from typing import Annotated

import typer

from hnl.cli.app import app
from hnl.cli.options import JsonOption
from hnl.terminal import TextTable, print_json, print_table


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
    as_json: JsonOption = False,
) -> None:
    """Print what a heavy neutral lepton does: widths, branching ratios, c tau, cross section, decay length.

    Widths are at tree level with free quarks, cross sections those of pp -> W -> l N.
    """
    from hnl.physics import summary

    found = summary.describe(mass, {"e": v2_e, "mu": v2_mu, "tau": v2_tau}, nature, momentum, energy)
    if as_json:
        units = summary.UNITS | {"mass": "GeV", "energy": "TeV", "widths": "GeV", "cross_sections": "pb"}
        print_json({f"{key}_{units[key]}" if key in units else key: value for key, value in found.items()})
        return
    title = f"m_N = {mass:g} GeV, {nature}, " + ", ".join(f"|V_{k}|^2 = {v:g}" for k, v in found["v2"].items() if v)
    rows = [(key.replace("_", " "), f"{found[key]:.4g}", unit) for key, unit in summary.UNITS.items()]
    rows += [
        (f"sigma(pp -> W -> {lepton} N) at {energy:g} TeV", f"{value:.4g}", "pb")
        for lepton, value in found["cross_sections"].items()
    ]
    print_table(TextTable(title, ("quantity", "value", "unit"), rows))
    channels = [
        (channel, f"{width:.4g}", f"{found['branching_ratios'][channel]:.3g}")
        for channel, width in sorted(found["widths"].items(), key=lambda item: -item[1])
    ]
    print_table(TextTable("N decays", ("decay", "width [GeV]", "branching ratio"), channels))

"""The commands in the order of their help, in panels, each with examples."""

from typing import Any

from rich.markup import escape
from typer.core import TyperGroup

# panel: command: what to type after `hnl`, and what it does
EXAMPLES: dict[str, dict[str, dict[str, str]]] = {
    "Run": {
        "demo": {"demo -o out/demo": "some minutes; ends in out/demo/report.html"},
        "run": {
            "run catalogue.yaml -o out": "everything, ending in out/report.html; again to go on",
            "run catalogue.yaml -o out --unblind": "with region A of data",
            "run catalogue.yaml -o out --executor dask --cluster slurm": "on a batch system",
        },
    },
    "Stages, in their order": {
        "select": {
            "select catalogue.yaml -o out": "in all cores; files that are done are not read again",
            "select catalogue.yaml -o out --executor iterative": "in one process, for a debugger",
        },
        "histogram": {"histogram out": "fills all histograms"},
        "train": {
            "train out": "all classifiers",
            "train out --tune 50": "with hyper-parameters from 50 trials of optuna",
        },
        "score": {
            "score out": "with the models of out/models",
            "score out --models other/models": "with those of another run",
        },
        "abcd": {
            "abcd out --full": "prints every bin",
            "abcd out --thresholds thresholds.json": "with thresholds of your own",
        },
        "k0s": {
            "k0s out": "the check of the score on data",
            "k0s out --models other/models": "with models of another run",
        },
        "limits": {
            "limits out": "all couplings and masses",
            "limits out --coupling mu --mass 8 --mass 10": "two masses",
            "limits out --coupling 1:2:0": "a ratio of |V_e|^2, |V_mu|^2 and |V_tau|^2",
            "limits out --scale-to 138": "simulation projected to 138/fb",
        },
        "fit": {
            "fit out": "the best sample of each coupling",
            "fit out --sample hnl10_mu --toys 1000": "a sample, and its goodness of fit",
        },
        "plot": {
            "plot out": "draws what is not as it would be drawn now",
            "plot out --only 'limits_*' --format svg": "some figures, as SVG",
        },
        "report": {"report out": "writes out/report.html again"},
    },
    "Look into a run": {
        "datasets": {
            "datasets template 2018 > 2018.yaml": "a catalogue to start from",
            "datasets check catalogue.yaml": "is the input sound?",
        },
        "datasets check": {
            "datasets check catalogue.yaml": "opens every file",
            "datasets check catalogue.yaml --catalogue-only": "before the files are there",
            "datasets check catalogue.yaml --json": "for a script",
        },
        "datasets template": {
            "datasets template": "the names of all eras",
            "datasets template 2018 > 2018.yaml": "a catalogue to start from",
        },
        "status": {
            "status out": "files and stages: done, missing, failed, stale and why",
            "status out --json": "for a script",
        },
        "provenance": {"provenance out/report.html": "back to each file of the catalogue"},
        "export": {
            "export out candidates.root": "every candidate, for ROOT's RDataFrame",
            "export out signal.parquet --dataset signal": "those of the signal samples",
        },
        "compare": {"compare out other": "exit status 1 if any number differs"},
        "physics": {
            "physics --mass 10 --v2-mu 5.7e-7": "lifetime, cross section, decays",
            "physics --mass 10 --v2-e 1e-6 --energy 13.6 --json": "for a script",
        },
    },
    "Scale out": {
        "condor": {
            "condor submit catalogue.yaml -o out": "writes out/condor and submits it",
            "condor status out": "how far the jobs are",
            "condor collect out": "verifies what came back",
        },
        "condor submit": {"condor submit catalogue.yaml -o out": "then hnl condor status out"},
        "condor status": {"condor status out": "progress, failures, held jobs"},
        "condor resubmit": {"condor resubmit out": "only what is missing"},
        "condor collect": {"condor collect out": "then hnl histogram out, and so on"},
    },
    "Samples": {
        "simulate": {
            "simulate hnl -n 4000 --mass 10 --v2 5.7e-7 --preselect -o hnl10.root": "signal",
            "simulate ttbar -n 10000 --preselect -o ttbar.root": "background",
        },
    },
}
ORDER = [command for commands in EXAMPLES.values() for command in commands]
WIDTH = 80


class Commands(TyperGroup):
    """A group whose commands have their order, panels and examples from `EXAMPLES`."""

    def __init__(self, *, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name, **options)
        group = "" if name == "hnl" else f"{name} "
        places = {f"{group}{own}": own for own in self.commands}
        ordered = sorted(places, key=lambda full: ORDER.index(full) if full in ORDER else len(ORDER))
        self.commands = {places[full]: self.commands[places[full]] for full in ordered}
        for panel, commands in EXAMPLES.items():
            for full in commands.keys() & places.keys():
                command: Any = self.commands[places[full]]
                command.epilog = _epilog(commands[full])
                command.rich_help_panel = None if group else panel


def _epilog(examples: dict[str, str]) -> str:
    """Each example with its remark, in the same line if that is short enough."""
    lines = []
    for words, remark in examples.items():
        command = f"hnl {words}"
        gap = "  " if len(command) + len(remark) + 6 <= WIDTH else "\n    "
        lines.append(f"[bold]{escape(command)}[/bold]{gap}[dim]# {escape(remark)}[/dim]")
    return "Examples:\n" + "\n".join(lines)

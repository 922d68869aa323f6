"""The same models in ROOT: HistFactory and RooStats' AsymptoticCalculator against our CLs and limits, to 1e-3.

    python benchmarks/histfactory.py models > models.json        # with this package: our figures, and pyhf workspaces
    ROOT_PYTHON benchmarks/histfactory.py compare models.json    # with ROOT 6.40's own environment

ROOT is not a dependency: its wheel (`pip install --pre root==0.1a12`) wants an environment of its own. The second
command builds the model from the workspace with HistFactory's classes, not from our code. Exit status 1 if observed
or median expected CLs at mu = 1, or CLs at our observed limit, differ by more than 1e-3.
"""

import json
import os
import sys
from pathlib import Path

LARGEST = 1e-3


def models() -> None:
    """Our figures and the workspaces, to standard output."""
    sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
    import search_models

    from hnl.inference import asymptotics, pyhf_model

    result = {}
    for name, model in {
        "2 bins": search_models.busy(2),
        "6 bins": search_models.busy(6),
        "2 bins, few": search_models.some(2),
    }.items():
        at, limit = asymptotics.cls(model, 1.0), asymptotics.upper_limit(model)
        result[name] = {
            "workspace": pyhf_model.export(model),
            "observed": at.observed,
            "expected": at.expected[2],
            "limit": limit.observed,
        }
    json.dump(result, sys.stdout)


def build(ROOT, workspace):
    """A RooWorkspace of a pyhf workspace, by HistFactory."""
    hf = ROOT.RooStats.HistFactory
    parameters = {p["name"]: p for p in workspace["measurements"][0]["config"]["parameters"]}
    measurement = hf.Measurement("limit", "limit")
    measurement.SetPOI("mu")
    measurement.SetLumi(1.0)
    measurement.SetLumiRelErr(0.01)
    measurement.AddConstantParam("Lumi")
    observed = {o["name"]: o["data"][0] for o in workspace["observations"]}

    def histogram(name, value):
        h = ROOT.TH1D(name, name, 1, 0, 1)
        ROOT.SetOwnership(h, False)  # HistFactory deletes it
        h.SetBinContent(1, value)
        h.SetBinError(1, 0)
        return h

    for entry in workspace["channels"]:
        channel = hf.Channel(entry["name"])
        channel.SetData(histogram(f"{entry['name']}_data", observed[entry["name"]]))
        for part in entry["samples"]:
            if part["name"] == "signal" and part["data"][0] == 0:
                continue
            sample = hf.Sample(part["name"])
            sample.SetNormalizeByTheory(False)
            sample.SetHisto(histogram(f"{entry['name']}_{part['name']}", part["data"][0]))
            for modifier in part["modifiers"]:
                if modifier["type"] == "normsys":
                    sample.AddOverallSys(modifier["name"], modifier["data"]["lo"], modifier["data"]["hi"])
                    continue
                known = parameters[modifier["name"]]
                low, high = known["bounds"][0]
                sample.AddNormFactor(modifier["name"], known["inits"][0], low, high)
                if known.get("fixed"):
                    measurement.AddConstantParam(modifier["name"])
            channel.AddSample(sample)
        measurement.AddChannel(channel)
    return hf.HistoToWorkspaceFactoryFast(measurement).MakeCombinedModel(measurement)


def hypothesis_test(ROOT, workspace, mu):
    """Observed and median expected CLs at mu by RooStats' asymptotic calculator, with q~ for upper limits."""
    config, data = workspace.obj("ModelConfig"), workspace.data("obsData")
    poi = config.GetParametersOfInterest().first()
    background = config.Clone("background")
    poi.setVal(mu)
    config.SetSnapshot(ROOT.RooArgSet(poi))
    poi.setVal(0)
    background.SetSnapshot(ROOT.RooArgSet(poi))
    ROOT.RooStats.AsymptoticCalculator.SetPrintLevel(-1)
    calculator = ROOT.RooStats.AsymptoticCalculator(data, background, config)  # data, alternate, null
    calculator.SetOneSided(True)
    calculator.SetQTilde(True)
    result = calculator.GetHypoTest()
    p, p_alternate = result.NullPValue(), result.AlternatePValue()
    expected = ROOT.RooStats.AsymptoticCalculator.GetExpectedPValues(p, p_alternate, 0, True)
    return p / p_alternate, expected


def compare(path):
    """Prints the table; ends the process without ROOT's clean-up, which crashes."""
    import ROOT

    ROOT.gROOT.SetBatch(True)
    ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.ERROR)
    ROOT.Math.MinimizerOptions.SetDefaultMinimizer("Minuit2")
    ROOT.Math.MinimizerOptions.SetDefaultTolerance(0.01)
    bad = False
    for name, ours in json.loads(Path(path).read_text()).items():
        workspace = build(ROOT, ours["workspace"])
        tested = [("CLs(mu=1) observed", 1.0, 0, ours["observed"]), ("CLs(mu=1) expected", 1.0, 1, ours["expected"])]
        tested.append((f"CLs at our limit {ours['limit']:.4g}", ours["limit"], 0, 0.05))
        for quantity, mu, which, value in tested:
            theirs = hypothesis_test(ROOT, workspace, mu)[which]
            difference = theirs / value - 1
            bad |= not abs(difference) < LARGEST
            print(
                f"{name:<12} {quantity:<32} ours {value:.6g}  ROOT {theirs:.6g}  difference {difference:+.1e}",
                flush=True,
            )
    sys.stdout.flush()
    os._exit(int(bad))


if __name__ == "__main__":
    if sys.argv[1:] == ["models"]:
        models()
    elif len(sys.argv) == 3 and sys.argv[1] == "compare":
        compare(sys.argv[2])
    else:
        sys.exit(__doc__)

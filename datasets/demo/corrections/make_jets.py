"""Makes demo_jets.json: jet energy corrections for the demo. **Demo, not measured**: every number in it is our choice.

    python datasets/demo/corrections/make_jets.py

Names, inputs and their order are those of the files of the CMS JERC group, which replace this file in a real catalogue.

- Scale: an uncertainty of 1 % + 0.4 GeV / pt, half as large again in the endcaps: 3 % at 20 GeV.
- Resolution: noise of 0.15 GeV per GeV of rho, stochastic 0.8, constant 5 %.
- Scale factor: 1.0 +- 0.1. One, because the demo's pseudo-data comes from the same detector as its simulation.
"""

from pathlib import Path
from typing import Any

from correctionlib import schemav2 as cs

FILE = Path(__file__).parent / "demo_jets.json"
NOTE = "Demo, not measured: numbers chosen by hand for simulated samples."
ETA_RANGE: list[Any] = [-5.2, -1.3, 1.3, 5.2]


def _real(name: str, meaning: str) -> cs.Variable:
    return cs.Variable(name=name, type="real", description=meaning)


ETA, PT, RHO = _real("JetEta", "eta"), _real("JetPt", "pt in GeV"), _real("Rho", "energy density of pileup in GeV")


def _formula(expression: str, variables: list[str]) -> cs.Formula:
    return cs.Formula(nodetype="formula", expression=expression, parser="TFormula", variables=variables)


def _correction(name: str, meaning: str, inputs: list[cs.Variable], data: cs.Content) -> cs.Correction:
    output = cs.Variable(name="value", type="real", description=meaning)
    return cs.Correction(
        name=name, description=f"{meaning}. {NOTE}", version=1, inputs=inputs, output=output, data=data
    )


def _in_eta(content: list[cs.Content]) -> cs.Binning:
    return cs.Binning(nodetype="binning", input="JetEta", edges=ETA_RANGE, content=content, flow="error")


def corrections() -> cs.CorrectionSet:
    """The content of the file."""
    central, endcap = (_formula(f"{factor}*(0.01+0.4/max(x,10))", ["JetPt"]) for factor in (1, 1.5))
    resolution = _formula("sqrt((0.15*y/max(x,10))^2+0.64/max(x,10)+0.0025)", ["JetPt", "Rho"])
    scale_factor = cs.Category(
        nodetype="category",
        input="systematic",
        content=[cs.CategoryItem(key=key, value=value) for key, value in (("nom", 1.0), ("up", 1.1), ("down", 0.9))],
    )
    systematic = cs.Variable(name="systematic", type="string", description="nom, up or down")
    return cs.CorrectionSet(
        schema_version=2,
        description=NOTE,
        corrections=[
            _correction(
                "Demo_V1_MC_Total_AK4PFchs",
                "Relative uncertainty of the jet energy scale",
                [ETA, PT],
                _in_eta([endcap, central, endcap]),
            ),
            _correction(
                "Demo_JRV1_MC_PtResolution_AK4PFchs",
                "Relative resolution of pt",
                [ETA, PT, RHO],
                _in_eta([resolution] * 3),
            ),
            _correction(
                "Demo_JRV1_MC_ScaleFactor_AK4PFchs",
                "Resolution in data over resolution in simulation",
                [ETA, systematic],
                _in_eta([scale_factor] * 3),
            ),
        ],
    )


if __name__ == "__main__":
    FILE.write_text(corrections().model_dump_json(exclude_unset=True, indent=1) + "\n", encoding="utf-8")

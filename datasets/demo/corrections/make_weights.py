"""Makes demo_weights.json: weights for the demo. **Demo, not measured**: every number in it is our choice.

    python datasets/demo/corrections/make_weights.py

Names, inputs and their order are those of the files of the CMS groups (LUM, EGM, MUO), which replace this file in a
real catalogue. Nominal values are one everywhere, because the demo's pseudo-data comes from the same detector as its
simulation. The uncertainties have the sizes of Table 4:

- pileup: the simulated profile with 4.6 % more or fewer interactions, over itself.
- trigger: 1 % for electrons, 0.5 % for muons.
- prompt leptons: 2-4 % for electrons and 1-3 % for muons, largest at high |eta|.
- nonprompt leptons: 20 % to 1 % for electrons, largest at small displacement (section 7), 0.5 % for muons.
- tracks of the vertex: 4-12 %, larger with displacement and at low pt; 7.3 % in between.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal

from correctionlib import schemav2 as cs
from scipy.stats import norm

from hnl.datasets.simulation.parameters import DETECTOR

FILE = Path(__file__).parent / "demo_weights.json"
NOTE = "Demo, not measured: numbers chosen by hand for simulated samples."
MIN_BIAS = 0.046  # section 7: +- of the inelastic cross section
INTERACTIONS = 100
INFINITY: Literal["inf"] = "inf"
Edges = Sequence[float | Literal["inf"]]


def profile(scale: float) -> list[float]:
    """The simulated profile of true interactions (normal, cut off at one), with interactions scaled by `scale`.

    Bins are one wide; the last holds all above.
    """
    overlay = DETECTOR.overlay
    normal = norm(scale * overlay.pileup_mean, scale * overlay.pileup_sigma)
    below = [0.0, 0.0, *(float(normal.cdf(n)) for n in range(2, INTERACTIONS)), 1.0]
    return [high - low for low, high in pairwise(below)]


def pileup() -> cs.Correction:
    """Target profile over simulated profile, in the form of the LUM group."""
    generated = profile(1.0)

    def weights(scale: float) -> cs.Binning:
        content = [round(b / a, 6) if a else 1.0 for a, b in zip(generated, profile(scale), strict=True)]
        return _binned("NumTrueInteractions", list(range(INTERACTIONS + 1)), content, flow="clamp")

    ways = {"nominal": weights(1.0), "up": weights(1 + MIN_BIAS), "down": weights(1 - MIN_BIAS)}
    inputs = [_real("NumTrueInteractions", "true mean number of interactions"), _text("weights", ", ".join(ways))]
    meaning = "Weight of the pileup profile; minimum-bias cross section +- 4.6 %"
    return _correction("Demo_PileupProfile", meaning, inputs, _by_text("weights", ways))


def electron(name: str, meaning: str, along: str, edges: Edges, sizes: Sequence[float]) -> cs.Correction:
    """A scale factor of electrons in the form of the EGM group: one, with an uncertainty per bin."""
    ways = {
        way: _binned(along, edges, [1 + sign * size for size in sizes])
        for way, sign in (("sf", 0), ("sfup", 1), ("sfdown", -1))
    }
    texts = [_text("year", "2018"), _text("ValType", ", ".join(ways)), _text("WorkingPoint", "Demo")]
    data = _by_text(
        "year", {"2018": _by_text("ValType", {k: _by_text("WorkingPoint", {"Demo": v}) for k, v in ways.items()})}
    )
    return _correction(name, meaning, [*texts, _real(along, along), _real("pt", "GeV")], data)


def muon(name: str, meaning: str, edges: Edges, sizes: Sequence[float]) -> cs.Correction:
    """A scale factor of muons in the form of the MUO group: one, with an uncertainty per bin of |eta|."""
    ways = {
        way: _binned("abseta", edges, [1 + sign * size for size in sizes])
        for way, sign in (("nominal", 0), ("systup", 1), ("systdown", -1))
    }
    inputs = [_real("abseta", "|eta|"), _real("pt", "GeV"), _text("scale_factors", ", ".join(ways))]
    return _correction(name, meaning, inputs, _by_text("scale_factors", ways))


def tracking() -> cs.Correction:
    """Scale factor of the tracks of the vertex: one, with an uncertainty that depends on pt and displacement."""
    soft, hard = (0.06, 0.09, 0.12), (0.04, 0.073, 0.10)  # pt below, above 10 GeV: by displacement

    def way(sign: int) -> cs.Binning:
        edges: Edges = [0.0, 1.0, 10.0, INFINITY]
        rows = [_binned("displacement", edges, [1 + sign * size for size in sizes]) for sizes in (soft, hard)]
        return _binned("pt", [0.0, 10.0, INFINITY], rows)

    ways = {"nominal": way(0), "up": way(1), "down": way(-1)}
    inputs = [
        _real("pt", "of the vertex, GeV"),
        _real("displacement", "Delta_2D in cm"),
        _text("variation", ", ".join(ways)),
    ]
    return _correction("Demo_TrackingSF", "Efficiency of displaced tracks", inputs, _by_text("variation", ways))


def corrections() -> cs.CorrectionSet:
    """The content of the file."""
    barrel: Edges = [0.0, 0.9, 1.2, 2.1, 2.4]
    everywhere: Edges = [-2.5, 2.5]
    eta: Edges = [-2.5, -1.566, -0.8, 0.8, 1.566, 2.5]
    displacement: Edges = [0.0, 0.1, 1.0, 5.0, INFINITY]
    every = [
        pileup(),
        electron("Demo_Electron_TriggerSF", "Single-electron trigger", "eta", everywhere, [0.01]),
        muon("Demo_Muon_TriggerSF", "Single-muon trigger", [0.0, 2.4], [0.005]),
        electron("Demo_Electron_PromptSF", "Prompt electrons", "eta", eta, [0.04, 0.03, 0.02, 0.03, 0.04]),
        muon("Demo_Muon_PromptSF", "Prompt muons", barrel, [0.01, 0.015, 0.02, 0.03]),
        electron("Demo_Electron_NonpromptSF", "Nonprompt electrons", "absdxy", displacement, [0.2, 0.1, 0.04, 0.01]),
        muon("Demo_Muon_NonpromptSF", "Nonprompt muons", [0.0, 2.4], [0.005]),
        tracking(),
    ]
    return cs.CorrectionSet(schema_version=2, description=NOTE, corrections=every)


def _real(name: str, meaning: str) -> cs.Variable:
    return cs.Variable(name=name, type="real", description=meaning)


def _text(name: str, values: str) -> cs.Variable:
    return cs.Variable(name=name, type="string", description=values)


def _binned(name: str, edges: Edges, content: Sequence[cs.Content], flow: str = "error") -> cs.Binning:
    return cs.Binning.model_validate(
        {"nodetype": "binning", "input": name, "edges": list(edges), "content": list(content), "flow": flow}
    )


def _by_text(name: str, content: Mapping[str, cs.Content]) -> cs.Category:
    items = [cs.CategoryItem(key=key, value=value) for key, value in content.items()]
    return cs.Category(nodetype="category", input=name, content=items)


def _correction(name: str, meaning: str, inputs: list[cs.Variable], data: cs.Content) -> cs.Correction:
    output = cs.Variable(name="weight", type="real", description=meaning)
    return cs.Correction(
        name=name, description=f"{meaning}. {NOTE}", version=1, inputs=inputs, output=output, data=data
    )


if __name__ == "__main__":
    FILE.write_text(corrections().model_dump_json(exclude_unset=True, indent=1) + "\n", encoding="utf-8")

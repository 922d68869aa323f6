"""Jet energy corrections for tests: a file of correctionlib, and what they do to events, once more in plain Python.

`varied` follows the documentation (docs/corrections.md), one jet at a time, with nothing of `hnl`: its random numbers
are made with Python's integers and `statistics.NormalDist`.
"""

import copy
import json
import math
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

TOTAL, CENTRAL = "Test_V1_MC_Total_AK4PFchs", "Test_V1_MC_Central_AK4PFchs"
RESOLUTION, SCALE_FACTOR = "Test_JRV1_MC_PtResolution_AK4PFchs", "Test_JRV1_MC_ScaleFactor_AK4PFchs"
S = {"nom": 1.1, "up": 1.25, "down": 0.95}
SEED = 20_110_021


def write(path: Path) -> Path:
    """Total: 0.02 + 0.8 / pt. Central: 0.03 for |eta| < 1, zero elsewhere. Resolution: 0.02 rho / pt + 0.1."""
    formulas = {
        TOTAL: (["JetEta", "JetPt"], formula("0.02+0.8/x", "JetPt")),
        CENTRAL: (["JetPt", "JetEta"], binned([0.0, 0.03, 0.0])),
        RESOLUTION: (["JetEta", "JetPt", "Rho"], formula("0.02*y/x+0.1", "JetPt", "Rho")),
        SCALE_FACTOR: (["JetEta", "systematic"], category()),
    }
    content = {
        "schema_version": 2,
        "corrections": [
            {
                "name": name,
                "version": 1,
                "inputs": [{"name": one, "type": "string" if one == "systematic" else "real"} for one in inputs],
                "output": {"name": "value", "type": "real"},
                "data": data,
            }
            for name, (inputs, data) in formulas.items()
        ],
    }
    path.write_text(json.dumps(content))
    return path


def formula(expression: str, *variables: str) -> dict[str, Any]:
    """A TFormula of x, y."""
    return {"nodetype": "formula", "expression": expression, "parser": "TFormula", "variables": list(variables)}


def binned(content: list[Any]) -> dict[str, Any]:
    """By eta: forward, central, forward; an error beyond 2.5."""
    edges = [-2.5, -1.0, 1.0, 2.5]
    return {"nodetype": "binning", "input": "JetEta", "edges": edges, "content": content, "flow": "error"}


def category() -> dict[str, Any]:
    """By systematic."""
    items = [{"key": key, "value": value} for key, value in S.items()]
    return {"nodetype": "category", "input": "systematic", "content": items}


def block(path: Path, **changes: Any) -> dict[str, Any]:
    """The block `corrections` of an era that uses the file: jes_total, jes_central, jer."""
    jets = {
        "file": str(path),
        "uncertainties": {"jes_total": TOTAL, "jes_central": CENTRAL},
        "smearing": {"resolution": RESOLUTION, "scale_factor": SCALE_FACTOR},
    }
    return {"jets": jets | changes}


VARIATIONS = ("nominal", *(f"{n}_{d}" for n in ("jes_total", "jes_central", "jer") for d in ("up", "down")))


def varied(events: list[dict[str, Any]], variation: str) -> list[dict[str, Any]]:
    """The events with the jets of a variation, to be written as a file of their own."""
    result = copy.deepcopy(events)
    for event in result:
        for number, jet in enumerate(event["Jet"]):
            if abs(jet["eta"]) >= 2.4:
                continue
            pt, mass = float(np.float32(jet["pt"])), float(np.float32(jet.get("mass", 0)))
            nuisance, _, direction = variation.rpartition("_")
            factor = smearing(event, number, pt, S[direction if nuisance == "jer" else "nom"])
            if nuisance.startswith("jes"):
                central = 0.03 if -1 <= np.float32(jet["eta"]) < 1 else 0.0
                shift = central if nuisance == "jes_central" else 0.02 + 0.8 / (pt * factor)
                factor *= 1 + shift if direction == "up" else max(1 - shift, 0)
            jet["pt"], jet["mass"] = np.float32(pt * factor), np.float32(mass * factor)
    return result


def smearing(event: dict[str, Any], number: int, pt: float, s: float) -> float:
    """The factor of one jet."""
    jet = event["Jet"][number]
    sigma = 0.02 * float(np.float32(event["rho"])) / pt + 0.1
    index = jet.get("genJetIdx", -1)
    if 0 <= index < len(event["GenJet"]):
        other = event["GenJet"][index]
        eta, phi = (float(np.float32(jet[name])) - float(np.float32(other[name])) for name in ("eta", "phi"))
        phi = math.remainder(phi, 2 * math.pi)
        pt_gen = float(np.float32(other["pt"]))
        if math.hypot(eta, phi) < 0.2 and abs(pt - pt_gen) < 3 * sigma * pt:
            return max(0.01 / pt, 1 + (s - 1) * (pt - pt_gen) / pt)
    state = SEED
    for key in (event["run"], event["luminosityBlock"], event["event"], number):
        state = splitmix64(state ^ key)
    r = NormalDist().inv_cdf(((state >> 11) + 0.5) / 2**53)
    return max(0.01 / pt, 1 + r * sigma * math.sqrt(max(s**2 - 1, 0)))


def splitmix64(state: int) -> int:
    """One number of the generator."""
    mask = 2**64 - 1
    z = (state + 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)

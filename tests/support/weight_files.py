"""Files of weights in the shape of the CMS groups' ones (EGM, MUO, LUM), and their entries in a catalogue."""

import gzip
from pathlib import Path
from typing import Any

from correctionlib import schemav2 as cs


def real(name: str) -> dict[str, str]:
    return {"name": name, "type": "real"}


def text(name: str) -> dict[str, str]:
    return {"name": name, "type": "string"}


def category(name: str, content: dict[str, Any]) -> dict[str, Any]:
    items = [{"key": key, "value": value} for key, value in content.items()]
    return {"nodetype": "category", "input": name, "content": items}


def binning(name: str, edges: list[Any], content: list[Any], flow: str = "error") -> dict[str, Any]:
    return {"nodetype": "binning", "input": name, "edges": edges, "content": content, "flow": flow}


def electron_id() -> dict[str, Any]:
    """UL-Electron-ID-SF of the EGM group: two-dimensional bins under year, kind of value and working point."""

    def bins(shift: float) -> dict[str, Any]:
        values = [0.9 + shift, 0.95 + shift, 1.1 + shift, 1.0 + shift]
        edges = [["-inf", 0.0, "inf"], [10.0, 40.0, "inf"]]
        return {"nodetype": "multibinning", "inputs": ["eta", "pt"], "edges": edges, "content": values, "flow": "error"}

    of_points = {
        way: category("WorkingPoint", {"wp90iso": bins(s)}) for way, s in (("sf", 0), ("sfup", 0.02), ("sfdown", -0.02))
    }
    inputs = [text("year"), text("ValType"), text("WorkingPoint"), real("eta"), real("pt")]
    data = category("year", {"2018": category("ValType", of_points)})
    return {"name": "UL-Electron-ID-SF", "version": 1, "inputs": inputs, "output": real("weight"), "data": data}


def muon_id() -> dict[str, Any]:
    """NUM_..._DEN_... of the MUO group: nested bins that overflow is refused in, then the kind of value."""

    def ways(value: float, up: float) -> dict[str, Any]:
        content = {"nominal": value, "systup": value + up, "systdown": value - up, "stat": 0.001}
        return category("scale_factors", content)

    in_pt = [binning("pt", [15.0, 40.0, 200.0], [ways(v, 0.01), ways(v + 0.01, 0.03)]) for v in (0.98, 0.96)]
    inputs = [real("abseta"), real("pt"), text("scale_factors")]
    data = binning("abseta", [0.0, 0.9, 2.4], in_pt)
    name = "NUM_MediumID_DEN_TrackerMuons"
    return {"name": name, "version": 2, "inputs": inputs, "output": real("weight"), "data": data}


def pileup() -> dict[str, Any]:
    """Collisions18_UltraLegacy_goldenJSON of the LUM group, with two bins."""
    values = {"nominal": [1.2, 0.8], "up": [0.9, 1.1], "down": [1.4, 0.6]}
    ways = {way: binning("NumTrueInteractions", [0, 30, 100], content, "clamp") for way, content in values.items()}
    inputs = [real("NumTrueInteractions"), text("weights")]
    name = "Collisions18_UltraLegacy_goldenJSON"
    return {"name": name, "version": 1, "inputs": inputs, "output": real("weight"), "data": category("weights", ways)}


def tracking() -> dict[str, Any]:
    in_pt = [binning("displacement", [0, 1, "inf"], content) for content in ([1.0, 0.9], [1.02, 0.8])]
    inputs = [real("pt"), real("displacement")]
    return {
        "name": "TrackingSF",
        "version": 1,
        "inputs": inputs,
        "output": real("sf"),
        "data": binning("pt", [0, 10, "inf"], in_pt),
    }


def own() -> dict[str, Any]:
    """A scale factor of vertices by distance (cm), in text ways and working points; it is 0 below 0 cm."""

    def bins(*values: float) -> dict[str, Any]:
        return binning("flight", ["-inf", 0, 3, "inf"], [0.0, *values])

    of_ways = {"nominal": bins(0.9, 1.2), "up": bins(1.0, 1.5), "down": bins(0.8, 1.0)}
    inputs = [real("flight"), text("systematic"), text("WP"), real("scale")]
    data = category("WP", {"tight": category("systematic", of_ways)})
    return {"name": "sv_sf", "version": 1, "inputs": inputs, "output": real("sf"), "data": data}


def write(path: Path) -> Path:
    """All of them in one gzipped file; returns its path."""
    corrections = [electron_id(), muon_id(), pileup(), tracking(), own()]
    content = cs.CorrectionSet.model_validate({"schema_version": 2, "corrections": corrections})
    path.write_bytes(gzip.compress(content.model_dump_json(exclude_unset=True).encode()))
    return path


def own_entry(file: Path | str, **changes: Any) -> dict[str, Any]:
    """A weight of a user's own, as a catalogue has it."""
    inputs: dict[str, Any] = {"flight": "delta_2d", "WP": {"constant": "tight"}, "scale": 1.0}
    inputs["systematic"] = {"nominal": "nominal", "up": "up", "down": "down"}
    return {"name": "vertex", "file": str(file), "correction": "sv_sf", "inputs": inputs} | changes


def entries(file: Path) -> dict[str, dict[str, Any]]:
    """As a catalogue has them."""
    return {
        "electron": {
            "file": file,
            "correction": "UL-Electron-ID-SF",
            "columns": {"eta": "l1_eta", "pt": "l1_pt"},
            "constants": {"year": "2018", "WorkingPoint": "wp90iso"},
            "uncertainty": {"input": "ValType", "nominal": "sf", "up": "sfup", "down": "sfdown"},
        },
        "muon": {
            "file": file,
            "correction": "NUM_MediumID_DEN_TrackerMuons",
            "columns": {"abseta": "abs(l1_eta)", "pt": "l1_pt"},
            "uncertainty": {"input": "scale_factors", "nominal": "nominal", "up": "systup", "down": "systdown"},
        },
        "pileup": {
            "file": file,
            "correction": "Collisions18_UltraLegacy_goldenJSON",
            "columns": {"NumTrueInteractions": "n_true_interactions"},
            "uncertainty": {"input": "weights", "nominal": "nominal", "up": "up", "down": "down"},
        },
        "tracking": {
            "file": file,
            "correction": "TrackingSF",
            "columns": {"pt": "sv_pt", "displacement": "delta_2d"},
            "uncertainty": "half the difference from one",
        },
    }

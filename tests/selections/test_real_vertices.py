"""Vertices of leptons in files of CMS software, beside those found by `vertex_associations`."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from chain import catalogue_of, inspected
from vertex_associations import Lepton, associations

from hnl.datasets import files, nanoaod
from hnl.datasets.catalogue import Triggers
from hnl.selections import vertices

# Leptons with svIdx >= 0; of these, svIdx beyond the table; of all, a vertex of the table on their track.
REAL = {
    "data_v11_egamma_2022": (16, 7, 10),
    "data_v13_egamma_2022": (22, 3, 17),
    "mc_v13_ggh_2022": (9, 4, 5),
}
PATHS = Triggers(electron=("HLT_Ele30_WPTight_Gsf",), muon=("HLT_IsoMu24",))


def chosen(path: Path, kind: str) -> tuple[list[Lepton], dict[str, int]]:
    """What hnl takes for each lepton with svIdx >= 0, and its counts."""
    catalogue = catalogue_of(path, kind=kind, paths=PATHS, year=2022)
    (unit,) = files.work_units("sample", inspected(catalogue))
    events = files.events(unit)
    table, found = nanoaod.vertices(events), []
    table = ak.with_field(table, ak.local_index(table.pt, axis=1), "row")
    collections: dict[str, Any] = {"Electron": nanoaod.electrons(events), "Muon": nanoaod.muons(events)}
    for name, leptons in collections.items():
        for number in range(int(ak.max(ak.num(leptons), initial=0))):
            entries = np.flatnonzero(ak.num(leptons) > number)
            entries = entries[ak.to_numpy(leptons[entries, number].sv_index) >= 0]
            one = leptons[entries, number]
            vertex = vertices.of_track(table[entries], events.PV[entries], one, one.sv_index)
            rows = ak.fill_none(vertex.row, -1).tolist()
            each = zip(entries.tolist(), one.sv_index.tolist(), rows, strict=True)
            found += [Lepton(entry, name, number, index, row) for entry, index, row in each]
    counts = nanoaod.sv_index_counts(ak.num(table), *(leptons.sv_index for leptons in collections.values()))
    return sorted(found), counts


@pytest.mark.parametrize("name", REAL)
def test_vertices_of_real_leptons(name: str, real_nanoaod: Path) -> None:
    (path,) = real_nanoaod.rglob(f"{name}.root")
    found, counts = chosen(path, "data" if name.startswith("data") else "background")
    assert found == sorted(associations(path))
    assert (*counts.values(), sum(lepton.row >= 0 for lepton in found)) == REAL[name]

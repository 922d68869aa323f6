"""Origins of the secondary vertices of background events."""

from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import awkward as ak
import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from simulation_validation import checks
from simulation_validation.checks import Check
from simulation_validation.events import (
    Columns,
    GeneratedBlock,
    Measured,
    libraries,
    measure,
    over_cores,
    together,
    works,
)

from hnl.datasets.simulation import detector, particles
from hnl.datasets.simulation.propagation import CONVERSION_UID
from hnl.datasets.simulation.rows import ObjectRows
from hnl.selections import leptons

CLASSES = ("conversion", "same decay", "heavy flavour", "random track")
"""Classes of a vertex by two of its tracks: the legs of a converted photon; from one point off the interaction, where a
light hadron or a tau decayed; from one c or b hadron and its daughters; or none of these."""
CONVERSION, SAME_DECAY, HEAVY, RANDOM = range(4)

PROCESSES = {"wjets": 1.0, "ttbar": 0.05, "zjets": 0.5}
"""Processes without their filter: W + jet and Z/gamma* with all their photons, hadrons and leptons. The number is the
share of the events that are generated for vertices with l2, which are much more frequent in some processes."""

RESEEDS = 3
"""Measurements per event, for vertices with l2."""

SAME_POINT, OFF_INTERACTION = 1e-5, 0.01
"""cm."""


class Track(NamedTuple):
    """Truth of one track.

    Attributes:
        photon: number of the converted photon from which it comes, -1 if none.
        point: production point of its particle, cm.
        heavy: first c or b hadron among its ancestors, -1: none; the overlay has no ancestors.
        decayed: identity of the hadron or lepton that decayed at this point, 0: unknown or none.
        displaced: whether the point is off the interaction.
    """

    photon: int
    point: NDArray[np.float64]
    heavy: int
    decayed: int
    displaced: bool


def describe(tracks: ObjectRows, row: int, event: ak.Array, vertex: NDArray[np.float64]) -> Track:
    """Truth of the track of a row.

    Args:
        tracks: measured tracks.
        row: row of the track.
        event: event of the track in the particle table.
        vertex: true interaction, cm.
    """
    uid, gen = int(tracks.uid[row]), int(tracks.gen[row])
    point = np.array([tracks.x[row], tracks.y[row], tracks.z[row]])
    photon = uid // 2 if uid >> 40 == CONVERSION_UID >> 40 else -1
    prt = event.particles
    heavy, decayed, mother = -1, 0, int(prt.parent[gen]) if gen >= 0 else -1
    start = _start(prt, gen) if gen >= 0 else point
    while mother >= 0:
        code = abs(int(prt.pdg_id[mother]))
        if particles.has_flavour(code, 4) or particles.has_flavour(code, 5):
            heavy = mother
        if decayed == 0 and np.abs(_start(prt, mother) - start).max() > SAME_POINT:
            decayed = code
        mother = int(prt.parent[mother])
    off = bool(np.hypot(point[0] - vertex[0], point[1] - vertex[1]) > OFF_INTERACTION)
    return Track(photon, point, heavy, decayed, off)


def _start(prt: ak.Record, index: int) -> NDArray[np.float64]:
    return np.array([prt.vx[index], prt.vy[index], prt.vz[index]])


def pair_origin(a: Track, b: Track) -> int:
    """Common origin of two tracks, as a position in `CLASSES`."""
    if a.photon >= 0 and a.photon == b.photon:
        return CONVERSION
    light = not (particles.has_flavour(a.decayed, 4) or particles.has_flavour(a.decayed, 5))
    if light and a.displaced and np.abs(a.point - b.point).max() < SAME_POINT:
        return SAME_DECAY
    return HEAVY if a.heavy >= 0 and a.heavy == b.heavy else RANDOM


def all_vertices(work: GeneratedBlock) -> Columns:
    """Origin of every vertex of the events: the best of its pairs of tracks."""
    table = work.table()
    result = measure(table, work.seed)
    return {"origin": np.array([_origin(result, table, v) for v in range(len(result.svs.vertices))], int)}


def lepton_vertices(work: GeneratedBlock) -> Columns:
    """Origin of vertices that hold a selected nonprompt lepton l2, in events with a prompt-like lepton.

    It is the best common origin of l2 with another track. The other columns are the generated event, and whether l2 is
    not a lepton.
    """
    table = work.table()
    block = detector.simulate(table, libraries(), work.seed, RESEEDS, preselect=True)
    position = {int(number): i for i, number in enumerate(table.event_id)}
    columns: dict[str, list[int]] = {"origin": [], "event": [], "fake": []}
    for name, select in (("Electron", leptons.nonprompt_electrons), ("Muon", leptons.nonprompt_muons)):
        selected = select(block[name])
        selected = selected[selected.hnlsim_svRow >= 0]
        for i in np.flatnonzero(ak.to_numpy(ak.num(selected) > 0)):
            row = position[int(block["hnlsim_generatorEvent"][i])]
            event = table[row : row + 1]
            result = measure(event, work.seed, reseed=int(block["event"][i]) % detector.MAX_RESEEDS)
            in_table = np.flatnonzero(result.svs.in_table)
            if len(in_table) != len(block["SV"][i]):
                raise AssertionError(f"event {row}: other vertices than in the SV collection")
            for lepton in selected[i]:
                vertex = int(in_table[lepton.hnlsim_svRow])
                members = result.svs.track[result.svs.vertex == vertex]
                tracks = result.tracks[members]
                l2_track = members[np.argmin(np.abs(tracks.eta - lepton.eta) + np.abs(tracks.phi - lepton.phi))]
                columns["origin"].append(_origin(result, event, vertex, int(l2_track)))
                columns["event"].append(int(event.event_id[0]))
                columns["fake"].append(abs(int(result.tracks.pdg[l2_track])) not in (11, 13))
    return {name: np.array(values, int) for name, values in columns.items()}


def _origin(result: Measured, table: ak.Array, vertex: int, lepton: int | None = None) -> int:
    """Class of a vertex, by its tracks or by the lepton's track and any other."""
    members = result.svs.track[result.svs.vertex == vertex]
    event = int(result.svs.vertices.event[vertex])
    tracks = {int(m): describe(result.tracks, int(m), table[event], result.vertex[event]) for m in members}
    pairs = combinations(tracks, 2) if lepton is None else ((lepton, m) for m in tracks if m != lepton)
    return min(pair_origin(tracks[a], tracks[b]) for a, b in pairs)


def check(n_events: int, n_all: int, seed: int, workers: int, output: Path) -> tuple[list[Check], list[list[str]]]:
    """Figure sv_origins.png and its numbers.

    Args:
        n_events: generated events of each process for vertices with l2.
        n_all: the same for all vertices.

    Returns:
        Checks, and one row per process and kind of vertex: name, number (of distinct generated events, too), share
        in % of each of `CLASSES`, share of hadrons among l2.
    """
    rows, everything = [], {}
    for process, part in PROCESSES.items():
        vertices = together(over_cores(all_vertices, works(process, n_all, seed, None), workers))
        held = together(
            over_cores(lepton_vertices, works(process, max(1, round(part * n_events)), seed, None), workers)
        )
        for kind, columns in ((f"{process}, all SVs", vertices), (f"{process}, SVs with l2", held)):
            shares = np.bincount(columns["origin"], minlength=4) / max(1, len(columns["origin"]))
            everything[kind] = shares
            fake = f"{100 * columns['fake'].mean():.0f}" if "fake" in columns and len(columns["fake"]) else ""
            number = str(len(columns["origin"]))
            number += f" ({len(np.unique(columns['event']))})" if "event" in columns else ""
            rows.append([kind, number, *(f"{100 * s:.0f}" for s in shares), fake])
    _draw(everything, output / "sv_origins.png")
    return [_all_present(everything)], rows


def _all_present(everything: dict[str, NDArray[np.float64]]) -> Check:
    """The paper's three backgrounds (section 1): random tracks, conversions, heavy flavour."""
    held = np.mean([shares for kind, shares in everything.items() if "l2" in kind], axis=0)
    measured = ", ".join(f"{CLASSES[i]} {100 * held[i]:.0f} %" for i in (RANDOM, CONVERSION, HEAVY))
    passed = bool(all(held[i] > 0.02 for i in (RANDOM, CONVERSION, HEAVY)))
    return Check(
        "SVs with l2, mean of the processes", measured, "all three, each above 2 % (section 1; our number)", passed
    )


def _draw(everything: dict[str, NDArray[np.float64]], path: Path) -> None:
    figure, axes = plt.subplots(figsize=(8, 4))
    left = np.zeros(len(everything))
    for i, name in enumerate(CLASSES):
        width = np.array([shares[i] for shares in everything.values()])
        axes.barh(list(everything), width, left=left, label=name)
        left += width
    axes.invert_yaxis()
    checks.finish(axes, "share of the secondary vertices", "")
    axes.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.4, 1.0), fontsize="small")
    checks.save(figure, path)

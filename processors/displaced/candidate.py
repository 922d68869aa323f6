"""What a candidate carries (section 5, and what the later stages need)."""

import numpy as np

from hnl.datasets import nanoaod
from hnl.datasets.arrays import Events, PerEvent
from hnl.datasets.catalogue import Dataset
from hnl.processors.base import identity, numbers, prefiring
from hnl.processors.displaced.columns import COLUMNS
from hnl.processors.displaced.constituents import JetParticles
from hnl.processors.displaced.jet_variations import CandidateRows
from hnl.selections import events as two_leptons
from hnl.selections import jets, particles, truth


def columns(
    events: Events,
    l1: PerEvent,
    l2: PerEvent,
    sv: PerEvent,
    rows: CandidateRows,
    inside: JetParticles | None,
    dataset: Dataset,
) -> dict[str, np.ndarray]:
    """The columns of `COLUMNS`, as far as they are made of objects: NaN throughout where the file cannot have one.

    Args:
        events: that pass all but what depends on jets.
        l1, l2, sv: one each an event.
        rows: of the table.
        inside: particles of the jets of the rows, see `constituents.of_rows`.
        dataset: what they are.
    """
    used, of_row = np.unique(rows.event, return_inverse=True)
    by_event = _of_event(events[used], l1[used], l2[used], sv[used], dataset)
    result = {name: numbers(values)[of_row] for name, values in by_event.items() if values is not None}
    result |= {name: numbers(values) for name, values in _of_jet(l2[rows.event], rows.jet).items()}
    if inside is not None:
        summaries = particles.summaries(inside.particles)
        result |= {f"jet_{name}": numbers(values)[inside.of_row] for name, values in summaries.items()}
    missing = np.full(len(rows.event), np.nan)
    return {c.name: missing for c in COLUMNS} | result | {"passes": rows.passes, "n_jets": rows.n_jets}


def _of_event(events: Events, l1: PerEvent, l2: PerEvent, sv: PerEvent, dataset: Dataset) -> dict[str, PerEvent | None]:
    """The same whatever the energies of jets."""
    result = identity(events) | prefiring(events, dataset)
    result |= {
        "delta_phi_l1_l2": l1.deltaphi(l2),
        "m_l1_sv": two_leptons.mass(l1, sv),
        "m_sv": sv.mass,
        "sv_n_tracks": sv.ntracks,
        "sv_chi2_ndof": sv.chi2,  # NanoAOD's SV_chi2 is divided by ndof already
        "sv_ndof": sv.ndof,
        "sv_p_angle": sv.pAngle,
        "delta_2d": sv.dxy,
        "delta_2d_sig": sv.dxySig,
        "delta_3d": sv.dlen,
        "delta_3d_sig": sv.dlenSig,
    }
    names = {"dxy": "dxy", "dz": "dz", "rel_iso": "pfRelIso03_all", "gen_flavour": "gen_flavour"}
    for prefix, lepton in (("l1", l1), ("l2", l2)):
        result |= {f"{prefix}_{name}": lepton[name] for name in ("pt", "eta", "phi", "charge")}
        result |= {f"{prefix}_{ours}": lepton[theirs] for ours, theirs in names.items()}
    names = {"dxy_err": "dxyErr", "dz_err": "dzErr", "d_xyz": "ip3d", "d_xyz_sig": "sip3d"}
    result |= {f"l2_{ours}": l2[theirs] for ours, theirs in names.items()}
    result |= {f"l2_{name}": l2[name] for name in ("lost_hits", "tracker_layers")}
    result |= {f"sv_{name}": sv[name] for name in ("pt", "eta", "phi")}
    if nanoaod.has_particles(events):
        result["l2_pixel_hits"] = particles.pixel_hits(l2, events.PFCands)
    generated = nanoaod.generated_particles(events) if dataset.signal else None
    if dataset.signal and generated is not None:
        result |= {f"gen_{name}": value for name, value in truth.decay(generated, dataset.signal.mass).items()}
    return result


def _of_jet(l2: PerEvent, jet: PerEvent) -> dict[str, PerEvent]:
    return {f"jet_{name}": jet[name] for name in ("pt", "eta", "phi", "mass")} | {
        "jet_index": jet.index,
        "jet_n_constituents": jet.nConstituents,
        "jet_hadron_flavour": jet.flavour,
        "delta_r_l2_jet": l2.deltaR(jet),
        "pt_rel_l2_jet": jets.pt_rel(l2, jet),
        "pt_ratio_l2_jet": l2.pt / jet.pt,
    }

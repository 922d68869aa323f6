"""K0S candidates in Z -> mu mu events, for the check of the score on data (section 5), as a coffea processor.

They have the columns of the candidates of the search, with the harder pion in the place of l2. What a pion cannot have
is NaN, in data and simulation alike: isolation (a lepton's is not made of the particles of one jet) and the number of
tracker layers (particles of jets have none).
"""

from typing import Any

import awkward as ak
import hist
import numpy as np
from coffea.processor import ProcessorABC, column_accumulator

from hnl.corrections import jets as jet_energies
from hnl.datasets import nanoaod
from hnl.datasets.arrays import Events, PerEvent
from hnl.datasets.catalogue import Catalogue
from hnl.physics.constants import M_K0S
from hnl.processors import base
from hnl.processors.displaced import candidate, constituents
from hnl.processors.displaced.columns import COLUMNS
from hnl.processors.displaced.cuts import Cuts
from hnl.processors.displaced.jet_variations import CandidateRows
from hnl.selections import jets as jet_cuts
from hnl.selections import leptons, particles, vertices
from hnl.selections.displaced import k0s

MASS_AXIS = hist.axis.Regular(48, 0.44, 0.56, name="m_sv", label=r"$m(\pi\pi)$ of the vertex [GeV]")
PION_FLAVOUR = nanoaod.CHARGED_HADRON


class K0SProcessor(ProcessorABC):  # type: ignore[misc]
    """NanoEvents -> K0S candidates (`columns.COLUMNS`), a cutflow, and masses around that of the K0S.

    The leptons are those of Table 1 ('Prompt muons': our choice, as section 5 asks for a pure sample), jets and
    vertices those of the search: 'the same configuration employed for HNL events'. Of several vertices that with the
    highest pt is taken, as in section 2. Section 5 asks nothing of the pion, so l2's pt and d_xy are not cut on.

    Args:
        catalogue: tells for `events.metadata['dataset']` what it is and which triggers belong to it.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def process(self, events: Events) -> dict[str, Any]:
        """Selects the events of one work unit, of a file with PFCands.

        Returns:
            {dataset: {candidates: {column: column_accumulator}, cutflow: see `Cutflow`, masses: histogram of the mass
            of the chosen vertices before its cut, with generator weights}}, which adds up over units.
        """
        dataset = self.catalogue.dataset(events.metadata["dataset"])
        era = self.catalogue.era(dataset)
        weights = base.generator_weight(events, dataset)
        cutflow, _ = base.begin(events, dataset, era, weights, ("muon",))
        cuts = Cuts.of_catalogue(self.catalogue)
        muons = leptons.prompt_muons(nanoaod.muons(events), cuts.leptons)
        cutflow.require("two prompt muons", ak.num(muons) == k0s.N_MUONS)
        mass = k0s.z_mass(muons)
        cutflow.require("opposite charges", ~np.isnan(mass))
        cutflow.require("|m(mumu) - m(Z)| < 10 GeV", k0s.in_z_window(mass))

        z = cutflow.passed()
        events, muons, weights = events[z], muons[z], weights[z]
        every = nanoaod.vertices(events)
        every = every[vertices.displaced(every, cuts.vertices) & k0s.of_two_tracks(every)]
        masses = hist.Hist(MASS_AXIS, storage=hist.storage.Weight())
        around = vertices.highest_pt(every[np.abs(every.mass - M_K0S) < MASS_AXIS.edges[-1] - M_K0S])
        has = ~ak.to_numpy(ak.is_none(around))
        masses.fill(ak.to_numpy(around.mass[has], allow_missing=False), weight=weights[has])

        vertex = vertices.highest_pt(every[k0s.in_k0s_window(every)])
        has = ~ak.to_numpy(ak.is_none(vertex))
        cutflow.require("SV of two tracks, |m - m(K0S)| < 15 MeV", has, among=z)
        z[z], events, muons, vertex = has, events[has], muons[has], ak.drop_none(vertex)
        found = k0s.pions(nanoaod.charged_hadrons(events), vertex)
        has = ~ak.to_numpy(ak.is_none(found))
        cutflow.require("two pions of the SV found", has, among=z)

        z[z], events, muons, vertex, found = has, events[has], muons[has], vertex[has], ak.drop_none(found)
        l1, l2 = muons[:, 0], _as_l2(found.l2)
        file_jets = nanoaod.jets(events)
        energies = jet_energies.jet_settings(dataset, era)
        of_jets = cuts.jets
        factors = jet_energies.nominal_factors(energies, file_jets, events, of_jets)
        jets = jet_energies.scaled(file_jets, factors)
        good = jet_cuts.good_jets(jets, of_jets)
        away = jet_cuts.separated(muons[:, 0], good, of_jets) & jet_cuts.separated(muons[:, 1], good, of_jets)
        good = good[away]
        jet, _ = jet_cuts.nearest_jet(l2, good)
        near = ak.to_numpy(ak.fill_none(jet.deltaR(l2) < of_jets.delta_r_l2, False))
        cutflow.require(f"Delta R(l2, jet) < {of_jets.delta_r_l2:g}", near, among=z)
        stored = particles.of_jet(jet.index, events.JetPFCands, events.PFCands)
        stored = ak.to_numpy(ak.fill_none(ak.num(stored, axis=1) > 0, False)) & near
        cutflow.require("particles of the jet stored", stored, among=z)

        z[z] = stored
        rows = CandidateRows(
            np.arange(stored.sum()),
            ak.drop_none(jet[stored]),
            ak.to_numpy(ak.num(good))[stored],
            np.ones(stored.sum(), dtype=np.uint64),
        )
        inside = constituents.of_rows(events[stored], rows)
        columns = candidate.columns(events[stored], l1[stored], l2[stored], vertex[stored], rows, inside, dataset)
        columns |= {"gen_weight": cutflow.weights[z], "category": np.zeros(len(rows.event)), "m_l1_l2": mass[z]}
        return {
            dataset.name: {
                "candidates": {c.name: column_accumulator(columns[c.name].astype(c.dtype)) for c in COLUMNS},
                "cutflow": cutflow.counts(),
                "masses": masses,
            }
        }

    def postprocess(self, accumulator: dict[str, Any]) -> dict[str, Any]:
        """Nothing is left to do after the units are added up."""
        return accumulator


def _as_l2(pion: PerEvent) -> PerEvent:
    """A pion with the columns of a lepton."""
    distance, significance = k0s.impact_parameter(pion)
    missing = ak.full_like(pion.pt, np.nan)
    columns = {name: pion[name] for name in ("pt", "eta", "phi", "mass", "charge", "dz", "dzErr", "lost_hits")}
    columns |= {"dxy": pion.d0, "dxyErr": pion.d0Err, "ip3d": distance, "sip3d": significance}
    columns |= {"pfRelIso03_all": missing, "tracker_layers": missing}
    columns |= {
        name: ak.full_like(pion.charge, value) for name, value in (("flavour", PION_FLAVOUR), ("gen_flavour", -1))
    }
    return ak.zip(columns, depth_limit=1, with_name="PtEtaPhiMLorentzVector", behavior=pion.behavior)
